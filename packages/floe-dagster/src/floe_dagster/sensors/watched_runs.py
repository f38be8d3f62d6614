"""The runs that a run-status sensor watches, with what is told of them."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import dagster as dg
from dagster._core.events import (
    PIPELINE_RUN_STATUS_TO_EVENT_TYPE,
    JobCanceledData,
    JobFailureData,
)

from floe_dagster.launching.called_function import CalledFunction
from floe_dagster.running.described_errors import describe_error
from floe_dagster.running.launches import PROJECT_TAG
from floe_dagster.running.ui_note import noted_run_url
from floe_dagster.sensors.event_window import EventWindow
from floe_dagster.sensors.log_reading import begin_window, read_new
from floe_dagster.sensors.own_runs import CHAIN_TAG, RunLookup, chain_of, location_of
from floe_dagster.user_code.returned_items import items_of

RUN_TAG = "floe/watched_run"
JOB_TAG = "floe/watched_job"
STATUS_TAG = "floe/watched_status"
ERROR_TAG = "floe/watched_error"
URL_TAG = "floe/watched_run_url"

_SHOWN_ERROR = 250  # characters


@dataclass(frozen=True)
class StatusChange:
    """A status that a watched run reached: the event that says so, its id, and the run's page in the UI if known."""

    id: int
    run: dg.DagsterRun
    event: dg.DagsterEvent
    status: dg.DagsterRunStatus
    run_url: str | None = None

    @property
    def error(self) -> str:
        """Why the run failed, as the lines of the user's own files that led there, and what the error says."""
        data = self.event.event_specific_data
        if not isinstance(data, JobFailureData | JobCanceledData):
            return ""
        first = data.first_step_failure_event if isinstance(data, JobFailureData) else None
        error = first.step_failure_data.error if first is not None else data.error
        return describe_error(error) if error is not None else (self.event.message or "")

    def tags_for(self, sensor: str) -> dict[str, str]:
        """The tags of what *sensor* launches for it."""
        error = " ".join(self.error.split())
        shown = error if len(error) <= _SHOWN_ERROR else f"…{error[1 - _SHOWN_ERROR :]}"
        return {
            RUN_TAG: self.run.run_id,
            JOB_TAG: self.run.job_name,
            STATUS_TAG: self.status.value,
            CHAIN_TAG: ",".join(dict.fromkeys((*chain_of(self.run), sensor))),
            **({ERROR_TAG: shown} if shown else {}),
            **({URL_TAG: self.run_url} if self.run_url else {}),
        }


@dataclass(frozen=True)
class WatchedRuns:
    """The runs of a code location that reach a status.

    Args:
        sensor: Name of the sensor that watches them; those that it started are not among them.
        status: The status.
        jobs: Names of the jobs; none for every run.
        floe_dir: Where `floe dev` notes the address of the UI.
    """

    sensor: str
    status: dg.DagsterRunStatus
    jobs: Collection[str]
    floe_dir: Path

    def begin(self, context: dg.SensorEvaluationContext, *, at: float) -> EventWindow:
        """The window of a sensor that has never ticked."""
        return begin_window(self._changes(context), context, at=at)

    def read(
        self, context: dg.SensorEvaluationContext, window: EventWindow
    ) -> Iterator[tuple[int, StatusChange | None]]:
        """Every event that the window has not seen, by its id, with the change where it is of a watched run."""
        lookup = RunLookup.at_tick(context)
        for page in read_new(self._changes(context), window):
            changes = self._watched(page, lookup, context)
            yield from ((record.storage_id, changes.get(record.storage_id)) for record in page)

    def read_again(self, context: dg.SensorEvaluationContext, ids: Sequence[int]) -> list[StatusChange]:
        """The changes of these ids, as far as they and their runs are still there."""
        records = self._changes(context).of_ids(ids)
        return list(self._watched(records, RunLookup.at_tick(context), context).values())

    def _changes(self, context: dg.SensorEvaluationContext) -> "_StatusChanges":
        return _StatusChanges(context.instance, PIPELINE_RUN_STATUS_TO_EVENT_TYPE[self.status])

    def _watched(
        self, records: Sequence[dg.EventLogRecord], lookup: RunLookup, context: dg.SensorEvaluationContext
    ) -> dict[int, StatusChange]:
        lookup.read(record.run_id for record in records)
        changes: dict[int, StatusChange] = {}
        for record in records:
            run, event = lookup.find(record.run_id), record.event_log_entry.dagster_event
            if run is None or event is None or not self._counts(run, context):
                continue
            if not lookup.is_from(run.run_id, self.sensor):
                url = noted_run_url(self.floe_dir, run.run_id)
                changes[record.storage_id] = StatusChange(record.storage_id, run, event, self.status, url)
        return changes

    def _counts(self, run: dg.DagsterRun, context: dg.SensorEvaluationContext) -> bool:
        return (not self.jobs or run.job_name in self.jobs) and is_of_location(run, context)


