"""Columns read from SQL: what is found, and statements that would end the parser's process."""

import pytest

from floe_dagster.observability.datasets import DatasetId
from floe_dagster.observability.lineage.column_lineage import find_column_sources

ORDERS = DatasetId("duckdb://shop", "shop.raw.orders")
TABLES: dict[tuple[str, ...], DatasetId] = {("shop", "raw", "orders"): ORDERS}


def test_columns_come_from_the_columns_that_they_are_computed_of() -> None:
    query = """
        with o as (select id, price * amount as paid from shop.raw.orders)
        select id, sum(paid) as paid from o group by 1
        """

    found = find_column_sources(query, tables=TABLES, dialect="duckdb")

    assert {column: sorted(sources) for column, sources in found.items()} == {
        "id": [(ORDERS, "id")],
        "paid": [(ORDERS, "amount"), (ORDERS, "price")],
    }


@pytest.mark.parametrize(
    "query",
    [
        pytest.param(
            "select id from raw.orders where " + " or ".join(["id=1"] * 20_000), id="a chain that ends the parser"
        ),
        pytest.param("select " + "||".join(["id"] * 20_000) + " as x from raw.orders", id="another"),
        pytest.param(
            "with c0 as (select id from raw.orders), "
            + ", ".join(f"c{n} as (select id from c{n - 1})" for n in range(1, 5_000))
            + " select id from c4999",
            id="common table expressions that take seconds",
        ),
        pytest.param("select '", id="no statement"),
        pytest.param("", id="nothing"),
    ],
)
def test_what_the_parser_cannot_read_has_no_columns(query: str) -> None:
    assert find_column_sources(query, tables=TABLES, dialect="duckdb") == {}
