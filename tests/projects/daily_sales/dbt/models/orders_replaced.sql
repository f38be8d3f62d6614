{{ config(unique_key='day') }}
select id, ordered_on as day, amount, '{{ run_started_at }}' as built_at
from {{ source('bronze', 'orders') }}
where ordered_on >= '{{ var("min_date") }}' and ordered_on < '{{ var("max_date") }}'
