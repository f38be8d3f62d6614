"""dbt itself on the embedded lakehouse: what it reads, what it builds, and who waits for whom."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from textwrap import dedent
from typing import Any

import duckdb
import pyarrow as pa
import pytest
from dbt.adapters.duckdb.credentials import DuckDBCredentials, PluginConfig
from dbt.adapters.duckdb.environments.local import LocalEnvironment
from dbt_common.exceptions import DbtRuntimeError

from floe_dagster.lakehouse.catalog import Catalog
from floe_dagster.lakehouse.metadata_locations import read_metadata_locations
from floe_dagster.lakehouse.settings import LakehouseSettings
from floe_dagster.lakehouse.source_views import (
    FAST_START,
    load_extensions,
    read_source_views,
    refresh_source_views,
)
from floe_dagster.lakehouse.warehouse_file import Turn

DBT = str(Path(sys.executable).with_name("dbt"))
MODELS = ["stg_customers", "customer_orders", "big_orders", "customers_snapshot"]

# Importing dbt takes longer than anything the tests let it do. So one process imports it, and every command is a
# process forked from that one; none of them has anything open that another one had.
SERVER = """
import json, os, sys
from dbt.cli.main import dbtRunner
import dbt.adapters.duckdb

def run(arguments, output):
    os.dup2(output, 1)
    os.dup2(output, 2)
    result = dbtRunner().invoke(arguments)
    if result.exception is not None:
        print(result.exception, flush=True)
    sys.stdout.flush()
    os._exit(0 if result.success else 1)

for line in sys.stdin:
    children = []
    for arguments, file in json.loads(line):
        output = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        child = os.fork()
        if not child:
            run(arguments, output)
        os.close(output)
        children.append(child)
    print(json.dumps([os.waitpid(child, 0)[1] for child in children]), flush=True)
