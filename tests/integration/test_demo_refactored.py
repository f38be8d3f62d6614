"""The demo, run as its README says: by the floe command, in a copy, each number held against the files themselves."""

import ast
import csv
import functools
import json
import os
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import dagster as dg
import duckdb
import pytest
from pyiceberg.catalog import Catalog, load_catalog

from plugins.command_line import CommandLine
from screenshots.asset_graph import (
    ASSETS_AND_EDGES,
    DEMO,
    LAYERS,
    copy_demo,
    draw_asset_graph,
    find_chromium,
    query,
    running_webserver,
)

SAMPLE = DEMO / "sample"
NORTHWIND = DEMO.parents[2] / "shared" / "data" / "northwind"
FILES = {"customers": "customers", "orders": "orders", "products": "products", "order_items": "order_details"}
STAGING = ("stg_customers", "stg_order_items", "stg_orders", "stg_products")
MARTS = ("customer_orders", "revenue_by_product")
CHECKS = 26

Row = dict[str, str]


@dataclass(frozen=True)
class Shop:
    """A copy of the demo after a run of its full pipeline."""

    project: Path
    source: Path
    report: dict[str, Any]
    before: dict[str, bytes]

    def rows(self, file: str) -> list[Row]:
        with (self.source / f"{file}.csv").open(encoding="utf-8", newline="") as lines:
            return list(csv.DictReader(lines))

    def catalog(self) -> Catalog:
        folder = self.project / ".floe"
        return load_catalog(
            "floe", type="sql", uri=f"sqlite:///{folder}/catalog.db", warehouse=f"file://{folder}/warehouse"
        )

    def relation(self, name: str) -> list[tuple[Any, ...]]:
        with duckdb.connect(str(self.project / ".floe" / "floe.duckdb"), read_only=True) as connection:
            return connection.sql(f"select * from {name}").fetchall()


