"""A SQLite catalog, asked without its client, whose import takes longer than many a dbt run."""

import sqlite3
from contextlib import closing

from floe_dagster.lakehouse.settings import SECONDS_FOR_A_LOCK, LakehouseSettings
from floe_dagster.lakehouse.tables import CATALOG_NAME, TableName


def read_sqlite_catalog(settings: LakehouseSettings) -> dict[TableName, str]:
    """{table: address of its newest metadata}, none where the settings are those of another kind of catalog.

    Read from the table that Iceberg's JDBC catalogs share; views, which Java may add, are rows of another type in it.

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
