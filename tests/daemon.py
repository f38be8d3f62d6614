"""Dagster's daemon over a project, one iteration at a time and at any moment."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from textwrap import dedent

import dagster as dg
import time_machine
from dagster._core.remote_origin import InProcessCodeLocationOrigin
from dagster._core.remote_representation.external import RemoteRepository, RemoteSchedule, RemoteSensor
from dagster._core.scheduler.instigation import InstigatorTick, TickStatus
from dagster._core.test_utils import create_test_daemon_workspace_context
from dagster._core.types.loadable_target_origin import LoadableTargetOrigin
from dagster._core.workspace.context import WorkspaceProcessContext
from dagster._core.workspace.load_target import InProcessWorkspaceLoadTarget
from dagster._daemon.sensor import execute_sensor_iteration
from dagster._scheduler.scheduler import ScheduleIterationTimes, launch_scheduled_runs
from dagster_shared.error import SerializableErrorInfo

LOCATION = "shop"
DAGSTER_YAML = """
    run_launcher: {module: dagster._core.launcher.sync_in_memory_run_launcher, class: SyncInMemoryRunLauncher}
    run_coordinator: {module: dagster._core.run_coordinator, class: DefaultRunCoordinator}
    telemetry: {enabled: false}
    """


@contextmanager
def open_instance(home: Path) -> Iterator[dg.DagsterInstance]:
    """An instance in the new folder *home*, whose runs are carried out in the process that launches them."""
    home.mkdir()
    (home / "dagster.yaml").write_text(dedent(DAGSTER_YAML))
    with dg.DagsterInstance.from_config(str(home)) as instance:
        yield instance


@contextmanager
def open_code_location(folder: Path, instance: dg.DagsterInstance) -> Iterator[WorkspaceProcessContext]:
    """What the daemon sees of the project in *folder*, whose definitions are `defs` of definitions.py."""
    origin = InProcessCodeLocationOrigin(
        loadable_target_origin=LoadableTargetOrigin(
            python_file=str(folder / "definitions.py"), working_directory=str(folder), attribute="defs"
        ),
        location_name=LOCATION,
    )
    with create_test_daemon_workspace_context(InProcessWorkspaceLoadTarget([origin]), instance) as context:
        yield context


class Daemon:
    """The scheduler and the sensors of Dagster's daemon, one iteration at a time."""

    def __init__(self, workspace: WorkspaceProcessContext) -> None:
        self.workspace = workspace
        self.instance = workspace.instance
        self.logger = logging.getLogger("daemon")
        self.iteration_times: dict[str, ScheduleIterationTimes] = {}

    def iterate(self, moment: str) -> None:
        """One iteration of the scheduler at *moment*, UTC."""
        now = _instant(moment)
        with time_machine.travel(now):
            told = list(launch_scheduled_runs(self.workspace, self.logger, now, iteration_times=self.iteration_times))
        assert [error for error in told if isinstance(error, SerializableErrorInfo)] == []

    def evaluate_sensors(self, moment: str) -> list[SerializableErrorInfo]:
        """One iteration of the sensors at *moment*, UTC, and the errors of their ticks."""
        with time_machine.travel(_instant(moment)):
            told = list(execute_sensor_iteration(self.workspace, self.logger, None, None))
        return [error for error in told if isinstance(error, SerializableErrorInfo)]

    def switch_on(self, schedule: str, moment: str) -> None:
        """What the switch in the UI does, at *moment*, UTC."""
        with time_machine.travel(_instant(moment)):
            self.instance.start_schedule(self._schedule(schedule))

    def ticks(self, name: str) -> list[InstigatorTick]:
        """The ticks of a schedule or sensor, the last one first."""
        remote = self._sensor(name) or self._schedule(name)
        return list(self.instance.get_ticks(remote.get_remote_origin().get_id(), remote.selector_id))

    def forget_end_of_last_tick(self, schedule: str) -> None:
        """As if the daemon had been killed after it launched and before it noted that."""
        last = self.ticks(schedule)[0]
        self.instance.update_tick(last.with_status(TickStatus.STARTED))
        self.iteration_times.clear()

    @property
    def _repository(self) -> RemoteRepository:
        location = self.workspace.create_request_context().get_code_location(LOCATION)
        return location.get_repository("__repository__")

    def _schedule(self, name: str) -> RemoteSchedule:
        return self._repository.get_schedule(name)

    def _sensor(self, name: str) -> RemoteSensor | None:
        return self._repository.get_sensor(name) if self._repository.has_sensor(name) else None


def _instant(moment: str) -> datetime:
    return datetime.fromisoformat(moment).replace(tzinfo=UTC)
