"""The columns by which partitions of a table are replaced, as the table itself keeps them.

Tables of Python assets have no partition spec of Iceberg: a partition is whatever rows its window or keys tell.
"""

from pyiceberg.table.metadata import TableMetadata

PARTITION_COLUMNS = "floe.partition-columns"
"""Property of a table: ids of columns, which stay when columns are renamed, with blanks between them."""


def read_partition_columns(metadata: TableMetadata) -> frozenset[int]:
    """The ids of the columns; those that were deleted, and what is no id, are left out."""
    words = metadata.properties.get(PARTITION_COLUMNS, "").split()
    return frozenset(int(word) for word in words if word.isdigit()) & set(metadata.schema().field_ids)
