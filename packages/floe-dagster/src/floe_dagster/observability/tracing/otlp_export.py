"""Sending spans with OpenTelemetry's own exporters. Imports its SDK: imported in the thread that sends."""

import logging
import threading
from collections.abc import Sequence

from opentelemetry import context, trace
from opentelemetry.context import _SUPPRESS_INSTRUMENTATION_KEY
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import Event, ReadableSpan
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace.status import Status, StatusCode

from floe_dagster.observability.background import Send
from floe_dagster.observability.tracing.otlp_target import OtlpTarget
from floe_dagster.observability.tracing.span_data import SCOPE, Attributes, SpanData, SpanPlace, SpanStatus

_STATUSES = {SpanStatus.UNSET: StatusCode.UNSET, SpanStatus.OK: StatusCode.OK, SpanStatus.ERROR: StatusCode.ERROR}
_LOGGERS = ("opentelemetry.", "urllib3.", "grpc.")


def connect(target: OtlpTarget, resource: Attributes, version: str) -> Send[SpanData]:
    """What sends spans to *target*, called in the thread that does.

    The tracer provider of the process, and what it sends, are neither used nor touched. What the exporter logs in this
    thread is left out: what was not sent is counted. Instrumented HTTP clients make no spans of it.
    """
    exporter = _build_exporter(target)
    _silence(threading.get_ident())
    context.attach(context.set_value(_SUPPRESS_INSTRUMENTATION_KEY, value=True))
    conversion = SpanConversion(Resource(resource), InstrumentationScope(SCOPE, version))

    def send(spans: Sequence[SpanData]) -> bool:
        return exporter.export([conversion.convert(span) for span in spans]) is SpanExportResult.SUCCESS

    return send


def _build_exporter(target: OtlpTarget) -> SpanExporter:
    if target.protocol == "grpc":
        from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import (  # noqa: PLC0415 - half a second
            OTLPSpanExporter as GrpcExporter,
        )

        return GrpcExporter(endpoint=target.endpoint, headers=target.headers or None, timeout=target.timeout)
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import (  # noqa: PLC0415 - see above
        OTLPSpanExporter as HttpExporter,
    )

    return HttpExporter(endpoint=target.endpoint, headers=dict(target.headers) or None, timeout=target.timeout)


def _silence(thread: int) -> None:
    for name in list(logging.root.manager.loggerDict):
        if name.startswith(_LOGGERS):
            logging.getLogger(name).addFilter(lambda record: record.thread != thread)


class SpanConversion:
    """Spans as OpenTelemetry's exporters take them."""

    def __init__(self, resource: Resource, scope: InstrumentationScope) -> None:
        self._resource, self._scope = resource, scope

    def convert(self, span: SpanData) -> ReadableSpan:
        """The same span, of this project."""
        parent = None if span.parent_id is None else _context(SpanPlace(span.place.trace_id, span.parent_id))
        return ReadableSpan(
            name=span.name,
            context=_context(span.place),
            parent=parent,
            resource=self._resource,
            attributes=span.attributes,
            events=[Event(event.name, event.attributes, event.at) for event in span.events],
            links=[trace.Link(_context(link)) for link in span.links],
            status=Status(_STATUSES[span.status], span.status_message or None),
            start_time=span.started_at,
            end_time=span.ended_at,
            instrumentation_scope=self._scope,
        )


def _context(place: SpanPlace) -> trace.SpanContext:
    sampled = trace.TraceFlags(trace.TraceFlags.SAMPLED)
    return trace.SpanContext(place.trace_id, place.span_id, is_remote=False, trace_flags=sampled)
