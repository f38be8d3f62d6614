"""Runs that Dagster launched on this machine and whose process was killed together with whoever would have told.

A code server marks the runs of its processes that die. Where it was killed too, nobody does, and Dagster's own run
monitoring does not look at processes of the default launcher.
"""

import json
import socket
import time
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

import dagster as dg
from dagster._core.events import JobFailureData, RunFailureReason
from dagster._core.storage.tags import GRPC_INFO_TAG

from floe_dagster.running.launches import free_pools
from floe_dagster.running.run_processes import has_living_process, told_processes
from floe_dagster.running.untold_ends import note_untold_end

_UNDER_WAY = frozenset({dg.DagsterRunStatus.STARTING, dg.DagsterRunStatus.STARTED, dg.DagsterRunStatus.CANCELING})
_SECONDS_TO_BEGIN = 60.0  # from the launch of a run to the first word of its process
_GONE = "Its process is gone, and the code server that launched it too: they were killed, or the machine was restarted."


def end_runs_of_killed_workers(runs: Iterable[dg.DagsterRun], instance: dg.DagsterInstance) -> list[dg.DagsterRun]:
    """Mark those of *runs* as failed whose processes have certainly been killed, and give them."""
    ended = []
    for run in runs:
        if run.status in _UNDER_WAY and _is_orphaned(run) and not _may_live(run, instance):
            _end_run(run, instance)
            ended.append(run)
    return ended


def _is_orphaned(run: dg.DagsterRun) -> bool:
    """Whether it was launched by a code server of this machine that is no more."""
    path = _socket_of(run)
    if path is None or not path.exists():  # of another machine, for all one knows
        return False
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as client:
        try:
            client.connect(str(path))
        except ConnectionRefusedError:
            return True
        except OSError:
            return False
    return False


def _socket_of(run: dg.DagsterRun) -> Path | None:
    with suppress(ValueError, TypeError):
        path = json.loads(run.tags.get(GRPC_INFO_TAG, "{}")).get("socket")
        return Path(path) if path else None
    return None


def _may_live(run: dg.DagsterRun, instance: dg.DagsterInstance) -> bool:
    """Whether one of the run's processes lives; one that has not said its id yet does so within a minute."""
    if told_processes(run, instance):
        return has_living_process(run, instance)
    record = instance.get_run_record_by_id(run.run_id)
    return record is not None and time.time() - record.update_timestamp.timestamp() < _SECONDS_TO_BEGIN


def _end_run(run: dg.DagsterRun, instance: dg.DagsterInstance) -> None:
    note_untold_end(run, instance)
    if run.status is dg.DagsterRunStatus.CANCELING:
        instance.report_run_canceled(run, message=_GONE)
    else:
        data = JobFailureData(error=None, failure_reason=RunFailureReason.UNEXPECTED_TERMINATION)
        instance.report_run_failed(run, message=_GONE, job_failure_data=data)
    free_pools(run.run_id, instance)
