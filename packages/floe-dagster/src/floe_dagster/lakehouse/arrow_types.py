"""Anything tabular → a stream of Arrow batches in the types that Iceberg holds.

No value changes on the way: what would lose a digit, a nanosecond or a zone's instant is refused by column.
"""

import sys
from collections.abc import Callable, Iterable, Iterator
from typing import TypeAlias

import pyarrow as pa
import pyarrow.compute as pc

from floe_core.errors import CatalogError, Problem, ProblemCollector
from floe_dagster.lakehouse.nested_types import rebuild

_ROWS_PER_FRAME = 1_000_000
_MAX_PRECISION = 38
_SUPPORTED = "a pyarrow Table or RecordBatchReader, a polars or pandas frame, or a DuckDB relation"

_Test: TypeAlias = Callable[[pa.DataType], bool]
_SCALARS: tuple[tuple[_Test, pa.DataType], ...] = (
    (pa.types.is_string_view, pa.large_string()),
    (pa.types.is_binary_view, pa.large_binary()),
    (pa.types.is_int8, pa.int32()),
    (pa.types.is_int16, pa.int32()),
    (pa.types.is_uint8, pa.int32()),
    (pa.types.is_uint16, pa.int32()),
    (pa.types.is_uint32, pa.int64()),
    (pa.types.is_uint64, pa.int64()),
    (pa.types.is_float16, pa.float32()),
    (pa.types.is_time, pa.time64("us")),
    (pa.types.is_date, pa.date32()),
)
"""What has a nearest type in Iceberg; the cast to it is checked value by value."""

_AS_THEY_ARE: tuple[_Test, ...] = (
    pa.types.is_boolean,
    pa.types.is_int32,
    pa.types.is_int64,
    pa.types.is_float32,
    pa.types.is_float64,
    pa.types.is_string,
    pa.types.is_large_string,
    pa.types.is_binary,
    pa.types.is_large_binary,
    pa.types.is_fixed_size_binary,
    pa.types.is_null,
)

_NESTED: tuple[_Test, ...] = (
    pa.types.is_struct,
    pa.types.is_map,
    pa.types.is_list,
    pa.types.is_large_list,
    pa.types.is_fixed_size_list,
)


class _UnstorableError(Exception):
    """A type that Iceberg has no place for: where it stands, and what would do instead."""

    def __init__(self, path: str, data_type: pa.DataType, fix: str) -> None:
        super().__init__(path, str(data_type), fix)
        self.path, self.data_type, self.fix = path, data_type, fix


def read_batches(data: object, *, table: str) -> pa.RecordBatchReader:
    """The rows of *data* as a stream; nothing is copied or computed before it is read.

    A pandas index becomes columns where its levels have names, and is dropped where not.

    Raises:
        CatalogError: *data* is no table.
    """
    if isinstance(data, pa.RecordBatchReader):
        return data
    if _is_from("polars", "DataFrame", data) or _is_from("polars", "LazyFrame", data):
        return _read_polars(data)
    if _is_from("pandas", "DataFrame", data):
        return _read_pandas(data)
    if _is_from("pyarrow.dataset", "Dataset", data):
        return data.scanner().to_reader()  # type: ignore[attr-defined]  # a Dataset, as was just checked
    if hasattr(data, "__arrow_c_stream__"):
        return _read_stream(data, table=table)
    raise CatalogError(_no_table(data, table))


def storable_schema(schema: pa.Schema, *, table: str) -> pa.Schema:
    """The columns of *schema* in types that Iceberg holds, each of them nullable.

    Columns of type null keep it: which type they get depends on the table they are written to.

    Raises:
        CatalogError: There is no column, two have one name, or Iceberg has no type for one; all such columns at once.
    """
    collector = ProblemCollector(_name_problems(schema.names, table=table))
    fields = []
    for field in schema:
        try:
            fields.append(pa.field(field.name, _storable(field.type, field.name)))
        except _UnstorableError as unstorable:
            collector.add(_unstorable_problem(unstorable, table=table))
    collector.raise_if_any(CatalogError)
    return pa.schema(fields)


