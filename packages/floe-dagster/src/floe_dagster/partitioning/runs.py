"""How partitions are spread over runs: one run each, or a run for a range where the assets take ranges."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import dagster as dg

RANGE_START_TAG = "dagster/asset_partition_range_start"
RANGE_END_TAG = "dagster/asset_partition_range_end"
PARTITION_TAGS = frozenset({"dagster/partition", RANGE_START_TAG})
"""Tags by which a run request names its partitions, beside its partition key."""


@dataclass(frozen=True, slots=True)
class PartitionRun:
    """The partitions of one run, in the order of the definition; several are a range without gaps."""

    keys: tuple[str, ...]

    @property
    def key(self) -> str | None:
        """The one partition, if it is one."""
        return self.keys[0] if len(self.keys) == 1 else None

    @property
    def label(self) -> str:
        """The partition or the range as users write it: `2024-01-01..2024-01-31`."""
        return self.key or f"{self.keys[0]}..{self.keys[-1]}"

    @property
    def range_tags(self) -> Mapping[str, str]:
        """The run tags by which Dagster knows the range; none for one partition."""
        if self.key is not None:
            return MappingProxyType({})
        return MappingProxyType({RANGE_START_TAG: self.keys[0], RANGE_END_TAG: self.keys[-1]})


def spread_over_runs(
    keys: Sequence[str], partitions_def: dg.PartitionsDefinition, *, most: int | None
) -> tuple[PartitionRun, ...]:
    """Runs that together have the partitions *keys*, in their order.

    Args:
        keys: Partitions without gaps between them, as a selector or a range gives them.
        partitions_def: Of the keys.
        most: How many partitions a run may have; None for any number.

    Source:
        Dagster knows the partitions of such a run by the first and the last key. A range of two dimensions is every
        pair of what lies between them in each.
    """
    if most == 1:
        return tuple(PartitionRun((key,)) for key in keys)
    blocks = _blocks(keys, partitions_def)
    return tuple(PartitionRun(run) for run in _join(blocks, most=most or len(keys)) if run)


def _blocks(keys: Sequence[str], partitions_def: dg.PartitionsDefinition) -> list[tuple[str, ...]]:
    """What a run has whole, or a run of its own has a piece of: the pairs of one window; else each key."""
    if not isinstance(partitions_def, dg.MultiPartitionsDefinition):
        return [(key,) for key in keys]
    primary = partitions_def.primary_dimension.name
    blocks: dict[str, list[str]] = {}
    for key in keys:
        blocks.setdefault(partitions_def.get_partition_key_from_str(key).keys_by_dimension[primary], []).append(key)
    return [tuple(block) for block in blocks.values()]


def _join(blocks: Sequence[tuple[str, ...]], *, most: int) -> Iterator[tuple[str, ...]]:
    run: tuple[str, ...] = ()
    for block in blocks:
        if len(run) + len(block) > most:
            yield run
            run = ()
        if len(block) > most:
            yield from (block[start : start + most] for start in range(0, len(block), most))
        else:
            run += block
    yield run
