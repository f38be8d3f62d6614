select day from {{ ref('per_day') }} as per_day
where orders <> (select count(*) from {{ ref('orders_of_day') }} as orders_of_day where orders_of_day.day = per_day.day)
