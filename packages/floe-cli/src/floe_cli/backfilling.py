"""`floe backfill`: where a backfill stands, carrying it out, and ending it."""

import os
import signal
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import ExitStack, suppress

import dagster as dg

from floe_cli.backfill_display import BackfillDisplay, open_backfill_display
from floe_cli.backfill_report import (
    BackfillEnd,
    as_json,
    lines_of_end,
    lines_of_plan,
    lines_of_status,
    plan_as_json,
)
from floe_cli.backfill_watch import SwitchedOffError, hand_over, watch
from floe_cli.console import emit, emit_json, is_terminal, output_into, say
from floe_cli.project_backfill import ProjectBackfill, loaded_backfill
from floe_cli.running import SECONDS_TO_LEAVE, leave_after, log_file, tell_abandoned_runs, tell_ends
from floe_core.errors import Problem, RunError, shown_path
from floe_core.project import ProjectFolder
from floe_dagster.backfilling.decisions import Finish, Wait
from floe_dagster.backfilling.execution import BackfillWork
from floe_dagster.backfilling.identity import begin_round, note_canceled, retry_failed
from floe_dagster.backfilling.state import BackfillState
from floe_dagster.backfilling.turns import own_turn, read_worker
from floe_dagster.running.runs import RunReport

EXIT_FAILED = 3
EXIT_INTERRUPTED = 130
_SECONDS_TO_END = 30.0
_SECONDS_BETWEEN_LOOKS = 0.5
_NOT_BEGUN = (dg.DagsterRunStatus.NOT_STARTED, dg.DagsterRunStatus.QUEUED)
_NOT_ENDED = (
    *_NOT_BEGUN,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
    dg.DagsterRunStatus.CANCELING,
)


def show_status(project: ProjectFolder, name: str, *, json: bool) -> int:
    """Tell where the backfill stands; gives the exit code."""
    with loaded_backfill(project, name) as backfill:
        backfill.end_dead_runs()
        tell_ends(backfill.location, backfill.instance, floe_dir=project.floe_dir)
        state, is_on = backfill.state(), backfill.switch().is_on
    _emit(as_json(state, is_on=is_on), lines_of_status(state, is_on=is_on), json=json)
    return 0


def show_plan(project: ProjectFolder, name: str, *, again: bool, json: bool) -> int:
    """Tell what would be launched; gives the exit code."""
    with loaded_backfill(project, name) as backfill:
        state = backfill.state(asked_at=time.time())
    if again:
        state = state.begun_again()
    _emit(plan_as_json(state), lines_of_plan(state), json=json)
    return 0


def run_backfill(project: ProjectFolder, name: str, *, again: bool, verbose: bool, json: bool) -> int:
    """Start or resume the backfill and show it to its end; gives the exit code.

    Dagster's daemon carries it out where it runs with the project, this process otherwise.
    """
    began, since = time.monotonic(), time.time()
    log = None if verbose else log_file(project, "backfill")
    with ExitStack() as streams:
        backfill = streams.enter_context(loaded_backfill(project, name))

        def finish(code: int, *, was_finished: bool = False, is_switched_off: bool = False) -> int:
            state, is_on = backfill.state(), backfill.switch().is_on
            is_canceled = code == EXIT_INTERRUPTED and backfill.is_canceled(since=since)
            streams.close()
            if json:
                emit_json(as_json(state, is_on=is_on))
            end = BackfillEnd(
                seconds=time.monotonic() - began,
                log=shown_path(log) if log is not None and code == EXIT_FAILED else "",
                is_interrupted=code == EXIT_INTERRUPTED,
                ended_by="cancel" if is_canceled else "switch" if is_switched_off else "",
                was_finished=was_finished,
            )
            for line in lines_of_end(state, end):
                say(line)
            return code

        tell_abandoned_runs(backfill.launches, backfill.instance)
        backfill.end_dead_runs()
        tell_ends(backfill.location, backfill.instance, floe_dir=project.floe_dir)
        if again:
            _begin_again(backfill)
        retry_failed(backfill.identity, backfill.instance, at=time.time())
        if backfill.state().decision == Finish():
            return finish(0, was_finished=True)
        live = is_terminal() and not verbose  # as long as stderr is still the user's
        terminal = streams.enter_context(output_into(log))
        display = streams.enter_context(open_backfill_display(terminal, live=live))
        try:
            state = _watch_or_work(backfill, display, _leaving(finish), since=since)
        except SwitchedOffError:
            return finish(EXIT_INTERRUPTED, is_switched_off=True)
        except KeyboardInterrupt:
            leave_after(SECONDS_TO_LEAVE, EXIT_INTERRUPTED)
            return finish(EXIT_INTERRUPTED)
        return finish(0 if state.decision == Finish() else EXIT_FAILED)


