"""Reading what is new in the instance's event log, a page at a time."""

from collections.abc import Iterator, Sequence
from typing import Protocol

import dagster as dg

from floe_dagster.sensors.event_window import EventWindow

PAGE = 500
"""How many events are read at once."""

MOST_PAGES_BACK = 40
"""How many pages the first tick reads back to the moment at which the sensor was switched on."""


class FetchEvents(Protocol):
    """Events of one kind, in the order of their ids."""

    def __call__(
        self, *, after: int | None = None, before: int | None = None, limit: int, ascending: bool
    ) -> Sequence[dg.EventLogRecord]:
        """At most *limit* of those with an id above *after* and below *before*."""


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
    latest = fetch(limit=1, ascending=False)
    last = latest[0].storage_id if latest else 0
    if since is not None:
        last = min([last, *(event - 1 for event in _ids_since(fetch, context, since))])
    return EventWindow.beginning_at(last, at=at)


def _ids_since(fetch: FetchEvents, context: dg.SensorEvaluationContext, since: float) -> Iterator[int]:
    """The ids of the events since a moment, the last ones first; events may be a little out of order."""
    before: int | None = None
    for _ in range(MOST_PAGES_BACK):
        page = fetch(before=before, limit=PAGE, ascending=False)
        yield from (record.storage_id for record in page if record.timestamp >= since)
        if len(page) < PAGE or page[-1].timestamp < since:
            return
        before = page[-1].storage_id
    context.log.warning(
        "more than %d events since the sensor began; the first ones are left out", MOST_PAGES_BACK * PAGE
    )


def read_new(fetch: FetchEvents, window: EventWindow) -> Iterator[Sequence[dg.EventLogRecord]]:
    """The events that *window* has not seen, in pages, each read when it is asked for."""
    position = window.settled
    while True:
        page = fetch(after=position, limit=PAGE, ascending=True)
        yield [record for record in page if window.is_new(record.storage_id)]
        if len(page) < PAGE:
            return
        position = page[-1].storage_id
