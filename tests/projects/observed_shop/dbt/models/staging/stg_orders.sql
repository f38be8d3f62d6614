select id, customer_id, ordered_at, amount from {{ source('bronze', 'orders') }}
