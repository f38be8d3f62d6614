"""The files that a table refers to, by name.

Files are known by their names alone, without folder and scheme. Writers of Iceberg put a UUID into every name, and one
file may be spelt in many ways: with `file://` or without, with `%20` or a blank, through a symbolic link, a mount or
another name of a bucket. So a file that is referred to under any spelling stays; the price is that a file which shares
its name with one in use stays, too.
"""

import posixpath
from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from urllib.parse import unquote

from pyiceberg.io import FileIO
from pyiceberg.table.metadata import TableMetadata

from floe_dagster.lakehouse.maintenance.places import local_path


class References:
    """Names of files that are referred to."""

    def __init__(self) -> None:
        self._names: set[str] = set()

    def __contains__(self, path: object) -> bool:
        return isinstance(path, str) and file_name(path) in self._names

    def add(self, path: str) -> None:
        """Note *path*, and where it leads to if it is a symbolic link."""
        self._names.add(file_name(path))
        local = local_path(path)
        if local is not None and local.is_symlink():
            self._names.add(file_name(str(local.resolve())))

    def update(self, other: "References") -> None:
        """Note all that *other* holds."""
        self._names |= other._names  # noqa: SLF001  # of the same class


def file_name(path: str) -> str:
    """The name of the file at *path*, in the one spelling that names are compared by.

    >>> file_name("s3a://lake/t/data/a%20b.parquet"), file_name("/lake/t/data/a b.parquet")
    ('a b.parquet', 'a b.parquet')
    """
    return unquote(posixpath.basename(path))


def read_references(
    metadata: TableMetadata, io: FileIO, *, metadata_location: str, without: AbstractSet[int] = frozenset()
) -> References:
    """All files of the table: metadata that is current or in the log, and what its snapshots are made of.

    Args:
        metadata: The table, as the catalog has it now.
        io: Reads manifests.
        metadata_location: Where *metadata* stands.
        without: Snapshots that do not count, since they are about to expire.

    Raises:
        OSError: A manifest cannot be read, so that the references are not all known.
    """
    references = References()
    references.add(metadata_location)
    for entry in metadata.metadata_log:
        references.add(entry.metadata_file)
    for statistics in (*metadata.statistics, *metadata.partition_statistics):
        references.add(statistics.statistics_path)
    for path in _snapshot_files(metadata, io, without):
        references.add(path)
    return references


def _snapshot_files(metadata: TableMetadata, io: FileIO, without: AbstractSet[int]) -> Iterator[str]:
    seen: set[str] = set()
    for snapshot in metadata.snapshots:
        if snapshot.snapshot_id in without:
            continue
        yield snapshot.manifest_list
        for manifest in snapshot.manifests(io):
            if manifest.manifest_path in seen:
                continue
            seen.add(manifest.manifest_path)
            yield manifest.manifest_path
            for entry in manifest.fetch_manifest_entry(io, discard_deleted=True):
                yield entry.data_file.file_path
