"""Tables that are written partition by partition: by Python, and by dbt models of every incremental strategy."""

import datetime as dt
import os
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import dagster as dg
import pyarrow as pa
import pytest

from floe_core.project import ProjectFolder
from floe_dagster import FloeDefinitions
from floe_dagster.compilation import compile_project
from floe_dagster.resources import CatalogResource, PartitionWindow

PROJECT = Path(__file__).parent.parent / "projects" / "daily_sales"
STRATEGIES = ("orders_batched", "orders_merged", "orders_replaced")
NOT_PARSED = "no changes found, skipping parsing"

pytestmark = pytest.mark.usefixtures("forked_dbt")


class Sales:
    """A copy of the project with its export, loaded once."""

    def __init__(self, folder: Path) -> None:
        shutil.copytree(PROJECT, folder)
        self.project = ProjectFolder(folder)
        compile_project(self.project, environ=os.environ)
        self.definitions = FloeDefinitions.from_compiled_artifacts(self.project.artifacts_file)
        self.instance = dg.DagsterInstance.ephemeral()
        self.catalog = CatalogResource.embedded(self.project.floe_dir)

    def export(self, name: str, header: str, *rows: str) -> None:
        """Make a file of the shop's export."""
        (self.project.path / "export").mkdir(exist_ok=True)
        (self.project.path / "export" / f"{name}.csv").write_text("\n".join([header, *rows]) + "\n")

    def run(self, job: str, *, partition: str | None = None, tags: Mapping[str, str] | None = None) -> Any:
        resolved = self.definitions.resolve_job_def(job)
        return resolved.execute_in_process(instance=self.instance, partition_key=partition, tags=dict(tags or {}))

    def run_range(self, job: str, first: str, last: str) -> Any:
        tags = {"dagster/asset_partition_range_start": first, "dagster/asset_partition_range_end": last}
        return self.run(job, tags=tags)

    def write_bronze(self, day: str, columns: Mapping[str, list[object]]) -> None:
        """Replace a day of the orders as the shop might correct it."""
        rows = pa.table({**columns, "ordered_on": [dt.date.fromisoformat(day)] * len(columns["id"])})
        start = dt.datetime.fromisoformat(day)
        window = PartitionWindow("ordered_on", start, start + dt.timedelta(days=1))
        self.catalog.write_table("bronze.orders", rows, partition=window)

    def rows(self, table: str, *columns: str) -> list[tuple[str, ...]]:
        rows = self.catalog.read_table(table, columns=columns).to_pylist()
        return sorted(tuple(str(row[column]) for column in columns) for row in rows)

    def logs(self) -> dict[str, str]:
        """The debug log of every dbt call, by the name of its folder."""
        runs = sorted(self.project.floe_dir.glob("dbt/*/runs/*/dbt.log"), key=lambda log: log.stat().st_mtime)
        return {log.parent.name: log.read_text() for log in runs}


@pytest.fixture(scope="module")
def sales(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sales]:
    before = Path.cwd()
    sales = Sales(tmp_path_factory.mktemp("sales") / "daily_sales")
    sales.export(
        "orders",
        "id,ordered_on,amount",
        "1,2024-03-01,10",
        "2,2024-03-02,20",
        "3,2024-03-02,30",
        "4,2024-03-03,40",
        "5,2024-03-04,50",
    )
    yield sales
    sales.catalog.teardown_after_execution(dg.build_init_resource_context())
    os.chdir(before)


@pytest.mark.requirement("010-SC-006", "010-FR-011", "010-FR-015")
def test_a_run_of_one_partition_processes_only_its_rows(sales: Sales) -> None:
    second = sales.run("one_day", partition="2024-03-02")
    after_second = sales.rows("bronze.orders", "id"), sales.rows("main.orders_of_day", "id", "day", "currency")
    sales.run("one_day", partition="2024-03-03")

    assert after_second == ([("2",), ("3",)], [("2", "2024-03-02", "EUR"), ("3", "2024-03-02", "EUR")])
    assert sales.rows("bronze.orders", "id") == [("2",), ("3",), ("4",)]
    assert sales.rows("main.orders_of_day", "id") == [("2",), ("3",), ("4",)]
    events = second.get_asset_materialization_events()
    assert {(event.asset_key.to_user_string(), event.partition) for event in events} == {
        ("bronze_orders", "2024-03-02"),
        ("orders_of_day", "2024-03-02"),
    }
    assert all(NOT_PARSED in log for log in sales.logs().values())


