"""`floe sensor test NAME`: what a sensor of any kind would do, with nothing of it stored."""

import json
import os
import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from inline_snapshot import snapshot

from plugins.command_line import CommandLine
from plugins.user_project import UserProject

FLOE = (sys.executable, "-c", "from floe_cli.main import main; main()")
FLOE_YAML = """
name: shop
orchestration:
  asset_modules: [shop.assets]
  partitions:
    files: {type: dynamic, fn: shop.sensors.file_names}
  assets:
    orders: {automation_condition: on_missing}
  jobs:
    load: {type: batch, selection: by_day}
    tidy: {type: ops, target_function: shop.ops.tidy}
  sensors:
    watch: {type: custom, job: load, target_function: shop.sensors.watch, args: {most: 2}, tags: {team: sales}}
    quiet: {type: custom, job: load, target_function: shop.sensors.quiet}
    broken: {type: custom, target_function: shop.sensors.broken}
    writing: {type: custom, target_function: shop.sensors.writing}
    launching: {type: custom, target_function: shop.sensors.launching}
    arrival: {type: file_watcher, job: tidy, path: incoming, settle_seconds: 0}
    after_tidy: {type: run_status, job: load, watched_jobs: [tidy], status: SUCCESS}
    bad_config: {type: custom, job: tidy, target_function: shop.sensors.bad_config}
    bad_asset: {type: custom, job: load, target_function: shop.sensors.bad_asset}
    bad_selection: {type: custom, selection: orders, target_function: shop.sensors.bad_asset}
    bad_partition: {type: custom, job: load, target_function: shop.sensors.bad_partition}
    only_prod: {type: custom, target_function: shop.sensors.quiet, environments: [prod]}
  backfills:
    january: {job: load, partition_range: {start: "2024-01-01", end: "2024-01-03"}, batch_size: 2}
"""
ASSETS = """
import dagster as dg


@dg.asset
def orders(): ...


@dg.asset(partitions_def=dg.DailyPartitionsDefinition("2024-01-01", end_date="2024-01-04"))
def by_day(): ...


@dg.sensor(target=dg.AssetSelection.assets("orders"))
def from_python(context):
    yield dg.RunRequest(run_key="1", asset_selection=[dg.AssetKey("orders")])
"""
SENSORS = """
import dagster as dg

KEYS = dg.DynamicPartitionsDefinition(name="files")


def file_names():
    return ["a", "b"]


def watch(context, most: int):
    return dg.SensorResult(
        run_requests=[dg.RunRequest(run_key=f"run {number}") for number in range(most)],
        cursor=f"{context.cursor}!",
        dynamic_partitions_requests=[KEYS.build_add_request(["x"]), KEYS.build_delete_request(["old"])],
        asset_events=[dg.AssetObservation("orders")],
    )


def quiet(context):
    return dg.SkipReason(f"{len(context.instance.get_runs())} runs so far")


def broken(context):
    return deeper({})


def deeper(values):
    return values["missing"]


def writing(context):
    context.instance.add_dynamic_partitions("files", ["y"])
    assert context.instance.has_dynamic_partition("files", "y")
    context.instance.delete_dynamic_partition("files", "old")
    assert context.instance.get_dynamic_partitions("files") == ["y"]
    context.instance.report_runless_asset_event(dg.AssetMaterialization("orders"))


def bad_config():
    for number in range(2):
        yield dg.RunRequest(run_key=f"run {number}", run_config={"ops": {"tidi": {"config": {}}}})


def bad_asset():
    return dg.RunRequest(run_key="one", partition_key=None, asset_selection=[dg.AssetKey("nowhere")])


def bad_partition():
    return dg.RunRequest(partition_key="2030-01-01")


def launching(context):
    context.instance.create_run_for_job(context.repository_def.get_job("tidy"))
"""


FILES = {
    "floe.yaml": FLOE_YAML,
    "shop/__init__.py": "",
    "shop/assets.py": ASSETS,
    "shop/sensors.py": SENSORS,
    "shop/ops.py": "def tidy(): ...\n",
    "incoming/orders.csv": "id\n",
}


@pytest.fixture
def project(user_project: UserProject) -> Path:
    """A project that never ran."""
    user_project.write(FILES)
    return user_project.path


@pytest.fixture(scope="module")
def finished_project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sensors")
    UserProject(folder).write(FILES)
    assert process_of(folder, "run", "tidy").returncode == 0
    return folder


@pytest.fixture
def project_with_a_run(user_project: UserProject, finished_project: Path) -> Path:
    """The test's own copy of the project after one run of `tidy`."""
    return shutil.copytree(finished_project, user_project.path, dirs_exist_ok=True)


