{# A value of the export: what is empty, or the word NULL, is not known. #}
{% macro known(column) -%}
    nullif(nullif(trim({{ column }}), ''), 'NULL')
{%- endmacro %}
