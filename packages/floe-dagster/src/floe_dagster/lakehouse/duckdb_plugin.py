"""The plugin through which dbt on DuckDB reads the catalog, and takes turns with everybody else at its file.

A profile names it like this; `properties` are the catalog's by pyiceberg's names, `sources` the tables that may be read
(left out: all):

    plugins:
      - module: floe_dagster.lakehouse.duckdb_plugin
        config:
          properties: {type: sql, uri: 'sqlite:////…/catalog.db', warehouse: /…/warehouse}
          sources: [bronze.orders]
"""

from collections.abc import Mapping
from pathlib import Path

import duckdb
from dbt.adapters.duckdb.credentials import DuckDBCredentials
from dbt.adapters.duckdb.plugins import BasePlugin
from dbt.adapters.events.logging import AdapterLogger
from dbt_common.exceptions import DbtRuntimeError

from floe_core.errors import CatalogError
from floe_core.suggestions import list_names
from floe_dagster.lakehouse.metadata_locations import read_metadata_locations
from floe_dagster.lakehouse.parent_process import end_with_parent
from floe_dagster.lakehouse.settings import LakehouseSettings
from floe_dagster.lakehouse.source_views import (
    FAST_START,
    end_fast_start,
    load_extensions,
    read_source_views,
    refresh_source_views,
)
from floe_dagster.lakehouse.tables import TableName
from floe_dagster.lakehouse.warehouse_file import Turn, connect, give_back_with

_IN_MEMORY = ":memory:"
_log = AdapterLogger("floe")


class Plugin(BasePlugin):
    """Called by dbt-duckdb: `update_connection_config` before it opens the file, `configure_connection` after."""

    creds: DuckDBCredentials

    def initialize(self, plugin_config: dict[str, object]) -> None:
        """Read the profile's `config`."""
        properties, sources = plugin_config.get("properties"), plugin_config.get("sources")
        if not isinstance(properties, dict):
            raise DbtRuntimeError(f"the plugin {__name__} needs `config: {{properties: {{…}}}}`, those of the catalog")
        file = None if self.creds.path == _IN_MEMORY else Path(self.creds.path).absolute()
        self._settings = LakehouseSettings({str(key): str(value) for key, value in properties.items()}, file)
        self._sources = None if not isinstance(sources, list) else {TableName.parse(str(name)) for name in sources}
        self._turn: Turn | None = None
        self._starts_fast = False
        end_with_parent()
        if self._is_read_only:
            # Dagster's process looks into the file between dbt's runs. It would keep it open, and dbt could not run.
            self.creds.keep_open = False

    def update_connection_config(self, creds: DuckDBCredentials, config: dict[str, object]) -> None:
        """Wait for the file, and see that it can be opened: no hook follows where dbt-duckdb cannot."""
        file = self._settings.warehouse_file
        if file is not None and self._turn is None:
            turn = Turn(file)
            turn.take(_log.info)
            try:
                connect(file, read_only=self._is_read_only).close()
            except CatalogError as error:
                turn.give_back()
                raise DbtRuntimeError(str(error)) from error
            self._turn = turn
        self._starts_fast = not creds.extensions and not FAST_START.keys() & config.keys()
        if self._starts_fast:
            config.update(FAST_START)

    def configure_connection(self, conn: duckdb.DuckDBPyConnection) -> None:
        """Let *conn* read the catalog, and give the file back when it closes."""
        if self._turn is not None and self._settings.warehouse_file is not None:
            give_back_with(conn, self._turn, self._settings.warehouse_file, read_only=self._is_read_only)
            self._turn = None
        try:
            self._add_sources(conn)
        except CatalogError as error:
            raise DbtRuntimeError(str(error)) from error

    @property
    def _is_read_only(self) -> bool:
        return str((self.creds.config_options or {}).get("access_mode", "")).upper() == "READ_ONLY"

    def _add_sources(self, connection: duckdb.DuckDBPyConnection) -> None:
        locations = read_metadata_locations(self._settings, self._sources)
        views = read_source_views(connection)
        if locations or views:
            load_extensions(connection, [*locations.values(), *views.values()], self._settings.properties)
        if self._starts_fast:
            end_fast_start(connection)
        if not self._is_read_only:
            self._refresh(connection, locations)

    def _refresh(self, connection: duckdb.DuckDBPyConnection, locations: Mapping[TableName, str]) -> None:
        connection.begin()
        try:
            hidden = refresh_source_views(connection, locations)
        except BaseException:
            connection.rollback()
            raise
        connection.commit()
        if hidden:
            _log.warning(
                f"dbt has relations with the names of tables in the catalog, which it therefore cannot read: "
                f"{list_names(str(name) for name in hidden)}"
            )
