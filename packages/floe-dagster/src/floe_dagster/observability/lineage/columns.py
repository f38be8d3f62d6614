"""Columns of a table or a statement, as far as they are known, and the columns of tables that they come from."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from floe_dagster.observability.datasets import DatasetId
from floe_dagster.observability.lineage.facets import ColumnSource

Sources: TypeAlias = tuple[ColumnSource, ...] | None
"""Where a column comes from: nothing of it where it is computed of nothing; None where not all of it is known."""


@dataclass(frozen=True, slots=True)
class Column:
    """One column; its name is None where it is not certain what the database calls it."""

    name: str | None
    sources: Sources = None


@dataclass(frozen=True, slots=True)
class Rest:
    """Any number of columns whose names are not known: all those of *table*, but for the names in *without*."""

    table: DatasetId | None = None
    without: frozenset[str] = frozenset()


Columns: TypeAlias = tuple[Column | Rest, ...]
"""In their order."""

UNKNOWN: Columns = (Rest(),)
FindTable: TypeAlias = Callable[[tuple[str, ...]], Columns | None]
"""Names of a relation as the statement has them → its columns; None where it is no table that is known."""
Key: TypeAlias = Callable[[str], str]


def columns_of_table(table: DatasetId, names: Sequence[str], *, are_all: bool, key: Key = str.lower) -> Columns:
    """The columns of *table*: all of them, in their order; or some, which may stand anywhere among the others.

    Args:
        table: The table.
        names: What they are called.
        are_all: Whether it has no others.
        key: Gives the same for all names that the database takes for one.
    """
    known = [Column(name, ((table, name),)) for name in names]
    return (*known,) if are_all else (Rest(table, frozenset(key(name) for name in names)), *known)


def all_names(columns: Columns, *, key: Key = str.lower) -> tuple[str, ...] | None:
    """The names of all columns, or None where one of them is not known, or stands twice.

    Args:
        columns: What is known.
        key: Gives the same for all names that the database takes for one.
    """
    names = [column.name for column in columns if isinstance(column, Column) and column.name is not None]
    return tuple(names) if names and len(columns) == len(names) == len(set(map(key, names))) else None


def merge_sources(*sources: Sources) -> Sources:
    """Where something comes from that is made of several."""
    known = [some for some in sources if some is not None]
    if len(known) < len(sources):
        return None
    return tuple(dict.fromkeys(source for some in known for source in some))


def sources_by_name(columns: Columns, *, key: Key = str.lower) -> dict[str, tuple[ColumnSource, ...]]:
    """Column → where it comes from.

    A name that stands twice is left out, and so is what comes from nothing or not only from what is known.
    """
    named = [(column.name, column.sources) for column in columns if isinstance(column, Column) and column.name]
    times = Counter(key(name) for name, _ in named)
    return {name: sources for name, sources in named if sources and times[key(name)] == 1}
