with items as (
    select
        {{ known('orderID') }}::bigint as order_id,
        {{ known('productID') }}::bigint as product_id,
        {{ known('unitPrice') }}::decimal(12, 2) as unit_price,
        {{ known('quantity') }}::integer as quantity,
        {{ known('discount') }}::decimal(5, 4) as discount
    from {{ source('bronze', 'order_items') }}
)

-- Decimals all the way: the amount is exact, and so is every sum of amounts.
select *, unit_price * quantity * (1 - discount) as amount
from items
