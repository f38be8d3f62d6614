import json
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest

from floe_core.schemas.orchestration_config import DbtConfig
from floe_dagster.dbt.index import DbtCheck, DbtDep, DbtIndex, DbtNode, DbtSource, RelationNames
from floe_dagster.dbt.specs import RefineSpec, SpecFields
from floe_dagster.loaders.dbt_loader import LoadedDbt, load_dbt_assets

NAMES = RelationNames("lake", "main", "duckdb")
ORDERS = DbtSource(
    unique_id="source.shop.bronze.orders",
    key=("bronze", "orders"),
    path="models/sources.yml",
    database="{database}",
    schema="bronze",
    alias="orders",
)
OWN_KEY = DbtSource(
    unique_id="source.shop.bronze.users",
    key=("people", "users"),
    path="models/sources.yml",
    schema="bronze",
    alias="users",
    has_own_key=True,
)


def build_node(name: str, *deps: DbtDep, schema: str | None = None, group: str | None = None) -> DbtNode:
    return DbtNode(
        unique_id=f"model.shop.{name}",
        key=(schema, name) if schema else (name,),
        path=f"models/{name}.sql",
        database="{database}",
        schema=f"{{schema}}_{schema}" if schema else "{schema}",
        alias=name,
        group=group,
        kinds=("dbt", "{adapter}"),
        resource_type="model",
        fqn=f"shop.{name}",
        materialized="view",
        custom_schema=schema,
        deps=deps,
    )


READS_ORDERS = build_node("stg_orders", DbtDep(ORDERS.key, ORDERS.unique_id), schema="silver")
READS_USERS = build_node("stg_users", DbtDep(OWN_KEY.key, OWN_KEY.unique_id))


def build_index(*nodes: DbtNode, checks: tuple[DbtCheck, ...] = ()) -> DbtIndex:
    details = {
        relation.unique_id: {"description": f"About {relation.alias}."} for relation in (*nodes, ORDERS, OWN_KEY)
    }
    used = {dep.source for node in nodes for dep in node.deps}
    return DbtIndex(
        settings_digest="",
        project_dir="dbt",
        manifest_path=".floe/dbt/dev/manifest.json",
        target="dev",
        project_name="shop",
        nodes=nodes,
        sources=tuple(source for source in (ORDERS, OWN_KEY) if source.unique_id in used),
        checks=checks,
        details=json.dumps(details),
    )


def load(
    index: DbtIndex,
    *python_assets: dg.AssetsDefinition | dg.AssetSpec,
    with_details: bool = True,
    refine: RefineSpec | None = None,
    dbt: DbtConfig | None = None,
) -> LoadedDbt:
    return load_dbt_assets(
        dbt or DbtConfig(),
        index,
        project_dir=Path("/srv/shop"),
        names=NAMES,
        python_assets=python_assets,
        with_details=with_details,
        refine=refine,
    )


def spec_of(loaded: LoadedDbt, *key: str) -> dg.AssetSpec:
    return next(spec for assets in loaded.assets for spec in assets.specs if spec.key == dg.AssetKey(list(key)))


def write(table: str, key: str = "writer") -> dg.AssetSpec:
    return dg.AssetSpec(key, metadata={"floe/outputs": [table]})


@pytest.mark.parametrize(
    ("table", "joined"),
    [
        ("bronze.orders", True),
        ("Bronze.ORDERS", True),
        ('"bronze"."orders"', True),
        ("orders", False),
        ("bronze.orders_old", False),
        ("main.orders", False),
    ],
)
def test_a_source_is_joined_by_schema_and_table(table: str, joined: bool) -> None:
    loaded = load(build_index(READS_ORDERS), write(table))

    [dep] = spec_of(loaded, "silver", "stg_orders").deps
    assert dep.asset_key == dg.AssetKey("writer" if joined else ["bronze", "orders"])
    assert loaded.source_keys == ({ORDERS.unique_id: dg.AssetKey("writer")} if joined else {})
    assert [spec.key for spec in loaded.external_assets] == ([] if joined else [dg.AssetKey(["bronze", "orders"])])


