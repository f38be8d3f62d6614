"""One write to an Iceberg table: its files are written once, then its commit is tried until it is in."""

import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Self

import pyarrow as pa
import pyarrow.parquet as pq
from pyiceberg.exceptions import NamespaceAlreadyExistsError
from pyiceberg.expressions import AlwaysTrue
from pyiceberg.io import FileIO
from pyiceberg.io.pyarrow import _dataframe_to_data_files, schema_to_pyarrow
from pyiceberg.manifest import DataFile
from pyiceberg.schema import Schema
from pyiceberg.table import Table, TableProperties, Transaction
from pyiceberg.table.metadata import TableMetadata

from floe_core.errors import CatalogError, Problem
from floe_core.schemas.platform_spec import SHORTEST_ORPHAN_GRACE
from floe_dagster.lakehouse.arrow_types import convert, read_batches, storable_schema
from floe_dagster.lakehouse.iceberg import IcebergTables
from floe_dagster.lakehouse.partition_columns import PARTITION_COLUMNS, read_partition_columns
from floe_dagster.lakehouse.partition_rows import OutsideRows, PartitionRows, resolve_partition
from floe_dagster.lakehouse.retries import Patience, lost_races
from floe_dagster.lakehouse.schema_evolution import FittedColumns, fit_columns, fit_new_table
from floe_dagster.lakehouse.tables import Partition, Snapshot, TableName, WriteMode, parts_of

_SECONDS_TO_COMMIT = 120.0
_BYTES_PER_FILE = 128 * 1024**2
_OLD_METADATA_KEPT = 100
_SECONDS_UNTIL_FILES_MAY_GO = SHORTEST_ORPHAN_GRACE.total_seconds() / 2
_FIELD_ID = b"PARQUET:field_id"

_NEW_TABLE_PROPERTIES = {
    # Every commit writes the table's whole metadata anew. Without these two, the old ones stay for ever; with few of
    # them, a dbt run that began before so many commits would lose the one it reads.
    TableProperties.METADATA_DELETE_AFTER_COMMIT_ENABLED: "true",
    TableProperties.METADATA_PREVIOUS_VERSIONS_MAX: str(_OLD_METADATA_KEPT),
    TableProperties.WRITE_TARGET_FILE_SIZE_BYTES: str(_BYTES_PER_FILE),
}


def write_table(
    tables: IcebergTables,
    name: TableName,
    data: object,
    *,
    mode: WriteMode = "overwrite",
    partition: Partition | None = None,
) -> Snapshot:
    """Write *data* and commit it; nothing of it is in the table unless all of it is.

    Args:
        tables: The catalog.
        name: The table, which is made when it does not exist.
        data: Read once and in pieces, so that it may be larger than memory.
        mode: What becomes of the rows that are there: all replaced, or all kept.
        partition: Replaces the rows of this partition only.

    Raises:
        CatalogError: The data does not fit, or other writers were always quicker.
    """
    return _Write(tables, name, data, mode=mode, partition=partition).run()


@dataclass(frozen=True)
class _Layout:
    """What data files depend on: files written for one layout belong into any table of the same."""

    columns: object
    spec: object

    @classmethod
    def of(cls, metadata: TableMetadata) -> Self:
        return cls(metadata.schema().as_struct(), metadata.spec())


