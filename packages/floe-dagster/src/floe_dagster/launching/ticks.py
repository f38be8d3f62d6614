"""What a tick of a schedule decides, as plain data."""

from collections.abc import Collection
from datetime import UTC, datetime


def tick_run_key(at: datetime) -> str:
    """The run key of what a tick launches: the same for the same instant, whatever the zone and however often asked.

    >>> tick_run_key(datetime.fromisoformat("2024-03-10T06:00:00-04:00"))
    '2024-03-10T10:00:00+00:00'
    """
    return at.astimezone(UTC).isoformat()


def exists_in(environments: Collection[str], environment: str) -> bool:
    """Whether what is limited to *environments*, or to none, is there in *environment*."""
    return not environments or environment in environments
