"""Partitions that floe.yaml declares: schedules launch them with Dagster's own daemon, on a real instance."""

import os
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest
from dagster._core.scheduler.instigation import TickStatus

from daemon import Daemon, open_code_location, open_instance
from floe_core.errors import LoadError
from floe_core.project import ProjectFolder
from floe_dagster import FloeDefinitions
from floe_dagster.compilation import compile_project
from plugins.user_project import UserProject

pytestmark = [
    # Dagster 1.13 reads its own deprecated property when a code location is loaded.
    pytest.mark.filterwarnings("ignore:Property `ScheduleDefinition.environment_vars`:DeprecationWarning"),
    # Dagster 1.13 warns of its own tags for dimensions where a run request is made in Python.
    pytest.mark.filterwarnings("ignore:Non-compliant tag keys:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::dagster.BetaWarning"),
]

FILES = {
    "floe.yaml": """
        name: shop
        orchestration:
          asset_modules: [shop.assets]
          partitions:
            daily: {type: time_window, start: 2024-03-01, timezone: America/New_York}
            hourly: {type: time_window, start: 2024-11-03, timezone: America/New_York, cron_schedule: "@hourly"}
            regions: {type: static, partition_keys: [eu, us]}
            sales:
              type: multi
              partitions:
                day: {type: time_window, start: 2024-03-01}
                region: {type: static, partition_keys: [eu, us]}
            files: {type: dynamic, fn: shop.keys.files, remove_missing: true}
          assets:
            orders: {partitions: daily}
            clicks: {partitions: hourly}
            shops: {partitions: regions}
            totals: {partitions: sales}
            imports: {partitions: files}
            whole: {partitions: daily, backfill_policy: single_run}
            automated: {partitions: daily, automation_condition: eager}
            also_automated: {automation_condition: eager}
          jobs:
            by_day: {type: batch, selection: [orders]}
            mixed: {type: batch, selection: [orders, automated]}
            automated_only: {type: batch, selection: [automated, also_automated]}
          schedules:
            nightly: {job: by_day, cron_schedule: "0 0 * * *", timezone: America/New_York}
            twice: {job: by_day, cron_schedule: ["0 4 * * *", "0 13 * * *"], enabled: false}
            every_hour: {selection: [clicks], cron_schedule: "@hourly", enabled: false}
            every_region: {selection: [shops], cron_schedule: "0 5 * * *", enabled: false}
            every_pair: {selection: [totals], cron_schedule: "0 5 * * *", enabled: false}
            every_file: {selection: [imports], cron_schedule: "0 5 * * *", enabled: false}
            in_one_go: {selection: [whole], cron_schedule: "0 5 * * *", partition_selector: all, enabled: false}
            of_module: {job: resolved_later, cron_schedule: "0 5 * * *", partition_selector: "last:2", enabled: false}
            by_function: {job: by_day, cron_schedule: "0 5 * * *", target_function: shop.keys.two_days, enabled: false}
            some: {job: mixed, cron_schedule: "0 5 * * *", enabled: false}
            none_left: {job: automated_only, cron_schedule: "0 5 * * *", enabled: false}
        """,
    "shop/__init__.py": "",
    "shop/keys.py": """
        from pathlib import Path

        import dagster as dg

        def files():
            return [line for line in Path("files.txt").read_text().split("\\n") if line]

        def two_days(context):
            return [dg.RunRequest(partition_key=day) for day in ("2024-03-04", "2024-03-05")]
        """,
    "shop/assets.py": """
        import dagster as dg

        @dg.asset
        def orders() -> None: ...

        @dg.asset
        def clicks() -> None: ...

        @dg.asset
        def shops() -> None: ...

        @dg.asset
        def totals() -> None: ...

        @dg.asset
        def imports() -> None: ...

        @dg.asset
        def whole(context: dg.AssetExecutionContext) -> dg.MaterializeResult:
            return dg.MaterializeResult(metadata={"keys": len(context.partition_keys)})

        @dg.asset
        def automated() -> None: ...

        @dg.asset
        def also_automated() -> None: ...

        @dg.asset_check(asset=orders)
        def orders_are_there() -> dg.AssetCheckResult:
            return dg.AssetCheckResult(passed=True)

        @dg.asset_check(asset=automated)
        def automated_is_there() -> dg.AssetCheckResult:
            return dg.AssetCheckResult(passed=True)

        resolved_later = dg.define_asset_job("resolved_later", selection='key:"orders"')
        """,
    "definitions.py": """
        from floe_dagster import FloeDefinitions

        defs = FloeDefinitions.from_compiled_artifacts()
        """,
    "files.txt": "a.csv\nb.csv\n",
}


