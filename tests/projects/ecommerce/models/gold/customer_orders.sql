select c.customer_id, count(o.order_id) as orders, coalesce(sum(o.amount), 0) as amount
from {{ ref('stg_customers') }} as c
left join {{ ref('stg_orders') }} as o using (customer_id)
group by c.customer_id
