"""Assets are found in the modules that floe.yaml names, and need no registration."""

import os
import subprocess
import sys
from pathlib import Path
from textwrap import dedent
from typing import Any

import dagster as dg
import pytest
from inline_snapshot import snapshot

from floe_core.errors import LoadError
from floe_core.project import ProjectFolder
from floe_dagster import FloeDefinitions
from floe_dagster.compilation import compile_project
from floe_dagster.resources.catalog import CatalogResource
from plugins.user_project import UserProject

FLOE_YAML = """
    name: shop
    orchestration:
      asset_modules:
        - .assets.bronze
        - shop.assets.gold
      jobs:
        customers: {type: batch, selection: [load_customers], executor: multiprocess}
    """
FILES = {
    "shop/floe.yaml": FLOE_YAML,
    "shop/__init__.py": "",
    "shop/definitions.py": """
        from floe_dagster import FloeDefinitions

        defs = FloeDefinitions.from_compiled_artifacts()
        """,
    "shop/assets/__init__.py": "",
    "shop/assets/bronze.py": """
        from __future__ import annotations

        from typing import TYPE_CHECKING

        import pyarrow as pa

        from floe_dagster import floe_asset

        if TYPE_CHECKING:
            from dagster import AssetExecutionContext

        @floe_asset(
            group_name="bronze",
            description="Customers as they came",
            compute_kind="csv",
            outputs=["bronze.customers"],
        )
        def load_customers(context: AssetExecutionContext) -> pa.Table:
            context.log.info("reading customers")
            return pa.table({"customer_id": [1, 2, 3], "country": ["DE", "DE", "FR"]})

        @floe_asset(group_name="bronze", outputs=["bronze.orders"], inputs=["files.orders"])
        async def load_orders():
            return pa.RecordBatch.from_pydict({"order_id": [10, 11], "customer_id": [1, 3]})
        """,
    "shop/assets/gold.py": """
        from assets.bronze import load_orders
        from floe_dagster import floe_asset

        @floe_asset(
            group_name="gold",
            inputs=["bronze.customers", "bronze.orders"],
            outputs=["gold.orders_by_country"],
            deps=[load_orders],
        )
        def orders_by_country(context, catalog):
            customers = catalog.read_table("bronze.customers")
            orders = catalog.read_table("bronze.orders")
            joined = orders.join(customers, "customer_id").group_by("country").aggregate([("order_id", "count")])
            snapshot = catalog.write_table("gold.orders_by_country", joined)
            return {"rows": snapshot.rows, "snapshot_id": snapshot.snapshot_id}
        """,
}


@pytest.fixture
def project(user_project: UserProject) -> ProjectFolder:
    user_project.write(FILES)
    return ProjectFolder(user_project.path / "shop")


def load(project: ProjectFolder, **passed: Any) -> dg.Definitions:
    compile_project(project, environ=os.environ)
    return FloeDefinitions.from_compiled_artifacts(project.artifacts_file, **passed)


def specs_of(definitions: dg.Definitions) -> dict[str, dg.AssetSpec]:
    return {spec.key.to_user_string(): spec for spec in definitions.resolve_all_asset_specs()}


@pytest.mark.requirement("010-FR-001", "010-FR-002", "010-FR-003", "010-FR-005")
def test_the_assets_of_all_modules_are_in_the_definitions(project: ProjectFolder) -> None:
    specs = specs_of(load(project))

    assert sorted(specs) == ["files/orders", "load_customers", "load_orders", "orders_by_country"]
    customers = specs["load_customers"]
    assert (customers.group_name, customers.description, customers.kinds) == (
        "bronze",
        "Customers as they came",
        {"csv"},
    )
    assert {dep.asset_key.to_user_string() for dep in specs["orders_by_country"].deps} == {
        "load_customers",
        "load_orders",
    }
    assert {dep.asset_key.to_user_string() for dep in specs["load_orders"].deps} == {"files/orders"}


