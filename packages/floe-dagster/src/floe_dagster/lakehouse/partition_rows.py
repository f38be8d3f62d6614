"""The rows of one partition: the condition that selects them in a table, and which given rows are not among them."""

from dataclasses import dataclass
from datetime import date, datetime

import pyarrow as pa
import pyarrow.compute as pc
from pyiceberg.expressions import And, BooleanExpression, GreaterThanOrEqual, In, LessThan

from floe_core.errors import CatalogError, Problem
from floe_dagster.lakehouse.columns import check_columns
from floe_dagster.lakehouse.tables import Partition, PartitionKeys, PartitionWindow, show_time


@dataclass(frozen=True)
class PartitionRows:
    """A partition in the terms of the column's type: `values` are two bounds of a window, or the keys."""

    partition: Partition
    values: pa.Array

    @property
    def condition(self) -> BooleanExpression:
        """Selects exactly the partition's rows; a row without a value is in none."""
        column = self.partition.column
        literals = [_as_literal(value) for value in self.values.to_pylist()]
        if isinstance(self.partition, PartitionKeys):
            return In(term=column, literals=set(literals))
        low, high = literals
        return And(GreaterThanOrEqual(term=column, value=low), LessThan(term=column, value=high))

    def outside(self, column: pa.ChunkedArray) -> pa.ChunkedArray:
        """The values of *column* that are not in the partition, nulls among them."""
        if isinstance(self.partition, PartitionKeys):
            inside = pc.is_in(column, value_set=self.values)
        else:
            inside = pc.and_(pc.greater_equal(column, self.values[0]), pc.less(column, self.values[1]))
        return column.filter(pc.invert(pc.fill_null(inside, fill_value=False)))


def resolve_partition(partition: Partition, schema: pa.Schema, *, table: str) -> PartitionRows:
    """Read *partition* in the type that its column has in *schema*.

    Raises:
        CatalogError: There is no such column, or its type cannot tell the partition's rows.
    """
    check_columns([partition.column], schema.names, table=table, used_by="the partition")
    column_type = schema.field(partition.column).type
    if isinstance(partition, PartitionKeys):
        return PartitionRows(partition, _read_keys(partition, column_type, table))
    return PartitionRows(partition, _read_bounds(partition, column_type, table))


def outside_problem(rows: PartitionRows, *, table: str, count: int, span: tuple[object, object] | None) -> Problem:
    """What to say about *count* rows outside; *span* is their smallest and largest value, None if all are null."""
    column = rows.partition.column
    found = "has no value" if span is None else f"is {_shown(span)}"
    return Problem(
        code="FLOE-407",
        what=f"{count} row{'s lie' if count > 1 else ' lies'} outside the partition of '{table}': '{column}' {found}",
        why=f"its rows have '{column}' {rows.partition}; others would be doubled by the run that they belong to",
        fix="filter the data to the partition before it is returned or written",
    )


def _read_keys(partition: PartitionKeys, column_type: pa.DataType, table: str) -> pa.Array:
    try:
        return pa.array(partition.keys, pa.string()).cast(column_type)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
        raise CatalogError(
            _unusable_column(partition, table, f"the column is {column_type}, the keys are texts of another form")
        ) from error


def _read_bounds(window: PartitionWindow, column_type: pa.DataType, table: str) -> pa.Array:
    if pa.types.is_timestamp(column_type):
        return pa.array(window.wall_clock if column_type.tz is None else window.instants, column_type)
    by_days = pa.types.is_date(column_type) or pa.types.is_string(column_type) or pa.types.is_large_string(column_type)
    if by_days and window.is_whole_days:
        days = pa.array([bound.date() for bound in window.wall_clock])
        return days.cast(column_type)
    needed = (
        "days are told by a text or a date, hours by a timestamp" if by_days else "timestamps, dates or ISO texts can"
    )
    why = f"the column is {column_type}; {needed}"
    raise CatalogError(_unusable_column(window, table, why))


def _unusable_column(partition: Partition, table: str, why: str) -> Problem:
    return Problem(
        code="FLOE-407",
        what=f"column '{partition.column}' of '{table}' cannot tell the rows {partition}",
        why=why,
        fix="take another partition_column, or add one to the data",
    )


def _as_literal(value: object) -> object:
    return value.isoformat() if isinstance(value, date | datetime) else value


def _shown(span: tuple[object, object]) -> str:
    low, high = (show_time(value) if isinstance(value, datetime) else str(value) for value in span)
    return low if low == high else f"from {low} to {high}"