def cancel_backfill(project: ProjectFolder, name: str, *, json: bool) -> int:
    """Switch the sensor off and end what is under way; gives the exit code."""
    with loaded_backfill(project, name) as backfill:
        was_on = backfill.switch().is_on
        note_canceled(backfill.identity, backfill.instance, at=time.time())
        backfill.switch().turn_off(backfill.instance)
        under_way = dg.RunsFilter(tags=backfill.identity.tags, statuses=_NOT_ENDED)
        runs = [run.run_id for run in backfill.instance.get_runs(under_way)]
        _interrupt_worker(backfill)
        backfill.end_dead_runs()
        tell_ends(backfill.location, backfill.instance, floe_dir=project.floe_dir)
        for run in backfill.instance.get_runs(under_way):
            _cancel(run, backfill.instance)
        left = _wait_for_end(runs, backfill.instance)
    canceled = [run_id for run_id in runs if run_id not in left]
    if json:
        emit_json({"backfill": name, "was_on": was_on, "canceled": canceled, "under_way": left})
    else:
        say(f"{name}: {'the sensor is off now' if was_on else 'the sensor was off'}, {len(canceled)} runs canceled")
        for run_id in left:
            say(f"  run {run_id} has not ended yet")
    return 1 if left else 0


def _watch_or_work(
    backfill: ProjectBackfill, display: BackfillDisplay, leave: Callable[[RunReport], object], *, since: float
) -> BackfillState:
    if hand_over(backfill):
        display.say("Dagster's daemon carries it out; Ctrl-C leaves it to the daemon")
        state = watch(backfill, display, since=since)
        if state is not None:
            return state
        display.say("no daemon looks after it any more: going on in this process")
    with own_turn(backfill.turns, backfill.identity.name):
        if backfill.is_canceled(since=since):  # before it could be told who to end
            raise SwitchedOffError
        backfill.switch().drop_interrupted_tick(backfill.instance)
        work = BackfillWork(
            backfill.plan, backfill.location, backfill.instance, backfill.launches, display, leave=leave
        )
        return work.run_to_end()


def _leaving(finish: Callable[[int], int]) -> Callable[[RunReport], None]:
    """The end of this process from another thread than the main one, which nothing moves any more."""

    def leave(report: RunReport) -> None:
        code = EXIT_INTERRUPTED if report.status == "canceled" else EXIT_FAILED
        leave_after(SECONDS_TO_LEAVE, code)
        finish(code)
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)

    return leave


def _begin_again(backfill: ProjectBackfill) -> None:
    state = backfill.state()
    if isinstance(state.decision, Wait):
        raise RunError(_under_way(backfill.identity.name, len(state.decision.in_flight)))
    begin_round(backfill.identity, backfill.instance, state.round_number + 1)


def _interrupt_worker(backfill: ProjectBackfill) -> None:
    """End the command line that works on it, which cancels the run that it is at."""
    deadline = time.monotonic() + _SECONDS_TO_END
    worker = read_worker(backfill.turns, backfill.identity.name)
    if worker is not None:
        with suppress(ProcessLookupError):
            os.kill(worker, signal.SIGINT)
    while worker is not None and time.monotonic() < deadline:
        time.sleep(_SECONDS_BETWEEN_LOOKS)
        worker = read_worker(backfill.turns, backfill.identity.name)


def _cancel(run: dg.DagsterRun, instance: dg.DagsterInstance) -> None:
    if run.status is dg.DagsterRunStatus.NOT_STARTED:
        instance.report_run_canceled(run)
    elif run.status is not dg.DagsterRunStatus.CANCELING:
        instance.run_coordinator.cancel_run(run.run_id)


def _wait_for_end(run_ids: list[str], instance: dg.DagsterInstance) -> list[str]:
    """Those of the runs that have not ended after half a minute."""
    deadline = time.monotonic() + _SECONDS_TO_END
    left = run_ids
    while left and time.monotonic() < deadline:
        time.sleep(_SECONDS_BETWEEN_LOOKS)
        left = [run.run_id for run in instance.get_runs(dg.RunsFilter(run_ids=left, statuses=_NOT_ENDED))]
    return left


def _emit(value: Mapping[str, object], lines: Iterable[str], *, json: bool) -> None:
    if json:
        emit_json(value)
        return
    for line in lines:
        emit(line)


def _under_way(name: str, in_flight: int) -> Problem:
    return Problem(
        "FLOE-432",
        f"backfill '{name}' is under way: {in_flight} partitions are in flight",
        why="it starts over only once nothing of it runs any more",
        fix=f"wait for it, or end it with 'floe backfill {name} --cancel'",
    )
