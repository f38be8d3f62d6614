"""Following a run by its event log, the only place where the events of every executor arrive."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeAlias

import dagster as dg

from floe_dagster.running.launches import Launch
from floe_dagster.running.run_ledger import RunLedger
from floe_dagster.running.run_news import RunNews

Listener: TypeAlias = Callable[[RunNews], None]

_SECONDS_UNTIL_FOUND = 0.05
_SECONDS_BETWEEN_READS = 0.2
_PAGE = 1000


class RunWatch:
    """Enters what happens in the run of a launch into a ledger, and tells the listener what is new."""

    def __init__(
        self,
        instance: dg.DagsterInstance,
        launch: Launch,
        ledger: RunLedger,
        listener: Listener,
        *,
        begin: Callable[[str], None],
    ) -> None:
        """Begin is called with the id of the run, once there is one."""
        self._instance = instance
        self._launch = launch
        self._ledger = ledger
        self._listener = listener
        self._begin = begin
        self._stop = threading.Event()
        self._run_id: str | None = None
        self._cursor: str | None = None

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Follow the run during the block; at its end everything has been told."""
        thread = threading.Thread(target=self._follow, name="floe-run-watch", daemon=True)
        thread.start()
        try:
            yield
        finally:
            self._stop.set()
            thread.join()
            self._read()

    def _follow(self) -> None:
        while not self._stop.wait(_SECONDS_BETWEEN_READS if self._run_id else _SECONDS_UNTIL_FOUND):
            self._read()

    def _read(self) -> None:
        if self._run_id is None:
            run = self._launch.find_run(self._instance)
            if run is None:
                return
            self._run_id = self._ledger.run_id = run.run_id
            self._begin(run.run_id)
        while True:
            page = self._instance.get_records_for_run(self._run_id, cursor=self._cursor, limit=_PAGE)
            self._cursor = page.cursor
            for record in page.records:
                event = record.event_log_entry.dagster_event
                if event is not None:
                    for news in self._ledger.record(event, record.event_log_entry.timestamp):
                        self._listener(news)
            if not page.has_more:
                return
