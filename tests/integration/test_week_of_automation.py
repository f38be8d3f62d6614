"""A week of the quickstart's Complete Example, as Dagster's daemon lives it."""

import os
import shutil
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import dagster as dg
import pyarrow as pa
import pytest
import time_machine
from dagster._core.scheduler.instigation import TickStatus

from automation_daemon import AutomationDaemon, open_queueing_instance
from automation_ticks import at
from daemon import open_code_location
from floe_core.project import ProjectFolder
from floe_dagster import FloeDefinitions
from floe_dagster.compilation import compile_project
from floe_dagster.resources import CatalogResource

pytestmark = [
    # Dagster 1.13 reads its own deprecated property when a code location is loaded, and warns of its own tags.
    pytest.mark.filterwarnings("ignore:Property `ScheduleDefinition.environment_vars`:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:Non-compliant tag keys:DeprecationWarning"),
]

EXAMPLE = Path(__file__).parent.parent / "projects" / "ecommerce"
MONDAY = date(2025, 3, 3)
WEEK = [MONDAY + timedelta(days=day) for day in range(7)]
"""On its Sunday the clocks of New York go forward: six o'clock there is at 10:00 UTC instead of 11:00."""
DAYS_BEFORE = [str(day - timedelta(days=1)) for day in WEEK]
MORNING = ("00:00:40", "03:00")
AFTERNOON = ("10:00:30", "11:00:30")
SILVER = ("silver/stg_customers", "silver/stg_orders")


@pytest.fixture(scope="module")
def daemon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AutomationDaemon]:
    """The daemon after the week, in which somebody rebuilt the silver models every morning."""
    folder = tmp_path_factory.mktemp("week") / "ecommerce_project"
    shutil.copytree(EXAMPLE, folder)
    shutil.copy(folder / "ecommerce" / "orchestration" / "definitions.py", folder / "definitions.py")
    project = ProjectFolder(folder)
    compile_project(project, environ=os.environ)
    customers = {"customer_id": [1, 2], "email": ["a@example.org", "b@example.org"]}
    CatalogResource.embedded(project.floe_dir).write_table("external.customers", pa.table(customers))
    with (
        open_queueing_instance(tmp_path_factory.mktemp("dagster") / "home") as instance,
        open_code_location(folder, instance) as workspace,
    ):
        daemon = AutomationDaemon(workspace)
        daemon.iterate_all(f"{MONDAY - timedelta(days=1)}T20:00")
        for day in WEEK:
            for time in MORNING:
                daemon.iterate_all(f"{day}T{time}")
            rebuild_silver(project, instance, f"{day}T09:00", really=day == MONDAY)
            for time in AFTERNOON:
                daemon.iterate_all(f"{day}T{time}")
        yield daemon


def rebuild_silver(project: ProjectFolder, instance: dg.DagsterInstance, moment: str, *, really: bool) -> None:
    """Rebuild the models with dbt, or report that it was done."""
    keys = [dg.AssetKey.from_user_string(name) for name in SILVER]
    with time_machine.travel(at(moment)):
        if not really:
            for key in keys:
                instance.report_runless_asset_event(dg.AssetMaterialization(key))
            return
        definitions = FloeDefinitions.from_compiled_artifacts(project.artifacts_file)
        models = definitions.resolve_implicit_global_asset_job_def().get_subset(asset_selection=set(keys))
        assert models.execute_in_process(instance=instance).success


@pytest.mark.requirement("010-FR-036", "010-FR-039")
def test_bronze_is_materialised_every_day_and_no_day_twice(daemon: AutomationDaemon) -> None:
    assert daemon.materialised("bronze_customers") == DAYS_BEFORE
    assert daemon.materialised("bronze_orders") == DAYS_BEFORE


@pytest.mark.requirement("010-FR-037", "010-FR-039")
def test_gold_is_materialised_every_day_when_silver_is_there(daemon: AutomationDaemon) -> None:
    assert daemon.materialised("gold_customer_summary") == DAYS_BEFORE


@pytest.mark.requirement("010-FR-040")
def test_the_schedule_leaves_bronze_to_its_condition(daemon: AutomationDaemon) -> None:
    ticks = sorted(daemon.ticks("daily_bronze"), key=lambda tick: tick.timestamp)

    hours = [datetime.fromtimestamp(tick.timestamp, UTC).strftime("%a %H:%M") for tick in ticks]
    assert hours == ["Mon 11:00", "Tue 11:00", "Wed 11:00", "Thu 11:00", "Fri 11:00", "Sat 11:00", "Sun 10:00"]
    assert {(tick.status, tick.skip_reason) for tick in ticks} == {
        (TickStatus.SKIPPED, "automation conditions materialise every asset of job 'bronze_refresh'")
    }


def test_nothing_runs_more_often(daemon: AutomationDaemon) -> None:
    runs = daemon.instance.get_runs()

    assert {run.status for run in runs} == {dg.DagsterRunStatus.SUCCESS}
    launched = [run for run in runs if "dagster/from_automation_condition" in run.tags]
    assert len(launched) == len(WEEK) * 2  # bronze in one run, gold in another
    others = {run.job_name for run in runs if run not in launched}
    assert others <= {"__ASSET_JOB", "weekly_vacuum"}  # silver by hand, and the weekly maintenance


def test_no_tick_of_the_automation_sensor_fails(daemon: AutomationDaemon) -> None:
    ticks = daemon.ticks("default_automation_condition_sensor")

    assert len(ticks) == 1 + len(WEEK) * len([*MORNING, *AFTERNOON])
    assert {tick.status for tick in ticks} <= {TickStatus.SUCCESS, TickStatus.SKIPPED}
