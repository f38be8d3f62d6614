{{ config(materialized='ephemeral') }}
{% if execute and env_var('FAILS', 'nothing') == 'an ephemeral' %}{{ exceptions.raise_compiler_error('the totals are broken') }}{% endif %}
select day, sum(amount) as total from {{ ref('refunds') }} group by day