def test_a_source_with_a_key_of_its_own_is_that_asset_whoever_writes_the_table() -> None:
    loaded = load(build_index(READS_USERS), write("bronze.users"))

    [dep] = spec_of(loaded, "stg_users").deps
    assert dep.asset_key == dg.AssetKey(["people", "users"])
    assert [spec.key for spec in loaded.external_assets] == [dg.AssetKey(["people", "users"])]
    assert "bronze.users" not in loaded.tables


def test_a_source_whose_key_is_defined_elsewhere_is_no_external_asset() -> None:
    loaded = load(build_index(READS_ORDERS), dg.AssetSpec(["bronze", "orders"]))

    assert loaded.external_assets == ()
    assert loaded.tables["bronze.orders"] == dg.AssetKey(["bronze", "orders"])


def test_two_sources_written_by_one_asset_are_one_dependency() -> None:
    reader = build_node("both", DbtDep(ORDERS.key, ORDERS.unique_id), DbtDep(OWN_KEY.key, OWN_KEY.unique_id))
    writer = dg.AssetSpec(["people", "users"], metadata={"floe/outputs": ["bronze.orders", "bronze.users"]})

    loaded = load(build_index(reader), writer)

    assert [dep.asset_key for dep in spec_of(loaded, "both").deps] == [dg.AssetKey(["people", "users"])]


def test_names_of_the_profile_are_those_of_the_environment() -> None:
    loaded = load_dbt_assets(
        DbtConfig(),
        build_index(READS_ORDERS),
        project_dir=Path("/srv/shop"),
        names=RelationNames("warehouse", "prod", "snowflake"),
    )
    spec = spec_of(loaded, "silver", "stg_orders")

    assert spec.metadata["dagster/table_name"] == "warehouse.prod_silver.stg_orders"
    assert spec.kinds == {"dbt", "snowflake"}
    assert set(loaded.tables) == {"bronze.orders", "prod_silver.stg_orders", "silver.stg_orders"}


def test_code_references_point_into_the_dbt_project() -> None:
    spec = spec_of(load(build_index(READS_ORDERS)), "silver", "stg_orders")
    [reference] = spec.metadata["dagster/code_references"].code_references

    assert reference.file_path == "/srv/shop/dbt/models/stg_orders.sql"


def test_without_details_specs_keep_what_runs_need() -> None:
    with_details = spec_of(load(build_index(READS_ORDERS)), "silver", "stg_orders")
    without = spec_of(load(build_index(READS_ORDERS), with_details=False), "silver", "stg_orders")

    assert without.description is None
    assert set(with_details.metadata) - set(without.metadata) == {"dagster/table_name", "dagster/code_references"}
    assert (without.key, without.group_name, without.tags, [dep.asset_key for dep in without.deps]) == (
        with_details.key,
        with_details.group_name,
        with_details.tags,
        [dep.asset_key for dep in with_details.deps],
    )


def test_checks_name_other_assets_by_the_keys_they_were_joined_to() -> None:
    check = DbtCheck(
        unique_id="test.shop.complete",
        name="complete",
        key=("silver", "stg_orders"),
        additional_deps=(DbtDep(ORDERS.key, ORDERS.unique_id),),
    )

    loaded = load(build_index(READS_ORDERS, checks=(check,)), write("bronze.orders"))

    [assets] = loaded.assets
    [spec] = assets.check_specs
    assert [dep.asset_key for dep in spec.additional_deps] == [dg.AssetKey("writer")]
    assert spec.metadata == {"dagster_dbt/unique_id": "test.shop.complete"}


# ---- splitting by partitions

DAILY = dg.DailyPartitionsDefinition("2024-01-01")
CHECKS = tuple(
    DbtCheck(unique_id=f"test.shop.unique_{name}", name=f"unique_{name}", key=(name,)) for name in ("a", "b", "c")
)


