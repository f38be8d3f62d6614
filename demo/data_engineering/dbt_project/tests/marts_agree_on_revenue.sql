{# It reads two models; the ref says on which of them it is shown. #}
{{ config(meta={'dagster': {'ref': {'name': 'revenue_by_product'}}}) }}
select by_customer.revenue as revenue_of_customers, by_product.revenue as revenue_of_products
from (select sum(revenue) as revenue from {{ ref('customer_orders') }}) as by_customer
cross join (select sum(revenue) as revenue from {{ ref('revenue_by_product') }}) as by_product
where by_customer.revenue is distinct from by_product.revenue
