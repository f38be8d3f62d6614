{{ config(alias='label_names') }}
select '{{ var("label", "none") }}' as label, current_date as today