def test_models_with_different_partitions_become_definitions_of_their_own() -> None:
    def refine(key: tuple[str, ...], fields: SpecFields) -> SpecFields:
        return {**fields, "partitions_def": DAILY} if key in {("a",), ("c",)} else fields

    index = build_index(
        build_node("a"), build_node("b", DbtDep(("a",))), build_node("c", DbtDep(("b",))), checks=CHECKS
    )
    loaded = load(index, refine=refine)

    daily, rest = loaded.assets
    assert {key.to_user_string() for key in daily.keys} == {"a", "c"}
    assert {key.to_user_string() for key in rest.keys} == {"b"}
    assert {check.name for check in daily.check_specs} == {"unique_a", "unique_c"}
    assert {check.name for check in rest.check_specs} == {"unique_b"}
    assert daily.op.tags["dagster_dbt/select"] == "shop.a shop.c"
    assert daily.backfill_policy is None
    assert daily.op.name != rest.op.name


def test_parts_of_a_project_select_exactly_theirs_whatever_selected_the_whole() -> None:
    index = build_index(build_node("a"), build_node("b"))

    def refine(key: tuple[str, ...], fields: SpecFields) -> SpecFields:
        return {**fields, "partitions_def": DAILY} if key == ("a",) else fields

    selected = DbtConfig(selector="nightly"), DbtConfig(select=["+a", "b"], exclude=["tag:slow"])
    tags = [
        {name.partition("/")[2]: value for name, value in asset.op.tags.items() if name.startswith("dagster_dbt/")}
        for dbt in selected
        for asset in load(index, dbt=dbt, refine=refine).assets
    ]

    assert tags == [
        {"select": "shop.a"},
        {"select": "shop.b"},
        {"select": "shop.a", "exclude": "tag:slow"},
        {"select": "shop.b", "exclude": "tag:slow"},
    ]


def test_fields_are_refined_before_a_spec_is_built() -> None:
    def refine(key: tuple[str, ...], fields: SpecFields) -> SpecFields:
        return {**fields, "group_name": "patterned", "owners": ["team:data"]}

    spec = spec_of(load(build_index(READS_ORDERS), refine=refine), "silver", "stg_orders")

    assert (spec.group_name, spec.owners) == ("patterned", ["team:data"])


# ---- running


class FakeEvents(Iterator[object]):
    def __init__(self, fetched: list[str]) -> None:
        self._fetched = fetched
        self._left: Iterator[dg.MaterializeResult[None]] = iter(
            [dg.MaterializeResult(asset_key=dg.AssetKey(["silver", "stg_orders"]))]
        )

    def __next__(self) -> object:
        return next(self._left)

    def fetch_row_counts(self) -> "FakeEvents":
        self._fetched.append("row_counts")
        return self

    def fetch_column_metadata(self) -> "FakeEvents":
        self._fetched.append("column_metadata")
        return self

    def stream(self) -> "FakeEvents":
        return self


class FakeDbt(dg.ConfigurableResource[object]):
    """Stands for the resource: notes what it is asked."""

    def create_resource(self, context: dg.InitResourceContext) -> object:
        return self

    def cli(self, args: list[str], *, context: dg.AssetExecutionContext) -> FakeEvents:
        called.append(" ".join(args))
        return FakeEvents(called)


called: list[str] = []


@pytest.mark.parametrize(
    ("fetch", "expected"),
    [
        ((), ["build"]),
        (("row_counts",), ["build", "row_counts"]),
        (("row_counts", "column_metadata"), ["build", "row_counts", "column_metadata"]),
    ],
)
def test_assets_build_themselves_and_fetch_what_floe_yaml_says(fetch: tuple[str, ...], expected: list[str]) -> None:
    called.clear()
    loaded = load_dbt_assets(
        DbtConfig(fetch=fetch), build_index(READS_ORDERS), project_dir=Path("/srv/shop"), names=NAMES
    )

    result = dg.materialize([*loaded.assets], resources={"dbt": FakeDbt()})

    assert result.success
    assert called == expected


def test_an_index_of_a_generated_profile_takes_its_names() -> None:
    with pytest.raises(ValueError, match="names of that profile"):
        load_dbt_assets(DbtConfig(), build_index(READS_ORDERS), project_dir=Path("/srv/shop"))
