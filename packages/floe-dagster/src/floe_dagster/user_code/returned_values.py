"""What an asset's function returns, as Dagster's result: metadata, or a table written through the catalog."""

from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol, TypeAlias, cast

import dagster as dg

from floe_core.errors import CatalogError, Problem, render_problem
from floe_dagster.lakehouse.tables import Partition
from floe_dagster.user_code.function_source import FunctionSource
from floe_dagster.user_code.metadata_values import PARTITION_ROW_COUNT, RANGE_ROW_COUNT, ROW_COUNT, build_metadata
from floe_dagster.user_code.run_partition import resolve_run_partition

_Result: TypeAlias = "dg.MaterializeResult[Any]"

_EVENTS = (
    dg.AssetMaterialization,
    dg.AssetObservation,
    dg.AssetCheckResult,
    dg.AssetCheckEvaluation,
    dg.ExpectationResult,
    dg.ObserveResult,
)
_MAY_RETURN = (
    "an asset returns nothing, a dict (metadata), a MaterializeResult, or rows (Arrow, Polars, pandas, DuckDB)"
)


class WrittenTable(Protocol):
    """What is known of a table after a write."""

    snapshot_id: int
    table: str
    rows: int


class TableWriter(Protocol):
    """The part of the `catalog` resource that is used here."""

    def write_table(self, name: str, data: object, /, *, partition: Partition | None = None) -> WrittenTable:
        """Replace the rows of the table *name*, or of one partition of it."""


@dataclass(frozen=True, slots=True)
class ReturnedValues:
    """Turns the values of one asset's function into results, in the run that *context* tells of."""

    source: FunctionSource
    outputs: tuple[str, ...]
    context: dg.AssetExecutionContext

    @classmethod
    def of_run(cls, source: FunctionSource, outputs: tuple[str, ...]) -> "ReturnedValues":
        """For the asset of a function with these output tables that is being computed at the moment."""
        return cls(source=source, outputs=outputs, context=dg.AssetExecutionContext.get())

    def to_result(self, value: object) -> object:
        """What Dagster gets for *value*: a MaterializeResult, or an event of Dagster's own as it is.

        Raises:
            dagster.Failure: *value* is nothing that an asset may return. It is not retried.
        """
        match value:
            case None:
                return dg.MaterializeResult()
            case dg.MaterializeResult():
                return self._from_result(value)
            case dg.Output():
                return self._from_output(value)
            case Mapping():
                return dg.MaterializeResult(metadata=build_metadata(value))
            case tuple() if _are_events(value):
                return tuple(self.to_result(item) for item in value)
            case _:
                return self._from_other(value)

    def to_results(self, values: Generator[object, None, object]) -> Iterator[object]:
        """The results of a generator function: what it yields, and a value that it returns at its end."""
        returned: list[object] = []

        def yielded() -> Iterator[object]:
            returned.append((yield from values))  # closes the user's generator with this one

        for value in yielded():
            yield self.to_result(value)
        if returned[0] is not None:
            yield self.to_result(returned[0])

    def _from_result(self, result: _Result) -> _Result:
        metadata = build_metadata(result.metadata or {})
        if is_frame(result.value):
            written = self._write(result.value)
            return dg.MaterializeResult(
                asset_key=result.asset_key,
                metadata={**written, **metadata},
                check_results=result.check_results,
                data_version=result.data_version,
                tags=result.tags,
            )
        return result._replace(metadata=metadata) if metadata else result

    def _from_other(self, value: object) -> object:
        if isinstance(value, _EVENTS):
            return value
        if is_frame(value):
            return dg.MaterializeResult(metadata=self._write(value))
        if _is_written_table(value):
            return dg.MaterializeResult(metadata=_metadata_of(cast("WrittenTable", value)))
        raise self._failure(f"returns {_a(value)}, which is no result", why=_MAY_RETURN, fix=_as_result(value))

    def _from_output(self, output: "dg.Output[Any]") -> _Result:
        result = self.to_result(output.value)
        if not isinstance(result, dg.MaterializeResult):
            fix = "return the event itself, without an Output around it"
            raise self._failure(f"returns an Output of {_a(output.value)}", why=_MAY_RETURN, fix=fix)
        return dg.MaterializeResult(
            metadata={**(result.metadata or {}), **build_metadata(output.metadata)},
            data_version=output.data_version,
            tags=output.tags,
        )

    def _write(self, frame: object) -> Mapping[str, dg.MetadataValue[Any]]:
        problem = check_output_table(type(frame), self.outputs)
        partition = resolve_run_partition(self.context) if problem is None else problem
        if isinstance(partition, Problem):
            raise self._failure(partition.what, why=partition.why, fix=partition.fix, code=partition.code)
        columns = _columns_of(frame)
        catalog = cast("TableWriter", self.context.resources.catalog)
        try:
            if partition is None:
                return _metadata_of(catalog.write_table(self.outputs[0], frame), columns=columns)
            written = catalog.write_table(self.outputs[0], frame, partition=partition)
        except CatalogError as error:
            location = self.source.location  # the call is floe's own, so no line of the user's led here
            raise CatalogError(
                *(replace(problem, location=problem.location or location) for problem in error.problems)
            ) from error
        key_range = self.context.partition_key_range
        is_one = key_range.start == key_range.end  # of several, each gets an event, with the rows of all
        return _metadata_of(written, columns=columns, count=PARTITION_ROW_COUNT if is_one else RANGE_ROW_COUNT)

    def _failure(self, what: str, *, why: str, fix: str, code: str = "FLOE-410") -> dg.Failure:
        name = self.context.asset_key.to_user_string()
        problem = Problem(code, f"asset '{name}' {what}", self.source.location, why, fix)
        return dg.Failure(description=render_problem(problem), allow_retries=False)


