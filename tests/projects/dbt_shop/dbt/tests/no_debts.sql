select * from {{ ref('customer_revenue') }} where total < 0
