"""Where tables keep their files, and whether two of them share a place."""

import posixpath
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote

from pyiceberg.io.pyarrow import PyArrowFileIO
from pyiceberg.table import Table, TableProperties

from floe_core.errors import CatalogError
from floe_dagster.lakehouse.iceberg import IcebergTables
from floe_dagster.lakehouse.maintenance.report import SkipTable
from floe_dagster.lakehouse.tables import TableName

_OWN_FOLDERS = (
    TableProperties.WRITE_DATA_PATH,
    TableProperties.WRITE_METADATA_PATH,
    "write.folder-storage.path",
    "write.object-storage.path",
)
_ALIASES = {"s3a": "s3", "s3n": "s3", "gcs": "gs", "abfss": "abfs"}


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """A folder, in the one spelling that places are compared by."""

    scheme: str
    path: str

    @classmethod
    def of(cls, location: str) -> "Place":
        """The place that *location* spells: `file:///a%20b`, `/a b` and a link that leads there are one."""
        scheme, _, path = PyArrowFileIO.parse_location(location)
        path = unquote(path)
        if scheme == "file":
            return cls(scheme, str(Path(path).resolve()))
        return cls(_ALIASES.get(scheme, scheme), posixpath.normpath(path))

    def holds(self, other: "Place") -> bool:
        """Whether *other* is the same place or below it."""
        if self.scheme != other.scheme:
            return False
        return other.path == self.path or other.path.startswith(f"{self.path.rstrip('/')}/")

    def overlaps(self, other: "Place") -> bool:
        """Whether one of the two holds the other."""
        return self.holds(other) or other.holds(self)


def local_path(location: str) -> Path | None:
    """*location* as a path of this machine, None where it is elsewhere; nothing in it is decoded."""
    scheme, _, path = PyArrowFileIO.parse_location(location)
    return Path(path) if scheme == "file" else None


class TablePlaces:
    """The places of all tables of a catalog, read once."""

    def __init__(self, tables: IcebergTables) -> None:
        self._tables = tables
        self._places: dict[TableName, tuple[Place, ...]] | None = None
        self._unknown: dict[TableName, str] = {}

    def check_alone(self, name: TableName, table: Table) -> None:
        """See that no other table, and nothing else that floe keeps, has files below the location of *table*.

        Raises:
            SkipTable: There is something, or it cannot be told.
        """
        own = Place.of(table.location())
        for kept in self._tables.files_beside_tables:
            if own.holds(Place.of(str(kept))):
                raise SkipTable(f"its location {table.location()} also holds {kept.name}, which is not of the table")
        if self._places is None:
            self._places = dict(self._read())
        for other, places in self._places.items():
            if other != name and any(own.overlaps(place) for place in places):
                raise SkipTable(f"it shares its location {table.location()} with '{other}', or one lies in the other")
        for other, reason in self._unknown.items():
            if other != name:
                raise SkipTable(f"'{other}' cannot be read, so it may have files here: {reason}")

    def _read(self) -> Iterator[tuple[TableName, tuple[Place, ...]]]:
        for name in self._tables.names():
            try:
                table = self._tables.find(name)
            except CatalogError as error:
                folder = self._tables.folder_in_catalog(name)
                if folder is None:
                    self._unknown[name] = error.problems[0].what
                else:
                    yield name, (Place.of(folder),)
                continue
            if table is not None:
                folders = [table.location(), *(table.properties.get(key, "") for key in _OWN_FOLDERS)]
                yield name, tuple(Place.of(folder) for folder in folders if folder)
