import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any, ClassVar
from uuid import UUID

import duckdb
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import given
from hypothesis import strategies as st
from inline_snapshot import snapshot

from floe_core.errors import CatalogError
from floe_dagster.lakehouse.arrow_types import convert, read_batches, storable_schema
from floe_dagster.lakehouse.schema_evolution import fit_columns, fit_new_table

NANOSECONDS = 1_704_067_200_000_001_000


def stored(data: object) -> pa.Table:
    """*data* as it would be written to a new table."""
    reader = read_batches(data, table="bronze.t")
    schema = fit_new_table(storable_schema(reader.schema, table="bronze.t")).schema
    return convert(reader.read_all(), schema, table="bronze.t")


class TestTypes:
    @pytest.mark.parametrize(
        ("given", "expected", "value"),
        [
            (pa.array([True]), pa.bool_(), True),
            (pa.array([-128], pa.int8()), pa.int32(), -128),
            (pa.array([-32768], pa.int16()), pa.int32(), -32768),
            (pa.array([1], pa.int32()), pa.int32(), 1),
            (pa.array([255], pa.uint8()), pa.int32(), 255),
            (pa.array([65535], pa.uint16()), pa.int32(), 65535),
            (pa.array([2**32 - 1], pa.uint32()), pa.int64(), 2**32 - 1),
            (pa.array([2**63 - 1], pa.uint64()), pa.int64(), 2**63 - 1),
            (pa.array([1.5], pa.float16()), pa.float32(), 1.5),
            (pa.array([1.5], pa.float32()), pa.float32(), 1.5),
            (pa.array([Decimal("1.50")], pa.decimal32(5, 2)), pa.decimal128(5, 2), Decimal("1.50")),
            (pa.array([Decimal("1.50")], pa.decimal256(60, 2)), pa.decimal128(38, 2), Decimal("1.50")),
            (pa.array(["a"]), pa.string(), "a"),
            (pa.array(["a"], pa.large_string()), pa.large_string(), "a"),
            (pa.array(["a"], pa.string_view()), pa.large_string(), "a"),
            (pa.array([b"a"], pa.binary_view()), pa.large_binary(), b"a"),
            (pa.array([b"ab"], pa.binary(2)), pa.binary(2), b"ab"),
            (pa.array([None]), pa.string(), None),
            (pa.array([date(2024, 2, 29)], pa.date64()), pa.date32(), date(2024, 2, 29)),
            (pa.array([time(1, 2, 3)], pa.time32("s")), pa.time64("us"), time(1, 2, 3)),
            (pa.array([time(1, 2, 3, 4)], pa.time64("ns")), pa.time64("us"), time(1, 2, 3, 4)),
            (pa.array([NANOSECONDS], pa.timestamp("ns")), pa.timestamp("us"), datetime(2024, 1, 1, 0, 0, 0, 1)),
            (pa.array([1], pa.timestamp("s")), pa.timestamp("us"), datetime(1970, 1, 1, 0, 0, 1)),
            (
                pa.array([0], pa.timestamp("ms", "Europe/Berlin")),
                pa.timestamp("us", "UTC"),
                datetime(1970, 1, 1, tzinfo=UTC),
            ),
            (pa.array(["a", "a"]).dictionary_encode(), pa.string(), "a"),
            (
                pa.DictionaryArray.from_arrays(pa.array([0], pa.uint32()), pa.array(["a"], pa.string_view())),
                pa.large_string(),
                "a",
            ),
            (pc.run_end_encode(pa.array([7, 7])), pa.int64(), 7),
            (pa.ExtensionArray.from_storage(pa.json_(), pa.array(["{}"])), pa.string(), "{}"),
            (pa.array([UUID(int=1).bytes], pa.uuid()), pa.uuid(), UUID(int=1)),
            (pa.array([[1, 2]], pa.list_(pa.uint64(), 2)), pa.list_(pa.int64()), [1, 2]),
            (pa.array([[None]]), pa.list_(pa.string()), [None]),
            (
                pa.array([{"a": [{"b": 1}]}], pa.struct([("a", pa.list_(pa.struct([("b", pa.uint8())])))])),
                pa.struct([("a", pa.list_(pa.struct([("b", pa.int32())])))]),
                {"a": [{"b": 1}]},
            ),
            (
                pa.array([[("k", NANOSECONDS)]], pa.map_(pa.string(), pa.timestamp("ns"))),
                pa.map_(pa.string(), pa.timestamp("us")),
                [("k", datetime(2024, 1, 1, 0, 0, 0, 1))],
            ),
        ],
        ids=lambda value: str(value.type) if isinstance(value, pa.Array) else "",
    )
    def test_a_type_that_iceberg_lacks_becomes_the_nearest_without_a_change_of_value(
        self, given: pa.Array, expected: pa.DataType, value: object
    ) -> None:
        column = stored(pa.table({"c": given})).column("c")

        assert column.type == expected
        assert column.to_pylist()[0] == value

    @given(st.lists(st.integers(0, 2**64 - 1), min_size=1))
    def test_unsigned_integers_are_stored_as_they_are_or_refused(self, values: list[int]) -> None:
        table = pa.table({"c": pa.array(values, pa.uint64())})

        if max(values) < 2**63:
            assert stored(table).column("c").to_pylist() == values
        else:
            with pytest.raises(CatalogError):
                stored(table)

    def test_types_that_iceberg_has_no_place_for_are_all_named(self) -> None:
        schema = pa.schema(
            [
                ("id", pa.int64()),
                ("took", pa.duration("us")),
                ("in", pa.list_(pa.struct([("i", pa.month_day_nano_interval())]))),
                ("nothing", pa.struct([])),
                ("either", pa.dense_union([pa.field("a", pa.int8())])),
                ("tiny", pa.decimal256(50, 45)),
            ]
        )

        with pytest.raises(CatalogError) as caught:
            storable_schema(schema, table="bronze.events")

        assert [(problem.what, problem.fix) for problem in caught.value.problems] == snapshot(
            [
                (
                    "column 'took' of 'bronze.events' is a duration[us], which Iceberg cannot hold",
                    "write it as a number of seconds or microseconds",
                ),
                (
                    "column 'in.element.i' of 'bronze.events' is a month_day_nano_interval, which Iceberg cannot hold",
                    "write it as a number of days or seconds",
                ),
                (
                    "column 'nothing' of 'bronze.events' is a struct<>, which Iceberg cannot hold",
                    "leave the column out, or write it as text",
                ),
                (
                    "column 'either' of 'bronze.events' is a dense_union<a: int8=0>, which Iceberg cannot hold",
                    "cast it to one of these, or to text",
                ),
                (
                    "column 'tiny' of 'bronze.events' is a decimal256(50, 45), which Iceberg cannot hold",
                    "cast it to decimal128(38, 0), or to float64",
                ),
            ]
        )

    @pytest.mark.parametrize(
        ("given", "text"),
        [
            (
                pa.array([2**63], pa.uint64()),
                snapshot("""\
error[FLOE-404]: column 'c' of 'bronze.t' holds a number above 9223372036854775807
      Integer value 9223372036854775808 not in range: 0 to 9223372036854775807
  why: it is given as uint64 and stored as int64, and no value may change on the way
  fix: write it as decimal128(20, 0) or as text\
"""),
            ),
            (
                pa.array([1], pa.timestamp("ns")),
                snapshot("""\
error[FLOE-404]: column 'c' of 'bronze.t' holds nanoseconds
      Casting from timestamp[ns] to timestamp[us] would lose data: 1
  why: it is given as timestamp[ns] and stored as timestamp[us], and no value may change on the way
  fix: round it to microseconds, for example with .dt.floor('us') in pandas\
"""),
            ),
            (
                pa.array([Decimal(10) ** 40], pa.decimal256(41, 0)),
                snapshot("""\
error[FLOE-404]: column 'c' of 'bronze.t' holds a value that type decimal128(38, 0) cannot hold
      Decimal value does not fit in precision 38
  why: it is given as decimal256(41, 0) and stored as decimal128(38, 0), and no value may change on the way
  fix: cast it to decimal128(38, 0) on purpose\
"""),
            ),
        ],
        ids=["uint64", "nanosecond", "decimal"],
    )
    def test_a_value_that_would_change_is_refused_by_its_column(self, given: pa.Array, text: str) -> None:
        with pytest.raises(CatalogError) as caught:
            stored(pa.table({"id": [1], "c": given}))

        assert str(caught.value) == text


