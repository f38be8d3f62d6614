{{ config(unique_key='day') }}
select id, ordered_on as day, amount, '{{ var("currency") }}' as currency
from {{ source('bronze', 'orders') }}
where ordered_on = '{{ var("partition_key") }}'
