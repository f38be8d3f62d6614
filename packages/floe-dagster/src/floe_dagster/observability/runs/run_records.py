"""The events of a Dagster run as records: its steps, attempt by attempt, with their assets and checks."""

import time
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field

import dagster as dg
from dagster._core.definitions.dependency import NodeHandle
from dagster._core.events import DagsterEvent, DagsterEventType, EngineEventData

from floe_dagster.observability.records import (
    AssetEnded,
    AssetStarted,
    CheckEnded,
    ErrorFact,
    KeyPath,
    Outcome,
    Record,
    RunEnded,
    RunScope,
    RunStarted,
    StepEnded,
    StepScope,
    StepStarted,
)
from floe_dagster.observability.runs.error_facts import error_fact, is_interruption
from floe_dagster.observability.runs.materialisations import MaterialisedAsset, check_fact
from floe_dagster.observability.runs.step_contents import PartitionFact, StepContents, read_step_contents

_CRASH = "ChildProcessCrashException"
_UNPARTITIONED = PartitionFact("")


@dataclass(frozen=True, slots=True)
class PlannedStep:
    """A step that a run is to carry out.

    Args:
        node: What it computes; None of a step that has no definition of its own.
        upstream: Keys of the steps that have to succeed before.
    """

    node: NodeHandle | None
    upstream: Collection[str] = ()


@dataclass(slots=True)
class _Step:
    """An attempt at a step that goes on."""

    scope: StepScope
    started_at: int
    contents: StepContents
    assets: dict[KeyPath, MaterialisedAsset] = field(default_factory=dict)


