select order_id, product_id
from {{ ref('stg_order_items') }}
group by order_id, product_id
having count(*) > 1
