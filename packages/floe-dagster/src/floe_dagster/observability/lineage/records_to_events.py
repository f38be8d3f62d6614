"""The records of a process as lineage events: each run of a job begins once and ends once."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import assert_never

from floe_dagster.observability.lineage.dbt_graph import DbtGraph
from floe_dagster.observability.lineage.dbt_work import DbtWorks
from floe_dagster.observability.lineage.events import Event, Work, end_event, start_event
from floe_dagster.observability.lineage.work import Works
from floe_dagster.observability.records import (
    AssetEnded,
    AssetStarted,
    BatchEnded,
    CallEnded,
    CallStarted,
    CheckEnded,
    CheckFact,
    DbtCall,
    KeyPath,
    NodeEnded,
    NodeStarted,
    Outcome,
    Record,
    RunEnded,
    RunScope,
    RunStarted,
    StepEnded,
    StepStarted,
)

_MOST_RUNS = 16  # in one process: what is left of the oldest is forgotten
_NOT_TOLD = "ended before it was told how"


@dataclass
class _RunState:
    """What was told of one Dagster run in this process."""

    started: set[str] = field(default_factory=set)
    ended: set[str] = field(default_factory=set)
    open_assets: dict[tuple[str, int], dict[KeyPath, AssetStarted]] = field(default_factory=dict)
    open_nodes: dict[str, dict[str, NodeStarted]] = field(default_factory=dict)
    """Invocation → unique id → its beginning."""
    checks: set[tuple[str, int, KeyPath, str]] = field(default_factory=set)
    calls: dict[str, DbtWorks] = field(default_factory=dict)


class LineageEvents:
    """Makes events of records, in the order in which they are to be sent."""

    def __init__(self, works: Works) -> None:
        self._works = works
        self._runs: dict[str, _RunState] = {}

    def of(self, record: Record) -> Iterator[Event]:  # noqa: C901 - one line per kind of record
        """The events that *record* makes."""
        match record:
            case RunStarted():
                yield from self._start(record.scope, self._works.run(record.scope), record.at)
            case RunEnded():
                yield from self._end_run(record)
            case AssetStarted():
                yield from self._start_asset(record)
            case AssetEnded():
                yield from self._end_asset(record)
            case CheckEnded():
                yield from self._end_check(record)
            case StepEnded():
                yield from self._end_step(record)
            case NodeStarted():
                yield from self._start_node(record)
            case NodeEnded():
                yield from self._end_node(record)
            case CallEnded():
                yield from self._end_call(record)
            case StepStarted() | CallStarted() | BatchEnded():
                pass
            case _:
                assert_never(record)

    def _end_run(self, record: RunEnded) -> Iterator[Event]:
        work = self._works.run(record.scope)
        yield from self._start(record.scope, work, record.started_at)
        work = self._works.with_error(work, record.outcome, record.error, language="PYTHON")
        yield from self._end(record.scope, work, record.at, record.outcome)
        self._runs.pop(record.scope.run_id, None)

    def _start_asset(self, record: AssetStarted) -> Iterator[Event]:
        step = (record.scope.step_key, record.scope.attempt)
        self._state(record.scope.run).open_assets.setdefault(step, {})[record.asset] = record
        yield from self._start(record.scope.run, self._works.asset(record), record.at)

    def _end_asset(self, record: AssetEnded) -> Iterator[Event]:
        scope = record.scope
        state = self._state(scope.run)
        state.open_assets.get((scope.step_key, scope.attempt), {}).pop(record.asset, None)
        # What the asset yields itself is told with its table, and not once more as a check that did not run.
        state.checks.update((scope.step_key, scope.attempt, check.asset, check.name) for check in record.checks)
        work = self._works.ended_asset(record)
        yield from self._start_once(scope.run, work.run_id, lambda: self._works.asset(record), record.started_at)
        yield from self._end(scope.run, work, max(record.at, record.started_at), record.outcome)

    def _end_check(self, record: CheckEnded) -> Iterator[Event]:
        scope, check = record.scope, record.check
        self._state(scope.run).checks.add((scope.step_key, scope.attempt, check.asset, check.name))
        outcome = Outcome.FAILED if not check.passed and check.severity.upper() == "ERROR" else Outcome.SUCCEEDED
        work = self._works.check(scope, check)
        if outcome is Outcome.FAILED:
            work = self._works.with_error(work, outcome, None, language="PYTHON", message=check.description)
        yield from self._start(scope.run, self._works.check(scope, check, ran=False), record.started_at)
        yield from self._end(scope.run, work, max(record.at, record.started_at), outcome)

    def _end_step(self, record: StepEnded) -> Iterator[Event]:
        """What of a step was not told of by then: it crashed, or has left an asset out."""
        scope, state = record.scope, self._state(record.scope.run)
        is_done = record.outcome in (Outcome.SUCCEEDED, Outcome.WARNED)
        outcome = Outcome.SKIPPED if is_done else record.outcome
        for started in list(state.open_assets.pop((scope.step_key, scope.attempt), {}).values()):
            ended = AssetEnded(scope, started.asset, started.at, record.at, outcome, error=record.error)
            yield from self._end_asset(replace(ended, partition=started.partition, window=started.window))
        if record.builds_dbt or is_done:
            return
        for asset, name in record.checks:
            if (scope.step_key, scope.attempt, asset, name) not in state.checks:
                work = self._works.check(scope, CheckFact(asset, name, passed=False, severity="ERROR"), ran=False)
                yield from self._start(scope.run, work, record.started_at)
                work = self._works.with_error(work, outcome, record.error, language="PYTHON")
                yield from self._end(scope.run, work, record.at, outcome)

    def _start_node(self, record: NodeStarted) -> Iterator[Event]:
        call = record.call
        node = self._dbt(call).graph.find_observed(record.unique_id) if call.per_node else None
        if node is None:
            return
        state = self._state(call.scope.run)
        work = self._dbt(call).node(node)
        if work.run_id not in state.ended:
            state.open_nodes.setdefault(call.invocation_id, {})[record.unique_id] = record
        yield from self._start(call.scope.run, work, record.at)

    def _end_node(self, record: NodeEnded) -> Iterator[Event]:
        call = record.call
        node = self._dbt(call).graph.find_observed(record.unique_id) if call.per_node else None
        if node is None:
            return
        dbt, run = self._dbt(call), call.scope.run
        self._state(run).open_nodes.get(call.invocation_id, {}).pop(record.unique_id, None)
        work = dbt.ended_node(node, record)
        yield from self._start_once(run, work.run_id, lambda: dbt.node(node), record.started_at)
        yield from self._end(run, work, max(record.at, record.started_at), record.outcome)

    def _end_call(self, record: CallEnded) -> Iterator[Event]:
        call, run = record.call, record.call.scope.run
        for started in list(self._state(run).open_nodes.pop(call.invocation_id, {}).values()):
            ended = NodeEnded(
                call, started.unique_id, started.at, max(record.at, started.at), Outcome.CANCELLED, _NOT_TOLD
            )
            yield from self._end_node(ended)
        if not call.per_node:
            # Not before: what a call reads and builds is known when it has.
            work = self._dbt(call).ended_call(record)
            yield from self._start(run, work, record.started_at)
            yield from self._end(run, work, max(record.at, record.started_at), record.outcome)
        self._state(run).calls.pop(call.invocation_id, None)

    def _start(self, run: RunScope, work: Work, at: int) -> Iterator[Event]:
        yield from self._start_once(run, work.run_id, lambda: work, at)

    def _start_once(self, run: RunScope, run_id: str, describe: Callable[[], Work], at: int) -> Iterator[Event]:
        started = self._state(run).started
        if run_id not in started:
            started.add(run_id)
            yield start_event(describe(), at)

    def _end(self, run: RunScope, work: Work, at: int, outcome: Outcome) -> Iterator[Event]:
        ended = self._state(run).ended
        if work.run_id not in ended:
            ended.add(work.run_id)
            yield end_event(work, at, outcome)

    def _dbt(self, call: DbtCall) -> DbtWorks:
        calls = self._state(call.scope.run).calls
        if call.invocation_id not in calls:
            graph = DbtGraph(call.manifest, self._works.resolver)
            calls[call.invocation_id] = DbtWorks(self._works, graph, call)
        return calls[call.invocation_id]

    def _state(self, run: RunScope) -> _RunState:
        if run.run_id not in self._runs:
            while len(self._runs) >= _MOST_RUNS:
                self._runs.pop(next(iter(self._runs)))
            self._runs[run.run_id] = _RunState()
        return self._runs[run.run_id]
