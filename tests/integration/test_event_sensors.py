"""Sensors that react to materializations and to runs: under a running daemon that is killed, and in the quickstart."""

import os
import shutil
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC
from pathlib import Path
from typing import TypeVar

import dagster as dg
import pyarrow as pa
import pytest
import time_machine
from dagster._core.remote_origin import InProcessCodeLocationOrigin, RemoteJobOrigin
from dagster._core.scheduler.instigation import TickStatus
from dagster._core.types.loadable_target_origin import LoadableTargetOrigin

from daemon import DAGSTER_YAML, LOCATION, Daemon, open_code_location, open_instance
from floe_core.project import ProjectFolder
from floe_dagster.compilation import compile_project
from floe_dagster.resources import CatalogResource
from floe_processes import run_floe
from plugins.user_project import UserProject

pytestmark = [
    # Dagster 1.13 reads its own deprecated property when a code location is loaded, and warns of its own tags.
    pytest.mark.filterwarnings("ignore:Property `ScheduleDefinition.environment_vars`:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:Non-compliant tag keys:DeprecationWarning"),
]

T = TypeVar("T")
EXAMPLE = Path(__file__).parent.parent / "projects" / "ecommerce"
FILES = {
    "floe.yaml": """
        name: shop
        orchestration:
          asset_modules: [.assets]
          jobs:
            refresh: {type: batch, selection: report, executor: in_process}
            load: {type: batch, selection: figures, executor: in_process}
            alert: {type: batch, selection: pager, executor: in_process}
          sensors:
            follow: {type: asset_sensor, watched_assets: raw, job: refresh, poll_interval_seconds: 5}
            failed: {type: run_status, watched_jobs: load, status: FAILURE, job: alert, poll_interval_seconds: 5}
            tell: {type: run_status, status: FAILURE, target_function: alerts.tell, poll_interval_seconds: 5}
        """,
    "platform.yaml": "{}",
    "assets.py": """
        import dagster as dg

        @dg.asset(deps=[dg.AssetSpec("raw")])
        def report() -> None: ...

        @dg.asset
        def figures() -> None:
            raise ValueError("no figures today")

        @dg.asset
        def pager() -> None: ...
        """,
    "alerts.py": """
        from pathlib import Path

        def tell(context) -> None:
            run = context.dagster_run
            with (Path(__file__).parent / "told.txt").open("a") as file:
                file.write(f"{run.job_name} {run.run_id} {context.run_error.splitlines()[-1]}\\n")
        """,
    "definitions.py": """
        from floe_dagster import FloeDefinitions

        defs = FloeDefinitions.from_compiled_artifacts()
        """,
    "home/dagster.yaml": DAGSTER_YAML,
}
SENSORS = ("follow", "failed", "tell")
_MINUTE = 60
_LONGEST_WAIT = 140
"""Seconds; most of it is for processes to start on a busy machine."""


@dataclass
class Project:
    """A project of its own instance, and the daemon that runs for it."""

    folder: Path
    instance: dg.DagsterInstance
    daemon: "subprocess.Popen[bytes] | None" = None

    @property
    def environ(self) -> dict[str, str]:
        return {**os.environ, "DAGSTER_HOME": str(self.folder / "home")}

    def start_daemon(self) -> None:
        command = [sys.executable, "-m", "dagster._daemon", "run", "-f", "definitions.py"]
        with (self.folder / "daemon.log").open("ab") as log:
            self.daemon = subprocess.Popen(command, cwd=self.folder, env=self.environ, stdout=log, stderr=log)

    def kill_daemon(self) -> None:
        assert self.daemon is not None
        self.daemon.send_signal(signal.SIGKILL)
        self.daemon.wait()

    def fail_to_load(self) -> None:
        """`floe run load` in a terminal."""
        done = run_floe("run", "load", folder=self.folder, environ=self.environ)
        assert done.returncode == 3, done.stdout + done.stderr

    def runs(self, job: str) -> list[dg.RunRecord]:
        """The finished runs of a job, the oldest first."""
        filters = dg.RunsFilter(job_name=job, statuses=[dg.DagsterRunStatus.SUCCESS, dg.DagsterRunStatus.FAILURE])
        return list(self.instance.get_run_records(filters, ascending=True))

    def told(self) -> list[str]:
        file = self.folder / "told.txt"
        return file.read_text().splitlines() if file.exists() else []

    def ticks(self) -> dict[str, int]:
        """How many ticks each sensor has finished."""
        states = [state for state in self.instance.all_instigator_state() if state.instigator_name in SENSORS]
        return {
            state.instigator_name: sum(
                1
                for tick in self.instance.get_ticks(state.instigator_origin_id, state.selector_id)
                if tick.end_timestamp
            )
            for state in states
        }

    def wait_for(self, found: Callable[[], T | None]) -> T:
        """What *found* gives as soon as it gives anything."""
        until = time.monotonic() + _LONGEST_WAIT
        while not (value := found()):
            assert time.monotonic() < until, (self.folder / "daemon.log").read_text()[-5000:]
            time.sleep(1)
        return value

    def wait_for_ticks(self, number: int) -> None:
        """Wait until every sensor has finished so many more ticks."""
        before = self.ticks()
        self.wait_for(lambda: all(self.ticks().get(name, 0) >= before.get(name, 0) + number for name in SENSORS))