def is_frame(value: object) -> bool:
    """Whether *value* holds rows that the catalog can write; the libraries are not imported for the look."""
    return is_frame_type(type(value))


def is_frame_type(kind: type) -> bool:
    """Whether values of *kind* do."""
    return _reader_of_columns(kind) is not None


def check_output_table(kind: type, outputs: Sequence[str]) -> Problem | None:
    """What is wrong with *outputs* for an asset that returns rows of *kind*, if anything.

    The problem has no location, and its `what` completes "asset 'x' ...".
    """
    if len(outputs) == 1:
        return None
    why = "the rows that an asset returns are written to the one table in its 'outputs'"
    if not outputs:
        what = f"returns {_a_value_of(kind)} but names no output table"
        return Problem("FLOE-410", what, why=why, fix="name it: @floe_asset(outputs=['schema.table'])")
    return Problem(
        "FLOE-410",
        f"returns {_a_value_of(kind)} but names {len(outputs)} output tables ({', '.join(outputs)})",
        why=why,
        fix="write each with the 'catalog' resource, catalog.write_table(name, rows), and return a dict",
    )


def _columns_of(frame: object) -> Sequence[tuple[str, str]]:
    read = _reader_of_columns(type(frame))
    return [] if read is None else [(str(name), str(kind)) for name, kind in read(frame)]


def _reader_of_columns(kind: type) -> "Callable[[Any], Iterable[tuple[object, object]]] | None":
    for cls in kind.__mro__:
        reader = _FRAMES.get(f"{cls.__module__.partition('.')[0].removeprefix('_')}.{cls.__name__}")
        if reader is not None:
            return reader
    return None


def _arrow_columns(data: Any) -> Iterable[tuple[object, object]]:
    return [(field.name, field.type) for field in data.schema]


def _polars_columns(data: Any) -> Iterable[tuple[object, object]]:
    return cast("Iterable[tuple[object, object]]", data.collect_schema().items())


def _pandas_columns(data: Any) -> Iterable[tuple[object, object]]:
    return cast("Iterable[tuple[object, object]]", data.dtypes.items())


def _duckdb_columns(data: Any) -> Iterable[tuple[object, object]]:
    return zip(data.columns, data.types, strict=True)


_FRAMES: Mapping[str, Callable[[Any], Iterable[tuple[object, object]]]] = {
    "pyarrow.Table": _arrow_columns,
    "pyarrow.RecordBatch": _arrow_columns,
    "pyarrow.RecordBatchReader": _arrow_columns,
    "polars.DataFrame": _polars_columns,
    "polars.LazyFrame": _polars_columns,
    "pandas.DataFrame": _pandas_columns,
    "duckdb.DuckDBPyRelation": _duckdb_columns,
}


def _metadata_of(
    written: WrittenTable, *, columns: Sequence[tuple[str, str]] = (), count: str = ROW_COUNT
) -> dict[str, dg.MetadataValue[Any]]:
    metadata: dict[str, dg.MetadataValue[Any]] = {
        count: dg.MetadataValue.int(written.rows),
        "dagster/table_name": dg.MetadataValue.text(written.table),
        "snapshot_id": dg.MetadataValue.int(written.snapshot_id),
    }
    location = getattr(written, "location", None)  # a catalog of the user's own need not know it
    if isinstance(location, str):
        metadata["dagster/uri"] = dg.MetadataValue.text(location)
    if columns:
        schema = dg.TableSchema(columns=[dg.TableColumn(name=name, type=kind) for name, kind in columns])
        metadata["dagster/column_schema"] = dg.MetadataValue.table_schema(schema)
    return metadata


def _are_events(values: tuple[object, ...]) -> bool:
    return bool(values) and all(isinstance(value, (dg.MaterializeResult, *_EVENTS)) for value in values)


def _is_written_table(value: object) -> bool:
    """Whether *value* is what `write_table` returns; a function may pass it on."""
    return all(hasattr(value, name) for name in ("snapshot_id", "table", "rows"))


def _as_result(value: object) -> str:
    """How to return what *value* was meant to be."""
    match value:
        case str() | int() | float():
            return "return it in a dict, as metadata: {'name': value}"
        case [Mapping(), *_]:
            return "make rows of it: pyarrow.Table.from_pylist(rows)"
        case _ if hasattr(value, "to_frame"):
            return "return it as a frame: value.to_frame()"
        case _ if hasattr(value, "__arrow_c_stream__"):
            return "make an Arrow table of it: pyarrow.table(value)"
        case _:
            return "return a dict of what is worth showing, or nothing"


def _a(value: object) -> str:
    return _a_value_of(type(value))


def _a_value_of(kind: type) -> str:
    module = kind.__module__.partition(".")[0].removeprefix("_")
    return f"a value of type {module}.{kind.__qualname__}".replace("builtins.", "")