def convert(rows: pa.Table, schema: pa.Schema, *, table: str) -> pa.Table:
    """*rows* in the types of *schema*, column by column in the same order.

    Raises:
        CatalogError: A value would change; all such columns at once.
    """
    collector = ProblemCollector()
    columns: list[pa.ChunkedArray] = []
    for field, column in zip(schema, rows.columns, strict=True):
        with collector.collecting():
            columns.append(_convert_column(column, field, table=table))
    collector.raise_if_any(CatalogError)
    return pa.Table.from_arrays(columns, schema=schema)


def _is_from(module: str, name: str, data: object) -> bool:
    """Whether *data* is of that class; a module that was never imported made none, and stays unimported."""
    loaded = sys.modules.get(module)
    return loaded is not None and isinstance(data, getattr(loaded, name, ()))


def _read_polars(data: object) -> pa.RecordBatchReader:
    """Slice by slice: polars' own text type is not Arrow's, so every slice is a copy."""
    polars = sys.modules["polars"]
    oldest = polars.CompatLevel.oldest()
    if isinstance(data, polars.LazyFrame):
        frames = data.collect_batches(chunk_size=_ROWS_PER_FRAME, maintain_order=True)
        schema = data.collect_schema().to_frame().to_arrow(compat_level=oldest).schema
    else:
        frames = data.iter_slices(_ROWS_PER_FRAME)  # type: ignore[attr-defined]  # a DataFrame, by the caller's check
        schema = data.head(0).to_arrow(compat_level=oldest).schema  # type: ignore[attr-defined]  # as above
    tables = (frame.to_arrow(compat_level=oldest).cast(schema) for frame in frames)
    return pa.RecordBatchReader.from_batches(schema, _batches_of(tables))


def _batches_of(tables: Iterable[pa.Table]) -> Iterator[pa.RecordBatch]:
    for table in tables:
        yield from table.to_batches()


def _read_pandas(data: object) -> pa.RecordBatchReader:
    named = [name for name in data.index.names if name is not None]  # type: ignore[attr-defined]  # a pandas frame
    frame = data.reset_index(level=named) if named else data  # type: ignore[attr-defined]  # as above
    return pa.Table.from_pandas(frame, preserve_index=False).replace_schema_metadata().to_reader()


def _read_stream(data: object, *, table: str) -> pa.RecordBatchReader:
    try:
        return pa.RecordBatchReader.from_stream(data)
    except pa.ArrowInvalid as error:
        raise CatalogError(_no_table(data, table)) from error


def _no_table(data: object, table: str) -> Problem:
    rows = isinstance(data, list | tuple)
    return Problem(
        code="FLOE-403",
        what=f"what was to be written to '{table}' is a {type(data).__name__}, which is no table",
        why=f"a table is written from {_SUPPORTED}",
        fix="make one of it with pyarrow.Table.from_pylist(rows)" if rows else "",
    )


def _name_problems(names: list[str], *, table: str) -> Iterator[Problem]:
    if not names:
        yield Problem(
            code="FLOE-403",
            what=f"what was to be written to '{table}' has no columns",
            why="a table has at least one column; one without rows still has its columns and their types",
        )
    seen: dict[str, str] = {}
    for name in names:
        if not name:
            yield Problem(
                code="FLOE-403",
                what=f"a column of what was to be written to '{table}' has no name",
                why="every column is known by its name",
                fix="rename it",
            )
        if name.lower() in seen:
            yield _same_name(seen[name.lower()], name, table)
        seen.setdefault(name.lower(), name)


def _same_name(first: str, second: str, table: str) -> Problem:
    what = f"there are two columns '{first}'" if first == second else f"the columns '{first}' and '{second}' are one"
    return Problem(
        code="FLOE-403",
        what=f"{what} in what was to be written to '{table}'",
        why="dbt and most engines tell columns apart by their names, without regard to case",
        fix=f"rename one of them, for example to '{second}_2'",
    )


def _unstorable_problem(unstorable: _UnstorableError, *, table: str) -> Problem:
    return Problem(
        code="FLOE-404",
        what=f"column '{unstorable.path}' of '{table}' is a {unstorable.data_type}, which Iceberg cannot hold",
        why="Iceberg holds booleans, integers up to 64 bits, floats, decimals up to 38 digits, dates, times, "
        "timestamps, text, binary, and lists, maps and structs of these",
        fix=unstorable.fix,
    )


