"""The observer that makes spans of records."""

from collections.abc import Mapping

from floe_dagster.observability.observers import Observer
from floe_dagster.observability.settings import ObservabilitySettings


def open_tracing(settings: ObservabilitySettings, *, environ: Mapping[str, str]) -> Observer | None:
    """The observer of this process, or None where traces are switched off.

    Args:
        settings: What the project says.
        environ: The environment, whose OpenTelemetry variables win.
    """
    del settings, environ
    return None