@pytest.fixture
def project(user_project: UserProject) -> Iterator[Project]:
    user_project.write(FILES)
    compile_project(ProjectFolder(user_project.path), environ=os.environ)
    with dg.DagsterInstance.from_config(str(user_project.path / "home")) as instance:
        project = Project(user_project.path, instance)
        project.start_daemon()
        try:
            yield project
        finally:
            assert project.daemon is not None
            project.daemon.terminate()
            project.daemon.wait()


@pytest.mark.requirement("010-SC-008", "010-FR-031", "010-FR-032", "010-FR-034")
def test_what_happened_is_answered_within_a_minute_and_once_though_the_daemon_is_killed(project: Project) -> None:
    project.wait_for_ticks(1)

    project.instance.report_runless_asset_event(dg.AssetMaterialization("raw"))
    reported = time.time()
    project.fail_to_load()
    failed = time.time()
    (refreshed,) = project.wait_for(lambda: project.runs("refresh"))
    (alerted,) = project.wait_for(lambda: project.runs("alert"))
    (told,) = project.wait_for(project.told)

    (loaded,) = project.runs("load")
    assert refreshed.create_timestamp.replace(tzinfo=UTC).timestamp() - reported < _MINUTE
    assert alerted.create_timestamp.replace(tzinfo=UTC).timestamp() - failed < _MINUTE
    assert refreshed.dagster_run.tags["floe/materialized_assets"] == "raw"
    tags = alerted.dagster_run.tags
    assert (tags["floe/watched_run"], tags["floe/watched_job"]) == (loaded.dagster_run.run_id, "load")
    assert tags["floe/watched_error"].endswith("ValueError: no figures today")
    assert told == f"load {loaded.dagster_run.run_id} ValueError: no figures today"

    project.kill_daemon()
    for _ in range(3):
        project.instance.report_runless_asset_event(dg.AssetMaterialization("raw"))
    project.fail_to_load()
    project.start_daemon()
    project.wait_for(lambda: len(project.runs("refresh")) > 1 and len(project.runs("alert")) > 1 and project.told()[1:])
    project.wait_for_ticks(2)

    assert [record.dagster_run.tags["floe/materializations"] for record in project.runs("refresh")] == ["1", "3"]
    assert [record.dagster_run.tags["floe/watched_run"] for record in project.runs("alert")] == [
        record.dagster_run.run_id for record in project.runs("load")
    ]
    assert [line.split()[1] for line in project.told()] == [
        record.dagster_run.run_id for record in project.runs("load")
    ]


def failed_run(daemon: Daemon, *, location: str = LOCATION) -> str:
    """A run of `load` that failed, launched from the code location of that name."""
    repository = daemon.workspace.create_request_context().get_code_location(LOCATION).get_repository("__repository__")
    origin = repository.get_full_job("load").get_remote_origin()
    of_location = replace_location(origin, location)
    run = daemon.instance.add_run(
        dg.DagsterRun(job_name="load", run_id=str(uuid.uuid4()), remote_job_origin=of_location)
    )
    daemon.instance.report_run_failed(run, "it ended")
    return run.run_id


def replace_location(origin: RemoteJobOrigin, location: str) -> RemoteJobOrigin:
    repository = origin.repository_origin
    other = InProcessCodeLocationOrigin(LoadableTargetOrigin(module_name="shop"), location_name=location)
    return origin._replace(repository_origin=repository._replace(code_location_origin=other))


