"""Automation conditions of floe.yaml, evaluated by Dagster's own daemon on a real instance."""

import os
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest
from dagster._core.execution.backfill import BulkActionStatus
from dagster._core.scheduler.instigation import TickStatus

from automation_daemon import AutomationDaemon, open_queueing_instance
from daemon import open_code_location
from floe_core.project import ProjectFolder
from floe_dagster.compilation import compile_project
from plugins.user_project import UserProject

pytestmark = [
    # Dagster 1.13 reads its own deprecated property when a code location is loaded.
    pytest.mark.filterwarnings("ignore:Property `ScheduleDefinition.environment_vars`:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::dagster.BetaWarning"),
]

FILES = {
    "floe.yaml": """
        name: shop
        orchestration:
          asset_modules: [shop.assets]
          partitions:
            daily: {type: time_window, start: "2024-03-04"}
          assets:
            "{orders,order_values}":
              partitions: daily
              automation_condition: on_missing
              backfill_policy: {type: multi_run, max_partitions_per_run: 3}
            report: {automation_condition: eager}
            on_fridays: {automation_condition: {target_function: shop.conditions.fridays}}
          jobs:
            everything: {type: batch, selection: [orders, report]}
          schedules:
            nightly: {job: everything, cron_schedule: "0 2 * * *"}
          sensors:
            reports: {type: automation, selection: report, run_tags: {team: sales}, poll_interval_seconds: 60}
        """,
    "shop/__init__.py": "",
    "shop/conditions.py": """
        import dagster as dg

        class Friday(dg.AutomationCondition):
            def evaluate(self, context):
                is_friday = context.evaluation_time.weekday() == 4
                none = context.get_empty_subset()
                return dg.AutomationResult(context, context.candidate_subset if is_friday else none)

        def fridays():
            return Friday().newly_true() & ~dg.AutomationCondition.in_progress()
        """,
    "shop/assets.py": """
        from pathlib import Path

        import dagster as dg

        rates = dg.AssetSpec("rates")

        @dg.asset(deps=[rates])
        def orders(context: dg.AssetExecutionContext) -> None:
            if any(Path(key).exists() for key in context.partition_keys):
                raise ValueError("no such day")

        @dg.asset(deps=[orders])
        def order_values() -> None: ...

        @dg.asset
        def figures() -> None: ...

        @dg.asset(deps=[figures, rates])
        def report() -> None: ...

        @dg.asset
        def on_fridays() -> None: ...
        """,
    "definitions.py": """
        from floe_dagster import FloeDefinitions

        defs = FloeDefinitions.from_compiled_artifacts()
        """,
}
DAYS = [f"2024-03-0{day}" for day in range(4, 10)]


@pytest.fixture
def daemon(user_project: UserProject, tmp_path: Path) -> Iterator[AutomationDaemon]:
    user_project.write(FILES)
    compile_project(ProjectFolder(user_project.path), environ=os.environ)
    with (
        open_queueing_instance(tmp_path / "dagster_home") as instance,
        open_code_location(user_project.path, instance) as workspace,
    ):
        yield AutomationDaemon(workspace)


def ranges(runs: list[dg.DagsterRun]) -> list[str]:
    """The partitions of each run, and its assets."""
    keys = [
        tuple(
            run.tags.get(f"dagster/asset_partition_range_{end}", run.tags.get("dagster/partition", ""))
            for end in ("start", "end")
        )
        for run in runs
    ]
    return [f"{first}..{last}" if first != last else first for first, last in keys]


@pytest.mark.requirement("010-FR-038", "010-FR-039")
def test_a_week_that_is_missing_becomes_a_backfill_within_its_policy(daemon: AutomationDaemon) -> None:
    for minute in range(4):
        daemon.evaluate_conditions(f"2024-03-10T12:0{minute}")
    (backfill,) = daemon.instance.get_backfills()
    assert daemon.instance.get_runs() == []

    daemon.launch_backfills("2024-03-10T12:04")
    daemon.evaluate_conditions("2024-03-10T12:05")
    queued = daemon.launch_queued("2024-03-10T12:06")
    for minute in range(7, 10):
        daemon.iterate_all(f"2024-03-10T12:0{minute}")

    assert ranges(queued) == ["2024-03-04..2024-03-06", "2024-03-07..2024-03-09"]
    assert daemon.materialised("orders") == daemon.materialised("order_values") == DAYS
    assert [each.status for each in daemon.instance.get_backfills()] == [BulkActionStatus.COMPLETED_SUCCESS]
    assert backfill.tags["dagster/sensor_name"] == "default_automation_condition_sensor"


