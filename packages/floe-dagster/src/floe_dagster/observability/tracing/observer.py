"""The observer that makes spans of records."""

import importlib.metadata
from collections.abc import Mapping
from dataclasses import replace

from floe_dagster.observability.masking import Masking
from floe_dagster.observability.observers import Warn, say_nothing
from floe_dagster.observability.records import Record, RunScope, RunStarted
from floe_dagster.observability.settings import ObservabilitySettings
from floe_dagster.observability.tracing.otlp_target import (
    OtlpTarget,
    find_unsupported,
    is_switched_off,
    resource_attributes,
)
from floe_dagster.observability.tracing.run_trace import trace_id
from floe_dagster.observability.tracing.sampling import Sampling
from floe_dagster.observability.tracing.sinks import LocalSink, OtlpSink, SpanSink
from floe_dagster.observability.tracing.span_data import Attributes, AttributeValue, SpanData
from floe_dagster.observability.tracing.spans import build_span, run_of

_LONGEST_TEXT = 16_384
_TOLD_BY_OTHERS = (
    "exception.message",
    "exception.stacktrace",
    "dbt.adapter_response.",
    "dbt.command",
    "dagster.asset_check.description",
)


def open_tracing(
    settings: ObservabilitySettings, *, environ: Mapping[str, str], note: Warn = say_nothing
) -> "TracingObserver | None":
    """The observer of this process, or None where traces are switched off.

    Args:
        settings: What the project says.
        environ: The environment, whose OpenTelemetry variables win.
        note: Told what is not done as they say.

    Raises:
        LoadError: A secret that the collector asks for is not set.
    """
    if is_switched_off(environ):
        return None
    resource = resource_attributes(environ, pipeline=settings.pipeline)
    version = importlib.metadata.version("floe-dagster")
    target = OtlpTarget.of(environ, settings.platform)
    for said in find_unsupported(environ, target):
        place = settings.traces_folder if target is None else f"{target.label} by {target.protocol}"
        note(f"traces: {said}; spans go to {place}")
    return TracingObserver(
        LocalSink(settings.traces_folder, resource=resource, version=version)
        if target is None
        else OtlpSink(target, resource=resource, version=version),
        sampling=Sampling.of(environ, share=settings.platform.sampling),
        masking=Masking(settings, environ),
    )


class TracingObserver:
    """Makes spans of what has ended, of the runs that are traced."""

    name = "traces"

    def __init__(self, sink: SpanSink, *, sampling: Sampling, masking: Masking) -> None:
        self._sink, self._sampling, self._masking = sink, sampling, masking

    def observe(self, record: Record) -> None:
        """Write the span that *record* ends, if it ends one."""
        if not self._sampling.takes(run_of(record)):
            return
        if isinstance(record, RunStarted):
            self._sink.begin_run()
        span = build_span(record)
        if span is not None:
            self._sink.write(self._masked(span))

    def recall(self, record: Record) -> None:
        """Nothing: a span is made of its end alone."""

    def places(self, run: RunScope) -> Mapping[str, str]:
        """The run's trace, and the file that holds it where it is not sent."""
        if not self._sampling.takes(run):
            return {}
        return {"trace": f"{trace_id(run):032x}", **self._sink.places(run)}

    def flush(self, seconds: float) -> None:
        """Send what is waiting, and give up after *seconds*."""
        self._sink.flush(seconds)

    def collect_dropped(self) -> int:
        """How many spans were lost since this was last asked."""
        return self._sink.collect_dropped()

    @property
    def trouble(self) -> str:
        """Why they were."""
        return self._sink.trouble

    def _masked(self, span: SpanData) -> SpanData:
        return replace(
            span,
            status_message=self._mask(span.status_message),
            attributes=self._mask_all(span.attributes),
            events=[replace(event, attributes=self._mask_all(event.attributes)) for event in span.events],
        )

    def _mask_all(self, attributes: Attributes) -> Attributes:
        return {name: self._mask_value(name, value) for name, value in attributes.items()}

    def _mask_value(self, name: str, value: AttributeValue) -> AttributeValue:
        """Names of things stay; what users, databases and dbt say does not hold credentials."""
        return self._mask(value) if isinstance(value, str) and name.startswith(_TOLD_BY_OTHERS) else value

    def _mask(self, text: str) -> str:
        """*text* without credentials, not too long, and as every encoding can say it."""
        return self._masking(text)[:_LONGEST_TEXT].encode(errors="replace").decode() if text else text
