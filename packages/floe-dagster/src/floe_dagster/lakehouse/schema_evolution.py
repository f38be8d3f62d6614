"""The columns that data brings and the columns that its table has → the columns to write.

A table takes over new columns and wider types. Everything else either loses nothing when cast, or is refused.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import pyarrow as pa

from floe_core.errors import CatalogError, Problem, ProblemCollector
from floe_core.suggestions import list_names
from floe_dagster.lakehouse.nested_types import parts_of, rebuild

_UNKNOWN = pa.string()
"""What a column gets to hold whose every value so far is null."""

_INTEGER_DIGITS = {pa.int32(): 10, pa.int64(): 19}


@dataclass(frozen=True, slots=True)
class FittedColumns:
    """The columns of the data in the types they are written in.

    The table has to get the `added` columns, and the wider types or new fields that some `changed` ones may have; the
    data lacks its `missing` ones.
    """

    schema: pa.Schema
    added: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()

    @property
    def change_the_table(self) -> bool:
        """Whether the table has to take over something before it can hold the data."""
        return bool(self.added or self.changed)


class _MisfitError(Exception):
    """Two types of one column of which neither holds the values of the other."""

    def __init__(self, path: str, given: pa.DataType, current: pa.DataType) -> None:
        super().__init__(path, str(given), str(current))
        self.path, self.given, self.current = path, given, current


def fit_new_table(schema: pa.Schema) -> FittedColumns:
    """The columns that a table gets which is made for data of *schema*."""
    fields = [pa.field(field.name, _without_nulls(field.type)) for field in schema]
    return FittedColumns(pa.schema(fields), added=tuple(schema.names))


def fit_columns(schema: pa.Schema, current: pa.Schema, *, table: str, replaces_all: bool) -> FittedColumns:
    """Fit data of *schema* to the table whose columns are *current*.

    Args:
        schema: As `storable_schema` gives it.
        current: The table's columns; one that is not nullable must have a value in every row.
        table: The table's name, for messages.
        replaces_all: Whether no row of the table remains, so that a column without data would lose its last value.

    Raises:
        CatalogError: A type does not fit, a column is missing that must not be, or two names differ in case only.
    """
    collector = ProblemCollector(_missing_problems(schema, current, table=table, replaces_all=replaces_all))
    by_lower_name = {name.lower(): name for name in current.names}
    fields = []
    for field in schema:
        known = by_lower_name.get(field.name.lower())
        if known is None:
            fields.append(pa.field(field.name, _without_nulls(field.type)))
        elif known != field.name:
            collector.add(_same_but_for_case(field.name, known, table=table))
        else:
            column = current.field(known)
            try:
                fields.append(pa.field(known, _fit(field.type, column.type, known), column.nullable))
            except _MisfitError as misfit:
                collector.add(_misfit_problem(misfit, table=table))
    collector.raise_if_any(CatalogError)
    return FittedColumns(
        pa.schema(fields),
        added=tuple(name for name in schema.names if name not in current.names),
        changed=tuple(field.name for field in fields if _differs(field, current)),
        missing=tuple(name for name in current.names if name not in schema.names),
    )


def _without_nulls(data_type: pa.DataType) -> pa.DataType:
    """*data_type* with text in the place of every type that only holds nulls."""
    if pa.types.is_null(data_type):
        return _UNKNOWN
    return rebuild(data_type, lambda part, _: _without_nulls(part))


def _fit(given: pa.DataType, current: pa.DataType, path: str) -> pa.DataType:
    """The type to write: the table's, or a wider one."""
    given, current = _canonical(given), _canonical(current)
    if pa.types.is_null(given) or given == current:
        return current
    if pa.types.is_nested(given):
        return _fit_nested(given, current, path)
    if _widens(current, given):
        return given
    if _may_be_cast(given, current):
        return current
    raise _MisfitError(path, given, current)


