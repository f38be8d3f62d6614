"""Columns read from SQL: what is found, what is left out, and statements that would end the parser's process."""

import subprocess
import sys
from pathlib import Path

import pytest

from floe_dagster.observability.datasets import DatasetId
from floe_dagster.observability.lineage.column_lineage import find_columns
from floe_dagster.observability.lineage.columns import Columns, all_names, columns_of_table, sources_by_name
from floe_dagster.observability.lineage.identifiers import Identifiers

KNOWN = {
    "stg_orders": ("order_id", "order_date", "customer"),
    "daily_revenue": ("order_date", "orders", "revenue"),
    "customers": ("customer", "Name"),
    "quoted": ("id", "Id"),
}
PARTLY_KNOWN = {"source": ("id", "amount"), "other": (), "nothing": ()}


def find_table(names: tuple[str, ...]) -> Columns | None:
    """The tables of a shop, those of schema `raw` known in part."""
    schema, name = (part.lower() for part in names[-2:]) if len(names) > 1 else ("", "")
    known = {"main": KNOWN, "raw": PARTLY_KNOWN}.get(schema, {}).get(name)
    return None if known is None else columns_of_table(DatasetId("db", name), known, are_all=schema == "main")


def read(query: str, dialect: str = "duckdb") -> dict[str, list[str]]:
    """{column: the columns that it comes from}, as `table.column`."""
    found = find_columns(query, find_table=find_table, dialect=dialect) or ()
    return {
        column: sorted(f"{table.name}.{name}" for table, name in sources)
        for column, sources in sources_by_name(found, key=Identifiers(dialect).key).items()
    }