def _storable(data_type: pa.DataType, path: str) -> pa.DataType:
    """The type in Iceberg's terms that holds every value of *data_type*, or all but values that a cast will find."""
    for is_one, target in _SCALARS:
        if is_one(data_type):
            return target
    if any(is_one(data_type) for is_one in _AS_THEY_ARE) or isinstance(data_type, pa.UuidType):
        return data_type
    if pa.types.is_timestamp(data_type):
        return pa.timestamp("us", None if data_type.tz is None else "UTC")
    if pa.types.is_decimal(data_type):
        return _storable_decimal(data_type, path)
    return _storable_nested(data_type, path)


def _storable_decimal(data_type: pa.DataType, path: str) -> pa.DataType:
    if data_type.scale > _MAX_PRECISION or data_type.scale < 0:
        raise _UnstorableError(path, data_type, f"cast it to decimal128({_MAX_PRECISION}, 0), or to float64")
    return pa.decimal128(min(data_type.precision, _MAX_PRECISION), data_type.scale)


def _storable_nested(data_type: pa.DataType, path: str) -> pa.DataType:
    if pa.types.is_dictionary(data_type) or pa.types.is_run_end_encoded(data_type):
        return _storable(data_type.value_type, path)
    if isinstance(data_type, pa.BaseExtensionType):
        return _storable(data_type.storage_type, path)
    if not any(is_one(data_type) for is_one in _NESTED) or not data_type.num_fields:
        raise _UnstorableError(path, data_type, _instead_of(data_type))
    if pa.types.is_struct(data_type) and len({field.name.lower() for field in data_type}) < data_type.num_fields:
        raise _UnstorableError(path, data_type, "give each of its fields a name of its own")
    return rebuild(data_type, lambda part, name: _storable(part, f"{path}.{name}"))


def _instead_of(data_type: pa.DataType) -> str:
    if pa.types.is_duration(data_type):
        return "write it as a number of seconds or microseconds"
    if pa.types.is_interval(data_type):
        return "write it as a number of days or seconds"
    if pa.types.is_struct(data_type):
        return "leave the column out, or write it as text"
    return "cast it to one of these, or to text"


def _convert_column(column: pa.ChunkedArray, field: pa.Field, *, table: str) -> pa.ChunkedArray:
    if not field.nullable and column.null_count:
        raise CatalogError(
            Problem(
                code="FLOE-405",
                what=f"column '{field.name}' is null in {column.null_count} rows to be written to '{table}'",
                why=f"the table says that every row has a '{field.name}'",
                fix="fill it in, or leave these rows out",
            )
        )
    if column.type == field.type:
        return column
    try:
        return _decoded(column).cast(field.type)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
        raise CatalogError(_changed_value(field, column.type, str(error), table)) from error


def _decoded(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """The values themselves, where Arrow has no cast that does it on the way."""
    if isinstance(column.type, pa.BaseExtensionType):
        return pa.chunked_array([chunk.storage for chunk in column.chunks], column.type.storage_type)
    if pa.types.is_run_end_encoded(column.type):
        chunks = [pc.run_end_decode(chunk) for chunk in column.chunks]
        return pa.chunked_array(chunks, column.type.value_type)
    if pa.types.is_dictionary(column.type) and pa.types.is_string_view(column.type.value_type):
        chunks = [
            pa.DictionaryArray.from_arrays(chunk.indices, chunk.dictionary.cast(pa.large_string()))
            for chunk in column.chunks
        ]
        return pa.chunked_array(chunks, pa.dictionary(column.type.index_type, pa.large_string()))
    return column


def _changed_value(field: pa.Field, given: pa.DataType, reason: str, table: str) -> Problem:
    if pa.types.is_timestamp(given) or pa.types.is_time(given):
        what, fix = "holds nanoseconds", "round it to microseconds, for example with .dt.floor('us') in pandas"
    elif pa.types.is_unsigned_integer(given):
        what, fix = f"holds a number above {2**63 - 1}", "write it as decimal128(20, 0) or as text"
    else:
        what, fix = f"holds a value that type {field.type} cannot hold", f"cast it to {field.type} on purpose"
    return Problem(
        code="FLOE-404",
        what=f"column '{field.name}' of '{table}' {what}",
        why=f"it is given as {given} and stored as {field.type}, and no value may change on the way",
        fix=fix,
        detail=reason,
    )