class TestNames:
    @pytest.mark.parametrize(
        ("names", "text"),
        [
            (
                [],
                snapshot("""\
error[FLOE-403]: what was to be written to 'bronze.t' has no columns
  why: a table has at least one column; one without rows still has its columns and their types\
"""),
            ),
            (
                ["id", "id"],
                snapshot("""\
error[FLOE-403]: there are two columns 'id' in what was to be written to 'bronze.t'
  why: dbt and most engines tell columns apart by their names, without regard to case
  fix: rename one of them, for example to 'id_2'\
"""),
            ),
            (
                ["id", "ID"],
                snapshot("""\
error[FLOE-403]: the columns 'id' and 'ID' are one in what was to be written to 'bronze.t'
  why: dbt and most engines tell columns apart by their names, without regard to case
  fix: rename one of them, for example to 'ID_2'\
"""),
            ),
            (
                ["id", ""],
                snapshot("""\
error[FLOE-403]: a column of what was to be written to 'bronze.t' has no name
  why: every column is known by its name
  fix: rename it\
"""),
            ),
        ],
        ids=["none", "twice", "case", "empty"],
    )
    def test_columns_need_names_of_their_own(self, names: list[str], text: str) -> None:
        with pytest.raises(CatalogError) as caught:
            stored(pa.Table.from_arrays([pa.array([1])] * len(names), names=names))

        assert str(caught.value) == text


