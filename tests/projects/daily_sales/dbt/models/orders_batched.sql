{{ config(incremental_strategy='microbatch', event_time='made_at', batch_size='day', begin='2024-03-01') }}
select id, ordered_on::timestamp as made_at, amount from {{ source('bronze', 'orders') }}
