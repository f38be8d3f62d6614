"""What dbt has built in its DuckDB file: found by the names that projects use, read as Arrow."""

import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb

from floe_dagster.lakehouse.columns import check_columns
from floe_dagster.lakehouse.metadata_locations import read_metadata_locations
from floe_dagster.lakehouse.settings import LakehouseSettings
from floe_dagster.lakehouse.source_views import (
    FAST_START,
    end_fast_start,
    load_extensions,
    quote_identifier,
    quote_name,
    read_source_views,
    replace_views,
)
from floe_dagster.lakehouse.tables import TableName
from floe_dagster.lakehouse.warehouse_file import Announce, FileBusyError, open_file

if TYPE_CHECKING:
    import pyarrow as pa

    from floe_dagster.lakehouse.row_filters import RowFilter

_RELATIONS = """
select table_schema, table_name, table_type = 'VIEW' from information_schema.tables
where table_catalog = current_database() and not regexp_matches(table_name, '__dbt_(tmp|backup)$')
"""


@dataclass(frozen=True, slots=True)
class DbtRelation:
    """A relation as the database knows it, and by the name that a project uses for it."""

    physical: TableName
    logical: TableName
    is_view: bool


class DbtRelations:
    """The relations in the file of *settings*; *announce* is told of a wait for the file."""

    def __init__(self, settings: LakehouseSettings, announce: Announce) -> None:
        self._settings, self._announce = settings, announce

    def all(self, *, wait: bool = True) -> tuple[DbtRelation, ...]:
        """Every relation, sorted; none when somebody else has the file and *wait* is false."""
        file = self._settings.dbt_file
        if file is None:
            return ()
        try:
            with open_file(file, read_only=True, announce=self._announce, wait=wait) as connection:
                return self._list(connection)
        except FileBusyError:
            return ()

    def find(self, name: TableName, *, wait: bool = True) -> DbtRelation | None:
        """The relation that *name* means, None if none or if, without *wait*, somebody else has the file."""
        return _match(self.all(wait=wait), name)

    def read(
        self, name: TableName, *, columns: Sequence[str] | None, row_filter: "RowFilter | None"
    ) -> "pa.Table | None":
        """The rows of the relation that *name* means, None if there is none; times with a zone are in UTC.

        A view shows what the catalog's tables hold now, whenever dbt ran last.

        Raises:
            CatalogError: There is no such column, or the filter is none.
        """
        file = self._settings.dbt_file
        if file is None:
            return None
        with open_file(file, read_only=True, announce=self._announce) as connection:
            relation = _match(self._list(connection), name)
            if relation is None or not relation.is_view:
                return relation and _fetch(connection, relation, columns, row_filter)
        return self._read_view(file, relation, columns, row_filter)

    def _read_view(
        self,
        file: Path,
        relation: DbtRelation,
        columns: Sequence[str] | None,
        row_filter: "RowFilter | None",
    ) -> "pa.Table":
        """Read in a transaction that ends by undoing what it did to the views below."""
        read_only = not os.access(file, os.W_OK)
        with open_file(file, read_only=read_only, announce=self._announce, config=FAST_START) as connection:
            views = read_source_views(connection)
            if views:
                load_extensions(connection, views.values(), self._settings.properties)
            end_fast_start(connection)
            connection.begin()
            try:
                if not read_only:
                    replace_views(connection, read_metadata_locations(self._settings, only=views), views)
                return _fetch(connection, relation, columns, row_filter)
            finally:
                connection.rollback()

    def _list(self, connection: duckdb.DuckDBPyConnection) -> tuple[DbtRelation, ...]:
        sources = read_source_views(connection)
        rows = connection.execute(_RELATIONS).fetchall()
        found = {TableName(tuple(schema.split(".")), table): is_view for schema, table, is_view in rows}
        physical = found.keys() - sources.keys()
        return tuple(DbtRelation(name, self._logical(name, physical), found[name]) for name in sorted(physical))

    def _logical(self, name: TableName, physical: Iterable[TableName]) -> TableName:
        """Without the target's schema, which dbt puts before a custom one; as it is where that means another."""
        prefix = f"{self._settings.dbt_schema}_".lower()
        if not name.schema.lower().startswith(prefix):
            return name
        logical = TableName(tuple(name.schema[len(prefix) :].split(".")), name.table)
        return name if logical in physical else logical


def _match(relations: Iterable[DbtRelation], name: TableName) -> DbtRelation | None:
    """The relation of that name, the one it really has before the one a project uses; DuckDB disregards case."""
    wanted = str(name).lower()
    by_name = {str(relation.logical).lower(): relation for relation in relations}
    by_name |= {str(relation.physical).lower(): relation for relation in relations}
    return by_name.get(wanted)


def _fetch(
    connection: duckdb.DuckDBPyConnection,
    relation: DbtRelation,
    columns: Sequence[str] | None,
    row_filter: "RowFilter | None",
) -> "pa.Table":
    connection.execute("set TimeZone = 'UTC'")
    source = quote_name(relation.physical)
    known = [column for column, *_ in connection.execute(f"describe {source}").fetchall()]
    wanted = known if columns is None else list(dict.fromkeys(columns))
    check_columns(wanted, known, table=str(relation.logical), used_by="'columns'")
    if row_filter is None:
        return connection.execute(_select(wanted, source)).to_arrow_table()
    from floe_dagster.lakehouse.arrow_filters import ArrowFilter  # noqa: PLC0415  # imports pyiceberg, seconds of it
    from floe_dagster.lakehouse.row_filters import resolve_filter  # noqa: PLC0415  # so does this

    name = str(relation.logical)
    condition = resolve_filter(row_filter, lambda: _first_rows(connection, source).schema, table=name)
    arrow_filter = ArrowFilter(condition or "", known, table=str(relation.logical))
    needed = list(dict.fromkeys([*wanted, *arrow_filter.columns]))
    batches: Iterator[pa.RecordBatch] = connection.execute(_select(needed, source)).to_arrow_reader()
    return arrow_filter.apply(batches).select(wanted)


def _first_rows(connection: duckdb.DuckDBPyConnection, source: str) -> "pa.Table":
    return connection.execute(f"from {source} limit 0").to_arrow_table()


def _select(columns: Iterable[str], source: str) -> str:
    return f"select {', '.join(quote_identifier(column) for column in columns)} from {source}"  # noqa: S608  # quoted