class TestSources:
    ROWS: ClassVar = {"id": [1, 2], "name": ["a", None]}

    @pytest.mark.parametrize(
        "build",
        [
            pa.table,
            lambda rows: pa.table(rows).to_reader(),
            pa.record_batch,
            pl.DataFrame,
            pl.LazyFrame,
            pd.DataFrame,
            lambda rows: duckdb.from_arrow(pa.table(rows)),
        ],
        ids=["Table", "RecordBatchReader", "RecordBatch", "DataFrame", "LazyFrame", "pandas", "DuckDB"],
    )
    def test_every_kind_of_table_is_read(self, build: Callable[[Any], object]) -> None:
        assert stored(build(self.ROWS)).to_pydict() == self.ROWS

    def test_an_arrow_dataset_is_read(self) -> None:
        import pyarrow.dataset as ds

        assert stored(ds.dataset(pa.table(self.ROWS))).to_pydict() == self.ROWS

    def test_anything_with_arrows_stream_interface_is_read(self) -> None:
        class Frame:
            def __arrow_c_stream__(self, requested_schema: object = None) -> object:
                return pa.table(TestSources.ROWS).__arrow_c_stream__(requested_schema)

        assert stored(Frame()).to_pydict() == self.ROWS

    def test_a_named_index_becomes_a_column_and_an_unnamed_one_is_dropped(self) -> None:
        frame = pd.DataFrame({"id": [1, 1, 2], "amount": [1, 2, 3]})

        assert stored(frame.groupby("id").sum()).to_pydict() == {"id": [1, 2], "amount": [3, 3]}
        assert stored(frame[frame.amount > 1]).to_pydict() == {"id": [1, 2], "amount": [2, 3]}

    def test_missing_values_of_pandas_are_null(self) -> None:
        frame = pd.DataFrame({"a": [1.5, None], "b": pd.array([1, None], dtype="Int64"), "c": ["x", None]})

        assert stored(frame).to_pylist()[1] == {"a": None, "b": None, "c": None}

    def test_types_of_polars_are_read(self) -> None:
        frame = pl.DataFrame(
            {
                "category": pl.Series(["a"], dtype=pl.Categorical),
                "categories": pl.Series([["a"]], dtype=pl.List(pl.Categorical)),
                "choice": pl.Series(["a"], dtype=pl.Enum(["a"])),
                "price": pl.Series([Decimal("1.5")], dtype=pl.Decimal(10, 2)),
                "at": pl.Series([datetime(2024, 1, 1, tzinfo=UTC)], dtype=pl.Datetime("ms", "UTC")),
                "none": [None],
            }
        )

        assert stored(frame).to_pylist() == [
            {
                "category": "a",
                "categories": ["a"],
                "choice": "a",
                "price": Decimal("1.50"),
                "at": datetime(2024, 1, 1, tzinfo=UTC),
                "none": None,
            }
        ]

    def test_types_of_duckdb_are_read(self) -> None:
        rows = duckdb.sql(
            "select 1::hugeint as big, 'a'::enum('a') as choice, [1, 2] as list, {'x': 1} as struct,"
            " map {'k': 1} as map, timestamptz '2024-01-01 00:00:00+00' as at, date '2024-01-01' as day,"
            " '{}'::json as json"
        )

        assert stored(rows).to_pylist() == [
            {
                "big": Decimal(1),
                "choice": "a",
                "list": [1, 2],
                "struct": {"x": 1},
                "map": [("k", 1)],
                "at": datetime(2024, 1, 1, tzinfo=UTC),
                "day": date(2024, 1, 1),
                "json": "{}",
            }
        ]

    @pytest.mark.parametrize(
        "data",
        [None, 1, "rows", {"id": [1]}, pd.Series([1]), pl.Series([1]), pa.array([1]), pa.chunked_array([[1]])],
        ids=lambda data: type(data).__name__,
    )
    def test_what_is_no_table_is_refused(self, data: object) -> None:
        with pytest.raises(CatalogError) as caught:
            read_batches(data, table="bronze.t")

        (problem,) = caught.value.problems
        assert problem.code == "FLOE-403"
        assert type(data).__name__ in problem.what

    def test_rows_as_dicts_are_refused_with_what_makes_a_table_of_them(self) -> None:
        with pytest.raises(CatalogError) as caught:
            read_batches([{"id": 1}], table="bronze.t")

        assert str(caught.value) == snapshot("""\
error[FLOE-403]: what was to be written to 'bronze.t' is a list, which is no table
  why: a table is written from a pyarrow Table or RecordBatchReader, a polars or pandas frame, or a DuckDB relation
  fix: make one of it with pyarrow.Table.from_pylist(rows)\
""")

    def test_no_frame_library_is_imported_for_the_look(self) -> None:
        script = """
import sys
import pyarrow as pa
from floe_dagster.lakehouse.arrow_types import read_batches
read_batches(pa.RecordBatchReader.from_batches(pa.schema([("id", pa.int64())]), []), table="bronze.t")
print(sorted({"polars", "pandas", "duckdb", "pyiceberg", "dagster"} & sys.modules.keys()))
"""
        result = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)

        assert result.stdout.strip() == "[]"