def _fit_nested(given: pa.DataType, current: pa.DataType, path: str) -> pa.DataType:
    if given.id != current.id:
        raise _MisfitError(path, given, current)
    parts = {field.name: field.type for field in parts_of(current)}

    def fit_part(part: pa.DataType, name: str) -> pa.DataType:
        return _fit(part, parts[name], f"{path}.{name}") if name in parts else _without_nulls(part)

    return rebuild(given, fit_part)


def _differs(field: pa.Field, current: pa.Schema) -> bool:
    return field.name in current.names and _all_canonical(field.type) != _all_canonical(current.field(field.name).type)


def _all_canonical(data_type: pa.DataType) -> pa.DataType:
    return rebuild(_canonical(data_type), lambda part, _: _all_canonical(part))


def _canonical(data_type: pa.DataType) -> pa.DataType:
    """One Arrow type for those that are one type to Iceberg."""
    if pa.types.is_large_string(data_type):
        return pa.string()
    if pa.types.is_large_binary(data_type):
        return pa.binary()
    if pa.types.is_large_list(data_type):
        return pa.list_(data_type.value_type)
    return data_type


def _widens(current: pa.DataType, given: pa.DataType) -> bool:
    """Whether Iceberg can turn a column of type *current* into *given* without touching its files."""
    if pa.types.is_decimal(current) and pa.types.is_decimal(given):
        return bool(given.scale == current.scale and given.precision > current.precision)
    return (current, given) in ((pa.int32(), pa.int64()), (pa.float32(), pa.float64()))


def _may_be_cast(given: pa.DataType, current: pa.DataType) -> bool:
    """Whether values of type *given* can be looked at one by one to see if *current* holds them.

    A frame library that knows no missing integer hands out 1.0 for 1, and a day without cents reads as integers.
    """
    if pa.types.is_decimal(current):
        digits = _INTEGER_DIGITS.get(given, 0)
        return bool(pa.types.is_decimal(given) or 0 < digits <= current.precision - current.scale)
    numbers = (pa.int32(), pa.int64(), pa.float32(), pa.float64())
    return given in numbers and current in numbers


def _missing_problems(schema: pa.Schema, current: pa.Schema, *, table: str, replaces_all: bool) -> Iterable[Problem]:
    given = {name.lower() for name in schema.names}
    missing = [field for field in current if field.name.lower() not in given]
    required = [field.name for field in missing if not field.nullable]
    if required:
        yield Problem(
            code="FLOE-405",
            what=f"{_columns(required)} of '{table}' must have a value in every row and has no data",
            why="the table was made that way",
            fix="add it to the data",
        )
    elif missing and replaces_all:
        names = [field.name for field in missing]
        yield Problem(
            code="FLOE-405",
            what=f"{_columns(names)} of '{table}' would be gone: the data that overwrites the table lacks it",
            why="its readers would find nulls from now on; a column is given up on purpose, not by its absence",
            fix="add it to the data, or run "
            f"catalog.load_table('{table}').update_schema().delete_column('{names[0]}').commit()",
        )


def _same_but_for_case(given: str, known: str, *, table: str) -> Problem:
    return Problem(
        code="FLOE-405",
        what=f"column '{given}' is called '{known}' in '{table}'",
        why="dbt and most engines tell columns apart by their names, without regard to case",
        fix=f"rename it to '{known}'",
    )


def _misfit_problem(misfit: _MisfitError, *, table: str) -> Problem:
    return Problem(
        code="FLOE-405",
        what=f"column '{misfit.path}' is given as {misfit.given}, but is {misfit.current} in '{table}'",
        why="a column only changes to a type that holds all values it has: int32 to int64, float to double, more "
        "digits of a decimal",
        fix=f"cast it to {misfit.current}, or write it under a new name",
    )


def _columns(names: list[str]) -> str:
    quoted = [f"'{name}'" for name in names]
    return f"column{'s' if len(quoted) > 1 else ''} {list_names(quoted)}"
