"""Opening what sends events to a destination."""

from collections.abc import Callable
from typing import TypeAlias

from floe_dagster.observability.lineage.destination import Destination
from floe_dagster.observability.lineage.events import Event

SendEvent: TypeAlias = Callable[[Event], None]
"""Sends one event, and raises whatever the transport raises where it does not arrive."""

_ABOUT_THE_SENDER = frozenset({401, 403, 404, 407, 408, 429})


def open_connection(destination: Destination) -> SendEvent:
    """What sends events to *destination*. Imports what that needs: for the thread that sends."""
    if destination.is_plain:
        from floe_dagster.observability.lineage.http_receiver import connect_to_receiver  # noqa: PLC0415

        return connect_to_receiver(destination)
    from floe_dagster.observability.lineage.client import connect  # noqa: PLC0415 - takes a second

    return connect(destination)


def is_refusal(error: BaseException) -> bool:
    """Whether *error* is an answer to this event, so that the next one may be taken all the same."""
    status = getattr(getattr(error, "response", None), "status_code", None)
    return isinstance(status, int) and 400 <= status < 500 and status not in _ABOUT_THE_SENDER
