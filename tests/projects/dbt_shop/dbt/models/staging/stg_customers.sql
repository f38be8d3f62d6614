select id, country from {{ source('bronze', 'customers') }}
