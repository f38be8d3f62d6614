"""The columns of dbt's tables in lineage events: all of them or none, and where they come from."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from floe_dagster.observability.assets import KnownAsset, KnownAssets
from floe_dagster.observability.records import AssetEnded, NodeEnded, Outcome, Record
from lineage_events import check_events
from lineage_records import ASSETS, ORDERS, STEP, at, dbt_call, make_events, manifest, node

RAW = ORDERS
STAGED = node("model.shop.staged", RAW["unique_id"])
SEED = node("seed.shop.countries", original_file_path="seeds/countries.csv", config={"materialized": "seed"})
TABLE = '"shop"."main_silver"'


class Shop:
    """Nodes with their statements, and what is told of them when they have been built."""

    def __init__(self, target: Path) -> None:
        self.target = target
        self.columns_folder: Path | None = None
        self.nodes: dict[str, dict[str, Any]] = {}

    def add(self, given: dict[str, Any], sql: str | None = None) -> None:
        self.nodes[given["unique_id"]] = given
        if sql is not None:
            file = self.target / "compiled" / "shop" / given["original_file_path"]
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(sql)

    def build(
        self,
        given: Mapping[str, Any],
        outcome: Outcome = Outcome.SUCCEEDED,
        before: tuple[Record, ...] = (),
        assets: KnownAssets = ASSETS,
    ) -> dict[str, Any]:
        """The facets of what was built."""
        call = dbt_call(self.target, manifest=manifest(*self.nodes.values()))
        ended = NodeEnded(call, given["unique_id"], at(1), at(2), outcome, "success")
        events = make_events([*before, ended], assets=assets, columns_folder=self.columns_folder)
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
    star = node("model.shop.star", RAW["unique_id"])
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


STAR = node("model.shop.star", STAGED["unique_id"], checksum={"checksum": "1"})
READER = node("model.shop.reader", STAR["unique_id"], STAGED["unique_id"])


def another_call(shop: Shop, folder: Path) -> Shop:
    """One that has compiled nothing yet."""
    found = Shop(folder)
    found.nodes, found.columns_folder = dict(shop.nodes), shop.columns_folder
    return found


@pytest.fixture
def told(shop: Shop, tmp_path: Path) -> Shop:
    """Of which all tables have been built in one call, with what was told of them."""
    shop.columns_folder = tmp_path / "columns"
    shop.add(STAR, f'select "at" as "Sold At", * exclude ("at") from {TABLE}.staged')
    shop.build(STAGED)
    shop.build(STAR)
    return shop


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        pytest.param(
            'select "sold at", AMOUNT + 1 as a1, a1 * 2 as a2 from {}.star',
            {"Sold At": ["star.Sold At"], "a1": ["star.amount"], "a2": ["star.amount"]},
            id="names in their own case",
        ),
        pytest.param(
            "select * from {0}.star join {0}.staged using (id, amount)",
            {
                "Sold At": ["star.Sold At"],
                "id": ["star.id"],
                "amount": ["star.amount"],
                "at": ["staged.at"],
            },
            id="star of a join",
        ),
        pytest.param('select "at" from {0}.star join {0}.staged using (id)', {"at": ["staged.at"]}, id="a bare name"),
    ],
)
def test_a_call_that_only_reads_a_table_knows_what_was_told_of_it(
    told: Shop, tmp_path: Path, query: str, expected: dict[str, list[str]]
) -> None:
    later = another_call(told, tmp_path / "later")
    for shop in (told, later):
        shop.add(READER, query.format(TABLE))

    found = later.build(READER)

    assert sources(found) == expected
    assert found == told.build(READER)
    assert names(found) is not None


def test_a_call_that_only_reads_tells_nothing_of_what_was_changed_since(told: Shop, tmp_path: Path) -> None:
    later = another_call(told, tmp_path / "later")
    later.add({**STAR, "checksum": {"checksum": "2"}})
    later.add(READER, f"select * from {TABLE}.star")

    assert "columnLineage" not in later.build(READER)
    assert "schema" not in later.build(READER)


@pytest.mark.parametrize("content", ["", "{}", "[]", '{"table": 1}', "\xff"])
def test_columns_that_cannot_be_read_again_are_not_known(told: Shop, tmp_path: Path, content: str) -> None:
    later = another_call(told, tmp_path / "later")
    later.add(READER, f"select * from {TABLE}.star")
    for file in (tmp_path / "columns").iterdir():
        file.write_text(content, encoding="latin-1")

    assert "columnLineage" not in later.build(READER)


def test_columns_that_cannot_be_kept_cost_nothing_else(told: Shop, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    told.columns_folder = tmp_path / "file" / "columns"

    assert sources(told.build(STAR))["Sold At"] == ["staged.at"]


def test_what_an_asset_wrote_in_an_earlier_run_is_known(shop: Shop, tmp_path: Path) -> None:
    shop.columns_folder = tmp_path / "columns"
    star = node("model.shop.all_orders", RAW["unique_id"])
    shop.add(star, 'select * from "shop"."raw"."orders"')
    columns = [("id", "long"), ("Paid", "double")]
    shop.build(STAGED, before=(AssetEnded(STEP, ("bronze_orders",), at(0), at(1), Outcome.SUCCEEDED, columns=columns),))

    assert sources(another_call(shop, shop.target).build(star)) == {"id": ["orders.id"], "Paid": ["orders.Paid"]}


ASSET_ENDED = AssetEnded(STEP, ("bronze_orders",), at(0), at(1), Outcome.SUCCEEDED)


@pytest.mark.parametrize(
    ("later", "expected"),
    [
        pytest.param(replace(ASSET_ENDED, rows=1), {}, id="written without columns"),
        pytest.param(replace(ASSET_ENDED, columns=[("c", "long")]), {"c": ["orders.c"]}, id="written with others"),
        pytest.param(replace(ASSET_ENDED, outcome=Outcome.SKIPPED), {"a": ["orders.a"]}, id="left out"),
        pytest.param(replace(ASSET_ENDED, outcome=Outcome.FAILED), {"a": ["orders.a"]}, id="failed"),
    ],
)
@pytest.mark.parametrize("is_kept", [True, False])
def test_what_was_told_of_a_table_counts_until_it_is_written_again(
    later: AssetEnded, expected: dict[str, list[str]], shop: Shop, tmp_path: Path, *, is_kept: bool
) -> None:
    shop.columns_folder = tmp_path / "columns" if is_kept else None
    star = node("model.shop.all_orders", RAW["unique_id"])
    shop.add(star, 'select * from "shop"."raw"."orders"')
    first = replace(ASSET_ENDED, columns=[("a", "long")])

    if is_kept:
        shop.build(STAGED, before=(first,))
        shop.build(STAGED, before=(later,))
    before = () if is_kept else (first, replace(later, scope=replace(STEP, attempt=1)))

    assert sources(shop.build(star, before=before)) == expected


def test_what_an_asset_with_several_tables_tells_is_true_of_none_of_them(shop: Shop, tmp_path: Path) -> None:
    shop.columns_folder = tmp_path / "columns"
    star = node("model.shop.all_orders", RAW["unique_id"])
    shop.add(star, 'select * from "shop"."raw"."orders"')
    of_one = replace(ASSET_ENDED, columns=[("a", "long")])
    assert sources(shop.build(star, before=(of_one,))) == {"a": ["orders.a"]}
    two: KnownAssets = {("bronze_orders",): KnownAsset(("bronze_orders",), outputs=["bronze.orders", "bronze.returns"])}

    facets = shop.build(star, before=(replace(of_one, columns=[("a", "long"), ("b", "long")]),), assets=two)

    assert sources(facets) == {}


SNAPSHOT = node(
    "snapshot.shop.history",
    STAGED["unique_id"],
    config={"materialized": "snapshot", "snapshot_meta_column_names": {"dbt_valid_to": None}},
    raw_code="{{ config(unique_key='id', meta={'a': 1}) }}\n{# all #}select * from {{ ref('shop', 'staged') }}",
)


def test_snapshots_have_the_columns_of_the_statement_in_their_file(shop: Shop, tmp_path: Path) -> None:
    shop.columns_folder = tmp_path / "columns"
    shop.nodes[STAGED["unique_id"]] = {**STAGED, "relation_name": f"{TABLE}.staged"}
    reader = node("model.shop.reader", SNAPSHOT["unique_id"], STAGED["unique_id"])
    shop.add(SNAPSHOT)
    shop.add(reader, f"select dbt_valid_to, amount from {TABLE}.history join {TABLE}.staged using (id, amount)")

    shop.build(STAGED)
    found = shop.build(SNAPSHOT)

    assert sources(found) == {name: [f"staged.{name}"] for name in ("id", "amount", "at")}
    assert names(found) is None  # it may have kept others
    assert sources(shop.build(reader)) == {"dbt_valid_to": ["history.dbt_valid_to"], "amount": ["history.amount"]}
    assert sources(another_call(shop, tmp_path / "later").build(SNAPSHOT)) == sources(found)


@pytest.mark.parametrize(
    "raw_code",
    [
        "select * from {{ ref('staged', v=1) }}",
        "select * from {{ ref('another') }}",
        "select * from {{ source('shop', 'staged') }}",
        "{% if true %}select * from {{ ref('staged') }}{% endif %}",
        "select {{ columns() }} from {{ ref('staged') }}",
        "{{ config() }}",
        None,
    ],
)
def test_a_snapshot_whose_statement_dbt_alone_knows_has_no_columns(shop: Shop, raw_code: str | None) -> None:
    shop.nodes[STAGED["unique_id"]] = {**STAGED, "relation_name": f"{TABLE}.staged"}
    shop.add({**SNAPSHOT, "raw_code": raw_code})

    assert "columnLineage" not in shop.build(SNAPSHOT)


@pytest.mark.parametrize("header", ["", "id,id\n", "id,\n", "id"], ids=["empty", "twice", "unnamed", "cut"])
def test_a_header_that_is_none_tells_no_columns(shop: Shop, header: str) -> None:
    shop.add({**SEED, "root_path": str(shop.target)})
    (shop.target / "seeds").mkdir()
    (shop.target / "seeds" / "countries.csv").write_text(header)

    assert names(shop.build(SEED)) is None
