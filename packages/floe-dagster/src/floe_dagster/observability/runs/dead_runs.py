"""The end of runs whose process was killed, told by whoever finds out.

What had begun is known from the run's events in Dagster and from the log of dbt, and its ids are those that the process
would have given.
"""

import os
import re
import time
from collections.abc import Collection, Iterable, Sequence
from pathlib import Path

import dagster as dg
from dagster._core.definitions.dependency import NodeHandle

from floe_dagster.observability.observers import Observers, Warn
from floe_dagster.observability.opening import open_observers
from floe_dagster.observability.records import (
    AssetEnded,
    CheckEnded,
    ErrorFact,
    NodeEnded,
    Outcome,
    Record,
    StepEnded,
    StepScope,
    StepStarted,
)
from floe_dagster.observability.runs.dead_calls import DeadCall
from floe_dagster.observability.runs.known_assets import known_assets
from floe_dagster.observability.runs.observed_jobs import observed_settings
from floe_dagster.observability.runs.run_records import RunRecords
from floe_dagster.observability.scopes import run_scope
from floe_dagster.observability.tracing.run_trace import asset_place, check_place, node_place, step_place

_SPAN_ID = re.compile(rb'"spanId":\s*"([0-9a-f]{16})"')
_SECOND = 1_000_000_000
_MARKED = (dg.DagsterEventType.RUN_FAILURE, dg.DagsterEventType.RUN_CANCELED)
_DEAD = ErrorFact("ProcessEnded", "the process of the run ended before the run")


def tell_end_of_dead_run(
    run: dg.DagsterRun, repository: dg.RepositoryDefinition, instance: dg.DagsterInstance, *, warn: Warn
) -> None:
    """Write what the process of *run* could not: the ends of the run and of all that had begun; never raises.

    They end within a second of when the run was last heard of: nobody knows more of the moment at which it was killed.

    Args:
        run: As it was before it was marked as failed or canceled; so it is done once.
        repository: The project's definitions.
        instance: Where the run is.
        warn: Told of each kind of trouble once.
    """
    try:
        _tell_end(run, _job_of(run, repository), instance, warn)
    except Exception as error:  # noqa: BLE001 - whatever it is, whoever found the run goes on with something else
        warn(f"the end of run {run.run_id} could not be observed: {type(error).__name__}: {error}")


def _job_of(run: dg.DagsterRun, repository: dg.RepositoryDefinition) -> dg.JobDefinition:
    job = repository.get_job(run.job_name)
    if run.asset_selection or run.asset_check_selection:
        return job.get_subset(asset_selection=run.asset_selection, asset_check_selection=run.asset_check_selection)
    return job.get_subset(op_selection=run.op_selection) if run.op_selection else job


def _tell_end(run: dg.DagsterRun, job: dg.JobDefinition, instance: dg.DagsterInstance, warn: Warn) -> None:
    settings = observed_settings(job)
    entries = _entries_of_its_process(run, instance)
    if settings is None or not entries:
        return
    observers = open_observers(
        settings,
        environ=os.environ,  # noqa: TID251 - read in the process that sends something
        warn=warn,
        assets=lambda: known_assets(job),
    )
    if observers:
        replay = _Replay(run, job, instance, entries)
        replay.recall(observers)
        replay.end_calls(observers, floe_dir=settings.folder.parent)
        replay.end_run(observers)
        observers.flush()


def _entries_of_its_process(run: dg.DagsterRun, instance: dg.DagsterInstance) -> Sequence[dg.EventLogEntry]:
    """What was stored from the run's beginning to its death; nothing where it had not begun."""
    found: list[dg.EventLogEntry] = []
    for entry in instance.all_logs(run.run_id):
        kind = entry.dagster_event.event_type if entry.dagster_event is not None else None
        if kind in _MARKED:
            break
        if found or kind is dg.DagsterEventType.RUN_START:
            found.append(entry)
    return found


class _Replay:
    """What a run told until it died, and the ends that are missing."""

    def __init__(
        self,
        run: dg.DagsterRun,
        job: dg.JobDefinition,
        instance: dg.DagsterInstance,
        entries: Sequence[dg.EventLogEntry],
    ) -> None:
        self._run, self._job, self._entries = run, job, entries
        self._now = self._moment(entries[0])
        self._records = RunRecords(run_scope(run), job, instance, clock=lambda: self._now)
        self._kept: Collection[str] | None = None
        self._dbt_steps: dict[str, tuple[StepScope, NodeHandle]] = {}

    def recall(self, observers: Observers) -> None:
        """Remind *observers* of what its process told; tell what it did not, of steps whose processes lived longer."""
        self._kept = _kept_spans(observers.places(run_scope(self._run)).get("spans"))
        self._recall(self._records.begin(), observers)
        for entry in self._entries:
            self._now = self._moment(entry)
            if entry.dagster_event is not None:
                self._recall(self._records.take(entry.dagster_event), observers, of=entry.dagster_event)

    def end_calls(self, observers: Observers, *, floe_dir: Path) -> None:
        """End what dbt had begun in steps that go on; dbt may have been heard of later than the run."""
        for step_key, (scope, node) in self._dbt_steps.items():
            if self._records.step(step_key) != scope:
                continue
            call = DeadCall.find(scope, node, self._job, floe_dir=floe_dir)
            if call is not None:
                self._now = max(self._now, call.last_heard_of)
                told, left = call.replay()
                self._recall(told, observers)
                for record in left:
                    observers.observe(record)

    def end_run(self, observers: Observers) -> None:
        """End the steps and assets that go on, and the run."""
        # What the process told of an event it told after that was stored, so it lived until then.
        self._now = max(self._now, min(self._now + _SECOND, time.time_ns()))
        was_canceled = self._run.status is dg.DagsterRunStatus.CANCELING
        outcome, error = (Outcome.CANCELLED, None) if was_canceled else (Outcome.FAILED, _DEAD)
        for record in self._records.end(outcome, error):
            observers.observe(record)

    def _recall(self, records: Iterable[Record], observers: Observers, *, of: dg.DagsterEvent | None = None) -> None:
        for record in records:
            if self._was_told(record):
                observers.recall(record)
            else:
                observers.observe(record)
            if isinstance(record, StepStarted) and record.builds_dbt and of is not None and of.node_handle is not None:
                self._dbt_steps[record.scope.step_key] = (record.scope, of.node_handle)

    def _was_told(self, record: Record) -> bool:
        """Whether its span is in the local file; where spans are sent, what was stored counts as told."""
        if self._kept is None:
            return True
        match record:
            case StepEnded():
                place = step_place(record.scope)
            case AssetEnded():
                place = asset_place(record.scope, record.asset)
            case CheckEnded():
                place = check_place(record.scope, record.check.asset, record.check.name)
            case NodeEnded():
                place = node_place(record.call, record.unique_id)
            case _:
                return True
        return f"{place.span_id:016x}" in self._kept

    @staticmethod
    def _moment(entry: dg.EventLogEntry) -> int:
        return int(entry.timestamp * _SECOND)


def _kept_spans(file: str | None) -> Collection[str] | None:
    """Ids of the spans in the local file of a run; None where its spans are not kept here."""
    if file is None:
        return None
    path = Path(file)
    return {found.decode() for found in _SPAN_ID.findall(path.read_bytes())} if path.is_file() else frozenset()
