"""Tables in states that other engines bring about, and files of a chosen age."""

import os
import shutil
import time
import uuid
from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from pyiceberg.manifest import (
    DataFile,
    DataFileContent,
    FileFormat,
    ManifestContent,
    ManifestEntry,
    ManifestEntryStatus,
    ManifestFile,
    ManifestWriterV2,
)
from pyiceberg.table import Table
from pyiceberg.table.snapshots import Operation
from pyiceberg.table.update.snapshot import _FastAppendFiles
from pyiceberg.typedef import Record

DAY = 24 * 3600.0


def make_old(*places: Path, days: float = 10) -> None:
    """Give files, and those below folders, a date so many days ago."""
    then = time.time() - days * DAY
    for place in places:
        for path in [place, *place.rglob("*")]:
            if path.is_file() and not path.is_symlink():
                os.utime(path, (then, then))


def plant(path: Path, *, days: float = 10, like: Path | None = None) -> Path:
    """A file of that age, with the content of another where one is given."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if like is None:
        path.write_bytes(b"x" * 100)
    else:
        shutil.copy(like, path)
    make_old(path, days=days)
    return path


def data_files(table: Table) -> list[Path]:
    """The data files of the current snapshot, in the order in which they are read."""
    return [Path(task.file.file_path.removeprefix("file://")) for task in table.scan().plan_files()]


def delete_rows(table: Table, file: DataFile, positions: Sequence[int], *, by_value: bool = False) -> Path:
    """Delete rows of *file* as other engines do: by a file that names them, or as if by one that names values."""
    fields = [("file_path", pa.string(), b"2147483546"), ("pos", pa.int64(), b"2147483545")]
    schema = pa.schema([pa.field(name, kind, metadata={b"PARQUET:field_id": key}) for name, kind, key in fields])
    path = Path(table.location().removeprefix("file://")) / "data" / f"{uuid.uuid4()}-deletes.parquet"
    rows = {"file_path": [file.file_path] * len(positions), "pos": list(positions)}
    pq.write_table(pa.table(rows, schema=schema), path)
    deletes = DataFile.from_args(
        content=DataFileContent.EQUALITY_DELETES if by_value else DataFileContent.POSITION_DELETES,
        file_path=str(path),
        file_format=FileFormat.PARQUET,
        partition=Record(),
        record_count=len(positions),
        file_size_in_bytes=path.stat().st_size,
        equality_ids=[1] if by_value else None,
    )
    transaction = table.transaction()
    _AppendDeletes(transaction, deletes).commit()
    transaction.commit_transaction()
    return path


class _AppendDeletes(_FastAppendFiles):
    def __init__(self, transaction: object, deletes: DataFile) -> None:
        super().__init__(Operation.OVERWRITE, transaction, transaction._table.io)  # type: ignore[attr-defined,arg-type]  # a transaction
        self._deletes = deletes

    def _existing_manifests(self) -> list[ManifestFile]:
        metadata = self._transaction.table_metadata
        writer = _DeletesWriter(
            metadata.spec(), metadata.schema(), self.new_manifest_output(), self.snapshot_id, "null"
        )
        with writer:
            writer.add(
                ManifestEntry.from_args(
                    status=ManifestEntryStatus.ADDED, snapshot_id=self.snapshot_id, data_file=self._deletes
                )
            )
        return [*super()._existing_manifests(), writer.to_manifest_file()]


class _DeletesWriter(ManifestWriterV2):
    def content(self) -> ManifestContent:
        return ManifestContent.DELETES

    @property
    def _meta(self) -> dict[str, str]:
        return {**super()._meta, "content": "deletes"}
