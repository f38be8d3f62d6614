"""The columns of what dbt builds and reads in one call.

They are read from its statements, its seeds and what YAML declares; those of tables that it only reads, from what was
told when they were written.
"""

import csv
from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path

from floe_dagster.lakehouse.tables import fold_name
from floe_dagster.observability.datasets import DatasetId, Node
from floe_dagster.observability.lineage.column_lineage import DIALECTS, find_columns
from floe_dagster.observability.lineage.columns import (
    UNKNOWN,
    Column,
    Columns,
    all_names,
    columns_of_table,
    sources_by_name,
)
from floe_dagster.observability.lineage.dbt_graph import DbtGraph
from floe_dagster.observability.lineage.facets import ColumnSource
from floe_dagster.observability.lineage.identifiers import Identifiers
from floe_dagster.observability.lineage.known_columns import KnownColumns, TableColumns

Described = tuple[str, str | None, str | None]
"""A column's name, type and description."""

_MADE_ANEW = frozenset({"table", "view", "materialized_view", "external"})
"""Materialisations after which a table has the columns of the statement, and no others."""
_KEPT_IN_STEP = frozenset({"sync_all_columns", "fail"})
"""What makes that true of incremental models, too (`on_schema_change`)."""
_LONGEST_HEADER = 64 * 1024  # characters
_OF_SNAPSHOTS = ("dbt_scd_id", "dbt_updated_at", "dbt_valid_from", "dbt_valid_to")


