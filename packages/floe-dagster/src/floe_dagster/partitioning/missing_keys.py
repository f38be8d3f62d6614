"""Why a partition key is not there, and which one may have been meant."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import dagster as dg
from dagster._core.instance.types import DynamicPartitionsStore

from floe_core.names.rules import RuleError
from floe_core.names.times import parse_date_or_time
from floe_core.suggestions import did_you_mean, list_names
from floe_dagster.partitioning.texts import describe_partitions

_COMPARED = 2000  # keys; more take seconds
_JOINED = "|"


@dataclass(frozen=True, slots=True)
class MissingKey:
    """Why there is no such partition, as a sentence about the key, and how to name one."""

    reason: str
    fix: str


def find_missing_key(
    key: str,
    partitions_def: dg.PartitionsDefinition,
    *,
    at: datetime | None,
    dynamic_partitions_store: DynamicPartitionsStore | None,
) -> MissingKey | None:
    """What keeps *key* from being a partition of *partitions_def*; nothing where it is one.

    Args:
        key: As a user wrote it.
        partitions_def: What it should be a key of.
        at: An instant with its zone; None asks whether the key can ever be there.
        dynamic_partitions_store: The instance; without one every dynamic key may be there.
    """
    match partitions_def:
        case dg.TimeWindowPartitionsDefinition():
            return _missing_window(key, partitions_def, at)
        case dg.MultiPartitionsDefinition():
            return _missing_pair(key, partitions_def, at, dynamic_partitions_store)
        case dg.DynamicPartitionsDefinition() if dynamic_partitions_store is None:
            return None
        case _:
            with dg.partition_loading_context(at, dynamic_partitions_store):
                if partitions_def.has_partition_key(key):
                    return None
                return _not_listed(key, partitions_def.get_partition_keys(), partitions_def)


def is_early(
    key: str,
    partitions_def: dg.PartitionsDefinition,
    *,
    at: datetime,
    dynamic_partitions_store: DynamicPartitionsStore | None,
) -> bool:
    """Whether *key* is no partition at the instant *at*, and will be one later, or may be added."""
    if find_missing_key(key, partitions_def, at=at, dynamic_partitions_store=dynamic_partitions_store) is None:
        return False
    return find_missing_key(key, partitions_def, at=None, dynamic_partitions_store=None) is None


def why_no_keys(
    selector: str,
    partitions_def: dg.PartitionsDefinition,
    *,
    at: datetime,
    dynamic_partitions_store: DynamicPartitionsStore | None,
) -> str:
    """Why a selector chose nothing, as a sentence: what is missing is the key that it is, or any key at all."""
    dimensions = (
        [dimension.partitions_def for dimension in partitions_def.partitions_defs]
        if isinstance(partitions_def, dg.MultiPartitionsDefinition)
        else [partitions_def]
    )
    for dimension in dimensions:
        with dg.partition_loading_context(at, dynamic_partitions_store):
            if isinstance(dimension, dg.TimeWindowPartitionsDefinition):
                bounds = _Bounds.of(dimension, at)
                if bounds.last is None:
                    return bounds.reason_of_none
            elif not dimension.get_num_partitions():
                return _none_of(dimension)
    missing = find_missing_key(selector, partitions_def, at=at, dynamic_partitions_store=dynamic_partitions_store)
    return missing.reason if missing else ""


@dataclass(frozen=True, slots=True)
class _Bounds:
    """The first window that there can be, and the last one that there is; None where it may still come."""

    windows: dg.TimeWindowPartitionsDefinition
    first: dg.TimeWindow
    last: dg.TimeWindow | None

    @classmethod
    def of(cls, windows: dg.TimeWindowPartitionsDefinition, at: datetime | None) -> "_Bounds":
        first = windows.get_next_partition_window(windows.start, respect_bounds=False)
        assert first is not None
        if at is not None:
            with dg.partition_loading_context(at):
                return cls(windows, first, windows.get_last_partition_window())
        if windows.end is not None:
            return cls(windows, first, windows.get_prev_partition_window(windows.end, respect_bounds=False))
        return cls(windows, first, None)

    @property
    def first_key(self) -> str:
        return _key_at(self.windows, self.first.start)

    @property
    def last_key(self) -> str | None:
        return None if self.last is None else _key_at(self.windows, self.last.start)

    @property
    def reason_of_none(self) -> str:
        return f"there is none yet: the first one, '{self.first_key}', is over at {self.first.end:%Y-%m-%d %H:%M}"

    @property
    def advice(self) -> str:
        until = f"to '{self.last_key}'" if self.last else "on"
        return f"name one from '{self.first_key}' {until}"


def _missing_window(key: str, windows: dg.TimeWindowPartitionsDefinition, at: datetime | None) -> MissingKey | None:
    bounds = _Bounds.of(windows, at)
    if at is not None and bounds.last is None:
        return MissingKey(bounds.reason_of_none, "wait until then, or write an earlier start")
    try:
        start = windows.start_time_for_partition_key(key)
    except ValueError:
        return _written_otherwise(key, windows, bounds)
    if start.timestamp() < bounds.first.start.timestamp():
        return MissingKey(f"the first one is '{bounds.first_key}'", bounds.advice)
    if bounds.last is not None and start.timestamp() > bounds.last.start.timestamp():
        now = " at the moment" if at is not None and _may_come(windows, at) else ""
        return MissingKey(f"the last one{now} is '{bounds.last_key}'", bounds.advice)
    around = _key_at(windows, start)
    if around == key:
        return None
    if _in_format(key, windows.fmt) != key:
        return _written_otherwise(key, windows, bounds)
    near = _window_around(key, windows) or around
    return MissingKey(f"no window of {describe_partitions(windows)} starts then", f"did you mean '{near}'?")


def _written_otherwise(key: str, windows: dg.TimeWindowPartitionsDefinition, bounds: _Bounds) -> MissingKey:
    near = _window_around(key, windows) or _in_format(key, windows.fmt)
    reason = f"the keys of {describe_partitions(windows)} are written like '{bounds.first_key}'"
    return MissingKey(reason, f"did you mean '{near}'?" if near else bounds.advice)


def _in_format(key: str, fmt: str) -> str | None:
    """The key as *fmt* writes it: reading takes days and months of one digit, too."""
    try:
        return datetime.strptime(key, fmt).strftime(fmt)
    except ValueError:
        return None


def _may_come(windows: dg.TimeWindowPartitionsDefinition, at: datetime) -> bool:
    """Whether there will be more windows than there are at the instant *at*."""
    return windows.end is None or windows.end > at


def _key_at(windows: dg.TimeWindowPartitionsDefinition, moment: datetime) -> str:
    """The key of the window that holds *moment*."""
    return windows.get_partition_key_for_timestamp(moment.timestamp())


def _window_around(text: str, windows: dg.TimeWindowPartitionsDefinition) -> str | None:
    """The key of the window that holds the moment *text*, if it is one in another format."""
    try:
        moment = parse_date_or_time(text)
    except RuleError:
        return None
    placed = moment if moment.tzinfo else moment.replace(tzinfo=windows.start.tzinfo)
    return _key_at(windows, placed)


def _missing_pair(
    key: str,
    pairs: dg.MultiPartitionsDefinition,
    at: datetime | None,
    dynamic_partitions_store: DynamicPartitionsStore | None,
) -> MissingKey | None:
    names = pairs.partition_dimension_names
    parts = key.split(_JOINED)
    if len(parts) != len(names):
        return MissingKey(f"a key names both dimensions, {_JOINED.join(names)}", f"write it like '{_sample(pairs)}'")

    def missing(part: str, name: str) -> MissingKey | None:
        dimension = pairs.get_partitions_def_for_dimension(name)
        return find_missing_key(part, dimension, at=at, dynamic_partitions_store=dynamic_partitions_store)

    found = {name: missing(part, name) for part, name in zip(parts, names, strict=True)}
    if not any(found.values()):
        return None
    if not any(missing(part, name) for part, name in zip(reversed(parts), names, strict=True)):
        swapped = _JOINED.join(reversed(parts))
        return MissingKey(
            f"a key names the dimensions in the order {_JOINED.join(names)}", f"did you mean '{swapped}'?"
        )
    name, problem = next((name, problem) for name, problem in found.items() if problem)
    return MissingKey(f"in dimension '{name}' {problem.reason}", problem.fix)


def _sample(pairs: dg.MultiPartitionsDefinition) -> str:
    """A key for people, with a dimension's name where it has no key of its own."""
    return _JOINED.join(_sample_of(dimension.name, dimension.partitions_def) for dimension in pairs.partitions_defs)


def _sample_of(name: str, dimension: dg.PartitionsDefinition) -> str:
    match dimension:
        case dg.TimeWindowPartitionsDefinition():
            return _Bounds.of(dimension, None).first_key
        case dg.StaticPartitionsDefinition():
            return next(iter(dimension.get_partition_keys()), name)
        case _:
            return name


def _not_listed(key: str, keys: Sequence[str], partitions_def: dg.PartitionsDefinition) -> MissingKey:
    if not keys:
        return MissingKey(_none_of(partitions_def), "add the key first, for example in Dagster's UI")
    return MissingKey(f"the keys are {list_names(keys)}", did_you_mean(key, keys[:_COMPARED]) or "name one of them")


def _none_of(partitions_def: dg.PartitionsDefinition) -> str:
    return f"of {describe_partitions(partitions_def)} there is none yet"
