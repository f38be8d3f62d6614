"""The catalog that assets read and write: Iceberg tables by name, and dbt's relations by theirs."""

import sys
import threading
from collections.abc import Callable, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, TypeAlias

from floe_core.errors import CatalogError, Problem
from floe_core.suggestions import did_you_mean, list_names
from floe_dagster.lakehouse.metadata_locations import read_metadata_locations
from floe_dagster.lakehouse.settings import LakehouseSettings
from floe_dagster.lakehouse.tables import Partition, Snapshot, TableName, WriteMode, fold_name

if TYPE_CHECKING:
    import pyarrow as pa
    from pyiceberg.table import Table

    from floe_dagster.lakehouse.dbt_relations import DbtRelation, DbtRelations
    from floe_dagster.lakehouse.iceberg import IcebergTables
    from floe_dagster.lakehouse.maintenance.calls import MaintenanceCalls
    from floe_dagster.lakehouse.row_filters import RowFilter

Announce: TypeAlias = Callable[[str], None]


def say_on_stderr(message: str) -> None:
    """Tell whoever watches the process."""
    sys.stderr.write(f"{message}\n")


class Catalog:
    """The tables of one lakehouse, with what `CatalogResource` offers; what its methods take and raise is said there.

    Nothing is opened, and no client imported, before the first call that needs it. What is asked of dbt's relations
    waits while dbt runs, and *announce* is told so; the catalog's own tables never wait for dbt.
    """

    def __init__(self, settings: LakehouseSettings, *, announce: Announce = say_on_stderr) -> None:
        self._settings, self._announce = settings, announce
        self._importing = threading.Lock()

    def read_table(
        self,
        name: str,
        *,
        columns: Sequence[str] | None = None,
        filter: "RowFilter | None" = None,  # noqa: A002  # the word that Arrow and pyiceberg users expect
        snapshot_id: int | None = None,
    ) -> "pa.Table":
        """The rows of a table, or of a relation that dbt built."""
        parsed = TableName.parse(name)
        table = self._find_table(parsed)
        if table is not None:
            return self._iceberg.read(table, parsed, columns=columns, row_filter=filter, snapshot_id=snapshot_id)
        if snapshot_id is not None:
            raise CatalogError(self._no_iceberg_table(parsed, "has no snapshots"))
        rows = self._relations.read(parsed, columns=columns, row_filter=filter) if self._settings.dbt_file else None
        if rows is None:
            raise CatalogError(self._unknown(parsed))
        return rows

    def write_table(
        self,
        name: str,
        data: object,
        *,
        mode: WriteMode = "overwrite",
        partition: Partition | None = None,
    ) -> Snapshot:
        """Write *data* to a table, which is made if it does not exist; all of it or nothing."""
        parsed = TableName.parse(name)
        if not self._has_table(parsed):
            self._check_new_name(parsed)
        from floe_dagster.lakehouse.iceberg_write import write_table  # noqa: PLC0415  # seconds of import

        snapshot = write_table(self._iceberg, parsed, data, mode=mode, partition=partition)
        self._tell_other_place(snapshot)
        return snapshot

    def table_exists(self, name: str) -> bool:
        """Whether there is such a table, or such a relation of dbt."""
        parsed = TableName.parse(name)
        return self._has_table(parsed) or self._find_relation(parsed) is not None

    def list_tables(self) -> list[str]:
        """The names of all tables, and those of dbt's relations as projects write them; sorted."""
        return sorted({*map(str, self._table_names()), *self._relation_names()})

    def load_table(self, name: str) -> "Table":
        """The pyiceberg table."""
        parsed = TableName.parse(name)
        table = self._find_table(parsed)
        if table is None:
            raise CatalogError(self._no_iceberg_table(parsed, "is no table of the catalog"))
        return table

    @property
    def maintenance(self) -> "MaintenanceCalls":
        """What looks after the tables."""
        from floe_core.schemas.platform_spec import Maintenance  # noqa: PLC0415  # dbt's process needs none of it
        from floe_dagster.lakehouse.maintenance.calls import MaintenanceCalls  # noqa: PLC0415  # seconds of import

        return MaintenanceCalls(
            self._iceberg,
            known=self._table_names,
            relations=self._relation_names,
            rules=Maintenance.model_validate(dict(self._settings.maintenance)),
        )

    def close(self) -> None:
        """Give connections back; the next call opens what it needs again."""
        with self._importing:
            tables = self.__dict__.pop("_iceberg_tables", None)
        if tables is not None:
            tables.close()

    @property
    def _iceberg(self) -> "IcebergTables":
        with self._importing:
            return self._iceberg_tables

    @cached_property
    def _iceberg_tables(self) -> "IcebergTables":
        from floe_dagster.lakehouse.iceberg import IcebergTables  # noqa: PLC0415  # seconds of import

        return IcebergTables(self._settings)

    @cached_property
    def _relations(self) -> "DbtRelations":
        from floe_dagster.lakehouse.dbt_relations import DbtRelations  # noqa: PLC0415  # imports DuckDB

        return DbtRelations(self._settings, self._announce)

    def _find_table(self, name: TableName) -> "Table | None":
        return self._iceberg.find(name) if self._has_table(name) else None

    def _has_table(self, name: TableName) -> bool:
        """Whether the catalog has it; a SQLite catalog says so without its client."""
        if self._settings.sqlite_file is not None:
            return bool(read_metadata_locations(self._settings, only={name}))
        return self._iceberg.find(name) is not None

    def _table_names(self) -> list[TableName]:
        if self._settings.sqlite_file is not None:
            return sorted(read_metadata_locations(self._settings))
        return self._iceberg.names()

    def _relation_names(self) -> list[str]:
        return [str(relation.logical) for relation in self._relations.all()] if self._settings.dbt_file else []

    def _find_relation(self, name: TableName, *, wait: bool = True) -> "DbtRelation | None":
        return self._relations.find(name, wait=wait) if self._settings.dbt_file else None

    def _check_new_name(self, name: TableName) -> None:
        """See that a table of that name would hide nothing. While dbt runs, its own names are not looked at.

        By now another process may have made the table itself.
        """
        known = [str(known) for known in self._table_names() if known != name]
        same = [other for other in known if fold_name(other) == fold_name(str(name))]
        if same:
            raise CatalogError(_differs_in_case(name, same[0]))
        relation = self._find_relation(name, wait=False)
        if relation is not None:
            raise CatalogError(_dbt_relation(relation, "is built by dbt and cannot be written"))

    def _tell_other_place(self, snapshot: Snapshot) -> None:
        """Say so where a table stays where it was made, although platform.yaml names another storage now."""
        from floe_dagster.lakehouse.maintenance.places import Place  # noqa: PLC0415  # seconds of import

        warehouse = (
            self._settings.properties.get("warehouse", "") if self._settings.properties.get("type") == "sql" else ""
        )
        if warehouse and not Place.of(warehouse).holds(Place.of(snapshot.location)):
            self._announce(
                f"table '{snapshot.table}' is kept in {snapshot.location}, where it was made, and not in {warehouse}"
            )

    def _no_iceberg_table(self, name: TableName, complaint: str) -> Problem:
        relation = self._find_relation(name)
        return self._unknown(name) if relation is None else _dbt_relation(relation, f"is built by dbt and {complaint}")

    def _unknown(self, name: TableName) -> Problem:
        known = self.list_tables()
        elsewhere = next((other for other in known if other.endswith(f".{name.table}")), "")
        return Problem(
            code="FLOE-401",
            what=f"there is no table '{name}'",
            why=f"nothing has written it yet; there are {list_names(known)}" if known else "nothing has been written",
            fix=f"did you mean '{elsewhere}'?" if elsewhere else did_you_mean(str(name), known),
        )


def _differs_in_case(name: TableName, known: str) -> Problem:
    return Problem(
        code="FLOE-402",
        what=f"'{name}' differs from the table '{known}' in case only",
        why="dbt and most engines disregard case, and would find one of the two",
        fix=f"write '{known}'",
    )


def _dbt_relation(relation: "DbtRelation", complaint: str) -> Problem:
    return Problem(
        code="FLOE-409",
        what=f"'{relation.logical}' {complaint}",
        why=f"it is the {'view' if relation.is_view else 'table'} '{relation.physical}' in dbt's database; only tables "
        "that Python writes are in the catalog",
        fix="read it with read_table(name), and write to a table of another name",
    )
