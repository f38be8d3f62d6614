"""Columns read from SQL: what is found, what is left out, and statements that would end the parser's process."""

import itertools
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import duckdb
import pytest

from floe_dagster.observability.datasets import DatasetId
from floe_dagster.observability.lineage.column_lineage import find_columns
from floe_dagster.observability.lineage.columns import (
    UNKNOWN,
    Columns,
    FindTable,
    all_names,
    columns_of_table,
    sources_by_name,
)
from floe_dagster.observability.lineage.identifiers import Identifiers

KNOWN = {
    "stg_orders": ("order_id", "order_date", "customer"),
    "daily_revenue": ("order_date", "orders", "revenue"),
    "customers": ("customer", "Name"),
    "quoted": ("id", "Id"),
}
PARTLY_KNOWN = {"source": ("id", "amount"), "other": (), "nothing": ()}


SHOP = {
    "o": {"order_id": "int", "customer_id": "int", "status": "text", "amount": "int", "Mixed Case": "text",
          "tags": "text[]", "box": "struct(a int, b text)"},
    "c": {"customer_id": "int", "name": "text", "country": "text", "since": "date"},
    "p": {"payment_id": "int", "order_id": "int", "method": "text", "paid": "int"},
}  # fmt: skip
TABLES: Mapping[str, Mapping[str, Sequence[str]]] = {
    "main": KNOWN,
    "raw": PARTLY_KNOWN,
    "s": {table: (*columns,) for table, columns in SHOP.items()},
}
LEVELS = ("all", "some", "others", "none", "a relation of any kind")
"""What may be known of the columns of a table."""


def find_in(levels: Mapping[str, str]) -> FindTable:
    """Finds tables, of which no more is known than *levels* says; of those of schema `raw` never all."""

    def find(names: tuple[str, ...]) -> Columns | None:
        schema, name = (part.lower() for part in names[-2:]) if len(names) > 1 else ("", "")
        columns = TABLES.get(schema, {}).get(name)
        if columns is None:
            return None
        level, half = levels.get(f"{schema}.{name}", "all"), len(columns) // 2
        known = {"all": columns, "some": columns[:half], "others": columns[half:], "none": ()}.get(level)
        are_all = level == "all" and schema != "raw"
        return UNKNOWN if known is None else columns_of_table(DatasetId("db", name), known, are_all=are_all)

    return find


find_table = find_in({})


def read(query: str, dialect: str = "duckdb", *, find_table: FindTable = find_table) -> dict[str, list[str]]:
    """{column: the columns that it comes from}, as `table.column`."""
    found = find_columns(query, find_table=find_table, dialect=dialect) or ()
    return {
        column: sorted(f"{table.name}.{name}" for table, name in sources)
        for column, sources in sources_by_name(found, key=Identifiers(dialect).key).items()
    }


JOINED = "main.stg_orders join main.daily_revenue using (order_date)"


