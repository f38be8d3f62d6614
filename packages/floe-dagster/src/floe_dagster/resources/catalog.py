"""The resource `catalog`: how assets, ops and sensors read and write tables."""

from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self, TypeAlias

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

    from floe_dagster.lakehouse.maintenance.report import (
        CompactedTable,
        ExpiredSnapshots,
        MaintenanceReport,
        RemovedOrphans,
        TableStatistics,
        VacuumedTable,
    )
    from floe_dagster.lakehouse.row_filters import RowFilter

Patterns: TypeAlias = str | Sequence[str]


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
    maintenance: dict[str, str] = Field(
        default={},
        description="What platform.yaml says under `maintenance`: defaults of maintenance, below which no call goes.",
    )

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
            maintenance=dict(settings.maintenance),
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

    def statistics(self, tables: Patterns = "*") -> "MaintenanceReport[TableStatistics]":
        """How large tables are, and how much of what they store nothing refers to; changes nothing.

        Args:
            tables: See `vacuum`.

        Raises:
            UnfinishedError: See `vacuum`.
            CatalogError: A pattern matches nothing.
        """
        return self._catalog.maintenance.statistics(tables)

    def expire_snapshots(
        self,
        tables: Patterns = "*",
        *,
        older_than: str | timedelta | None = None,
        retain_last: int | None = None,
        dry_run: bool = False,
    ) -> "MaintenanceReport[ExpiredSnapshots]":
        """Let old snapshots go, so that their rows can no longer be read.

        This changes metadata only. The files go when `remove_orphans` or `vacuum` runs.

        Kept in any case: the current snapshot; what a branch or a tag names; the last `retain_last` of each branch;
        and every snapshot that was the state of the table within `older_than`, however long ago it was committed, so
        that a reader has that long to finish. A partition that is replaced counts as two snapshots, as Iceberg has it.

        Args:
            tables: See `vacuum`.
            older_than: A length of time such as `7d` or `12h`; by default `maintenance.snapshot_retention` of
                platform.yaml, which is five days. Measured by the times that writers gave their commits.
            retain_last: One at least; by default `maintenance.retain_last` of platform.yaml, which is one.
            dry_run: Only tell what would expire.

        Raises:
            UnfinishedError: See `vacuum`.
            CatalogError: A pattern matches nothing, or an argument is less than platform.yaml says.
        """
        return self._catalog.maintenance.expire_snapshots(
            tables, older_than=older_than, retain_last=retain_last, dry_run=dry_run
        )

    def remove_orphans(
        self, tables: Patterns = "*", *, grace: str | timedelta | None = None, dry_run: bool = True
    ) -> "MaintenanceReport[RemovedOrphans]":
        """Delete the files below the locations of tables that nothing refers to: no snapshot, no metadata in the log.

        Only files that Iceberg writes (Parquet, ORC, Avro, Puffin, metadata) and only below the location of a table;
        links are not followed. Files of a table that was dropped from the same location stay. A table that shares its
        location with another one, or lies within another's, is skipped.

        Args:
            tables: See `vacuum`.
            grace: The age that a file must have, such as `3d`, an hour at least: the files of a write that is not
                committed yet look like orphans. By default `maintenance.orphan_grace` of platform.yaml, which is three
                days. It must be longer than the longest write, and than a machine may sleep in the middle of one. Age
                is measured by the clock of the file store, against the earlier of that clock and this machine's.
            dry_run: Only tell what would be deleted.

        Raises:
            UnfinishedError: See `vacuum`.
            CatalogError: A pattern matches nothing, or the grace is less than an hour or than platform.yaml says.
        """
        return self._catalog.maintenance.remove_orphans(tables, grace=grace, dry_run=dry_run)

    def vacuum(
        self,
        tables: Patterns = "*",
        *,
        older_than: str | timedelta | None = None,
        retain_last: int | None = None,
        grace: str | timedelta | None = None,
        dry_run: bool = True,
    ) -> "MaintenanceReport[VacuumedTable]":
        """Expire old snapshots, then delete the files that nothing refers to any more.

        Readers and writers go on meanwhile. What is interrupted is finished by the next vacuum.

        Args:
            tables: Names and globs such as `bronze.*`; `*` stays within one part of a name. dbt's relations are
                skipped: dbt's database has no snapshots and reuses its space by itself.
            older_than: See `expire_snapshots`.
            retain_last: See `expire_snapshots`.
            grace: See `remove_orphans`.
            dry_run: Only tell what would expire, and what would be deleted then.

        Raises:
            UnfinishedError: Tables failed, which keeps no other from its turn; `report` says what was done.
            CatalogError: A pattern matches nothing, or an argument is less than platform.yaml says.
        """
        return self._catalog.maintenance.vacuum(
            tables, older_than=older_than, retain_last=retain_last, grace=grace, dry_run=dry_run
        )

    def compact(
        self,
        tables: Patterns = "*",
        *,
        target_file_size_mb: int | None = None,
        min_files: int = 5,
        dry_run: bool = False,
    ) -> "MaintenanceReport[CompactedTable]":
        """Rewrite small files into larger ones, partition by partition; rows and their content stay the same.

        Partitions are those of the table's spec, and those that were written with `partition=`: their files stay apart,
        so that a partition can still be replaced without writing others anew. Rows that delete files remove are left
        out of the new files. Sorted files, and those of an older partition spec, stay as they are.

        Writers go on meanwhile: appends never get in the way, and files that another writer replaces are left to it; a
        table whose files were replaced each time is skipped as contended. The snapshots of compaction have the property
        `floe.operation: compact`. What is in memory is one small file and some 64 MiB besides.

        Args:
            tables: See `vacuum`.
            target_file_size_mb: MiB that new files have at most; files under three quarters of it are small. By default
                `maintenance.target_file_size_mb` of platform.yaml, which is 512.
            min_files: How many small files of a partition are worth it, two at least.
            dry_run: Only tell what would be rewritten.

        Raises:
            UnfinishedError: See `vacuum`.
            CatalogError: A pattern matches nothing, or a number is too small.
        """
        return self._catalog.maintenance.compact(
            tables, target_file_size_mb=target_file_size_mb, min_files=min_files, dry_run=dry_run
        )

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
                maintenance=self.maintenance,
            )
            self._opened = Catalog(settings, announce=self._log or say_on_stderr)
        return self._opened


def _rebuild(resource_class: type[CatalogResource], fields: dict[str, Any]) -> CatalogResource:
    return resource_class(**fields)
