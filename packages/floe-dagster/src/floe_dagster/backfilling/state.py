"""Where a backfill stands, and what it launches next, as its instance shows it."""

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import assert_never

import dagster as dg

from floe_core.suggestions import list_names
from floe_dagster.backfilling.decisions import Decision, Finish, Lack, Launch, Stop, Wait
from floe_dagster.backfilling.identity import note_finished, read_finished, read_retried_since, read_round
from floe_dagster.backfilling.plan import BackfillPlan
from floe_dagster.backfilling.progress import Progress, judge_partitions
from floe_dagster.backfilling.run_requests import PreparedRun, prepare_run
from floe_dagster.backfilling.seen_runs import read_runs

_SHOWN = 5


@dataclass(frozen=True)
class BackfillState:
    """A backfill as the instance shows it."""

    plan: BackfillPlan
    round_number: int
    progress: Progress
    decision: Decision

    def begun_again(self) -> "BackfillState":
        """The same as it would be if everything were launched once more."""
        progress = judge_partitions(self.plan.keys, (), assets=self.plan.assets)
        return BackfillState(self.plan, self.round_number + 1, progress, self.plan.decide(progress))

    @property
    def next_runs(self) -> list[PreparedRun]:
        """What is to be launched now."""
        if not isinstance(self.decision, Launch):
            return []
        return [prepare_run(self.plan, run, round_number=self.round_number) for run in self.decision.runs]


def read_state(plan: BackfillPlan, instance: dg.DagsterInstance, *, started: float | None = None) -> BackfillState:
    """Judge the backfill by its runs.

    Args:
        plan: What it is to materialise.
        instance: Where the runs are.
        started: When the sensor was switched on last; seconds since the epoch. What failed before is tried again.
    """
    number = read_round(plan.identity, instance)
    finished = f"{number} {sha256(' '.join(plan.keys).encode()).hexdigest()}"
    if read_finished(plan.identity, instance) == finished:
        progress = judge_partitions(plan.keys, (), assets=plan.assets).as_done()
        return BackfillState(plan, number, progress, Finish())
    runs = read_runs(plan.identity, number, instance, keys_in_range=plan.keys_in_range)
    since = max(started or 0.0, read_retried_since(plan.identity, instance))
    progress = judge_partitions(plan.keys, runs, assets=plan.assets, units=plan.units, retried_since=since)
    decision = plan.decide(progress)
    if decision == Finish():
        note_finished(plan.identity, instance, finished)
    return BackfillState(plan, number, progress, decision)


def name_state(state: BackfillState) -> str:
    """Where the backfill stands, in a word or two."""
    match state.decision:
        case Launch():
            return "unfinished" if state.progress.runs else "not started"
        case Wait():
            return "in flight"
        case Stop():
            return "stopped"
        case Lack():
            return "waiting"
        case Finish(failed):
            return "finished with failures" if failed else "finished"
        case _:
            assert_never(state.decision)


def describe_state(state: BackfillState) -> str:
    """Where the backfill stands, in a sentence."""
    name, counts = state.plan.identity.name, state.progress.counts
    done = f"{counts['done']} of {len(state.progress.states)} partitions are done"
    match state.decision:
        case Launch(runs):
            return f"{done}, {sum(len(run.keys) for run in runs)} are next"
        case Wait(in_flight):
            return f"{done}, {_some(in_flight)} in flight"
        case Stop(failed):
            return f"{done}, {_some(failed)} failed; {_asking_again(name)} goes on"
        case Lack(unknown):
            return f"{done}; there is no partition {_some(unknown)}"
        case Finish(failed) if failed:
            return f"{done}, {_some(failed)} failed; {_asking_again(name)} tries again"
        case Finish():
            return f"all {len(state.progress.states)} partitions are done; 'floe backfill {name} --again' starts over"
        case _:
            assert_never(state.decision)


def _asking_again(name: str) -> str:
    return f"switching the sensor on, or 'floe backfill {name}',"


def _some(keys: Sequence[str]) -> str:
    return list_names(keys, limit=_SHOWN)
