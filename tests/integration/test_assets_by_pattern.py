"""Settings by pattern in whole projects: Python assets, dbt models, jobs over them, and the processes of steps."""

import os

import dagster as dg
import pytest
from inline_snapshot import snapshot

from builders import fold
from floe_core.errors import FloeError
from floe_core.project import ProjectFolder
from floe_dagster.compilation import compile_project
from floe_dagster.loading import LoadedProject, load_project
from floe_dagster.passed_objects import PassedObjects
from plugins.user_project import UserProject

pytestmark = pytest.mark.usefixtures("forked_dbt")

DAILY = dg.DailyPartitionsDefinition("2024-01-01")
REGIONS = dg.StaticPartitionsDefinition(["eu", "us"])

ASSETS = """
    import dagster as dg
    from floe_dagster import floe_asset

    class Limits(dg.Config):
        rows: int

    @floe_asset(outputs=["bronze.orders"], group_name="code")
    def bronze_orders(context, config: Limits):
        return {"limit": config.rows, "partition": context.partition_key}

    @floe_asset(inputs=["bronze.orders", "raw.rates"])
    def bronze_values():
        return {}

    @floe_asset(inputs=["bronze.orders"])
    def report():
        return {}
    """


@pytest.fixture(autouse=True)
def _own_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DAGSTER_HOME", raising=False)
    monkeypatch.delenv("DAGSTER_IS_DEV_CLI", raising=False)


def load(project: UserProject, *assets: dg.AssetsDefinition, is_step: bool = False) -> LoadedProject:
    folder = ProjectFolder(project.path)
    artifacts = compile_project(folder, environ=os.environ).artifacts
    return load_project(folder, artifacts, environ=os.environ, passed=PassedObjects(assets=assets), is_step=is_step)


def specs_of(loaded: LoadedProject) -> dict[str, dg.AssetSpec]:
    return {spec.key.to_user_string(): spec for spec in loaded.definitions.resolve_all_asset_specs()}


def report_on(project: UserProject, *assets: dg.AssetsDefinition) -> str:
    with pytest.raises(FloeError) as error:
        load(project, *assets)
    return fold(str(error.value).splitlines())


@pytest.mark.requirement("010-FR-015", "010-FR-016")
def test_patterns_set_what_modules_and_the_definitions_file_define(user_project: UserProject) -> None:
    @dg.asset
    def passed_in() -> None: ...

    user_project.write(
        {
            "assets.py": ASSETS,
            "floe.yaml": """
                orchestration:
                  asset_modules: [assets]
                  partitions:
                    daily: {type: time_window, start: "2024-01-01"}
                  assets:
                    "bronze_*": {partitions: daily, backfill_policy: {type: multi_run, max_partitions_per_run: 7}}
                    bronze_orders: {group_name: bronze, config: {rows: 3}}
                    passed_in: {group_name: passed}
                  jobs:
                    load: {type: batch, selection: ["group:bronze"]}
                """,
        }
    )

    loaded = load(user_project, passed_in)

    assert {key: (spec.partitions_def, spec.group_name) for key, spec in specs_of(loaded).items()} == {
        "bronze_orders": (DAILY, "bronze"),
        "bronze_values": (DAILY, "default"),
        "report": (None, "default"),
        "passed_in": (None, "passed"),
        "raw/rates": (None, "default"),
    }
    bronze = loaded.definitions.resolve_assets_def("bronze_orders")
    assert bronze.backfill_policy == dg.BackfillPolicy.multi_run(7)
    with dg.DagsterInstance.ephemeral() as instance:
        job = loaded.definitions.resolve_job_def("load")
        result = job.execute_in_process(instance=instance, partition_key="2024-01-02")
    (event,) = result.get_asset_materialization_events()
    metadata = {name: value.value for name, value in event.materialization.metadata.items()}
    assert (metadata["limit"], metadata["partition"], event.partition) == (3, "2024-01-02", "2024-01-02")


def test_the_process_of_a_step_has_the_same_settings(user_project: UserProject) -> None:
    user_project.write(
        {
            "assets.py": ASSETS,
            "floe.yaml": """
                orchestration:
                  asset_modules: [assets]
                  partitions:
                    daily: {type: time_window, start: "2024-01-01"}
                  assets:
                    "*": {pool: db, retry_policy: {max_retries: 3}, group_name: all, partitions: daily}
                    bronze_orders: {config: {rows: 3}}
                """,
        }
    )

    here, step = load(user_project), load(user_project, is_step=True)

    assert specs_of(step) == specs_of(here)
    op = step.definitions.resolve_assets_def("bronze_orders").op
    assert (op.pool, op.retry_policy) == ("db", dg.RetryPolicy(3))
    assert op.config_schema.default_value == {"rows": 3}


