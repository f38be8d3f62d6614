"""Which vars dbt code reads, and which of them while the project is parsed."""

import pytest

from floe_dagster.dbt.var_uses import ANY_VAR, MacroUses, Uses, names_in, uses_of_code

MACROS = """
{% macro in_partition(column) %}{{ column }} = '{{ var('partition_key') }}'{% endmacro %}
{% macro of_today(column) %}{{ in_partition(column) }}{% endmacro %}
{% macro suffixed(name) %}{{ return(name ~ var('suffix')) }}{% endmacro %}
{% macro maybe_all() %}{% if var('full') %}{{ ref('everything') }}{% endif %}{% endmacro %}
{% macro duckdb__dated(column) %}{{ column }} > '{{ var('since') }}'{% endmacro %}
{% macro dated(column) %}{{ return(adapter.dispatch('dated', 'shop')(column)) }}{% endmacro %}
{% macro generate_alias_name(custom_alias_name=none, node=none) %}{{ node.name ~ var('tenant') }}{% endmacro %}
{% test fresh(model) %}select 1 from {{ model }} where day = '{{ var('partition_key') }}'{% endtest %}
{% test depends(model) %}{% if var('full') %}select 1 from {{ ref('x') }}{% endif %}{% endtest %}
"""


@pytest.fixture(scope="module")
def macros() -> MacroUses:
    return MacroUses.of([MACROS])


TEXT_ONLY = {
    "where": "select 1 where day = '{{ var(\"a\") }}'",
    "default": "select '{{ var('a', 'none') }}'",
    "filter": "select '{{ var('a') | replace('-', '') }}'",
    "slice": "select '{{ var('a')[:10] }}'",
    "method": "select '{{ var('a').split('-')[0] }}'",
    "set": "{% set day = var('a') %}select '{{ day }}'",
    "set block": "{% set day %}{{ var('a') }}{% endset %}select '{{ day }}'",
    "branches of text": "{% if var('a') == 'x' %}select 1{% else %}select '{{ var('a') }}'{% endif %}",
    "branch of is_incremental": "{% if is_incremental() %}where day = '{{ var('a') }}'{% endif %}",
    "loop": "{% for key in var('a', []) %}'{{ key }}'{{ ', ' if not loop.last }}{% endfor %}",
    "joined": "select {{ \"','\".join(var('a', [])) }}",
    "function of dbt": "select {{ dbt.dateadd('day', 1, \"'\" ~ var('a') ~ \"'\") }}",
    "module": "select '{{ modules.datetime.date.fromisoformat(var('a')) }}'",
    "hook": "{{ config(pre_hook=\"delete from {{ this }} where day = '{{ var('a') }}'\") }}select 1",
    "snapshot": "{% snapshot s %}{{ config(unique_key='id') }}select '{{ var('a') }}'{% endsnapshot %}",
}
WHILE_PARSING = {
    "config": "{{ config(alias='orders_' ~ var('a')) }}select 1",
    "config by a name": "{% set day = var('a') %}{{ config(enabled=day == 'x') }}select 1",
    "ref": "select 1 from {{ ref('orders_' ~ var('a')) }}",
    "ref in a branch": "{% if var('a') == 'x' %}select 1 from {{ ref('b') }}{% endif %}",
    "ref in another branch": "{% if var('a') == 'x' %}select 1{% else %}select 1 from {{ ref('b') }}{% endif %}",
    "ref in a loop": "{% for key in var('a') %}select 1 from {{ ref(key) }}{% endfor %}",
    "has_var": "{% if var.has_var('a') %}{{ config(materialized='table') }}{% endif %}select 1",
    "unknown macro": "select {{ make_query(var('a')) }}",
    "call block": "{% call statement('x') %}select {{ var('a') }}{% endcall %}",
    "what cannot be read": "{% if %} {{ var('a') }}",
}


@pytest.mark.parametrize("code", TEXT_ONLY.values(), ids=TEXT_ONLY)
def test_a_var_in_the_text_of_a_query_is_not_read_while_parsing(code: str, macros: MacroUses) -> None:
    assert uses_of_code(code, macros) == Uses(frozenset("a"))


@pytest.mark.parametrize("code", WHILE_PARSING.values(), ids=WHILE_PARSING)
def test_a_var_that_decides_about_more_than_text_is_read_while_parsing(code: str, macros: MacroUses) -> None:
    assert uses_of_code(code, macros) == Uses(frozenset("a"), frozenset("a"))


@pytest.mark.parametrize(
    ("code", "read", "while_parsing"),
    [
        ("select 1 where {{ of_today('day') }}", {"partition_key"}, set()),
        ("select 1 where {{ shop.of_today('day') }}", {"partition_key"}, set()),
        ("select 1 where {{ dated('day') }}", {"since"}, set()),
        ("{{ config(alias=suffixed('orders')) }}select 1", {"suffix"}, {"suffix"}),
        ("select 1 from {{ maybe_all() }}", {"full"}, {"full"}),
        ("select 1", set(), set()),
    ],
)
def test_macros_read_for_those_who_call_them(
    code: str, read: set[str], while_parsing: set[str], macros: MacroUses
) -> None:
    assert uses_of_code(code, macros) == Uses(frozenset(read), frozenset(while_parsing))


def test_macros_that_make_names_are_called_for_every_model(macros: MacroUses) -> None:
    assert macros.everywhere == {"tenant"}


def test_generic_tests_are_called_by_yaml(macros: MacroUses) -> None:
    assert macros.of_tests(MACROS) == Uses(frozenset({"partition_key", "full"}), frozenset({"full"}))


def test_a_name_that_the_code_computes_may_be_any() -> None:
    assert names_in("{{ var('a') }} {{ var( name ) }} {{ variable('b') }} var") == {"a", ANY_VAR}