CORPUS = [
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
        {},
        id="union: with a table whose columns may stand in another order",
    ),
    pytest.param(
        "select order_id as a, customer as b from main.stg_orders union by name select * from raw.source"
        " union by name select revenue as b from main.daily_revenue",
        {"id": ["source.id"], "amount": ["source.amount"]},
        id="union: by name, with a table that may have the names, too",
    ),
    pytest.param(
        "with recursive r(n, c) as (select order_id, customer from main.stg_orders"
        " union all select n + orders, c from r join main.daily_revenue on true) select n, c from r",
        {"n": ["daily_revenue.orders", "stg_orders.order_id"], "c": ["stg_orders.customer"]},
        id="a recursive common table expression",
    ),
    pytest.param(
        "with recursive r as (with x as (select order_id as a, customer as b, order_date as c from main.stg_orders)"
        " select * from x union all select b, c, a from r) select * from r",
        {name: [f"stg_orders.{source}" for source in sorted(KNOWN["stg_orders"])] for name in "abc"},
        id="a recursive common table expression whose columns change their places",
    ),
    pytest.param(
        "with recursive r as (select order_id as a, 1 as n from main.stg_orders union all"
        " select coalesce(r.a, x), n + 1 from r, raw.other, raw.nothing) select * from r",
        {},
        id="a recursive common table expression of which something is not known",
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
    pytest.param(
        "select coalesce(customer, a) as z, customer in (select a from raw.nothing, raw.other) as y,"
        " case when order_id > 1 then b end as x, order_id as w, z || customer as v, coalesce(customer, 'x') as u"
        " from main.stg_orders, raw.nothing, raw.other",
        {"w": ["stg_orders.order_id"], "u": ["stg_orders.customer"]},
        id="an expression of which something is not known",
    ),
    pytest.param(
        "select amount + 1 as a1, a1 * 2 as a2, a2 + order_id as a3, o.amount as q"
        " from raw.nothing o join raw.other c using (id)",
        {"q": ["nothing.amount"]},
        id="expressions of aliases of which something is not known",
    ),
    pytest.param(
        "select [x || customer for x in order_date if x <> order_id] as a, [y + z for y, z in customer] as b,"
        " [[x || y for x in y] for y in order_date] as c, [x for x in b] as d from main.stg_orders",
        {
            "a": ["stg_orders.customer", "stg_orders.order_date", "stg_orders.order_id"],
            "b": ["stg_orders.customer"],
            "c": ["stg_orders.order_date"],
            "d": ["stg_orders.customer"],
        },
        id="comprehensions of lists",
    ),
    pytest.param(
        "select [x || s for x in t] as a, [x.f for x in (select max(n.u) from raw.nothing n)] as b from raw.source",
        {"a": ["source.s", "source.t"], "b": ["nothing.u"]},
        id="comprehensions, of a table that is not known",
    ),
    pytest.param(
        "select customer.upper() as a, s.order_date.trim().lower() as b, main.f(order_id) as c,"
        " list_transform(customer, x -> x.upper() || order_id) as d from main.stg_orders s",
        {
            "a": ["stg_orders.customer"],
            "b": ["stg_orders.order_date"],
            "c": ["stg_orders.order_id"],
            "d": ["stg_orders.customer", "stg_orders.order_id"],
        },
        id="methods, and functions in a schema",
    ),
    pytest.param(
        "select id.upper() as a, main.f(id) as b, n.trim() as c, source.m.trim() as d from raw.source",
        {"a": ["source.id"], "d": ["source.m"]},
        id="methods, of a table that is not known",
    ),
    pytest.param(
        "select sum(order_id) over w as a, sum(order_id) over (v order by customer) as b,"
        " sum(order_id) over (partition by customer) as c, count(*) over u as d"
        " from main.stg_orders window w as (partition by customer), v as (partition by order_date), u as (v)",
        {
            "a": ["stg_orders.customer", "stg_orders.order_id"],
            "b": ["stg_orders.customer", "stg_orders.order_date", "stg_orders.order_id"],
            "c": ["stg_orders.customer", "stg_orders.order_id"],
            "d": ["stg_orders.order_date"],
        },
        id="windows with a name",
    ),
    pytest.param(
        "select rowid, s.rowid + id as a, id as b, s as c, hash(*) as d, count(*) + id as e from raw.source s",
        {"b": ["source.id"], "e": ["source.id"]},
        id="what can be read of a table beside its columns",
    ),
    pytest.param(
        "select n + order_id as a, v + order_id as b, w + order_id as c, r.range + order_id as d"
        " from main.stg_orders s, generate_series(1, 10) as g(n), (values (1, 2)) as x(v, u), range(3) r,"
        " lateral (values (s.customer)) as y(w)",
        {"a": ["stg_orders.order_id"], "b": ["stg_orders.order_id"]},
        id="columns that come from nothing",
    ),
    pytest.param(
        'select "max(id)" as a, x from (select *, max(id) from raw.nothing)',
        {"x": ["nothing.x"]},
        id="an expression without a name beside columns that are not known",
    ),
    pytest.param(
        "select a, orders, order_date from raw.nothing natural join main.daily_revenue",
        {},
        id="a natural join with a table that is not known",
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
]


@pytest.mark.parametrize(("query", "expected"), CORPUS)
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


SHAPES = """\
select customer_id, name, amount from s.o join s.c using (customer_id)
select * from s.o join s.c using (customer_id)
select c.*, o.amount from s.o left join s.c using (customer_id)
select customer_id, country from s.o right join s.c using (customer_id)
select customer_id, country from s.o full join s.c using (customer_id)
select * from s.o natural join s.c
select customer_id, status, name from s.c natural full join s.o
select amount + 1 as a1, a1 * 2 as a2, a2 + order_id as a3 from s.o join s.c using (customer_id)
select country in (select status from s.o) as b, country from s.c
select exists (select 1 from s.o where o.amount > c.customer_id) as b, name as n from s.c
select (select max(amount) from s.o where o.customer_id = c.customer_id) as top, name from s.c
select (select max(amount + payment_id) from s.p) as top from s.o
select coalesce(p.paid, amount) as z, paid from s.p, s.o, s.c
select list_filter(tags, x -> x = name) as f, list_filter(tags, lambda y: y = status) as g from s.o, s.c
select [x || status for x in tags] as t, [x for x in tags if x = name] as u from s.o, s.c
select O.AmOuNt, "MIXED case", status as STATE from s.o
select rowid, rowid + amount as r from s.o
select sum(amount) over (partition by tags) as a, sum(amount) over w as b from s.o window w as (order by status)
select status.upper() as a, o.status.lower().trim() as b from s.o
select box.a as a, o.box.b as b, struct_extract(box, 'a') as c, tags[1] as d, box['a'] as e from s.o
select {'x': amount, 'y': status} as s, struct_pack(v := amount) as t, o as rows from s.o
select order_id as k, status from s.o union all select order_id, method from s.p
select * from s.o union all by name select * from s.p
select order_id, status as x from s.o union by name select paid as x from s.p
select * from (select order_id, amount from s.o) union all select order_id, paid from s.p order by 1
select customer_id from s.o except select customer_id from s.c
select customer_id from s.o intersect select customer_id from s.c
with recursive r(n, m) as (select order_id, amount from s.o union all select m, n + paid from r, s.p) from r
with a as (select *, amount * 2 as x from s.o), b as (select a.*, name from a, s.c) select x, name, tags as t from b
with a as (select o.*, c.name from s.o, s.c) select * exclude (tags, box) from a
select * replace (amount + 1 as amount) from s.o
select * rename (amount as total) from s.o
select columns('a.*'), order_id as k from s.o
select status, count(*) as n, max(amount) as top, count(distinct customer_id) as cs from s.o group by all
select first(amount order by order_id) filter (where status = 'x') as f from s.o
select case when amount > 1 then name else method end as k from s.o, s.c, s.p
select u as tag, order_id from s.o, unnest(tags) as t(u)
select unnest(tags) as tag, order_id from s.o
select l.z, name from s.c, lateral (select max(amount + c.customer_id) as z from s.o) l
select n + amount as x, amount as y from s.o, generate_series(1, 3) as g(n)
select v + amount as x from s.o, (values (1), (2)) as g(v)
select r.range + amount as x, amount as y from s.o, range(3) r
select a.amount - b.amount as d, a.order_id from s.o a join s.o b on a.order_id = b.order_id + 1
select x.order_id, x.m from (select order_id, paid as m from s.p) x semi join s.o using (order_id)
select order_id, paid, status from s.o asof join s.p using (order_id)
select order_id, amount from s.o positional join s.c
select "max(amount)" as m, amount from (select max(amount) from s.o), s.o
select k, amount_1 from (select order_id as k, amount, amount from s.o)
from s.o select order_id, amount::text || 'x' as t, try_cast(status as int) as i, current_date as d
select name, name as n, upper(n) as u from s.c qualify row_number() over (order by since) = 1
pivot s.p on method using sum(paid) group by order_id
select * from (unpivot s.p on paid, payment_id into name k value v)
select date_trunc('month', since) as m, year(since) as y, date_diff('day', since, current_date) as a from s.c
select nullif(status, '') as s, amount between 1 and 2 as b, status like 'a%' as l, -amount as g from s.o
select (select name from s.c where c.customer_id = o.customer_id) || status as t from s.o
select [name || z for z in tags] as t from s.c, s.o where amount > (select min(paid) from s.p)
""".splitlines()
VALID = [
    pytest.param(case.values[0], id=case.id) for case in CORPUS if case.id != "no such column, and two of one name"
]


@pytest.mark.parametrize("query", [*VALID, *SHAPES])
def test_less_is_told_and_nothing_else_where_less_is_known(query: str) -> None:
    whole = in_lower_case(read(query))

    for told in partial_readings(query):
        assert told.items() <= whole.items()


def partial_readings(query: str) -> Iterator[dict[str, list[str]]]:
    """What is told of *query* where of each of its tables all or less is known."""
    tables = sorted(set(re.findall(r"\b(?:main|raw|s)\.\w+\b", query)))
    for levels in itertools.product(LEVELS, repeat=len(tables)):
        yield in_lower_case(read(query, find_table=find_in(dict(zip(tables, levels, strict=True)))))


def in_lower_case(told: Mapping[str, list[str]]) -> dict[str, list[str]]:
    """Of names that are not known, the case is that of the statement."""
    return {name.lower(): sorted(source.lower() for source in sources) for name, sources in told.items()}


@pytest.fixture(scope="module")
def warehouse() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as connection:
        connection.execute("create schema s")
        for table, columns in SHOP.items():
            described = ", ".join(f'"{name}" {kind}' for name, kind in columns.items())
            connection.execute(f"create table s.{table} ({described})")
        yield connection


@pytest.mark.parametrize("query", SHAPES)
def test_the_columns_that_are_told_are_those_that_the_database_makes(
    query: str, warehouse: duckdb.DuckDBPyConnection
) -> None:
    made = [column[0] for column in warehouse.sql(query).description]

    found = find_columns(query, find_table=find_table, dialect="duckdb") or ()

    assert read(query).keys() <= set(made)
    assert all_names(found) in (None, tuple(made))


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
