select id, customer_id, amount from {{ source('bronze', 'orders') }}
