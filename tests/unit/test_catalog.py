import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import duckdb
import pyarrow as pa
import pytest
from inline_snapshot import snapshot
from pyiceberg.catalog.sql import SqlCatalog
from pyiceberg.expressions import GreaterThan
from pyiceberg.table import TableProperties

from floe_core.errors import CatalogError
from floe_dagster.lakehouse.catalog import Catalog
from floe_dagster.lakehouse.metadata_locations import read_metadata_locations
from floe_dagster.lakehouse.settings import LakehouseSettings
from floe_dagster.lakehouse.source_views import object_store_secret
from floe_dagster.lakehouse.tables import Partition, PartitionDimensions, PartitionKeys, PartitionWindow, TableName

BERLIN = ZoneInfo("Europe/Berlin")


@pytest.fixture
def catalog(tmp_path: Path) -> Iterator[Catalog]:
    catalog = Catalog(LakehouseSettings.embedded(tmp_path / ".floe"))
    yield catalog
    catalog.close()


@pytest.fixture(scope="module")
def orders(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Catalog]:
    catalog = Catalog(LakehouseSettings.embedded(tmp_path_factory.mktemp("orders")))
    rows = {"id": [1, 2, 3], "country": ["DE", "FR", None], "amount": [1.5, 10.0, 20.0], "at": days(1, 2, 3)}
    catalog.write_table("bronze.orders", pa.table(rows))
    yield catalog
    catalog.close()


@pytest.fixture(scope="module")
def dbt_project(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Catalog]:
    """A catalog with a table, beside a database as dbt leaves it."""
    folder = tmp_path_factory.mktemp("dbt")
    with duckdb.connect(folder / "floe.duckdb") as database:
        database.execute(
            """
            create schema main_silver; create schema main_gold; create schema gold;
            create table main_silver.stg_orders as
                select i as id, 'c' || i % 2 as customer, timestamptz '2024-01-01 00:00:00+00' as at from range(4) t(i);
            create view main_silver.stg_customers as select distinct customer from main_silver.stg_orders;
            create table main_silver.stg_orders__dbt_tmp as select 1 as id;
            create table main_gold.totals as select 1 as mine;
            create table gold.totals as select 2 as other;
            create table main.countries as select 'DE' as code, interval 1 day as delay, 'a'::enum('a') as kind
            """
        )
    catalog = Catalog(LakehouseSettings.embedded(folder))
    catalog.write_table("bronze.orders", pa.table({"id": [1]}))
    yield catalog
    catalog.close()


def error_of(action: Callable[[], object]) -> str:
    with pytest.raises(CatalogError) as caught:
        action()
    return str(caught.value)


def days(*numbers: int, tz: ZoneInfo | None = None) -> list[datetime]:
    return [datetime(2024, 1, number, tzinfo=tz) for number in numbers]


