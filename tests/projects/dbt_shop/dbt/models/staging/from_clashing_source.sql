select * from {{ source('silver', 'stg_orders') }}
