"""The rows of one partition: the condition that selects them in a table, and which given rows are not among them."""

import re
from dataclasses import dataclass
from datetime import date, datetime
from functools import reduce

import pyarrow as pa
import pyarrow.compute as pc
from pyiceberg.expressions import And, BooleanExpression, GreaterThanOrEqual, In, LessThan

from floe_core.errors import CatalogError, Problem
from floe_dagster.lakehouse.columns import check_columns
from floe_dagster.lakehouse.tables import (
    Partition,
    PartitionColumn,
    PartitionKeys,
    parts_of,
    show_time,
)

_ISO_DATE = re.compile(r"(\d{4}(?:-\d\d(?:-\d\d)?)?)(?:[T -]\d\d:?\d\d.*)?")


@dataclass(frozen=True)
class PartitionRows:
    """A partition in the terms of the types that its columns have."""

    parts: "tuple[_ColumnRows, ...]"

    @property
    def condition(self) -> BooleanExpression:
        """Selects exactly the partition's rows; a row without a value is in none."""
        return reduce(And, (part.condition for part in self.parts))


def resolve_partition(partition: Partition, schema: pa.Schema, *, table: str) -> PartitionRows:
    """Read *partition* in the types that its columns have in *schema*.

    Raises:
        CatalogError: There is no such column, or its type cannot tell the partition's rows.
    """
    parts = parts_of(partition)
    check_columns([part.column for part in parts], schema.names, table=table, used_by="the partition")
    return PartitionRows(tuple(_resolve_column(part, schema.field(part.column).type, table) for part in parts))


class OutsideRows:
    """Counts the rows that do not belong into a partition, and keeps what is shown of them."""

    def __init__(self, partition: PartitionRows) -> None:
        self._parts = [_OutsideColumn(part) for part in partition.parts]
        self.count = 0

    def add(self, rows: pa.Table) -> None:
        """Look at some rows."""
        inside = reduce(pc.and_, [part.add(rows[part.column]) for part in self._parts])
        self.count += pc.sum(pc.invert(inside)).as_py() or 0

    def problem(self, table: str) -> Problem:
        """What to say about the rows outside; there are some."""
        found = ", ".join(part.shown for part in self._parts if part.has_some)
        wanted = " and ".join(f"'{part.column}' {part.rows.partition}" for part in self._parts)
        rows = f"{self.count} rows lie" if self.count > 1 else "1 row lies"
        return Problem(
            code="FLOE-407",
            what=f"{rows} outside the partition of '{table}': {found}",
            why=f"its rows have {wanted}; others would be doubled by their own run",
            fix="filter the data to the partition before it is returned or written",
        )


@dataclass(frozen=True)
class _ColumnRows:
    """What one column tells: `values` are the two bounds of a window, or keys."""

    partition: PartitionColumn
    values: pa.Array
    is_window: bool

    @property
    def condition(self) -> BooleanExpression:
        column = self.partition.column
        literals = [_as_literal(value) for value in self.values.to_pylist()]
        if not self.is_window:
            return In(term=column, literals=set(literals))
        low, high = literals
        return And(GreaterThanOrEqual(term=column, value=low), LessThan(term=column, value=high))

    def holds(self, column: pa.ChunkedArray) -> pa.ChunkedArray:
        """For each value whether it is in the partition; null is not."""
        if not self.is_window:
            return pc.is_in(column, value_set=self.values, skip_nulls=True)
        low, high = self.values
        return pc.fill_null(pc.and_(pc.greater_equal(column, low), pc.less(column, high)), fill_value=False)


class _OutsideColumn:
    """What was seen of the values of one column that are not in the partition."""

    def __init__(self, rows: _ColumnRows) -> None:
        self.rows, self.column = rows, rows.partition.column
        self.has_some = False
        self._ends: list[pa.Scalar] = []

    def add(self, column: pa.ChunkedArray) -> pa.ChunkedArray:
        """Look at some values; gives for each whether it is inside."""
        inside = self.rows.holds(column)
        outside = column.filter(pc.invert(inside))
        self.has_some |= len(outside) > 0
        ends = pc.min_max(outside)
        if ends["min"].is_valid:
            self._ends += [ends["min"], ends["max"]]
        return inside

    @property
    def shown(self) -> str:
        if not self._ends:
            return f"'{self.column}' has no value"
        ends = pc.min_max(pa.array(self._ends, self._ends[0].type)).as_py()
        low, high = (show_time(end) if isinstance(end, datetime) else str(end) for end in (ends["min"], ends["max"]))
        return f"'{self.column}' is {low if low == high else f'from {low} to {high}'}"


def _resolve_column(partition: PartitionColumn, column_type: pa.DataType, table: str) -> _ColumnRows:
    if isinstance(partition, PartitionKeys):
        return _ColumnRows(partition, _read_keys(partition, partition.keys, column_type, table), is_window=False)
    if pa.types.is_timestamp(column_type):
        bounds = partition.wall_clock if column_type.tz is None else partition.instants
        return _ColumnRows(partition, pa.array(bounds, column_type), is_window=True)
    is_text = pa.types.is_string(column_type) or pa.types.is_large_string(column_type)
    if partition.is_whole_days and (pa.types.is_date(column_type) or (is_text and _are_dates(partition.keys))):
        days = [bound.date() for bound in partition.wall_clock]
        values = [_shorten(day, partition.keys) for day in days] if is_text else days
        return _ColumnRows(partition, pa.array(values, column_type), is_window=True)
    if partition.keys and (is_text or pa.types.is_integer(column_type)):
        return _ColumnRows(partition, _read_keys(partition, partition.keys, column_type, table), is_window=False)
    by_days = is_text or pa.types.is_date(column_type)
    needed = (
        "days are told by a text or a date, hours by a timestamp" if by_days else "timestamps, dates or ISO texts can"
    )
    raise CatalogError(_unusable_column(partition, table, f"the column is {column_type}; {needed}"))


def _read_keys(partition: PartitionColumn, keys: tuple[str, ...], column_type: pa.DataType, table: str) -> pa.Array:
    try:
        return pa.array(keys, pa.string()).cast(column_type)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
        why = f"the column is {column_type}, the keys are texts of another form"
        raise CatalogError(_unusable_column(partition, table, why)) from error


def _are_dates(keys: tuple[str, ...]) -> bool:
    return all(_ISO_DATE.fullmatch(key) for key in keys[:1])


def _shorten(day: date, keys: tuple[str, ...]) -> str:
    """*day* as long as the keys are, where that says the same: texts of a month are `2024-01` then, or begin so."""
    text = day.isoformat()
    length = len(found[1]) if keys and (found := _ISO_DATE.fullmatch(keys[0])) else len(text)
    return text[:length] if set(text[length:].split("-")) <= {"", "01"} else text


def _unusable_column(partition: PartitionColumn, table: str, why: str) -> Problem:
    return Problem(
        code="FLOE-407",
        what=f"column '{partition.column}' of '{table}' cannot tell the rows {partition}",
        why=why,
        fix="take another partition_column, or add one to the data",
    )


def _as_literal(value: object) -> object:
    return value.isoformat() if isinstance(value, date | datetime) else value
