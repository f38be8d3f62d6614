"""Where a backfill stands, what it would launch, and how it ended: in words, and for a program."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal, assert_never

import click

from floe_core.suggestions import list_names
from floe_dagster.backfilling.decisions import Finish, Lack, Launch, RunToLaunch, Stop, Wait
from floe_dagster.backfilling.progress import PartitionStatus
from floe_dagster.backfilling.state import BackfillState, describe_done, name_state
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
        shown = _counted_already(state) if status == "done" else list_names(keys, limit=_SHOWN_KEYS)
        yield f"  {click.style(f'{word:<10}', fg=STATUS_COLORS[status])}{len(keys):>6}  {shown}".rstrip()
        if status == "failed":
            yield from (f"{'':>20}{key}: {error_of(state, key)}" for key in keys[:_SHOWN_FAILURES])
    if state.plan.unknown:
        yield f"  {'unknown':<10}{len(state.plan.unknown):>6}  {list_names(state.plan.unknown, limit=_SHOWN_KEYS)}"
    yield f"sensor {state.plan.identity.sensor_name} is {'on' if is_on else 'off'}"
    yield what_next(state)


def _counted_already(state: BackfillState) -> str:
    return f"{state.progress.by_others} materialised already" if state.progress.by_others else ""


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
            several = len(unknown) > 1
            keys = f"partition{'s' if several else ''} {list_names(unknown, limit=_SHOWN_KEYS)}"
            return f"{command}' goes on once {keys} exist{'' if several else 's'}"
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
    if state.progress.by_others:
        yield f"  {describe_done(state)}"
    for number, batch in enumerate(batches[:_SHOWN_BATCHES], start=1):
        yield f"  batch {number:>3}  {list_names(map(_shown_run, batch.runs), limit=_SHOWN_KEYS)}"
    if len(batches) > _SHOWN_BATCHES:
        yield f"  and {len(batches) - _SHOWN_BATCHES} more batches; --format json lists them all"
    waiting = state.progress.having("in_flight")
    if waiting:
        yield f"  after what is in flight: {list_names(waiting, limit=_SHOWN_KEYS)}"


@dataclass(frozen=True, slots=True)
class BackfillEnd:
    """How the command came to its end.

    Args:
        seconds: How long it took.
        log: Where what it printed is kept.
        is_interrupted: It was left or ended before its time.
        ended_by: What somebody else ended it with, if so: `--cancel`, or the sensor's switch.
        was_finished: There was nothing to do.
    """

    seconds: float
    log: str = ""
    is_interrupted: bool = False
    ended_by: Literal["", "cancel", "switch"] = ""
    was_finished: bool = False


def line_of_begin(state: BackfillState) -> str:
    """Where it stands when it is begun or gone on with."""
    return f"{state.plan.identity.name}: {_how_far(state)}"


def lines_of_end(state: BackfillState, end: BackfillEnd) -> Iterator[str]:
    """How it ended, or where it was left, and what can be done then."""
    name, failed = state.plan.identity.name, state.progress.having("failed") if not end.is_interrupted else ()
    word, color = _ending(state, end)
    after = "" if end.was_finished else f" after {end.seconds:.1f} s"
    shown = click.style(word, fg=color, bold=True)
    yield f"{name} {shown}{after}: {_how_far(state)}{f', {len(failed)} failed' if failed else ''}"
    for key in failed[:_SHOWN_FAILURES]:
        yield f"  {key}: {error_of(state, key)}"
    if end.log:
        yield f"what it printed: {end.log}"
    if end.ended_by == "switch":
        yield from _lines_of_switch(state)
    elif end.ended_by == "cancel":
        yield f"'floe backfill {name}' goes on"
    elif state.decision != Finish() or end.was_finished:
        yield what_next(state)


def _how_far(state: BackfillState) -> str:
    """What is done; first of all, which partitions there are not."""
    unknown = state.plan.unknown
    lack = f"there is no partition {list_names(unknown, limit=_SHOWN_KEYS)}"
    if not state.plan.keys:
        return lack
    return f"{lack}; {describe_done(state)}" if unknown else describe_done(state)


def _ending(state: BackfillState, end: BackfillEnd) -> tuple[str, str]:
    match end.ended_by:
        case "cancel":
            return f"was canceled with 'floe backfill {state.plan.identity.name} --cancel'", "yellow"
        case "switch":
            return "was switched off", "yellow"
        case "":
            pass
        case _:
            assert_never(end.ended_by)
    if isinstance(state.decision, Wait):
        return "goes on in Dagster's daemon, left", "cyan"
    if end.is_interrupted:
        return "was interrupted", "yellow"
    if state.decision == Finish():
        return "is finished already" if end.was_finished else "finished", "green"
    return "stopped", "red"


def _lines_of_switch(state: BackfillState) -> Iterator[str]:
    name, sensor = state.plan.identity.name, state.plan.identity.sensor_name
    yield f"somebody switched sensor {sensor} off, in Dagster's UI or with another command"
    in_flight = state.progress.having("in_flight")
    if in_flight:
        yield f"still in flight: {list_names(in_flight, limit=_SHOWN_KEYS)}; 'floe backfill {name} --cancel' ends it"
    yield f"'floe backfill {name}', or switching the sensor on, goes on"


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
        "materialised_already": state.progress.by_others,
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
    return {
        "backfill": state.plan.identity.name,
        "job": state.plan.job.name,
        "materialised_already": state.progress.by_others,
        "batches": batches,
    }


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
