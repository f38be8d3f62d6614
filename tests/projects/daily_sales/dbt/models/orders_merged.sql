{{ config(incremental_strategy='merge', unique_key='id') }}
select id, ordered_on as day, amount
from {{ source('bronze', 'orders') }}
where ordered_on in ({% for key in var('partition_keys', []) %}'{{ key }}'{{ ', ' if not loop.last }}{% endfor %})
