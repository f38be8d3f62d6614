"""A span, as it is written and sent."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from typing import TypeAlias

AttributeValue: TypeAlias = str | bool | int | float | Sequence[str]
Attributes: TypeAlias = Mapping[str, AttributeValue]

SCOPE = "floe"


class SpanStatus(IntEnum):
    """How OpenTelemetry numbers them."""

    UNSET = 0
    OK = 1
    ERROR = 2


@dataclass(frozen=True, slots=True)
class SpanEvent:
    """Something that happened at one moment of a span; `at` is nanoseconds since 1970."""

    name: str
    at: int
    attributes: Attributes


@dataclass(frozen=True, slots=True)
class SpanPlace:
    """Where a span stands: the ids by which others refer to it."""

    trace_id: int
    span_id: int


@dataclass(frozen=True, slots=True)
class SpanData:
    """One ended span.

    Args:
        run_id: The Dagster run that it belongs to.
        place: Its own ids.
        parent_id: None of a root.
        name: As few different ones as there are things with a name in the project.
        started_at: Nanoseconds since 1970, UTC.
        ended_at: See *started_at*.
        status: Unset of what was neither done nor failed.
        status_message: Why, where it failed.
        attributes: By OpenTelemetry's names where it has one.
        events: In the order in which they happened.
        links: Other spans that it has to do with.
    """

    run_id: str
    place: SpanPlace
    parent_id: int | None
    name: str
    started_at: int
    ended_at: int
    status: SpanStatus = SpanStatus.UNSET
    status_message: str = ""
    attributes: Attributes = field(default_factory=dict)
    events: Sequence[SpanEvent] = ()
    links: Sequence[SpanPlace] = ()
