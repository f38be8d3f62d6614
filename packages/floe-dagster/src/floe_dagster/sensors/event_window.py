"""Which events of the instance's event log a sensor has seen, as plain data.

Events have ascending ids, but they need not appear in that order: PostgreSQL and MySQL give an event its id when it is
written and show it when its transaction ends. A sensor that went on after the highest id it saw would miss what appears
late. So it goes back, at every tick, to what was there a while ago, and knows which of these events it has seen.
"""

from bisect import bisect_left
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Self

SECONDS_TO_APPEAR = 60.0
"""How long after an event with a higher id an event may appear and still be seen."""

MOST_KEPT = 5000
"""How many events a window keeps; where more happen in its time, it reaches less far back."""


@dataclass(frozen=True, slots=True)
class EventWindow:
    """What was seen.

    Args:
        settled: Nothing up to this id is looked at any more.
        seen: The ids after it that were seen, ascending.
        mark: The highest id that had been seen at the moment `marked_at`, in seconds since the epoch.
    """

    settled: int
    seen: tuple[int, ...] = ()
    mark: int = -1
    marked_at: float = 0.0

    @classmethod
    def beginning_at(cls, last: int, *, at: float) -> Self:
        """A window in which everything up to the id *last* has been seen at the moment *at*."""
        return cls(last, (), last, at)

    @property
    def last(self) -> int:
        """The highest id that was seen."""
        return self.seen[-1] if self.seen else self.settled

    def is_new(self, event: int) -> bool:
        """Whether the event of that id has not been seen."""
        return event > self.settled and not _contains(self.seen, event)

    def having_seen(self, ids: Collection[int], *, at: float, stopped_at: int | None = None) -> Self:
        """The window after the events *ids* were seen, too, in a tick at the moment *at*.

        Args:
            ids: In any order.
            at: Seconds since the epoch.
            stopped_at: The first event that there was and that the tick left for the next one.

        >>> window = EventWindow.beginning_at(7, at=0.0).having_seen([9, 8], at=30.0)
        >>> window.settled, window.seen
        (7, (8, 9))
        >>> window = window.having_seen([11], at=60.0).having_seen([], at=90.0).having_seen([], at=120.0)
        >>> window.settled, window.seen
        (11, ())
        """
        seen = sorted({*self.seen, *ids})
        last = seen[-1] if seen else self.settled
        settled, mark, marked_at = self.settled, self.mark, self.marked_at
        if abs(at - marked_at) >= SECONDS_TO_APPEAR:
            settled, mark, marked_at = max(settled, mark), last, at
        if len(seen) > MOST_KEPT:
            settled = max(settled, seen[-MOST_KEPT - 1])
        if stopped_at is not None:
            settled = min(settled, stopped_at - 1)
        kept = [event for event in seen if event > settled]
        return type(self)(settled, tuple(kept), mark, marked_at)

    def to_json(self) -> dict[str, object]:
        """As JSON holds it: the ids as distances, which are short."""
        distances = [event - before for before, event in zip((self.settled, *self.seen), self.seen, strict=False)]
        return {"settled": self.settled, "seen": distances, "mark": self.mark, "marked_at": round(self.marked_at, 3)}

    @classmethod
    def from_json(cls, value: Mapping[str, object]) -> Self:
        """The window that `to_json` gave.

        Raises:
            ValueError: It is something else.
        """
        match value:
            case {
                "settled": int(settled),
                "seen": list(distances),
                "mark": int(mark),
                "marked_at": int() | float() as at,
            }:
                if not all(isinstance(distance, int) for distance in distances):
                    raise ValueError("no window of events")
                seen = tuple(accumulate(distances, initial=settled))[1:]
                return cls(settled, seen, mark, float(at))
            case _:
                raise ValueError("no window of events")


def _contains(ascending: Sequence[int], event: int) -> bool:
    place = bisect_left(ascending, event)
    return place < len(ascending) and ascending[place] == event
