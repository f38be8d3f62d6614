"""Whether the user interrupts this process, or code only raises what an interrupt raises."""

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

_INTERRUPTS = (signal.SIGINT, signal.SIGTERM)


@contextmanager
def noticed_interrupts() -> Iterator[list[int]]:
    """A list of the signals that the block was interrupted by: Ctrl-C, or what asks the process to end.

    Handlers are told of signals as before; those that the block installs itself stay. Only the main thread is
    interrupted by signals, so that the list stays empty in any other.
    """
    seen: list[int] = []
    own = {}
    if threading.current_thread() is threading.main_thread():
        for number in _INTERRUPTS:
            previous = signal.getsignal(number)
            if callable(previous):
                own[number] = previous, _noticing(previous, seen)
                signal.signal(number, own[number][1])
    try:
        yield seen
    finally:
        for number, (previous, noticing) in own.items():
            if signal.getsignal(number) is noticing:
                signal.signal(number, previous)


def _noticing(
    previous: Callable[[int, FrameType | None], object], seen: list[int]
) -> Callable[[int, FrameType | None], None]:
    def notice(number: int, frame: FrameType | None) -> None:
        seen.append(number)
        previous(number, frame)

    return notice