@pytest.fixture
def instance(tmp_path: Path) -> Iterator[dg.DagsterInstance]:
    with open_instance(tmp_path / "dagster_home") as found:
        yield found


@pytest.fixture
def daemon(user_project: UserProject, instance: dg.DagsterInstance) -> Iterator[Daemon]:
    user_project.write(FILES)
    compile_project(ProjectFolder(user_project.path), environ=os.environ)
    with open_code_location(user_project.path, instance) as workspace:
        yield Daemon(workspace)


def launched(instance: dg.DagsterInstance, schedule: str) -> list[tuple[str, str]]:
    """When each run of a schedule was due, UTC, and its partition or range, the oldest first."""
    runs = instance.get_runs(dg.RunsFilter(tags={"dagster/schedule_name": schedule}))
    assert all(run.is_success for run in runs)
    return sorted(
        (run.tags[".dagster/scheduled_execution_time"].removesuffix(":00+00:00"), partition_of(run)) for run in runs
    )


def partition_of(run: dg.DagsterRun) -> str:
    first = run.tags.get("dagster/asset_partition_range_start")
    return (
        f"{first}..{run.tags['dagster/asset_partition_range_end']}" if first else run.tags.get("dagster/partition", "")
    )


def checked(instance: dg.DagsterInstance, run: dg.DagsterRun) -> list[str]:
    """The asset checks that a run evaluated."""
    events = instance.get_records_for_run(run.run_id, of_type=dg.DagsterEventType.ASSET_CHECK_EVALUATION).records
    return [
        record.event_log_entry.dagster_event.asset_check_evaluation_data.check_name
        for record in events
        if record.event_log_entry.dagster_event
    ]


def materialized(instance: dg.DagsterInstance, asset: str) -> list[str]:
    """The partitions of an asset that were materialised."""
    return sorted(instance.get_materialized_partitions(dg.AssetKey(asset)))


@pytest.mark.requirement("010-FR-011", "010-FR-015", "010-FR-028")
def test_every_midnight_launches_the_day_that_is_over_also_when_clocks_change(
    daemon: Daemon, instance: dg.DagsterInstance
) -> None:
    """In New York midnight is 05:00 UTC until 10 March 2024 and 04:00 after it."""
    daemon.iterate("2024-03-09T23:00")
    for moment in ("2024-03-10T05:00", "2024-03-11T03:59", "2024-03-11T04:00", "2024-03-12T04:00"):
        daemon.iterate(moment)

    assert launched(instance, "nightly") == [
        ("2024-03-10T05:00", "2024-03-09"),
        ("2024-03-11T04:00", "2024-03-10"),
        ("2024-03-12T04:00", "2024-03-11"),
    ]
    assert materialized(instance, "orders") == ["2024-03-09", "2024-03-10", "2024-03-11"]


def test_the_next_tick_launches_the_same_partition_again_and_no_tick_does_so_twice(
    daemon: Daemon, instance: dg.DagsterInstance
) -> None:
    daemon.switch_on("twice", "2024-07-01T03:00")
    daemon.iterate("2024-07-01T04:00")
    daemon.forget_end_of_last_tick("twice")
    daemon.iterate("2024-07-01T04:01")
    daemon.iterate("2024-07-01T13:00")

    assert launched(instance, "twice") == [("2024-07-01T04:00", "2024-06-30"), ("2024-07-01T13:00", "2024-06-30")]


@pytest.mark.requirement("010-FR-011")
def test_the_hour_that_comes_twice_is_launched_twice(daemon: Daemon, instance: dg.DagsterInstance) -> None:
    daemon.switch_on("every_hour", "2024-11-03T05:30")
    for hour in (6, 7, 8):
        daemon.iterate(f"2024-11-03T0{hour}:00")

    assert launched(instance, "every_hour") == [
        ("2024-11-03T06:00", "2024-11-03-01:00"),
        ("2024-11-03T07:00", "2024-11-03-01:00-0500"),
        ("2024-11-03T08:00", "2024-11-03-02:00"),
    ]


