"""The columns of dbt's tables in lineage events: all of them or none, and where they come from."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from floe_dagster.observability.records import AssetEnded, NodeEnded, Outcome, Record
from lineage_events import check_events
from lineage_records import ORDERS, STEP, at, dbt_call, make_events, manifest, node

RAW = ORDERS
STAGED = node("model.shop.staged", RAW["unique_id"])
SEED = node("seed.shop.countries", original_file_path="seeds/countries.csv", config={"materialized": "seed"})
TABLE = '"shop"."main_silver"'


class Shop:
    """Nodes with their statements, and what is told of them when they have been built."""

    def __init__(self, target: Path) -> None:
        self.target = target
        self.nodes: dict[str, dict[str, Any]] = {}

    def add(self, given: dict[str, Any], sql: str | None = None) -> None:
        self.nodes[given["unique_id"]] = given
        if sql is not None:
            file = self.target / "compiled" / "shop" / given["original_file_path"]
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(sql)

    def build(
        self, given: Mapping[str, Any], outcome: Outcome = Outcome.SUCCEEDED, before: tuple[Record, ...] = ()
    ) -> dict[str, Any]:
        """The facets of what was built."""
        call = dbt_call(self.target, manifest=manifest(*self.nodes.values()))
        events = make_events([*before, NodeEnded(call, given["unique_id"], at(1), at(2), outcome, "success")])
        check_events(events)
        (output,) = events[-1]["outputs"]
        facets: dict[str, Any] = output["facets"]
        return facets


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    found = Shop(tmp_path)
    found.add(RAW)
    found.add(STAGED, 'select id, amount * 2 as amount, "at" from "shop"."raw"."orders"')
    return found


def names(facets: Mapping[str, Any]) -> list[str] | None:
    return [field["name"] for field in facets["schema"]["fields"]] if "schema" in facets else None


def sources(facets: Mapping[str, Any]) -> dict[str, list[str]]:
    fields = facets.get("columnLineage", {"fields": {}})["fields"]
    return {
        name: [f"{item['name'].rpartition('.')[2]}.{item['field']}" for item in field["inputFields"]]
        for name, field in fields.items()
    }


def test_the_columns_of_parents_are_those_of_their_statements(shop: Shop) -> None:
    star = node("model.shop.star", STAGED["unique_id"])
    joined = node("model.shop.joined", star["unique_id"], SEED["unique_id"])
    shop.add(star, f"select *, 1 as one from {TABLE}.staged")
    shop.add({**SEED, "root_path": str(shop.target)})
    (shop.target / "seeds").mkdir()
    (shop.target / "seeds" / "countries.csv").write_text("id,country\n1,IT\n")
    shop.add(joined, f"select one, amount, country from {TABLE}.star s join {TABLE}.countries c using (id)")

    found = shop.build(joined)

    assert sources(found) == {"one": ["star.one"], "amount": ["star.amount"], "country": ["countries.country"]}
    assert names(found) == ["one", "amount", "country"]
    assert names(shop.build(star)) == ["id", "amount", "at", "one"]
    assert sources(shop.build(star)) == {"id": ["staged.id"], "amount": ["staged.amount"], "at": ["staged.at"]}
    assert names(shop.build(SEED)) == ["id", "country"]


def test_yaml_gives_types_and_descriptions_to_the_columns_that_there_are(shop: Shop) -> None:
    columns = {"ID": {"name": "ID", "data_type": "bigint", "description": "Its number."}, "no": {"name": "no"}}
    shop.nodes[STAGED["unique_id"]] = {**STAGED, "columns": columns}

    assert shop.build(STAGED)["schema"]["fields"] == [
        {"name": "id", "type": "bigint", "description": "Its number."}, {"name": "amount"}, {"name": "at"},
    ]  # fmt: skip


@pytest.mark.parametrize("outcome", [Outcome.FAILED, Outcome.CANCELLED, Outcome.SKIPPED])
def test_what_was_not_built_has_no_columns(shop: Shop, outcome: Outcome) -> None:
    assert not {"schema", "columnLineage"} & shop.build(STAGED, outcome).keys()


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        pytest.param({"materialized": "view"}, ["id", "amount", "at"], id="a view"),
        pytest.param({"materialized": "incremental"}, None, id="a table that may have kept its columns"),
        pytest.param(
            {"materialized": "incremental", "on_schema_change": "sync_all_columns"},
            ["id", "amount", "at"],
            id="a table that is kept in step",
        ),
        pytest.param({"materialized": "table", "contract": {"enforced": True}}, ["a", "b"], id="a contract"),
    ],
)
def test_a_table_is_told_with_all_its_columns_or_none(
    shop: Shop, config: dict[str, Any], expected: list[str] | None
) -> None:
    declared = {name: {"name": name} for name in ("a", "b")}
    shop.nodes[STAGED["unique_id"]] = {**STAGED, "config": config, "columns": declared}

    found = shop.build(STAGED)

    assert names(found) == expected
    assert sources(found) == {"id": ["orders.id"], "amount": ["orders.amount"], "at": ["orders.at"]}


@pytest.mark.parametrize(
    ("declared", "expected"),
    [(["id", "amount", "at"], ["id", "amount", "at"]), (["at", "id", "amount"], None)],
    ids=["as in the statement", "in another order"],
)
def test_a_contract_tells_the_order_of_columns_where_the_statement_has_the_same(
    shop: Shop, declared: list[str], expected: list[str] | None
) -> None:
    config = {"materialized": "table", "contract": {"enforced": True}}
    shop.nodes[STAGED["unique_id"]] = {
        **STAGED,
        "config": config,
        "columns": {name: {"name": name} for name in declared},
    }
    star = node("model.shop.star", STAGED["unique_id"])
    shop.add(star, f"select * from {TABLE}.staged")

    assert names(shop.build(star)) == expected
    assert names(shop.build(STAGED)) == declared


def test_star_of_a_source_has_what_yaml_declares_and_the_asset_wrote(shop: Shop) -> None:
    star = node("snapshot.shop.star", RAW["unique_id"], config={"materialized": "snapshot"})
    shop.nodes[RAW["unique_id"]] = {**RAW, "columns": {"id": {"name": "id"}}}
    shop.add(star, 'select * from "shop"."raw"."orders"')
    columns = [("id", "long"), ("paid", "double")]
    written = AssetEnded(STEP, ("bronze_orders",), at(0), at(1), Outcome.SUCCEEDED, columns=columns)

    assert sources(shop.build(star)) == {"id": ["orders.id"]}
    found = shop.build(star, before=(written,))

    assert sources(found) == {"id": ["orders.id"], "paid": ["orders.paid"]}
    assert names(found) is None  # there may be more


def test_a_model_that_was_not_compiled_has_the_columns_that_are_named(shop: Shop) -> None:
    away = node("model.shop.away", columns={"id": {"name": "id"}})
    reader = node("model.shop.reader", away["unique_id"], STAGED["unique_id"])
    shop.add(away)
    shop.add(reader, f"select a.id, a.x, y, amount from {TABLE}.away a join {TABLE}.staged s on s.id = a.id")

    found = shop.build(reader)

    assert sources(found) == {"id": ["away.id"], "x": ["away.x"], "amount": ["staged.amount"]}


def test_a_short_name_of_two_tables_is_neither(shop: Shop) -> None:
    archived = node("model.shop.archived", database="archive", alias="staged")
    reader = node("model.shop.reader", STAGED["unique_id"], archived["unique_id"])
    shop.add(archived, "select 1 as id")

    shop.add(reader, "select id from main_silver.staged")
    assert sources(shop.build(reader)) == {}
    shop.add(reader, "select id from archive.main_silver.staged")
    assert sources(shop.build(reader)) == {"id": ["staged.id"]}


@pytest.mark.parametrize("header", ["", "id,id\n", "id,\n", "id"], ids=["empty", "twice", "unnamed", "cut"])
def test_a_header_that_is_none_tells_no_columns(shop: Shop, header: str) -> None:
    shop.add({**SEED, "root_path": str(shop.target)})
    (shop.target / "seeds").mkdir()
    (shop.target / "seeds" / "countries.csv").write_text(header)

    assert names(shop.build(SEED)) is None