def floe(*arguments: str, project: Path, environ: Mapping[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    command = [str(Path(sys.executable).with_name("floe")), *arguments, "--project", str(project)]
    return subprocess.run(
        command, capture_output=True, text=True, check=False, env={**clean_environ(), **(environ or {})}
    )


def clean_environ() -> dict[str, str]:
    """The environment without what would lead a command away from the copy."""
    return {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("DAGSTER_", "DEMO_", "FLOE_", "SCHEDULES_"))
    }


def tree(project: Path) -> dict[str, bytes]:
    """Every file of the project but what floe keeps in its own folder, and Python's caches."""
    return {
        str(path.relative_to(project)): path.read_bytes()
        for path in sorted(project.rglob("*"))
        if path.is_file() and not {".floe", "__pycache__"} & set(path.relative_to(project).parts)
    }


def copy_compiled(project: Path, folder: Path) -> Path:
    """The demo with what floe compiled in *project*, and nothing of what it built there."""
    copy = copy_demo(folder)
    shutil.copytree(project / ".floe" / "dbt", copy / ".floe" / "dbt", ignore=shutil.ignore_patterns("runs"))
    shutil.copy2(project / ".floe" / "compiled_artifacts.json", copy / ".floe")
    return copy


@pytest.fixture(autouse=True)
def _clean_environ(monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in os.environ.keys() - clean_environ().keys():
        monkeypatch.delenv(variable)


@pytest.fixture(scope="module")
def run_demo(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Path], Shop]:
    """Runs the demo on the files of a folder, once for each folder; only the sample's run has to compile."""

    @functools.cache
    def run(source: Path) -> Shop:
        folder = tmp_path_factory.mktemp("demo")
        project = copy_demo(folder) if source == SAMPLE else copy_compiled(run(SAMPLE).project, folder)
        before = tree(project)
        result = floe("run", "full_pipeline", "--format", "json", project=project, environ={"DEMO_SOURCE": str(source)})
        assert result.returncode == 0, result.stderr
        return Shop(project=project, source=source, report=json.loads(result.stdout), before=before)

    return run


@pytest.fixture(scope="module", params=[SAMPLE, NORTHWIND], ids=["sample", "northwind"])
def shop(request: pytest.FixtureRequest, run_demo: Callable[[Path], Shop]) -> Shop:
    if not request.param.is_dir():
        pytest.skip(f"the Northwind sample is no part of the project, and it is not at {request.param}")
    return run_demo(request.param)


@pytest.fixture(scope="module")
def sample_shop(run_demo: Callable[[Path], Shop]) -> Shop:
    """The run on the demo's own sample, for what does not depend on the numbers."""
    return run_demo(SAMPLE)


@pytest.fixture(scope="module")
def web_ui(sample_shop: Shop) -> Iterator[str]:
    """The address of Dagster's UI, which shows that run."""
    with running_webserver(sample_shop.project) as url:
        yield url


class TestNumbers:
    def test_every_asset_is_built_and_every_check_passes(self, shop: Shop) -> None:
        built = {asset["key"]: asset["status"] for asset in shop.report["assets"]}
        checks = [check["status"] for check in shop.report["checks"]]

        assert built == dict.fromkeys(
            [
                *(f"bronze_{table}" for table in FILES),
                *(f"silver/{model}" for model in STAGING),
                *(f"gold/{model}" for model in MARTS),
            ],
            "materialized",
        )
        assert checks == ["passed"] * CHECKS

    def test_four_iceberg_tables_hold_the_files_word_for_word(self, shop: Shop) -> None:
        catalog = shop.catalog()

        assert sorted(catalog.list_tables("bronze")) == [("bronze", table) for table in sorted(FILES)]
        for table, file in FILES.items():
            stored = catalog.load_table(("bronze", table)).scan().to_arrow().to_pylist()
            assert sorted(stored, key=str) == sorted(shop.rows(file), key=str)

    def test_six_dbt_relations_hold_as_many_rows_as_the_files(self, shop: Shop) -> None:
        sizes = {table: len(shop.rows(file)) for table, file in FILES.items()}

        assert {model: len(shop.relation(f"main_silver.{model}")) for model in STAGING} == {
            f"stg_{table}": size for table, size in sizes.items()
        }
        assert {model: len(shop.relation(f"main_gold.{model}")) for model in MARTS} == {
            "customer_orders": sizes["customers"],
            "revenue_by_product": sizes["products"],
        }

    def test_the_word_null_is_null_after_staging(self, shop: Shop) -> None:
        regions = shop.relation("(select region from main_silver.stg_customers)")

        assert ("NULL",) not in regions
        assert regions.count((None,)) == sum(row["region"] == "NULL" for row in shop.rows("customers"))

    def test_revenue_by_product_equals_an_own_query(self, shop: Shop) -> None:
        own: dict[int, Decimal] = {int(row["productID"]): Decimal(0) for row in shop.rows("products")}
        for line in shop.rows("order_details"):
            own[int(line["productID"])] += amount(line)

        assert dict(shop.relation("(select product_id, revenue from main_gold.revenue_by_product)")) == own

    def test_customer_orders_equals_an_own_query(self, shop: Shop) -> None:
        customer_of = {row["orderID"]: row["customerID"] for row in shop.rows("orders")}
        own = {row["customerID"]: (0, Decimal(0)) for row in shop.rows("customers")}
        for customer in customer_of.values():
            own[customer] = (own[customer][0] + 1, Decimal(0))
        for line in shop.rows("order_details"):
            orders, revenue = own[customer_of[line["orderID"]]]
            own[customer_of[line["orderID"]]] = (orders, revenue + amount(line))

        built = shop.relation("(select customer_id, orders, revenue from main_gold.customer_orders)")
        assert {customer: (orders, revenue) for customer, orders, revenue in built} == own

    @pytest.mark.skipif(
        not NORTHWIND.is_dir(), reason="the Northwind sample is no part of the project and not beside it"
    )
    def test_northwind_brings_in_what_is_published(self, run_demo: Callable[[Path], Shop]) -> None:
        shop = run_demo(NORTHWIND)

        for mart in MARTS:
            [(revenue,)] = shop.relation(f"(select sum(revenue) from main_gold.{mart})")
            assert round(revenue, 2) == Decimal("1265793.04")


def amount(line: Row) -> Decimal:
    return Decimal(line["unitPrice"]) * int(line["quantity"]) * (1 - Decimal(line["discount"]))


class TestProject:
    @pytest.mark.requirement("010-SC-001")
    def test_floe_yaml_is_short_and_definitions_are_one_call(self, sample_shop: Shop) -> None:
        lines = (sample_shop.project / "floe.yaml").read_text(encoding="utf-8").splitlines()
        module = ast.parse((sample_shop.project / "orchestration" / "definitions.py").read_text(encoding="utf-8"))

        docstring, imported, assigned = module.body

        assert len(lines) < 50
        assert isinstance(docstring, ast.Expr)
        assert ast.unparse(imported) == "from floe_dagster import FloeDefinitions"
        assert ast.unparse(assigned) == "defs = FloeDefinitions.from_compiled_artifacts(namespace='online-shop')"
        assert len(sample_shop.report["assets"]) == 10

    def test_a_run_leaves_the_project_as_it_was(self, sample_shop: Shop) -> None:
        assert tree(sample_shop.project) == sample_shop.before

    def test_the_inspection_counts_rows_and_snapshots(self, sample_shop: Shop, command_line: CommandLine) -> None:
        result = command_line("run", "inspection", "--format", "json", "--project", str(sample_shop.project))

        with dg.DagsterInstance.from_config(str(sample_shop.project / ".floe" / "dagster_home")) as instance:
            event = instance.get_latest_materialization_event(dg.AssetKey("table_inspection"))
        assert result.returncode == 0, result.stderr
        assert event is not None
        assert event.asset_materialization is not None
        tables = event.asset_materialization.metadata["tables"]
        assert isinstance(tables, dg.TableMetadataValue)
        assert [(record.data["table"], record.data["rows"], record.data["snapshots"]) for record in tables.records] == [
            (f"bronze.{table}", len(sample_shop.rows(FILES[table])), 1) for table in sorted(FILES)
        ]

    @pytest.mark.requirement("010-SC-005")
    def test_a_new_asset_needs_a_module_and_nothing_else(
        self, sample_shop: Shop, tmp_path: Path, command_line: CommandLine
    ) -> None:
        project = copy_compiled(sample_shop.project, tmp_path)
        (project / "orchestration" / "assets" / "reviews.py").write_text(
            "from floe_dagster import floe_asset\n\n\n@floe_asset(group_name='bronze')\ndef bronze_reviews(): ...\n",
            encoding="utf-8",
        )

        listed = json.loads(command_line("list", "assets", "--format", "json", "--project", str(project)).stdout)

        assert "bronze_reviews" in json.dumps(listed)

    @pytest.mark.requirement("010-FR-021", "010-FR-022")
    def test_the_vacuum_looks_after_the_bronze_tables(self, sample_shop: Shop, command_line: CommandLine) -> None:
        result = command_line("run", "vacuum", "--format", "json", "--project", str(sample_shop.project))

        assert result.returncode == 0, result.stderr
        [op] = json.loads(result.stdout)["ops"]
        assert (op["step"], op["status"], op["metadata"]["dry_run"]) == ("vacuum", "done", False)
        assert [table["table"] for table in op["metadata"]["tables"]] == [f"bronze.{table}" for table in sorted(FILES)]
        assert {table["kept_snapshots"] for table in op["metadata"]["tables"]} == {1}

    @pytest.mark.requirement("010-SC-004", "010-FR-048")
    def test_one_floe_yaml_serves_every_environment(
        self, sample_shop: Shop, tmp_path: Path, command_line: CommandLine
    ) -> None:
        project = copy_compiled(sample_shop.project, tmp_path)
        for name in ("dev", "staging", "prod"):
            folder = project / "platform" / name
            folder.mkdir(parents=True)
            text = (
                (DEMO / "platform.yaml")
                .read_text(encoding="utf-8")
                .replace("DEMO_SOURCE:sample", f"DEMO_SOURCE:{name}")
            )
            (folder / "platform.yaml").write_text(text, encoding="utf-8")

        def schedules(**environ: str) -> dict[str, bool]:
            with pytest.MonkeyPatch.context() as patch:
                for name, value in environ.items():
                    patch.setenv(name, value)
                result = command_line("list", "schedules", "--format", "json", "--project", str(project))
            assert result.returncode == 0, result.stderr
            return {schedule["name"]: schedule["enabled"] for schedule in json.loads(result.stdout)["schedules"]}

        local = schedules()
        artifacts = (project / ".floe" / "compiled_artifacts.json").read_bytes()
        elsewhere = {
            name: schedules(FLOE_PLATFORM_ENV=name, SCHEDULES_ENABLED="true") for name in ("dev", "staging", "prod")
        }

        everywhere = ("nightly_pipeline", "weekly_vacuum")
        assert local == dict.fromkeys(everywhere, False)
        assert elsewhere == {
            "dev": dict.fromkeys(everywhere, True),
            "staging": dict.fromkeys(everywhere, True),
            "prod": dict.fromkeys([*everywhere, "hourly_bronze"], True),
        }
        assert (project / ".floe" / "compiled_artifacts.json").read_bytes() == artifacts

    def test_the_sample_is_what_its_script_makes(self, tmp_path: Path) -> None:
        subprocess.run([sys.executable, str(DEMO.parent / "make_sample.py"), str(tmp_path)], check=True)

        assert tree(tmp_path) == tree(SAMPLE)


class TestMonths:
    @pytest.mark.usefixtures("forked_dbt")
    @pytest.mark.requirement("010-SC-006", "010-FR-011")
    def test_a_month_is_read_and_written_alone_and_a_backfill_brings_the_others(
        self, sample_shop: Shop, tmp_path: Path, command_line: CommandLine, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        first, last = "2024-01", "2024-07"  # after the first, six months: as many as one run writes
        monkeypatch.setenv("DEMO_LAST_MONTH", last)
        shop = Shop(project=copy_compiled(sample_shop.project, tmp_path), source=SAMPLE, report={}, before={})
        orders = Counter(row["orderDate"][:7] for row in shop.rows("orders") if first <= row["orderDate"][:7] <= last)
        demo = ("--project", str(shop.project))

        run = command_line("run", "monthly_orders", "--partition", first, "--format", "json", *demo)
        after_run = months_of(shop)
        backfill = command_line("backfill", "all_months", *demo)
        after_backfill = months_of(shop)

        assert (run.returncode, backfill.returncode) == (0, 0), f"{run.stderr}\n{backfill.stderr}"
        assert after_run == (Counter({first: orders[first]}), Counter({first: orders[first]}))
        assert after_backfill == (orders, orders)
        [bronze, shipping] = json.loads(run.stdout)["assets"]
        assert (bronze["key"], bronze["rows"]) == ("bronze_orders_by_month", orders[first])
        assert shipping["key"] == "gold/shipping_by_month"
        with dg.DagsterInstance.from_config(str(shop.project / ".floe" / "dagster_home")) as instance:
            assert instance.get_runs_count() == 1 + 1


def months_of(shop: Shop) -> tuple[Counter[str], Counter[str]]:
    """How many orders of each month the bronze table and the model hold."""
    stored = shop.catalog().load_table(("bronze", "orders_by_month")).scan().to_arrow()["orderDate"].to_pylist()
    built = shop.relation("(select strftime(month, '%Y-%m'), orders from main_gold.shipping_by_month)")
    return Counter(day[:7] for day in stored), sum((Counter({month: orders}) for month, orders in built), Counter())


class TestWebUi:
    @pytest.mark.requirement("010-SC-002")
    def test_each_model_is_an_asset_with_a_status_of_its_own(self, web_ui: str) -> None:
        nodes = query(
            web_ui, "{ assetNodes { assetKey { path } groupName assetMaterializations(limit: 1) { runId } } }"
        )

        statuses = {
            "/".join(node["assetKey"]["path"]): (node["groupName"], len(node["assetMaterializations"]))
            for node in nodes["assetNodes"]
            if node["groupName"] in LAYERS
        }

        assert statuses == {
            **{f"bronze_{table}": ("bronze", 1) for table in FILES},
            **{f"silver/{model}": ("silver", 1) for model in STAGING},
            **{f"gold/{model}": ("gold", 1) for model in MARTS},
        }

    def test_models_are_joined_to_the_assets_that_write_their_sources(self, web_ui: str) -> None:
        nodes = query(web_ui, "{ assetNodes { assetKey { path } dependencyKeys { path } } }")["assetNodes"]

        edges = {
            ("/".join(upstream["path"]), "/".join(node["assetKey"]["path"]))
            for node in nodes
            for upstream in node["dependencyKeys"]
            if upstream["path"][0] != "export"
        }

        assert edges == {
            *((f"bronze_{table}", f"silver/stg_{table}") for table in FILES),
            *((f"bronze_{table}", "table_inspection") for table in FILES),
            *((f"silver/stg_{table}", "gold/customer_orders") for table in ("customers", "orders", "order_items")),
            *((f"silver/stg_{table}", "gold/revenue_by_product") for table in ("products", "order_items")),
            ("bronze_orders_by_month", "gold/shipping_by_month"),
        }

    @pytest.mark.skipif(find_chromium() is None, reason="there is no Chromium on this machine")
    def test_the_graph_is_drawn_in_a_browser(self, web_ui: str) -> None:
        picture = draw_asset_graph(web_ui, groups=LAYERS, expected=ASSETS_AND_EDGES)

        assert picture.startswith(b"\x89PNG")
