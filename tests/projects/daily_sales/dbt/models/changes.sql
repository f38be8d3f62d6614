{{ config(unique_key='day') }}
select orders_of_day.id, orders_of_day.day, amount / revenue as share
from {{ ref('orders_of_day') }} as orders_of_day
join {{ ref('per_day') }} as per_day using (day)
where day = '{{ var("partition_key") }}'
