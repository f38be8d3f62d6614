"""Columns that are asked for by name."""

from collections.abc import Sequence

from floe_core.errors import CatalogError, Problem
from floe_core.suggestions import did_you_mean, list_names

_LISTED = 20


def check_columns(wanted: Sequence[str], known: Sequence[str], *, table: str, used_by: str) -> None:
    """See that every column in *wanted* is among the *known* ones.

    Raises:
        CatalogError: Some are not; all of them at once.
    """
    problems = [
        Problem(
            code="FLOE-406",
            what=f"{used_by} names column '{name}', which '{table}' does not have",
            why=f"its columns are {list_names(known, limit=_LISTED)}",
            fix=did_you_mean(name, known),
        )
        for name in wanted
        if name not in known
    ]
    if problems:
        raise CatalogError(*problems)
