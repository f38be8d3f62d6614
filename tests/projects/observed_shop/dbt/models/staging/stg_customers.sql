select id, name from {{ source('bronze', 'customers') }}
