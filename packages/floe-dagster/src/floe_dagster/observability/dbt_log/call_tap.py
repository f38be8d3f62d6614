"""What observers are told of one dbt call, while somebody reads what dbt prints."""

import re
import time
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from floe_dagster.observability.dbt_log.lifecycle import NodeLifecycle
from floe_dagster.observability.dbt_log.log_tail import LogTail
from floe_dagster.observability.dbt_log.plain_log import write_plain_log
from floe_dagster.observability.observers import Observers, Warn
from floe_dagster.observability.records import CallEnded, CallStarted, DbtCall, ErrorFact, Outcome, Record

_COLOURS = re.compile(r"\x1b\[[0-9;]*m")
_FAILED = "dbt failed"


class CallTap:
    """Makes records of what dbt writes to its log and prints.

    It is called between two lines of dbt by whoever reads them: it neither waits nor raises, and there is no thread.

    Args:
        observers: Told of every record.
        tail: The call's log.
        describe: Gives the call once dbt has said the id of its invocation.
        has_nodes: Whether the command builds or tests nodes: others, such as `compile`, look at nodes too.
        makes_plain: Whether the log becomes text when dbt has ended.
        warn: Told of each kind of trouble once.
    """

    def __init__(
        self,
        observers: Observers,
        *,
        tail: LogTail,
        describe: Callable[[str], DbtCall],
        has_nodes: bool,
        makes_plain: bool = False,
        warn: Warn,
    ) -> None:
        self._observers = observers
        self._tail = tail
        self._describe = describe
        self._has_nodes = has_nodes
        self._makes_plain = makes_plain
        self._warn = warn
        self._told: set[str] = set()
        self._started_at = time.time_ns()
        self._invocation_id: str | None = None
        self._lifecycle: NodeLifecycle | None = None
        self._call: DbtCall | None = None
        self._has_ended = False

    def take(self, printed: Mapping[str, Any]) -> None:
        """Take in an event that dbt has printed, and what is in the log by now."""
        with self._guarded():
            if self._invocation_id is None:
                self._begin(printed["info"].get("invocation_id"))
            self.look()
            if "node_info" in printed["data"]:
                self._take_node(printed)

    def look(self) -> None:
        """Take in what dbt has added to its log."""
        with self._guarded():
            if not self._has_nodes or self._has_ended:
                return
            for event in self._tail.read(self._invocation_id):
                with self._guarded():  # one that cannot be told does not cost the others
                    if self._invocation_id is None:
                        self._begin(self._tail.invocation_id)
                    if self._lifecycle is not None:
                        self._observe(self._lifecycle.take(event))

    def end(self, *, is_success: bool, is_interrupted: bool, errors: Sequence[str] = ()) -> None:
        """dbt has ended: take in the rest of the log, end what is open and send what is waiting; once only.

        Args:
            is_success: Whether dbt says so.
            is_interrupted: Whether it was ended, because nobody reads on.
            errors: What dbt has printed of errors.
        """
        if self._has_ended:
            return
        self.look()
        self._has_ended = True
        with self._guarded():
            if self._call is None:
                self._begin(str(uuid.uuid4()))
            self._end_call(is_success=is_success, is_interrupted=is_interrupted, errors=errors)
        with self._guarded():
            if self._makes_plain and self._tail.file.is_file():
                write_plain_log(self._tail.file)
        with self._guarded():
            self._observers.flush()

    def _begin(self, invocation_id: str | None) -> None:
        if invocation_id is None:
            return
        self._invocation_id = invocation_id
        self._call = self._describe(invocation_id)
        self._lifecycle = NodeLifecycle(self._call)
        self._observers.observe(CallStarted(self._call, self._started_at))

    def _take_node(self, printed: Mapping[str, Any]) -> None:
        lifecycle = self._lifecycle
        if lifecycle is None or not self._has_nodes or self._has_ended:
            return
        if not self._tail.has_events and not lifecycle.knows(printed):
            self._tell("dbt.log", "dbt's log cannot be read: less is observed of its nodes than there is")
        self._observe(lifecycle.take(printed))
        self._observe(lifecycle.take_printed(printed))

    def _end_call(self, *, is_success: bool, is_interrupted: bool, errors: Sequence[str]) -> None:
        call, lifecycle = self._call, self._lifecycle
        if call is None or lifecycle is None:
            return
        outcome = Outcome.CANCELLED if is_interrupted else Outcome.SUCCEEDED if is_success else Outcome.FAILED
        at = max(time.time_ns(), self._started_at)  # a clock may step back
        self._observe(lifecycle.close(at=at, outcome=Outcome.CANCELLED if is_interrupted else Outcome.FAILED))
        if self._tail.unreadable:
            self._tell("line", f"{self._tail.unreadable} lines of dbt's log are no events, and were left out")
        message = _COLOURS.sub("", "\n".join(errors)).strip() or "dbt ended with an error"
        error = None if outcome is Outcome.SUCCEEDED else ErrorFact(_FAILED, message)
        self._observers.observe(CallEnded(call, self._started_at, at, outcome, error, tuple(lifecycle.built)))

    def _observe(self, records: Iterable[Record]) -> None:
        for record in records:
            if self._call is not None and self._call.per_node:
                self._observers.observe(record)

    @contextmanager
    def _guarded(self) -> Iterator[None]:
        """Let no trouble of observing reach the run; interrupts go through."""
        try:
            yield
        except Exception as error:  # noqa: BLE001 - whatever it is, the run goes on
            self._tell(type(error).__name__, f"a dbt call could not be observed: {type(error).__name__}: {error}")

    def _tell(self, kind: str, message: str) -> None:
        if kind not in self._told:
            self._told.add(kind)
            self._warn(message)
