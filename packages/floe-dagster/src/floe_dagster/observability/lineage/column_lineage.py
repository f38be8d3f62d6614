"""Which columns of its inputs the columns of a model come from, read from its compiled SQL."""

import logging
import re
from collections.abc import Mapping
from typing import Any

from floe_dagster.lakehouse.tables import fold_name
from floe_dagster.observability.datasets import DatasetId
from floe_dagster.observability.lineage.facets import ColumnSource

_DIALECTS = frozenset({"bigquery", "snowflake", "redshift", "spark", "postgres", "databricks", "duckdb"})
_FILTERED = re.compile(r"\(select \* from ([^\s()]+) where [^()]*\)")
"""What dbt writes in the place of a relation of which a batch reads a part; its columns are those of the relation."""
_LARGEST = 128 * 1024  # characters
_OPERATOR = re.compile(r"\b(?:and|or|union|select)\b|[-+*/%|&=<>]", re.IGNORECASE)
_MOST_OPERATORS = 1_000

_log = logging.getLogger(__name__)


def find_column_sources(
    query: str, *, tables: Mapping[tuple[str, ...], DatasetId], dialect: str
) -> dict[str, list[ColumnSource]]:
    """Column → where it comes from; what cannot be told is left out.

    Args:
        query: The statement.
        tables: Names of a relation, in lower case → its table; nothing else is a source.
        dialect: dbt's word for the database.

    Source:
        openlineage_sql 1.54 takes a common table expression that selects `*` for a table; it is none of *tables*. It
        walks through chains of operators by recursion: one of 16,000 ends the process (of 2,000, with a stack of 1 MB),
        and its time grows with the square of the number of common table expressions.
    """
    if len(query) > _LARGEST or sum(1 for _ in _OPERATOR.finditer(query)) > _MOST_OPERATORS:
        return {}
    parsed = _parse(_FILTERED.sub(r"\1", query), dialect if dialect in _DIALECTS else None)
    if parsed is None:
        return {}
    by_suffix = {names[-length:]: table for names, table in tables.items() for length in range(1, len(names) + 1)}
    found: dict[str, list[ColumnSource]] = {}
    for column in parsed.column_lineage:
        sources = [
            (table, source.name)
            for source in column.lineage
            if source.origin is not None and (table := _find(source.origin, by_suffix)) is not None
        ]
        if sources:
            found.setdefault(column.descendant.name, []).extend(dict.fromkeys(sources))
    return found


def _parse(query: str, dialect: str | None) -> Any:
    """What the parser reads; None where it fails: without its facet an event is as true."""
    from openlineage_sql import parse  # noqa: PLC0415 - a library of 20 MB, which few processes need

    try:
        return parse([query], dialect=dialect)
    except BaseException as error:
        if not isinstance(error, Exception) and type(error).__name__ != "PanicException":  # Rust's, which is neither
            raise
        _log.debug("the columns of a statement cannot be read: %s", error)
        return None


def _find(origin: Any, tables: Mapping[tuple[str, ...], DatasetId]) -> DatasetId | None:
    names = (origin.database, origin.schema, origin.name)
    # A bare name may be that of a common table expression, which is called as it likes.
    return tables.get(tuple(fold_name(name) for name in names if name)) if origin.schema else None