class RunRecords:
    """Makes records of what an executor yields, in its order.

    Times are those at which the events arrive, so they are as exact as the executor is quick to pass them on.

    Args:
        scope: The run.
        job: Its job.
        instance: Where dynamic partitions are looked up.
        attempts: Step → attempts that were made before this process began.
        plan: Gives {step: what the run holds of it}, in the order in which they can be carried out; asked for where
            steps failed.
        clock: Gives nanoseconds since 1970. Where it steps back, no time goes before one that was told already.
    """

    def __init__(
        self,
        scope: RunScope,
        job: dg.JobDefinition,
        instance: dg.DagsterInstance,
        *,
        attempts: Mapping[str, int] | None = None,
        plan: Callable[[], Mapping[str, PlannedStep]] = dict,
        clock: Callable[[], int] = time.time_ns,
    ) -> None:
        self._scope, self._job, self._instance = scope, job, instance
        self._clock, self._latest = clock, 0
        self._started_at = self._now()
        self._attempts = dict(attempts or {})
        self._plan = plan
        self._begun: set[str] = set()
        self._launched: dict[str, int] = {}
        self._crashes: dict[str, str] = {}
        self._open: dict[str, _Step] = {}
        self.failures: dict[str, ErrorFact] = {}
        """Step that failed for good → why."""

    def begin(self) -> Iterator[Record]:
        """The records of the run's beginning."""
        yield RunStarted(self._scope, self._started_at)

    def take(self, event: DagsterEvent) -> Iterator[Record]:
        """The records of what *event* tells."""
        if event.step_key is None:
            return
        match event.event_type:
            case DagsterEventType.STEP_WORKER_STARTING:
                self._launched[event.step_key] = self._now()
            case DagsterEventType.ENGINE_EVENT:
                self._note_crash(event)
            case DagsterEventType.STEP_START | DagsterEventType.STEP_RESTARTED:
                yield from self._start(event)
            case DagsterEventType.ASSET_MATERIALIZATION | DagsterEventType.ASSET_CHECK_EVALUATION:
                yield from self._note_result(event)
            case _:
                yield from self._take_end(event)

    def step(self, step_key: str) -> StepScope | None:
        """The attempt at a step that goes on; None where none does."""
        step = self._open.get(step_key)
        return step.scope if step is not None else None

    def end(self, outcome: Outcome, error: ErrorFact | None) -> Iterator[Record]:
        """The records of the run's end; what has not ended before ends with it."""
        for step_key in list(self._open):
            cancelled = outcome is Outcome.CANCELLED
            why = ErrorFact("Interrupted" if cancelled else "Error", "the run ended before the step")
            yield from self._end(step_key, Outcome.CANCELLED if cancelled else Outcome.FAILED, why)
        if outcome is Outcome.FAILED and self.failures:
            yield from self._skip_what_never_began()
        yield RunEnded(self._scope, self._started_at, self._now(), outcome, error)

    def _skip_what_never_began(self) -> Iterator[Record]:
        """The steps that Dagster leaves out, without a word, because something upstream has failed."""
        failed = set(self.failures)
        for step_key, planned in self._plan().items():
            if step_key not in self._begun and not failed.isdisjoint(planned.upstream):
                failed.add(step_key)
                at = self._now()
                yield from self._begin(step_key, planned.node, at=at)
                yield from self._end(step_key, Outcome.SKIPPED, None, at=at)

    def _start(self, event: DagsterEvent) -> Iterator[Record]:
        assert event.step_key is not None
        began = event.event_type in (DagsterEventType.STEP_START, DagsterEventType.STEP_RESTARTED)
        at = None if began else self._launched.get(event.step_key)
        yield from self._begin(event.step_key, event.node_handle, at=self._now() if at is None else at)

    def _begin(self, step_key: str, node: NodeHandle | None, *, at: int) -> Iterator[Record]:
        self._begun.add(step_key)
        contents = StepContents()
        if node is not None:
            contents = read_step_contents(self._job, node, run=self._scope, instance=self._instance)
        scope = StepScope(self._scope, step_key, self._attempts.get(step_key, 0))
        self._open[step_key] = _Step(scope, at, contents)
        yield StepStarted(scope, at, contents.assets, contents.checks, contents.builds_dbt)
        for key in _own_assets(contents):
            partition = contents.partitions.get(key, _UNPARTITIONED)
            yield AssetStarted(scope, key, at, partition.key or None, partition.window)

    def _note_crash(self, event: DagsterEvent) -> None:
        """What Dagster says of a process that ended before its step: of the error itself it keeps the name alone."""
        data = event.event_specific_data
        if isinstance(data, EngineEventData) and data.error is not None and data.error.cls_name == _CRASH:
            self._crashes[event.step_key or ""] = event.message or ""

    def _note_result(self, event: DagsterEvent) -> Iterator[Record]:
        step = self._open.get(event.step_key or "")
        if step is None or step.contents.builds_dbt:
            return
        at = self._now()
        if event.event_type == DagsterEventType.ASSET_MATERIALIZATION:
            materialization = event.step_materialization_data.materialization
            step.assets.setdefault(tuple(materialization.asset_key.path), MaterialisedAsset()).add(
                materialization, at=at
            )
            return
        check = check_fact(event.asset_check_evaluation_data)
        if check.asset in step.contents.assets:
            step.assets.setdefault(check.asset, MaterialisedAsset()).checks.append(check)
        else:
            yield CheckEnded(step.scope, check, step.started_at, at)

    def _take_end(self, event: DagsterEvent) -> Iterator[Record]:
        step_key = event.step_key or ""
        match event.event_type:
            case DagsterEventType.STEP_SUCCESS:
                yield from self._end(step_key, Outcome.SUCCEEDED, None)
            case DagsterEventType.STEP_SKIPPED:
                yield from self._start(event)
                yield from self._end(step_key, Outcome.SKIPPED, None)
            case DagsterEventType.STEP_FAILURE | DagsterEventType.STEP_UP_FOR_RETRY:
                if step_key not in self._open:
                    yield from self._start(event)
                yield from self._fail(event, step_key)
            case _:  # what else happens in a step is no record
                pass

    def _fail(self, event: DagsterEvent, step_key: str) -> Iterator[Record]:
        is_last = event.event_type == DagsterEventType.STEP_FAILURE
        error = event.step_failure_data.error if is_last else event.step_retry_data.error
        cancelled = is_last and is_interruption(error)
        silent = "the step was interrupted" if cancelled else "it says nothing more"
        crash = self._crashes.pop(step_key, "the process of the step ended before the step")
        fact = error_fact(error, otherwise=crash if error and error.cls_name == _CRASH else silent)
        if is_last:
            self.failures[step_key] = fact
        yield from self._end(step_key, Outcome.CANCELLED if cancelled else Outcome.FAILED, fact)
        self._attempts[step_key] = self._attempts.get(step_key, 0) + 1

    def _end(
        self, step_key: str, outcome: Outcome, error: ErrorFact | None, *, at: int | None = None
    ) -> Iterator[Record]:
        step = self._open.pop(step_key, None)
        if step is None:
            return
        at, contents = self._now() if at is None else at, step.contents
        for key in _own_assets(contents):
            yield _asset_ended(step, key, outcome, error, at=at)
        yield StepEnded(
            step.scope,
            step.started_at,
            at,
            outcome,
            error,
            contents.assets,
            contents.checks,
            contents.builds_dbt,
        )

    def _now(self) -> int:
        self._latest = max(self._clock(), self._latest)
        return self._latest


def _own_assets(contents: StepContents) -> Iterator[KeyPath]:
    """The assets that are observed here: those of dbt are told by its nodes."""
    if not contents.builds_dbt:
        yield from contents.assets


def _asset_ended(step: _Step, key: KeyPath, outcome: Outcome, error: ErrorFact | None, *, at: int) -> AssetEnded:
    """An asset that was materialised has succeeded, whatever becomes of its step."""
    found = step.assets.get(key, MaterialisedAsset())
    partition = step.contents.partitions.get(key, _UNPARTITIONED)
    if found.at is not None:
        outcome, error = Outcome.SUCCEEDED, None
    elif outcome is Outcome.SUCCEEDED:
        outcome = Outcome.SKIPPED  # one of several that the step was free to leave out
    return AssetEnded(
        scope=step.scope,
        asset=key,
        started_at=step.started_at,
        at=found.at or at,
        outcome=outcome,
        error=error,
        partition=partition.key or None,
        window=partition.window,
        rows=found.rows,
        columns=found.columns,
        column_lineage=found.column_lineage,
        location=found.location,
        checks=found.checks,
    )
