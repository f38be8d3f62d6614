"""The columns that a statement makes, and the columns of its inputs that they come from, read from its SQL."""

import logging

from floe_dagster.observability.lineage.columns import Columns, FindTable

DIALECTS = {"sqlserver": "tsql", "fabric": "tsql", "synapse": "tsql", "glue": "spark"}
"""dbt's word for a database → sqlglot's, where it has another."""
_LARGEST = 128 * 1024  # characters
_log = logging.getLogger(__name__)


def find_columns(query: str, *, find_table: FindTable, dialect: str) -> Columns | None:
    """The columns of what *query* selects; None where it cannot be read.

    Args:
        query: The statement; it is taken for one that the database carries out.
        find_table: Finds the tables that it reads.
        dialect: dbt's word for the database.
    """
    if len(query) > _LARGEST:
        return None
    # sqlglot takes a fifth of a second to import, which few processes need.
    from floe_dagster.observability.lineage.statement_columns import UNREADABLE, read_columns  # noqa: PLC0415

    try:
        return read_columns(query, find_table=find_table, dialect=DIALECTS.get(dialect, dialect))
    except UNREADABLE as error:  # without its columns an event is as true
        _log.debug("the columns of a statement cannot be read: %s", type(error).__name__)
        return None