class TestWrite:
    def test_a_new_table_holds_what_was_written(self, catalog: Catalog, tmp_path: Path) -> None:
        before = datetime.now(UTC)

        written = catalog.write_table("bronze.customers", pa.table({"id": [1, 2], "name": ["a", None]}))

        assert catalog.read_table("bronze.customers").to_pydict() == {"id": [1, 2], "name": ["a", None]}
        assert written.table == "bronze.customers"
        assert written.rows == 2
        assert written.added_columns == ("id", "name")
        assert Path(written.location) == tmp_path / ".floe" / "warehouse" / "bronze" / "customers"
        assert before - timedelta(seconds=1) <= written.committed_at <= datetime.now(UTC)
        assert written.snapshot_id == catalog.load_table("bronze.customers").metadata.current_snapshot_id

    def test_overwriting_replaces_all_rows_in_one_snapshot(self, catalog: Catalog) -> None:
        first = catalog.write_table("bronze.t", pa.table({"id": [1, 2]}))
        second = catalog.write_table("bronze.t", pa.table({"id": [3]}))

        assert catalog.read_table("bronze.t").to_pydict() == {"id": [3]}
        assert catalog.read_table("bronze.t", snapshot_id=first.snapshot_id).to_pydict() == {"id": [1, 2]}
        history = [entry.snapshot_id for entry in catalog.load_table("bronze.t").history()]
        assert history == [first.snapshot_id, second.snapshot_id]

    def test_appending_keeps_the_rows(self, catalog: Catalog) -> None:
        catalog.write_table("bronze.t", pa.table({"id": [1]}), mode="append")
        catalog.write_table("bronze.t", pa.table({"id": [2]}), mode="append")

        assert sorted(catalog.read_table("bronze.t").column("id").to_pylist()) == [1, 2]

    def test_columns_of_several_values_are_read_as_they_were_written(self, catalog: Catalog) -> None:
        mapped = pa.array([[("k", 1)]], pa.map_(pa.string(), pa.int64()))
        catalog.write_table("bronze.t", pa.table({"struct": [{"a": 1}], "list": [[1, None]], "map": mapped}))

        assert catalog.read_table("bronze.t").to_pylist() == [
            {"struct": {"a": 1}, "list": [1, None], "map": [("k", 1)]}
        ]
        assert catalog.read_table("bronze.t", columns=["list"]).to_pylist() == [{"list": [1, None]}]

    def test_a_table_without_rows_keeps_its_columns(self, catalog: Catalog) -> None:
        empty = pa.schema([("id", pa.int64()), ("name", pa.string())]).empty_table()

        catalog.write_table("bronze.new", empty)
        catalog.write_table("bronze.t", pa.table({"id": [1], "name": ["a"]}))
        written = catalog.write_table("bronze.t", empty)

        assert written.rows == 0
        assert catalog.read_table("bronze.t").to_pydict() == {"id": [], "name": []}
        assert catalog.read_table("bronze.new").to_pydict() == {"id": [], "name": []}

    def test_a_namespace_may_have_several_parts(self, catalog: Catalog) -> None:
        catalog.write_table("shop.raw.orders", pa.table({"id": [1]}))
        catalog.write_table("shop.orders", pa.table({"id": [2]}))

        assert catalog.list_tables() == ["shop.orders", "shop.raw.orders"]
        assert catalog.read_table("shop.raw.orders").to_pydict() == {"id": [1]}

    def test_columns_that_come_later_are_added_and_widened(self, catalog: Catalog) -> None:
        catalog.write_table("bronze.t", pa.table({"id": pa.array([1], pa.int32())}))

        written = catalog.write_table("bronze.t", pa.table({"note": ["x"], "id": [2**40]}), mode="append")

        assert written.added_columns == ("note",)
        rows = catalog.read_table("bronze.t").sort_by("id")
        assert rows.to_pydict() == {"id": [1, 2**40], "note": [None, "x"]}

    def test_appended_rows_may_lack_columns_and_say_so(self, catalog: Catalog) -> None:
        catalog.write_table("bronze.t", pa.table({"id": [1], "note": ["x"]}))

        written = catalog.write_table("bronze.t", pa.table({"id": [2]}), mode="append")

        assert written.missing_columns == ("note",)
        assert catalog.read_table("bronze.t").sort_by("id").to_pydict() == {"id": [1, 2], "note": ["x", None]}

    def test_a_column_is_given_up_as_the_error_says(self, catalog: Catalog) -> None:
        catalog.write_table("bronze.t", pa.table({"id": [1], "email": ["x"]}))
        advice = error_of(lambda: catalog.write_table("bronze.t", pa.table({"id": [2]})))

        catalog.load_table("bronze.t").update_schema().delete_column("email").commit()
        catalog.write_table("bronze.t", pa.table({"id": [2]}))

        assert "run catalog.load_table('bronze.t').update_schema().delete_column('email').commit()" in advice
        assert catalog.read_table("bronze.t").to_pydict() == {"id": [2]}

    def test_a_commit_whose_answer_is_lost_keeps_its_files(
        self, catalog: Catalog, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        commit = SqlCatalog.commit_table

        def commit_and_lose_the_answer(self: SqlCatalog, *args: Any) -> Any:
            commit(self, *args)
            raise ConnectionError("no answer")

        catalog.write_table("bronze.t", pa.table({"id": [1]}))
        with monkeypatch.context() as patched:
            patched.setattr(SqlCatalog, "commit_table", commit_and_lose_the_answer)
            assert "no answer" in error_of(lambda: catalog.write_table("bronze.t", pa.table({"id": [2]})))

        assert catalog.read_table("bronze.t").to_pydict() == {"id": [2]}

    def test_nothing_remains_of_a_write_that_fails_midway(self, catalog: Catalog, tmp_path: Path) -> None:
        schema = pa.schema([("id", pa.uint64())])
        batches = (pa.record_batch({"id": pa.array([value], pa.uint64())}) for value in (1, 2**63))
        catalog.write_table("bronze.t", pa.table({"id": [7]}))
        files = sorted(path.name for path in tmp_path.rglob("*.parquet"))

        advice = error_of(lambda: catalog.write_table("bronze.t", pa.RecordBatchReader.from_batches(schema, batches)))
        new = error_of(lambda: catalog.write_table("bronze.new", pa.table({"id": pa.array([2**63], pa.uint64())})))

        assert "FLOE-404" in advice
        assert "FLOE-404" in new
        assert catalog.list_tables() == ["bronze.t"]
        assert catalog.read_table("bronze.t").to_pydict() == {"id": [7]}
        assert sorted(path.name for path in tmp_path.rglob("*.parquet")) == files

    def test_the_users_own_error_in_a_stream_is_shown_as_it_is(self, catalog: Catalog, tmp_path: Path) -> None:
        def rows() -> Iterator[pa.RecordBatch]:
            yield pa.record_batch({"id": [1]})
            raise ZeroDivisionError("mine")

        with pytest.raises(ZeroDivisionError, match="mine"):
            catalog.write_table("bronze.t", pa.RecordBatchReader.from_batches(pa.schema([("id", pa.int64())]), rows()))

        assert not catalog.table_exists("bronze.t")
        assert not list(tmp_path.rglob("*.parquet"))

    def test_large_data_goes_into_several_files(self, catalog: Catalog) -> None:
        catalog.write_table("bronze.t", pa.table({"id": [0]}))
        with catalog.load_table("bronze.t").transaction() as transaction:
            transaction.set_properties({TableProperties.WRITE_TARGET_FILE_SIZE_BYTES: "8000"})

        catalog.write_table("bronze.t", pa.table({"id": range(5000)}))

        table = catalog.load_table("bronze.t")
        assert [task.file.record_count for task in table.scan().plan_files()] == [1000] * 5
        assert sorted(catalog.read_table("bronze.t").column("id").to_pylist()) == list(range(5000))

    def test_the_history_of_metadata_is_limited(self, catalog: Catalog) -> None:
        catalog.write_table("bronze.t", pa.table({"id": [0]}))

        properties = catalog.load_table("bronze.t").properties
        assert properties["write.metadata.delete-after-commit.enabled"] == "true"
        assert properties["write.metadata.previous-versions-max"] == "100"

    def test_odd_columns_are_read_back(self, catalog: Catalog) -> None:
        rows = {"a.b": [1], "c d": [2], "ünï": [3], "1st": [4], "group": [5]}

        catalog.write_table("bronze.t", pa.table(rows))

        assert catalog.read_table("bronze.t").to_pydict() == rows


class TestPartition:
    def test_exactly_the_rows_of_the_window_are_replaced(self, catalog: Catalog) -> None:
        catalog.write_table("bronze.t", pa.table({"at": days(1, 2, 3), "v": [1, 2, 3]}))

        written = catalog.write_table(
            "bronze.t", pa.table({"at": days(2, 2), "v": [20, 21]}), partition=PartitionWindow("at", *days(2, 3))
        )

        assert written.rows == 2
        assert sorted(catalog.read_table("bronze.t").column("v").to_pylist()) == [1, 3, 20, 21]

    def test_a_window_without_rows_is_emptied(self, catalog: Catalog) -> None:
        rows = pa.table({"at": days(1, 2), "v": [1, 2]})
        catalog.write_table("bronze.t", rows)

        catalog.write_table("bronze.t", rows.slice(0, 0), partition=PartitionWindow("at", *days(2, 3)))

        assert catalog.read_table("bronze.t").column("v").to_pylist() == [1]

    def test_writing_a_window_twice_changes_nothing(self, catalog: Catalog) -> None:
        window = PartitionWindow("at", *days(1, 2))
        for _ in range(3):
            catalog.write_table("bronze.t", pa.table({"at": days(1), "v": [1]}), partition=window)

        assert catalog.read_table("bronze.t").num_rows == 1
        assert len(list(catalog.load_table("bronze.t").scan().plan_files())) == 1

    def test_rows_outside_are_refused_with_their_number_and_range(self, catalog: Catalog, tmp_path: Path) -> None:
        catalog.write_table("bronze.t", pa.table({"at": days(1), "v": [1]}))
        files = len(list(tmp_path.rglob("*.parquet")))
        rows = pa.table({"at": [*days(2, 3, 9), None], "v": [2, 3, 9, 0]})

        message = error_of(lambda: catalog.write_table("bronze.t", rows, partition=PartitionWindow("at", *days(2, 3))))

        assert message == snapshot("""\
error[FLOE-407]: 3 rows lie outside the partition of 'bronze.t': 'at' is from 2024-01-03 to 2024-01-09
  why: its rows have 'at' from 2024-01-02 to before 2024-01-03; others would be doubled by their own run
  fix: filter the data to the partition before it is returned or written\
""")
        assert catalog.read_table("bronze.t").column("v").to_pylist() == [1]
        assert len(list(tmp_path.rglob("*.parquet"))) == files

    def test_rows_without_a_value_are_outside(self, catalog: Catalog) -> None:
        rows = pa.table({"at": pa.array([None], pa.timestamp("us"))})

        message = error_of(lambda: catalog.write_table("bronze.t", rows, partition=PartitionWindow("at", *days(2, 3))))

        assert message.splitlines()[0] == snapshot(
            "error[FLOE-407]: 1 row lies outside the partition of 'bronze.t': 'at' has no value"
        )

    @pytest.mark.parametrize(
        ("inside", "outside"),
        [
            ([date(2024, 1, 2)], [date(2024, 1, 1), date(2024, 1, 3)]),
            (["2024-01-02", "2024-01-02T23:59"], ["2024-01-01", "2024-01-03", "", "x"]),
            (days(2), days(1, 3)),
            (days(2, tz=BERLIN), days(1, 3, tz=BERLIN)),
            ([datetime(2024, 1, 1, 23, tzinfo=UTC)], [datetime(2024, 1, 2, 23, tzinfo=UTC)]),
        ],
        ids=["date", "text", "naive", "zone", "UTC"],
    )
    def test_a_day_in_a_zone_is_told_by_every_kind_of_column(
        self, catalog: Catalog, inside: list[object], outside: list[object]
    ) -> None:
        window = PartitionWindow("at", *days(2, 3, tz=BERLIN))
        catalog.write_table("bronze.t", pa.table({"at": [*inside, *outside]}))

        catalog.write_table("bronze.t", pa.table({"at": inside}), partition=window)

        assert catalog.read_table("bronze.t").num_rows == len(inside) + len(outside)
        for value in outside:
            assert "FLOE-407" in error_of(
                lambda value=value: catalog.write_table("bronze.t", pa.table({"at": [value]}), partition=window)  # type: ignore[misc]  # bound now
            )

    @pytest.mark.parametrize("minutes", [15, 30, 60], ids=lambda minutes: f"{minutes} minutes")
    def test_each_naive_time_of_the_hour_that_a_clock_shows_twice_is_in_one_window(self, minutes: int) -> None:
        count = 180 // minutes
        instants = [datetime(2024, 10, 26, 23, tzinfo=UTC) + timedelta(minutes=minutes * n) for n in range(count + 1)]
        bounds = [instant.astimezone(BERLIN) for instant in instants]

        clocks = [PartitionWindow("at", *bounds[index : index + 2]).wall_clock for index in range(count)]

        one, two, three = (datetime(2024, 10, 27, hour) for hour in (1, 2, 3))
        assert (clocks[0][0], clocks[-1][1]) == (one, three)
        assert [end for _, end in clocks[:-1]] == [start for start, _ in clocks[1:]]
        assert [clock for clock in clocks if clock[0] == clock[1]] == [(two, two)] * (60 // minutes)

    def test_bounds_as_they_are_shown_are_the_hour_that_is_shown_twice(self, catalog: Catalog) -> None:
        """What an asset selects by the bounds of its window, without their zone, is not outside of it."""
        at = [datetime(2024, 10, 27, 1, 30) + timedelta(minutes=30 * n) for n in range(4)]
        instants = [datetime(2024, 10, 26, 23 + hour, tzinfo=UTC) for hour in (0,)]
        instants += [datetime(2024, 10, 27, hour, tzinfo=UTC) for hour in (0, 1, 2)]
        bounds = [instant.astimezone(BERLIN) for instant in instants]

        for start, end in pairwise(bounds):
            shown = [time for time in at if start.replace(tzinfo=None) <= time < end.replace(tzinfo=None)]
            rows = pa.table({"at": pa.array(shown, pa.timestamp("us"))})
            catalog.write_table("bronze.t", rows, partition=PartitionWindow("at", start, end))

        assert sorted(catalog.read_table("bronze.t")["at"].to_pylist()) == at[:3]

    def test_keys_are_read_in_the_type_of_the_column(self, catalog: Catalog) -> None:
        catalog.write_table("bronze.t", pa.table({"year": [2023, 2024], "v": [1, 2]}))

        rows = pa.table({"year": [2024], "v": [3]})
        catalog.write_table("bronze.t", rows, partition=PartitionKeys("year", ("2024",)))

        assert sorted(catalog.read_table("bronze.t").column("v").to_pylist()) == [1, 3]
        assert "FLOE-407" in error_of(
            lambda: catalog.write_table("bronze.t", rows, partition=PartitionKeys("year", ("2022", "2023")))
        )

    @pytest.mark.parametrize(
        ("keys", "bounds", "inside", "outside"),
        [
            (("20240102",), (2, 3), [20240102], [20240101, 20240103]),
            (("20240102",), (2, 3), ["20240102"], ["20240101", "2024-01-02", "2024"]),
            (("2024-W01",), (1, 8), ["2024-W01"], ["2024-W02", "2024-01-01"]),
            (
                ("2024-01",),
                (1, 32),
                ["2024-01", "2024-01-31", "2024-01-31T09:30"],
                ["2023-12", "2024-02", "2024-02-01"],
            ),
            (("2024",), (1, 367), ["2024", "2024-12", "2024-12-31"], ["2023-12-31", "2025", "2025-01"]),
            (("2024-01-02",), (2, 3), ["2024-01-02", "2024-01-02 10:00"], ["2024-01", "2024", "2024-01-03"]),
            (("2024-01-02", "2024-01-03"), (2, 4), [date(2024, 1, 2), date(2024, 1, 3)], [date(2024, 1, 4)]),
        ],
        ids=["whole number", "text of digits", "week", "month", "year", "day", "days"],
    )
    def test_a_column_may_hold_the_key_of_a_window_or_a_date_as_long_as_it(
        self,
        catalog: Catalog,
        keys: tuple[str, ...],
        bounds: tuple[int, int],
        inside: list[object],
        outside: list[object],
    ) -> None:
        start, end = (datetime(2024, 1, 1) + timedelta(days=day - 1) for day in bounds)
        window = PartitionWindow("at", start, end, keys=keys)
        catalog.write_table("bronze.t", pa.table({"at": [*inside, *outside]}))

        catalog.write_table("bronze.t", pa.table({"at": inside[:1]}), partition=window)

        assert sorted(map(str, catalog.read_table("bronze.t")["at"].to_pylist())) == sorted(
            map(str, [inside[0], *outside])
        )
        for value in outside:
            assert "FLOE-407" in error_of(
                lambda value=value: catalog.write_table("bronze.t", pa.table({"at": [value]}), partition=window)  # type: ignore[misc]  # bound now
            )

    def test_of_two_dimensions_the_rows_of_both_are_replaced(self, catalog: Catalog) -> None:
        rows = {"at": days(1, 1, 2, 2), "region": ["eu", "us", "eu", "us"], "v": [1, 2, 3, 4]}
        catalog.write_table("bronze.t", pa.table(rows))
        eu_on_the_second = PartitionDimensions((PartitionWindow("at", *days(2, 3)), PartitionKeys("region", ("eu",))))

        again = pa.table({"at": days(2, 2), "region": ["eu", "eu"], "v": [30, 31]})
        catalog.write_table("bronze.t", again, partition=eu_on_the_second)

        assert sorted(catalog.read_table("bronze.t")["v"].to_pylist()) == [1, 2, 4, 30, 31]
        assert catalog.read_table("bronze.t", filter=eu_on_the_second)["v"].to_pylist() == [30, 31]

    def test_a_row_outside_of_one_dimension_is_outside(self, catalog: Catalog) -> None:
        partition = PartitionDimensions((PartitionWindow("d", *days(2, 3)), PartitionKeys("r", ("eu", "us"))))
        rows = pa.table({"d": days(2, 2, 5), "r": ["eu", "ap", None]})

        message = error_of(lambda: catalog.write_table("bronze.t", rows, partition=partition))

        first, why, _ = message.splitlines()
        assert first == snapshot(
            "error[FLOE-407]: 2 rows lie outside the partition of 'bronze.t': 'd' is 2024-01-05, 'r' is ap"
        )
        assert "its rows have 'd' from 2024-01-02 to before 2024-01-03 and 'r' equal to 'eu' or 'us'" in why
        assert not catalog.table_exists("bronze.t")

    @pytest.mark.parametrize(
        ("rows", "partition", "message"),
        [
            (
                {"id": [1]},
                PartitionWindow("at", *days(1, 2)),
                snapshot("""\
error[FLOE-406]: the partition names column 'at', which 'bronze.t' does not have
  why: its columns are id\
"""),
            ),
            (
                {"id": [1]},
                PartitionWindow("id", *days(1, 2)),
                snapshot("""\
error[FLOE-407]: column 'id' of 'bronze.t' cannot tell the rows from 2024-01-01 to before 2024-01-02
  why: the column is int64; timestamps, dates or ISO texts can
  fix: take another partition_column, or add one to the data\
"""),
            ),
            (
                {"d": ["2024-01-01"]},
                PartitionWindow("d", datetime(2024, 1, 1, 1), datetime(2024, 1, 1, 2)),
                snapshot("""\
error[FLOE-407]: column 'd' of 'bronze.t' cannot tell the rows from 2024-01-01 01:00:00 to before 2024-01-01 02:00:00
  why: the column is string; days are told by a text or a date, hours by a timestamp
  fix: take another partition_column, or add one to the data\
"""),
            ),
            (
                {"year": [2024]},
                PartitionKeys("year", ("all",)),
                snapshot("""\
error[FLOE-407]: column 'year' of 'bronze.t' cannot tell the rows equal to 'all'
  why: the column is int64, the keys are texts of another form
  fix: take another partition_column, or add one to the data\
"""),
            ),
        ],
        ids=["unknown", "integer", "hours of a text", "no number"],
    )
    def test_a_column_that_cannot_tell_is_refused(
        self,
        catalog: Catalog,
        rows: dict[str, list[object]],
        partition: Partition,
        message: str,
    ) -> None:
        assert error_of(lambda: catalog.write_table("bronze.t", pa.table(rows), partition=partition)) == message


class TestRead:
    def test_the_rows_of_a_partition(self, orders: Catalog) -> None:
        window = PartitionWindow("at", *days(2, 4))

        assert orders.read_table("bronze.orders", columns=["id"], filter=window)["id"].to_pylist() == [2, 3]
        assert "FLOE-406" in error_of(
            lambda: orders.read_table("bronze.orders", filter=PartitionKeys("contry", ("DE",)))
        )

    def test_the_rows_of_a_partition_of_what_dbt_built(self, dbt_project: Catalog) -> None:
        second = PartitionKeys("customer", ("c1",))
        never = PartitionWindow("at", *days(2, 3))

        assert dbt_project.read_table("silver.stg_orders", columns=["id"], filter=second)["id"].to_pylist() == [1, 3]
        assert dbt_project.read_table("silver.stg_orders", filter=never).num_rows == 0

    @pytest.mark.parametrize(
        ("condition", "ids"),
        [
            (None, [1, 2, 3]),
            ("", [1, 2, 3]),
            ("country = 'DE'", [1]),
            ("country = 'DE' or amount >= 20", [1, 3]),
            ("not (country in ('DE', 'US')) and country is not null", [2]),
            ("country is null", [3]),
            ("at >= '2024-01-02T00:00:00'", [2, 3]),
            ("amount between 5 and 15", [2]),
            (GreaterThan(term="id", value=2), [3]),
            ("id > 99", []),
        ],
    )
    def test_a_filter_selects_rows(self, orders: Catalog, condition: str | GreaterThan | None, ids: list[int]) -> None:
        assert orders.read_table("bronze.orders", columns=["id"], filter=condition).to_pydict() == {"id": ids}

    def test_columns_come_in_the_order_asked_for(self, orders: Catalog) -> None:
        assert orders.read_table("bronze.orders", columns=["amount", "id"]).column_names == ["amount", "id"]

    @pytest.mark.parametrize(
        ("condition", "message"),
        [
            (
                "country = ",
                snapshot("""\
error[FLOE-406]: the filter 'country = ' is no condition on the rows of 'bronze.orders'
  why: it cannot be read from 'country =' on
  fix: write it like "country = 'DE' and amount >= 10", texts in single quotes\
"""),
            ),
            (
                'country = "DE"',
                snapshot("""\
error[FLOE-406]: the filter 'country = "DE"' is no condition on the rows of 'bronze.orders'
  why: it cannot be read from 'country = "DE"' on
  fix: write it like "country = 'DE' and amount >= 10", texts in single quotes\
"""),
            ),
            (
                "land = 'DE'",
                snapshot("""\
error[FLOE-406]: the filter names column 'land', which 'bronze.orders' does not have
  why: its columns are id, country, amount, at\
"""),
            ),
            (
                "id = 'one'",
                snapshot("""\
error[FLOE-406]: the filter "id = 'one'" is no condition on the rows of 'bronze.orders'
  why: Could not convert one into a long
  fix: write it like "country = 'DE' and amount >= 10", texts in single quotes\
"""),
            ),
            (
                "country like '%E'",
                snapshot("""\
error[FLOE-406]: the filter "country like '%E'" is no condition on the rows of 'bronze.orders'
  why: LIKE expressions only supports wildcard, '%', at the end of a string
  fix: write it like "country = 'DE' and amount >= 10", texts in single quotes\
"""),
            ),
        ],
    )
    def test_a_filter_that_is_none_is_refused(self, orders: Catalog, condition: str, message: str) -> None:
        assert error_of(lambda: orders.read_table("bronze.orders", filter=condition)) == message

    def test_unknown_columns_are_all_named(self, orders: Catalog) -> None:
        message = error_of(lambda: orders.read_table("bronze.orders", columns=["id", "amonut", "zzz"]))

        assert message == snapshot("""\
error[FLOE-406]: 'columns' names column 'amonut', which 'bronze.orders' does not have
  why: its columns are id, country, amount, at
  fix: did you mean 'amount'?

error[FLOE-406]: 'columns' names column 'zzz', which 'bronze.orders' does not have
  why: its columns are id, country, amount, at

2 errors\
""")

    def test_an_unknown_snapshot_is_named(self, catalog: Catalog) -> None:
        written = catalog.write_table("bronze.t", pa.table({"id": [1]}))

        message = error_of(lambda: catalog.read_table("bronze.t", snapshot_id=1))

        assert message.replace(str(written.snapshot_id), "<id>") == snapshot("""\
error[FLOE-406]: 'bronze.t' has no snapshot 1
  why: its latest snapshots are <id>; older ones may have been expired\
""")

    def test_a_snapshot_has_the_columns_of_its_time(self, catalog: Catalog) -> None:
        first = catalog.write_table("bronze.t", pa.table({"id": [1]}))
        catalog.write_table("bronze.t", pa.table({"id": [2], "note": ["x"]}))

        assert catalog.read_table("bronze.t", snapshot_id=first.snapshot_id).to_pydict() == {"id": [1]}
        assert "FLOE-406" in error_of(
            lambda: catalog.read_table("bronze.t", columns=["note"], snapshot_id=first.snapshot_id)
        )

    @pytest.mark.parametrize(
        ("name", "message"),
        [
            (
                "bronze.order",
                snapshot("""\
error[FLOE-401]: there is no table 'bronze.order'
  why: nothing has written it yet; there are bronze.orders
  fix: did you mean 'bronze.orders'?\
"""),
            ),
            (
                "silver.orders",
                snapshot("""\
error[FLOE-401]: there is no table 'silver.orders'
  why: nothing has written it yet; there are bronze.orders
  fix: did you mean 'bronze.orders'?\
"""),
            ),
            (
                "zzz.yyy",
                snapshot("""\
error[FLOE-401]: there is no table 'zzz.yyy'
  why: nothing has written it yet; there are bronze.orders\
"""),
            ),
        ],
    )
    def test_an_unknown_table_is_named_with_the_closest(self, orders: Catalog, name: str, message: str) -> None:
        assert error_of(lambda: orders.read_table(name)) == message

    def test_a_catalog_without_tables_says_so(self, catalog: Catalog) -> None:
        assert catalog.list_tables() == []
        assert not catalog.table_exists("bronze.t")
        assert error_of(lambda: catalog.read_table("bronze.t")) == snapshot("""\
error[FLOE-401]: there is no table 'bronze.t'
  why: nothing has been written\
""")

    def test_files_that_are_gone_are_told(self, catalog: Catalog, tmp_path: Path) -> None:
        import shutil

        catalog.write_table("bronze.t", pa.table({"id": [1]}))
        shutil.rmtree(tmp_path / ".floe" / "warehouse")

        message = error_of(lambda: catalog.read_table("bronze.t"))

        assert message.splitlines()[0] == snapshot(
            "error[FLOE-400]: the catalog lists 'bronze.t', but its files are gone"
        )


class TestNames:
    @pytest.mark.parametrize(
        ("name", "message"),
        [
            (
                "customers",
                snapshot("""\
error[FLOE-402]: 'customers' is no table name
  why: a table is named by namespace and table
  fix: write 'bronze.customers'\
"""),
            ),
            (
                "",
                snapshot("""\
error[FLOE-402]: '' is no table name
  why: each part of a name has letters, digits, '_' and '-', and does not start with '-'
  fix: name the table like 'bronze.orders'\
"""),
            ),
            (
                "bronze.",
                snapshot("""\
error[FLOE-402]: 'bronze.' is no table name
  why: each part of a name has letters, digits, '_' and '-', and does not start with '-'
  fix: name the table like 'bronze.orders'\
"""),
            ),
            (
                "../secrets.t",
                snapshot("""\
error[FLOE-402]: '../secrets.t' is no table name
  why: each part of a name has letters, digits, '_' and '-', and does not start with '-'
  fix: name the table like 'bronze.orders'\
"""),
            ),
            (
                "bronze.a b",
                snapshot("""\
error[FLOE-402]: 'bronze.a b' is no table name
  why: each part of a name has letters, digits, '_' and '-', and does not start with '-'
  fix: write 'bronze.a_b'\
"""),
            ),
            (
                "bronze.-t",
                snapshot("""\
error[FLOE-402]: 'bronze.-t' is no table name
  why: each part of a name has letters, digits, '_' and '-', and does not start with '-'
  fix: write 'bronze.t'\
"""),
            ),
            (
                "bronze/t.x",
                snapshot("""\
error[FLOE-402]: 'bronze/t.x' is no table name
  why: each part of a name has letters, digits, '_' and '-', and does not start with '-'
  fix: write 'bronze_t.x'\
"""),
            ),
        ],
    )
    def test_a_name_that_cannot_be_used_is_refused(self, catalog: Catalog, name: str, message: str) -> None:
        assert error_of(lambda: catalog.write_table(name, pa.table({"id": [1]}))) == message

    @pytest.mark.parametrize("name", ["bronze.t", "b_1.t-2", "ünï.größe", "_a.b.c.d", "1.2"])
    def test_usable_names_are_taken_apart_and_put_together(self, name: str) -> None:
        assert str(TableName.parse(name)) == name

    def test_a_name_that_differs_in_case_is_refused(self, catalog: Catalog) -> None:
        catalog.write_table("bronze.Orders", pa.table({"id": [1]}))

        message = error_of(lambda: catalog.write_table("Bronze.orders", pa.table({"id": [1]})))

        assert message == snapshot("""\
error[FLOE-402]: 'Bronze.orders' differs from the table 'bronze.Orders' in case only
  why: dbt and most engines disregard case, and would find one of the two
  fix: write 'bronze.Orders'\
""")

    def test_a_table_that_another_process_makes_in_between_is_written(
        self, catalog: Catalog, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        catalog.write_table("bronze.orders", pa.table({"id": [1]}))

        with monkeypatch.context() as earlier:
            earlier.setattr(Catalog, "_has_table", lambda *_: False)  # as it was before the other one made it
            catalog.write_table("bronze.orders", pa.table({"id": [2]}), mode="append")

        assert sorted(catalog.read_table("bronze.orders")["id"].to_pylist()) == [1, 2]


class TestPlaces:
    def test_a_table_that_stays_where_it_was_made_is_told_when_it_is_written(self, tmp_path: Path) -> None:
        settings, told = LakehouseSettings.embedded(tmp_path / "lake"), list[str]()
        rows = pa.table({"id": [1]})
        Catalog(settings, announce=told.append).write_table("bronze.orders", rows)
        moved = replace(settings, properties={**settings.properties, "warehouse": str(tmp_path / "elsewhere")})
        catalog = Catalog(moved, announce=told.append)

        snapshot = catalog.write_table("bronze.orders", rows)
        catalog.write_table("bronze.customers", rows)

        assert told == [
            f"table 'bronze.orders' is kept in {snapshot.location}, where it was made, and not in {tmp_path}/elsewhere"
        ]

    def test_a_storage_that_is_not_there_is_told(self, tmp_path: Path) -> None:
        embedded = LakehouseSettings.embedded(tmp_path)
        store = {"warehouse": "s3://lake", "s3.endpoint": "http://127.0.0.1:9", "s3.connect-timeout": "1"}
        login = {"s3.access-key-id": "floe", "s3.secret-access-key": "hidden", "s3.region": "local"}
        settings = replace(embedded, properties={**embedded.properties, **store, **login})

        message = error_of(lambda: Catalog(settings).write_table("bronze.orders", pa.table({"id": [1]})))

        assert "error[FLOE-413]: the files of 'bronze.orders' cannot be written" in message
        assert "why: they are kept in s3://lake" in message
        assert "hidden" not in message

    def test_an_error_of_the_data_stays_as_it_is(self, catalog: Catalog) -> None:
        def batches() -> Iterator[pa.RecordBatch]:
            yield pa.RecordBatch.from_pydict({"id": [1]})
            raise FileNotFoundError("no orders.csv")

        reader = pa.RecordBatchReader.from_batches(pa.schema({"id": pa.int64()}), batches())

        with pytest.raises(FileNotFoundError, match=r"no orders\.csv"):
            catalog.write_table("bronze.orders", reader)
        assert not catalog.table_exists("bronze.orders")


class TestDbtRelations:
    def test_they_are_read_by_both_of_their_names(self, dbt_project: Catalog) -> None:
        by_project = dbt_project.read_table("silver.stg_orders")
        by_database = dbt_project.read_table("main_silver.stg_orders")

        assert by_project.equals(by_database)
        assert by_project.num_rows == 4
        assert by_project.schema.field("at").type == pa.timestamp("us", "UTC")

    def test_views_are_read(self, dbt_project: Catalog) -> None:
        rows = dbt_project.read_table("silver.stg_customers")

        assert sorted(rows.column("customer").to_pylist()) == ["c0", "c1"]

    def test_a_schema_that_is_really_there_comes_first(self, dbt_project: Catalog) -> None:
        assert dbt_project.read_table("gold.totals").to_pydict() == {"other": [2]}
        assert dbt_project.read_table("main_gold.totals").to_pydict() == {"mine": [1]}

    def test_types_that_iceberg_lacks_do_not_matter(self, dbt_project: Catalog) -> None:
        assert dbt_project.read_table("main.countries", filter="kind = 'a'").column("code").to_pylist() == ["DE"]

    def test_filter_and_columns_mean_the_same_as_for_tables(self, dbt_project: Catalog) -> None:
        rows = dbt_project.read_table(
            "silver.stg_orders", columns=["id"], filter="customer = 'c1' and at < '2024-01-02T00:00:00+00:00'"
        )

        assert rows.sort_by("id").to_pydict() == {"id": [1, 3]}
        assert "FLOE-406" in error_of(lambda: dbt_project.read_table("silver.stg_orders", filter="client = 'c1'"))
        assert "FLOE-406" in error_of(lambda: dbt_project.read_table("silver.stg_orders", columns=["client"]))

    def test_they_are_listed_as_projects_write_them(self, dbt_project: Catalog) -> None:
        assert dbt_project.list_tables() == [
            "bronze.orders",
            "gold.totals",
            "main.countries",
            "main_gold.totals",
            "silver.stg_customers",
            "silver.stg_orders",
        ]
        assert dbt_project.table_exists("silver.stg_orders")
        assert dbt_project.table_exists("main_silver.stg_orders")
        assert not dbt_project.table_exists("silver.orders")

    @pytest.mark.parametrize(
        ("action", "message"),
        [
            (
                lambda catalog: catalog.write_table("silver.stg_orders", pa.table({"id": [1]})),
                snapshot("""\
error[FLOE-409]: 'silver.stg_orders' is built by dbt and cannot be written
  why: it is the table 'main_silver.stg_orders' in dbt's database; only tables that Python writes are in the catalog
  fix: read it with read_table(name), and write to a table of another name\
"""),
            ),
            (
                lambda catalog: catalog.load_table("main_silver.stg_customers"),
                snapshot("""\
error[FLOE-409]: 'silver.stg_customers' is built by dbt and is no table of the catalog
  why: it is the view 'main_silver.stg_customers' in dbt's database; only tables that Python writes are in the catalog
  fix: read it with read_table(name), and write to a table of another name\
"""),
            ),
            (
                lambda catalog: catalog.read_table("silver.stg_orders", snapshot_id=1),
                snapshot("""\
error[FLOE-409]: 'silver.stg_orders' is built by dbt and has no snapshots
  why: it is the table 'main_silver.stg_orders' in dbt's database; only tables that Python writes are in the catalog
  fix: read it with read_table(name), and write to a table of another name\
"""),
            ),
        ],
        ids=["write", "load", "snapshot"],
    )
    def test_what_only_tables_have_is_refused(
        self, dbt_project: Catalog, action: Callable[[Catalog], object], message: str
    ) -> None:
        assert error_of(lambda: action(dbt_project)) == message

    def test_the_schema_of_the_target_may_be_another(self, tmp_path: Path) -> None:
        file = tmp_path / "floe.duckdb"
        with duckdb.connect(file) as database:
            database.execute("create schema dev_silver; create table dev_silver.t as select 1 as id")
        settings = LakehouseSettings(LakehouseSettings.embedded(tmp_path).properties, file, dbt_schema="dev")

        assert Catalog(settings).list_tables() == ["silver.t"]

    def test_a_program_that_takes_no_turn_is_named(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("floe_dagster.lakehouse.warehouse_file._SECONDS_TO_LET_GO", 0.1)
        monkeypatch.chdir(tmp_path)
        script = "import duckdb, sys; c = duckdb.connect('floe.duckdb'); print('open', flush=True); sys.stdin.read()"
        with subprocess.Popen(
            [sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=tmp_path
        ) as other:
            assert other.stdout is not None
            other.stdout.readline()
            message = error_of(lambda: Catalog(LakehouseSettings.embedded(tmp_path)).list_tables())

        assert message.splitlines()[0] == snapshot("error[FLOE-400]: dbt's database floe.duckdb cannot be opened")
        assert f"PID {other.pid}" in message
        assert message.splitlines()[-1] == snapshot("  fix: close that program")


class TestSettings:
    @pytest.mark.parametrize("name", ["plain", "with space", "hash#tag", "per%20cent", "quest?ion", "ünï", "quo'te"])
    def test_a_folder_may_have_any_name(self, tmp_path: Path, name: str) -> None:
        folder = tmp_path / name
        catalog = Catalog(LakehouseSettings.embedded(folder))

        catalog.write_table("bronze.t", pa.table({"id": [1]}))

        assert catalog.list_tables() == ["bronze.t"]
        assert catalog.read_table("bronze.t").to_pydict() == {"id": [1]}
        assert {path.name for path in folder.iterdir()} == {"catalog.db", "warehouse"}
        catalog.close()

    def test_a_catalog_that_cannot_be_opened_says_why(self, tmp_path: Path) -> None:
        settings = LakehouseSettings({"type": "sql", "uri": "nonsense://x", "warehouse": str(tmp_path)})

        message = error_of(lambda: Catalog(settings).write_table("bronze.t", pa.table({"id": [1]})))

        assert message == snapshot("""\
error[FLOE-400]: the sql catalog cannot be reached
      Can't load plugin: sqlalchemy.dialects:nonsense
  why: tables are found and committed through it, at nonsense://x
  fix: see that it runs, or mend its address and credentials under `catalogs` in platform.yaml\
""")

    def test_a_catalog_whose_driver_is_not_installed_says_what_to_install(self, tmp_path: Path) -> None:
        properties = {"type": "sql", "uri": "postgresql+pg8000://hunter2@db/c", "warehouse": str(tmp_path)}
        settings = LakehouseSettings(properties, secrets={"uri": "CATALOG_URI"})

        message = error_of(lambda: Catalog(settings).write_table("bronze.t", pa.table({"id": [1]})))

        assert message == snapshot("""\
error[FLOE-400]: the sql catalog cannot be reached
      No module named 'pg8000'
  why: tables are found and committed through it, at the address that the secret CATALOG_URI holds
  fix: pip install pg8000\
""")

    def test_metadata_is_found_without_the_client(self, catalog: Catalog, tmp_path: Path) -> None:
        catalog.write_table("bronze.a", pa.table({"id": [1]}))
        catalog.write_table("shop.raw.b", pa.table({"id": [1]}))
        script = f"""
import sys
from pathlib import Path
from floe_dagster.lakehouse.catalog import Catalog
from floe_dagster.lakehouse.settings import LakehouseSettings
catalog = Catalog(LakehouseSettings.embedded(Path({str(tmp_path / ".floe")!r})))
print(catalog.list_tables(), catalog.table_exists("bronze.a"), catalog.table_exists("bronze.b"))
print(sorted({{"pyiceberg", "pyarrow", "sqlalchemy", "duckdb", "dagster", "dbt"}} & sys.modules.keys()))
"""
        result = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)

        assert result.stdout.splitlines() == ["['bronze.a', 'shop.raw.b'] True False", "[]"]

    def test_the_metadata_of_a_table_is_its_newest(self, catalog: Catalog, tmp_path: Path) -> None:
        settings = LakehouseSettings.embedded(tmp_path / ".floe")
        for value in (1, 2):
            catalog.write_table("bronze.a", pa.table({"id": [value]}))

            locations = read_metadata_locations(settings)

            assert locations == {TableName.parse("bronze.a"): catalog.load_table("bronze.a").metadata_location}

    @pytest.mark.parametrize(
        ("properties", "expected"),
        [
            (
                {"type": "rest", "uri": "https://c/api/", "client-id": "me", "client-secret": "x"},
                {
                    "type": "rest",
                    "uri": "https://c/api/",
                    "credential": "me:x",
                    "oauth2-server-uri": "https://c/api/v1/oauth/tokens",
                },
            ),
            (
                {"type": "rest", "uri": "https://c", "credential": "me:x", "oauth2-server-uri": "https://login"},
                {"type": "rest", "uri": "https://c", "credential": "me:x", "oauth2-server-uri": "https://login"},
            ),
            ({"type": "rest", "uri": "https://c", "token": "t"}, {"type": "rest", "uri": "https://c", "token": "t"}),
            ({"type": "glue"}, {"type": "glue"}),
            ({"type": "sql", "uri": "postgresql://h/d"}, {"type": "sql", "uri": "postgresql://h/d"}),
            ({"type": "sql", "uri": "sqlite:////a?b/c.db"}, {"type": "sql", "uri": "sqlite:////a%3Fb/c.db?timeout=60"}),
            ({"type": "sql", "uri": "sqlite:////c.db?timeout=1"}, {"type": "sql", "uri": "sqlite:////c.db?timeout=1"}),
        ],
        ids=["client", "credential", "token", "glue", "postgres", "sqlite", "sqlite with options"],
    )
    def test_clients_get_properties_in_their_own_form(
        self, properties: dict[str, str], expected: dict[str, str]
    ) -> None:
        assert LakehouseSettings(properties).client_properties == expected

    def test_a_catalog_that_is_down_is_told_without_its_secrets(self) -> None:
        properties = {"type": "rest", "uri": "http://127.0.0.1:1/s3cret", "token": "s3cret"}

        message = error_of(Catalog(LakehouseSettings(properties, secrets={"token": "T"})).list_tables)

        assert message.splitlines()[0] == snapshot("error[FLOE-400]: the rest catalog cannot be reached")
        assert "s3cret" not in message

    def test_secrets_are_not_shown(self) -> None:
        settings = LakehouseSettings({"type": "rest", "token": "hidden"}, secrets={"token": "CATALOG_TOKEN"})

        assert "hidden" not in repr(settings)
        assert settings.without_secrets() == {"type": "rest"}

    @pytest.mark.parametrize(
        ("properties", "statement"),
        [
            (
                {
                    "s3.endpoint": "http://127.0.0.1:9000",
                    "s3.access-key-id": "me",
                    "s3.secret-access-key": "it's",
                    "s3.region": "eu-central-1",
                },
                snapshot(
                    [
                        "create or replace secret floe (type s3",
                        "key_id 'me'",
                        "secret 'it''s'",
                        "region 'eu-central-1'",
                        "endpoint '127.0.0.1:9000'",
                        "use_ssl false",
                        "url_style 'path')",
                    ]
                ),
            ),
            (
                {"s3.endpoint": "https://s3.example.com", "s3.force-virtual-addressing": "True"},
                snapshot(
                    [
                        "create or replace secret floe (type s3",
                        "endpoint 's3.example.com'",
                        "provider credential_chain",
                        "use_ssl true)",
                    ]
                ),
            ),
            ({}, snapshot(["create or replace secret floe (type s3", "provider credential_chain)"])),
        ],
        ids=["keys", "virtual", "none"],
    )
    def test_duckdb_gets_into_the_object_store_as_the_catalog_does(
        self, properties: dict[str, str], statement: list[str]
    ) -> None:
        assert object_store_secret(properties).split(", ") == statement
