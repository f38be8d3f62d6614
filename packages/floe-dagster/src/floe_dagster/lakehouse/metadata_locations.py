"""Where the newest metadata of each table is, which is all that DuckDB needs to read it."""

from collections.abc import Collection

from floe_dagster.lakehouse.settings import LakehouseSettings
from floe_dagster.lakehouse.sqlite_catalog import read_sqlite_catalog
from floe_dagster.lakehouse.tables import TableName


def read_metadata_locations(
    settings: LakehouseSettings, only: Collection[TableName] | None = None
) -> dict[TableName, str]:
    """The address of the metadata of every table, or of those in *only* that exist."""
    if settings.sqlite_file is not None:
        locations = read_sqlite_catalog(settings)
    else:
        locations = _read_through_client(settings, only)
    return locations if only is None else {name: place for name, place in locations.items() if name in only}


def _read_through_client(settings: LakehouseSettings, only: Collection[TableName] | None) -> dict[TableName, str]:
    from floe_dagster.lakehouse.iceberg import IcebergTables  # noqa: PLC0415  # seconds of import, needed only here

    tables = IcebergTables(settings)
    found = {name: tables.find(name) for name in (tables.names() if only is None else only)}
    return {name: table.metadata_location for name, table in found.items() if table is not None}
