"""What a backfill launches next. Plain data; no instance, no Dagster."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice, product
from typing import Literal, TypeAlias

from floe_dagster.backfilling.progress import PartitionState, Progress

Position: TypeAlias = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class BackfillRules:
    """How a backfill goes about it.

    Args:
        batch_size: How many partitions are in flight at most.
        per_run: How many partitions one run takes at most; None for a whole batch.
        on_failure: Whether a failed partition ends it after its batch.
    """

    batch_size: int = 10
    per_run: int | None = 1
    on_failure: Literal["stop", "continue"] = "stop"


@dataclass(frozen=True, slots=True)
class RunToLaunch:
    """One run: its keys, which are a range, the assets unless it is all of them, and which attempt it is at them."""

    keys: tuple[str, ...]
    assets: frozenset[str] | None = None
    attempt: int = 1


@dataclass(frozen=True, slots=True)
class Launch:
    """The runs of the next batch, in order."""

    runs: tuple[RunToLaunch, ...]


@dataclass(frozen=True, slots=True)
class Wait:
    """Runs are in flight; the next batch comes after the last of them."""

    in_flight: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Stop:
    """Partitions failed, and nothing more is launched before the user says so."""

    failed: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Finish:
    """Nothing is left to launch."""

    failed: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Lack:
    """Nothing is left to launch but keys that do not exist."""

    unknown: tuple[str, ...]
    failed: tuple[str, ...] = ()


Decision: TypeAlias = Launch | Wait | Stop | Lack | Finish


def decide(
    progress: Progress,
    rules: BackfillRules,
    *,
    assets: frozenset[str],
    positions: Mapping[str, Position],
    unknown: tuple[str, ...] = (),
) -> Decision:
    """What to do now.

    Args:
        progress: Of this round.
        rules: Of the backfill.
        assets: What the job materialises.
        positions: Where a key stands in the partitions definition, one number for each dimension.
        unknown: Keys of the backfill that do not exist.
    """
    in_flight = progress.having("in_flight")
    if in_flight:
        return Wait(in_flight)
    failed = progress.having("failed")
    if failed and rules.on_failure == "stop":
        return Stop(failed)
    batch = tuple(islice(progress.having("missing"), rules.batch_size))
    if not batch:
        return Lack(unknown, failed) if unknown else Finish(failed)
    return Launch(tuple(_split_into_runs(batch, progress.states, rules, assets, positions)))


def plan_ahead(
    progress: Progress, rules: BackfillRules, *, assets: frozenset[str], positions: Mapping[str, Position]
) -> Iterator[Launch]:
    """The batches that are left, if every run succeeds."""
    missing = progress.having("missing")
    for start in range(0, len(missing), rules.batch_size):
        batch = missing[start : start + rules.batch_size]
        yield Launch(tuple(_split_into_runs(batch, progress.states, rules, assets, positions)))


def _split_into_runs(
    batch: Sequence[str],
    states: Mapping[str, PartitionState],
    rules: BackfillRules,
    assets: frozenset[str],
    positions: Mapping[str, Position],
) -> Iterator[RunToLaunch]:
    rest = list(batch)
    while rest:
        lacking = states[rest[0]].lacking
        alike = _first_alike(rest, states, rules.per_run or len(rest))
        size = next(size for size in range(len(alike), 0, -1) if is_range(alike[:size], positions))
        keys, rest = tuple(rest[:size]), rest[size:]
        attempt = max(states[key].attempts for key in keys) + 1
        yield RunToLaunch(keys, None if lacking == assets else lacking, attempt)


def _first_alike(keys: Sequence[str], states: Mapping[str, PartitionState], limit: int) -> Sequence[str]:
    """The keys at the beginning that lack the same assets as the first, *limit* at most."""
    lacking = states[keys[0]].lacking
    size = next((n for n, key in enumerate(keys) if states[key].lacking != lacking), len(keys))
    return keys[: min(size, limit)]


def is_range(keys: Sequence[str], positions: Mapping[str, Position]) -> bool:
    """Whether a range from the first to the last of *keys* is exactly these keys, as Dagster takes ranges.

    A range over two dimensions is every combination of a range of the one and a range of the other.

    >>> is_range(["a", "b"], {"a": (0,), "b": (1,)}), is_range(["a", "c"], {"a": (0,), "c": (2,)})
    (True, False)
    >>> is_range(["1|x", "1|y", "2|x"], {"1|x": (0, 0), "1|y": (0, 1), "2|x": (1, 0)})
    False
    """
    if len(keys) == 1:
        return True
    first, last = positions[keys[0]], positions[keys[-1]]
    spans = [range(start, end + 1) for start, end in zip(first, last, strict=True)]
    size = 1
    for span in spans:
        size *= len(span)
    return size == len(keys) and set(product(*spans)) == {positions[key] for key in keys}