"""


class Shop:
    """A dbt project beside the lakehouse that its sources are in."""

    def __init__(self, folder: Path, server: "subprocess.Popen[str]") -> None:
        self.folder, self.server = folder, server
        self.floe_dir = folder / ".floe"
        self.file = self.floe_dir / "floe.duckdb"
        self.settings = LakehouseSettings.embedded(self.floe_dir)
        self.told: list[str] = []  # what the catalog announced
        self.catalog = Catalog(self.settings, announce=self.told.append)
        self.runs = 0

    def write(self, files: dict[str, str]) -> None:
        for name, text in files.items():
            path = self.folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(dedent(text).lstrip("\n"), encoding="utf-8")

    def arguments(self, *arguments: str) -> list[str]:
        folders = ["--project-dir", str(self.folder), "--profiles-dir", str(self.folder)]
        written = ["--target-path", str(self.floe_dir / "target"), "--log-path", str(self.floe_dir / "logs")]
        return ["--no-use-colors", "--no-send-anonymous-usage-stats", *arguments, *folders, *written]

    def run_all(self, *commands: Sequence[str]) -> list[str]:
        """Run dbt commands at once, each in a new process; what each of them printed. All must succeed."""
        calls = []
        for command in commands:
            self.runs += 1
            calls.append((self.arguments(*command), str(self.folder / f"output-{self.runs}.txt")))
        assert self.server.stdin is not None
        assert self.server.stdout is not None
        self.server.stdin.write(json.dumps(calls) + "\n")
        self.server.stdin.flush()
        codes = json.loads(self.server.stdout.readline())
        outputs = [Path(file).read_text(encoding="utf-8") for _, file in calls]
        assert codes == [0] * len(calls), "\n".join(outputs)
        return outputs

    def dbt(self, *command: str) -> str:
        return self.run_all(command)[0]

    @contextmanager
    def started(self, *command: str, until: str) -> "Iterator[subprocess.Popen[str]]":
        """dbt's own executable, from the moment it prints *until*; killed at the end of the block."""
        with subprocess.Popen([DBT, *self.arguments(*command)], stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            try:
                seen: list[str] = []
                while not seen or until not in seen[-1]:
                    seen.append(process.stdout.readline())
                    assert seen[-1], "".join(seen)
                yield process
            finally:
                process.send_signal(signal.SIGKILL)

    def write_sources(self, count: int, **more: list[object]) -> None:
        """Customers 0…count-1 with two orders each."""
        customers = {"id": list(range(count)), "name": [f"customer {number}" for number in range(count)]}
        orders = {"id": list(range(count * 2)), "customer_id": [number // 2 for number in range(count * 2)]}
        self.catalog.write_table("bronze.customers", pa.table({**customers, **more}))
        self.catalog.write_table("bronze.orders", pa.table({**orders, "amount": [1.5] * (count * 2)}))


@pytest.fixture(scope="module")
def server() -> Iterator["subprocess.Popen[str]"]:
    environment = {**os.environ, "HOME": "/nonexistent", "DO_NOT_TRACK": "1"}
    with subprocess.Popen(
        [sys.executable, "-c", SERVER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment
    ) as process:
        yield process
        assert process.stdin is not None
        process.stdin.close()


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory, server: "subprocess.Popen[str]") -> Iterator[Shop]:
    """The project of all these tests, which go through it in their order; it begins as one whose dbt never ran."""
    shop = Shop(tmp_path_factory.mktemp("shop"), server)
    shop.write(
        {
            "dbt_project.yml": """
                name: shop
                profile: shop
                models: {shop: {+schema: silver}}
                seeds: {shop: {+schema: raw}}
                """,
            "profiles.yml": json.dumps(
                {
                    "shop": {
                        "target": "dev",
                        "outputs": {
                            "dev": {
                                "type": "duckdb",
                                "path": str(shop.file),
                                "threads": 2,
                                "plugins": [plugin_of(shop)],
                            }
                        },
                    }
                }
            ),
            "models/sources.yml": """
                sources: [{name: bronze, tables: [{name: customers}, {name: orders}]}]
                """,
            "models/stg_customers.sql": """
                select * from {{ source('bronze', 'customers') }}
                """,
            "models/paid_orders.sql": """
                {{ config(materialized='ephemeral') }}
                select * from {{ source('bronze', 'orders') }} where amount > 0
                """,
            "models/customer_orders.sql": """
                {{ config(materialized='table', schema='gold') }}
                select customers.name, count(*) as orders, sum(amount) as amount
                from {{ ref('stg_customers') }} as customers
                join {{ ref('paid_orders') }} as orders on orders.customer_id = customers.id
                group by all
                """,
            "models/big_orders.sql": """
                {{ config(materialized='incremental', unique_key='id') }}
                select id, amount, {{ 1 if is_incremental() else 0 }} as later from {{ source('bronze', 'orders') }}
                {% if is_incremental() %} where id > (select max(id) from {{ this }}) {% endif %}
                """,
            "seeds/countries.csv": "code,label\nDE,Germany\nFR,France\n",
            "snapshots/customers_snapshot.yml": """
                snapshots:
                  - name: customers_snapshot
                    relation: source('bronze', 'customers')
                    config: {schema: history, unique_key: id, strategy: check, check_cols: [name]}
                """,
        }
    )
    yield shop
    shop.catalog.close()


def plugin_of(shop: Shop) -> dict[str, Any]:
    config = {"properties": dict(shop.settings.properties), "sources": ["bronze.customers", "bronze.orders"]}
    return {"module": "floe_dagster.lakehouse.duckdb_plugin", "alias": "floe", "config": config}


def adapter_of(shop: Shop, **options: Any) -> Any:
    """What dbt-duckdb, which has no types, makes of the profile in this process: a LocalEnvironment."""
    plugin = plugin_of(shop)
    return LocalEnvironment(DuckDBCredentials(path=str(shop.file), plugins=[PluginConfig(**plugin)], **options))


class TestMaterializations:
    def test_all_are_built_from_what_python_wrote(self, shop: Shop) -> None:
        shop.write_sources(3)

        output = shop.dbt("build")

        assert "PASS=5 WARN=0 ERROR=0" in output
        assert shop.catalog.read_table("silver.stg_customers").num_rows == 3
        assert shop.catalog.read_table("gold.customer_orders").sort_by("name").to_pydict() == {
            "name": ["customer 0", "customer 1", "customer 2"],
            "orders": [2, 2, 2],
            "amount": [3.0, 3.0, 3.0],
        }
        assert shop.catalog.read_table("silver.big_orders").column("later").to_pylist() == [0] * 6
        assert shop.catalog.read_table("raw.countries").column("code").to_pylist() == ["DE", "FR"]
        assert shop.catalog.read_table("history.customers_snapshot").num_rows == 3

    def test_a_second_run_sees_what_was_written_since_with_its_new_columns(self, shop: Shop) -> None:
        shop.write_sources(4, country=["DE"] * 4)
        shop.catalog.load_table("bronze.customers").delete("id = 0")

        output = shop.dbt("build")

        assert "PASS=5 WARN=0 ERROR=0" in output
        customers = shop.catalog.read_table("silver.stg_customers").sort_by("id")
        assert customers.to_pydict()["id"] == [1, 2, 3]
        assert customers.column_names == ["id", "name", "country"]
        assert shop.catalog.read_table("gold.customer_orders").num_rows == 3
        assert sorted(shop.catalog.read_table("silver.big_orders").column("later").to_pylist()) == [0] * 6 + [1] * 2
        assert shop.catalog.read_table("history.customers_snapshot").num_rows == 4

    @pytest.mark.parametrize("model", MODELS)
    def test_each_is_built_alone_in_a_new_process(self, shop: Shop, model: str) -> None:
        assert "PASS=1 WARN=0 ERROR=0" in shop.dbt("build", "--select", model)

    def test_a_view_is_read_as_its_tables_are_now(self, shop: Shop) -> None:
        before = shop.file.read_bytes()

        shop.write_sources(7, country=["FR"] * 7)

        assert shop.catalog.read_table("silver.stg_customers", filter="country = 'FR'").num_rows == 7
        assert shop.file.read_bytes() == before

    def test_nothing_is_written_outside_of_its_folders(self, shop: Shop) -> None:
        assert {path.name for path in shop.floe_dir.iterdir()} - {"target", "logs", "locks"} == {
            "catalog.db",
            "warehouse",
            "floe.duckdb",
            "floe.duckdb.lock",
            "floe.duckdb.holder",
        }


class TestTurns:
    def test_two_runs_at_once_both_succeed(self, shop: Shop) -> None:
        outputs = shop.run_all(["build"], ["build"])

        assert all("PASS=5 WARN=0 ERROR=0" in output for output in outputs)
        assert sum("waiting for" in output for output in outputs) == 1

    def test_a_run_that_is_killed_hinders_nobody(self, shop: Shop) -> None:
        endless = "{{ config(materialized='table') }} select count(*) as n from range(100000000000) as t(i) where i > 3"
        shop.write({"models/endless.sql": endless})
        shop.write_sources(8, country=["FR"] * 8)
        with shop.started("build", "--select", "big_orders", "endless", until="OK created sql incremental") as run:
            shop.catalog.write_table("bronze.meanwhile", shop.catalog.read_table("bronze.orders", columns=["id"]))
            waited_before = len(shop.told)
            with pytest.raises(TimeoutError), waiting_at_most(1.0):
                shop.catalog.read_table("silver.big_orders")
        (shop.folder / "models" / "endless.sql").unlink()

        rows = shop.catalog.read_table("silver.big_orders").num_rows
        output = shop.dbt("build")

        assert run.returncode == -signal.SIGKILL
        assert waited_before == 0
        assert [f"(process {run.pid}) is using" in told for told in shop.told] == [True]
        assert rows == 16
        assert "PASS=5 WARN=0 ERROR=0" in output

    def test_dagsters_look_into_the_file_does_not_keep_dbt_out(self, shop: Shop) -> None:
        environment = adapter_of(shop, config_options={"access_mode": "READ_ONLY"})
        first, second = environment.handle(), environment.handle()
        assert first.cursor().execute("from main_silver.stg_customers").fetchall()
        assert second.cursor().execute("from main_gold.customer_orders").fetchall()
        first.close()
        second.close()

        assert "PASS=1 WARN=0 ERROR=0" in shop.dbt("build", "--select", "countries")

    def test_dbt_in_this_process_and_the_catalog_share_the_file(self, shop: Shop) -> None:
        environment = adapter_of(shop)
        handle = environment.handle()
        handle.cursor().execute("create table main.mine as select 1 as id")

        assert shop.catalog.read_table("main.mine").to_pydict() == {"id": [1]}
        assert shop.catalog.read_table("silver.stg_customers").num_rows == 8

        handle.cursor().execute("drop table main.mine")
        handle.close()
        environment.close()
        del environment, handle
        turn = Turn(shop.file)
        turn.take(print, wait=False)
        turn.give_back()

    def test_a_file_that_cannot_be_opened_is_given_back(self, shop: Shop) -> None:
        absent = Shop(shop.folder / "absent", shop.server)
        environment = adapter_of(absent, config_options={"access_mode": "READ_ONLY"})

        with pytest.raises(DbtRuntimeError, match="FLOE-400"):
            environment.handle()

        turn = Turn(absent.file)
        turn.take(print, wait=False)
        turn.give_back()


class TestSourceViews:
    @pytest.fixture
    def other(self, shop: Shop, tmp_path: Path) -> Iterator[Shop]:
        other = Shop(tmp_path, shop.server)
        other.write_sources(1)
        yield other
        other.catalog.close()

    def run_plugin(self, shop: Shop) -> None:
        environment = adapter_of(shop)
        environment.handle().close()
        environment.close()

    def views(self, shop: Shop) -> list[str]:
        with duckdb.connect(shop.file) as connection:
            return sorted(str(name) for name in read_source_views(connection))

    def test_they_come_and_go_with_the_tables(self, other: Shop) -> None:
        self.run_plugin(other)
        both = self.views(other)
        other.catalog.load_table("bronze.orders").catalog.drop_table("bronze.orders")
        self.run_plugin(other)

        assert both == ["bronze.customers", "bronze.orders"]
        assert self.views(other) == ["bronze.customers"]

    def test_a_view_that_is_right_is_not_touched(self, other: Shop) -> None:
        self.run_plugin(other)
        before = other.file.read_bytes()

        self.run_plugin(other)

        assert other.file.read_bytes() == before

    def test_a_relation_of_dbt_is_never_replaced(self, other: Shop, capfd: pytest.CaptureFixture[str]) -> None:
        with duckdb.connect(other.file) as connection:
            connection.execute("create schema bronze; create table bronze.Customers as select 'dbt' as builder")
            connection.execute("create view bronze.orders as select 'dbt' as builder")

        self.run_plugin(other)

        assert self.views(other) == []
        with duckdb.connect(other.file) as connection:
            assert connection.execute("from bronze.customers").fetchall() == [("dbt",)]
            assert connection.execute("from bronze.orders").fetchall() == [("dbt",)]

    def test_a_table_whose_files_are_gone_is_named(self, other: Shop) -> None:
        for file in (other.floe_dir / "warehouse" / "bronze" / "orders").rglob("*.json"):
            file.unlink()

        with pytest.raises(DbtRuntimeError, match=r"DuckDB cannot read the table 'bronze\.orders'"):
            self.run_plugin(other)

        assert self.views(other) == []

    def test_unsigned_extensions_stay_forbidden(self, other: Shop) -> None:
        environment = adapter_of(other)
        cursor = environment.handle().cursor()

        allowed = cursor.execute("select current_setting('allow_unsigned_extensions')").fetchall()

        assert allowed == [(False,)]
        with pytest.raises(duckdb.InvalidInputException):
            cursor.execute("set allow_unsigned_extensions = true")
        environment.close()

    def test_nothing_that_dbt_does_not_need_is_imported(self) -> None:
        script = """
        import sys
        import dbt.adapters.duckdb
        before = set(sys.modules)
        import floe_dagster.lakehouse.duckdb_plugin
        print(sorted({"dagster", "pyiceberg", "pyarrow", "sqlalchemy", "pandas"} & (sys.modules.keys() - before)))
        """
        result = subprocess.run([sys.executable, "-c", dedent(script)], capture_output=True, text=True, check=True)

        assert result.stdout.strip() == "[]"


@contextmanager
def waiting_at_most(seconds: float) -> Iterator[None]:
    """Raise TimeoutError in the block when it takes longer."""

    def interrupt(*_: object) -> None:
        raise TimeoutError

    before = signal.signal(signal.SIGALRM, interrupt)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def test_a_source_reads_its_table_whatever_case_either_is_written_in(tmp_path: Path) -> None:
    settings = LakehouseSettings.embedded(tmp_path)
    catalog = Catalog(settings)
    catalog.write_table("Bronze.Orders", pa.table({"id": [1, 2]}))

    with duckdb.connect(config=dict(FAST_START)) as connection:
        locations = read_metadata_locations(settings)
        load_extensions(connection, locations.values(), settings.properties)
        refresh_source_views(connection, locations)

        assert connection.execute('select count(*) from "bronze"."orders"').fetchall() == [(2,)]
