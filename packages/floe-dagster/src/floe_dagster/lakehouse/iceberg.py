"""The tables of one Iceberg catalog."""

import logging
import posixpath
import threading
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from functools import cached_property
from pathlib import Path

import pyarrow as pa
from filelock import FileLock
from pyiceberg.catalog import Catalog, load_catalog
from pyiceberg.exceptions import NoSuchNamespaceError, NoSuchTableError, RESTError
from pyiceberg.io.pyarrow import schema_to_pyarrow
from pyiceberg.schema import Schema
from pyiceberg.table import Table

from floe_core.errors import CatalogError, Problem
from floe_core.suggestions import list_names
from floe_dagster.lakehouse.catalog_drivers import remedy_of
from floe_dagster.lakehouse.columns import check_columns
from floe_dagster.lakehouse.retries import Patience, busy_database, unusable_catalog
from floe_dagster.lakehouse.row_filters import RowFilter, bind_filter, parse_filter, resolve_filter
from floe_dagster.lakehouse.settings import LakehouseSettings
from floe_dagster.lakehouse.sqlite_catalog import read_sqlite_catalog
from floe_dagster.lakehouse.tables import CATALOG_NAME, TableName

_SECONDS_TO_OPEN = 10.0
_SHOWN_SNAPSHOTS = 5


class IcebergTables:
    """Reads and finds the tables of the catalog that *settings* describe; opens it when first asked for one."""

    def __init__(self, settings: LakehouseSettings) -> None:
        self._settings = settings
        self._opening = threading.Lock()

    @property
    def catalog(self) -> Catalog:
        """The pyiceberg catalog."""
        with self._opening:
            return self._opened

    @property
    def is_sql(self) -> bool:
        """Whether the catalog is a database, which takes a namespace of several parts as one text."""
        return self._settings.properties.get("type") == "sql"

    def hide_secrets(self, text: str) -> str:
        """*text* without the secrets of the catalog."""
        return self._settings.hide_secrets(text)

    @property
    def checks_commits_here(self) -> bool:
        """Whether the client, and not a server, checks what a commit requires."""
        return self._settings.properties.get("type") != "rest"

    def identifier(self, name: TableName) -> tuple[str, ...]:
        """*name* as this catalog takes it."""
        return (name.schema, name.table) if self.is_sql else name.identifier

    def close(self) -> None:
        """Give the catalog's connections back; the next call opens it again."""
        with self._opening:
            opened = self.__dict__.pop("_opened", None)
        if opened is not None:
            opened.close()

    def turn_to_commit(self, name: TableName) -> AbstractContextManager[object]:
        """Held while committing to *name*, where all writers are on one host and can form a queue.

        Commits are safe without; but with many writers of one table, most attempts would be in vain.
        """
        database = self._settings.sqlite_file
        if database is None:
            return nullcontext()
        folder = database.parent / "locks"
        folder.mkdir(exist_ok=True)
        return FileLock(folder / f"{name}.lock")

    @property
    def files_beside_tables(self) -> tuple[Path, ...]:
        """Files of the lakehouse that are of no table: the catalog's database and that of dbt."""
        files = (self._settings.sqlite_file, self._settings.warehouse_file)
        return tuple(file for file in files if file is not None)

    def folder_in_catalog(self, name: TableName) -> str | None:
        """Where a SQLite catalog says that a table is whose metadata cannot be read; None from any other catalog."""
        location = read_sqlite_catalog(self._settings).get(name)
        return location and posixpath.dirname(posixpath.dirname(location))

    def find(self, name: TableName) -> Table | None:
        """The table of that name as it is now, None if there is none.

        Raises:
            CatalogError: The catalog knows the table, but its files are gone; or it lets nobody in.
        """
        try:
            return self.catalog.load_table(self.identifier(name))
        except (NoSuchTableError, NoSuchNamespaceError):
            return None
        except FileNotFoundError as error:
            raise CatalogError(_files_gone(name, error)) from error
        except RESTError as error:
            raise CatalogError(self._unreachable(error)) from error

    def names(self) -> list[TableName]:
        """The tables of all namespaces, sorted.

        Raises:
            CatalogError: The catalog lets nobody in.
        """
        try:
            return self._list_names()
        except RESTError as error:
            raise CatalogError(self._unreachable(error)) from error

    def _list_names(self) -> list[TableName]:
        names: set[TableName] = set()
        pending = list(self.catalog.list_namespaces())
        seen = set(pending)
        while pending:
            namespace = pending.pop()
            for *parts, table in self.catalog.list_tables(namespace):
                names.add(TableName(tuple(".".join(parts).split(".")), table))
            below = [child for child in self.catalog.list_namespaces(namespace) if child not in seen]
            seen.update(below)
            pending += below
        return sorted(names)

    def read(
        self,
        table: Table,
        name: TableName,
        *,
        columns: Sequence[str] | None,
        row_filter: RowFilter | None,
        snapshot_id: int | None,
    ) -> pa.Table:
        """The rows of *table* that fulfil *row_filter*, in the order of *columns* where these are given.

        Raises:
            CatalogError: There is no such column or snapshot, or the filter is none.
        """
        schema = _schema_at(table, name, snapshot_id)
        condition = resolve_filter(
            row_filter, lambda: schema_to_pyarrow(schema, include_field_ids=False), table=str(name)
        )
        parsed = parse_filter(condition, table=str(name))
        bind_filter(parsed, schema, text=condition, table=str(name))
        known = [column.name for column in schema.fields]
        wanted = known if columns is None else list(dict.fromkeys(columns))
        check_columns(wanted, known, table=str(name), used_by="'columns'")
        scan = table.scan(row_filter=parsed, selected_fields=tuple(wanted) or ("*",), snapshot_id=snapshot_id)
        return scan.to_arrow().select(wanted)

    @cached_property
    def _opened(self) -> Catalog:
        """The catalog, where the first of several processes on a new database makes its tables for all of them."""
        database = self._settings.sqlite_file
        if database is not None:
            database.parent.mkdir(parents=True, exist_ok=True)
        patience = Patience(_SECONDS_TO_OPEN)
        while True:
            try:
                return load_catalog(CATALOG_NAME, **self._settings.client_properties)
            except busy_database() as error:
                if not patience.wait():
                    raise CatalogError(self._unreachable(error)) from error
            except unusable_catalog() as error:
                raise CatalogError(self._unreachable(error)) from error

    def not_stored(self, name: TableName, error: OSError) -> Problem:
        """The problem of files that cannot be written where the table is kept."""
        return Problem(
            code="FLOE-413",
            what=f"the files of '{name}' cannot be written",
            why=f"they are kept in {self._settings.properties.get('warehouse', 'the storage of the catalog')}",
            fix="see `storage` in platform.yaml, and that it is there and lets you write",
            detail=self._settings.hide_secrets(str(error).split("\n")[0] or type(error).__name__),
        )

    def _unreachable(self, raised: Exception) -> Problem:
        # For whatever cannot be imported the client says that SQLAlchemy is not installed.
        error = raised.__cause__ if isinstance(raised.__cause__, ImportError) else raised
        kind = self._settings.properties.get("type", "")
        uri, secret = self._settings.properties.get("uri"), self._settings.secrets.get("uri")
        place = f", at the address that the secret {secret} holds" if secret else f", at {uri}" if uri else ""
        return Problem(
            code="FLOE-400",
            what=f"the {kind} catalog cannot be reached",
            why=self._settings.hide_secrets(f"tables are found and committed through it{place}"),
            fix=remedy_of(error)
            or "see that it runs, or mend its address and credentials under `catalogs` in platform.yaml",
            detail=self._settings.hide_secrets(str(error).split("\n")[0] or type(error).__name__),
        )


