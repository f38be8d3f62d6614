"""A tick of a run-status sensor."""

import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial

import dagster as dg
from dagster._core.definitions.run_request import DagsterRunReaction
from dagster._utils.error import serializable_error_info_from_exc_info
from dagster_shared.error import SerializableErrorInfo

from floe_core.errors import Problem, SensorError, render_problem
from floe_dagster.launching.called_function import CalledFunction
from floe_dagster.launching.sensor_runs import FoundRuns, SensorRuns, SensorTarget
from floe_dagster.running.described_errors import describe_error
from floe_dagster.sensors.asset_sensor import unreadable_cursor
from floe_dagster.sensors.made_calls import CallMarks, MadeCalls
from floe_dagster.sensors.run_status_cursor import MOST_CALLS, RETRY_SECONDS, RunStatusCursor
from floe_dagster.sensors.watched_runs import StatusChange, WatchedRuns, call_for

MOST_LAUNCHES = 100
"""For how many runs a tick launches something."""

SECONDS_TO_CALL = 20.0
"""For how long a tick makes calls, one after the other; Dagster waits 60 seconds for a tick."""

MOST_EVENTS = 20_000
"""How many status changes a tick reads."""

Outcome = dg.SensorResult | dg.SkipReason | dg.RunRequest | DagsterRunReaction


@dataclass(frozen=True)
class RunStatusTicks:
    """What a run-status sensor does at a tick: launch something for each watched run, or call a function.

    Source:
        `dagster.RunStatusSensorDefinition` 1.13 misses none either, but keeps less than is promised here. Of a tick
        that asks for runs it handles one watched run, of one that asks for none five, so that three hundred failures
        take hours. A run without code location (`floe run`, `dagster job execute`) is no run of any job for it. A run
        whose function failed is not called for again. It goes on after the highest event id that it saw, and so misses
        events that PostgreSQL shows late. Its own runs trigger it. So this is a sensor of its own with Dagster's
        context and Dagster's reactions.
    """

    name: str
    watched: WatchedRuns
    runs: SensorRuns
    function: CalledFunction | None = None

    def evaluate(self, context: dg.SensorEvaluationContext) -> Iterator[Outcome]:
        """One tick; an iterator, since Dagster takes several reactions in no other form.

        Raises:
            SensorError: The cursor is not one of this sensor.
        """
        cursor = self._read_cursor(context, time.time())
        if self.function is None:
            yield self._launch(cursor, context)
        else:
            yield from _Calls(self, self.function, context, cursor).make()

    def read_events(
        self, cursor: RunStatusCursor, context: dg.SensorEvaluationContext
    ) -> Iterator[tuple[int, StatusChange | None]]:
        """What has not been seen."""
        return self.watched.read(context, cursor.window)

    def _read_cursor(self, context: dg.SensorEvaluationContext, now: float) -> RunStatusCursor:
        if not context.cursor:
            return RunStatusCursor(self.watched.begin(context, at=now))
        try:
            return RunStatusCursor.from_text(context.cursor)
        except ValueError as error:
            raise SensorError(unreadable_cursor(self.runs.subject, str(error))) from error

    def _launch(self, cursor: RunStatusCursor, context: dg.SensorEvaluationContext) -> dg.SensorResult:
        requests: list[dg.RunRequest] = []
        missing: dict[str, None] = {}
        taken: list[int] = []
        stopped_at: int | None = None
        launches = 0
        for event, change in self.read_events(cursor, context):
            if launches == MOST_LAUNCHES or len(taken) == MOST_EVENTS:
                stopped_at = event
                break
            taken.append(event)
            if change is not None:
                launches += 1
                for found in self._runs_for(change, context):
                    requests += found.requests
                    missing |= dict.fromkeys(found.missing)
        for sentence in missing:
            context.log.warning(sentence)
        after = replace(cursor, window=cursor.window.having_seen(taken, at=time.time(), stopped_at=stopped_at))
        reason = "; ".join(missing) or f"no run reached {self.watched.status.value}"
        return dg.SensorResult(
            run_requests=requests, cursor=after.to_text(), skip_reason=None if requests else dg.SkipReason(reason)
        )

    def _runs_for(self, change: StatusChange, context: dg.SensorEvaluationContext) -> Iterator[FoundRuns]:
        """The runs for one watched run: for its partition where a job has the same ones, else for what is selected."""
        run_key = f"{change.run.run_id} {self.watched.status.value}"
        partition = change.run.tags.get("dagster/partition")
        partitions_def = _partitions_of(change.run, context) if partition is not None else None
        tags = change.tags_for(self.name)
        keyed: list[SensorTarget] = []
        others: list[SensorTarget] = []
        for target in self.runs.targets:
            of_target = target.plan_at(context).partitions_def if partitions_def is not None else None
            (keyed if of_target is not None and of_target == partitions_def else others).append(target)
        if keyed:
            runs = replace(self.runs, targets=tuple(keyed))
            yield runs.of_event(context, run_key=f"{run_key} {partition}", partition_key=partition, tags=tags)
        if others:
            yield replace(self.runs, targets=tuple(others)).of_event(context, run_key=run_key, tags=tags)


