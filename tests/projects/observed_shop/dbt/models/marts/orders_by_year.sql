{{ config(
    materialized='incremental', incremental_strategy='microbatch', event_time='made_at', batch_size='year', begin='2024-01-01'
) }}
select id, ordered_at as made_at, amount from {{ ref('stg_orders') }}
