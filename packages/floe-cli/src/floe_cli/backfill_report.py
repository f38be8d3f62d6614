"""Where a backfill stands, what it would launch, and how it ended: in words, and for a program."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import assert_never

import click

from floe_core.suggestions import list_names
from floe_dagster.backfilling.decisions import Finish, Lack, Launch, RunToLaunch, Stop, Wait
from floe_dagster.backfilling.progress import PartitionStatus
from floe_dagster.backfilling.state import BackfillState, name_state
from floe_dagster.partitioning.runs import PartitionRun

STATUS_WORDS: Mapping[PartitionStatus, str] = MappingProxyType(
    {"done": "done", "in_flight": "in flight", "failed": "failed", "missing": "missing"}
)
STATUS_COLORS: Mapping[PartitionStatus, str] = MappingProxyType(
    {"done": "green", "in_flight": "cyan", "failed": "red", "missing": "yellow"}
)
_SHOWN_KEYS = 6
_SHOWN_FAILURES = 10
_SHOWN_BATCHES = 20


def lines_of_status(state: BackfillState, *, is_on: bool) -> Iterator[str]:
    """Where the backfill stands: how many partitions of each status, and which."""
    name, states, rules = state.plan.identity.name, state.progress.states, state.plan.rules
    again = f", round {state.round_number}" if state.round_number > 1 else ""
    yield f"{name}: job {state.plan.job.name}, {len(states)} partitions in batches of {rules.batch_size}{again}"
    for status, word in STATUS_WORDS.items():
        keys = state.progress.having(status)
        if not keys:
            continue
        shown = "" if status == "done" else list_names(keys, limit=_SHOWN_KEYS)
        yield f"  {click.style(f'{word:<10}', fg=STATUS_COLORS[status])}{len(keys):>6}  {shown}".rstrip()
        if status == "failed":
            yield from (f"{'':>20}{key}: {error_of(state, key)}" for key in keys[:_SHOWN_FAILURES])
    if state.plan.unknown:
        yield f"  {'unknown':<10}{len(state.plan.unknown):>6}  {list_names(state.plan.unknown, limit=_SHOWN_KEYS)}"
    yield f"sensor {state.plan.identity.sensor_name} is {'on' if is_on else 'off'}"
    yield what_next(state)


def what_next(state: BackfillState) -> str:
    """What the user can do about it."""
    command = f"'floe backfill {state.plan.identity.name}"
    match state.decision:
        case Launch():
            return f"{command}' {'goes on' if state.progress.runs else 'starts it'}"
        case Wait():
            return f"{command} --cancel' ends it"
        case Stop():
            return f"{command}' tries again what failed, and goes on"
        case Lack(unknown):
            return f"there is no partition {list_names(unknown, limit=_SHOWN_KEYS)}; {command}' goes on once there is"
        case Finish(failed) if failed:
            return f"{command}' tries again what failed"
        case Finish():
            return f"{command} --again' starts over"
        case _:
            assert_never(state.decision)


def lines_of_plan(state: BackfillState) -> Iterator[str]:
    """What would be launched: a line for each batch."""
    batches = state.plan.plan_ahead(state.progress)
    runs = sum(len(batch.runs) for batch in batches)
    partitions = sum(len(run.keys) for batch in batches for run in batch.runs)
    sizes = f"{_counted(partitions, 'partition')} in {_counted(runs, 'run')}"
    yield f"{state.plan.identity.name}: {sizes} of job {state.plan.job.name}"
    for number, batch in enumerate(batches[:_SHOWN_BATCHES], start=1):
        yield f"  batch {number:>3}  {list_names(map(_shown_run, batch.runs), limit=_SHOWN_KEYS)}"
    if len(batches) > _SHOWN_BATCHES:
        yield f"  and {len(batches) - _SHOWN_BATCHES} more batches; --format json lists them all"
    waiting = state.progress.having("in_flight")
    if waiting:
        yield f"  after what is in flight: {list_names(waiting, limit=_SHOWN_KEYS)}"


@dataclass(frozen=True, slots=True)
class BackfillEnd:
    """How the command came to its end; `log` is where what it printed is kept."""

    seconds: float
    log: str = ""
    is_interrupted: bool = False
    was_finished: bool = False


def lines_of_end(state: BackfillState, end: BackfillEnd) -> Iterator[str]:
    """How it ended, or where it was left, and what can be done then."""
    name, counts, total = state.plan.identity.name, state.progress.counts, len(state.progress.states)
    word, color = _ending(state, end)
    after = "" if end.was_finished else f" after {end.seconds:.1f} s"
    failed = f", {counts['failed']} failed" if counts["failed"] and not end.is_interrupted else ""
    shown = click.style(word, fg=color, bold=True)
    yield f"{name} {shown}{after}: {counts['done']} of {total} partitions are done{failed}"
    for key in () if end.is_interrupted else state.progress.having("failed")[:_SHOWN_FAILURES]:
        yield f"  {key}: {error_of(state, key)}"
    if end.log:
        yield f"what it printed: {end.log}"
    if state.decision != Finish() or end.was_finished:
        yield what_next(state)


def _ending(state: BackfillState, end: BackfillEnd) -> tuple[str, str]:
    if isinstance(state.decision, Wait):
        return "goes on in Dagster's daemon, left", "cyan"
    if end.is_interrupted:
        return "was interrupted", "yellow"
    if state.decision == Finish():
        return "is finished already" if end.was_finished else "finished", "green"
    return "stopped", "red"


def as_json(state: BackfillState, *, is_on: bool) -> dict[str, object]:
    """Where it stands, for a program."""
    return {
        "backfill": state.plan.identity.name,
        "job": state.plan.job.name,
        "state": name_state(state),
        "round": state.round_number,
        "sensor": "on" if is_on else "off",
        "batch_size": state.plan.rules.batch_size,
        "partitions": len(state.progress.states),
        "done": state.progress.counts["done"],
        "in_flight": list(state.progress.having("in_flight")),
        "failed": [
            {"partition": key, "run_id": state.progress.states[key].run_id, "error": error_of(state, key)}
            for key in state.progress.having("failed")
        ],
        "missing": list(state.progress.having("missing")),
        "unknown": list(state.plan.unknown),
    }


def plan_as_json(state: BackfillState) -> dict[str, object]:
    """What would be launched, for a program."""
    batches = [
        [
            {"partitions": list(run.keys), "assets": None if run.assets is None else sorted(run.assets)}
            for run in batch.runs
        ]
        for batch in state.plan.plan_ahead(state.progress)
    ]
    return {"backfill": state.plan.identity.name, "job": state.plan.job.name, "batches": batches}


def error_of(state: BackfillState, key: str) -> str:
    """What the last run of a partition failed with, in a line."""
    run = state.progress.runs.get(state.progress.states[key].run_id)
    if run is None:
        return ""
    return run.error or {"canceled": "canceled", "lost": "its process was killed"}.get(run.outcome, "")


def _shown_run(run: RunToLaunch) -> str:
    part = f" ({list_names(sorted(run.assets), limit=_SHOWN_KEYS)} only)" if run.assets is not None else ""
    return f"{PartitionRun(run.keys).label}{part}"


def _counted(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