JOINED = "main.stg_orders join main.daily_revenue using (order_date)"


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        pytest.param(
            "with o as (select order_id, order_date || customer as x from main.stg_orders)"
            " select order_id, max(x) as x from o group by 1",
            {"order_id": ["stg_orders.order_id"], "x": ["stg_orders.customer", "stg_orders.order_date"]},
            id="a common table expression",
        ),
        pytest.param(
            f"select order_id, orders, revenue*2 as dbl, dbl+1 as more, coalesce(customer,'x') from {JOINED}",
            {
                "order_id": ["stg_orders.order_id"],
                "orders": ["daily_revenue.orders"],
                "dbl": ["daily_revenue.revenue"],
                "more": ["daily_revenue.revenue"],
            },
            id="columns of a join, an alias read again, and an expression without a name",
        ),
        pytest.param(
            f"select order_date from {JOINED.replace('join', 'right join')}",
            {"order_date": ["daily_revenue.order_date"]},
            id="using: of a right join",
        ),
        pytest.param(
            f"select order_date from {JOINED.replace('join', 'full join')}",
            {"order_date": ["daily_revenue.order_date", "stg_orders.order_date"]},
            id="using: of a full join",
        ),
        pytest.param(
            f"select * from {JOINED}",
            {
                "order_id": ["stg_orders.order_id"],
                "order_date": ["stg_orders.order_date"],
                "customer": ["stg_orders.customer"],
                "orders": ["daily_revenue.orders"],
                "revenue": ["daily_revenue.revenue"],
            },
            id="star of a join",
        ),
        pytest.param(
            f"select daily_revenue.*, 1 as one from {JOINED}",
            {name: [f"daily_revenue.{name}"] for name in KNOWN["daily_revenue"]},
            id="star of one of two",
        ),
        pytest.param(
            "select customer, name from main.stg_orders natural join main.customers",
            {"customer": ["stg_orders.customer"], "Name": ["customers.Name"]},
            id="natural join, and a name in the table's own case",
        ),
        pytest.param(
            "select * from main.stg_orders semi join main.customers using (customer)",
            {name: [f"stg_orders.{name}"] for name in KNOWN["stg_orders"]},
            id="semi join",
        ),
        pytest.param(
            "select order_id as a, customer as b from main.stg_orders"
            " union all select orders, revenue as a from main.daily_revenue",
            {
                "a": ["daily_revenue.orders", "stg_orders.order_id"],
                "b": ["daily_revenue.revenue", "stg_orders.customer"],
            },
            id="union: by position",
        ),
        pytest.param(
            "select order_id as a from main.stg_orders"
            " union by name select orders as b, revenue as A from main.daily_revenue",
            {"a": ["daily_revenue.revenue", "stg_orders.order_id"], "b": ["daily_revenue.orders"]},
            id="union: by name",
        ),
        pytest.param(
            "with u as (select order_id as a from main.stg_orders union all select orders from main.daily_revenue)"
            " select a from u",
            {"a": ["daily_revenue.orders", "stg_orders.order_id"]},
            id="union: in a common table expression",
        ),
        pytest.param(
            "select order_id as a from main.stg_orders union all select orders from main.daily_revenue"
            " union all (select customer from main.customers) union all values (1)",
            {"a": ["customers.customer", "daily_revenue.orders", "stg_orders.order_id"]},
            id="union: of several, one in brackets and one of values",
        ),
        pytest.param(
            "select s.order_id, orders from (main.stg_orders s join main.daily_revenue using (order_date)),"
            " (main.customers)",
            {"order_id": ["stg_orders.order_id"], "orders": ["daily_revenue.orders"]},
            id="a join in brackets",
        ),
        pytest.param(
            "select order_id from main.stg_orders except select orders from main.daily_revenue",
            {"order_id": ["stg_orders.order_id"]},
            id="except: of the first alone",
        ),
        pytest.param(
            "select customer, (select max(revenue) from main.daily_revenue) as mx from main.stg_orders",
            {"customer": ["stg_orders.customer"], "mx": ["daily_revenue.revenue"]},
            id="a scalar subquery",
        ),
        pytest.param(
            "select (select max(d.revenue + s.order_id) from main.daily_revenue d) as mx from main.stg_orders s",
            {"mx": ["daily_revenue.revenue", "stg_orders.order_id"]},
            id="a scalar subquery that reads what is around it",
        ),
        pytest.param(
            "select * from raw.source union all select order_id, customer from main.stg_orders",
            {"id": ["source.id"], "amount": ["source.amount"]},
            id="union: with a table whose columns may stand in another order",
        ),
        pytest.param(
            "with recursive r(n, c) as (select order_id, customer from main.stg_orders"
            " union all select n + orders, c from r join main.daily_revenue on true) select n, c from r",
            {"n": ["daily_revenue.orders", "stg_orders.order_id"], "c": ["stg_orders.customer"]},
            id="a recursive common table expression",
        ),
        pytest.param(
            "select * from raw.source",
            {"id": ["source.id"], "amount": ["source.amount"]},
            id="star of a source: what is declared",
        ),
        pytest.param(
            "with s as (select * from raw.nothing), t as (select *, a + b as c from s) select t.a, c, d as e from t",
            {"a": ["nothing.a"], "c": ["nothing.a", "nothing.b"], "e": ["nothing.d"]},
            id="star of a source of which nothing is known",
        ),
        pytest.param(
            "select j.* exclude (id) replace (amount + 1 as amount) rename (id2 as x) from raw.source j",
            {"amount": ["source.amount"], "x": ["source.id2"]},
            id="star with other words",
        ),
        pytest.param(
            "select a, id, amount, o.b, n.c from raw.source s join raw.other o using (id) join raw.nothing n on true",
            {"id": ["source.id"], "amount": ["source.amount"], "b": ["other.b"], "c": ["nothing.c"]},
            id="a join of which columns are not known",
        ),
        pytest.param(
            "select (select max(customer) from raw.nothing) as mx from main.stg_orders",
            {},
            id="a name that may be that of either select",
        ),
        pytest.param(
            "select id, amount + 1 as id, id_1 as x from (select id, amount, s.id from raw.source s)",
            {"id": ["source.id"]},
            id="names that stand twice",
        ),
        pytest.param(
            "select * from raw.nothing join main.daily_revenue on true",
            {},
            id="star of a join: names that the first may have, too",
        ),
        pytest.param(
            "select customer as x, order_id as x, x as y from main.stg_orders",
            {"x": ["stg_orders.customer"]},
            id="an alias that stands twice",
        ),
        pytest.param("select x, id from main.quoted", {}, id="no such column, and two of one name"),
        pytest.param(
            "select a, orders from x.hidden join main.daily_revenue on true",
            {"orders": ["daily_revenue.orders"]},
            id="a table that is not known",
        ),
        pytest.param(
            "with stg_orders as (select 1 as order_id) select order_id from stg_orders",
            {},
            id="a common table expression of a table's name",
        ),
        pytest.param(
            "select v.a, s.customer, u.x, l.z from main.stg_orders s, (values (1, 2)) v(a, b), unnest(s.customer) u(x),"
            " lateral (select s.order_id + 1 as z) l",
            {"customer": ["stg_orders.customer"], "x": ["stg_orders.customer"], "z": ["stg_orders.order_id"]},
            id="other relations",
        ),
        pytest.param(
            "select customer.first as f, stg_orders.customer.last, columns('o.*'), unnest(customer) as q"
            " from main.stg_orders",
            {"f": ["stg_orders.customer"], "last": ["stg_orders.customer"]},
            id="structs, and columns that may be several",
        ),
        pytest.param(
            "from (select * from main.customers where customer > 1) as c"
            " select c.customer, list_transform(name, x -> x.customer + 1) as n",
            {"customer": ["customers.customer"], "n": ["customers.Name"]},
            id="a part of a table, and a lambda",
        ),
        pytest.param(
            "select id->'$.[no path]' as x from raw.source;", {"x": ["source.id"]}, id="a path that cannot be read"
        ),
        pytest.param("select * from (pivot main.customers on name using count(*))", {}, id="pivot"),
    ],
)  # fmt: skip
def test_columns_come_from_the_columns_that_they_are_computed_of(query: str, expected: dict[str, list[str]]) -> None:
    assert read(query) == expected