@pytest.mark.requirement("010-FR-046", "010-FR-047")
def test_everything_that_is_wrong_with_settings_is_reported_at_once(user_project: UserProject) -> None:
    user_project.write(
        {
            "assets.py": ASSETS,
            "floe.yaml": """
                orchestration:
                  asset_modules: [assets]
                  partitions:
                    daily: {type: time_window, start: "2024-01-01"}
                    regions: {type: static, partition_keys: [eu, us]}
                  assets:
                    bronze_order: {group_name: bronze}
                    "rates": {group_name: raw}
                    bronze_orders:
                      partitions: daily
                      config: {row: 3}
                      partition_column: {day: ordered_on}
                    bronze_values: {partitions: regions}
                    report: {backfill_policy: single_run}
                """,
        }
    )

    assert report_on(user_project) == snapshot("""\
error[FLOE-380]: asset pattern 'bronze_order' matches no asset
  --> floe.yaml:7:5  orchestration.assets.bronze_order
   |  bronze_order: {group_name: bronze}
  why: a pattern is matched against the whole key and against the last part of it; '*' stays between two
    slashes, '**' crosses them
  fix: did you mean 'bronze_orders'?

error[FLOE-380]: asset pattern 'rates' matches external assets only
  --> floe.yaml:8:5  orchestration.assets.rates
   |  "rates": {group_name: raw}
  why: nothing in the project makes raw/rates, so there is nothing to set
  fix: match assets that the project makes, or delete the pattern

error[FLOE-353]: run config of asset 'bronze_orders' has key 'row', which does not exist
  --> floe.yaml:11:16  orchestration.assets.bronze_orders.config.row
   |  config: {row: 3}
  why: the keys there are rows
  fix: did you mean 'rows'?

error[FLOE-411]: asset 'bronze_orders' names columns for the dimensions day, and its partitions have one
    dimension
  --> floe.yaml:12:25  orchestration.assets.bronze_orders.partition_column
   |  partition_column: {day: ordered_on}
  why: one column tells which partition a row belongs to
  fix: write partition_column: ordered_on

error[FLOE-383]: the partitions of asset 'bronze_values' do not lead to those of upstream asset
    'bronze_orders'
  --> floe.yaml:13:33  orchestration.assets.bronze_values.partitions
   |  bronze_values: {partitions: regions}
      bronze_values: the keys eu, us (floe.yaml:13:33 'bronze_values')
      bronze_orders: a time window of '0 0 * * *' from 2024-01-01 in UTC (floe.yaml:10:19 'bronze_orders')
  why: fixed keys depend on time windows, and Dagster cannot tell by itself which of them belong together
  fix: give both the same partitions, or write a partition mapping in the asset's 'deps'

warning[FLOE-385]: asset pattern 'report' sets 'backfill_policy' for assets without partitions
  --> floe.yaml:14:31  orchestration.assets.report.backfill_policy
   |  report: {backfill_policy: single_run}
  why: it says something of partitions only, and report has none
  fix: set 'partitions' as well, or delete it

5 errors, 1 warning\
""")


def test_a_job_over_different_partitions_names_the_lines_that_set_them(user_project: UserProject) -> None:
    @dg.asset(partitions_def=REGIONS)
    def by_region() -> None: ...

    user_project.write(
        {
            "assets.py": ASSETS,
            "floe.yaml": """
                orchestration:
                  asset_modules: [assets]
                  partitions:
                    daily: {type: time_window, start: "2024-01-01"}
                    regions: {type: static, partition_keys: [north, south]}
                  assets:
                    "bronze_*": {partitions: daily}
                    bronze_values: {partitions: daily}
                    passed_in: {partitions: regions}
                  jobs:
                    everything: {type: batch, selection: ["*"]}
                """,
        }
    )

    @dg.asset
    def passed_in() -> None: ...

    assert report_on(user_project, passed_in, by_region) == snapshot("""\
error[FLOE-351]: job 'everything' selects assets with 3 different partitions definitions
  --> floe.yaml:11:42  orchestration.jobs.everything.selection
   |  everything: {type: batch, selection: ["*"]}
      bronze_orders, bronze_values: a time window of '0 0 * * *' from 2024-01-01 in UTC (floe.yaml:7:30
    'bronze_*', floe.yaml:8:33 'bronze_values')
      by_region: the keys eu, us
      passed_in: the keys north, south (floe.yaml:9:29 'passed_in')
  why: in Dagster all partitioned assets of a run have one partitions definition
  fix: make a job for each of them\
""")


# ---- dbt: a chain of models of which the first and the last are partitioned


