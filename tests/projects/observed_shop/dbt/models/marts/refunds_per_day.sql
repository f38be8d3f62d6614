select day, count(*) as refunds from {{ ref('refunds') }} group by day
