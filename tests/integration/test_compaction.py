import random
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pyiceberg.manifest import DataFile
from pyiceberg.partitioning import PartitionField, PartitionSpec
from pyiceberg.schema import Schema
from pyiceberg.table import Table
from pyiceberg.transforms import DayTransform, IdentityTransform
from pyiceberg.types import LongType, NestedField, StringType, TimestampType

from floe_core.errors import CatalogError
from floe_dagster.lakehouse.maintenance import compaction
from floe_dagster.lakehouse.maintenance.file_groups import FileGroup
from floe_dagster.lakehouse.maintenance.report import CompactedTable, UnfinishedError
from floe_dagster.lakehouse.maintenance.rewriting import rewrite
from floe_dagster.lakehouse.tables import PartitionDimensions, PartitionKeys, PartitionWindow
from floe_dagster.resources.catalog import CatalogResource
from iceberg_tables import data_files, delete_rows


@pytest.fixture
def catalog(tmp_path: Path) -> Iterator[CatalogResource]:
    catalog = CatalogResource.embedded(tmp_path / ".floe")
    yield catalog
    catalog._catalog.close()


def append(catalog: CatalogResource, *tables: pa.Table) -> None:
    for table in tables:
        catalog.write_table("bronze.t", table, mode="append")


def files_of_two_rows(count: int) -> list[pa.Table]:
    return [pa.table({"id": [number, -number], "name": [f"n{number}", None]}) for number in range(count)]


def compact(catalog: CatalogResource, *, min_files: int = 2, target_file_size_mb: int = 1) -> CompactedTable:
    report = catalog.compact("bronze.t", min_files=min_files, target_file_size_mb=target_file_size_mb)
    assert not report.skipped
    return report.of("bronze.t")


def why_skipped(catalog: CatalogResource, *, min_files: int = 2) -> str:
    report = catalog.compact("bronze.t", min_files=min_files)
    assert not report.tables
    return report.skipped[0].reason


def stored_files(catalog: CatalogResource) -> set[Path]:
    location = Path(catalog.load_table("bronze.t").location().removeprefix("file://"))
    return {path for path in (location / "data").rglob("*") if path.is_file()}


def make_table(catalog: CatalogResource, schema: Schema, spec: PartitionSpec) -> Table:
    iceberg = catalog._catalog._iceberg.catalog
    iceberg.create_namespace_if_not_exists("bronze")
    return iceberg.create_table("bronze.t", schema, partition_spec=spec)


