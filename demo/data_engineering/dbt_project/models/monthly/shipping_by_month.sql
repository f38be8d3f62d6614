{{ config(unique_key='month') }}
select
    date_trunc('month', orderDate::timestamp)::date as month,
    shipCountry as country,
    count(*) as orders,
    sum({{ known('freight') }}::decimal(12, 2)) as freight
from {{ source('bronze', 'orders_by_month') }}
where orderDate::timestamp >= '{{ var("partition_start") }}'
    and orderDate::timestamp < '{{ var("partition_end") }}'
group by all
