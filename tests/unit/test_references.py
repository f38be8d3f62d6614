"""Names that lead nowhere, and profiles that cannot work together."""

from pathlib import Path
from textwrap import dedent

import pytest
from inline_snapshot import snapshot

from builders import floe_yaml, parse_document, platform_spec
from floe_core.compiler.known_part import known_part
from floe_core.compiler.profile_checks import check_profiles
from floe_core.compiler.references import ProfileNames, check_references
from floe_core.documents import load_platform_document, read_parsed_document
from floe_core.errors import render_problems
from floe_core.interpolation import Unset
from floe_core.schemas.platform_spec import PlatformSpec, embedded_platform
from floe_core.yaml_source import parse_yaml


def report(text: str, *, external_jobs: tuple[str, ...] | None = None, **environ: str) -> str:
    document = parse_document(text, environ)
    return render_problems(check_references(document.spec, document.source, external_jobs=external_jobs))


def profile_report(text: str, platform: PlatformSpec, *, python_sources: tuple[str, ...] = ()) -> str:
    document = parse_document(text)
    return render_problems(check_profiles(document.spec, platform, document.source, python_sources=python_sources))


class TestNames:
    def test_names_that_are_defined_are_fine(self) -> None:
        text = floe_yaml(
            """
            partitions: {daily: {type: time_window, start: 2024}}
            assets: {"bronze_*": {partitions: daily}}
            jobs: {load: {type: batch, selection: "*"}, alert: {type: ops, target_function: shop.ops.alert}}
            schedules: {nightly: {job: load, cron_schedule: "@daily"}}
            sensors:
              failed: {type: run_status, status: FAILURE, watched_jobs: load, jobs: [alert]}
              conditions: {type: automation, selection: "*"}
            backfills: {year: {job: load, partition_keys: [a]}}
            """
        )

        assert report(text) == ""

    @pytest.mark.requirement("010-FR-047")
    def test_every_name_that_leads_nowhere_is_a_problem_of_its_own(self) -> None:
        text = floe_yaml(
            """
            partitions: {daily_partition: {type: time_window, start: 2024}}
            assets: {"bronze_*": {partitions: daily_partitions}}
            jobs: {bronze_load: {type: batch, selection: "*"}, gold_pipeline: {type: batch, selection: "*"}}
            schedules: {nightly: {job: bronze_laod, cron_schedule: "@daily"}}
            sensors:
              arrival: {type: file_watcher, path: incoming, job: nightly}
              trigger: {type: asset_sensor, watched_assets: orders, jobs: [gold_pipeline, gold]}
              failed: {type: run_status, status: FAILURE, watched_jobs: bronze_loads, target_function: shop.alerts.send}
            backfills: {year: {job: nothing_like_it, partition_keys: [a]}}
            """
        )

        assert report(text) == snapshot("""\
error[FLOE-203]: schedule 'nightly' starts job 'bronze_laod', which does not exist
  --> floe.yaml:5:30  orchestration.schedules.nightly.job
   |  schedules: {nightly: {job: bronze_laod, cron_schedule: "@daily"}}
  why: a job is named under orchestration.jobs (bronze_load, gold_pipeline)
  fix: did you mean 'bronze_load'?

error[FLOE-203]: sensor 'arrival' starts job 'nightly', which does not exist
  --> floe.yaml:7:56  orchestration.sensors.arrival.job
   |  arrival: {type: file_watcher, path: incoming, job: nightly}
  why: a job is named under orchestration.jobs (bronze_load, gold_pipeline)
  fix: 'nightly' is a schedule; name a job

error[FLOE-203]: sensor 'trigger' starts job 'gold', which does not exist
  --> floe.yaml:8:81  orchestration.sensors.trigger.jobs[1]
   |  trigger: {type: asset_sensor, watched_assets: orders, jobs: [gold_pipeline, gold]}
  why: a job is named under orchestration.jobs (bronze_load, gold_pipeline)
  fix: did you mean 'gold_pipeline'?

error[FLOE-203]: sensor 'failed' watches job 'bronze_loads', which does not exist
  --> floe.yaml:9:63  orchestration.sensors.failed.watched_jobs
   |  failed: {type: run_status, status: FAILURE, watched_jobs: bronze_loads, target_function: shop.alerts.send}
  why: a job is named under orchestration.jobs (bronze_load, gold_pipeline)
  fix: did you mean 'bronze_load'?

error[FLOE-203]: backfill 'year' starts job 'nothing_like_it', which does not exist
  --> floe.yaml:10:27  orchestration.backfills.year.job
   |  backfills: {year: {job: nothing_like_it, partition_keys: [a]}}
  why: a job is named under orchestration.jobs (bronze_load, gold_pipeline)
  fix: add 'nothing_like_it' under orchestration.jobs

error[FLOE-203]: asset pattern 'bronze_*' sets partitions 'daily_partitions', which do not exist
  --> floe.yaml:3:37  orchestration.assets.bronze_*.partitions
   |  assets: {"bronze_*": {partitions: daily_partitions}}
  why: partitions are defined under orchestration.partitions (daily_partition)
  fix: did you mean 'daily_partition'?

6 errors\
""")

    def test_a_job_that_a_module_may_define_is_a_warning_until_modules_are_loaded(self) -> None:
        text = floe_yaml(
            """
            asset_modules: [shop.assets]
            schedules: {nightly: {job: load, cron_schedule: "@daily"}}
            """
        )

        assert report(text) == snapshot("""\
warning[FLOE-203]: schedule 'nightly' starts job 'load', which floe.yaml does not name
  --> floe.yaml:3:30  orchestration.schedules.nightly.job
   |  schedules: {nightly: {job: load, cron_schedule: "@daily"}}
  why: it is not one of orchestration.jobs (none); a module of asset_modules may define it, which loading will show
  fix: add 'load' under orchestration.jobs\
""")
        assert report(text, external_jobs=("load",)) == ""
        assert report(text, external_jobs=("loader",)) == snapshot("""\
error[FLOE-203]: schedule 'nightly' starts job 'load', which does not exist
  --> floe.yaml:3:30  orchestration.schedules.nightly.job
   |  schedules: {nightly: {job: load, cron_schedule: "@daily"}}
  why: a job is named under orchestration.jobs (loader) or defined in a module of asset_modules
  fix: did you mean 'loader'?\
""")

    def test_a_name_that_waits_for_a_variable_is_left_alone(self) -> None:
        text = floe_yaml(
            """
            assets: {"*": {partitions: "${PARTITIONS}"}}
            jobs: {late: "${LATE}"}
            schedules: {nightly: {job: "${JOB}", cron_schedule: "@daily"}, later: {job: late, cron_schedule: "@daily"}}
            sensors: {all: {type: asset_sensor, watched_assets: a, jobs: "${JOBS}"}, some: {type: "${TYPE}"}}
            backfills: {year: {job: late, partition_keys: ["${KEY}"]}}
            """
        )

        assert report(text) == ""

    def test_a_partitions_definition_that_was_left_out_for_what_is_wrong_in_it_exists(self) -> None:
        text = floe_yaml(
            """
            partitions: {daily: {type: time_window, start: 01.01.2024}}
            assets: {customers: {partitions: daily}, orders: {partitions: dayly}}
            """
        )
        document = parse_yaml(text, file=Path("floe.yaml"))
        read = read_parsed_document(document.value, document.source, environ={})

        told = check_references(known_part(read).spec, read.source)

        assert [(problem.what, problem.fix) for problem in told] == [
            ("asset pattern 'orders' sets partitions 'dayly', which do not exist", "did you mean 'daily'?")
        ]

    @pytest.mark.parametrize("section", ["partitions", "assets", "jobs", "schedules", "sensors", "backfills", "dbt"])
    def test_a_section_that_waits_for_a_variable_is_left_alone(self, section: str) -> None:
        sections = {
            "assets": '{"*": {partitions: daily}}',
            "schedules": '{nightly: {job: load, cron_schedule: "@daily"}}',
            "sensors": "{orders: {type: asset_sensor, job: load, watched_assets: orders}}",
            "backfills": "{year: {job: load, partition_keys: [a]}}",
            "jobs": '{load: {type: batch, selection: "*"}}',
            "partitions": "{daily: {type: multi, partitions: '${MISSING}'}}",
        } | {section: '"${MISSING}"'}

        assert report(floe_yaml("\n".join(f"{name}: {value}" for name, value in sections.items()))) == ""
        assert report('orchestration: "${MISSING}"') == ""

    def test_dynamic_keys_of_two_definitions_have_two_names(self) -> None:
        text = floe_yaml(
            """
            partitions:
              sales_file: {type: dynamic}
              sales:
                type: multi
                partitions: {file: {type: dynamic}, region: {type: dynamic}}
            """
        )

        assert report(text) == snapshot("""\
error[FLOE-204]: two definitions of dynamic partitions keep their keys under the name 'sales_file'
  --> floe.yaml:6:20  orchestration.partitions.sales.partitions.file
   |  partitions: {file: {type: dynamic}, region: {type: dynamic}}
  why: Dagster keeps dynamic keys by name; the other one stands at floe.yaml:3:5
  fix: rename one of the two\
""")

    def test_schedules_and_sensors_share_no_name(self) -> None:
        text = floe_yaml(
            """
            jobs: {load: {type: batch, selection: "*"}}
            partitions:
              regions: {type: dynamic, fn: shop.keys.regions}
              pairs:
                type: multi
                partitions: {day: {type: static, partition_keys: a}, shop: {type: dynamic, fn: shop.keys.all}}
            schedules:
              nightly: {job: load, cron_schedule: "@daily"}
              year_backfill: {job: load, cron_schedule: "@yearly"}
            sensors:
              nightly: {type: asset_sensor, job: load, watched_assets: orders}
              regions_partition_keys: {type: asset_sensor, job: load, watched_assets: orders}
              pairs_shop_partition_keys: {type: asset_sensor, job: load, watched_assets: orders}
            backfills:
              year: {job: load, partition_keys: [a]}
            """
        )

        assert report(text) == snapshot("""\
error[FLOE-204]: sensor 'nightly' has the name of the schedule
  --> floe.yaml:12:5  orchestration.sensors.nightly
   |  nightly: {type: asset_sensor, job: load, watched_assets: orders}
  why: in Dagster no two schedules or sensors share a name; the other one stands at floe.yaml:9:5
  fix: rename one of the two

error[FLOE-204]: schedule 'year_backfill' has the name of the sensor that backfill 'year' becomes
  --> floe.yaml:10:5  orchestration.schedules.year_backfill
   |  year_backfill: {job: load, cron_schedule: "@yearly"}
  why: in Dagster no two schedules or sensors share a name; the other one stands at floe.yaml:16:5
  fix: rename one of the two

error[FLOE-204]: sensor 'regions_partition_keys' has the name of the sensor that partitions definition 'regions' becomes
  --> floe.yaml:13:5  orchestration.sensors.regions_partition_keys
   |  regions_partition_keys: {type: asset_sensor, job: load, watched_assets: orders}
  why: in Dagster no two schedules or sensors share a name; the other one stands at floe.yaml:4:5
  fix: rename one of the two

error[FLOE-204]: sensor 'pairs_shop_partition_keys' has the name of the sensor that partitions definition 'shop' becomes
  --> floe.yaml:14:5  orchestration.sensors.pairs_shop_partition_keys
   |  pairs_shop_partition_keys: {type: asset_sensor, job: load, watched_assets: orders}
  why: in Dagster no two schedules or sensors share a name; the other one stands at floe.yaml:7:60
  fix: rename one of the two

4 errors\
""")


