"""The rows of a table that a partitioned run of its asset replaces."""

from collections.abc import Mapping

import dagster as dg

from floe_core.errors import Problem
from floe_dagster.lakehouse.tables import Partition, PartitionKeys, PartitionWindow

PARTITION_COLUMN = "floe/partition_column"
_DAGSTERS = "partition_expr"


def resolve_run_partition(context: dg.AssetExecutionContext) -> Partition | Problem | None:
    """The partition, or range of partitions, that *context* computes; None where the asset has none.

    The column is named by the asset's metadata: `floe/partition_column`, or Dagster's own `partition_expr`.

    Returns:
        A problem where the column is not named, or the partitions have several dimensions. Its `what` completes
        "asset 'x' ...".
    """
    spec = context.assets_def.get_asset_spec(context.asset_key)
    if spec.partitions_def is None or not (context.has_partition_key or context.has_partition_key_range):
        return None
    column = spec.metadata.get(PARTITION_COLUMN) or spec.metadata.get(_DAGSTERS)
    if isinstance(column, dg.TextMetadataValue):
        column = column.value
    if isinstance(spec.partitions_def, dg.MultiPartitionsDefinition) or isinstance(column, Mapping):
        return Problem(
            code="FLOE-411",
            what="has partitions of two dimensions and returns rows",
            why="rows are replaced by one column: a time, or a key",
            fix="write the rows with the 'catalog' resource and return a dict",
        )
    if not isinstance(column, str):
        return Problem(
            code="FLOE-411",
            what="is partitioned and returns rows, but no column tells which partition a row belongs to",
            why="only the rows of the partition are replaced in its table",
            fix="name the column: partition_column under orchestration.assets in floe.yaml, or "
            "@floe_asset(partition_column='…')",
        )
    if isinstance(spec.partitions_def, dg.TimeWindowPartitionsDefinition):
        window = context.partition_time_window
        return PartitionWindow(column, window.start, window.end)
    return PartitionKeys(column, tuple(context.partition_keys))