class DbtColumns:
    """Finds columns, those of each node once.

    Args:
        graph: The nodes.
        read_sql: The statement that dbt compiled of a node in this call, if it did; of a snapshot, that of its file.
        dialect: dbt's word for the database.
        project_dir: Where seeds are, which do not say it themselves.
        known: The columns of tables as they were told last.
    """

    def __init__(
        self,
        graph: DbtGraph,
        *,
        read_sql: Callable[[Node], str | None],
        dialect: str,
        project_dir: Path,
        known: KnownColumns,
    ) -> None:
        self._graph, self._read_sql, self._project_dir, self._known = graph, read_sql, project_dir, known
        self._dialect = dialect
        self._names = Identifiers(DIALECTS.get(dialect, dialect))
        self._of_statements: dict[str, Columns] = {}
        self._of_tables: dict[str, Columns] = {}

    def sources(self, node: Node) -> dict[str, tuple[ColumnSource, ...]]:
        """Column that the node makes → the columns of its inputs that it comes from; what is not known is left out."""
        return sources_by_name(self._of_statement(node), key=self._names.key)

    def described(self, node: Node) -> list[Described]:
        """All columns of the table that the node makes, or none where only some are known."""
        names = self._all_names(node) or ()
        declared = {fold_name(str(column["name"])): column for column in (node.get("columns") or {}).values()}
        given = ((name, declared.get(fold_name(name)) or {}) for name in names)
        return [(name, column.get("data_type"), column.get("description")) for name, column in given]

    def note(self, node: Node) -> None:
        """Keep what is known of the table that the node has made, for calls that read it only."""
        if node["resource_type"] not in ("model", "snapshot"):
            return
        columns = self._of_table(str(node["unique_id"]))
        names = tuple(column.name for column in columns if isinstance(column, Column) and column.name)
        are_all = len(names) == len(columns)
        table = self._graph.table(str(node["unique_id"]))
        self._known.note(table, TableColumns(names, are_all=are_all, made_of=_checksum(node)))

    def _of_table(self, unique_id: str) -> Columns:
        """The columns of a table, as those who read it see them."""
        known = self._of_tables.get(unique_id)
        if known is None:
            node = self._graph.find(unique_id)
            known = self._of_tables[unique_id] = self._find_columns(node) if node is not None else UNKNOWN
        return known

    def _find_columns(self, node: Node) -> Columns:
        table = self._graph.table(str(node["unique_id"]))
        names = self._all_names(node)
        if names is not None and (not _has_contract(node) or names == self._names_of_statement(node)):
            return columns_of_table(table, names, are_all=True)
        told = self._told(node, table)
        if told is not None and told.are_all:
            return columns_of_table(table, told.names, are_all=True)
        made = [column.name for column in self._of_statement(node) if isinstance(column, Column) and column.name]
        known = [*made, *(told.names if told is not None else ()), *self._declared(node), *_added_columns(node)]
        return columns_of_table(table, self._each_once(known), are_all=False, key=self._names.key)

    def _told(self, node: Node, table: DatasetId) -> TableColumns | None:
        """What was told when the table was written, unless this call has compiled the node and so writes it anew."""
        if node["resource_type"] == "model" and self._read_sql(node) is not None:
            return None
        return self._known.find(table, made_of=_checksum(node))

    def _all_names(self, node: Node) -> tuple[str, ...] | None:
        """The names of all columns of the table that the node makes; None where only some are known.

        Source:
            dbt holds the columns of a contract against those of the statement, but for their order.
        """
        config = node.get("config") or {}
        if _has_contract(node):
            return self._declared(node) or None
        if node["resource_type"] == "seed":
            return self._of_seed(node)
        materialized = config.get("materialized")
        is_kept = materialized == "incremental" and config.get("on_schema_change") in _KEPT_IN_STEP
        if node["resource_type"] != "model" or not (materialized in _MADE_ANEW or is_kept):
            return None
        return self._names_of_statement(node)

    def _names_of_statement(self, node: Node) -> tuple[str, ...] | None:
        return all_names(self._of_statement(node), key=self._names.key)

    def _of_statement(self, node: Node) -> Columns:
        unique_id = str(node["unique_id"])
        known = self._of_statements.get(unique_id)
        if known is None:
            self._of_statements[unique_id] = UNKNOWN  # for as long as it is being read
            known = self._of_statements[unique_id] = self._read(node)
        return known

    def _read(self, node: Node) -> Columns:
        if node["resource_type"] not in ("model", "snapshot") or node.get("language", "sql") != "sql":
            return UNKNOWN
        query = self._read_sql(node) or node.get("compiled_code")
        if not query:
            return UNKNOWN
        parents = self._graph.parents_by_relation(str(node["unique_id"]))
        suffixes = Counter(names[-length:] for names in parents for length in range(2, len(names) + 1))
        by_suffix = {
            names[-length:]: parent
            for names, parent in parents.items()
            for length in range(2, len(names) + 1)
            if suffixes[names[-length:]] == 1
        }

        def find_table(names: tuple[str, ...]) -> Columns | None:
            parent = by_suffix.get(tuple(map(fold_name, names)))
            return self._of_table(parent) if parent is not None else None

        return find_columns(str(query), find_table=find_table, dialect=self._dialect) or UNKNOWN

    def _declared(self, node: Node) -> tuple[str, ...]:
        columns = (node.get("columns") or {}).values()
        return self._each_once(
            self._names.name(str(column["name"]), is_quoted=bool(column.get("quote"))) for column in columns
        )

    def _of_seed(self, seed: Node) -> tuple[str, ...] | None:
        config = seed.get("config") or {}
        file = Path(seed.get("root_path") or self._project_dir) / str(seed.get("original_file_path") or "")
        try:
            with file.open(encoding="utf-8-sig", newline="") as lines:
                first = lines.readline(_LONGEST_HEADER)
            header = next(csv.reader([first], delimiter=str(config.get("delimiter") or ",")), [])
        except (OSError, UnicodeDecodeError, csv.Error, TypeError):
            return None
        is_quoted = bool(config.get("quote_columns"))
        names = tuple(Column(self._names.name(name, is_quoted=is_quoted)) for name in header if name.strip())
        return all_names(names, key=self._names.key) if len(names) == len(header) and first.endswith("\n") else None

    def _each_once(self, names: Iterable[str]) -> tuple[str, ...]:
        found: dict[str, str] = {}
        for name in names:
            found.setdefault(self._names.key(name), name)
        return tuple(found.values())


def _has_contract(node: Node) -> bool:
    return bool(((node.get("config") or {}).get("contract") or {}).get("enforced"))


def _checksum(node: Node) -> str:
    """What dbt tells of the content of the node's file; a source has none."""
    return str((node.get("checksum") or {}).get("checksum") or "")


def _added_columns(node: Node) -> tuple[str, ...]:
    """The columns that dbt adds to those of the statement."""
    config = node.get("config") or {}
    if node["resource_type"] != "snapshot" or any((config.get("snapshot_meta_column_names") or {}).values()):
        return ()
    return (*_OF_SNAPSHOTS, "dbt_is_deleted") if config.get("hard_deletes") == "new_record" else _OF_SNAPSHOTS
