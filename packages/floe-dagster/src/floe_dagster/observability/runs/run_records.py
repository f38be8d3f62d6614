"""The events of a Dagster run as records: its steps, attempt by attempt, with their assets and checks."""

import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import dagster as dg
from dagster._core.definitions.dependency import NodeHandle
from dagster._core.events import DagsterEvent, DagsterEventType, EngineEventData

from floe_dagster.observability.records import (
    AssetEnded,
    AssetStarted,
    CheckEnded,
    CheckFact,
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
from floe_dagster.observability.runs.materialisations import MaterialisedAsset, check_fact, is_of_dbt
from floe_dagster.observability.runs.skipped_calls import skip_call
from floe_dagster.observability.runs.step_contents import PartitionFact, StepContents, last_step, read_step_contents

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
    node: NodeHandle | None
    assets: dict[KeyPath, MaterialisedAsset] = field(default_factory=dict)
    checks: list[CheckFact] = field(default_factory=list)
    """Those of other steps' assets."""


@dataclass(slots=True)
class _GraphAsset:
    """An asset that several steps compute, of which one has begun."""

    started_at: int
    failed_at: int = 0
    error: ErrorFact | None = None
    is_told: bool = False
    """Whether it has begun for those who observe."""


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
        self._graph_assets: dict[KeyPath, _GraphAsset] = {}
        self._causes: dict[str, Sequence[str]] = {}  # step that failed or was skipped → what has failed
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
        yield from self._end_graph_assets(outcome)
        yield RunEnded(self._scope, self._started_at, self._now(), outcome, error)

    def _skip_what_never_began(self) -> Iterator[Record]:
        """The steps that Dagster leaves out, without a word, because something upstream has failed."""
        for step_key, planned in self._plan().items():
            causes = [cause for upstream in sorted(planned.upstream) for cause in self._causes.get(upstream, ())]
            if step_key not in self._begun and causes:
                self._causes[step_key] = tuple(dict.fromkeys(causes))
                at = self._now()
                yield from self._begin(step_key, planned.node, at=at)
                yield from self._end(step_key, Outcome.SKIPPED, None, at=at)

    def _end_graph_assets(self, outcome: Outcome) -> Iterator[Record]:
        """The assets of several steps of which the last has not begun when the run ends."""
        for key, asset in self._graph_assets.items():
            if asset.is_told:
                continue
            node = last_step(self._job, key)
            contents = read_step_contents(self._job, node, run=self._scope, instance=self._instance)
            scope = StepScope(self._scope, str(node), self._attempts.get(str(node), 0))
            step = _Step(scope, asset.started_at, contents, node)
            yield self._asset_started(step, key)
            yield self._asset_ended(step, key, outcome, None, at=self._now())

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
        step = self._open[step_key] = _Step(scope, at, contents, node)
        for key in contents.of_graph if step_key not in self._causes else ():
            self._graph_assets.setdefault(key, _GraphAsset(at))
        yield StepStarted(scope, at, contents.assets, contents.checks, contents.builds_dbt)
        for key in _own_assets(contents):
            yield self._asset_started(step, key)

    def _note_crash(self, event: DagsterEvent) -> None:
        """What Dagster says of a process that ended before its step: of the error itself it keeps the name alone."""
        data = event.event_specific_data
        if isinstance(data, EngineEventData) and data.error is not None and data.error.cls_name == _CRASH:
            self._crashes[event.step_key or ""] = event.message or ""

    def _note_result(self, event: DagsterEvent) -> Iterator[Record]:
        step = self._open.get(event.step_key or "")
        if step is None:
            return
        at = self._now()
        if event.event_type == DagsterEventType.ASSET_MATERIALIZATION:
            materialization = event.step_materialization_data.materialization
            key = tuple(materialization.asset_key.path)
            if not is_of_dbt(materialization) and not (step.contents.builds_dbt and key in step.contents.assets):
                step.assets.setdefault(key, MaterialisedAsset()).add(materialization, at=at)
            return
        if step.contents.builds_dbt:
            return
        check = check_fact(event.asset_check_evaluation_data)
        if check.asset in step.contents.assets:
            step.assets.setdefault(check.asset, MaterialisedAsset()).checks.append(check)
        else:
            step.checks.append(check)
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
            self._note_cause(step_key, fact)
        yield from self._end(step_key, Outcome.CANCELLED if cancelled else Outcome.FAILED, fact)
        self._attempts[step_key] = self._attempts.get(step_key, 0) + 1

    def _note_cause(self, step_key: str, error: ErrorFact) -> None:
        """Note what failed with a step: its assets, its checks, those of the graph that it is a part of, or itself."""
        step = self._open.get(step_key)
        if step is None:
            return
        for key in step.contents.of_graph:
            asset = self._graph_assets[key]
            if asset.error is None:
                asset.failed_at, asset.error = self._now(), error
        self._causes[step_key] = tuple(_failed_in(step)) or (f"step {step_key}",)

    def _end(
        self, step_key: str, outcome: Outcome, error: ErrorFact | None, *, at: int | None = None
    ) -> Iterator[Record]:
        step = self._open.pop(step_key, None)
        if step is None:
            return
        at, contents = self._now() if at is None else at, step.contents
        because = self._causes.get(step_key, ()) if outcome is Outcome.SKIPPED else ()
        if contents.builds_dbt and outcome is Outcome.SKIPPED and step.node is not None:
            yield from skip_call(self._job, step.node, step.scope, contents, at=at, because=because)
        for key in _own_assets(contents):
            yield self._asset_ended(step, key, outcome, error, at=at, because=because)
        for key, found in step.assets.items():
            if key not in contents.assets and found.at is not None:
                yield self._asset_started(step, key)
                yield self._asset_ended(step, key, outcome, error, at=at)
        yield StepEnded(
            step.scope,
            step.started_at,
            at,
            outcome,
            error,
            contents.assets,
            contents.checks,
            contents.builds_dbt,
            because,
        )

    def _asset_started(self, step: _Step, key: KeyPath) -> AssetStarted:
        """Of an asset that several steps compute, the first of them has told when it began."""
        graph_asset = self._graph_asset(step, key)
        started_at = step.started_at
        if graph_asset is not None:
            graph_asset.is_told = True
            started_at = min(graph_asset.started_at, started_at)
        partition = step.contents.partitions.get(key, _UNPARTITIONED)
        return AssetStarted(step.scope, key, started_at, partition.key or None, partition.window)

    def _asset_ended(
        self,
        step: _Step,
        key: KeyPath,
        outcome: Outcome,
        error: ErrorFact | None,
        *,
        at: int,
        because: Sequence[str] = (),
    ) -> AssetEnded:
        """An asset that was materialised has succeeded, whatever becomes of its step."""
        found = step.assets.get(key, MaterialisedAsset())
        partition = step.contents.partitions.get(key, _UNPARTITIONED)
        graph_asset = self._graph_asset(step, key)
        started_at = step.started_at
        if graph_asset is not None:
            started_at = min(graph_asset.started_at, started_at)
        if found.at is not None:
            outcome, error, at, because = Outcome.SUCCEEDED, None, found.at, ()
        elif graph_asset is not None and graph_asset.error is not None:
            is_over = outcome is Outcome.SKIPPED
            outcome, error = (Outcome.FAILED, graph_asset.error) if is_over else (outcome, error)
            at, because = graph_asset.failed_at if is_over else at, ()
        elif outcome is Outcome.SUCCEEDED:
            outcome = Outcome.SKIPPED  # one of several that the step was free to leave out
        return AssetEnded(
            scope=step.scope,
            asset=key,
            started_at=started_at,
            at=max(at, started_at),
            outcome=outcome,
            error=error,
            partition=partition.key or None,
            window=partition.window,
            rows=found.rows,
            columns=found.columns,
            column_lineage=found.column_lineage,
            location=found.location,
            checks=found.checks,
            of_graph=key in step.contents.of_graph,
            because=because,
        )

    def _graph_asset(self, step: _Step, key: KeyPath) -> _GraphAsset | None:
        """What the first step has told of an asset; a second attempt at the last step begins with that."""
        asset = self._graph_assets.get(key)
        return asset if key in step.contents.of_graph and step.scope.attempt == 0 else None

    def _now(self) -> int:
        self._latest = max(self._clock(), self._latest)
        return self._latest


def _own_assets(contents: StepContents) -> Iterator[KeyPath]:
    """The assets that are observed here: those of dbt are told by its nodes."""
    if not contents.builds_dbt:
        yield from contents.assets


def _failed_in(step: _Step) -> Iterator[str]:
    """The assets and checks of a step that did not come out well."""
    contents = step.contents
    if contents.builds_dbt:
        return  # told by its nodes
    for key in contents.of_graph or contents.assets:
        found = step.assets.get(key, MaterialisedAsset())
        if found.at is None:
            yield "/".join(key)
        yield from (f"check {'/'.join(key)}: {check.name}" for check in found.checks if _is_wrong(check))
    yield from (f"check {'/'.join(check.asset)}: {check.name}" for check in step.checks if _is_wrong(check))


def _is_wrong(check: CheckFact) -> bool:
    return not check.passed and check.severity == "ERROR"