class _Calls:
    """The calls of a tick. One that fails keeps none of the others from being made."""

    def __init__(
        self,
        ticks: RunStatusTicks,
        function: CalledFunction,
        context: dg.SensorEvaluationContext,
        cursor: RunStatusCursor,
    ) -> None:
        self._ticks = ticks
        self._function = function
        self._context = context
        self._cursor = cursor
        self._until = time.monotonic() + SECONDS_TO_CALL
        self._called: list[StatusChange] = []
        self._waiting: list[str] = []
        self._failures: list[tuple[StatusChange, SerializableErrorInfo]] = []

    def make(self) -> Sequence[DagsterRunReaction | dg.SkipReason]:
        self._call_again()
        taken: list[int] = []
        stopped_at: int | None = None
        for event, change in self._ticks.read_events(self._cursor, self._context):
            if len(taken) == MOST_EVENTS or (change is not None and not self._may_call):
                stopped_at = event
                break
            taken.append(event)
            if change is not None:
                self._call(change)
        window = self._cursor.window.having_seen(taken, at=time.time(), stopped_at=stopped_at)
        self._context.update_cursor(replace(self._cursor, window=window).to_text())
        for sentence in self._waiting:
            self._context.log.info(sentence)
        reason = "; ".join(self._waiting) or f"no run reached {self._ticks.watched.status.value}"
        return self._reactions or [dg.SkipReason(reason)]

    @property
    def _may_call(self) -> bool:
        return time.monotonic() < self._until and not self._cursor.is_full

    def _call_again(self) -> None:
        due = [call.event for call in self._cursor.due(time.time())]
        there = {change.id: change for change in self._ticks.watched.read_again(self._context, due)}
        for event in due:
            if event not in there:
                self._cursor = self._cursor.settled(event)
            elif time.monotonic() < self._until:
                self._call(there[event])

    def _call(self, change: StatusChange) -> None:
        status = self._ticks.watched.status
        marks = CallMarks(self._context.instance, self._ticks.name, self._function.reference, change.run, status)
        with marks.claim() as is_free:
            made, now = marks.read(), time.time()
            if made.is_done:
                self._cursor = self._cursor.settled(change.id)
            elif not is_free or made.may_run_elsewhere:
                self._wait(change, made, due=now + RETRY_SECONDS[0])
            elif made.due is None:
                self._cursor = self._cursor.settled(change.id)
                if made.is_unreported:
                    marks.give_up()
                self._tell_late(change, made, seconds=None)
            elif made.due > now:
                self._wait(change, made, due=made.due)
                self._tell_late(change, made, seconds=made.due - now)
            else:
                self._make(change, marks, made)

    def _make(self, change: StatusChange, marks: CallMarks, made: MadeCalls) -> None:
        times = made.times + 1
        seconds = RETRY_SECONDS[times - 1] if times < MOST_CALLS else None
        try:
            marks.make(partial(call_for, change, self._function, self._context, self._ticks.name), made)
        except Exception:  # noqa: BLE001 - the border of the call for one run: the others are to have theirs
            error = serializable_error_info_from_exc_info(sys.exc_info())
            self._tell(change, error, times=times, seconds=seconds)
            self._cursor = self._cursor.settled(change.id)
            if seconds is not None:
                self._cursor = self._cursor.waiting(change.id, times=times, due=time.time() + seconds)
        else:
            self._called.append(change)
            self._cursor = self._cursor.settled(change.id)

    def _wait(self, change: StatusChange, made: MadeCalls, *, due: float) -> None:
        self._cursor = self._cursor.waiting(change.id, times=made.times, due=due)
        if made.is_unreported:
            self._waiting.append(f"call {made.times} for run {change.run.run_id} has not reported back")

    def _tell_late(self, change: StatusChange, made: MadeCalls, *, seconds: float | None) -> None:
        """Tell of a call that failed when its tick had ended: Dagster waits no longer, and the call goes on."""
        if made.failed is not None and made.error is not None:
            self._tell(change, made.error, times=made.times, seconds=seconds)

    def _tell(self, change: StatusChange, error: SerializableErrorInfo, *, times: int, seconds: float | None) -> None:
        text = self._describe_failure(change, error, times=times, seconds=seconds)
        self._failures.append((change, replace_message(error, text)))

    def _describe_failure(
        self, change: StatusChange, error: SerializableErrorInfo, *, times: int, seconds: float | None
    ) -> str:
        again = (
            f"it is called for this run again in {seconds:.0f} seconds"
            if seconds is not None
            else "it is not called for this run any more"
        )
        problem = Problem(
            "FLOE-395",
            f"{self._ticks.runs.subject} calls {self._function.reference}, which failed for run {change.run.run_id} "
            f"of job '{change.run.job_name}'",
            detail=describe_error(error),
            why=f"this was call {times} of {MOST_CALLS}; {again}",
            fix="mend the function; calls for other runs are not affected",
        )
        return render_problem(problem)

    @property
    def _reactions(self) -> list[DagsterRunReaction]:
        """What Dagster is told: the calls that were made, and the failures last, since the last one decides."""
        status = self._ticks.watched.status
        made = [DagsterRunReaction(change.run, run_status=status) for change in self._called]
        if not self._failures:
            return made
        change, first = self._failures[0]
        text = "\n\n".join(error.message for _, error in self._failures)
        return [*made, DagsterRunReaction(change.run, replace_message(first, text), run_status=status)]


def replace_message(error: SerializableErrorInfo, message: str) -> SerializableErrorInfo:
    """The error with another text and the stack that it has."""
    return error._replace(message=message)


def _partitions_of(run: dg.DagsterRun, context: dg.SensorEvaluationContext) -> dg.PartitionsDefinition | None:
    """The partitions that the run is for one of."""
    definitions = context.repository_def
    assert definitions is not None
    if run.asset_selection:
        graph = definitions.asset_graph
        found = (graph.get(key).partitions_def for key in sorted(run.asset_selection) if graph.has(key))
        return next((partitions_def for partitions_def in found if partitions_def is not None), None)
    return definitions.get_job(run.job_name).partitions_def if definitions.has_job(run.job_name) else None