class TestRows:
    def test_small_files_become_one_with_the_same_rows_in_the_same_order(self, catalog: CatalogResource) -> None:
        append(catalog, *files_of_two_rows(6))
        before = catalog.read_table("bronze.t")
        replaced = catalog.load_table("bronze.t").current_snapshot()

        result = compact(catalog)

        table = catalog.load_table("bronze.t")
        assert catalog.read_table("bronze.t").equals(before)
        assert len(data_files(table)) == 1
        assert (result.files_before, result.files_after, result.rows) == (6, 1, 12)
        assert result.bytes_after == data_files(table)[0].stat().st_size
        assert result.snapshots == (table.metadata.current_snapshot_id,)
        assert replaced is not None
        assert catalog.read_table("bronze.t", snapshot_id=replaced.snapshot_id).equals(before)

    def test_the_snapshot_says_that_it_changed_no_rows(self, catalog: CatalogResource) -> None:
        append(catalog, *files_of_two_rows(3))

        compact(catalog)

        snapshot = catalog.load_table("bronze.t").current_snapshot()
        assert snapshot is not None
        assert snapshot.summary is not None
        assert snapshot.summary.operation.value == "replace"
        assert snapshot.summary["floe.operation"] == "compact"
        assert (snapshot.summary["total-records"], snapshot.summary["total-data-files"]) == ("6", "1")
        assert (snapshot.summary["added-data-files"], snapshot.summary["deleted-data-files"]) == ("1", "3")

    def test_every_type_comes_through(self, catalog: CatalogResource) -> None:
        rows = pa.table(
            {
                "text": ["ä", None, ""],
                "bytes": [b"\x00", None, b""],
                "amount": [Decimal("1.25"), Decimal("-3.50"), None],
                "day": [date(1, 1, 1), None, date(9999, 12, 31)],
                "at": pa.array([datetime(1969, 12, 31, 23, 59), None, datetime(2024, 1, 1)], pa.timestamp("us")),
                "instant": pa.array([datetime(2024, 3, 31, 1, tzinfo=UTC), None, None], pa.timestamp("us", "UTC")),
                "real": [float("nan"), float("-inf"), -0.0],
                "flag": [True, None, False],
                "list": [[1, None], [], None],
                "struct": [{"a": 1, "b": {"c": "x"}}, {"a": None, "b": None}, None],
                "map": pa.array([[("k", 1)], [], None], pa.map_(pa.string(), pa.int64())),
            }
        )
        append(catalog, rows, rows.slice(1), rows.slice(0, 1))
        before = catalog.read_table("bronze.t")

        compact(catalog)

        after = catalog.read_table("bronze.t")
        assert after.schema.equals(before.schema)
        assert str(after.to_pylist()) == str(before.to_pylist())  # nan is not equal to itself
        assert len(data_files(catalog.load_table("bronze.t"))) == 1

    def test_files_of_older_columns_are_written_with_those_of_now(self, catalog: CatalogResource) -> None:
        append(catalog, pa.table({"id": pa.array([1], pa.int32()), "gone": ["x"], "name": ["a"]}))
        append(catalog, pa.table({"id": [2**40], "name": ["b"], "new": [True]}))
        with catalog.load_table("bronze.t").update_schema() as update:
            update.delete_column("gone").rename_column("name", "label")
        before = catalog.read_table("bronze.t")

        compact(catalog)

        assert catalog.read_table("bronze.t").equals(before)
        (file,) = data_files(catalog.load_table("bronze.t"))
        assert pq.read_schema(file).names == ["id", "label", "new"]

    def test_rows_that_delete_files_take_away_are_left_out(self, catalog: CatalogResource) -> None:
        append(catalog, *files_of_two_rows(3))
        file = list(catalog.load_table("bronze.t").scan().plan_files())[1].file
        delete_rows(catalog.load_table("bronze.t"), file, [1])
        before = catalog.read_table("bronze.t")
        assert before.num_rows == 5

        result = compact(catalog)

        assert catalog.read_table("bronze.t").equals(before)
        assert result.rows == 5

    def test_files_of_which_every_row_is_deleted_go(self, catalog: CatalogResource) -> None:
        append(catalog, *files_of_two_rows(2))
        for task in list(catalog.load_table("bronze.t").scan().plan_files()):
            delete_rows(catalog.load_table("bronze.t"), task.file, [0, 1])

        result = compact(catalog)

        assert (result.files_after, result.rows) == (0, 0)
        assert catalog.read_table("bronze.t").num_rows == 0