@pytest.mark.requirement("010-FR-032")
def test_an_error_of_the_function_stands_in_the_tick_and_ends_nothing(user_project: UserProject) -> None:
    user_project.write(
        {
            **FILES,
            "alerts.py": """
                CALLED = []

                def tell(context) -> None:
                    CALLED.append(context.dagster_run.run_id)
                    if len(CALLED) == 1:
                        raise ConnectionError("the pager is away")
                """,
        }
    )
    compile_project(ProjectFolder(user_project.path), environ=os.environ)
    with (
        open_instance(user_project.path / "dagster_home") as instance,
        open_code_location(user_project.path, instance) as workspace,
    ):
        daemon = Daemon(workspace)
        daemon.evaluate_sensors("2025-03-03T10:00:00")
        failed_run(daemon, location="other")
        first, second = failed_run(daemon), failed_run(daemon)
        daemon.evaluate_sensors("2025-03-03T10:00:10")
        third = failed_run(daemon)
        daemon.evaluate_sensors("2025-03-03T10:00:20")
        daemon.evaluate_sensors("2025-03-03T10:01:30")
        again, later, failure, _ = daemon.ticks("tell")
        alerts = instance.get_runs(dg.RunsFilter(job_name="alert"))

    assert (failure.status, later.status, again.status) == (
        TickStatus.FAILURE,
        TickStatus.SUCCESS,
        TickStatus.SUCCESS,
    )
    assert failure.error is not None
    assert "alerts.py:6 in tell" in failure.error.message
    assert "ConnectionError: the pager is away" in failure.error.message
    assert [list(tick.origin_run_ids or ()) for tick in (failure, later, again)] == [[second], [third], [first]]
    assert sorted(run.tags["floe/watched_run"] for run in alerts) == sorted([first, second, third])


@pytest.fixture
def example(tmp_path: Path) -> Iterator[Daemon]:
    """The daemon over the quickstart's Complete Example; runs are carried out as they are launched."""
    folder = tmp_path / "ecommerce_project"
    shutil.copytree(EXAMPLE, folder)
    shutil.copy(folder / "ecommerce" / "orchestration" / "definitions.py", folder / "definitions.py")
    project = ProjectFolder(folder)
    compile_project(project, environ=os.environ)
    customers = {"customer_id": [1, 2], "email": ["a@example.org", "b@example.org"]}
    CatalogResource.embedded(project.floe_dir).write_table("external.customers", pa.table(customers))
    with open_instance(tmp_path / "home") as instance, open_code_location(folder, instance) as workspace:
        yield Daemon(workspace)


@pytest.mark.requirement("010-FR-031")
def test_the_quickstarts_gold_trigger_launches_once_for_what_others_materialise(example: Daemon) -> None:
    def materialise(asset: str, day: str, moment: str) -> None:
        with time_machine.travel(f"{moment}+00:00"):
            example.instance.report_runless_asset_event(dg.AssetMaterialization(asset, partition=day))

    def launched() -> list[tuple[str | None, dg.DagsterRunStatus]]:
        runs = example.instance.get_runs(dg.RunsFilter(job_name="full_pipeline"))
        return [(run.tags.get("dagster/partition"), run.status) for run in reversed(runs)]

    assert example.evaluate_sensors("2025-03-03T10:00:00") == []
    materialise("bronze_customers", "2025-03-01", "2025-03-03T10:00:30")
    for minute in range(1, 3):  # its run materialises what it watches
        assert example.evaluate_sensors(f"2025-03-03T10:0{minute}:00") == []
    assert launched() == [("2025-03-01", dg.DagsterRunStatus.SUCCESS)]

    materialise("bronze_orders", "2025-03-02", "2025-03-03T10:05:00")
    materialise("bronze_customers", "2025-03-02", "2025-03-03T10:05:01")
    for minute in range(6, 8):
        assert example.evaluate_sensors(f"2025-03-03T10:0{minute}:00") == []
    assert launched()[1:] == [("2025-03-02", dg.DagsterRunStatus.SUCCESS)]
    assert len(example.instance.fetch_materializations(dg.AssetKey("bronze_customers"), limit=10).records) == 4
