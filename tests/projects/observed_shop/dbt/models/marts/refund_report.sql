-- below an ephemeral model
select * from {{ ref('refund_totals') }} where total > 0
