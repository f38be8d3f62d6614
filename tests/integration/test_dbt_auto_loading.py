"""dbt models as assets of their own: what loads, that it equals dagster-dbt's, and that it runs."""

import json
import shutil
import subprocess
import sys
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import dagster as dg
import duckdb
import pytest
from dagster._core.definitions.metadata import normalize_metadata
from dagster._utils.warnings import disable_dagster_warnings
from dagster_dbt import DbtCliResource

from dbt_shop import NAMES, DbtShop
from floe_dagster.dbt.deferred import read_manifest
from floe_dagster.dbt.index import DbtIndex
from floe_dagster.loaders.dbt_loader import LoadedDbt
from floe_dagster.resources.dbt import DbtResource

PLAIN_FIELDS = (
    "description",
    "skippable",
    "group_name",
    "code_version",
    "automation_condition",
    "tags",
    "kinds",
    "partitions_def",
    "freshness_policy",
    "is_virtual",
)

pytestmark = pytest.mark.usefixtures("forked_dbt")


@pytest.fixture(scope="module")
def loaded(dbt_shop: DbtShop) -> LoadedDbt:
    return dbt_shop.load(dbt_shop.compile().index)


@pytest.fixture(scope="module")
def plain(dbt_shop: DbtShop) -> dg.AssetsDefinition:
    """The same project by dagster-dbt's own decorator."""
    from dagster_dbt import DbtProject, dbt_assets

    from floe_dagster.dbt.translator import build_translator, find_clashing_sources

    manifest = read_manifest(dbt_shop.path / dbt_shop.compile().index.manifest_path)
    clashes = find_clashing_sources(manifest, build_translator(source_keys={}, refers_to_code=False))
    with disable_dagster_warnings():

        @dbt_assets(
            manifest=dict(manifest),
            dagster_dbt_translator=build_translator(source_keys=clashes, refers_to_code=True),
            project=DbtProject(dbt_shop.dbt_dir),
        )
        def shop(context: dg.AssetExecutionContext):  # type: ignore[no-untyped-def]  # Dagster reads the annotation
            ...

    return shop


@pytest.mark.requirement("010-FR-006")
def test_every_model_seed_and_snapshot_is_an_asset_of_its_own(loaded: LoadedDbt) -> None:
    [assets] = loaded.assets

    assert sorted(key.to_user_string() for key in assets.keys) == [
        "gold/customer_revenue",
        "gold/orders_so_far",
        "history/orders_history",
        "labels",
        "loose",
        "reference/countries",
        "silver/from_clashing_source",
        "silver/shipped",
        "silver/stg_customers",
        "silver/stg_orders",
    ]


def test_disabled_and_ephemeral_models_are_no_assets_and_dependencies_run_through_them(loaded: LoadedDbt) -> None:
    [assets] = loaded.assets
    deps = {
        dep.asset_key.to_user_string() for dep in assets.get_asset_spec(dg.AssetKey(["gold", "customer_revenue"])).deps
    }

    assert deps == {"silver/stg_orders", "silver/stg_customers", "reference/countries"}


def test_groups_come_from_dagsters_meta_then_dbts_group_then_the_schema_as_written_then_the_first_folder(
    loaded: LoadedDbt,
) -> None:
    [assets] = loaded.assets
    groups = {spec.key.to_user_string(): spec.group_name for spec in assets.specs}

    assert groups["gold/orders_so_far"] == "reports"
    assert groups["gold/customer_revenue"] == "finance"
    assert groups["silver/stg_orders"] == "silver"
    assert groups["reference/countries"] == "reference"
    assert groups["labels"] == "plain"
    assert groups["loose"] == "default"


def test_a_source_that_has_the_key_of_a_model_gets_another(loaded: LoadedDbt) -> None:
    [assets] = loaded.assets
    [dep] = assets.get_asset_spec(dg.AssetKey(["silver", "from_clashing_source"])).deps

    assert dep.asset_key == dg.AssetKey(["source", "silver", "stg_orders"])


def test_dbts_settings_for_dagster_are_honoured(loaded: LoadedDbt) -> None:
    [assets] = loaded.assets
    spec = assets.get_asset_spec(dg.AssetKey(["gold", "orders_so_far"]))

    assert spec.owners == ["team:bi"]
    assert spec.automation_condition is not None
    assert {tag for tag in spec.tags if "/" not in tag} == {"nightly"}