def process_of(project: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    env = {name: value for name, value in os.environ.items() if not name.startswith(("DAGSTER_", "FLOE_"))}
    return subprocess.run([*FLOE, *arguments], cwd=project, env=env, capture_output=True, text=True, check=False)


def tried(floe: CommandLine, name: str, *arguments: str) -> dict[str, Any]:
    finished = floe("sensor", "test", name, "--format", "json", *arguments)
    assert finished.returncode == 0, finished.stderr
    outcome = json.loads(finished.stdout)
    assert isinstance(outcome, dict)
    return outcome


def report(process: subprocess.CompletedProcess[str]) -> str:
    return process.stderr[process.stderr.index("error[") :]


def stored(project: Path) -> dict[str, list[str]]:
    """Every row of every database of the Dagster instance, and which files there are."""
    home = project / ".floe" / "dagster_home"
    rows: dict[str, list[str]] = {"files": sorted(str(file) for file in home.rglob("*") if file.suffix in ("", ".db"))}
    for file in sorted(home.rglob("*.db")):
        with sqlite3.connect(file) as connection:
            rows[file.name] = list(connection.iterdump())
        connection.close()
    return rows


@pytest.mark.requirement("010-FR-033")
def test_what_a_custom_sensor_would_do_is_shown(project: Path) -> None:
    process = process_of(project, "sensor", "test", "watch", "--cursor", "7")

    assert process.returncode == 0
    assert "\n".join(line.rstrip() for line in process.stdout.splitlines()) == snapshot("""\
sensor 'watch' would request 2 runs

 run key   launches   partition    tags
 ─────────────────────────────────────────────
 run 0     load       2024-01-03   team: sales
 run 1     load       2024-01-03   team: sales

would add partition keys to 'files': x
would remove partition keys of 'files': old
would report events of assets: orders
would store the cursor: 7!\
""")


def test_a_project_that_never_ran_has_no_instance_afterwards(command_line: CommandLine, project: Path) -> None:
    assert tried(command_line, "quiet")["skip_reason"] == "0 runs so far"

    assert not (project / ".floe" / "dagster_home").exists()


@pytest.mark.parametrize(
    "name",
    ["watch", "quiet", "writing", "arrival", "after_tidy", "from_python", "january_backfill", "files_partition_keys"],
)
def test_nothing_is_stored(command_line: CommandLine, project_with_a_run: Path, name: str) -> None:
    before = stored(project_with_a_run)
    assert len(before) > 3

    outcome = tried(command_line, name)

    assert stored(project_with_a_run) == before
    assert outcome["sensor"] == name


def test_runs_and_events_are_those_of_the_projects_instance(
    command_line: CommandLine, project_with_a_run: Path
) -> None:
    assert tried(command_line, "quiet")["skip_reason"] == "1 runs so far"


def test_a_run_that_was_launched_already_is_marked(command_line: CommandLine, project_with_a_run: Path) -> None:
    tags = {"dagster/run_key": "run 1", "dagster/sensor_name": "watch"}
    with dg.DagsterInstance.from_config(str(project_with_a_run / ".floe" / "dagster_home")) as instance:
        instance.add_run(dg.DagsterRun("load", tags=tags))

    assert [(run["run_key"], run["is_known"]) for run in tried(command_line, "watch")["runs"]] == [
        ("run 0", False),
        ("run 1", True),
    ]


def test_what_a_sensor_writes_by_itself_counts_for_it_and_is_told(
    command_line: CommandLine, project_with_a_run: Path
) -> None:
    outcome = tried(command_line, "writing")

    assert (outcome["added"], outcome["removed"], outcome["writes"]) == (
        {"files": ["y"]},
        {"files": ["old"]},
        ["store_event"],
    )


def test_sensors_of_every_origin(command_line: CommandLine, project: Path) -> None:
    keys = tried(command_line, "files_partition_keys")
    from_python = tried(command_line, "from_python")
    backfill = tried(command_line, "january_backfill")
    arrival = tried(command_line, "arrival")
    conditions = tried(command_line, "default_automation_condition_sensor")

    assert keys["added"] == {"files": ["a", "b"]}
    assert [(run["run_key"], run["assets"]) for run in from_python["runs"]] == [("1", ["orders"])]
    assert [(run["job"], run["partition"]) for run in backfill["runs"]] == [
        ("load", "2024-01-01"),
        ("load", "2024-01-02"),
    ]
    assert [run["job"] for run in arrival["runs"]] == ["tidy"]
    assert [run["assets"] for run in conditions["runs"]] == [["orders"]]


def test_an_error_of_the_users_function(command_line: CommandLine, project: Path) -> None:
    process = command_line("sensor", "test", "broken")

    assert process.returncode == 1
    assert report(process) == snapshot("""\
error[FLOE-434]: the tick of sensor 'broken' fails with KeyError
      shop/sensors.py:24 in broken
          return deeper({})
      shop/sensors.py:28 in deeper
          return values["missing"]
      KeyError: 'missing'
  why: the sensor's function raises it
  fix: mend the function; a tick that fails launches nothing, and the next one evaluates again
""")


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        (
            "bad_config",
            snapshot("""\
error[FLOE-436]: sensor 'bad_config' asks for run 'run 0' of job 'tidy', which Dagster refuses
      Received unexpected config entry "tidi" at path root:ops. Expected: "{ tidy?: { config?: { } } }".
  why: the daemon refuses it at every tick, and launches nothing
  fix: give the run config in the form that the Launchpad shows
"""),
        ),
        (
            "bad_asset",
            snapshot("""\
error[FLOE-436]: sensor 'bad_asset' asks for run 'one' of job 'load', which Dagster refuses
      AssetKey(s) ['nowhere'] were selected, but no AssetsDefinition objects supply these keys. Make sure all keys are spelled correctly, and all AssetsDefinitions are correctly added to the `Definitions`.
  why: the daemon refuses it at every tick, and launches nothing
  fix: ask for assets of the job
"""),  # noqa: E501 - Dagster's words
        ),
        (
            "bad_selection",
            snapshot("""\
error[FLOE-436]: sensor 'bad_selection' asks for run 'one', which Dagster refuses
      AssetKey(s) ['nowhere'] were selected, but no AssetsDefinition objects supply these keys. Make sure all keys are spelled correctly, and all AssetsDefinitions are correctly added to the `Definitions`.
  why: the daemon refuses it at every tick, and launches nothing
  fix: ask for assets of the job
"""),  # noqa: E501 - Dagster's words
        ),
        (
            "bad_partition",
            snapshot("""\
error[FLOE-340]: sensor 'bad_partition' asks for partition '2030-01-01' of job 'load', which it does not have
  --> floe.yaml:22:5  orchestration.sensors.bad_partition
   |  bad_partition: {type: custom, job: load, target_function: shop.sensors.bad_partition}
  why: it has a time window of '0 0 * * *' from 2024-01-01 in UTC; the last one is '2024-01-03'
  fix: name one from '2024-01-01' to '2024-01-03'
"""),
        ),
    ],
)
def test_a_run_that_dagster_refuses(command_line: CommandLine, project: Path, name: str, expected: str) -> None:
    process = command_line("sensor", "test", name)

    assert process.returncode == 1
    assert report(process) == expected


