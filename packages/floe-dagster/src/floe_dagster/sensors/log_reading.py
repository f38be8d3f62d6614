"""Reading what is new in the instance's event log, a page at a time."""

from collections.abc import Iterator, Sequence
from typing import Protocol

import dagster as dg

from floe_dagster.sensors.event_window import EventWindow

PAGE = 500
"""How many events are read at once."""


class FetchEvents(Protocol):
    """Events of one kind, in the order of their ids."""

    def __call__(self, *, after: int | None, limit: int, ascending: bool) -> Sequence[dg.EventLogRecord]:
        """At most *limit* of those with an id above *after*."""


def begin_window(fetch: FetchEvents, context: dg.SensorEvaluationContext, *, at: float) -> EventWindow:
    """The window of a sensor without a cursor: what happened before it was switched on has been seen.

    Where somebody emptied the cursor, what happened before its last tick has been.

    Args:
        fetch: The events.
        context: Of the tick.
        at: Now, in seconds since the epoch.
    """
    moments = (context.last_sensor_start_time, context.last_tick_completion_time)
    since = max((moment for moment in moments if moment is not None), default=None)
    latest = fetch(after=None, limit=PAGE, ascending=False)
    last = latest[0].storage_id if latest else 0
    if since is not None:
        last = min([last, *(record.storage_id - 1 for record in latest if record.timestamp >= since)])
    return EventWindow.beginning_at(last, at=at)


def read_new(fetch: FetchEvents, window: EventWindow) -> Iterator[Sequence[dg.EventLogRecord]]:
    """The events that *window* has not seen, in pages, each read when it is asked for."""
    position = window.settled
    while True:
        page = fetch(after=position, limit=PAGE, ascending=True)
        yield [record for record in page if window.is_new(record.storage_id)]
        if len(page) < PAGE:
            return
        position = page[-1].storage_id
