"""How far a backfill is: its partitions, judged by its runs. Plain data; no instance, no Dagster."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from types import MappingProxyType
from typing import Literal, TypeAlias

RunOutcome: TypeAlias = Literal["in_flight", "succeeded", "failed", "canceled", "lost"]
PartitionStatus: TypeAlias = Literal["done", "in_flight", "failed", "missing"]

WHOLE_JOB = ""
"""The one asset, so to speak, of a job without assets: it is built when a run succeeds."""

_LOST_RUNS = 3
"""After so many runs that ended without saying why (out of memory, killed), a partition counts as failed."""


@dataclass(frozen=True, slots=True)
class SeenRun:
    """A run of the backfill.

    Args:
        run_id: Its id.
        outcome: `lost` is a run whose process was killed before it could say anything.
        partitions: The keys that it was started for.
        assets: What it was started for, where that is not all of the job.
        built: (asset, key) of what it materialised, where it did not succeed as a whole.
        ended: Seconds since the epoch; 0 while it is in flight.
        attempt: Which attempt it was at its partitions, counted from 1.
        error: What it failed with, in one line.
    """

    run_id: str
    outcome: RunOutcome
    partitions: frozenset[str]
    assets: frozenset[str] | None = None
    built: frozenset[tuple[str, str]] = frozenset()
    ended: float = 0.0
    attempt: int = 1
    error: str = ""


@dataclass(frozen=True, slots=True)
class Materialised:
    """What is materialised of the job's assets, whoever did it.

    Args:
        partitions: The keys of each partitioned asset.
        unpartitioned: The assets without partitions.
        latest: When each of those was materialised last, if ever; seconds since the epoch.
    """

    partitions: Mapping[str, frozenset[str]] = field(default_factory=lambda: MappingProxyType({}))
    unpartitioned: frozenset[str] = frozenset()
    latest: Mapping[str, float] = field(default_factory=lambda: MappingProxyType({}))

    def still_lacking(self, key: str, lacking: frozenset[str], *, since: float | None) -> frozenset[str]:
        """What *lacking* leaves to be materialised.

        Assets without partitions follow the others: alone they are lacking only where a run of the backfill ended
        without them, *since* when nobody materialised them.
        """
        rest = frozenset(asset for asset in lacking if key not in self.partitions.get(asset, ()))
        if not rest <= self.unpartitioned:
            return rest
        return frozenset(asset for asset in rest if since is not None and self.latest.get(asset, 0.0) <= since)


NOTHING_MATERIALISED = Materialised()


@dataclass(frozen=True, slots=True)
class PartitionState:
    """One partition; `lacking` are the assets that a run for it has to materialise."""

    status: PartitionStatus
    lacking: frozenset[str]
    attempts: int = 0
    run_id: str = ""  # of the run in flight, or of the last one that ended
    by_others: bool = False  # it is done, and runs of the backfill alone would not have made it so


@dataclass(frozen=True)
class Progress:
    """The states of all partitions, in the order in which they are launched.

    Args:
        states: By key.
        runs: By id.
        by_others: How many partitions are done that were materialised outside of the backfill.
    """

    states: Mapping[str, PartitionState]
    runs: Mapping[str, SeenRun]
    by_others: int = 0

    @cached_property
    def counts(self) -> Mapping[PartitionStatus, int]:
        """How many partitions there are of each status."""
        return Counter(state.status for state in self.states.values())

    def having(self, status: PartitionStatus) -> tuple[str, ...]:
        """The keys of one status."""
        return tuple(key for key, state in self.states.items() if state.status == status)

    def as_done(self, *, by_others: int) -> "Progress":
        """The same with every partition done: of a finished backfill some runs may have been deleted."""
        done = {key: replace(state, status="done", lacking=frozenset()) for key, state in self.states.items()}
        return Progress(done, self.runs, by_others)


def judge_partitions(
    keys: Iterable[str],
    runs: Sequence[SeenRun],
    *,
    assets: frozenset[str],
    units: Iterable[frozenset[str]] = (),
    retried_since: float = 0.0,
    materialised: Materialised = NOTHING_MATERIALISED,
) -> Progress:
    """What has become of each partition.

    It is in flight while a run for it is; done when every asset was materialised by one of the runs, whatever became of
    that run, or by somebody else; failed when a run for it ended otherwise, unless that was before *retried_since*;
    else it is missing.

    Args:
        keys: In the order in which they are launched.
        runs: All runs of this round of the backfill.
        assets: What the job materialises.
        units: Assets that are only ever materialised together.
        retried_since: When the user last asked for the backfill; seconds since the epoch.
        materialised: What counts as there, whoever materialised it.
    """
    by_key: dict[str, list[SeenRun]] = {key: [] for key in keys}
    for run in runs:
        for key in run.partitions:
            if key in by_key:
                by_key[key].append(run)
    whole = tuple(units)
    states = {
        key: _judge(key, seen, assets, units=whole, retried_since=retried_since, materialised=materialised)
        for key, seen in by_key.items()
    }
    by_others = sum(state.by_others for state in states.values())
    return Progress(states, {run.run_id: run for run in runs}, by_others)


def _judge(
    key: str,
    runs: Sequence[SeenRun],
    assets: frozenset[str],
    *,
    units: tuple[frozenset[str], ...],
    retried_since: float,
    materialised: Materialised,
) -> PartitionState:
    last = max(runs, key=lambda run: run.ended, default=None)
    not_built = assets - _built(key, runs, assets)
    rest = materialised.still_lacking(key, not_built, since=last.ended if last else None) if not_built else not_built
    lacking = _whole_units(rest, units) & assets
    attempts = max((run.attempt for run in runs), default=0)
    in_flight = next((run.run_id for run in runs if run.outcome == "in_flight"), None)
    if in_flight is not None:
        return PartitionState("in_flight", lacking, attempts, in_flight)
    run_id = last.run_id if last else ""
    if not lacking:
        return PartitionState("done", lacking, attempts, run_id, by_others=bool(not_built))
    recent = [run.outcome for run in runs if run.ended > retried_since]
    is_failed = not {"failed", "canceled"}.isdisjoint(recent) or recent.count("lost") >= _LOST_RUNS
    return PartitionState("failed" if is_failed else "missing", lacking, attempts, run_id)


def _built(key: str, runs: Iterable[SeenRun], assets: frozenset[str]) -> frozenset[str]:
    built: set[str] = set()
    for run in runs:
        if run.outcome == "succeeded":
            built |= assets if run.assets is None else run.assets
        else:
            built.update(asset for asset, partition in run.built if partition == key)
    return frozenset(built)


def _whole_units(lacking: frozenset[str], units: Iterable[frozenset[str]]) -> frozenset[str]:
    return lacking.union(*(unit for unit in units if unit & lacking))