class _Write:
    def __init__(
        self, tables: IcebergTables, name: TableName, data: object, *, mode: WriteMode, partition: Partition | None
    ) -> None:
        self._tables, self._name, self._mode, self._partition = tables, name, mode, partition
        reader = read_batches(data, table=str(name))
        self._batches: Iterable[pa.RecordBatch] = reader
        self._schema = storable_schema(reader.schema, table=str(name))
        self._layout: _Layout | None = None
        self._added: list[str] = []
        self._files: list[DataFile] = []
        self._io: FileIO | None = None
        self._began = time.time()
        self._committing = False

    def run(self) -> Snapshot:
        patience = Patience(_SECONDS_TO_COMMIT)
        while True:
            turn = nullcontext() if self._layout is None else self._tables.turn_to_commit(self._name)
            try:
                with turn:
                    snapshot = self._step()
            except lost_races() as error:
                if not patience.wait():
                    self._delete_files()
                    raise CatalogError(_lost(self._name, patience.attempts, error)) from error
            except CatalogError:
                if not self._committing:
                    self._delete_files()
                raise
            else:
                if snapshot is not None:
                    return snapshot

    def _step(self) -> Snapshot | None:
        """Do the next thing that the table, as it is now, still needs; the snapshot if that was the last.

        The files come first, since they take long and since nothing of the table may change for data that turns out
        not to fit. Columns and properties are a commit of their own: pyiceberg cannot repeat one that also holds rows.
        """
        self._committing = False
        table = self._tables.find(self._name)
        columns = self._fit(table)
        self._added += [name for name in columns.added if name not in self._added]
        transaction, changes_table = self._begin(table, columns)
        layout = _Layout.of(transaction.table_metadata)
        if layout != self._layout:
            self._write_files(transaction, columns)
            self._layout = layout
            if table is not None:
                return None
        if table is not None and changes_table:
            transaction.commit_transaction()
            return None
        self._check_files()
        with self._storing():
            snapshot_id = self._stage(transaction, table, columns)
            self._committing = True  # who loses the answer does not know whether the table refers to the files
            committed = transaction.commit_transaction()
        return self._snapshot(committed, snapshot_id, columns)

    @contextmanager
    def _storing(self) -> Iterator[None]:
        """What the file store refuses, in other words than those of its client; the user's data may fail otherwise."""
        try:
            yield
        except OSError as error:
            raise CatalogError(self._tables.not_stored(self._name, error)) from error

    def _fit(self, table: Table | None) -> FittedColumns:
        if table is None:
            return fit_new_table(self._schema)
        current = schema_to_pyarrow(table.schema(), include_field_ids=False)
        replaces_all = self._mode == "overwrite" and self._partition is None
        return fit_columns(self._schema, current, table=str(self._name), replaces_all=replaces_all)

    def _begin(self, table: Table | None, columns: FittedColumns) -> tuple[Transaction, bool]:
        """A transaction with what changes of the table besides its rows, and whether anything does."""
        transaction = self._begin_new_table(columns) if table is None else table.transaction()
        if table is not None and columns.change_the_table:
            with transaction.update_schema() as update:
                update.union_by_name(columns.schema)
        return transaction, self._note_partition_columns(transaction) or columns.change_the_table

    def _note_partition_columns(self, transaction: Transaction) -> bool:
        """Have the table know by which columns its rows are replaced, so that compaction keeps partitions apart."""
        if self._partition is None:
            return False
        metadata = transaction.table_metadata
        fields = {field.name: field.field_id for field in metadata.schema().fields}
        ids = {fields[part.column] for part in parts_of(self._partition) if part.column in fields}
        known = read_partition_columns(metadata)
        if not ids <= known:
            transaction.set_properties({PARTITION_COLUMNS: " ".join(map(str, sorted(ids | known)))})
        return not ids <= known

    def _begin_new_table(self, columns: FittedColumns) -> Transaction:
        catalog = self._tables.catalog
        for length in range(1, len(self._name.namespace) + 1):
            with suppress(NamespaceAlreadyExistsError):
                catalog.create_namespace(self._name.namespace[:length])
        identifier = self._tables.identifier(self._name)
        return catalog.create_table_transaction(identifier, columns.schema, properties=_NEW_TABLE_PROPERTIES)

    def _write_files(self, transaction: Transaction, columns: FittedColumns) -> None:
        """Write the data, or what was written of it for a table that has changed since, as *transaction* needs it."""
        metadata = transaction.table_metadata
        old_files, old_io = self._files, self._io
        self._files, self._io = [], transaction._table.io  # noqa: SLF001  # a new table's has no other place
        try:
            for rows in self._checked_rows(columns, metadata):
                with self._storing():
                    self._files += _dataframe_to_data_files(metadata, rows, self._io)
        except BaseException:
            self._delete_files()
            raise
        finally:
            _delete(old_files, old_io)
        self._batches = _reread(self._files, self._io, metadata.schema(), columns.schema.names)

    def _checked_rows(self, columns: FittedColumns, metadata: TableMetadata) -> Iterator[pa.Table]:
        """The rows in the types of the table, file by file; none at all from the first on that is out of place.

        Raises:
            CatalogError: Rows lie outside the partition; raised when all have been seen.
        """
        partition = self._resolve_partition(columns)
        outside = OutsideRows(partition) if partition is not None else None
        limit = int(metadata.properties.get(TableProperties.WRITE_TARGET_FILE_SIZE_BYTES, _BYTES_PER_FILE))
        for rows in _by_file(self._batches, limit):
            converted = convert(rows, columns.schema, table=str(self._name))
            if outside is not None:
                outside.add(converted)
            if outside is None or not outside.count:
                yield converted
        if outside is not None and outside.count:
            raise CatalogError(outside.problem(str(self._name)))

    def _resolve_partition(self, columns: FittedColumns) -> PartitionRows | None:
        if self._partition is None:
            return None
        return resolve_partition(self._partition, columns.schema, table=str(self._name))

    def _stage(self, transaction: Transaction, table: Table | None, columns: FittedColumns) -> int:
        """Put the files into *transaction*; the snapshot that will hold them."""
        if table is not None and self._mode == "overwrite":
            partition = self._resolve_partition(columns)
            if partition is None:
                return self._stage_overwrite(transaction, table)
            if any(table.scan(row_filter=partition.condition).plan_files()):  # pyiceberg warns if there is nothing
                transaction.delete(partition.condition)
        with transaction.update_snapshot().fast_append() as append:
            for file in self._files:
                append.append_data_file(file)
        return append.snapshot_id

    def _stage_overwrite(self, transaction: Transaction, table: Table) -> int:
        """One snapshot in place of pyiceberg's two, of which the first is the table without any rows."""
        with transaction.update_snapshot().overwrite() as overwrite:
            overwrite.delete_by_predicate(AlwaysTrue())
            for task in table.scan().plan_files():
                overwrite.delete_data_file(task.file)
            for file in self._files:
                overwrite.append_data_file(file)
        return overwrite.snapshot_id

    def _check_files(self) -> None:
        """See that what was written long ago is still there: to a vacuum it looks like orphans until it is committed.

        Raises:
            CatalogError: Files are gone; a table that refers to them could not be read again.
        """
        if self._io is None or time.time() - self._began < _SECONDS_UNTIL_FILES_MAY_GO:
            return
        for file in self._files:
            if not self._io.new_input(file.file_path).exists():
                raise CatalogError(_removed(self._name, file.file_path))

    def _snapshot(self, table: Table, snapshot_id: int, columns: FittedColumns) -> Snapshot:
        committed = table.snapshot_by_id(snapshot_id)
        at = datetime.now(UTC) if committed is None else datetime.fromtimestamp(committed.timestamp_ms / 1000, UTC)
        return Snapshot(
            snapshot_id=snapshot_id,
            table=str(self._name),
            location=table.location(),
            rows=sum(file.record_count for file in self._files),
            committed_at=at,
            added_columns=tuple(self._added),
            missing_columns=columns.missing,
        )

    def _delete_files(self) -> None:
        _delete(self._files, self._io)
        self._files = []