class TestGroups:
    def test_partitions_stay_apart_and_keep_their_values(self, catalog: CatalogResource) -> None:
        schema = Schema(
            NestedField(1, "id", LongType()),
            NestedField(2, "country", StringType()),
            NestedField(3, "at", TimestampType()),
        )
        table = make_table(
            catalog,
            schema,
            PartitionSpec(
                PartitionField(2, 1000, IdentityTransform(), "country"), PartitionField(3, 1001, DayTransform(), "day")
            ),
        )
        for number in range(3):
            at = [datetime(2024, 1, 1, number), datetime(2024, 1, 1), None, datetime(2024, 1, 2)]
            rows = {"id": [number] * 4, "country": ["DE", "a/b c%", "DE", None], "at": at}
            table.append(pa.table(rows, schema=table.schema().as_arrow()))
        before = catalog.read_table("bronze.t")

        result = compact(catalog, min_files=3)

        files = [task.file for task in catalog.load_table("bronze.t").scan().plan_files()]
        assert (result.files_before, result.files_after) == (12, 4)
        assert sorted(str(file.partition) for file in files) == sorted({str(file.partition) for file in files})
        assert sorted(map(str, catalog.read_table("bronze.t").to_pylist())) == sorted(map(str, before.to_pylist()))
        assert catalog.read_table("bronze.t", filter="country = 'a/b c%'").column("id").to_pylist() == [2, 1, 0]

    def test_files_of_what_assets_replace_by_partition_stay_apart(self, catalog: CatalogResource) -> None:
        def write_day(day: int, *ids: int) -> None:
            start = datetime(2024, 1, day, tzinfo=UTC)
            window = PartitionWindow("at", start, start + timedelta(days=1))
            rows = {"id": list(ids), "at": [datetime(2024, 1, day, 12)] * len(ids)}
            catalog.write_table("bronze.t", pa.table(rows), partition=window)

        for day in (3, 1, 2):
            write_day(day, day)
            append(catalog, *(pa.table({"id": [number], "at": [datetime(2024, 1, day, 12)]}) for number in (10, 20)))
        append(catalog, *(pa.table({"id": [0], "at": pa.array([None], pa.timestamp("us"))}) for _ in range(2)))

        result = compact(catalog)
        compacted = set(data_files(catalog.load_table("bronze.t")))
        write_day(2, 9)

        assert (result.files_before, result.files_after) == (11, 4)
        assert len(compacted & set(data_files(catalog.load_table("bronze.t")))) == 3
        rows = catalog.read_table("bronze.t").sort_by([("at", "ascending"), ("id", "ascending")])
        assert rows.column("id").to_pylist() == [1, 10, 20, 9, 3, 10, 20, 0, 0]

    def test_files_of_two_dimensions_stay_apart_in_each(self, catalog: CatalogResource) -> None:
        start = datetime(2024, 1, 1, tzinfo=UTC)
        for region in ("eu", "us", "eu"):
            window = PartitionWindow("day", start, start + timedelta(days=1))
            rows = pa.table({"day": [date(2024, 1, 1)], "region": [region]})
            partition = PartitionDimensions((window, PartitionKeys("region", (region,))))
            catalog.write_table("bronze.t", rows, partition=partition)
        append(catalog, rows, rows, pa.table({"day": [date(2024, 1, 2)] * 2, "region": ["eu", "us"]}))
        with catalog.load_table("bronze.t").update_schema() as update:
            update.rename_column("region", "place")

        result = compact(catalog)

        assert (result.files_before, result.files_after) == (5, 3)
        assert catalog.read_table("bronze.t").num_rows == 6

    def test_files_of_an_older_partition_spec_stay(self, catalog: CatalogResource) -> None:
        append(catalog, *files_of_two_rows(3))
        with catalog.load_table("bronze.t").update_spec() as update:
            update.add_identity("name")
        old = data_files(catalog.load_table("bronze.t"))
        for _ in range(2):
            append(catalog, pa.table({"id": [9], "name": ["x"]}))
        before = catalog.read_table("bronze.t")

        result = compact(catalog)

        assert (result.files_before, result.files_after) == (5, 4)
        assert set(old) < set(data_files(catalog.load_table("bronze.t")))
        assert catalog.read_table("bronze.t").num_rows == before.num_rows

    def test_files_are_put_together_up_to_the_target_size(self, catalog: CatalogResource) -> None:
        noise = random.Random(0)
        append(catalog, *(pa.table({"x": [noise.randbytes(32) for _ in range(6_000)]}) for _ in range(8)))
        sizes = [path.stat().st_size for path in data_files(catalog.load_table("bronze.t"))]
        before = catalog.read_table("bronze.t").sort_by("x")

        result = compact(catalog, target_file_size_mb=1)

        assert 1024**2 < sum(sizes) < 2 * 1024**2
        assert result.files_after == 2
        assert catalog.read_table("bronze.t").sort_by("x").equals(before)
        assert catalog.compact("bronze.t", target_file_size_mb=1, min_files=2).skipped

    def test_there_is_nothing_to_do_twice_or_for_few_files(self, catalog: CatalogResource) -> None:
        append(catalog, *files_of_two_rows(4))

        assert why_skipped(catalog, min_files=5) == "nothing to do: no partition has 5 small files or more"
        compact(catalog)
        assert why_skipped(catalog) == "nothing to do: no partition has 2 small files or more"

    def test_a_dry_run_writes_nothing(self, catalog: CatalogResource) -> None:
        append(catalog, *files_of_two_rows(3))
        before = stored_files(catalog)

        result = catalog.compact("bronze.t", min_files=2, dry_run=True).of("bronze.t")

        assert (result.files_before, result.files_after, result.rows) == (3, None, 6)
        assert stored_files(catalog) == before
        assert len(catalog.load_table("bronze.t").snapshots()) == 3

    def test_rows_deleted_by_value_are_not_guessed_at(self, catalog: CatalogResource) -> None:
        append(catalog, *files_of_two_rows(3))
        table = catalog.load_table("bronze.t")
        delete_rows(table, next(iter(table.scan().plan_files())).file, [0], by_value=True)

        assert why_skipped(catalog) == "it has equality deletes, which pyiceberg cannot read"

    @pytest.mark.parametrize("arguments", [{"min_files": 1}, {"target_file_size_mb": 0}, {"target_file_size_mb": -1}])
    def test_numbers_that_make_no_sense_are_refused(self, catalog: CatalogResource, arguments: dict[str, int]) -> None:
        with pytest.raises(CatalogError, match="FLOE-441"):
            catalog.compact(**arguments)  # type: ignore[arg-type]  # numbers, both


