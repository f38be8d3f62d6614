"""Which tables maintenance means, and what it measures of them."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
import pyarrow as pa
import pytest
from inline_snapshot import snapshot

from floe_core.errors import CatalogError
from floe_dagster.lakehouse.maintenance.report import MaintenanceReport
from floe_dagster.lakehouse.warehouse_file import Turn
from floe_dagster.resources.catalog import CatalogResource, Patterns
from iceberg_tables import data_files, delete_rows, make_old, plant

AT_ONCE = timedelta(milliseconds=1)


@pytest.fixture(scope="module")
def catalog(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CatalogResource]:
    """Tables beside a database as dbt leaves it."""
    folder = tmp_path_factory.mktemp("tables")
    with duckdb.connect(folder / "floe.duckdb") as database:
        database.execute("create schema main_silver; create table main_silver.stg_orders as select 1 as id")
    catalog = CatalogResource.embedded(folder)
    for name in ("bronze.orders", "bronze.customers", "bronze.raw.orders", "gold.totals"):
        catalog.write_table(name, pa.table({"id": [1]}))
    yield catalog
    catalog._catalog.close()


def meant(catalog: CatalogResource, patterns: Patterns) -> list[str]:
    return [table.table for table in catalog.statistics(patterns).tables]


@pytest.mark.parametrize(
    ("patterns", "tables"),
    [
        ("bronze.orders", ["bronze.orders"]),
        ("bronze.*", ["bronze.customers", "bronze.orders"]),
        ("bronze.**", ["bronze.customers", "bronze.orders", "bronze.raw.orders"]),
        ("*", ["bronze.customers", "bronze.orders", "bronze.raw.orders", "gold.totals"]),
        ("orders", ["bronze.orders", "bronze.raw.orders"]),
        ("{gold,bronze}.[ct]*", ["bronze.customers", "gold.totals"]),
        (["gold.*", "gold.totals", "bronze.c?stomers"], ["bronze.customers", "gold.totals"]),
        ([], []),
    ],
    ids=str,
)
def test_tables_are_meant_by_name_or_glob(catalog: CatalogResource, patterns: Patterns, tables: list[str]) -> None:
    assert meant(catalog, patterns) == tables


def test_patterns_that_match_nothing_are_told_all_at_once(catalog: CatalogResource) -> None:
    with pytest.raises(CatalogError) as caught:
        catalog.vacuum(["bronze.ordres", "bronz.*", "gold.totals", "bronze.[a", "x.y"], dry_run=False)

    assert str(caught.value) == snapshot("""\
error[FLOE-440]: 'bronze.ordres' matches no table
  why: there are bronze.customers, bronze.orders, bronze.raw.orders, gold.totals, silver.stg_orders
  fix: did you mean 'bronze.orders'?

error[FLOE-440]: 'bronz.*' matches no table
  why: there are bronze.customers, bronze.orders, bronze.raw.orders, gold.totals, silver.stg_orders
  fix: did you mean 'bronze.*' or 'bronze.raw.*'?

error[FLOE-440]: the pattern 'bronze.[a' cannot be read
  why: the [ is not closed; write \\[ for a bracket that is meant as it stands
  fix: see 'bronze.*'

error[FLOE-440]: 'x.y' matches no table
  why: there are bronze.customers, bronze.orders, bronze.raw.orders, gold.totals, silver.stg_orders

4 errors\
""")


def test_every_table_of_none_is_none(tmp_path: Path) -> None:
    assert CatalogResource.embedded(tmp_path).vacuum() == MaintenanceReport(())
    with pytest.raises(CatalogError, match=r"'bronze\.orders' matches no table"):
        CatalogResource.embedded(tmp_path).vacuum("bronze.orders")


@pytest.mark.parametrize("name", ["silver.stg_orders", "silver.*"])
def test_relations_of_dbt_are_skipped_with_the_reason(catalog: CatalogResource, name: str) -> None:
    calls: list[Callable[..., MaintenanceReport[object]]] = [
        catalog.vacuum,
        catalog.expire_snapshots,
        catalog.remove_orphans,
        catalog.compact,
        catalog.statistics,
    ]
    for call in calls:
        report = call([name, "gold.totals"])
        skipped = {table.table: table.reason for table in report.skipped}
        assert skipped["silver.stg_orders"] == (
            "dbt built it in its own database, where it has no snapshots, and no files of its own"
        )


def test_tables_are_looked_after_while_dbt_runs(catalog: CatalogResource) -> None:
    turn = Turn(Path(catalog.warehouse_file or ""))
    turn.take(lambda message: None)
    try:
        assert len(catalog.vacuum("bronze.*").tables) == 2
        assert len(catalog.vacuum().tables) == 4
    finally:
        turn.give_back()


def test_a_table_is_measured(tmp_path: Path) -> None:
    catalog = CatalogResource.embedded(tmp_path)
    before = datetime.now(UTC) - timedelta(seconds=1)
    for number in range(3):
        catalog.write_table("bronze.t", pa.table({"id": [number, -number]}), mode="append")
    table = catalog.load_table("bronze.t")
    location = Path(table.location())
    deletes = delete_rows(table, next(iter(table.scan().plan_files())).file, [0])
    plant(location / "data" / "lost.parquet")
    plant(location / "data" / "notes.txt")

    measured = catalog.statistics("bronze.t").of("bronze.t")

    files = data_files(catalog.load_table("bronze.t"))
    assert (measured.files, measured.delete_files, measured.small_files) == (3, 1, 3)
    assert measured.bytes == sum(path.stat().st_size for path in [*files, deletes])
    assert measured.rows == catalog.read_table("bronze.t").num_rows == 5
    assert measured.snapshots == 4
    assert measured.oldest_snapshot_at is not None
    assert before < measured.oldest_snapshot_at <= datetime.now(UTC)
    assert (measured.unreferenced_files, measured.unreferenced_bytes) == (1, 100)
    assert measured.location == str(location)


def test_what_a_vacuum_frees_is_what_statistics_and_the_disk_say(tmp_path: Path) -> None:
    catalog = CatalogResource.embedded(tmp_path)
    for number in range(5):
        catalog.write_table("bronze.t", pa.table({"id": list(range(number, 1000 + number))}))
    location = Path(catalog.load_table("bronze.t").location())
    catalog.expire_snapshots(older_than=AT_ONCE)
    make_old(location)
    unreferenced = catalog.statistics().of("bronze.t").unreferenced_bytes
    on_disk = sum(path.stat().st_size for path in location.rglob("*") if path.is_file())

    removed = catalog.remove_orphans(dry_run=False).of("bronze.t")

    assert removed.bytes == unreferenced
    assert sum(path.stat().st_size for path in location.rglob("*") if path.is_file()) == on_disk - removed.bytes
    assert catalog.statistics().of("bronze.t").unreferenced_bytes == 0


def test_what_cannot_be_told_is_said(tmp_path: Path) -> None:
    catalog = CatalogResource.embedded(tmp_path)
    catalog.write_table("bronze.t", pa.table({"id": [1]}))
    table = catalog.load_table("bronze.t")
    table.catalog.create_table("bronze.inner", pa.schema([("id", pa.int64())]), location=f"{table.location()}/inner")

    measured = catalog.statistics("bronze.t").of("bronze.t")

    assert (measured.rows, measured.unreferenced_bytes) == (1, None)
    assert "shares its location" in measured.unreferenced_unknown
