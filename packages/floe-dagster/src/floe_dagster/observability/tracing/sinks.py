"""Where spans go: a local file for each run, or a collector."""

import atexit
import functools
import importlib
from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

from floe_dagster.observability.background import BackgroundSender, Send
from floe_dagster.observability.local.files import RunFiles
from floe_dagster.observability.observers import SECONDS_TO_FLUSH
from floe_dagster.observability.records import RunScope
from floe_dagster.observability.tracing.otlp_json import encode_span
from floe_dagster.observability.tracing.otlp_target import OtlpTarget
from floe_dagster.observability.tracing.span_data import Attributes, SpanData


class SpanSink(Protocol):
    """Takes spans."""

    def begin_run(self) -> None:
        """Make room for another run."""

    def places(self, run: RunScope) -> Mapping[str, str]:
        """Where the spans of *run* are found in this project."""

    def write(self, span: SpanData) -> None:
        """Take *span*; returns at once."""

    def flush(self, seconds: float) -> None:
        """Bring away what is waiting, and give up after *seconds*."""

    def collect_dropped(self) -> int:
        """How many spans were lost since this was last asked."""

    @property
    def trouble(self) -> str:
        """Why they were."""


class LocalSink:
    """Writes each span at once: no thread, nothing to wait for."""

    def __init__(self, folder: Path, *, resource: Attributes, version: str) -> None:
        self._files = RunFiles(folder)
        self._resource, self._version = resource, version
        self._dropped = 0

    def begin_run(self) -> None:
        """Delete the files of the oldest runs."""
        self._files.prune()

    def places(self, run: RunScope) -> Mapping[str, str]:
        """The file of the run."""
        return {"spans": str(self._files.path(run.run_id))}

    def write(self, span: SpanData) -> None:
        """Add *span* to the file of its run."""
        line = encode_span(span, resource=self._resource, version=self._version)
        if not self._files.append(span.run_id, line):
            self._dropped += 1

    def flush(self, seconds: float) -> None:
        """Nothing is waiting."""

    def collect_dropped(self) -> int:
        """Spans that could not be written."""
        dropped, self._dropped = self._dropped, 0
        return dropped

    @property
    def trouble(self) -> str:
        """See `RunFiles`."""
        return self._files.trouble


class OtlpSink:
    """Sends spans to a collector; everybody in a process who sends to the same one shares a thread."""

    def __init__(self, target: OtlpTarget, *, resource: Attributes, version: str) -> None:
        self._sender = _sender(target, tuple(resource.items()), version, target.label)

    def begin_run(self) -> None:
        """Nothing has to be made room for."""

    def places(self, run: RunScope) -> Mapping[str, str]:
        """None: they are sent."""
        del run
        return {}

    def write(self, span: SpanData) -> None:
        """Send *span* sometime."""
        self._sender.put(span)

    def flush(self, seconds: float) -> None:
        """See `BackgroundSender`."""
        self._sender.flush(seconds)

    def collect_dropped(self) -> int:
        """Spans that did not arrive."""
        return self._sender.collect_dropped()

    @property
    def trouble(self) -> str:
        """See `BackgroundSender`."""
        return self._sender.trouble


@functools.cache
def _sender(
    target: OtlpTarget, resource: tuple[tuple[str, object], ...], version: str, address: str
) -> BackgroundSender[SpanData]:
    del address  # tells targets apart whose address the exporter reads from the environment

    def connect() -> Send[SpanData]:
        export = importlib.import_module("floe_dagster.observability.tracing.otlp_export")
        send: Send[SpanData] = export.connect(target, dict(resource), version, tell=sender.tell)
        return send

    sender = BackgroundSender[SpanData](connect, name="floe-traces")
    atexit.register(sender.flush, SECONDS_TO_FLUSH)
    return sender
