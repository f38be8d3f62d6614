"""What lineage events that were kept in local files tell about the columns of tables.

A file holds an OpenLineage event in each line. Of each table the newest event that tells of its columns counts, and
none from before it was written last: what was true of it then need not be now.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias

from floe_dagster.observability.local.files import list_run_files

TableId: TypeAlias = tuple[str, str]
"""Namespace and name of a dataset."""

_MOST_FILES = 200
_WRITTEN = "COMPLETE"
_TELLS_OF_COLUMNS = (b'"columnLineage"', b'"schema"', b'"COMPLETE"')


@dataclass(frozen=True, slots=True)
class ColumnSource:
    """A column that another one comes from."""

    table: TableId
    column: str


@dataclass
class TableColumns:
    """The columns of one table: their types, and where they come from, as far as events tell."""

    types: dict[str, str] = field(default_factory=dict)
    sources: dict[str, tuple[ColumnSource, ...]] = field(default_factory=dict)


def read_columns(folder: Path) -> dict[TableId, TableColumns]:
    """The columns of all tables in the files of *folder*; nothing where there is no such folder."""
    found: dict[TableId, TableColumns] = {}
    written: set[TableId] = set()
    for file in list_run_files(folder)[:_MOST_FILES]:
        for event in reversed(list(_read_events(file.path))):
            outputs = _mappings(event.get("outputs"))
            for dataset in (*outputs, *_mappings(event.get("inputs"))):
                if _table_id(dataset) not in written:
                    _add(found, dataset)
            if event.get("eventType") == _WRITTEN:
                written.update(map(_table_id, outputs))
    return found


def _read_events(path: Path) -> Iterator[Mapping[str, object]]:
    with path.open("rb") as lines:
        for line in lines:
            if not any(word in line for word in _TELLS_OF_COLUMNS):
                continue
            try:
                event = json.loads(line)
            except (ValueError, RecursionError):  # cut off, or no event
                continue
            if isinstance(event, dict):
                yield event


def _add(found: dict[TableId, TableColumns], dataset: Mapping[str, object]) -> None:
    table = found.setdefault(_table_id(dataset), TableColumns())
    facets = _mapping(dataset.get("facets"))
    if not table.types:
        fields = _mappings(_mapping(facets.get("schema")).get("fields"))
        table.types = {str(column.get("name")): str(column.get("type") or "") for column in fields}
    if not table.sources:
        columns = _mapping(_mapping(facets.get("columnLineage")).get("fields"))
        table.sources = {
            column: tuple(
                ColumnSource((str(source.get("namespace")), str(source.get("name"))), str(source.get("field")))
                for source in _mappings(_mapping(told).get("inputFields"))
            )
            for column, told in columns.items()
        }


def _table_id(dataset: Mapping[str, object]) -> TableId:
    return str(dataset.get("namespace")), str(dataset.get("name"))


def _mapping(value: object) -> Mapping[str, object]:
    return value if isinstance(value, dict) else {}


def _mappings(value: object) -> list[Mapping[str, object]]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []
