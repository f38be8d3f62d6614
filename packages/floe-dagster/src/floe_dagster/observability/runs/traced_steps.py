"""The context of what users trace in a step. Imports OpenTelemetry, when a step begins."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext

from opentelemetry import context as otel_context
from opentelemetry import trace

from floe_dagster.observability.records import StepScope
from floe_dagster.observability.runs.trace_marks import StepContext, is_traced
from floe_dagster.observability.scopes import step_scope
from floe_dagster.observability.tracing.run_trace import step_place


def user_spans_nested(context: StepContext) -> AbstractContextManager[None]:
    """Spans that users begin within the block, with OpenTelemetry or what it instruments, stand below the step's."""
    return spans_below(step_scope(context)) if is_traced(context) else nullcontext()


@contextmanager
def spans_below(step: StepScope) -> Iterator[None]:
    """Spans that are begun within the block stand below that of *step*."""
    place = step_place(step)
    flags = trace.TraceFlags(trace.TraceFlags.SAMPLED)
    parent = trace.SpanContext(place.trace_id, place.span_id, is_remote=False, trace_flags=flags)
    token = otel_context.attach(trace.set_span_in_context(trace.NonRecordingSpan(parent)))
    try:
        yield
    finally:
        otel_context.detach(token)
