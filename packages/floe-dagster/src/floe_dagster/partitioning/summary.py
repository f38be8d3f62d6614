"""How many partitions there are, and which is the first and the last one."""

from dataclasses import dataclass
from datetime import datetime
from math import prod

import dagster as dg
from dagster._core.instance.types import DynamicPartitionsStore


@dataclass(frozen=True, slots=True)
class KeySummary:
    """The number of partition keys at an instant, and the first and last of them where there are any."""

    number: int
    first: str | None = None
    last: str | None = None


def summarize_keys(
    partitions_def: dg.PartitionsDefinition, *, at: datetime, dynamic_partitions_store: DynamicPartitionsStore | None
) -> KeySummary:
    """The keys of *partitions_def* at the instant *at*; windows and pairs are not listed for it."""
    with dg.partition_loading_context(at, dynamic_partitions_store):
        return _summary_of(partitions_def)


def _summary_of(partitions_def: dg.PartitionsDefinition) -> KeySummary:
    match partitions_def:
        case dg.TimeWindowPartitionsDefinition():
            number = partitions_def.get_num_partitions()
            return KeySummary(number, partitions_def.get_first_partition_key(), partitions_def.get_last_partition_key())
        case dg.MultiPartitionsDefinition(partitions_defs=dimensions):
            sides = [_summary_of(dimension.partitions_def) for dimension in dimensions]
            number = prod(side.number for side in sides)
            first, last = (
                "|".join(filter(None, keys)) for keys in zip(*((s.first, s.last) for s in sides), strict=True)
            )
            return KeySummary(number, first, last) if number else KeySummary(0)
        case _:
            keys = partitions_def.get_partition_keys()
            return KeySummary(len(keys), keys[0], keys[-1]) if keys else KeySummary(0)
