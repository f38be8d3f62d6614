"""The rows of a table that a partitioned run of its asset replaces."""

from collections.abc import Mapping, Sequence

import dagster as dg

from floe_core.errors import Problem
from floe_core.suggestions import did_you_mean, list_names
from floe_dagster.lakehouse.tables import (
    Partition,
    PartitionColumn,
    PartitionDimensions,
    PartitionKeys,
    PartitionWindow,
)
from floe_dagster.user_code.run_partitions import ONLY_DIMENSION, RunDimension, read_run_partitions

PARTITION_COLUMN = "floe/partition_column"
_DAGSTERS = "partition_expr"


def resolve_run_partition(context: dg.AssetExecutionContext) -> Partition | Problem | None:
    """The partition, or range of partitions, that *context* computes; None where the asset has none.

    The columns are named by the asset's metadata: `floe/partition_column`, or Dagster's own `partition_expr`.

    Returns:
        A problem where a column is not named. Its `what` completes "asset 'x' ...".
    """
    spec = context.assets_def.get_asset_spec(context.asset_key)
    partitions = read_run_partitions(context, spec.partitions_def)
    if partitions is None or spec.partitions_def is None:
        return None
    columns = read_partition_columns(spec)
    problem = check_partition_columns(columns, spec.partitions_def)
    if problem is not None:
        return problem
    parts = tuple(_part(columns[name], dimension) for name, dimension in partitions.dimensions.items())
    return parts[0] if len(parts) == 1 else PartitionDimensions(parts)


def read_partition_columns(spec: dg.AssetSpec) -> Mapping[str, str]:
    """Dimension → column, as the metadata of *spec* names them; one column stands under the name ""."""
    named: object = spec.metadata.get(PARTITION_COLUMN) or spec.metadata.get(_DAGSTERS)
    if isinstance(named, dg.MetadataValue):
        named = named.value
    if isinstance(named, str):
        return {ONLY_DIMENSION: named}
    return {str(name): str(column) for name, column in named.items()} if isinstance(named, Mapping) else {}


def check_partition_columns(columns: Mapping[str, str], partitions_def: dg.PartitionsDefinition) -> Problem | None:
    """What is wrong with *columns* for the partitions of *partitions_def*, if anything.

    The problem has no location, and its `what` completes "asset 'x' ...".
    """
    if not isinstance(partitions_def, dg.MultiPartitionsDefinition):
        return None if list(columns) == [ONLY_DIMENSION] else _one_column(columns)
    dimensions = [dimension.name for dimension in partitions_def.partitions_defs]
    if set(columns) == set(dimensions):
        return None
    unknown = sorted(set(columns) - {*dimensions, ONLY_DIMENSION})
    return _unknown_dimension(unknown[0], dimensions) if unknown else _column_for_each(columns, dimensions)


def _part(column: str, dimension: RunDimension) -> PartitionColumn:
    if dimension.window is None:
        return PartitionKeys(column, dimension.keys)
    return PartitionWindow(column, dimension.window.start, dimension.window.end, keys=dimension.keys)


def _one_column(columns: Mapping[str, str]) -> Problem:
    if columns:
        return Problem(
            "FLOE-411",
            f"names columns for the dimensions {list_names(columns)}, and its partitions have one dimension",
            why="one column tells which partition a row belongs to",
            fix=f"write partition_column: {next(iter(columns.values()))}",
        )
    return Problem(
        "FLOE-411",
        "is partitioned and returns rows, but no column tells which partition a row belongs to",
        why="only the rows of the partition are replaced in its table",
        fix="name the column: partition_column under orchestration.assets in floe.yaml, or "
        "@floe_asset(partition_column='…')",
    )


def _unknown_dimension(name: str, dimensions: Sequence[str]) -> Problem:
    return Problem(
        "FLOE-411",
        f"names a column for the dimension '{name}', which its partitions do not have",
        why=f"they have {list_names(dimensions)}",
        fix=did_you_mean(name, dimensions) or f"name columns for {list_names(dimensions)}",
    )


def _column_for_each(columns: Mapping[str, str], dimensions: Sequence[str]) -> Problem:
    missing = [name for name in dimensions if name not in columns]
    known = {name: columns.get(name, "…") for name in dimensions}
    written = ", ".join(f"{name}: {column}" for name, column in known.items())
    return Problem(
        "FLOE-411",
        f"has partitions of two dimensions and names no column for {list_names(missing)}",
        why="a row belongs to the partition that both of its columns tell",
        fix=f"write partition_column: {{{written}}}",
    )
