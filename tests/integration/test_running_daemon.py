"""A running daemon: what is due is launched by itself, in runs of their own processes."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

import dagster as dg
import pytest
from dagster._core.storage.tags import SCHEDULED_EXECUTION_TIME_TAG

from floe_core.project import ProjectFolder
from floe_dagster.compilation import compile_project
from plugins.user_project import UserProject

T = TypeVar("T")
_MINUTE = 60
_LONGEST_WAIT = 140
"""Seconds; most of it is for processes to start on a busy machine."""
FILES = {
    "floe.yaml": """
        name: shop
        orchestration:
          asset_modules: [.assets]
          partitions:
            daily: {type: time_window, start: "2024-03-04", end: "2024-03-11"}
          assets:
            orders: {partitions: daily, automation_condition: on_missing, backfill_policy: single_run}
            report: {automation_condition: eager}
          jobs:
            tick: {type: batch, selection: ticker, executor: in_process}
          schedules:
            every_minute: {job: tick, cron_schedule: "* * * * *"}
        """,
    "platform.yaml": "{}",
    "assets.py": """
        import dagster as dg

        @dg.asset
        def ticker() -> None: ...

        @dg.asset
        def figures() -> None: ...

        @dg.asset(deps=[figures])
        def report() -> None: ...

        @dg.asset(deps=[dg.AssetSpec("raw")])
        def orders(context: dg.AssetExecutionContext) -> None: ...
        """,
    "definitions.py": """
        from floe_dagster import FloeDefinitions

        defs = FloeDefinitions.from_compiled_artifacts()
        """,
    "home/dagster.yaml": "telemetry: {enabled: false}",
}
WEEK = [f"2024-03-{day:02}" for day in range(4, 11)]


@pytest.fixture
def instance(user_project: UserProject) -> Iterator[dg.DagsterInstance]:
    """The instance of a daemon that runs."""
    user_project.write(FILES)
    compile_project(ProjectFolder(user_project.path), environ=os.environ)
    home = user_project.path / "home"
    command = [sys.executable, "-m", "dagster._daemon", "run", "-f", "definitions.py"]
    with (
        (user_project.path / "daemon.log").open("w") as log,
        subprocess.Popen(command, env={**os.environ, "DAGSTER_HOME": str(home)}, stdout=log, stderr=log) as daemon,
        dg.DagsterInstance.from_config(str(home)) as instance,
    ):
        try:
            yield instance
        finally:
            daemon.terminate()


def wait_for(found: Callable[[], T | None]) -> T:
    """What *found* gives as soon as it gives anything."""
    until = time.monotonic() + _LONGEST_WAIT
    while not (value := found()):
        assert time.monotonic() < until, Path("daemon.log").read_text()[-5000:]
        time.sleep(1)
    return value


def first_evaluation(instance: dg.DagsterInstance) -> float | None:
    """When the automation sensor was first done."""
    for state in instance.all_instigator_state():
        if state.instigator_name == "default_automation_condition_sensor":
            ticks = instance.get_ticks(state.instigator_origin_id, state.selector_id)
            return next((tick.timestamp for tick in ticks if tick.end_timestamp), None)
    return None


@dataclass(frozen=True)
class Made:
    """Materialisations, and how many seconds after they were due their run was in the event log."""

    partitions: list[str | None]
    seconds: float


def wait_for_asset(instance: dg.DagsterInstance, name: str, *, count: int = 1, due: float = 0) -> Made:
    """The first *count* materialisations of an asset; a run of a schedule knows itself when it was due."""

    def found() -> Made | None:
        events = instance.fetch_materializations(dg.AssetKey(name), limit=count, ascending=True).records
        if len(events) < count:
            return None
        record = instance.get_run_record_by_id(events[0].run_id)
        assert record is not None
        scheduled = record.dagster_run.tags.get(SCHEDULED_EXECUTION_TIME_TAG)
        since = datetime.fromisoformat(scheduled).timestamp() if scheduled else due
        launched = record.create_timestamp.replace(tzinfo=UTC).timestamp()
        return Made([event.partition_key for event in events], launched - since)

    return wait_for(found)


@pytest.mark.requirement("010-FR-024", "010-FR-036", "010-FR-038")
def test_what_is_due_is_launched_within_a_minute(instance: dg.DagsterInstance) -> None:
    started = wait_for(lambda: first_evaluation(instance))
    instance.report_runless_asset_event(dg.AssetMaterialization("figures"))
    reported = time.time()

    week = wait_for_asset(instance, "orders", count=len(WEEK), due=started)
    report = wait_for_asset(instance, "report", due=reported)
    ticker = wait_for_asset(instance, "ticker")

    assert week.partitions == WEEK
    assert len(instance.get_backfills()) == 1
    assert max(week.seconds, report.seconds, ticker.seconds) < _MINUTE, (week, report, ticker)