class TestOtherWriters:
    def test_an_append_meanwhile_is_kept_and_does_not_get_in_the_way(
        self, catalog: CatalogResource, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        append(catalog, *files_of_two_rows(3))
        while_rewriting(monkeypatch, lambda: append(catalog, pa.table({"id": [99], "name": ["late"]})))

        result = compact(catalog)

        assert (result.contended_groups, result.files_before, result.files_after) == (0, 3, 2)
        assert len(data_files(catalog.load_table("bronze.t"))) == 2
        assert sorted(catalog.read_table("bronze.t").column("id").to_pylist()) == [-2, -1, 0, 0, 1, 2, 99]

    def test_what_others_overwrite_is_left_to_them(
        self, catalog: CatalogResource, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        append(catalog, *files_of_two_rows(3))

        def overwrite() -> None:
            catalog.write_table("bronze.t", pa.table({"id": [7], "name": ["new"]}))
            append(catalog, pa.table({"id": [8], "name": ["new"]}))

        rounds = while_rewriting(monkeypatch, overwrite)
        reason = why_skipped(catalog)

        assert reason == "contended: other writers replaced the files each time"
        assert len(rounds) == 3
        assert sorted(catalog.read_table("bronze.t").column("id").to_pylist()) == [7, 8]
        table = catalog.load_table("bronze.t")
        assert not [entry for entry in table.snapshots() if entry.summary and entry.summary["floe.operation"]]
        assert len(stored_files(catalog)) == len(table.inspect.all_files())  # what compaction wrote is gone

    def test_what_is_told_of_the_table_is_what_it_then_has(
        self, catalog: CatalogResource, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        append(catalog, *files_of_two_rows(3))

        def overwrite() -> None:
            catalog.write_table("bronze.t", pa.table({"id": [7], "name": ["new"]}))
            append(catalog, pa.table({"id": [8], "name": ["new"]}))

        while_rewriting(monkeypatch, overwrite, once=True)

        result = compact(catalog)

        files = data_files(catalog.load_table("bronze.t"))
        assert (result.files_before, result.files_after, len(files), result.rows) == (3, 1, 1, 2)
        assert result.bytes_after == sum(file.stat().st_size for file in files)

    def test_a_group_that_others_change_costs_no_other_group(
        self, catalog: CatalogResource, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        schema = Schema(NestedField(1, "id", LongType()), NestedField(2, "country", StringType()))
        table = make_table(catalog, schema, PartitionSpec(PartitionField(2, 1000, IdentityTransform(), "country")))
        for number in range(3):
            rows = {"id": [number, number], "country": ["DE", "FR"]}
            table.append(pa.table(rows, schema=table.schema().as_arrow()))
        while_rewriting(
            monkeypatch, lambda: catalog.load_table("bronze.t").delete("country = 'FR' and id = 1"), once=True
        )

        result = compact(catalog)

        rows = catalog.read_table("bronze.t").sort_by([("country", "ascending"), ("id", "ascending")]).to_pydict()
        assert rows == {"id": [0, 1, 2, 0, 2], "country": ["DE", "DE", "DE", "FR", "FR"]}
        assert result.contended_groups == 0  # the group was planned anew
        assert len(result.snapshots) == 2
        assert len(data_files(catalog.load_table("bronze.t"))) == 2

    def test_rows_that_are_deleted_meanwhile_do_not_come_back(
        self, catalog: CatalogResource, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        append(catalog, *files_of_two_rows(3))
        file = next(iter(catalog.load_table("bronze.t").scan().plan_files())).file
        while_rewriting(monkeypatch, lambda: delete_rows(catalog.load_table("bronze.t"), file, [0]), once=True)

        compact(catalog)

        assert sorted(catalog.read_table("bronze.t").column("id").to_pylist()) == [-2, -1, 0, 0, 1]

    def test_a_partition_spec_that_changes_meanwhile_is_noticed(
        self, catalog: CatalogResource, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        append(catalog, *files_of_two_rows(3))

        def change_spec() -> None:
            with catalog.load_table("bronze.t").update_spec() as update:
                update.add_identity("name")

        while_rewriting(monkeypatch, change_spec, once=True)

        assert why_skipped(catalog) == "nothing to do: no partition has 2 small files or more"
        assert catalog.read_table("bronze.t").num_rows == 6

    def test_a_commit_in_the_last_moment_is_not_overwritten(
        self, catalog: CatalogResource, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        append(catalog, *files_of_two_rows(3))
        commit, done = compaction._commit_once, list[int]()

        def commit_late(*args: object) -> int:
            if not done:
                done.append(1)
                catalog.load_table("bronze.t").append(pa.table({"id": [99], "name": ["late"]}))
            return commit(*args)  # type: ignore[arg-type]  # what it is called with

        monkeypatch.setattr(compaction, "_commit_once", commit_late)
        result = compact(catalog)

        assert len(result.snapshots) == 1
        assert sorted(catalog.read_table("bronze.t").column("id").to_pylist()) == [-2, -1, 0, 0, 1, 2, 99]

    def test_rows_that_are_deleted_in_the_last_moment_do_not_come_back(
        self, catalog: CatalogResource, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        append(catalog, *files_of_two_rows(3))
        commit, done = compaction._commit_once, list[int]()

        def delete_and_commit(*args: object) -> int:
            if not done:
                done.append(1)
                table = catalog.load_table("bronze.t")
                delete_rows(table, next(iter(table.scan().plan_files())).file, [0])
            return commit(*args)  # type: ignore[arg-type]  # what it is called with

        monkeypatch.setattr(compaction, "_commit_once", delete_and_commit)
        compact(catalog)

        assert sorted(catalog.read_table("bronze.t").column("id").to_pylist()) == [-2, -1, 0, 0, 1]

    def test_a_file_that_is_gone_is_an_error_and_nothing_remains(self, catalog: CatalogResource) -> None:
        append(catalog, *files_of_two_rows(3))
        data_files(catalog.load_table("bronze.t"))[1].unlink()
        before = stored_files(catalog)

        with pytest.raises(UnfinishedError, match="FileNotFoundError"):
            catalog.compact("bronze.t", min_files=2)
        assert stored_files(catalog) == before


def while_rewriting(
    monkeypatch: pytest.MonkeyPatch, action: Callable[[], object], *, once: bool = False
) -> list[FileGroup]:
    """Have *action* happen after files were rewritten and before that is committed; the groups that were rewritten."""
    rewritten: list[FileGroup] = []

    def rewrite_and_act(table: Table, group: FileGroup) -> DataFile | None:
        file = rewrite(table, group)
        if not rewritten or not once:
            action()
        rewritten.append(group)
        return file

    monkeypatch.setattr(compaction, "rewrite", rewrite_and_act)
    return rewritten


def test_memory_holds_a_piece_and_not_the_table(catalog: CatalogResource, monkeypatch: pytest.MonkeyPatch) -> None:
    append(catalog, *files_of_two_rows(5))
    monkeypatch.setattr("floe_dagster.lakehouse.maintenance.rewriting._ROWS_AT_ONCE", 4)
    before = catalog.read_table("bronze.t")

    compact(catalog)

    (file,) = data_files(catalog.load_table("bronze.t"))
    assert pq.ParquetFile(file).num_row_groups == 3
    assert catalog.read_table("bronze.t").equals(before)
