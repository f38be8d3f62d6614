"""The observers of a process: what is switched on, and nothing imported of what is not."""

import importlib
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING

from floe_dagster.observability.observers import Observer, Observers, Warn, say_nothing
from floe_dagster.observability.settings import ObservabilitySettings

if TYPE_CHECKING:
    from floe_dagster.observability.assets import KnownAssets


def open_observers(
    settings: ObservabilitySettings,
    *,
    environ: Mapping[str, str],
    warn: Warn,
    note: Warn = say_nothing,
    assets: "Callable[[], KnownAssets] | None" = None,
) -> Observers:
    """The observers of this process; none of them fails to open.

    Args:
        settings: What the project says.
        environ: The environment, whose OpenTelemetry and OpenLineage variables win.
        warn: Told of each kind of trouble once.
        note: Told what is not done as variables say, and what is done in its place.
        assets: What is known of the assets of the run, asked for where lineage needs it.
    """
    found: list[Observer] = []
    for name, opened in (("traces", _open_tracing), ("lineage", _open_lineage)):
        try:
            found.extend(opened(settings, environ, note, assets))
        except Exception as error:  # noqa: BLE001 - whatever it is, the run goes on
            warn(f"{name}: nothing is observed: {type(error).__name__}: {error}")
    return Observers(found, warn=warn)


# Each part is imported when it is needed: by its name, so that loading definitions does not import it.
def _open_tracing(
    settings: ObservabilitySettings, environ: Mapping[str, str], note: Warn, _: "Callable[[], KnownAssets] | None"
) -> Iterator[Observer]:
    part = importlib.import_module("floe_dagster.observability.tracing.observer")
    observer: Observer | None = part.open_tracing(settings, environ=environ, note=note)
    if observer is not None:
        yield observer


def _open_lineage(
    settings: ObservabilitySettings, environ: Mapping[str, str], note: Warn, assets: "Callable[[], KnownAssets] | None"
) -> Iterator[Observer]:
    part = importlib.import_module("floe_dagster.observability.lineage.observer")
    known = assets() if assets else None
    observer: Observer | None = part.open_lineage(settings, environ=environ, note=note, assets=known)
    if observer is not None:
        yield observer
