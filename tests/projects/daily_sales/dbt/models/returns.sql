{{ config(materialized='table') }}
select '{{ tojson(var("partition_keys")) }}' as keys, '{{ tojson(var("partition_keys_region")) }}' as regions,
       '{{ var("partition_start") }}' as start, '{{ var("partition_end") }}' as finish, '{{ var("min_date") }}' as min_date,
       (select count(*) from {{ source('bronze', 'returns') }}) as returned