def test_loading_imports_neither_dbt_nor_dagster_dbt(dbt_shop: DbtShop) -> None:
    index_file = dbt_shop.path / "index.json"
    index_file.write_text(json.dumps(dbt_shop.compile().index.to_json()))
    script = f"""
        import json, sys
        from pathlib import Path
        import dagster as dg
        from floe_core.schemas.orchestration_config import DbtConfig
        from floe_dagster.dbt.connection import DbtProfile
        from floe_dagster.dbt.index import DbtIndex, RelationNames
        from floe_dagster.loaders.dbt_loader import load_dbt_assets
        from floe_dagster.resources.dbt import build_dbt_resource

        folder = Path({str(dbt_shop.path)!r})
        index = DbtIndex.from_json(json.loads(Path({str(index_file)!r}).read_bytes()))
        names = RelationNames{(NAMES.database, NAMES.schema, NAMES.adapter)}
        loaded = load_dbt_assets(DbtConfig(), index, project_dir=folder, names=names)
        resource = build_dbt_resource(
            DbtConfig(), index, profile=DbtProfile(folder), project_dir=folder, floe_dir=folder / ".floe"
        )
        defs = dg.Definitions(
            assets=[*loaded.assets, *loaded.external_assets],
            jobs=[dg.define_asset_job("all_models")],
            resources={{"dbt": resource}},
        )
        dg.Definitions.validate_loadable(defs)
        from dagster._core.remote_representation.external_data import RepositorySnap
        RepositorySnap.from_def(defs.get_repository_def())
        imported = {{name.split(".")[0] for name in sys.modules}}
        heavy = {{"dbt", "dagster_dbt", "dbt_common", "sqlglot", "duckdb"}} & imported
        sys.exit(f"imported: {{sorted(heavy)}}" if heavy else 0)
    """

    done = subprocess.run([sys.executable, "-c", textwrap.dedent(script)], capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stderr


def test_assets_equal_those_of_dagster_dbts_decorator(loaded: LoadedDbt, plain: dg.AssetsDefinition) -> None:
    [mine] = loaded.assets

    assert {spec.key for spec in mine.specs} == {spec.key for spec in plain.specs}
    for spec in mine.specs:
        expected = plain.get_asset_spec(spec.key)
        assert {name: getattr(spec, name) for name in PLAIN_FIELDS} == {
            name: getattr(expected, name) for name in PLAIN_FIELDS
        }
        assert list(spec.owners) == list(expected.owners)
        assert list(_shown(spec.metadata).items()) == list(_shown(expected.metadata).items())
        assert _deps(spec) == _deps(expected)


def test_checks_equal_those_of_dagster_dbts_decorator(loaded: LoadedDbt, plain: dg.AssetsDefinition) -> None:
    [mine] = loaded.assets

    assert _checks(mine) == _checks(plain)
    assert len(_checks(mine)) == 4


def _shown(metadata: Mapping[str, Any]) -> dict[str, Any]:
    with disable_dagster_warnings():
        return dict(normalize_metadata(metadata, allow_invalid=True))


def _deps(spec: dg.AssetSpec) -> dict[dg.AssetKey, tuple[object, dict[str, Any]]]:
    return {dep.asset_key: (dep.partition_mapping, _shown(dep.metadata)) for dep in spec.deps}


def _checks(assets: dg.AssetsDefinition) -> dict[dg.AssetCheckKey, tuple[object, ...]]:
    return {
        check.key: (
            check.description,
            check.blocking,
            dict(check.metadata),
            {dep.asset_key for dep in check.additional_deps},
        )
        for check in assets.check_specs
    }


# ---- joins


@dg.asset(metadata={"floe/outputs": ["bronze.orders"]})
def raw_orders() -> None: ...


@dg.asset(key=["python", "customers"], metadata={"floe/outputs": ["bronze.raw_customers", "bronze.shipments"]})
def raw_customers() -> None: ...


@pytest.mark.requirement("010-FR-008")
def test_sources_join_the_assets_that_write_their_tables(dbt_shop: DbtShop) -> None:
    loaded = dbt_shop.load(dbt_shop.compile().index, python_assets=[raw_orders, raw_customers])
    [assets] = loaded.assets
    deps = {spec.key.to_user_string(): {dep.asset_key.to_user_string() for dep in spec.deps} for spec in assets.specs}

    assert deps["silver/stg_orders"] == {"raw_orders"}
    assert deps["silver/stg_customers"] == {"python/customers"}
    assert deps["silver/shipped"] == {"logistics/shipments", "outside/rates"}
    assert {spec.key.to_user_string() for spec in loaded.external_assets} == {
        "logistics/shipments",
        "outside/rates",
        "source/silver/stg_orders",
    }


def test_a_source_nothing_writes_is_an_external_asset_with_what_dbt_says_of_it(loaded: LoadedDbt) -> None:
    external = {spec.key.to_user_string(): spec for spec in loaded.external_assets}
    orders = external["bronze/orders"]

    assert orders.description is not None
    assert orders.description.startswith("Orders as they come.")
    assert orders.metadata["dagster/table_name"] == "shop.bronze.orders"
    assert [column.name for column in orders.metadata["dagster/column_schema"].columns] == ["id", "amount"]


def test_tables_go_by_the_name_of_the_project_and_the_one_in_the_database(loaded: LoadedDbt) -> None:
    stg_orders = dg.AssetKey(["silver", "stg_orders"])

    assert loaded.tables["silver.stg_orders"] == stg_orders
    assert loaded.tables["main_silver.stg_orders"] == stg_orders
    assert loaded.tables["main.label_names"] == dg.AssetKey(["labels"])
    assert loaded.tables["bronze.raw_customers"] == dg.AssetKey(["bronze", "customers"])


# ---- runs


ALL_KEYS = (
    "raw_orders",
    "raw_customers",
    "gold/customer_revenue",
    "gold/orders_so_far",
    "history/orders_history",
    "labels",
    "loose",
    "reference/countries",
    "silver/from_clashing_source",
    "silver/shipped",
    "silver/stg_customers",
    "silver/stg_orders",
)


@pytest.fixture(scope="module")
def runs(dbt_shop: DbtShop, tmp_path_factory: pytest.TempPathFactory) -> "Runs":
    folder = tmp_path_factory.mktemp("runs") / "shop"
    index = dbt_shop.compile().index
    shutil.copytree(dbt_shop.path, folder)
    return Runs(DbtShop(folder, []), index)


class Runs:
    """A copy of the compiled project in which jobs are run for real, on a database of its own."""

    def __init__(self, shop: DbtShop, index: DbtIndex) -> None:
        self.shop = shop
        self.tree_before = _files(shop.dbt_dir)
        python = [self._writer("raw_orders", "orders"), self._writer("raw_customers", "raw_customers")]
        loaded = shop.load(index, python_assets=python)
        self.instance = dg.DagsterInstance.ephemeral()
        self.definitions = dg.Definitions(
            assets=[*python, *loaded.assets, *loaded.external_assets, customers_by_hand],
            jobs=[dg.define_asset_job("everything"), dbt_in_an_op],
            resources={"dbt": shop.resource(index, loaded)},
        )
        with duckdb.connect(str(shop.database)) as connection:
            for table in ("bronze.shipments", "vendor.rates", "silver.stg_orders"):
                connection.execute(f"create schema if not exists {table.partition('.')[0]}")
                connection.execute(f"create table {table} as select 1 as id")
        self.whole = self.run("everything", *ALL_KEYS)

    def run(self, job: str, *keys: str, checks: Sequence[dg.AssetCheckKey] | None = None) -> dg.ExecuteInProcessResult:
        definition = self.definitions.resolve_job_def(job)
        selection = [dg.AssetKey.from_user_string(key) for key in keys]
        if checks is not None:
            definition = definition.get_subset(asset_selection=set(selection), asset_check_selection=set(checks))
            return definition.execute_in_process(instance=self.instance)
        return definition.execute_in_process(instance=self.instance, asset_selection=selection or None)

    def query(self, sql: str) -> list[tuple[Any, ...]]:
        with duckdb.connect(str(self.shop.database), read_only=True) as connection:
            return connection.execute(sql).fetchall()

    def _writer(self, name: str, table: str) -> dg.AssetsDefinition:
        @dg.asset(name=name, metadata={"floe/outputs": [f"bronze.{table}"]})
        def write() -> None:
            with duckdb.connect(str(self.shop.database)) as connection:
                connection.execute("create schema if not exists bronze")
                connection.execute(f"create or replace table bronze.{table} as {ROWS[table]}")

        return write


ROWS = {
    "orders": "select * from (values (1, 1, 10.0), (2, 1, 5.0), (3, 2, 7.5)) as rows(id, customer_id, amount)",
    "raw_customers": "select * from (values (1, 'DE'), (2, 'FR')) as rows(id, country)",
}


@dg.asset
def customers_by_hand(context: dg.AssetExecutionContext, dbt: DbtCliResource) -> Iterator[Any]:
    assert isinstance(dbt, DbtCliResource)
    yield from dbt.cli(["build", "--select", "stg_customers"], context=context).stream()
    yield dg.MaterializeResult()


@dg.op
def build_labels(context: dg.OpExecutionContext, dbt: DbtResource) -> None:
    args = ["run", "--select", "labels", "--vars", '{label: "by an op"}']
    for event in dbt.cli(args, context=context).stream():
        if isinstance(event, dg.AssetMaterialization):
            context.log_event(event)


@dg.job
def dbt_in_an_op() -> None:
    build_labels()


@pytest.mark.requirement("010-FR-006", "010-FR-008")
def test_a_run_materializes_every_model_evaluates_every_check_and_writes_nothing_into_the_project(runs: Runs) -> None:
    assert _materialized(runs.whole) == {*ALL_KEYS}
    assert _evaluated(runs.whole) == {
        ("gold/customer_revenue", "no_debts", True),
        ("gold/customer_revenue", "not_null_customer_revenue_id", True),
        ("gold/customer_revenue", "not_null_customer_revenue_total", True),
        ("gold/customer_revenue", "relationships_customer_revenue_id__id__ref_stg_customers_", True),
    }
    assert runs.query("select id, country, total from main_gold.customer_revenue order by id") == [
        (1, "Germany", 15.0),
        (2, "France", 7.5),
    ]
    assert _files(runs.shop.dbt_dir) == runs.tree_before


def test_a_run_of_one_model_builds_only_that_and_does_not_parse_the_project(runs: Runs) -> None:
    result = runs.run("everything", "gold/orders_so_far")

    assert _materialized(result) == {"gold/orders_so_far"}
    assert _evaluated(result) == set()
    [folder] = sorted((runs.shop.floe_dir / "dbt/dev/runs").iterdir(), key=lambda path: path.stat().st_mtime)[-1:]
    assert "no changes found, skipping parsing" in (folder / "dbt.log").read_text()


def test_a_single_check_runs_alone(runs: Runs) -> None:
    check = dg.AssetCheckKey(dg.AssetKey(["gold", "customer_revenue"]), "no_debts")

    result = runs.run("everything", checks=[check])

    assert _materialized(result) == set()
    assert _evaluated(result) == {("gold/customer_revenue", "no_debts", True)}


def test_a_selection_too_long_for_a_command_line_is_given_in_a_file(
    runs: Runs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("floe_dagster.dbt.call_selection.LONGEST_ARGUMENT", 1)

    result = runs.run("everything", "reference/countries", "labels")

    assert _materialized(result) == {"reference/countries", "labels"}
    assert _files(runs.shop.dbt_dir) == runs.tree_before


def test_an_asset_of_the_users_own_runs_dbt_with_dagster_dbts_resource(runs: Runs) -> None:
    result = runs.run("everything", "customers_by_hand")

    assert _materialized(result) == {"customers_by_hand", "silver/stg_customers"}


def test_an_op_of_the_users_own_runs_dbt_with_vars(runs: Runs) -> None:
    result = runs.definitions.resolve_job_def("dbt_in_an_op").execute_in_process(instance=runs.instance)

    assert _materialized(result) == {"labels"}
    assert runs.query("select label from main.label_names") == [("by an op",)]


def _materialized(result: dg.ExecuteInProcessResult) -> set[str]:
    return {event.asset_key.to_user_string() for event in result.get_asset_materialization_events() if event.asset_key}


def _evaluated(result: dg.ExecuteInProcessResult) -> set[tuple[str, str, bool]]:
    return {
        (found.asset_key.to_user_string(), found.check_name, found.passed)
        for found in result.get_asset_check_evaluations()
    }


def _files(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
