"""The columns of two selects that are put together."""

from collections.abc import Sequence
from dataclasses import replace

from floe_dagster.observability.lineage.columns import Column, Columns, Key, Rest, merge_sources


def by_position(first: Columns, second: Columns) -> Columns:
    """As unions have it: the names are those of the first."""
    merged: list[Column | Rest] = []
    for column, other in zip(first, second, strict=False):
        if isinstance(column, Rest) or isinstance(other, Rest):
            break
        merged.append(replace(column, sources=merge_sources(column.sources, other.sources)))
    return (*merged, *with_unknown_sources(first[len(merged) :]))  # who stands beside whom is not known


def by_name(first: Columns, second: Columns, *, key: Key) -> Columns:
    """As `union by name` has it: a column that only one of them has comes of that one."""
    others = {key(column.name): column for column in second if isinstance(column, Column) and column.name}
    merged: list[Column | Rest] = []
    for column in first:
        own = key(column.name) if isinstance(column, Column) and column.name else ""
        if isinstance(column, Column) and own in others:
            merged.append(replace(column, sources=merge_sources(column.sources, others.pop(own).sources)))
        else:
            merged.extend([column] if _are_all_known(second) else with_unknown_sources([column]))
    alone = [column for column in second if isinstance(column, Rest) or not column.name or key(column.name) in others]
    return (*merged, *(alone if _are_all_known(first) else with_unknown_sources(alone)))


def with_unknown_sources(columns: Sequence[Column | Rest]) -> Columns:
    """The same columns, of which it is not known where they come from."""
    return tuple(
        replace(column, table=None) if isinstance(column, Rest) else replace(column, sources=None) for column in columns
    )


def _are_all_known(columns: Columns) -> bool:
    return all(isinstance(column, Column) and column.name is not None for column in columns)