def test_a_sensor_that_launches_by_itself_is_refused(command_line: CommandLine, project: Path) -> None:
    process = command_line("sensor", "test", "launching")

    assert process.returncode == 1
    assert report(process) == snapshot("""\
error[FLOE-435]: the sensor launches or stores something by itself, with 'add_job_snapshot'
  --> floe.yaml:16:5  orchestration.sensors.launching
   |  launching: {type: custom, target_function: shop.sensors.launching}
  why: a test of a sensor reads the Dagster instance and stores nothing in it
  fix: return run requests, which a test shows, in place of launching runs
""")


@pytest.mark.parametrize("cursor", ["garbage", "0abc", "1", "{}"])
def test_a_cursor_that_is_none(command_line: CommandLine, project: Path, cursor: str) -> None:
    process = command_line("sensor", "test", "default_automation_condition_sensor", "--cursor", cursor)

    assert process.returncode == 1
    told = report(process)
    assert "FLOE-394" in told
    assert "leave --cursor out" in told


def test_names_that_no_sensor_has(command_line: CommandLine, project: Path) -> None:
    unknown = command_line("sensor", "test", "wach")
    elsewhere = command_line("sensor", "test", "only_prod")

    assert (unknown.returncode, elsewhere.returncode) == (2, 2)
    assert report(unknown) + report(elsewhere) == snapshot("""\
error[FLOE-433]: there is no sensor 'wach'
  why: the sensors are after_tidy, arrival, bad_asset, bad_config, bad_partition and 10 more
  fix: did you mean 'watch'?
error[FLOE-433]: sensor 'only_prod' does not exist in this environment
  why: its 'environments' are prod
  fix: set FLOE_PLATFORM_ENV=prod
""")


def test_help_needs_no_project(tmp_path: Path) -> None:
    process = process_of(tmp_path, "sensor", "test", "--help")

    assert process.returncode == 0
    assert "nothing is stored" in process.stdout
