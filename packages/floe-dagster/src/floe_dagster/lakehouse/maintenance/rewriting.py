"""Writing the rows of several data files into one, a piece at a time."""

import uuid
from collections.abc import Iterator
from contextlib import suppress

import pyarrow as pa
from pyiceberg.expressions import AlwaysTrue
from pyiceberg.io.fileformat import FileFormatFactory
from pyiceberg.io.pyarrow import ArrowScan, _to_requested_schema, pyarrow_to_schema
from pyiceberg.manifest import DataFile, DataFileContent, FileFormat
from pyiceberg.schema import Schema, sanitize_column_names
from pyiceberg.table import Table
from pyiceberg.table.locations import load_location_provider

from floe_dagster.lakehouse.maintenance.file_groups import FileGroup

_BYTES_AT_ONCE = 64 * 1024**2
_ROWS_AT_ONCE = 1024**2


def rewrite(table: Table, group: FileGroup) -> DataFile | None:
    """Write the rows of *group* into one new file that no snapshot has yet; None if delete files leave no row.

    What is in memory at once is one file of the group and some 64 MiB besides. Rows come in the order of the files,
    with the columns that the table has now.
    """
    metadata = table.metadata
    schema = sanitize_column_names(metadata.schema())
    parquet = FileFormatFactory.get(FileFormat.PARQUET)
    path = _new_path(table, group)
    output = table.io.new_output(path)
    pieces = _pieces(table, group, schema)
    first = next(pieces, None)
    if first is None:
        return None
    try:
        with parquet.create_writer(output, schema, metadata.properties) as writer:
            writer.write(first)
            for piece in pieces:
                writer.write(piece)
    except BaseException:
        with suppress(OSError):
            table.io.delete(path)
        raise
    return DataFile.from_args(
        content=DataFileContent.DATA,
        file_path=path,
        file_format=FileFormat.PARQUET,
        partition=group.files[0].partition,
        file_size_in_bytes=len(output),
        sort_order_id=None,
        spec_id=metadata.default_spec_id,
        equality_ids=None,
        key_metadata=None,
        **writer.result().to_serialized_dict(),
    )


def _new_path(table: Table, group: FileGroup) -> str:
    metadata = table.metadata
    name = f"00000-0-{uuid.uuid4()}.parquet"
    if not metadata.spec().is_unpartitioned():
        name = f"{metadata.spec().partition_to_path(group.files[0].partition, metadata.schema())}/{name}"
    return load_location_provider(metadata.location, metadata.properties).new_data_location(name)


def _pieces(table: Table, group: FileGroup, schema: Schema) -> Iterator[pa.Table]:
    pending: list[pa.RecordBatch] = []
    size = rows = 0
    for batch in _batches(table, group, schema):
        pending.append(batch)
        size, rows = size + batch.nbytes, rows + batch.num_rows
        if size >= _BYTES_AT_ONCE or rows >= _ROWS_AT_ONCE:
            yield pa.Table.from_batches(pending)
            pending, size, rows = [], 0, 0
    if pending:
        yield pa.Table.from_batches(pending)


def _batches(table: Table, group: FileGroup, schema: Schema) -> Iterator[pa.RecordBatch]:
    """The rows as *schema* stores them; what differs from file to file, such as how long texts may be, is made one."""
    metadata = table.metadata
    parquet = FileFormatFactory.get(FileFormat.PARQUET)
    scan = ArrowScan(metadata, table.io, metadata.schema(), AlwaysTrue())
    for task in group.tasks:
        for batch in scan.to_record_batches([task]):
            yield _to_requested_schema(
                requested_schema=schema,
                file_schema=pyarrow_to_schema(
                    batch.schema, name_mapping=metadata.schema().name_mapping, format_version=metadata.format_version
                ),
                batch=batch,
                include_field_ids=True,
                format_model=parquet,
            )