@pytest.mark.requirement("010-FR-001")
def test_they_run_and_their_tables_are_in_the_catalog(project: ProjectFolder) -> None:
    definitions = load(project)

    result = definitions.resolve_implicit_global_asset_job_def().execute_in_process()

    assert result.success
    catalog = CatalogResource.embedded(project.floe_dir)
    assert catalog.read_table("gold.orders_by_country").sort_by("country").to_pydict() == {
        "order_id_count": [1, 1],
        "country": ["DE", "FR"],
    }
    [customers] = result.asset_materializations_for_node("load_customers")
    assert customers.metadata["dagster/row_count"].value == 3
    schema: Any = customers.metadata["dagster/column_schema"].value
    assert [(column.name, column.type) for column in schema.columns] == [
        ("customer_id", "int64"),
        ("country", "string"),
    ]
    [gold] = result.asset_materializations_for_node("orders_by_country")
    assert gold.metadata["dagster/row_count"].value == 2
    assert (
        gold.metadata["snapshot_id"].value == catalog.load_table("gold.orders_by_country").metadata.current_snapshot_id
    )


def test_a_step_in_a_process_of_its_own_finds_the_same_modules(project: ProjectFolder, tmp_path: Path) -> None:
    compile_project(project, environ=os.environ)
    home = tmp_path / "dagster_home"
    home.mkdir()
    (home / "dagster.yaml").write_text("telemetry: {enabled: false}\n")
    command = ["-m", "dagster", "job", "execute", "-f", str(project.path / "definitions.py"), "-j", "customers"]

    done = subprocess.run(
        [sys.executable, *command],
        cwd=tmp_path,
        env={**os.environ, "DAGSTER_HOME": str(home), "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    assert "Launching subprocess for" in done.stderr
    assert CatalogResource.embedded(project.floe_dir).read_table("bronze.customers").num_rows == 3


class TestNewAssets:
    new = """
        from floe_dagster import floe_asset

        @floe_asset(outputs=["bronze.products"])
        def load_products():
            return {"rows": 0}
        """

    @pytest.mark.requirement("010-SC-005")
    def test_a_module_file_is_enough_below_a_package(self, user_project: UserProject) -> None:
        floe_yaml = "name: shop\norchestration:\n  asset_modules: [shop.assets.*]\n"
        user_project.write({**FILES, "shop/floe.yaml": floe_yaml})
        project = ProjectFolder(user_project.path / "shop")
        before = specs_of(load(project))

        user_project.write({"shop/assets/products.py": self.new})
        after = specs_of(load(project))

        assert after.keys() - before.keys() == {"load_products"}

    @pytest.mark.requirement("010-SC-005")
    def test_else_a_module_file_and_a_line(self, user_project: UserProject, project: ProjectFolder) -> None:
        before = specs_of(load(project))
        text = dedent(FLOE_YAML).replace("    - .assets.bronze\n", "    - .assets.bronze\n    - .assets.products\n")

        user_project.write({"shop/assets/products.py": self.new, "shop/floe.yaml": text})
        after = specs_of(load(project))

        assert after.keys() - before.keys() == {"load_products"}


def test_what_a_module_defines_beside_assets_is_there_too(user_project: UserProject, project: ProjectFolder) -> None:
    user_project.write(
        {
            "shop/assets/gold.py": """
                import dagster as dg

                from shop.assets.bronze import load_orders

                @dg.asset_check(asset=load_orders)
                def there_are_orders(catalog: dg.ResourceParam[object]):
                    return dg.AssetCheckResult(passed=True)

                nightly = dg.ScheduleDefinition("nightly", cron_schedule="0 0 * * *", job=dg.define_asset_job("all"))
                defs = dg.Definitions(assets=[dg.AssetSpec("dashboard")], resources={"api": object()})
                """
        }
    )

    definitions = load(project)

    assert "dashboard" in specs_of(definitions)
    assert [schedule.name for schedule in definitions.schedules or ()] == ["nightly"]
    assert definitions.resources is not None
    assert "api" in definitions.resources
    result = definitions.resolve_implicit_global_asset_job_def().execute_in_process()
    assert [check.check_name for check in result.get_asset_check_evaluations()] == ["there_are_orders"]


@pytest.mark.requirement("010-FR-004")
def test_broken_modules_stop_the_code_location_with_one_report(
    user_project: UserProject, project: ProjectFolder
) -> None:
    text = dedent(FLOE_YAML).replace("    - .assets.bronze\n", "    - .assets.bronce\n    - .assets.broken\n")
    user_project.write({"shop/floe.yaml": text, "shop/assets/broken.py": "\n\nRATE = 1 / 0\n"})
    compile_project(project, environ=os.environ)

    with pytest.raises(LoadError) as caught:
        FloeDefinitions.from_compiled_artifacts(project.artifacts_file)

    assert f"\n{caught.value}\n" == snapshot("""\

error[FLOE-301]: module 'shop.assets.bronce' does not exist
  --> shop/floe.yaml:4:7  orchestration.asset_modules[0]
   |  - .assets.bronce
  why: there is no 'bronce' in package 'shop.assets' (shop/assets/), which holds broken, bronze, gold
  fix: did you mean 'shop.assets.bronze' or 'shop.assets.broken'?

error[FLOE-303]: module 'shop.assets.broken' raises ZeroDivisionError when it is imported
  --> shop/floe.yaml:5:7  orchestration.asset_modules[1]
   |  - .assets.broken
      shop/assets/broken.py:1
          RATE = 1 / 0
      ZeroDivisionError: division by zero

2 errors
""")


def test_assets_that_wait_for_each_other_are_named(user_project: UserProject, project: ProjectFolder) -> None:
    user_project.write(
        {
            "shop/assets/bronze.py": """
                from floe_dagster import floe_asset

                @floe_asset(inputs=["gold.summary"], outputs=["bronze.orders"])
                def load_orders(): ...
                """,
            "shop/assets/gold.py": """
                from floe_dagster import floe_asset

                @floe_asset(inputs=["bronze.orders"], outputs=["gold.summary"])
                def summary(): ...
                """,
        }
    )

    with pytest.raises(LoadError) as caught:
        load(project)

    assert f"\n{caught.value}\n" == snapshot("""\

error[FLOE-331]: job 'customers' selects asset 'load_customers', which does not exist
  --> shop/floe.yaml:7:42  orchestration.jobs.customers.selection[0]
   |  customers: {type: batch, selection: [load_customers], executor: multiprocess}
  why: an asset is named by its whole key, or by the last part of it where no other key ends so
  fix: did you mean 'load_orders'?

error[FLOE-362]: assets depend on one another in a circle: load_orders → summary → load_orders
      load_orders: shop/assets/bronze.py:3
      summary: shop/assets/gold.py:3
  why: each of them waits for the one before it, so none could ever run
  fix: take one of the dependencies out of 'deps', 'inputs' or the dbt model

2 errors
""")


def test_a_partition_that_runs_again_replaces_exactly_its_rows(
    user_project: UserProject, project: ProjectFolder
) -> None:
    user_project.write(
        {
            "shop/assets/gold.py": """
                import datetime as dt

                import dagster as dg
                import polars as pl

                from floe_dagster import floe_asset

                @floe_asset(
                    outputs=["bronze.sales"],
                    partitions_def=dg.DailyPartitionsDefinition("2024-01-01"),
                    partition_column="sold_on",
                )
                def sales(context, run_number):
                    day = dt.date.fromisoformat(context.partition_key)
                    return pl.DataFrame({"sold_on": [day] * run_number, "run": [run_number] * run_number})

                @floe_asset(
                    outputs=["bronze.returns"],
                    partitions_def=dg.DailyPartitionsDefinition("2024-01-01"),
                    partition_column="returned_on",
                )
                def returns():
                    return pl.DataFrame({"returned_on": [dt.date(2024, 1, 2)]})
                """
        }
    )
    for number, day in enumerate(["2024-01-01", "2024-01-02", "2024-01-01"], start=1):
        job = load(project, resources={"run_number": number}).resolve_implicit_global_asset_job_def()
        job.execute_in_process(partition_key=day, asset_selection=[dg.AssetKey("sales")])

    rows = CatalogResource.embedded(project.floe_dir).read_table("bronze.sales")
    assert sorted(rows.column("run").to_pylist()) == [2, 2, 3, 3, 3]
    outside = job.execute_in_process(
        partition_key="2024-01-01", asset_selection=[dg.AssetKey("returns")], raise_on_error=False
    )
    assert not outside.success
    assert not CatalogResource.embedded(project.floe_dir).table_exists("bronze.returns")