DBT_FILES = {
    "floe.yaml": """
        orchestration:
          dbt: {project_dir: dbt}
          partitions:
            daily: {type: time_window, start: "2024-01-01"}
          assets:
            "{first,third}":
              partitions: daily
              backfill_policy: single_run
              pool: warehouse
              retry_policy: {max_retries: 2}
            "*": {owners: [team:data], metadata: {sla: 24}, tags: {domain: sales}}
            second: {group_name: between, compute_kind: sql, backfill_policy: multi_run}
            apart: {partitions: daily, backfill_policy: {type: multi_run, max_partitions_per_run: 3}}
          jobs:
            chain: {type: batch, selection: [first, second, third]}
        """,
    "dbt/dbt_project.yml": """
        name: chain
        version: "1.0"
        profile: chain
        """,
    "dbt/models/first.sql": "{{ config(tags=['in_dbt']) }} select 1 as id",
    "dbt/models/second.sql": "select id from {{ ref('first') }}",
    "dbt/models/third.sql": "select id from {{ ref('second') }}",
    "dbt/models/apart.sql": "{{ config(meta={'dagster': {'owners': ['team:dbt'], 'group': 'dbt'}}) }} select 2 as id",
    "dbt/models/schema.yml": """
        models:
          - name: third
            columns:
              - name: id
                data_tests: [not_null]
        """,
}


@pytest.fixture(scope="module")
def chain_project(tmp_path_factory: pytest.TempPathFactory) -> UserProject:
    return UserProject(tmp_path_factory.mktemp("chain"))


@pytest.fixture(scope="module")
def chain(forked_dbt: None, chain_project: UserProject) -> LoadedProject:
    chain_project.write(DBT_FILES)
    return load(chain_project)


@pytest.mark.requirement("010-FR-015", "010-FR-016")
def test_models_are_built_by_as_many_ops_as_their_settings_take(chain: LoadedProject) -> None:
    definitions = {
        tuple(sorted(key.to_user_string() for key in definition.keys)): definition
        for definition in chain.definitions.assets or ()
        if isinstance(definition, dg.AssetsDefinition)
    }

    assert {
        keys: (definition.partitions_def, definition.backfill_policy, definition.op.pool, definition.op.retry_policy)
        for keys, definition in definitions.items()
    } == {
        ("first", "third"): (DAILY, dg.BackfillPolicy.single_run(), "warehouse", dg.RetryPolicy(2)),
        ("second",): (None, None, None, None),
        ("apart",): (DAILY, dg.BackfillPolicy.multi_run(3), None, None),
    }
    assert {check.name for check in definitions["first", "third"].check_specs} == {"not_null_third_id"}


def test_a_field_of_a_pattern_wins_over_dbts(chain: LoadedProject) -> None:
    specs = specs_of(chain)

    assert {key: (spec.group_name, spec.owners, spec.tags) for key, spec in specs.items()} == {
        "apart": ("dbt", ["team:data"], {"domain": "sales", "dagster/kind/dbt": "", "dagster/kind/duckdb": ""}),
        "first": ("default", ["team:data"], {"domain": "sales", "dagster/kind/dbt": "", "dagster/kind/duckdb": ""}),
        "second": (
            "between",
            ["team:data"],
            {"domain": "sales", "dagster/kind/dbt": "", "dagster/kind/duckdb": "", "dagster/kind/sql": ""},
        ),
        "third": ("default", ["team:data"], {"domain": "sales", "dagster/kind/dbt": "", "dagster/kind/duckdb": ""}),
    }
    assert all(spec.metadata["sla"] == 24 and "dagster_dbt/unique_id" in spec.metadata for spec in specs.values())


def test_ops_that_wait_for_one_another_in_turn_run_in_one_job(chain: LoadedProject) -> None:
    with dg.DagsterInstance.ephemeral() as instance:
        result = chain.definitions.resolve_job_def("chain").execute_in_process(
            instance=instance, partition_key="2024-01-02"
        )

    assert [
        (event.materialization.asset_key.to_user_string(), event.partition)
        for event in result.get_asset_materialization_events()
    ] == [("first", "2024-01-02"), ("second", None), ("third", "2024-01-02")]


@pytest.mark.usefixtures("chain")  # dbt has parsed the same models there
def test_models_take_no_config(chain_project: UserProject) -> None:
    chain_project.write({"floe.yaml": "orchestration: {dbt: {project_dir: dbt}, assets: {first: {config: {a: 1}}}}"})

    with pytest.raises(FloeError) as error:
        load(chain_project)

    assert str(error.value).replace(f"{chain_project.path}/", "") == snapshot("""\
error[FLOE-353]: asset 'first' takes no config
  --> floe.yaml:1:67  orchestration.assets.first.config
   |  orchestration: {dbt: {project_dir: dbt}, assets: {first: {config: {a: 1}}}}
  why: dbt builds it, and dbt has vars in place of config
  fix: set 'vars' under orchestration.dbt, or leave dbt's models out of the pattern\
""")
