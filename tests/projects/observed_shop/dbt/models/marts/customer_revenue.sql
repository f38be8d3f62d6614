select customers.id, customers.name, coalesce(totals.total, 0) as revenue
from {{ ref('stg_customers') }} as customers
left join {{ ref('order_totals') }} as totals on totals.customer_id = customers.id
