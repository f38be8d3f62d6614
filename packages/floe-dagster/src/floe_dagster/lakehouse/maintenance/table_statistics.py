"""How large a table is, and what could be freed."""

from collections.abc import Iterator
from datetime import UTC, datetime

from pyiceberg.manifest import DataFile, DataFileContent
from pyiceberg.table import Table

from floe_dagster.lakehouse.iceberg import IcebergTables
from floe_dagster.lakehouse.maintenance.file_groups import is_small
from floe_dagster.lakehouse.maintenance.orphans import find_unreferenced
from floe_dagster.lakehouse.maintenance.places import TablePlaces
from floe_dagster.lakehouse.maintenance.report import SkipTable, TableStatistics
from floe_dagster.lakehouse.tables import TableName


def measure_table(tables: IcebergTables, places: TablePlaces, name: TableName, *, target_bytes: int) -> TableStatistics:
    """Measure a table; reads metadata and lists files, and changes nothing.

    Raises:
        SkipTable: It was dropped meanwhile.
    """
    table = tables.find(name)
    if table is None:
        raise SkipTable("it was dropped meanwhile")
    files = list(_live_files(table))
    data = [file for file in files if file.content == DataFileContent.DATA]
    deleted = sum(file.record_count for file in files if file.content == DataFileContent.POSITION_DELETES)
    unreferenced, unknown = _unreferenced(tables, places, name, table)
    oldest = min((snapshot.timestamp_ms for snapshot in table.metadata.snapshots), default=None)
    return TableStatistics(
        table=str(name),
        location=table.location(),
        files=len(data),
        delete_files=len(files) - len(data),
        bytes=sum(file.file_size_in_bytes for file in files),
        rows=max(sum(file.record_count for file in data) - deleted, 0),
        small_files=sum(is_small(file, target_bytes) for file in data),
        snapshots=len(table.metadata.snapshots),
        oldest_snapshot_at=None if oldest is None else datetime.fromtimestamp(oldest / 1000, UTC),
        unreferenced_files=None if unreferenced is None else unreferenced[0],
        unreferenced_bytes=None if unreferenced is None else unreferenced[1],
        unreferenced_unknown=unknown,
    )


def _live_files(table: Table) -> Iterator[DataFile]:
    snapshot = table.metadata.current_snapshot()
    for manifest in snapshot.manifests(table.io) if snapshot else ():
        for entry in manifest.fetch_manifest_entry(table.io, discard_deleted=True):
            yield entry.data_file


def _unreferenced(
    tables: IcebergTables, places: TablePlaces, name: TableName, table: Table
) -> tuple[tuple[int, int] | None, str]:
    try:
        places.check_alone(name, table)
        found = find_unreferenced(tables, name, table, written_before=datetime.max.replace(tzinfo=UTC))
    except SkipTable as skip:
        return None, str(skip)
    return (
        len(found.orphans) + sum(kept.files for kept in found.kept),
        sum(file.bytes for file in found.orphans) + sum(kept.bytes for kept in found.kept),
    ), ""