def fitted(data: dict[str, pa.Array], current: pa.Schema, *, replaces_all: bool = False) -> pa.Table:
    """*data* as it would be written to a table with the columns *current*."""
    rows = pa.table(data)
    columns = fit_columns(
        storable_schema(rows.schema, table="bronze.t"), current, table="bronze.t", replaces_all=replaces_all
    )
    return convert(rows, columns.schema, table="bronze.t")


class TestEvolution:
    @pytest.mark.parametrize(
        ("current", "given", "expected"),
        [
            (pa.int32(), pa.array([1], pa.int64()), pa.int64()),
            (pa.float32(), pa.array([1.5]), pa.float64()),
            (pa.decimal128(5, 2), pa.array([Decimal("1.50")], pa.decimal128(9, 2)), pa.decimal128(9, 2)),
        ],
        ids=["int", "float", "decimal"],
    )
    def test_a_wider_type_widens_the_column(self, current: pa.DataType, given: pa.Array, expected: pa.DataType) -> None:
        assert fitted({"c": given}, pa.schema([("c", current)])).schema.field("c").type == expected

    @pytest.mark.parametrize(
        ("current", "given"),
        [
            (pa.int64(), pa.array([1], pa.int32())),
            (pa.int64(), pa.array([1.0, None])),
            (pa.float64(), pa.array([1])),
            (pa.float64(), pa.array([1.5], pa.float32())),
            (pa.decimal128(9, 4), pa.array([Decimal("1.50")], pa.decimal128(9, 2))),
            (pa.decimal128(38, 0), pa.array([1])),
            (pa.large_string(), pa.array([None])),
            (pa.struct([("a", pa.int64()), ("b", pa.string())]), pa.array([None])),
        ],
        ids=["int32", "whole numbers", "int64", "float32", "scale", "digits", "null", "null struct"],
    )
    def test_values_that_fit_take_the_type_of_the_column(self, current: pa.DataType, given: pa.Array) -> None:
        column = fitted({"c": given}, pa.schema([("c", current)])).column("c")

        assert column.type in (current, pa.string())
        assert column.to_pylist() == given.to_pylist()

    @pytest.mark.parametrize(
        ("current", "given"),
        [
            (pa.int64(), pa.array([1.5])),
            (pa.int64(), pa.array([float("nan")])),
            (pa.float64(), pa.array([2**53 + 1])),
            (pa.decimal128(5, 1), pa.array([Decimal("1.55")], pa.decimal128(5, 2))),
        ],
        ids=["fraction", "nan", "too large", "rounded"],
    )
    def test_values_that_would_change_are_refused(self, current: pa.DataType, given: pa.Array) -> None:
        with pytest.raises(CatalogError) as caught:
            fitted({"c": given}, pa.schema([("c", current)]))

        assert [problem.code for problem in caught.value.problems] == ["FLOE-404"]

    def test_columns_that_change_their_type_are_all_refused(self) -> None:
        current = pa.schema(
            [
                ("id", pa.int64()),
                ("day", pa.date32()),
                ("at", pa.timestamp("us")),
                ("item", pa.struct([("price", pa.float64())])),
                ("tags", pa.list_(pa.string())),
            ]
        )
        data = {
            "id": pa.array(["1"]),
            "day": pa.array(["2024-01-01"]),
            "at": pa.array([datetime(2024, 1, 1, tzinfo=UTC)]),
            "item": pa.array([{"price": "1"}]),
            "tags": pa.array(["a"]),
        }

        with pytest.raises(CatalogError) as caught:
            fitted(data, current)

        assert [(problem.code, problem.what) for problem in caught.value.problems] == snapshot(
            [
                ("FLOE-405", "column 'id' is given as string, but is int64 in 'bronze.t'"),
                ("FLOE-405", "column 'day' is given as string, but is date32[day] in 'bronze.t'"),
                ("FLOE-405", "column 'at' is given as timestamp[us, tz=UTC], but is timestamp[us] in 'bronze.t'"),
                ("FLOE-405", "column 'item.price' is given as string, but is double in 'bronze.t'"),
                ("FLOE-405", "column 'tags' is given as string, but is list<item: string> in 'bronze.t'"),
            ]
        )
        assert caught.value.problems[0].fix == snapshot("cast it to int64, or write it under a new name")

    def test_new_columns_and_new_fields_are_taken_over(self) -> None:
        schema = pa.schema([("id", pa.int64()), ("item", pa.struct([("a", pa.int64()), ("b", pa.null())]))])

        columns = fit_columns(
            storable_schema(schema.append(pa.field("note", pa.null())), table="bronze.t"),
            pa.schema([("item", pa.struct([("a", pa.int64())])), ("id", pa.int64())]),
            table="bronze.t",
            replaces_all=True,
        )

        assert (columns.added, columns.changed, columns.missing) == (("note",), ("item",), ())
        assert columns.schema.field("note").type == pa.string()
        assert columns.schema.field("item").type == pa.struct([("a", pa.int64()), ("b", pa.string())])

    def test_a_column_that_vanishes_from_a_whole_table_is_refused(self) -> None:
        current = pa.schema([("id", pa.int64()), ("email", pa.string())])

        with pytest.raises(CatalogError) as caught:
            fitted({"id": pa.array([1])}, current, replaces_all=True)

        assert str(caught.value) == snapshot("""\
error[FLOE-405]: column 'email' of 'bronze.t' would be gone: the data that overwrites the table lacks it
  why: its readers would find nulls from now on; a column is given up on purpose, not by its absence
  fix: add it to the data, or run catalog.load_table('bronze.t').update_schema().delete_column('email').commit()\
""")

    def test_a_column_without_data_in_some_rows_is_told(self) -> None:
        current = pa.schema([("id", pa.int64()), ("email", pa.string())])

        columns = fit_columns(pa.schema([("id", pa.int64())]), current, table="bronze.t", replaces_all=False)

        assert columns.missing == ("email",)

    def test_a_column_that_every_row_must_have_is_asked_for(self) -> None:
        current = pa.schema([pa.field("id", pa.int64(), nullable=False)])

        with pytest.raises(CatalogError) as absent:
            fitted({"other": pa.array([1])}, current)
        with pytest.raises(CatalogError) as empty:
            fitted({"id": pa.array([1, None])}, current)

        assert [absent.value.problems[0].what, empty.value.problems[0].what] == snapshot(
            [
                "column 'id' of 'bronze.t' must have a value in every row and has no data",
                "column 'id' is null in 1 rows to be written to 'bronze.t'",
            ]
        )
        assert fitted({"id": pa.array([1])}, current).schema.field("id").nullable is False

    def test_a_column_that_differs_in_case_is_refused(self) -> None:
        with pytest.raises(CatalogError) as caught:
            fitted({"Email": pa.array(["a"])}, pa.schema([("email", pa.string())]))

        assert str(caught.value) == snapshot("""\
error[FLOE-405]: column 'Email' is called 'email' in 'bronze.t'
  why: dbt and most engines tell columns apart by their names, without regard to case
  fix: rename it to 'email'\
""")

    @given(st.lists(st.integers(-(2**63), 2**63 - 1)))
    def test_integers_in_a_column_of_floats_keep_their_value_or_are_refused(self, values: list[int]) -> None:
        try:
            column = fitted({"c": pa.array(values, pa.int64())}, pa.schema([("c", pa.float64())])).column("c")
        except CatalogError:
            assert any(abs(value) > 2**53 for value in values)
        else:
            assert [int(value) for value in column.to_pylist()] == values

    def test_a_duration_stays_refused_beside_columns_that_fit(self) -> None:
        with pytest.raises(CatalogError, match="FLOE-404"):
            fitted({"id": pa.array([1]), "took": pa.array([timedelta(1)])}, pa.schema([("id", pa.int64())]))