class TestProfiles:
    @pytest.mark.parametrize("section", ["storage", "catalogs", "compute", "execution"])
    def test_a_section_that_waits_for_a_variable_is_left_alone(self, section: str) -> None:
        text = floe_yaml("jobs: {load: {type: batch, selection: '*', executor: other}}", top='catalog: "${MISSING}"')
        platform = platform_spec(**{"execution": {"other": {"type": "k8s"}}, section: Unset("${MISSING}")})

        assert "does not exist" not in profile_report(text, platform)
        assert profile_report('orchestration: "${MISSING}"', platform) == ""

    def test_the_embedded_platform_serves_a_document_that_names_none(self) -> None:
        assert profile_report("orchestration: {dbt: {}}", platform_spec(), python_sources=("bronze.orders",)) == ""

    def test_where_there_is_no_platform_yaml_the_names_alone_are_checked(self) -> None:
        platform = embedded_platform()

        assert set(ProfileNames()) == {("default",)}
        assert all(list(getattr(platform, section)) == ["default"] for section in ProfileNames._fields)

    def test_profiles_that_do_not_exist(self) -> None:
        text = floe_yaml(
            """
            jobs:
              load: {type: batch, selection: "*", executor: clustr}
              small: {type: batch, selection: "*", executor: in_process}
            """,
            top="storage: lake_prd\ncatalog: polaris",
        )
        platform = platform_spec(
            storage={"lake_prod": {"type": "s3", "bucket": "lake"}},
            compute={"warehouse": {"type": "duckdb"}},
            execution={"cluster": {"type": "k8s"}},
        )

        assert profile_report(text, platform) == snapshot("""\
error[FLOE-231]: storage profile 'lake_prd' does not exist
  --> floe.yaml:1:10  storage
   |  storage: lake_prd
  why: profiles are named under storage of platform.yaml (lake_prod)
  fix: did you mean 'lake_prod'?

error[FLOE-231]: catalog profile 'polaris' does not exist
  --> floe.yaml:2:10  catalog
   |  catalog: polaris
  why: profiles are named under catalogs of platform.yaml (default)
  fix: add 'polaris' under catalogs of platform.yaml, or write catalog: NAME

error[FLOE-231]: compute profile 'default' does not exist
  --> floe.yaml:1:1
   |  storage: lake_prd
  why: profiles are named under compute of platform.yaml (warehouse), and floe.yaml names none, which means 'default'
  fix: add 'default' under compute of platform.yaml, or write compute: NAME

error[FLOE-231]: job 'load' uses executor 'clustr', which does not exist
  --> floe.yaml:5:51  orchestration.jobs.load.executor
   |  load: {type: batch, selection: "*", executor: clustr}
  why: executors are in_process, multiprocess and the profiles under execution of platform.yaml (cluster)
  fix: did you mean 'cluster'?

4 errors\
""")

    def test_engines_of_several_hosts_need_what_all_of_them_see(self) -> None:
        text = floe_yaml("dbt: {}\njobs: {load: {type: batch, selection: '*', executor: cluster}}")
        platform = platform_spec(
            execution={"cluster": {"type": "k8s"}, "unused": {"type": "celery", "broker": "redis://broker"}}
        )

        assert profile_report(text, platform) == snapshot("""\
error[FLOE-232]: execution profile 'cluster' spans several machines, which do not share the SQLite catalog 'default'
  why: what several machines work on must be a service or a storage that all of them reach
  fix: pick a profile for it that all machines reach, or an engine of this machine

error[FLOE-232]: execution profile 'cluster' spans several machines, which do not share the local storage 'default'
  why: what several machines work on must be a service or a storage that all of them reach
  fix: pick a profile for it that all machines reach, or an engine of this machine

warning[FLOE-232]: execution profile 'cluster' spans several machines, which do not share the DuckDB file of 'default'
  why: what several machines work on must be a service or a storage that all of them reach
  fix: make sure that all machines share it, or pick another profile

warning[FLOE-232]: execution profile 'cluster' spans several machines, which do not share Dagster's run storage (sqlite)
  why: what several machines work on must be a service or a storage that all of them reach
  fix: make sure that all machines share it, or pick another profile

2 errors, 2 warnings\
""")

    def test_services_can_be_reached_from_several_hosts(self) -> None:
        secret = {"secret_ref": "PASSWORD"}
        platform = platform_spec(
            storage={"default": {"type": "s3", "bucket": "lake"}},
            catalogs={"default": {"type": "rest", "uri": "catalog:8181"}},
            compute={
                "default": {"type": "trino", "host": "h", "port": 443, "user": "u", "database": "c", "schema": "s"}
            },
            execution={"default": {"type": "dask", "address": "tcp://scheduler:8786"}},
            instance={"storage": {"type": "postgres", "host": "db", "user": "dagster", "password": secret}},
        )

        assert profile_report("orchestration: {dbt: {}}", platform) == ""

    def test_a_cluster_of_this_machine_sees_its_files(self) -> None:
        platform = platform_spec(execution={"default": {"type": "dask", "n_workers": 2}})

        assert profile_report("orchestration: {dbt: {}}", platform) == ""

    def test_an_engine_that_does_not_read_the_catalog_reads_no_python_assets(self) -> None:
        warehouse = {
            "type": "postgres",
            "host": "h",
            "user": "u",
            "password": {"secret_ref": "PASSWORD"},
            "dbname": "d",
            "schema": "s",
        }
        text = "compute: warehouse\norchestration: {dbt: {}}"

        blind, seeing = (
            platform_spec(compute={"warehouse": {**warehouse, "reads_catalog": reads}}) for reads in (False, True)
        )

        assert profile_report(text, blind) == ""
        assert profile_report(text, blind, python_sources=("bronze.orders",)) == snapshot("""\
error[FLOE-232]: dbt reads what Python assets write, and compute profile 'warehouse' does not read the catalog
  --> floe.yaml:1:10  compute
   |  compute: warehouse
  why: dbt would not find the sources bronze.orders
  fix: pick a compute profile that reads the catalog, or write reads_catalog: true once the engine is set up to\
""")
        assert profile_report(text, seeing, python_sources=("bronze.orders",)) == snapshot("""\
error[FLOE-232]: compute profile 'warehouse' spans several machines, which do not share the SQLite catalog 'default'
  why: what several machines work on must be a service or a storage that all of them reach
  fix: pick a profile for it that all machines reach, or an engine of this machine

error[FLOE-232]: compute profile 'warehouse' spans several machines, which do not share the local storage 'default'
  why: what several machines work on must be a service or a storage that all of them reach
  fix: pick a profile for it that all machines reach, or an engine of this machine

2 errors\
""")


def test_namespaces_are_of_profiles_that_exist(tmp_path: Path) -> None:
    text = """
        catalogs: {lake: {type: rest, uri: "https://lake.example"}, default: {type: sql}}
        observability:
          dataset_namespaces: {catalogs.lake: lake, catalogs.laek: lake, compute.default: shop}
    """
    (tmp_path / "platform.yaml").write_text(dedent(text))
    platform = load_platform_document(tmp_path, environ={})

    document = parse_document("orchestration: {}")
    problems = check_profiles(document.spec, platform.spec, document.source, platform_source=platform.source)

    assert render_problems(problems).replace(str(tmp_path), "") == snapshot("""\
error[FLOE-231]: dataset namespace 'catalogs.laek' is of a profile that does not exist
  --> /platform.yaml:4:45  observability.dataset_namespaces["catalogs.laek"]
   |  dataset_namespaces: {catalogs.lake: lake, catalogs.laek: lake, compute.default: shop}
  why: the profiles under catalogs are lake, default
  fix: did you mean 'catalogs.lake'?\
""")
