"""Traces that were kept in local files: the spans in one.

A file holds OTLP's JSON: an `ExportTraceServiceRequest` in each line, ids in hexadecimal. Spans stand in the order in
which they ended. A line that was not written to its end, or that something else wrote, is passed over and counted.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from math import isfinite
from typing import Literal, TypeAlias, TypeVar

from floe_dagster.observability.local.files import RunFile

SpanStatus: TypeAlias = Literal["ok", "error", "unset"]
_Shape = TypeVar("_Shape")

_TRACE_ID = re.compile(rb'"traceId":\s*"([0-9a-fA-F]{32})"')
_STATUSES: Mapping[object, SpanStatus] = {1: "ok", "STATUS_CODE_OK": "ok", 2: "error", "STATUS_CODE_ERROR": "error"}


@dataclass(frozen=True, slots=True)
class SpanEvent:
    """Something that happened at one moment of a span; times are nanoseconds since 1970."""

    name: str
    at: int
    attributes: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class LocalSpan:
    """One span of a file; ids are hexadecimal, times nanoseconds since 1970."""

    span_id: str
    parent_id: str
    """Empty where it has none."""
    name: str
    started_at: int
    ended_at: int
    trace_id: str = ""
    status: SpanStatus = "unset"
    message: str = ""
    attributes: Mapping[str, object] = field(default_factory=dict)
    events: tuple[SpanEvent, ...] = ()
    links: tuple[str, ...] = ()
    """Traces that it refers to."""


@dataclass(frozen=True, slots=True)
class LocalTrace:
    """What a file tells of a run."""

    run_id: str
    spans: tuple[LocalSpan, ...]
    unreadable_lines: int = 0


def read_trace(file: RunFile) -> LocalTrace:
    """The spans of *file*, each once: of two with one id the one that was written last."""
    spans: dict[str, LocalSpan] = {}
    unreadable = 0
    with file.path.open("rb") as lines:
        for line in lines:
            if not line.strip():
                continue
            try:
                spans |= {span.span_id: span for span in _read_request(json.loads(line))}
            except (ValueError, TypeError, RecursionError):  # TypeError: a number where OTLP has a list
                unreadable += 1
    return LocalTrace(file.run_id, tuple(spans.values()), unreadable)


def read_trace_id(file: RunFile) -> str:
    """The trace that *file* holds spans of; empty where it holds none."""
    with suppress(FileNotFoundError), file.path.open("rb") as lines:  # another process makes room for a new run
        found = next(filter(None, map(_TRACE_ID.search, lines)), None)
        return found[1].decode().lower() if found else ""
    return ""


def _read_request(request: object) -> Iterator[LocalSpan]:
    for resource in _list(_mapping(request), "resourceSpans"):
        for scope in _list(_mapping(resource), "scopeSpans"):
            for span in _list(_mapping(scope), "spans"):
                yield _read_span(_mapping(span))


def _read_span(span: Mapping[str, object]) -> LocalSpan:
    status = _mapping(span.get("status") or {})
    started_at = _number(span.get("startTimeUnixNano"))
    return LocalSpan(
        span_id=_id(span, "spanId"),
        parent_id=_id(span, "parentSpanId"),
        name=str(span.get("name") or ""),
        started_at=started_at,
        ended_at=max(_number(span.get("endTimeUnixNano")), started_at),
        trace_id=_id(span, "traceId"),
        status=_STATUSES.get(status.get("code"), "unset"),
        message=str(status.get("message") or ""),
        attributes=_read_attributes(span),
        events=tuple(_read_event(_mapping(event)) for event in _list(span, "events")),
        links=tuple(_id(_mapping(link), "traceId") for link in _list(span, "links")),
    )


def _read_event(event: Mapping[str, object]) -> SpanEvent:
    return SpanEvent(str(event.get("name") or ""), _number(event.get("timeUnixNano")), _read_attributes(event))


def _read_attributes(holder: Mapping[str, object], name: str = "attributes") -> dict[str, object]:
    pairs = [_mapping(pair) for pair in _list(holder, name)]
    return {str(pair.get("key")): _read_value(pair.get("value") or {}) for pair in pairs}


def _read_value(value: object) -> object:
    match value:
        case {"intValue": int(number) | str(number)}:
            return int(number)
        case {"doubleValue": float(number)} if not isfinite(number):
            return str(number)
        case {"arrayValue": dict(array)}:
            return [_read_value(item) for item in _list(array, "values")]
        case {"kvlistValue": dict(pairs)}:
            return _read_attributes(pairs, "values")
        case dict():
            return next(iter(value.values()), None)
        case _:
            raise ValueError("not a value of OTLP")


def _id(holder: Mapping[str, object], name: str) -> str:
    found = str(holder.get(name) or "").lower()
    return found if found.strip("0") else ""  # a parent of zeros is none


def _number(value: object) -> int:
    match value:
        case int() | str():
            return int(value)
        case _:
            raise ValueError("not a time of OTLP")


def _list(holder: Mapping[str, object], name: str) -> Sequence[object]:
    return _of_type(holder.get(name) or [], list)


def _mapping(value: object) -> Mapping[str, object]:
    return _of_type(value, dict)


def _of_type(value: object, shape: type[_Shape]) -> _Shape:
    if not isinstance(value, shape):
        raise TypeError(f"not a {shape.__name__}")
    return value
