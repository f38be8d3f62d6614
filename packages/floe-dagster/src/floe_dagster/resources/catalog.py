"""The resource `catalog`: how assets, ops and sensors read and write tables."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import dagster as dg
from pydantic import Field, PrivateAttr

from floe_core.schemas.secrets import SecretRef
from floe_dagster.lakehouse.catalog import Announce, Catalog, say_on_stderr
from floe_dagster.lakehouse.settings import LakehouseSettings
from floe_dagster.lakehouse.tables import Partition, Snapshot, WriteMode
from floe_dagster.secrets import read_secret

if TYPE_CHECKING:
    import pyarrow as pa
    from pyiceberg.table import Table

    from floe_dagster.lakehouse.row_filters import RowFilter


class CatalogResource(dg.ConfigurableResource["CatalogResource"]):
    """The tables of the project: those that Python assets write, and those that dbt builds.

    Nothing is opened, and no client imported, before the first call that needs it.
    """

    properties: dict[str, str] = Field(description="Properties of the Iceberg catalog, by the names of its client.")
    secrets: dict[str, str] = Field(
        default={}, description="Properties that are secret → name of the secret, which is read when it is needed."
    )
    warehouse_file: str | None = Field(default=None, description="DuckDB file that dbt builds in.")
    dbt_schema: str = Field(default="main", description="Schema of the dbt target.")

    _opened: Catalog | None = PrivateAttr(default=None)
    _log: Announce | None = PrivateAttr(default=None)

    @classmethod
    def of(cls, settings: LakehouseSettings) -> Self:
        """The resource for the lakehouse of *settings*; secrets stay out of what Dagster stores and shows."""
        return cls(
            properties=settings.without_secrets(),
            secrets=dict(settings.secrets),
            warehouse_file=None if settings.warehouse_file is None else str(settings.warehouse_file),
            dbt_schema=settings.dbt_schema,
        )

    @classmethod
    def embedded(cls, folder: str | Path) -> Self:
        """A lakehouse in files below *folder*, for tests and scripts; a project's own is its folder `.floe`."""
        return cls.of(LakehouseSettings.embedded(Path(folder)))

    def setup_for_execution(self, context: dg.InitResourceContext) -> None:
        """Say in the run's log where otherwise stderr would be told."""
        if context.log is not None:
            self._log = context.log.info

    def teardown_after_execution(self, context: dg.InitResourceContext) -> None:  # noqa: ARG002  # Dagster's hook
        """Give connections back."""
        if self._opened is not None:
            self._opened.close()

    def read_table(
        self,
        name: str,
        *,
        columns: Sequence[str] | None = None,
        filter: "RowFilter | None" = None,  # noqa: A002  # the word that Arrow and pyiceberg users expect
        snapshot_id: int | None = None,
    ) -> "pa.Table":
        """The rows of a table, or of a relation that dbt built.

        Args:
            name: `bronze.customers`; a dbt relation by its custom schema (`silver.stg_orders`), or by the schema it
                really has (`main_silver.stg_orders`).
            columns: Only these, in this order.
            filter: Only the rows that fulfil it, such as `country = 'DE' and amount >= 10`, a pyiceberg expression, or
                the rows of a partition: `PartitionWindow("ordered_on", *context.partition_time_window)`.
            snapshot_id: The table as of that write, with the columns it had then.

        Raises:
            CatalogError: There is no such table, column or snapshot, or the filter is none.
        """
        return self._catalog.read_table(name, columns=columns, filter=filter, snapshot_id=snapshot_id)

    def write_table(
        self, name: str, data: object, *, mode: WriteMode = "overwrite", partition: Partition | None = None
    ) -> Snapshot:
        """Write *data* to a table, which is made if it does not exist; all of it or nothing.

        Writers of one table at the same time each succeed; of overwrites, the last one stays.

        Args:
            name: `bronze.customers`.
            data: A pyarrow Table, RecordBatch or RecordBatchReader, a polars DataFrame or LazyFrame, a pandas
                DataFrame, a DuckDB relation, or anything else with Arrow's stream interface. Read in pieces.
            mode: `overwrite` replaces all rows, `append` adds to them.
            partition: With `overwrite`, replaces the rows of this partition, and no row of *data* may lie outside.

        Raises:
            CatalogError: The data does not fit, the table is one of dbt's, or other writers were always quicker.
        """
        return self._catalog.write_table(name, data, mode=mode, partition=partition)

    def table_exists(self, name: str) -> bool:
        """Whether there is such a table, or such a relation of dbt."""
        return self._catalog.table_exists(name)

    def list_tables(self) -> list[str]:
        """The names of all tables, and those of dbt's relations as projects write them; sorted."""
        return self._catalog.list_tables()

    def load_table(self, name: str) -> "Table":
        """The pyiceberg table.

        Raises:
            CatalogError: There is none of that name.
        """
        return self._catalog.load_table(name)

    def __reduce__(self) -> tuple[object, ...]:
        """What another process makes it from again; Dagster's own resources cannot be sent."""
        return _rebuild, (type(self), dict(self))

    @property
    def _catalog(self) -> Catalog:
        if self._opened is None:
            secrets = {name: read_secret(SecretRef(secret_ref=secret)) for name, secret in self.secrets.items()}
            settings = LakehouseSettings(
                properties={**self.properties, **secrets},
                warehouse_file=None if self.warehouse_file is None else Path(self.warehouse_file),
                dbt_schema=self.dbt_schema,
                secrets=self.secrets,
            )
            self._opened = Catalog(settings, announce=self._log or say_on_stderr)
        return self._opened


def _rebuild(resource_class: type[CatalogResource], fields: dict[str, Any]) -> CatalogResource:
    return resource_class(**fields)
