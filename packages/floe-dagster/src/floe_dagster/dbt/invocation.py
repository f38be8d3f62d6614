"""A running dbt call: its events, and its end, whatever interrupts it. Imports dagster-dbt and dbt."""

import logging
import os
import select
import signal
import subprocess
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import fields
from pathlib import Path
from typing import IO, Any, TypeAlias

import dagster as dg
import orjson
from dagster._core.utils import exhaust_iterator_and_yield_results_with_exception
from dagster_dbt import DbtCliInvocation
from dagster_dbt.core.dbt_cli_event import DbtCliEventMessage
from dagster_dbt.core.dbt_event_iterator import DbtDagsterEventType, DbtEventIterator
from dbt.adapters.base.impl import BaseAdapter

from floe_dagster.dbt.error_lines import add_places
from floe_dagster.dbt.files import copy_file, prune
from floe_dagster.dbt.parsed_state import PARSED_STATE
from floe_dagster.observability.dbt_log.call_tap import CallTap
from floe_dagster.secrets import without_known_secrets

Fetch: TypeAlias = Callable[[DbtCliInvocation, DbtDagsterEventType], dict[str, Any] | None]

_DUCKDB = "duckdb"
_TELLS_COMMANDS = "dbt_cli_invocation"  # the module of dagster-dbt
_SECONDS_TO_CANCEL = 3.0  # what DuckDB does is canceled in a moment; queries in a warehouse take dagster-dbt's 25
_SECONDS_TO_DIE = 1.0
_SECONDS_TO_EXIT = 5.0  # of a dbt that has said all it has to say
_MILLISECONDS_OF_SILENCE = 500  # after which what dbt has written to its log is observed
_CHUNK = 1 << 16


class _WithoutSecrets(logging.Filter):
    """Masks what dagster-dbt logs of a call that begins: its whole command."""

    def filter(self, record: logging.LogRecord) -> bool:
        if record.module == _TELLS_COMMANDS:
            record.msg = without_known_secrets(record.getMessage())
            record.args = ()
        return True


dg.get_dagster_logger().addFilter(_WithoutSecrets())


class DeferredAdapter:
    """An adapter that is not built yet."""

    def __init__(self, build: Callable[[], BaseAdapter]) -> None:
        self.build = build


class FloeDbtInvocation(DbtCliInvocation):
    """A running dbt call that ends with whoever reads it, and whose adapter is built when it is first used."""

    _keep: Path | None = None
    _state: Path | None = None
    _adapter: BaseAdapter | DeferredAdapter | None = None
    _tap: CallTap | None = None
    """Observes the call, where it is observed."""
    _has_begun: bool = False
    """Whether dbt has said something about a node: there may be something for it to cancel."""

    @classmethod
    def of(cls, invocation: DbtCliInvocation, *, keep: Path | None, state: Path | None) -> "FloeDbtInvocation":
        """The same call, in place of *invocation*.

        A project that dbt has to parse is kept at *keep*. The file *state*, from which dbt starts, is deleted with it.
        """
        own = cls(**{item.name: getattr(invocation, item.name) for item in fields(invocation) if item.init})
        own._keep, own._state = keep, state
        return own

    def observe(self, tap: CallTap) -> None:
        """Let *tap* see what dbt prints, from its first line, and how it ends."""
        self._tap = tap

    @property
    def adapter(self) -> BaseAdapter | None:
        """dbt's adapter in this process, or None where it cannot be built."""
        if isinstance(self._adapter, DeferredAdapter):
            try:
                self._adapter = self._adapter.build()
            except Exception:  # noqa: BLE001 - what is fetched with it is a bonus, as dagster-dbt has it
                self._adapter = None
                dg.get_dagster_logger().warning("dbt's adapter cannot be built in this process", exc_info=True)
        return self._adapter

    @adapter.setter
    def adapter(self, adapter: BaseAdapter | DeferredAdapter | None) -> None:
        self._adapter = adapter

    @property
    def is_on_duckdb(self) -> bool:
        """Whether the project is built by DuckDB."""
        return bool(self.manifest.get("metadata", {}).get("adapter_type") == _DUCKDB)

    @property
    def dbt_command(self) -> str:
        """The command as it is told in errors and logs: its vars may hold secrets."""
        return without_known_secrets(super().dbt_command)

    def stream(self) -> "FloeDbtEvents":
        """The events of dbt as Dagster's."""
        return FloeDbtEvents(self._stream_asset_events(), self)

    def stream_raw_events(self) -> Iterator[DbtCliEventMessage]:
        """The events of dbt; at their end, a project that dbt had to parse is kept for the next call."""
        try:
            yield from super().stream_raw_events()
        except BaseException:  # an interrupt too, wherever between two lines it arrives
            self.end()
            raise
        finally:
            self._put_parsed_state_away()

    def _put_parsed_state_away(self) -> None:
        parsed = self.target_path / PARSED_STATE
        if self._keep is not None and parsed.is_file():
            copy_file(parsed, self._keep)
            prune(self._keep.parent)
        for file in (parsed, self._state):
            if file is not None:
                file.unlink(missing_ok=True)

    def _format_error_messages(self) -> str:
        said = self._error_messages
        self._error_messages = add_places(said, project_dir=self.project_dir, target_path=self.target_path)
        try:
            return without_known_secrets(super()._format_error_messages())  # dbt quotes what the database was given
        finally:
            self._error_messages = said

    def end(self) -> None:
        """End dbt if it is still running: it may cancel what it does, and is killed if that takes long."""
        is_interrupted = self.process.poll() is None
        self._end_process()
        self._end_tap(is_interrupted=is_interrupted)

    def _end_tap(self, *, is_interrupted: bool = False) -> None:
        if self._tap is not None:
            is_success = self.process.poll() == 0 and not self._error_messages
            self._tap.end(is_success=is_success, is_interrupted=is_interrupted, errors=self._error_messages)

    def _end_process(self) -> None:
        patience = _SECONDS_TO_CANCEL if self.is_on_duckdb else self.termination_timeout_seconds
        # While dbt starts it may swallow an interrupt, and while it waits for its turn at the database it goes on.
        cancel = [(signal.SIGINT, patience)] if self._has_begun else []
        for sent, seconds in (*cancel, (signal.SIGTERM, _SECONDS_TO_DIE), (signal.SIGKILL, _SECONDS_TO_DIE)):
            if self.process.poll() is not None:
                return
            self.process.send_signal(sent)
            with suppress(subprocess.TimeoutExpired):
                self.process.communicate(timeout=seconds)  # reads on: dbt may wait for somebody to read what it says

    def _stream_stdout(self) -> Iterator[str | dict[str, Any]]:
        """Each line that dbt prints, as its event where it is one.

        In place of dagster-dbt's, which takes an interrupt while it parses a line for a line that is no event.
        """
        stdout = self.process.stdout
        if stdout is None or stdout.closed:
            return
        for line in self._read_lines(stdout):
            event = _parse_event(line.decode(errors="replace").strip())
            if isinstance(event, dict):
                self._has_begun |= "node_info" in event["data"]
                if event["info"]["level"] == "error":
                    self._error_messages.append(event["info"]["msg"])
                if self._tap is not None:
                    self._tap.take(event)
            yield event
        stdout.close()
        if self._tap is not None:
            with suppress(subprocess.TimeoutExpired):
                self.process.wait(timeout=_SECONDS_TO_EXIT)
            self._end_tap()

    def _read_lines(self, stdout: IO[bytes]) -> Iterator[bytes]:
        """The lines of dbt; while it says nothing, what it does is observed by its log."""
        if self._tap is None or not hasattr(select, "poll"):
            yield from stdout
            return
        waiting = select.poll()
        waiting.register(stdout, select.POLLIN)
        unfinished = b""
        while True:
            if not waiting.poll(_MILLISECONDS_OF_SILENCE):
                self._tap.look()
                continue
            chunk = os.read(stdout.fileno(), _CHUNK)
            if not chunk:
                break
            *lines, unfinished = (unfinished + chunk).split(b"\n")
            yield from lines
        if unfinished:
            yield unfinished


