"""Which partitions a backfill is over, and where each stands in the partitions definition."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import product

import dagster as dg

from floe_core.schemas.backfill_definition import BackfillDefinition
from floe_dagster.backfilling.decisions import Position


@dataclass(frozen=True)
class SelectedKeys:
    """The partitions of a backfill.

    Args:
        keys: Those that exist, in the order in which they are launched.
        unknown: Dynamic keys that do not exist, or no longer.
        positions: Where each of *keys* stands, one number for each dimension; neighbours differ by one.
    """

    keys: tuple[str, ...]
    unknown: tuple[str, ...]
    positions: Mapping[str, Position]


@dataclass(frozen=True)
class Dimension:
    """A dimension of a partitions definition; `name` is empty where there is but one."""

    name: str
    definition: dg.PartitionsDefinition


def select_keys(
    backfill: BackfillDefinition,
    partitions_def: dg.PartitionsDefinition,
    *,
    at: datetime,
    store: dg.DagsterInstance | None = None,
) -> SelectedKeys:
    """The partitions that *backfill* is over at an instant.

    A range over two dimensions is every combination of their ranges; the time window, if there is one, comes first in
    the order.

    Args:
        backfill: Its keys are known to fit the definition, except for dynamic ones.
        partitions_def: Of the job.
        at: The instant.
        store: Where dynamic keys are kept.
    """
    with dg.partition_loading_context(at, store):
        dimensions = dimensions_of(partitions_def)
        ends = _named_keys(backfill)
        parts = [split_key(key, dimensions, partitions_def) for key in ends]
        known = [_known_keys(dimension, [part[n] for part in parts]) for n, dimension in enumerate(dimensions)]
    numbers = [{key: number for number, key in enumerate(keys)} for keys in known]
    unknown = tuple(
        key
        for key, part in zip(ends, parts, strict=True)
        if any(one not in table for one, table in zip(part, numbers, strict=True))
    )
    if backfill.partition_range is None:
        chosen = [part for key, part in zip(ends, parts, strict=True) if key not in unknown]
    elif unknown:
        chosen = []
    else:
        first, last = parts
        spans = [
            keys[table[start] : table[end] + 1]
            for keys, table, start, end in zip(known, numbers, first, last, strict=True)
        ]
        chosen = list(product(*spans))
    positions = {
        join_key(part, dimensions): tuple(table[one] for one, table in zip(part, numbers, strict=True))
        for part in chosen
    }
    return SelectedKeys(tuple(positions), unknown, positions)


def dimensions_of(partitions_def: dg.PartitionsDefinition) -> list[Dimension]:
    """The dimensions in the order of launching: a time window first, the others by name."""
    if not isinstance(partitions_def, dg.MultiPartitionsDefinition):
        return [Dimension("", partitions_def)]
    dimensions = [Dimension(dimension.name, dimension.partitions_def) for dimension in partitions_def.partitions_defs]
    return sorted(dimensions, key=lambda one: not isinstance(one.definition, dg.TimeWindowPartitionsDefinition))


def split_key(key: str, dimensions: Sequence[Dimension], partitions_def: dg.PartitionsDefinition) -> tuple[str, ...]:
    """The key of each dimension, in the order of *dimensions*."""
    if not isinstance(partitions_def, dg.MultiPartitionsDefinition):
        return (key,)
    by_name = partitions_def.get_partition_key_from_str(key).keys_by_dimension
    return tuple(by_name[dimension.name] for dimension in dimensions)


def join_key(parts: Iterable[str], dimensions: Sequence[Dimension]) -> str:
    """The key that has these keys of its dimensions.

    >>> day = Dimension("day", dg.StaticPartitionsDefinition(["mon"]))
    >>> country = Dimension("country", dg.StaticPartitionsDefinition(["de"]))
    >>> join_key(["mon", "de"], [day, country]), join_key(["mon"], [Dimension("", day.definition)])
    ('de|mon', 'mon')
    """
    if len(dimensions) == 1:
        return next(iter(parts))
    by_name = {dimension.name: part for dimension, part in zip(dimensions, parts, strict=True)}
    return str(dg.MultiPartitionKey(by_name))


def _named_keys(backfill: BackfillDefinition) -> tuple[str, ...]:
    chosen = backfill.partition_range
    return backfill.partition_keys if chosen is None else (chosen.start, chosen.end)


def _known_keys(dimension: Dimension, named: Sequence[str]) -> Sequence[str]:
    """The keys of a dimension in its order, as far as the named ones reach."""
    definition = dimension.definition
    if not isinstance(definition, dg.TimeWindowPartitionsDefinition):
        return definition.get_partition_keys()
    ordered = sorted(named, key=definition.start_time_for_partition_key)
    return definition.get_partition_keys_in_range(dg.PartitionKeyRange(ordered[0], ordered[-1]))
