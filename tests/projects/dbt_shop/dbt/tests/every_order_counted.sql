select 1 from {{ ref('stg_orders') }} as orders join {{ ref('customer_revenue') }} as revenue on false