class FloeDbtEvents(DbtEventIterator[DbtDagsterEventType]):
    """The events of a dbt call, with methods that fetch more about each model.

    What is fetched, and the events that come of it, are dagster-dbt's. It however reads dbt in a thread that no
    interrupt reaches, and meanwhile asks without a pause whether something has come.
    """

    def _attach_metadata(self, fn: Fetch) -> "FloeDbtEvents":
        invocation = self._dbt_cli_invocation

        def attach(event: DbtDagsterEventType) -> DbtDagsterEventType:
            found = fn(invocation, event)
            return event if found is None else event.with_metadata({**event.metadata, **found})

        _ = invocation.adapter  # built while dbt starts
        on_duckdb = isinstance(invocation, FloeDbtInvocation) and invocation.is_on_duckdb
        return FloeDbtEvents(self._after_dbt(attach) if on_duckdb else self._beside_dbt(attach), invocation)

    def _after_dbt(self, attach: Callable[[DbtDagsterEventType], DbtDagsterEventType]) -> Iterator[DbtDagsterEventType]:
        """Attach when dbt has ended: DuckDB lets nobody else read while dbt writes."""
        yield from map(attach, exhaust_iterator_and_yield_results_with_exception(self))

    def _beside_dbt(
        self, attach: Callable[[DbtDagsterEventType], DbtDagsterEventType]
    ) -> Iterator[DbtDagsterEventType]:
        """Attach while dbt goes on, to several events at once; they are given in dbt's order."""
        pool = ThreadPoolExecutor(self._dbt_cli_invocation.postprocessing_threadpool_num_threads)
        waiting: deque[Future[DbtDagsterEventType]] = deque()
        failure: Exception | None = None
        try:
            try:
                for event in self:
                    waiting.append(pool.submit(attach, event))
                    while waiting and waiting[0].done():
                        yield waiting.popleft().result()
            except Exception as error:  # noqa: BLE001 - dbt's, told when all that it built is
                failure = error
            while waiting:
                yield waiting.popleft().result()
            if failure is not None:
                raise failure
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


def _parse_event(line: str) -> str | dict[str, Any]:
    try:
        event = orjson.loads(line)
        event["info"]["level"], event["data"]
    except (ValueError, KeyError, TypeError):
        return line
    return event if isinstance(event, dict) else line