@pytest.mark.parametrize(
    ("dialect", "query", "expected"),
    [
        pytest.param(
            "postgres",
            'select ID, "Id", ID as "Other", ID as Other, "Id"::text from "db"."main"."quoted"',
            {"id": ["quoted.id"], "Id": ["quoted.Id"], "Other": ["quoted.id"], "other": ["quoted.id"]},
            id="postgres",
        ),
        pytest.param(
            "snowflake",
            'select n.x, n."y" as z, f.value:a::int as "v" from db.raw.nothing n, lateral flatten(input => n.list) f',
            {"X": ["nothing.X"], "Z": ["nothing.y"], "v": ["nothing.LIST"]},
            id="snowflake",
        ),
        pytest.param(
            "bigquery", "select * except (id) from `d`.raw.source", {"amount": ["source.amount"]}, id="bigquery"
        ),
        pytest.param(
            "spark",
            "select order_id, part from main.stg_orders lateral view explode(split(customer, ' ')) parts as part",
            {"order_id": ["stg_orders.order_id"], "part": ["stg_orders.customer"]},
            id="spark",
        ),
        pytest.param("no such", "select ID from raw.source", {"id": ["source.id"]}, id="another"),
    ],
)  # fmt: skip
def test_names_are_those_that_the_database_has(dialect: str, query: str, expected: dict[str, list[str]]) -> None:
    assert read(query, dialect) == expected


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        (f"select *, 1 as one from {JOINED}", ("order_id", "order_date", "customer", "orders", "revenue", "one")),
        ("select order_id, count(*) from main.stg_orders group by 1", None),
        ("select * from raw.source", None),
        ("select customer, customer from main.stg_orders", None),
    ],
)
def test_all_names_are_told_where_all_are_known(query: str, expected: tuple[str, ...] | None) -> None:
    assert all_names(find_columns(query, find_table=find_table, dialect="duckdb") or ()) == expected


def nested_recursion(levels: int) -> str:
    inner = nested_recursion(levels - 1) if levels else "select id from raw.source"
    return f"with recursive r{levels} as ({inner} union all select * from r{levels}) select id from r{levels}"


HOSTILE = {
    "chain": "select id from raw.source where " + " or ".join(["id=1"] * 20_000),
    "chain of texts": "select " + "||".join(["id"] * 20_000) + " as x from raw.source",
    "brackets": "select " + "(" * 20_000 + "id" + ")" * 20_000 + " as x from raw.source",
    "functions": "select " + "f(" * 1_000 + "id" + ")" * 1_000 + " as x from raw.source",
    "cases": "select " + "case when a then b else " * 1_000 + "id" + " end" * 1_000 + " as x from raw.source",
    "lists": "select id" + "[1]" * 5_000 + " as x from raw.source",
    "subqueries": "select * from (" * 1_000 + "select id from raw.source" + ")" * 1_000,
    "joins": "select 1 as x from raw.source" + " join raw.source" * 10_000 + " on true" * 10_000,
    "negations": "select " + "not " * 3_000 + "id as x from raw.source",
    "types": "select id::" + "struct<a " * 10_000 + "int" + ">" * 10_000 + " as x from raw.source",
    "expressions": "with c0 as (select id from raw.source), "
    + ", ".join(f"c{n} as (select id from c{n - 1})" for n in range(1, 5_000))
    + " select id from c4999",
    "recursion": nested_recursion(30),
    "no statement": "select '",
    "two": "select id as x from raw.source; describe x",
    "no select": "describe raw.source",
    "nothing": "",
}


def test_what_cannot_be_read_has_no_columns_and_does_not_end_the_process() -> None:
    program = (
        "import threading\n"
        "from test_column_lineage import HOSTILE, read\n"
        "threading.stack_size(1024 * 1024)\n"
        "for name, query in HOSTILE.items():\n"
        "    thread = threading.Thread(target=lambda: print(name, read(query), flush=True))\n"
        "    thread.start()\n"
        "    thread.join()\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, cwd=Path(__file__).parent, check=False
    )

    assert (done.stdout.splitlines(), done.stderr) == ([f"{name} {{}}" for name in HOSTILE], "")
    assert done.returncode == 0
