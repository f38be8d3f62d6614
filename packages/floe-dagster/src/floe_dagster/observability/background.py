"""Sending without keeping a run waiting: a bounded queue, one thread, and a pause where nobody answers."""

import os
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from typing import Generic, TypeAlias, TypeVar

from floe_dagster.observability.masking import without_credentials

T = TypeVar("T")
Send: TypeAlias = Callable[[Sequence[T]], bool]
Lose: TypeAlias = Callable[[Sequence[T]], None]

_LONGEST_QUEUE = 4096
_LARGEST_BATCH = 256
_ATTEMPTS = 3
_SECONDS_TO_GATHER = 0.5  # what is there within that time is sent together
_FIRST_PAUSE = 5.0
_LONGEST_PAUSE = 60.0
UNREACHED = "the backend could not be reached"
UNANSWERED = "the backend did not answer in time"
_TOO_MANY = "more came than could be sent in the time"
_UNCONNECTED = "there was no time to connect to the backend"
_PATIENCE = 2.0  # what a process waits altogether for a backend that does not take what it is given


class BackgroundSender(Generic[T]):
    """Sends items in their order from a thread of its own, which begins with the first of them.

    What finds the queue full is dropped. A batch that does not arrive is tried again after a pause, some times; what
    has not arrived when the process waits for it is dropped.

    Args:
        connect: Called in that thread before the first item; gives what sends a batch and says whether it arrived.
            It may import and open what sending needs; where it fails, nothing can be sent.
        name: Name of the thread.
        lose: Given what is dropped, in its order; returns at once.
        longest_queue: Items that wait at most.
    """

    def __init__(
        self,
        connect: Callable[[], Send[T]],
        *,
        name: str,
        lose: Lose[T] = lambda _: None,
        longest_queue: int = _LONGEST_QUEUE,
    ) -> None:
        self._connect = connect
        self._lose = lose
        self._name = name
        self._longest_queue = longest_queue
        self._reset()

    def _reset(self) -> None:
        self._changed = threading.Condition()
        self._queue: deque[T] = deque()
        self._in_flight: list[T] = []
        self._thread: threading.Thread | None = None
        self._process = os.getpid()
        self._is_flushing = False
        self._is_refused = False
        self._dropped = 0
        self.trouble = UNREACHED
        """Why the last of what was dropped did not arrive."""
        self._reason = ""
        self._is_connected = False
        self._failures = 0
        self._resumes_at = 0.0
        self._patience = _PATIENCE

    def put(self, item: T) -> None:
        """Send *item* sometime; returns at once."""
        if self._process != os.getpid():  # a fork has the queue, and not the thread
            self._reset()
        with self._changed:
            if len(self._queue) >= self._longest_queue:
                self._drop([item], why=_TOO_MANY)
                return
            self._queue.append(item)
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, name=self._name, daemon=True)
                self._thread.start()
            else:
                self._changed.notify_all()

    def tell(self, reason: str) -> None:
        """Say why it is that what is being sent does not arrive: for what sends, in its thread."""
        self._reason = reason

    def flush(self, seconds: float) -> None:
        """Wait until everything is sent, for *seconds* at most; then drop what is not.

        Who has waited in vain before waits only for what is left of their patience.
        """
        if self._process != os.getpid() or self._thread is None:
            return
        began = time.monotonic()
        with self._changed:
            self._is_flushing, self._is_refused = True, False
            self._changed.notify_all()
            self._changed.wait_for(
                lambda: self._is_idle() or self._is_refused, timeout=max(min(seconds, self._patience), 0.0)
            )
            self._is_flushing = False
            if self._is_idle():
                return
            self._patience -= time.monotonic() - began
            self._drop_all()

    def collect_dropped(self) -> int:
        """How many items were dropped since this was last asked."""
        with self._changed:
            dropped, self._dropped = self._dropped, 0
        return dropped

    def _is_idle(self) -> bool:
        return not self._queue and not self._in_flight

    def _is_due(self) -> bool:
        return self._is_flushing or (len(self._queue) >= _LARGEST_BATCH and time.monotonic() >= self._resumes_at)

    def _work(self) -> None:
        send = self._find_send()
        self._is_connected = True
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._queue)
                pause = max(self._resumes_at - time.monotonic(), _SECONDS_TO_GATHER)
                self._changed.wait_for(self._is_due, timeout=pause)
                batch = [self._queue.popleft() for _ in range(min(len(self._queue), _LARGEST_BATCH))]
                self._in_flight = batch
            if not batch:  # dropped in the meantime
                continue
            self._reason = ""
            try:
                is_sent = send(batch)
            except Exception as error:  # noqa: BLE001 - whatever it is, the batch did not arrive
                # Not its text: clients quote the request, whose headers hold credentials in forms that nothing here
                # knows (encoded, or a part of a variable), and whose body holds the user's values.
                self._reason = self._reason or f"sending raised {type(error).__name__}"
                is_sent = False
            with self._changed:
                self._note(is_sent=is_sent)
                self._changed.notify_all()

    def _find_send(self) -> Send[T]:
        try:
            return self._connect()
        except Exception as error:  # noqa: BLE001 - whatever it is, nothing can be sent, and `trouble` says why
            reason = f"nothing can be sent: {type(error).__name__}: {without_credentials(str(error))}"

        def send_nothing(_: Sequence[T]) -> bool:
            self.tell(reason)
            return False

        return send_nothing

    def _note(self, *, is_sent: bool) -> None:
        batch, self._in_flight = self._in_flight, []
        if is_sent:
            self._failures, self._resumes_at, self._patience = 0, 0.0, _PATIENCE
            self._reason = ""
            return
        self._failures += 1
        self._is_refused, self._is_flushing = True, False
        self._resumes_at = time.monotonic() + min(_FIRST_PAUSE * 2 ** (self._failures - 1), _LONGEST_PAUSE)
        if self._failures % _ATTEMPTS and len(self._queue) + len(batch) <= self._longest_queue:
            self._queue.extendleft(reversed(batch))
        else:
            self._drop(batch, why=UNREACHED)

    def _drop_all(self) -> None:
        lost = [*self._in_flight, *self._queue]
        self._queue.clear()
        self._in_flight = []
        self._drop(lost, why=UNANSWERED if self._is_connected else _UNCONNECTED)

    def _drop(self, items: Sequence[T], *, why: str) -> None:
        """Drop *items*: because of *why*, where what sends has not told better."""
        self.trouble = self._reason or why
        self._dropped += len(items)
        self._lose(items)