def _by_file(batches: Iterable[pa.RecordBatch], limit: int) -> Iterator[pa.Table]:
    """The batches in groups of at most *limit* bytes."""
    pending: list[pa.RecordBatch] = []
    size = 0
    for batch in batches:
        for piece in _pieces(batch, limit):
            if pending and size + piece.nbytes > limit:
                yield pa.Table.from_batches(pending)
                pending, size = [], 0
            pending.append(piece)
            size += piece.nbytes
    if pending:
        yield pa.Table.from_batches(pending)


def _pieces(batch: pa.RecordBatch, limit: int) -> Iterator[pa.RecordBatch]:
    """*batch* in slices of at most *limit* bytes, or of a single row; nothing of a batch without rows."""
    rows = max(1, int(batch.num_rows * limit / max(batch.nbytes, 1)))
    for start in range(0, batch.num_rows, rows):
        yield batch.slice(start, rows)


def _reread(files: list[DataFile], io: FileIO, schema: Schema, names: list[str]) -> Iterator[pa.RecordBatch]:
    """The columns *names* of what *files* hold; in a file, columns are known by the ids that *schema* gives them."""
    for file in files:
        with io.new_input(file.file_path).open() as stream:
            parquet = pq.ParquetFile(stream)
            by_id = {int(field.metadata[_FIELD_ID]): index for index, field in enumerate(parquet.schema_arrow)}
            positions = [by_id[schema.find_field(name).field_id] for name in names]
            for batch in parquet.iter_batches():
                yield pa.RecordBatch.from_arrays([batch.column(position) for position in positions], names=names)


def _delete(files: Iterable[DataFile], io: FileIO | None) -> None:
    """Delete files that no snapshot knows; one that stays is found later as an orphan."""
    for file in files:
        with suppress(OSError):
            if io is not None:
                io.delete(file.file_path)


def _lost(name: TableName, attempts: int, error: Exception) -> Problem:
    return Problem(
        code="FLOE-408",
        what=f"the write to '{name}' lost to other writers {attempts} times within {_SECONDS_TO_COMMIT:.0f} seconds",
        why="a commit only counts if nobody else changed the table since it was read",
        fix="let one asset at a time write the table (a Dagster pool), or write less often",
        detail=str(error),
    )


def _removed(name: TableName, path: str) -> Problem:
    return Problem(
        code="FLOE-444",
        what=f"a file of the write to '{name}' was removed before it was committed",
        why="a file that no snapshot refers to yet looks like an orphan to a vacuum whose grace is over",
        fix="write again, and have the grace of vacuums longer than any write takes",
        detail=path,
    )
