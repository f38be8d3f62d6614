{{ config(unique_key='region') }}
select '{{ var("partition_key") }}' as region, '{{ var("partition_start", "no window") }}' as start
