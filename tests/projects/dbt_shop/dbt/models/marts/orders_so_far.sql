{{ config(materialized='incremental', unique_key='id', tags=['nightly', 'not a tag!'],
          meta={'dagster': {'group': 'reports', 'owners': ['team:bi'], 'auto_materialize_policy': {'type': 'eager'}}}) }}
select * from {{ ref('stg_orders') }}
{% if is_incremental() %} where id > (select max(id) from {{ this }}) {% endif %}
