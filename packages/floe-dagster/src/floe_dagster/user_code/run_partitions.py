"""Which partitions a run computes, by dimension."""

from collections.abc import Mapping
from dataclasses import dataclass

import dagster as dg

from floe_core.errors import Problem, RunError

ONLY_DIMENSION = ""


@dataclass(frozen=True, slots=True)
class RunDimension:
    """What a run computes of one dimension."""

    keys: tuple[str, ...]
    window: dg.TimeWindow | None
    """From the start of the first to the end of the last; None where the keys are no windows of time."""


@dataclass(frozen=True, slots=True)
class RunPartitions:
    """The partitions that a run computes of its assets: every combination of the keys of the dimensions."""

    keys: tuple[str, ...]
    dimensions: Mapping[str, RunDimension]
    """By name, in Dagster's order; partitions of one dimension have it under the name ""."""

    @property
    def window(self) -> dg.TimeWindow | None:
        """The window of the dimension that has one."""
        return next((dimension.window for dimension in self.dimensions.values() if dimension.window), None)


def read_run_partitions(
    context: dg.AssetExecutionContext | dg.OpExecutionContext, partitions_def: dg.PartitionsDefinition | None
) -> RunPartitions | None:
    """The partitions of *partitions_def* that the run of *context* computes; None where it has none, or needs none.

    Raises:
        RunError: The run is for a range in which there are no partitions.
    """
    if partitions_def is None or not (context.has_partition_key or context.has_partition_key_range):
        return None
    key_range = context.partition_key_range
    with dg.partition_loading_context(dynamic_partitions_store=context.instance):
        if not isinstance(partitions_def, dg.MultiPartitionsDefinition):
            dimension = _read_dimension(partitions_def, key_range)
            return RunPartitions(dimension.keys, {ONLY_DIMENSION: dimension})
        first, last = (partitions_def.get_partition_key_from_str(key).keys_by_dimension for key in key_range)
        dimensions = {
            dimension.name: _read_dimension(
                dimension.partitions_def, dg.PartitionKeyRange(first[dimension.name], last[dimension.name])
            )
            for dimension in partitions_def.partitions_defs
        }
        return RunPartitions(tuple(map(str, partitions_def.get_partition_keys_in_range(key_range))), dimensions)


def _read_dimension(partitions_def: dg.PartitionsDefinition, key_range: dg.PartitionKeyRange) -> RunDimension:
    """A range that is one key is not looked up: Dagster has checked it, and dynamic ones may be many."""
    single = key_range.start == key_range.end
    keys = (key_range.start,) if single else tuple(partitions_def.get_partition_keys_in_range(key_range))
    if not keys:
        raise RunError(_no_partitions(key_range))
    if not isinstance(partitions_def, dg.TimeWindowPartitionsDefinition):
        return RunDimension(keys, None)
    start, end = (partitions_def.time_window_for_partition_key(key) for key in (keys[0], keys[-1]))
    return RunDimension(keys, dg.TimeWindow(start.start, end.end))


def _no_partitions(key_range: dg.PartitionKeyRange) -> Problem:
    return Problem(
        "FLOE-412",
        f"there are no partitions from '{key_range.start}' to '{key_range.end}'",
        why="a range goes from an earlier partition to a later one, both included",
        fix="launch the run for another range",
    )
