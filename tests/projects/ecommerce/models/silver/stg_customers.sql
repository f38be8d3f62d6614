select customer_id, email from {{ source('bronze', 'customers') }}