@pytest.mark.requirement("010-FR-038")
def test_the_next_day_is_one_run(daemon: AutomationDaemon) -> None:
    for moment in ("2024-03-10T12:00", "2024-03-10T12:01", "2024-03-10T12:02"):
        daemon.iterate_all(moment)
    before = len(daemon.instance.get_runs())

    daemon.evaluate_conditions("2024-03-11T00:00:30")
    queued = daemon.launch_queued("2024-03-11T00:00:40")
    daemon.iterate_all("2024-03-11T00:01:30")

    assert ranges(queued) == ["2024-03-10"]
    assert daemon.materialised("order_values") == [*DAYS, "2024-03-10"]
    assert len(daemon.instance.get_runs()) == before + 1


@pytest.mark.requirement("010-FR-038")
def test_what_failed_is_left_to_the_user(daemon: AutomationDaemon) -> None:
    Path("2024-03-08").touch()

    for minute in range(5):
        daemon.iterate_all(f"2024-03-10T12:0{minute}")
    failed = [run for run in daemon.instance.get_runs() if run.status is dg.DagsterRunStatus.FAILURE]
    daemon.iterate_all("2024-03-11T00:01")
    daemon.iterate_all("2024-03-11T00:02")

    assert ranges(failed) == ["2024-03-07..2024-03-09"]
    assert daemon.materialised("orders") == ["2024-03-04", "2024-03-05", "2024-03-06", "2024-03-10"]
    assert len(daemon.instance.get_runs()) == len(["first half", "second half", "next day"])


@pytest.mark.requirement("010-FR-038")
def test_a_backfill_that_is_cancelled_does_not_come_back(daemon: AutomationDaemon) -> None:
    daemon.evaluate_conditions("2024-03-10T12:00")
    daemon.launch_backfills("2024-03-10T12:01")
    (backfill,) = daemon.instance.get_backfills()

    daemon.instance.update_backfill(backfill.with_status(BulkActionStatus.CANCELING))  # type: ignore[no-untyped-call]  # Dagster has none
    for run in daemon.instance.get_runs():
        daemon.instance.report_run_canceled(run)
    for minute in range(2, 7):
        daemon.iterate_all(f"2024-03-10T12:0{minute}")

    assert [each.status for each in daemon.instance.get_backfills()] == [BulkActionStatus.CANCELED]
    assert daemon.materialised("orders") == []


@pytest.mark.requirement("010-FR-036", "010-FR-039")
def test_a_sensor_of_its_own_launches_with_its_tags(daemon: AutomationDaemon) -> None:
    daemon.evaluate_conditions("2024-03-04T12:00")

    daemon.instance.report_runless_asset_event(dg.AssetMaterialization("figures"))
    daemon.evaluate_conditions("2024-03-04T12:00:30")
    too_early = daemon.launch_queued("2024-03-04T12:00:40")
    daemon.evaluate_conditions("2024-03-04T12:01:10")
    (run,) = daemon.launch_queued("2024-03-04T12:01:20")
    daemon.iterate_all("2024-03-04T12:03")

    assert too_early == []
    assert run.tags.items() >= {"team": "sales", "dagster/sensor_name": "reports"}.items()
    assert daemon.materialised("report") == [None]


def test_conditions_of_ones_own_are_evaluated_by_the_code_location(daemon: AutomationDaemon) -> None:
    for day in ("2024-03-07", "2024-03-08", "2024-03-09"):
        for minute in range(2):
            errors = daemon.evaluate_sensors(f"{day}T12:0{minute}")
            assert errors == []
            daemon.launch_queued(f"{day}T12:0{minute}:30")

    assert daemon.materialised("on_fridays") == [None]


@pytest.mark.requirement("010-FR-040")
def test_a_schedule_leaves_out_what_has_a_condition(daemon: AutomationDaemon) -> None:
    daemon.iterate("2024-03-04T20:00")
    daemon.iterate("2024-03-05T02:00:10")

    (tick,) = daemon.ticks("nightly")
    assert tick.status is TickStatus.SKIPPED
