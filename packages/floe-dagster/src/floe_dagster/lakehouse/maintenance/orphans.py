"""Removing the files below a table's location that nothing in the table refers to."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from collections.abc import Set as AbstractSet
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from pyiceberg.exceptions import ValidationError
from pyiceberg.io import FileIO
from pyiceberg.serializers import FromInputFile
from pyiceberg.table import Table
from pyiceberg.table.metadata import TableMetadata

from floe_core.errors import CatalogError, Problem
from floe_core.names.times import format_duration
from floe_dagster.lakehouse.iceberg import IcebergTables
from floe_dagster.lakehouse.maintenance.expiry import find_table
from floe_dagster.lakehouse.maintenance.file_store import CLOCK_SUFFIX, StoredFile, open_store
from floe_dagster.lakehouse.maintenance.limits import check_grace
from floe_dagster.lakehouse.maintenance.places import Place, TablePlaces
from floe_dagster.lakehouse.maintenance.references import References, file_name, read_references
from floe_dagster.lakehouse.maintenance.report import KeptFiles, RemovedOrphans, SkipTable
from floe_dagster.lakehouse.tables import TableName

_METADATA = re.compile(r"\.metadata\.json(\.gz)?$|\.gz\.metadata\.json$")
_OF_ICEBERG = re.compile(rf"\.(parquet|orc|avro|puffin|stats)$|{re.escape(CLOCK_SUFFIX)}$|{_METADATA.pattern}")
_EXAMPLES = 20


@dataclass(slots=True)
class Unreferenced:
    """Files that nothing in the table refers to: what may go, and what stays for a reason."""

    orphans: list[StoredFile] = field(default_factory=list)
    _files: Counter[str] = field(default_factory=Counter)
    _bytes: Counter[str] = field(default_factory=Counter)

    def keep(self, file: StoredFile, reason: str) -> None:
        """Count *file* among those that stay."""
        self._files[reason] += 1
        self._bytes[reason] += file.bytes

    @property
    def kept(self) -> tuple[KeptFiles, ...]:
        """Those that stay, by the reason."""
        return tuple(KeptFiles(reason, count, self._bytes[reason]) for reason, count in sorted(self._files.items()))


def remove_orphans(
    tables: IcebergTables,
    places: TablePlaces,
    name: TableName,
    *,
    grace: timedelta,
    dry_run: bool,
    without: AbstractSet[int] = frozenset(),
) -> RemovedOrphans:
    """Delete the files of a table that nothing refers to and that are older than *grace*.

    The age of a file is measured by the clock of its store against that of this machine or of the store, whichever is
    earlier, so that clocks which differ make files younger and never older.

    Args:
        tables: The catalog.
        places: The places of all its tables.
        name: The table.
        grace: An hour at least.
        dry_run: Only tell what would be deleted; the age is then measured against the clock of this machine alone.
        without: Snapshots that do not count, since they are about to expire.

    Raises:
        CatalogError: The grace is too short, or the files that are listed are not those that the table refers to.
        SkipTable: The table shares its location, or nothing of it may be deleted.
    """
    check_grace(grace)
    table = find_table(tables, name)
    places.check_alone(name, table)
    store = open_store(table.location(), table.io)
    now = datetime.now(UTC) if dry_run else min(datetime.now(UTC), store.clock())
    found = find_unreferenced(tables, name, table, written_before=now - grace, grace=grace, without=without)
    removed = found.orphans if dry_run else [file for file in found.orphans if store.delete(file)]
    return RemovedOrphans(
        table=str(name),
        location=table.location(),
        files=len(removed),
        bytes=sum(file.bytes for file in removed),
        examples=tuple(file.path for file in removed[:_EXAMPLES]),
        kept=found.kept,
        dry_run=dry_run,
    )


def find_unreferenced(
    tables: IcebergTables,
    name: TableName,
    table: Table,
    *,
    written_before: datetime,
    grace: timedelta = timedelta(),
    without: AbstractSet[int] = frozenset(),
) -> Unreferenced:
    """The files below the location of *table*, which was just read, without those that the table refers to.

    Files are listed first and references read afterwards: a file that a commit in between refers to is not taken for
    an orphan, whenever it was written.
    """
    listed = [file for file in open_store(table.location(), table.io).files() if _OF_ICEBERG.search(file.path)]
    _check_listing(name, table, listed)
    current, references = _read_references(tables, name, table, without)
    unreferenced = [file for file in listed if file.path not in references]
    others = _files_of_other_tables(current, unreferenced)
    found = Unreferenced()
    for file in unreferenced:
        if file.path in others:
            found.keep(file, "of another table that was at this location before")
        elif file.written_at >= written_before:
            found.keep(file, f"younger than {format_duration(grace)}" if grace else "new")
        else:
            found.orphans.append(file)
    return found


def _check_listing(name: TableName, table: Table, listed: Iterable[StoredFile]) -> None:
    """See that what was just read of the table is among the files; if not, they are not the table's files."""
    place = Place.of(table.location())
    snapshot = table.metadata.current_snapshot()
    known = [table.metadata_location, *([snapshot.manifest_list] if snapshot else [])]
    missing = {file_name(path) for path in known if place.holds(Place.of(path))}
    missing.difference_update(file_name(file.path) for file in listed)
    if missing:
        raise CatalogError(
            Problem(
                code="FLOE-443",
                what=f"the files of '{name}' are not where the catalog says",
                why=f"below {table.location()} there is no {min(missing)}, which the table refers to; what is "
                "there cannot be told from orphans, so nothing was deleted",
                fix="restore the file, or see whether the location was moved or mounted differently",
            )
        )


