{{ config(materialized='table') }}
select day, count(*) as orders, sum(amount) as revenue from {{ ref('orders_of_day') }} group by day
