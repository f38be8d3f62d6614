"""Which partitions a selector means: pure functions over a partitions definition and an instant."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

import dagster as dg
from dagster._core.instance.types import DynamicPartitionsStore

from floe_dagster.partitioning.missing_keys import find_missing_key

LATEST = "latest"
ALL = "all"
NO_PARTITION = "none"
LAST = "last:"


def choose_partitions(
    selector: str,
    partitions_def: dg.PartitionsDefinition,
    *,
    at: datetime,
    dynamic_partitions_store: DynamicPartitionsStore | None,
) -> tuple[str, ...]:
    """The partition keys that *selector* means at the instant *at*, the older windows first.

    Args:
        selector: `latest` is the last window, with every key of the other dimension; every key where there are no
            windows. `last:N` is that for the last N windows. `all` is every key. Anything else is a key itself.
        partitions_def: Of what is launched.
        at: An instant with its zone. Keys that are not there yet are not chosen.
        dynamic_partitions_store: The instance, where keys may be dynamic.

    Returns:
        Nothing where there are no such keys yet, nor for `none`.
    """
    with dg.partition_loading_context(at, dynamic_partitions_store):
        if selector == NO_PARTITION:
            return ()
        if selector == LATEST:
            return _last_windows(partitions_def, 1)
        if selector.startswith(LAST) and windows_of(partitions_def) is not None:
            return _last_windows(partitions_def, int(selector.removeprefix(LAST)))
        if selector == ALL:
            return _plain(partitions_def.get_partition_keys())
        missing = find_missing_key(selector, partitions_def, at=at, dynamic_partitions_store=dynamic_partitions_store)
        return () if missing else (selector,)


def windows_of(partitions_def: dg.PartitionsDefinition) -> dg.TimeWindowPartitionsDefinition | None:
    """The time windows of *partitions_def*, its own or those of a dimension."""
    match partitions_def:
        case dg.TimeWindowPartitionsDefinition():
            return partitions_def
        case dg.MultiPartitionsDefinition() if partitions_def.has_time_window_dimension:
            return partitions_def.time_window_partitions_def
        case _:
            return None


def is_dynamic(partitions_def: dg.PartitionsDefinition) -> bool:
    """Whether the instance holds keys of *partitions_def*."""
    if isinstance(partitions_def, dg.MultiPartitionsDefinition):
        return any(is_dynamic(dimension.partitions_def) for dimension in partitions_def.partitions_defs)
    return isinstance(partitions_def, dg.DynamicPartitionsDefinition)


def keys_between(windows: dg.TimeWindowPartitionsDefinition, start: float, end: float) -> Sequence[str]:
    """The keys of the windows that start within a span of time, in seconds since the epoch.

    Dagster remembers answers by the bounds, and on a local clock the two hours when clocks are set back are equal.
    """
    bounds = (datetime.fromtimestamp(bound, UTC) for bound in (start, end))
    return windows.get_partition_keys_in_time_window(dg.TimeWindow(*bounds))


def _last_windows(partitions_def: dg.PartitionsDefinition, count: int) -> tuple[str, ...]:
    windows = windows_of(partitions_def)
    if windows is None:
        return _plain(partitions_def.get_partition_keys())
    keys = _last_window_keys(windows, count)
    if not isinstance(partitions_def, dg.MultiPartitionsDefinition):
        return keys
    dimension = partitions_def.time_window_dimension.name
    pairs = _plain(partitions_def.get_multipartition_keys_with_dimension_values(dimension, keys))
    return tuple(pair for pair in pairs if partitions_def.is_valid_key_format(pair))


def _last_window_keys(windows: dg.TimeWindowPartitionsDefinition, count: int) -> tuple[str, ...]:
    """The keys of the last *count* windows; years of windows before them are not looked at.

    Windows may differ in length, so as many as would fit if all were like the last one are a first guess.
    """
    first, last = windows.get_first_partition_window(), windows.get_last_partition_window()
    if first is None or last is None:
        return ()
    first_start, last_start = first.start.timestamp(), last.start.timestamp()
    reach = count * (last.end.timestamp() - last_start)
    while True:
        since = max(first_start, last_start - reach)
        keys = keys_between(windows, since, last_start + 1)
        if len(keys) >= count or since == first_start:
            return tuple(keys[-count:])
        reach *= 2


def _plain(keys: Iterable[str]) -> tuple[str, ...]:
    """Keys as text: those of two dimensions are a class of Dagster's."""
    return tuple(map(str, keys))
