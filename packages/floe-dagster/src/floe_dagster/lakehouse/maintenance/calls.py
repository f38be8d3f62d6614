"""The calls that `CatalogResource` offers for maintenance: whose turn it is, how far it goes, what came of it."""

from collections.abc import Callable, Collection, Sequence
from typing import TypeVar

from floe_core.schemas.platform_spec import Maintenance
from floe_dagster.lakehouse.iceberg import IcebergTables
from floe_dagster.lakehouse.maintenance import limits
from floe_dagster.lakehouse.maintenance.compaction import compact_table
from floe_dagster.lakehouse.maintenance.expiry import expire_snapshots
from floe_dagster.lakehouse.maintenance.orphans import remove_orphans
from floe_dagster.lakehouse.maintenance.places import TablePlaces
from floe_dagster.lakehouse.maintenance.report import (
    CompactedTable,
    ExpiredSnapshots,
    MaintenanceReport,
    RemovedOrphans,
    SkippedTable,
    SkipTable,
    TableStatistics,
    VacuumedTable,
    look_after,
)
from floe_dagster.lakehouse.maintenance.table_patterns import select_tables
from floe_dagster.lakehouse.maintenance.table_statistics import measure_table
from floe_dagster.lakehouse.tables import TableName

Patterns = str | Sequence[str]
Outcome = TypeVar("Outcome")

_OF_DBT = "dbt built it in its own database, where it has no snapshots, and no files of its own"


class MaintenanceCalls:
    """Looks after the *tables* whose names *known* tells, under the *rules* of platform.yaml.

    What is asked of dbt's database is only whether a name is among its *relations*: it is one DuckDB file, which reuses
    the space of what dbt replaced and writes its log into itself when dbt closes it.
    """

    def __init__(
        self,
        tables: IcebergTables,
        *,
        known: Callable[[], Collection[TableName]],
        relations: Callable[[], Collection[str]],
        rules: Maintenance,
    ) -> None:
        self._tables, self._known, self._relations, self._rules = tables, known, relations, rules

    def expire_snapshots(
        self, tables: Patterns, *, older_than: object | None, retain_last: int | None, dry_run: bool
    ) -> MaintenanceReport[ExpiredSnapshots]:
        """See `CatalogResource.expire_snapshots`."""
        retention = limits.snapshot_retention(older_than, self._rules)
        last = limits.retain_last(retain_last, self._rules)
        return self._each(
            tables,
            lambda name: expire_snapshots(self._tables, name, retention=retention, retain_last=last, dry_run=dry_run),
        )

    def remove_orphans(
        self, tables: Patterns, *, grace: object | None, dry_run: bool
    ) -> MaintenanceReport[RemovedOrphans]:
        """See `CatalogResource.remove_orphans`."""
        age = limits.orphan_grace(grace, self._rules)
        places = TablePlaces(self._tables)
        return self._each(tables, lambda name: remove_orphans(self._tables, places, name, grace=age, dry_run=dry_run))

    def vacuum(
        self,
        tables: Patterns,
        *,
        older_than: object | None,
        retain_last: int | None,
        grace: object | None,
        dry_run: bool,
    ) -> MaintenanceReport[VacuumedTable]:
        """See `CatalogResource.vacuum`."""
        retention = limits.snapshot_retention(older_than, self._rules)
        last = limits.retain_last(retain_last, self._rules)
        age = limits.orphan_grace(grace, self._rules)
        places = TablePlaces(self._tables)

        def vacuum(name: TableName) -> VacuumedTable:
            expired = expire_snapshots(self._tables, name, retention=retention, retain_last=last, dry_run=dry_run)
            going = frozenset(expired.expired) if dry_run else frozenset()
            try:
                orphans = remove_orphans(self._tables, places, name, grace=age, dry_run=dry_run, without=going)
            except SkipTable as skip:
                return VacuumedTable(str(name), expired, None, str(skip))
            return VacuumedTable(str(name), expired, orphans)

        return self._each(tables, vacuum)

    def compact(
        self, tables: Patterns, *, target_file_size_mb: int | None, min_files: int, dry_run: bool
    ) -> MaintenanceReport[CompactedTable]:
        """See `CatalogResource.compact`."""
        target = limits.target_file_bytes(target_file_size_mb, self._rules)
        least = limits.least_files(min_files)
        return self._each(
            tables,
            lambda name: compact_table(self._tables, name, target_bytes=target, min_files=least, dry_run=dry_run),
        )

    def statistics(self, tables: Patterns) -> MaintenanceReport[TableStatistics]:
        """See `CatalogResource.statistics`."""
        target = limits.target_file_bytes(None, self._rules)
        places = TablePlaces(self._tables)
        return self._each(tables, lambda name: measure_table(self._tables, places, name, target_bytes=target))

    def _each(self, patterns: Patterns, work: Callable[[TableName], Outcome]) -> MaintenanceReport[Outcome]:
        """Do *work* on each table that *patterns* mean, and tell of dbt's relations among what they mean."""
        known = [str(name) for name in self._known()]
        meant, of_dbt = select_tables(patterns, known, self._relations)
        skipped = tuple(SkippedTable(name, _OF_DBT) for name in of_dbt)
        return look_after(
            meant, lambda name: work(TableName.parse(name)), others=skipped, hide_secrets=self._tables.hide_secrets
        )
