"""How a run in this process ends before its time: somebody interrupts it, or it takes longer than it may."""

import select
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from math import inf

import dagster as dg

from floe_dagster.running.child_processes import kill_descendants
from floe_dagster.running.launches import Launch, free_pools

Leave = Callable[[], object]

_SIGNALS: frozenset[int] = frozenset({signal.SIGINT, signal.SIGTERM})
_ONE_WISH_SECONDS = 0.3  # a terminal and a program that started floe in it may both send a signal for one Ctrl-C
_PATIENCE_SECONDS = 10.0
_PATIENCE_BETWEEN_TRIES = 2.0
_SECONDS_TO_NOTICE = 1.0  # that the processes it waited for are gone
_SECONDS_TO_RECORD = 3.0
_INTERRUPTED = "It was interrupted where it was started."
_OVERDUE = "It took longer than its max_runtime_seconds."
_BYTES = 1000


class Interruption:
    """Ends one run for good at the first SIGINT or SIGTERM, and at once at the second.

    Dagster raises an interrupt in the step that is running, or keeps it until the next step begins, and records a
    failure unless the run is marked as about to be canceled by then. It waits without end where a step goes on all the
    same, or waits for a lock or for another process. So Python notes every signal in a pipe as soon as it arrives,
    whatever the main thread does, and a thread reads there: it marks the run, and in the end ends it by force.
    """

    def __init__(self, instance: dg.DagsterInstance, launch: Launch, *, tell: Callable[[], None]) -> None:
        self.is_overdue = False
        self._instance = instance
        self._launch = launch
        self._tell = tell
        self._lock = threading.RLock()
        self._over = threading.Event()
        self._note: socket.socket | None = None
        self._own_signals = 0
        self._wished_at = inf
        self._deadline = inf
        self._is_marked = False

    @contextmanager
    def watching(self, leave: Leave | None) -> Iterator[None]:
        """Watch for signals during the block, which runs in the main thread: no other gets any.

        Args:
            leave: Ends this process. It is called from another thread where the run goes on although everything was
                done to end it; its status is recorded then. Without it such a run goes on.
        """
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        handlers = {number: signal.getsignal(number) for number in _SIGNALS}
        self._note, pipe = socket.socketpair()
        with self._note, pipe:
            self._note.setblocking(False)
            pipe.setblocking(False)
            before = signal.set_wakeup_fd(pipe.fileno(), warn_on_full_buffer=False)
            watcher = threading.Thread(target=self._watch, args=(self._note, leave), name="floe-signals", daemon=True)
            watcher.start()
            try:
                yield
            finally:
                self._over.set()
                signal.set_wakeup_fd(before)
                for number, handler in handlers.items():  # Dagster leaves SIGTERM as a copy of SIGINT
                    signal.signal(number, handler)
                pipe.send(b"\0")
                watcher.join()

    @contextmanager
    def after(self, seconds: int) -> Iterator[None]:
        """End the run when the block takes longer; 0 is no limit."""
        if not seconds or threading.current_thread() is not threading.main_thread():
            yield
            return
        timer = threading.Timer(seconds, self._end_overdue)
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()

    def cover(self, run_id: str) -> None:
        """See to it that this run is marked before Dagster, having recorded what an interrupt broke, looks for that."""
        self._instance.add_event_listener(run_id, self._on_event)

    def settle(self) -> dg.DagsterRun | None:
        """The run as an interrupt leaves it that came where Dagster does not expect one."""
        self._record_end()
        return self._launch.find_run(self._instance)

    def _end_overdue(self) -> None:
        with self._lock:
            self.is_overdue = True
            self._deadline = time.monotonic() + _PATIENCE_SECONDS
            self._interrupt_main_thread()

    def _interrupt_main_thread(self) -> None:
        self._own_signals += 1
        signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)

    def _watch(self, note: socket.socket, leave: Leave | None) -> None:
        while not self._over.is_set():
            seconds = None if self._deadline == inf else max(0.0, self._deadline - time.monotonic())
            select.select([note], [], [], seconds)
            with self._lock:
                is_first = self._took_signal(note) and self._wish()
            if is_first:
                self._tell()
            if time.monotonic() >= self._deadline:
                self._end_by_force(leave)
                return

    def _took_signal(self, note: socket.socket) -> bool:
        with suppress(BlockingIOError):
            arrived = sum(number in _SIGNALS for number in note.recv(_BYTES))
            own = min(arrived, self._own_signals)
            self._own_signals -= own
            return arrived > own
        return False

    def _wish(self) -> bool:
        """Take in that the run is to end; whether that was not known before."""
        now = time.monotonic()
        if self._wished_at == inf:
            self._wished_at, self._deadline = now, min(self._deadline, now + _PATIENCE_SECONDS)
            self._mark()
            return True
        if now - self._wished_at > _ONE_WISH_SECONDS:
            self._deadline = now
        return False

    def _on_event(self, entry: dg.EventLogEntry) -> None:
        with self._lock:  # the watcher may have taken the signal and not marked the run yet
            if self._wished_at < inf or self._has_signal():
                self._mark()
            event = entry.dagster_event
            is_retry = event is not None and event.event_type is dg.DagsterEventType.STEP_UP_FOR_RETRY
            if is_retry and (self._is_marked or self.is_overdue):
                # An interrupt is one more reason for a step's retry policy to try again.
                self._deadline = min(self._deadline, time.monotonic() + _PATIENCE_BETWEEN_TRIES)
                self._interrupt_main_thread()

    def _has_signal(self) -> bool:
        if self._note is not None and not self._over.is_set():
            with suppress(OSError):
                return not _SIGNALS.isdisjoint(self._note.recv(_BYTES, socket.MSG_PEEK))
        return False

    def _mark(self) -> None:
        with self._lock:
            if self._is_marked or self.is_overdue:
                return
            run = self._launch.find_run(self._instance)
            if run is None or run.is_finished:
                return
            self._is_marked = True  # the mark is an event itself
            try:
                self._instance.report_run_canceling(run, message=_INTERRUPTED)
            except BaseException:  # the interrupt itself, in the main thread
                self._is_marked = False
                raise

    def _end_by_force(self, leave: Leave | None) -> None:
        kill_descendants()
        if self._over.wait(_SECONDS_TO_NOTICE) or leave is None:
            return
        recording = threading.Thread(target=self._record_end, daemon=True)  # the main thread may hold the database
        recording.start()
        recording.join(_SECONDS_TO_RECORD)
        leave()

    def _record_end(self) -> None:
        run = self._launch.find_run(self._instance)
        if run is None or run.is_finished:
            return
        if self.is_overdue:
            self._instance.report_run_failed(run, message=_OVERDUE)
        else:
            self._instance.report_run_canceled(run, message=_INTERRUPTED)
        free_pools(run.run_id, self._instance)
