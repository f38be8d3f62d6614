"""Sending spans with OpenTelemetry's own exporters. Imports its SDK: imported in the thread that sends."""

import logging
import os
import threading
from collections.abc import Callable, Sequence
from typing import Any

import requests
from opentelemetry import context, trace
from opentelemetry.context import _SUPPRESS_INSTRUMENTATION_KEY
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import Event, ReadableSpan
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace.status import Status, StatusCode

from floe_dagster.observability.background import UNANSWERED, UNREACHED, Send
from floe_dagster.observability.sending_errors import check_answer, describe_error
from floe_dagster.observability.tracing.otlp_target import OtlpTarget
from floe_dagster.observability.tracing.span_data import SCOPE, Attributes, SpanData, SpanPlace, SpanStatus

_STATUSES = {SpanStatus.UNSET: StatusCode.UNSET, SpanStatus.OK: StatusCode.OK, SpanStatus.ERROR: StatusCode.ERROR}
_LOGGERS = ("opentelemetry.", "urllib3.", "grpc.")
_OWN_SESSIONS = (
    "OTEL_PYTHON_EXPORTER_OTLP_HTTP_TRACES_CREDENTIAL_PROVIDER",
    "OTEL_PYTHON_EXPORTER_OTLP_HTTP_CREDENTIAL_PROVIDER",
)

_ANSWERED = "the backend answered"

Tell = Callable[[str], None]


def connect(target: OtlpTarget, resource: Attributes, version: str, *, tell: Tell) -> Send[SpanData]:
    """What sends spans to *target*, called in the thread that does.

    The tracer provider of the process, and what it sends, are neither used nor touched. What the exporter logs in this
    thread is left out: what was not sent is counted. Instrumented HTTP clients make no spans of it.

    Args:
        target: The collector.
        resource: What all spans are told by.
        version: Of floe.
        tell: Told why spans do not arrive.
    """
    reasons = _Reasons(tell)
    session = _Session(reasons)
    build_exporter = _import_exporter(target, session)
    _silence(threading.get_ident(), reasons, target)
    exporter = build_exporter()
    context.attach(context.set_value(_SUPPRESS_INSTRUMENTATION_KEY, value=True))
    conversion = SpanConversion(Resource(resource), InstrumentationScope(SCOPE, version))

    def send(spans: Sequence[SpanData]) -> bool:
        session.is_refused = False
        reasons.begin()
        is_sent = exporter.export([conversion.convert(span) for span in spans]) is SpanExportResult.SUCCESS
        return is_sent and not session.is_refused

    return send


def _import_exporter(target: OtlpTarget, session: requests.Session) -> Callable[[], SpanExporter]:
    if target.protocol == "grpc":
        from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import (  # noqa: PLC0415 - half a second
            OTLPSpanExporter as GrpcExporter,
        )

        headers = target.headers or None
        return lambda: GrpcExporter(endpoint=target.endpoint, headers=headers, timeout=target.timeout)
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import (  # noqa: PLC0415 - see above
        OTLPSpanExporter as HttpExporter,
    )

    has_own = any(os.environ.get(name) for name in _OWN_SESSIONS)  # noqa: TID251 - the exporter reads it there
    return lambda: HttpExporter(
        endpoint=target.endpoint,
        headers=dict(target.headers) or None,
        timeout=target.timeout,
        session=None if has_own else session,
    )


class _Reasons:
    """Tells why spans do not arrive: what the backend answers, else what went wrong first.

    An exporter tries once more in what is left of the time, which is too little for an answer.
    """

    def __init__(self, tell: Tell) -> None:
        self._tell = tell
        self.begin()

    def begin(self) -> None:
        """Spans are to be sent, in one attempt or several."""
        self._has_told = False

    def add(self, reason: str, *, is_answer: bool) -> None:
        """Another attempt has failed."""
        if is_answer or not self._has_told:
            self._has_told = True
            self._tell(reason)


class _Session(requests.Session):
    """What the exporter sends with; it takes an answer that points elsewhere for one that has taken the spans."""

    def __init__(self, reasons: _Reasons) -> None:
        super().__init__()
        self._reasons = reasons
        self.is_refused = False

    def request(self, method: str, url: str | bytes, *args: Any, **options: Any) -> requests.Response:
        """Send, and tell what is wrong with the answer."""
        self.is_refused = False
        try:
            answer = super().request(method, url, *args, **options)
            check_answer(answer)
        except requests.HTTPError as refusal:
            self.is_refused = True
            self._reasons.add(describe_error(refusal, address=""), is_answer=True)
        except Exception as error:
            self._reasons.add(describe_error(error, address=str(url)), is_answer=False)
            raise
        return answer


def _silence(thread: int, reasons: _Reasons, target: OtlpTarget) -> None:
    """Leave out what the exporter logs in the thread; of gRPC's, tell the answers."""

    def is_of_others(record: logging.LogRecord) -> bool:
        if record.thread != thread:
            return True
        said = record.args if isinstance(record.args, tuple) else ()
        for value in said:
            if type(value).__name__ == "StatusCode":
                reason = _describe_code(str(getattr(value, "name", "")), str(said[-1]), target)
                reasons.add(reason, is_answer=reason.startswith(_ANSWERED))
        return False

    for name in list(logging.root.manager.loggerDict):
        if name.startswith(_LOGGERS):
            # Before the exporter's own, which leaves out what it has said some seconds ago, whatever the reason.
            logging.getLogger(name).filters.insert(0, is_of_others)


def _describe_code(code: str, details: str, target: OtlpTarget) -> str:
    match code:
        case "DEADLINE_EXCEEDED":
            return UNANSWERED
        case "UNAVAILABLE" if "connect" in details or "resol" in details:
            absent = target.absent_files
            return f"the certificate {absent[0]} is not there" if absent else UNREACHED
        case _:
            return f"{_ANSWERED} {code}"


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
