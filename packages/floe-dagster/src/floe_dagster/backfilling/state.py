"""Where a backfill stands, and what it launches next, as its instance shows it."""

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Literal, assert_never

import dagster as dg

from floe_core.suggestions import list_names
from floe_dagster.backfilling.decisions import Decision, Finish, Lack, Launch, Stop, Wait
from floe_dagster.backfilling.identity import (
    FIRST_ROUND,
    note_finished,
    read_finished,
    read_retried_since,
    read_round,
)
from floe_dagster.backfilling.materialisations import read_materialised
from floe_dagster.backfilling.plan import BackfillPlan
from floe_dagster.backfilling.progress import NOTHING_MATERIALISED, Progress, judge_partitions
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

    def what_became_of(self, run: PreparedRun, instance: dg.DagsterInstance) -> Literal["lacking", "changed", "done"]:
        """Whether others materialised, since the backfill was judged, nothing of what *run* is for, a part, or all."""
        if self.round_number != FIRST_ROUND:
            return "lacking"
        now = judge_partitions(
            run.keys,
            list(self.progress.runs.values()),
            assets=self.plan.assets,
            units=self.plan.units,
            materialised=read_materialised(self.plan.job, instance),
        )
        if all(not now.states[key].lacking for key in run.keys):
            return "done"
        is_same = all(now.states[key].lacking == self.progress.states[key].lacking for key in run.keys)
        return "lacking" if is_same else "changed"

    @property
    def next_runs(self) -> list[PreparedRun]:
        """What is to be launched now."""
        if not isinstance(self.decision, Launch):
            return []
        return [prepare_run(self.plan, run, round_number=self.round_number) for run in self.decision.runs]


def read_state(plan: BackfillPlan, instance: dg.DagsterInstance, *, started: float | None = None) -> BackfillState:
    """Judge the backfill by its runs, and in its first round by what is materialised.

    A later round was asked for although everything was there, and runs every partition once more.

    Args:
        plan: What it is to materialise.
        instance: Where the runs are.
        started: When the sensor was switched on last; seconds since the epoch. What failed before is tried again.
    """
    number = read_round(plan.identity, instance)
    finished = f"{number} {sha256(' '.join(plan.keys).encode()).hexdigest()}"
    noted = read_finished(plan.identity, instance)
    if noted.startswith(finished):
        by_others = noted.removeprefix(finished).strip()
        progress = judge_partitions(plan.keys, (), assets=plan.assets).as_done(by_others=int(by_others or 0))
        return BackfillState(plan, number, progress, Finish())
    runs = read_runs(plan.identity, number, instance, keys_in_range=plan.keys_in_range)
    progress = judge_partitions(
        plan.keys,
        runs,
        assets=plan.assets,
        units=plan.units,
        retried_since=max(started or 0.0, read_retried_since(plan.identity, instance)),
        materialised=read_materialised(plan.job, instance) if number == FIRST_ROUND else NOTHING_MATERIALISED,
    )
    decision = plan.decide(progress)
    if decision == Finish() and runs:  # without any, nothing is lost with them
        note_finished(plan.identity, instance, f"{finished} {progress.by_others}")
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


def describe_done(state: BackfillState) -> str:
    """How many of its partitions are done, and how many of those it had no part in."""
    total = len(state.plan.keys) + len(state.plan.unknown)
    done = f"{state.progress.counts['done']} of {total} partitions are done"
    by_others = state.progress.by_others
    return f"{done}, {by_others} {'was' if by_others == 1 else 'were'} materialised already" if by_others else done


def describe_state(state: BackfillState) -> str:
    """Where the backfill stands, in a sentence."""
    name, done = state.plan.identity.name, describe_done(state)
    match state.decision:
        case Launch(runs):
            return f"{done}, {sum(len(run.keys) for run in runs)} are next"
        case Wait(in_flight):
            return f"{done}, {_some(in_flight)} in flight"
        case Stop(failed):
            return f"{done}, {_some(failed)} failed; {_asking_again(name)} goes on"
        case Lack(unknown):
            return f"there is no partition {_some(unknown)}{f'; {done}' if state.plan.keys else ''}"
        case Finish(failed) if failed:
            return f"{done}, {_some(failed)} failed; {_asking_again(name)} tries again"
        case Finish():
            return f"all {done.partition(' of ')[2]}; 'floe backfill {name} --again' starts over"
        case _:
            assert_never(state.decision)


def _asking_again(name: str) -> str:
    return f"switching the sensor on, or 'floe backfill {name}',"


def _some(keys: Sequence[str]) -> str:
    return list_names(keys, limit=_SHOWN)
