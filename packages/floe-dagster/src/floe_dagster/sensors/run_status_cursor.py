"""What a run-status sensor remembers between ticks, as plain data."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Self

from floe_dagster.sensors.cursor_text import read_cursor, write_cursor
from floe_dagster.sensors.event_window import EventWindow

VERSION = 1

RETRY_SECONDS = (60.0, 300.0, 900.0, 3600.0)
"""How long after each failed call the next one comes; after the last of them there is none."""

MOST_CALLS = len(RETRY_SECONDS) + 1

MOST_FAILED = 200
"""How many calls may wait that failed or have not reported back; with more, nothing new is called meanwhile."""


@dataclass(frozen=True, slots=True)
class FailedCall:
    """A call for the event of that id that was made so many times and not well, and when it is due again."""

    event: int
    times: int
    due: float


@dataclass(frozen=True, slots=True)
class RunStatusCursor:
    """The status changes that were seen, and the calls for some of them that failed or have not reported back."""

    window: EventWindow
    failed: tuple[FailedCall, ...] = ()

    @property
    def is_full(self) -> bool:
        """Whether no more such calls can be noted."""
        return len(self.failed) >= MOST_FAILED

    def due(self, at: float) -> Iterator[FailedCall]:
        """Those that are due at the moment *at*."""
        return (call for call in self.failed if call.due <= at)

    def waiting(self, event: int, *, times: int, due: float) -> Self:
        """The cursor that looks after *event* again at the moment *due*; so many calls were made for it."""
        settled = self.settled(event)
        return replace(settled, failed=(*settled.failed, FailedCall(event, times, due)))

    def settled(self, event: int) -> Self:
        """The cursor after a call for *event* that need not be made again."""
        return replace(self, failed=tuple(call for call in self.failed if call.event != event))

    def to_text(self) -> str:
        """As the instance keeps it."""
        failed = [[call.event, call.times, round(call.due, 3)] for call in self.failed]
        return write_cursor({"version": VERSION, "window": self.window.to_json(), "failed": failed})

    @classmethod
    def from_text(cls, text: str) -> Self:
        """The cursor whose text `to_text` gave.

        Raises:
            ValueError: It is something else, or of another version.
        """
        match read_cursor(text, version=VERSION):
            case {"window": dict(window), "failed": list(failed)}:
                return cls(EventWindow.from_json(window), tuple(map(_read_call, failed)))
            case _:
                raise ValueError("it is not the cursor of a run-status sensor")


def _read_call(call: object) -> FailedCall:
    match call:
        case [int(event), int(times), int() | float() as due]:
            return FailedCall(event, times, float(due))
        case _:
            raise ValueError("it is not the cursor of a run-status sensor")
