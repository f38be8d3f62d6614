"""The parts of Dagster's daemon that launch assets on their own, beside those of `daemon`."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from textwrap import dedent

import dagster as dg
import time_machine
from dagster._core.workspace.context import WorkspaceProcessContext
from dagster._daemon.asset_daemon import AssetDaemon
from dagster._daemon.backfill import execute_backfill_iteration
from dagster._utils.warnings import disable_dagster_warnings
from dagster_shared.error import SerializableErrorInfo

from automation_ticks import at
from daemon import Daemon

DAGSTER_YAML = """
    run_launcher: {module: dagster._core.launcher.sync_in_memory_run_launcher, class: SyncInMemoryRunLauncher}
    telemetry: {enabled: false}
    """


@contextmanager
def open_queueing_instance(home: Path) -> Iterator[dg.DagsterInstance]:
    """An instance in the new folder *home*, whose runs wait until `AutomationDaemon.launch_queued`."""
    home.mkdir()
    (home / "dagster.yaml").write_text(dedent(DAGSTER_YAML))
    with dg.DagsterInstance.from_config(str(home)) as instance:
        yield instance


class AutomationDaemon(Daemon):
    """The daemon that evaluates automation conditions and carries out backfills, too, one iteration at a time."""

    def __init__(self, workspace: WorkspaceProcessContext) -> None:
        super().__init__(workspace)
        self.asset_daemon = AssetDaemon(settings={}, pre_sensor_interval_seconds=30)

    def iterate_all(self, moment: str) -> None:
        """One iteration of every part at *moment*, UTC, and all runs that come of it."""
        self.iterate(moment)
        self.evaluate_conditions(moment)
        self.launch_backfills(moment)
        self.launch_queued(moment)

    def evaluate_conditions(self, moment: str) -> None:
        """Evaluate all automation conditions at *moment*, and launch what they ask for."""
        at_once = threading.Event()
        at_once.set()  # the daemon waits for it before the next iteration
        with time_machine.travel(at(moment)), disable_dagster_warnings():  # Dagster 1.13 warns of what it does itself
            loop = self.asset_daemon.core_loop(self.workspace, at_once)
            told = list(iter(lambda: next(loop), None))
        assert [error for error in told if isinstance(error, SerializableErrorInfo)] == []

    def launch_backfills(self, moment: str) -> None:
        """One iteration over the backfills at *moment*."""
        with time_machine.travel(at(moment)), disable_dagster_warnings():
            told = list(execute_backfill_iteration(self.workspace, self.logger))
        assert [error for error in told if isinstance(error, SerializableErrorInfo)] == []

    def launch_queued(self, moment: str) -> list[dg.DagsterRun]:
        """Carry out all runs that wait, the oldest first."""
        queued = self.instance.get_runs(dg.RunsFilter(statuses=[dg.DagsterRunStatus.QUEUED]), ascending=True)
        with time_machine.travel(at(moment)), disable_dagster_warnings():
            for run in queued:
                self.instance.launch_run(run.run_id, self.workspace.create_request_context())
        return list(queued)

    def materialised(self, name: str) -> list[str | None]:
        """The partitions of an asset in the order in which they were materialised, each as often as it was."""
        key = dg.AssetKey.from_user_string(name)
        events = self.instance.fetch_materializations(key, limit=1000, ascending=True).records
        return [event.partition_key for event in events]
