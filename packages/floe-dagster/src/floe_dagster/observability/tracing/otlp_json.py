"""A span in the JSON of OTLP: https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding."""

from collections.abc import Sequence
from typing import Any, TypeAlias

import orjson

from floe_dagster.observability.tracing.span_data import SCOPE, Attributes, AttributeValue, SpanData, SpanEvent

Json: TypeAlias = dict[str, Any]

_INTERNAL = 1


def encode_span(span: SpanData, *, resource: Attributes, version: str) -> bytes:
    """A whole `ExportTraceServiceRequest` with this one span, on one line."""
    scope_spans = {"scope": {"name": SCOPE, "version": version}, "spans": [_span(span)]}
    request = {"resourceSpans": [{"resource": {"attributes": _attributes(resource)}, "scopeSpans": [scope_spans]}]}
    return orjson.dumps(request)


def _span(span: SpanData) -> Json:
    status: Json = {"code": int(span.status)}
    if span.status_message:
        status["message"] = span.status_message
    encoded: Json = {
        "traceId": f"{span.place.trace_id:032x}",
        "spanId": f"{span.place.span_id:016x}",
        "name": span.name,
        "kind": _INTERNAL,
        "startTimeUnixNano": str(span.started_at),
        "endTimeUnixNano": str(span.ended_at),
        "attributes": _attributes(span.attributes),
        "status": status,
    }
    if span.parent_id is not None:
        encoded["parentSpanId"] = f"{span.parent_id:016x}"
    if span.events:
        encoded["events"] = [_event(event) for event in span.events]
    if span.links:
        encoded["links"] = [
            {"traceId": f"{link.trace_id:032x}", "spanId": f"{link.span_id:016x}"} for link in span.links
        ]
    return encoded


def _event(event: SpanEvent) -> Json:
    return {"timeUnixNano": str(event.at), "name": event.name, "attributes": _attributes(event.attributes)}


def _attributes(attributes: Attributes) -> list[Json]:
    return [{"key": name, "value": _value(value)} for name, value in attributes.items()]


def _value(value: AttributeValue) -> Json:
    match value:
        case bool():
            return {"boolValue": value}
        case int():
            return {"intValue": str(value)}
        case float():
            return {"doubleValue": value}
        case str():
            return {"stringValue": value}
        case Sequence():
            return {"arrayValue": {"values": [_value(item) for item in value]}}
