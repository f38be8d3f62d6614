"""The partitions from one key to another, both included."""

from datetime import datetime
from itertools import product

import dagster as dg
from dagster._core.instance.types import DynamicPartitionsStore

from floe_dagster.partitioning.choice import keys_between
from floe_dagster.partitioning.missing_keys import MissingKey, find_missing_key


def partitions_between(
    first: str,
    last: str,
    partitions_def: dg.PartitionsDefinition,
    *,
    at: datetime,
    dynamic_partitions_store: DynamicPartitionsStore | None,
) -> tuple[str, ...] | MissingKey:
    """The keys from *first* to *last* at the instant *at*, in the order of the definition, the older windows first.

    Of two dimensions, every pair of what lies between the two keys in each.

    Returns:
        What is wrong with the range, where one of its ends is not there or it runs backwards.
    """
    for key in (first, last):
        missing = find_missing_key(key, partitions_def, at=at, dynamic_partitions_store=dynamic_partitions_store)
        if missing is not None:
            return MissingKey(f"of '{key}': {missing.reason}", missing.fix)
    with dg.partition_loading_context(at, dynamic_partitions_store):
        keys = _between(first, last, partitions_def)
    if not keys:
        return MissingKey("a range goes from an earlier to a later partition", f"write '{last}..{first}'")
    return keys


def _between(first: str, last: str, partitions_def: dg.PartitionsDefinition) -> tuple[str, ...]:
    match partitions_def:
        case dg.TimeWindowPartitionsDefinition():
            start, end = (partitions_def.start_time_for_partition_key(key).timestamp() for key in (first, last))
            return tuple(keys_between(partitions_def, start, end + 1))
        case dg.MultiPartitionsDefinition():
            return _pairs_between(first, last, partitions_def)
        case _:
            keys = list(partitions_def.get_partition_keys())
            return tuple(keys[keys.index(first) : keys.index(last) + 1])


def _pairs_between(first: str, last: str, pairs: dg.MultiPartitionsDefinition) -> tuple[str, ...]:
    begin, end = (pairs.get_partition_key_from_str(key).keys_by_dimension for key in (first, last))
    names = [pairs.primary_dimension.name, pairs.secondary_dimension.name]
    sides = [_between(begin[name], end[name], pairs.get_partitions_def_for_dimension(name)) for name in names]
    found = (dict(zip(names, pair, strict=True)) for pair in product(*sides))
    return tuple("|".join(pair[name] for name in pairs.partition_dimension_names) for pair in found)
