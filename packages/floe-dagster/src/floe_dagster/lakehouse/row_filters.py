"""Which rows a read wants, as pyiceberg expressions that are known to fit the table before anything is read."""

from collections.abc import Callable, Iterator
from typing import TypeAlias

import pyarrow as pa
from pyiceberg.expressions import AlwaysTrue, BooleanExpression
from pyiceberg.expressions.parser import parse
from pyiceberg.expressions.visitors import bind
from pyiceberg.schema import Schema
from pyparsing import ParseException

from floe_core.errors import CatalogError, Problem
from floe_dagster.lakehouse.columns import check_columns
from floe_dagster.lakehouse.partition_rows import resolve_partition
from floe_dagster.lakehouse.tables import Partition, PartitionDimensions, PartitionKeys, PartitionWindow

Condition: TypeAlias = str | BooleanExpression
RowFilter: TypeAlias = Condition | Partition


def resolve_filter(
    row_filter: RowFilter | None, read_schema: Callable[[], pa.Schema], *, table: str
) -> Condition | None:
    """The condition that *row_filter* states: a partition's in the types of its columns, any other as it is.

    Raises:
        CatalogError: The partition names a column that there is not, or whose type cannot tell its rows.
    """
    if isinstance(row_filter, PartitionWindow | PartitionKeys | PartitionDimensions):
        return resolve_partition(row_filter, read_schema(), table=table).condition
    return row_filter


def parse_filter(text: Condition | None, *, table: str) -> BooleanExpression:
    """The condition that *text* states; no text is no condition.

    Raises:
        CatalogError: The text is no condition, with the place where reading stopped.
    """
    if text is None or (isinstance(text, str) and not text.strip()):
        return AlwaysTrue()
    if isinstance(text, BooleanExpression):
        return text
    try:
        return parse(text)
    except ParseException as error:
        rest = text[error.loc :].strip()
        where = f"it cannot be read from {rest!r} on" if rest else "it ends too early"
        raise CatalogError(_bad_filter(text, where, table)) from error
    except ValueError as error:
        raise CatalogError(_bad_filter(text, str(error), table)) from error


def bind_filter(
    condition: BooleanExpression, schema: Schema, *, text: Condition | None, table: str
) -> BooleanExpression:
    """*condition* over the columns of *schema*; *text* is how it was written.

    Raises:
        CatalogError: A column does not exist, or cannot be compared with what stands beside it.
    """
    names = [schema.find_column_name(field_id) or "" for field_id in schema.field_ids]
    check_columns(sorted(set(columns_of(condition))), names, table=table, used_by="the filter")
    try:
        return bind(schema, condition, case_sensitive=True)
    except (TypeError, ValueError) as error:
        raise CatalogError(_bad_filter(str(text), str(error), table)) from error


def columns_of(condition: object) -> Iterator[str]:
    """The columns that *condition* looks at, each as often as it does."""
    term = getattr(condition, "term", None)
    if term is not None:
        yield term.name
    for part in ("left", "right", "child"):
        yield from columns_of(getattr(condition, part, None)) if hasattr(condition, part) else ()


def _bad_filter(text: str, why: str, table: str) -> Problem:
    return Problem(
        code="FLOE-406",
        what=f"the filter {text!r} is no condition on the rows of '{table}'",
        why=why,
        fix="write it like \"country = 'DE' and amount >= 10\", texts in single quotes",
    )
