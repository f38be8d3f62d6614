"""Which runs are carried out by a process that is alive, and the end of those whose process is not.

A process that carries out a run holds a lock for as long as it does. The operating system gives the lock back when the
process dies, however it dies, so that whoever gets the lock knows that nobody carries out the run any more.
"""

import socket
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import dagster as dg
from dagster._core.events import JobFailureData, RunFailureReason
from filelock import FileLock, Timeout

from floe_dagster.running.run_processes import has_living_process
from floe_dagster.running.untold_ends import note_untold_end

PROJECT_TAG = "floe/project"
"""The tag that names the project of a run: several projects may share a Dagster instance."""

LAUNCH_TAG = ".floe/launch"  # tags that begin with a dot are kept and not shown
LAUNCHES_DIR = "launches"

_FORGOTTEN_AFTER_DAYS = 30
_SECONDS_PER_DAY = 86_400


@dataclass(frozen=True, slots=True)
class Launch:
    """One call of Dagster, and the run that it makes. Its run is known only once Dagster has made it."""

    name: str

    @classmethod
    def begin(cls) -> "Launch":
        """A launch with a name that no other has."""
        return cls(uuid.uuid4().hex)

    @property
    def tags(self) -> dict[str, str]:
        """The run's tags by which it is found."""
        return {LAUNCH_TAG: self.name}

    def find_run(self, instance: dg.DagsterInstance) -> dg.DagsterRun | None:
        """Its run, once there is one."""
        runs = instance.get_runs(dg.RunsFilter(tags=self.tags), limit=1)
        return runs[0] if runs else None

    @contextmanager
    def held(self, folder: Path) -> Iterator[None]:
        """Show in *folder*, for as long as the block and this process last, that the run is carried out."""
        folder.mkdir(parents=True, exist_ok=True)
        file = folder / f"{self.name}.{_host()}"
        with FileLock(file):
            try:
                yield
            finally:
                file.unlink(missing_ok=True)


def end_abandoned_runs(folder: Path, instance: dg.DagsterInstance) -> list[dg.DagsterRun]:
    """Mark the runs as failed whose process was killed on this machine, and give them.

    Without that they would be shown as running for ever: nobody is left to say that they are not. Runs in an instance
    other than *instance* stay noted in *folder*, and so do those of which a step goes on in a process of its own.
    """
    ended = []
    for file in _files_of_this_host(folder):
        lock = FileLock(file)
        with suppress(Timeout), lock.acquire(timeout=0):
            run = Launch(file.stem).find_run(instance)
            if run is not None and not run.is_finished and has_living_process(run, instance):
                continue
            if run is not None or _is_forgotten(file):
                file.unlink(missing_ok=True)
            if run is not None and not run.is_finished:
                _end_run(run, instance)
                ended.append(run)
    return ended


def _end_run(run: dg.DagsterRun, instance: dg.DagsterInstance) -> None:
    note_untold_end(run, instance)
    reason = f"Its process on {_host()} is gone: it was killed, or the machine was restarted."
    if run.status is dg.DagsterRunStatus.CANCELING:
        instance.report_run_canceled(run, message=reason)
    else:
        data = JobFailureData(error=None, failure_reason=RunFailureReason.UNEXPECTED_TERMINATION)
        instance.report_run_failed(run, message=reason, job_failure_data=data)
    free_pools(run.run_id, instance)


def free_pools(run_id: str, instance: dg.DagsterInstance) -> None:
    """Give back the places in pools that steps of the run did not leave."""
    if instance.event_log_storage.supports_global_concurrency_limits:
        instance.event_log_storage.free_concurrency_slots_for_run(run_id)


def _files_of_this_host(folder: Path) -> Iterator[Path]:
    # Another machine may share the folder, and not every file system tells its machines of each other's locks.
    return (file for file in folder.iterdir() if file.suffix == f".{_host()}") if folder.is_dir() else iter(())


def _is_forgotten(file: Path) -> bool:
    with suppress(FileNotFoundError):
        return time.time() - file.stat().st_mtime > _FORGOTTEN_AFTER_DAYS * _SECONDS_PER_DAY
    return False


def _host() -> str:
    """This machine's name, as a file name may have it."""
    return socket.gethostname().replace("/", "-").replace(".", "-") or "localhost"