def _arrow_schema(schema: Schema) -> pa.Schema:
    return schema_to_pyarrow(schema, include_field_ids=False)


def _schema_at(table: Table, name: TableName, snapshot_id: int | None) -> Schema:
    if snapshot_id is None:
        return table.schema()
    snapshot = table.snapshot_by_id(snapshot_id)
    if snapshot is None:
        latest = [str(entry.snapshot_id) for entry in reversed(table.history())][:_SHOWN_SNAPSHOTS]
        raise CatalogError(
            Problem(
                code="FLOE-406",
                what=f"'{name}' has no snapshot {snapshot_id}",
                why=f"its latest snapshots are {list_names(latest)}; older ones may have been expired",
            )
        )
    return table.schemas()[snapshot.schema_id] if snapshot.schema_id is not None else table.schema()


def _files_gone(name: TableName, error: FileNotFoundError) -> Problem:
    return Problem(
        code="FLOE-400",
        what=f"the catalog lists '{name}', but its files are gone",
        why="a table is an entry in the catalog and the files it points to; the files were deleted without the entry",
        fix="restore the files; of an embedded lakehouse that may be lost, delete the folder .floe/warehouse and the "
        "file .floe/catalog.db together",
        detail=str(error),
    )


class _NoRetryNotice(logging.Filter):
    """Drops what pyiceberg says about each lost commit: the write here goes on until it is in, or says why not."""

    def filter(self, record: logging.LogRecord) -> bool:
        return not str(record.msg).startswith("Commit failed due to a concurrent update, retrying")


logging.getLogger("pyiceberg.table").addFilter(_NoRetryNotice())