@pytest.mark.requirement("010-FR-012", "010-FR-013", "010-FR-028", "010-FR-040")
def test_each_schedule_launches_the_partitions_that_it_selects(daemon: Daemon, instance: dg.DagsterInstance) -> None:
    at_five = ["every_region", "every_pair", "in_one_go", "of_module", "by_function", "some", "none_left"]
    for schedule in at_five:
        daemon.switch_on(schedule, "2024-03-12T04:30")
    daemon.iterate("2024-03-12T05:00")

    assert {schedule: [partition for _, partition in launched(instance, schedule)] for schedule in at_five} == {
        "every_region": ["eu", "us"],
        "every_pair": ["2024-03-11|eu", "2024-03-11|us"],
        "in_one_go": ["2024-03-01..2024-03-11"],
        "of_module": ["2024-03-10", "2024-03-11"],
        "by_function": ["2024-03-04", "2024-03-05"],
        "some": ["2024-03-11"],
        "none_left": [],
    }
    assert materialized(instance, "shops") == ["eu", "us"]
    assert materialized(instance, "totals") == ["2024-03-11|eu", "2024-03-11|us"]
    assert materialized(instance, "whole") == [f"2024-03-{day:02}" for day in range(1, 12)]
    assert materialized(instance, "automated") == []
    [run] = instance.get_runs(dg.RunsFilter(tags={"dagster/schedule_name": "some"}))
    assert run.asset_selection == {dg.AssetKey("orders")}
    assert checked(instance, run) == ["orders_are_there"]
    [tick] = daemon.ticks("none_left")
    assert tick.status == TickStatus.SKIPPED
    assert tick.skip_reason == "automation conditions materialise every asset of job 'automated_only'"


@pytest.mark.requirement("010-FR-014")
def test_a_running_sensor_keeps_dynamic_keys_and_the_schedule_launches_them(
    daemon: Daemon, instance: dg.DagsterInstance
) -> None:
    daemon.evaluate_sensors("2024-03-11T00:00")
    assert instance.get_dynamic_partitions("files") == ["a.csv", "b.csv"]
    daemon.switch_on("every_file", "2024-03-12T04:30")
    daemon.iterate("2024-03-12T05:00")
    assert materialized(instance, "imports") == ["a.csv", "b.csv"]

    Path("files.txt").write_text("b.csv\nc.csv\n")
    daemon.evaluate_sensors("2024-03-12T06:00")
    daemon.evaluate_sensors("2024-03-12T06:01")

    assert instance.get_dynamic_partitions("files") == ["b.csv", "c.csv"]
    said = [tick.skip_reason for tick in daemon.ticks("files_partition_keys")]
    assert said == [
        "no new keys from shop.keys.files, which returned 2",
        "added c.csv, removed a.csv",
        "added a.csv, b.csv",
    ]


@pytest.mark.requirement("010-FR-014")
def test_a_wrong_key_fails_a_tick_and_the_next_one_asks_again(daemon: Daemon, instance: dg.DagsterInstance) -> None:
    Path("files.txt").write_text("a.csv\na.csv\n")
    [error] = daemon.evaluate_sensors("2024-03-11T00:00")
    Path("files.txt").write_text("a.csv\n")

    assert daemon.evaluate_sensors("2024-03-11T00:01") == []

    assert "shop/keys.py:5" in error.to_string()
    assert "every key is returned once, and a.csv twice or more" in error.to_string()
    assert [tick.status for tick in daemon.ticks("files_partition_keys")] == [TickStatus.SKIPPED, TickStatus.FAILURE]
    assert instance.get_dynamic_partitions("files") == ["a.csv"]


@pytest.mark.requirement("010-FR-014")
def test_no_other_sensor_has_the_name_of_the_one_that_keeps_keys(user_project: UserProject) -> None:
    user_project.write(FILES)
    project = ProjectFolder(user_project.path)
    compile_project(project, environ=os.environ)

    @dg.sensor(name="files_partition_keys", target="orders")
    def other() -> None: ...

    with pytest.raises(LoadError) as caught:
        FloeDefinitions.from_compiled_artifacts(project.artifacts_file, sensors=[other])

    [problem] = [problem for problem in caught.value.problems if problem.severity == "error"]
    assert problem.what == "there are two sensors named 'files_partition_keys'"
    assert problem.why == "one comes from floe.yaml:13:5, the other from the call of from_compiled_artifacts"
