with orders as (
    select
        orders.customer_id,
        orders.order_id,
        orders.ordered_at,
        sum(items.amount) as amount
    from {{ ref('stg_orders') }} as orders
    left join {{ ref('stg_order_items') }} as items using (order_id)
    group by orders.customer_id, orders.order_id, orders.ordered_at
)

select
    customers.customer_id,
    customers.company_name,
    customers.country,
    count(orders.order_id) as orders,
    min(orders.ordered_at) as first_order_at,
    max(orders.ordered_at) as last_order_at,
    coalesce(sum(orders.amount), 0) as revenue
from {{ ref('stg_customers') }} as customers
left join orders using (customer_id)
group by customers.customer_id, customers.company_name, customers.country
