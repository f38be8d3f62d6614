"""Where the newest metadata of each table is, which is all that DuckDB needs to read it.

dbt asks at the start of every run, so a SQLite catalog is asked directly: importing its client takes longer than
many a dbt run.
"""

import sqlite3
from collections.abc import Collection
from contextlib import closing

from floe_dagster.lakehouse.settings import SECONDS_FOR_A_LOCK, LakehouseSettings
from floe_dagster.lakehouse.tables import CATALOG_NAME, TableName


def read_metadata_locations(
    settings: LakehouseSettings, only: Collection[TableName] | None = None
) -> dict[TableName, str]:
    """The address of the metadata of every table, or of those in *only* that exist."""
    if settings.sqlite_file is not None:
        locations = _read_from_sqlite(settings)
    else:
        locations = _read_through_client(settings, only)
    return locations if only is None else {name: place for name, place in locations.items() if name in only}


def _read_from_sqlite(settings: LakehouseSettings) -> dict[TableName, str]:
    """Read the table that Iceberg's JDBC catalogs share; views, which Java may add, are rows of another type in it.

    Source:
        https://github.com/apache/iceberg/blob/main/core/src/main/java/org/apache/iceberg/jdbc/JdbcUtil.java
    """
    file = settings.sqlite_file
    if file is None or not file.exists():
        return {}
    with closing(sqlite3.connect(f"{file.as_uri()}?mode=ro", uri=True, timeout=SECONDS_FOR_A_LOCK)) as connection:
        connection.row_factory = sqlite3.Row
        if not connection.execute("select 1 from sqlite_master where name = 'iceberg_tables'").fetchone():
            return {}  # another process is just making it
        rows = connection.execute("select * from iceberg_tables where catalog_name = ?", (CATALOG_NAME,)).fetchall()
    return {
        TableName(tuple(row["table_namespace"].split(".")), row["table_name"]): row["metadata_location"]
        for row in map(dict, rows)
        if row.get("iceberg_type") in (None, "TABLE")
    }


def _read_through_client(settings: LakehouseSettings, only: Collection[TableName] | None) -> dict[TableName, str]:
    from floe_dagster.lakehouse.iceberg import IcebergTables  # noqa: PLC0415  # seconds of import, needed only here

    tables = IcebergTables(settings)
    found = {name: tables.find(name) for name in (tables.names() if only is None else only)}
    return {name: table.metadata_location for name, table in found.items() if table is not None}
