"""The processes of a run, by what they told of themselves in its event log."""

import os
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import dagster as dg

_PROCESS_EVENTS = {
    dg.DagsterEventType.ENGINE_EVENT,
    dg.DagsterEventType.STEP_WORKER_STARTING,
    dg.DagsterEventType.STEP_WORKER_STARTED,
}
_SECONDS_TO_BEGIN = 60.0  # from the launch of a step's process to its first word
_CLOCK_SECONDS = 2.0  # the starts of processes are known to the second


def told_processes(run: dg.DagsterRun, instance: dg.DagsterInstance) -> list[tuple[int, float]]:
    """The ids that the run's processes told, each with the moment (seconds since the epoch)."""
    return [
        (process, entry.timestamp) for entry in _entries(run, instance) if (process := _process_of(entry)) is not None
    ]


def has_living_process(run: dg.DagsterRun, instance: dg.DagsterInstance) -> bool:
    """Whether a process of the run lives on this machine, or a step's was launched just now and has not said so yet.

    The process of a step goes on when the one that started it is killed, and still materialises what it is at.
    """
    if any(is_living(process, since=moment) for process, moment in told_processes(run, instance)):
        return True
    launched = {entry.step_key: entry.timestamp for entry in _entries(run, instance, begin=True)}
    for entry in _entries(run, instance):
        launched.pop(entry.step_key, None)
    return any(time.time() - moment < _SECONDS_TO_BEGIN for moment in launched.values())


def is_living(process: int, *, since: float) -> bool:
    """Whether the process of that id lives and is the one that had it at the moment *since* (since the epoch)."""
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    with suppress(OSError, ValueError, IndexError):  # a system without /proc does not tell
        fields = Path(f"/proc/{process}/stat").read_text(errors="replace").rpartition(")")[2].split()
        began = _boot_time() + int(fields[19]) / os.sysconf("SC_CLK_TCK")
        return fields[0] != "Z" and began <= since + _CLOCK_SECONDS
    return True


def _entries(run: dg.DagsterRun, instance: dg.DagsterInstance, *, begin: bool = False) -> Iterator[dg.EventLogEntry]:
    """What processes tell once they are there; with *begin*, that those of steps are launched."""
    starting = dg.DagsterEventType.STEP_WORKER_STARTING
    for entry in instance.all_logs(run.run_id, of_type=_PROCESS_EVENTS):
        if entry.dagster_event is not None and (entry.dagster_event.event_type is starting) is begin:
            yield entry


def _process_of(entry: dg.EventLogEntry) -> int | None:
    data = entry.dagster_event.event_specific_data if entry.dagster_event is not None else None
    text = str(getattr(getattr(data, "metadata", {}).get("pid"), "value", ""))
    return int(text) if text.isdigit() else None


def _boot_time() -> float:
    lines = Path("/proc/stat").read_text().splitlines()
    return float(next(line.split()[1] for line in lines if line.startswith("btime")))
