"""The calls that a run-status sensor makes for a run, as marks in the log of that run."""

import os
import socket
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from threading import Lock

import dagster as dg
from dagster._core.events import EngineEventData
from dagster._utils.error import serializable_error_info_from_exc_info
from dagster_shared.error import SerializableErrorInfo

from floe_dagster.running.run_processes import is_living
from floe_dagster.sensors.run_status_cursor import MOST_CALLS, RETRY_SECONDS

_HOST, _PROCESS = "host", "pid"

_claimed: set[tuple[str, str]] = set()
_lock = Lock()


@dataclass(frozen=True, slots=True)
class MadeCalls:
    """What the log of a run says of the calls for it.

    Args:
        times: How many were begun.
        is_done: Whether one of them went well.
        begun: When the last one began, since the epoch.
        failed: When the last one failed; None where it has not reported back.
        host: Where the last one was made.
        process: The id of the process that made it.
        error: Why the last one failed.
    """

    times: int = 0
    is_done: bool = False
    begun: float = 0.0
    failed: float | None = None
    host: str = ""
    process: int = 0
    error: SerializableErrorInfo | None = None

    @property
    def due(self) -> float | None:
        """When the next call may be made; None where there is none any more."""
        if self.times >= MOST_CALLS:
            return None
        return 0.0 if self.times == 0 else (self.failed or self.begun) + RETRY_SECONDS[self.times - 1]

    @property
    def is_unreported(self) -> bool:
        """Whether the log says of the last call neither that it went well nor that it failed."""
        return self.times > 0 and not self.is_done and self.failed is None

    @property
    def may_run_elsewhere(self) -> bool:
        """Whether another process of this host may be at the last call; what other hosts do is not known."""
        if not self.is_unreported or self.host != socket.gethostname() or self.process == os.getpid():
            return False
        return is_living(self.process, since=self.begun)


@dataclass(frozen=True, slots=True)
class CallMarks:
    """The marks of one sensor's calls of a function for a run.

    Args:
        instance: Where the run's log is.
        sensor: The sensor's name.
        function: What it calls, as messages name it.
        run: The run.
        status: The status that it reached.
    """

    instance: dg.DagsterInstance
    sensor: str
    function: str
    run: dg.DagsterRun
    status: dg.DagsterRunStatus

    @contextmanager
    def claim(self) -> Iterator[bool]:
        """Keep the other threads of this process from the calls for this run; false where one of them is at it.

        Dagster waits 60 seconds for a tick. It then begins the next one, while the thread of the first goes on.
        """
        key = (self.run.run_id, self._called)
        with _lock:
            is_free = key not in _claimed
            _claimed.add(key)
        try:
            yield is_free
        finally:
            if is_free:
                _claimed.discard(key)

    def read(self) -> MadeCalls:
        """The calls so far."""
        made = MadeCalls()
        records = self.instance.get_records_for_run(self.run.run_id, of_type=dg.DagsterEventType.ENGINE_EVENT).records
        for entry in (record.event_log_entry for record in records):
            event = entry.dagster_event
            text = (event.message or "") if event is not None else ""
            if text == self._called:
                made = replace(made, is_done=True)
            elif text.startswith(self._failed):
                error = event.engine_event_data.error if event is not None else None
                made = replace(made, failed=entry.timestamp, error=error)
            elif event is not None and text.startswith(self._calls):
                told = event.engine_event_data.metadata
                host, process = str(told[_HOST].value), int(str(told[_PROCESS].value))
                made = MadeCalls(made.times + 1, made.is_done, entry.timestamp, None, host, process)
        return made

    def make(self, call: Callable[[], None], made: MadeCalls) -> None:
        """Make the next call after *made*, with a mark before it and one after it; its errors are passed on."""
        number = f"{made.times + 1} of {MOST_CALLS}"
        again = f", since call {made.times} did not report back" if made.is_unreported else ""
        told = {_HOST: socket.gethostname(), _PROCESS: str(os.getpid())}
        self.instance.report_engine_event(f"{self._calls}{number}{again}.", self.run, EngineEventData(told))
        try:
            call()
        except Exception:
            error = serializable_error_info_from_exc_info(sys.exc_info())
            self.instance.report_engine_event(f"{self._failed}{number}.", self.run, EngineEventData.engine_error(error))
            raise
        self.instance.report_engine_event(self._called, self.run)

    def give_up(self) -> None:
        """Note that the last call did not report back and that there is none after it."""
        text = f"{self._what('calls')} no more: call {MOST_CALLS} of {MOST_CALLS} did not report back."
        self.instance.report_engine_event(text, self.run)

    @property
    def _calls(self) -> str:
        return f"{self._what('calls')}: call "

    @property
    def _failed(self) -> str:
        return f"{self._what('called')}, which failed: call "

    @property
    def _called(self) -> str:
        return f"{self._what('called')}."

    def _what(self, verb: str) -> str:
        return f'Sensor "{self.sensor}" {verb} {self.function} for status {self.status.value}'