def is_of_location(run: dg.DagsterRun, context: dg.SensorEvaluationContext) -> bool:
    """Whether the run is one of the code location of the sensor that ticks.

    Runs that a command line starts have no code location. Those of floe name their project; others count where the
    code location has the job.
    """
    origin = context.code_location_origin
    if run.remote_job_origin is not None:
        repository = run.remote_job_origin.repository_origin.repository_name
        return origin is None or (location_of(run), repository) == (origin.location_name, context.repository_name)
    definitions = context.repository_def
    if definitions is None:
        return True
    project = (definitions.metadata or {}).get(PROJECT_TAG)
    if PROJECT_TAG in run.tags and project is not None:
        return run.tags[PROJECT_TAG] == str(getattr(project, "value", project))
    return definitions.has_job(run.job_name)


class WatchedRunContext(dg.RunStatusSensorContext):
    """What a function is called with: Dagster's context, the run's error as text and its page in the UI, if known."""

    run_error: str = ""
    run_url: str | None = None


class FailedRunContext(WatchedRunContext, dg.RunFailureSensorContext):
    """The same for a run that failed: Dagster's own context of a failed run."""


def call_for(change: StatusChange, function: CalledFunction, context: dg.SensorEvaluationContext, sensor: str) -> None:
    """Call the function and run what it returns to its end; its errors are passed on as they are."""
    has_failed = change.event.event_type is dg.DagsterEventType.RUN_FAILURE
    kind = FailedRunContext if has_failed else WatchedRunContext
    of_run = kind(
        sensor_name=sensor,
        dagster_run=change.run,
        dagster_event=change.event,
        instance=context.instance,
        logger=context.log,
        partition_key=change.run.tags.get("dagster/partition"),
        resource_defs=context.resource_defs,
        repository_def=context.repository_def,
        _resources=context.resources,
    )
    of_run.run_error = change.error
    of_run.run_url = change.run_url
    for _ in items_of(function.call(of_run)):
        pass  # a coroutine is awaited, a generator goes on


@dataclass(frozen=True)
class _StatusChanges:
    """All changes of runs to one status in the instance."""

    instance: dg.DagsterInstance
    event_type: dg.DagsterEventType

    def __call__(
        self, *, after: int | None = None, before: int | None = None, limit: int, ascending: bool
    ) -> Sequence[dg.EventLogRecord]:
        records = dg.RunStatusChangeRecordsFilter(self.event_type, after_storage_id=after, before_storage_id=before)  # type: ignore[arg-type]  # Dagster types it by the single values
        return self.instance.fetch_run_status_changes(records, limit=limit, ascending=ascending).records

    def of_ids(self, ids: Sequence[int]) -> Sequence[dg.EventLogRecord]:
        if not ids:
            return ()
        records = dg.RunStatusChangeRecordsFilter(self.event_type, storage_ids=list(ids))  # type: ignore[arg-type]  # as above
        return self.instance.fetch_run_status_changes(records, limit=len(ids), ascending=True).records