def test_models_with_partitions_and_without_stand_between_each_other_in_one_run(sales: Sales) -> None:
    """orders_of_day (daily) → per_day (no partitions) → changes (daily), with tests between all of them."""
    run = sales.run("all_models", partition="2024-03-02")

    built = [(event.asset_key.to_user_string(), event.partition) for event in run.get_asset_materialization_events()]
    checks = {(each.check_name, each.passed) for each in run.get_asset_check_evaluations()}
    assert built == [
        ("bronze_orders", "2024-03-02"),
        ("orders_of_day", "2024-03-02"),
        ("per_day", None),
        ("changes", "2024-03-02"),
    ]
    assert checks == {
        ("not_null_orders_of_day_id", True),
        ("unique_per_day_day", True),
        ("relationships_per_day_day__day__ref_orders_of_day_", True),
        ("days_of_two_orders_have_changes", True),
    }
    assert any("PASS orders_are_counted" in log for log in sales.logs().values())


@pytest.mark.requirement("010-FR-016")
def test_a_range_is_built_in_one_call_and_a_partition_again_replaces_its_rows(sales: Sales) -> None:
    for day in ("2024-03-01", "2024-03-04"):
        sales.run("bronze", partition=day)
    calls = len(sales.logs())
    run = sales.run_range("days", "2024-03-01", "2024-03-03")
    built = {(event.asset_key.to_user_string(), event.partition) for event in run.get_asset_materialization_events()}
    first = {name: sales.rows(f"main.{name}", "id", "amount") for name in STRATEGIES}
    calls = len(sales.logs()) - calls
    sales.write_bronze("2024-03-02", {"id": [2, 3, 9], "amount": [21, 31, 91]})
    sales.run("days", partition="2024-03-02")

    days = ("2024-03-01", "2024-03-02", "2024-03-03")
    assert calls == 1
    assert built == {(name, day) for name in STRATEGIES for day in days}
    orders = [("1", "10.0"), ("2", "20.0"), ("3", "30.0"), ("4", "40.0")]
    assert first == dict.fromkeys(STRATEGIES, orders)
    again = [("1", "10.0"), ("2", "21.0"), ("3", "31.0"), ("4", "40.0"), ("9", "91.0")]
    assert {name: sales.rows(f"main.{name}", "id", "amount") for name in STRATEGIES} == dict.fromkeys(STRATEGIES, again)


@pytest.mark.requirement("010-FR-013")
def test_two_dimensions(sales: Sales) -> None:
    rows = ("1,2024-03-01T10:00,eu", "2,2024-03-02T00:00,us", "3,2024-03-02T10:00,eu", "4,2024-03-02T23:59,ap")
    sales.export("returns", "id,returned_at,region", *rows)

    sales.run("returns_job", partition="2024-03-02|eu")
    one = sales.catalog.read_table("main.returns").to_pylist()
    sales.run_range("returns_job", "2024-03-01|eu", "2024-03-02|us")
    several = sales.catalog.read_table("main.returns").to_pylist()

    bounds = {"start": "2024-03-02T00:00:00+00:00", "finish": "2024-03-03T00:00:00+00:00", "min_date": "2024-03-02"}
    assert one == [{**bounds, "keys": '["2024-03-02|eu"]', "regions": '["eu"]', "returned": 1}]
    keys = '["2024-03-01|eu", "2024-03-01|us", "2024-03-02|eu", "2024-03-02|us"]'
    bounds |= {"start": "2024-03-01T00:00:00+00:00", "min_date": "2024-03-01"}
    assert several == [{**bounds, "keys": keys, "regions": '["eu", "us"]', "returned": 3}]
    assert sales.rows("bronze.returns", "id") == [("1",), ("2",), ("3",)]


@pytest.mark.requirement("010-FR-012")
def test_keys_that_are_no_windows_of_time(sales: Sales) -> None:
    for region in ("eu", "us"):
        sales.run("region_job", partition=region)

    assert sales.rows("main.of_region", "region", "start") == [("eu", "no window"), ("us", "no window")]
