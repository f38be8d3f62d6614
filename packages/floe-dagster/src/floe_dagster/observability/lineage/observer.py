"""The observer that makes OpenLineage events of records."""

from collections.abc import Mapping

from floe_dagster.observability.assets import KnownAssets
from floe_dagster.observability.datasets import DatasetResolver
from floe_dagster.observability.lineage.destination import find_destination, is_switched_off
from floe_dagster.observability.lineage.known_columns import KnownColumns
from floe_dagster.observability.lineage.records_to_events import LineageEvents
from floe_dagster.observability.lineage.sinks import EventSink, LocalSink, SendingSink
from floe_dagster.observability.lineage.work import Works
from floe_dagster.observability.masking import Masking
from floe_dagster.observability.observers import Warn, say_nothing
from floe_dagster.observability.records import DbtCall, Record, RunScope, RunStarted
from floe_dagster.observability.settings import ObservabilitySettings


def open_lineage(
    settings: ObservabilitySettings,
    *,
    environ: Mapping[str, str],
    note: Warn = say_nothing,
    assets: KnownAssets | None = None,
) -> "LineageObserver | None":
    """The observer of this process, or None where lineage is switched off.

    Args:
        settings: What the project says.
        environ: The environment, whose OpenLineage variables win.
        note: Told what is not done as they say, and, when a run begins, what was deleted to make room.
        assets: What is known of the Python assets of the run; without it their events name the asset alone.

    Raises:
        LoadError: The secret that the receiver asks for is not set.
    """
    if is_switched_off(environ):
        return None
    misunderstood: list[str] = []
    destination = find_destination(environ, settings.platform, note=misunderstood.append)
    for said in misunderstood:
        note(f"lineage: {said}; events go to {settings.lineage_folder if destination is None else destination.label}")
    works = Works(
        pipeline=settings.pipeline,
        resolver=DatasetResolver(settings, assets=assets, environ=environ),
        assets=assets or {},
        masking=Masking(settings, environ),
        known=KnownColumns(settings.columns_folder),
    )
    return LineageObserver(
        LineageEvents(works),
        LocalSink(settings.lineage_folder)
        if destination is None
        else SendingSink(destination, spool=settings.spool_folder),
        note=note,
    )


class LineageObserver:
    """Writes or sends the events that records make."""

    name = "lineage"

    def __init__(self, events: LineageEvents, sink: EventSink, *, note: Warn = say_nothing) -> None:
        self._events, self._sink, self._note = events, sink, note

    @property
    def fate(self) -> str:
        """What becomes of events that cannot be sent."""
        return self._sink.fate

    def observe(self, record: Record) -> None:
        """Send the events that *record* makes."""
        if isinstance(record, RunStarted):
            lost = self._sink.begin_run()
            if lost:
                self._note(f"lineage: {lost}")
        run_id = _run_of(record).run_id
        for event in self._events.of(record):
            self._sink.put(run_id, event)

    def recall(self, record: Record) -> None:
        """Know what *record* began and ended, so that nothing does so twice."""
        for _ in self._events.of(record):
            pass

    def flush(self, seconds: float) -> None:
        """Send what is waiting, and put away after *seconds* what could not be sent."""
        self._sink.flush(seconds)

    def collect_dropped(self) -> int:
        """How many events did not arrive."""
        return self._sink.collect_dropped()

    @property
    def trouble(self) -> str:
        """Why they did not."""
        return self._sink.trouble


def _run_of(record: Record) -> RunScope:
    call = getattr(record, "call", None)
    scope = call.scope if isinstance(call, DbtCall) else getattr(record, "scope", None)
    run = getattr(scope, "run", scope)
    assert isinstance(run, RunScope)
    return run