def _read_references(
    tables: IcebergTables, name: TableName, before: Table, without: AbstractSet[int]
) -> tuple[Table, References]:
    """The table as it is now with its references, read anew where its snapshots expire under the reading."""
    while True:
        table = _read_again(tables, name, before)
        try:
            return table, read_references(
                table.metadata, table.io, metadata_location=table.metadata_location, without=without
            )
        except FileNotFoundError:
            if _read_again(tables, name, before).metadata_location == table.metadata_location:
                raise


def _read_again(tables: IcebergTables, name: TableName, before: Table) -> Table:
    current = find_table(tables, name)
    if current.metadata.table_uuid != before.metadata.table_uuid or current.location() != before.location():
        raise SkipTable("it was dropped and made again meanwhile")
    return current


def _files_of_other_tables(table: Table, unreferenced: Iterable[StoredFile]) -> References:
    """What metadata with another UUID refers to: tables that were dropped, or that another catalog has."""
    others = References()
    for file in unreferenced:
        if not _METADATA.search(file.path):
            continue
        metadata = _read_metadata(table.io, file.path, table.location())
        if metadata is not None and metadata.table_uuid != table.metadata.table_uuid:
            for part in _read_each_snapshot(metadata, table.io, file.path):
                others.update(part)
    return others


def _read_metadata(io: FileIO, path: str, location: str) -> TableMetadata | None:
    scheme = location.partition("://")[0] if "://" in location else ""
    address = f"{scheme}://{path}" if scheme and scheme != "file" else path
    with suppress(OSError, EOFError, ValueError, ValidationError):  # half written, by who was killed
        return FromInputFile.table_metadata(io.new_input(address))
    return None


def _read_each_snapshot(metadata: TableMetadata, io: FileIO, path: str) -> Iterator[References]:
    """The references of one snapshot after the other; of those whose manifests are gone, what can be read."""
    ids = {snapshot.snapshot_id for snapshot in metadata.snapshots}
    yield read_references(metadata, io, metadata_location=path, without=ids)
    for snapshot_id in ids:
        with suppress(OSError):
            yield read_references(metadata, io, metadata_location=path, without=ids - {snapshot_id})
