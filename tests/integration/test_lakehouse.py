"""Tables of the embedded lakehouse as several processes, Dagster among them, write and read them."""

import os
import pickle
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from textwrap import dedent
from threading import Timer

import dagster as dg
import duckdb
import pyarrow as pa
import pytest

from floe_core.errors import CatalogError
from floe_dagster.lakehouse.catalog import Catalog
from floe_dagster.lakehouse.settings import LakehouseSettings
from floe_dagster.lakehouse.warehouse_file import Turn
from floe_dagster.resources import CatalogResource, PartitionKeys, PartitionWindow, Snapshot

PROCESSES = 4
DAY = (datetime(2024, 1, 1, tzinfo=UTC), datetime(2024, 1, 2, tzinfo=UTC))

FORKED = """
import os, sys, time
from pathlib import Path
import pyarrow as pa
import pyiceberg.catalog.sql, pyiceberg.io.pyarrow
import floe_dagster.lakehouse.iceberg_write
from floe_dagster.lakehouse.catalog import Catalog
from floe_dagster.lakehouse.settings import LakehouseSettings

folder, processes = Path(sys.argv[1]), int(sys.argv[2])

def work(number, catalog):
{body}

start = time.monotonic() + 0.5
children = []
for number in range(processes):
    child = os.fork()
    if not child:
        time.sleep(max(0.0, start - time.monotonic()))
        try:
            work(number, Catalog(LakehouseSettings.embedded(folder)))
        except BaseException as error:
            print(number, type(error).__name__, error, flush=True)
            os._exit(1)
        os._exit(0)
    children.append(child)
sys.exit(sum(os.waitpid(child, 0)[1] != 0 for child in children))
"""


def work_at_once(folder: Path, body: str) -> None:
    """Run *body* in processes of their own, which all begin at one moment and share nothing that is open."""
    script = FORKED.format(body="\n".join(f"    {line}" for line in dedent(body).strip().splitlines()))
    command = [sys.executable, "-W", "error", "-c", script, str(folder), str(PROCESSES)]
    result = subprocess.run(command, capture_output=True, check=False, text=True, timeout=240)
    assert (result.returncode, result.stdout, result.stderr) == (0, "", "")


@pytest.fixture
def catalog(tmp_path: Path) -> Iterator[Catalog]:
    catalog = Catalog(LakehouseSettings.embedded(tmp_path))
    yield catalog
    catalog.close()


class TestManyWriters:
    def test_several_processes_fill_a_new_catalog_at_once(self, tmp_path: Path, catalog: Catalog) -> None:
        work_at_once(
            tmp_path,
            """
            catalog.write_table(f"bronze.own_{number}", pa.table({"number": [number] * 10}))
            for turn in range(3):
                rows = pa.table({"number": [number] * 10, "turn": [turn] * 10})
                catalog.write_table("bronze.shared", rows, mode="append")
            """,
        )

        names = [f"bronze.own_{number}" for number in range(PROCESSES)]
        assert catalog.list_tables() == [*names, "bronze.shared"]
        for number, name in enumerate(names):
            assert catalog.read_table(name).to_pydict() == {"number": [number] * 10}
        shared = catalog.read_table("bronze.shared")
        counted = Counter(zip(*shared.to_pydict().values(), strict=True))
        assert counted == {(number, turn): 10 for number in range(PROCESSES) for turn in range(3)}

    def test_of_overwrites_at_once_one_stays_whole(self, tmp_path: Path, catalog: Catalog) -> None:
        work_at_once(
            tmp_path,
            """
            for turn in range(3):
                catalog.write_table("gold.totals", pa.table({"number": [number] * (number + 1)}))
            """,
        )

        numbers = catalog.read_table("gold.totals").column("number").to_pylist()
        assert numbers == [numbers[0]] * (numbers[0] + 1)
        assert len(catalog.load_table("gold.totals").history()) == 3 * PROCESSES

    def test_partitions_are_replaced_at_once(self, tmp_path: Path, catalog: Catalog) -> None:
        work_at_once(
            tmp_path,
            """
            from floe_dagster.lakehouse.tables import PartitionKeys
            for turn in range(3):
                rows = pa.table({"part": [number] * 10, "turn": [turn] * 10})
                catalog.write_table("silver.parts", rows, partition=PartitionKeys("part", (str(number),)))
            """,
        )

        rows = catalog.read_table("silver.parts")
        assert Counter(rows.column("part").to_pylist()) == dict.fromkeys(range(PROCESSES), 10)
        assert set(rows.column("turn").to_pylist()) == {2}

    def test_partitions_of_two_dimensions_that_share_a_file_are_replaced_at_once(
        self, tmp_path: Path, catalog: Catalog
    ) -> None:
        days, regions = [f"2024-01-0{day + 1}" for day in range(PROCESSES // 2)], ["eu", "us"]
        cells = [(day, region) for day in days for region in regions]
        old = {"day": [day for day, _ in cells], "region": [region for _, region in cells], "turn": [-1] * len(cells)}
        catalog.write_table("silver.cells", pa.table(old))

        work_at_once(
            tmp_path,
            """
            from datetime import datetime, timedelta
            from floe_dagster.lakehouse.tables import PartitionDimensions, PartitionKeys, PartitionWindow
            start, region = datetime(2024, 1, 1) + timedelta(days=number // 2), ["eu", "us"][number % 2]
            window = PartitionWindow("day", start, start + timedelta(days=1))
            partition = PartitionDimensions((window, PartitionKeys("region", (region,))))
            for turn in range(2):
                rows = {"day": [str(start.date())] * 3, "region": [region] * 3, "turn": [turn] * 3}
                catalog.write_table("silver.cells", pa.table(rows), partition=partition)
            """,
        )

        rows = catalog.read_table("silver.cells").to_pydict()
        assert Counter(zip(rows["day"], rows["region"], strict=True)) == dict.fromkeys(cells, 3)
        assert set(rows["turn"]) == {1}

    def test_each_process_brings_a_column_of_its_own(self, tmp_path: Path, catalog: Catalog) -> None:
        work_at_once(
            tmp_path,
            """
            for turn in range(2):
                catalog.write_table("bronze.wide", pa.table({"id": [1], f"column_{number}": [turn]}), mode="append")
            """,
        )

        rows = catalog.read_table("bronze.wide")
        assert rows.num_rows == 2 * PROCESSES
        for number in range(PROCESSES):
            values = rows.column(f"column_{number}").to_pylist()
            assert sorted(value for value in values if value is not None) == [0, 1]

    def test_a_table_is_read_while_it_is_written(self, tmp_path: Path, catalog: Catalog) -> None:
        catalog.write_table("bronze.t", pa.table({"value": [0] * 100}))

        work_at_once(
            tmp_path,
            """
            for turn in range(5):
                if number == 0:
                    catalog.write_table("bronze.t", pa.table({"value": [turn] * 100}))
                else:
                    values = catalog.read_table("bronze.t").column("value").to_pylist()
                    assert values == [values[0]] * 100, values
            """,
        )

        assert catalog.read_table("bronze.t").to_pydict() == {"value": [4] * 100}


class TestInterruptions:
    def test_a_writer_that_is_killed_leaves_the_table_as_it_was(self, tmp_path: Path, catalog: Catalog) -> None:
        catalog.write_table("bronze.t", pa.table({"id": [1]}))
        script = f"""
        import time
        from pathlib import Path
        import pyarrow as pa
        from floe_dagster.lakehouse.catalog import Catalog
        from floe_dagster.lakehouse.settings import LakehouseSettings

        def rows():
            yield pa.record_batch({{"id": [2]}})
            print("writing", flush=True)
            time.sleep(60)

        reader = pa.RecordBatchReader.from_batches(pa.schema([("id", pa.int64())]), rows())
        Catalog(LakehouseSettings.embedded(Path({str(tmp_path)!r}))).write_table("bronze.t", reader)
        """
        with subprocess.Popen([sys.executable, "-c", dedent(script)], stdout=subprocess.PIPE) as writer:
            assert writer.stdout is not None
            assert writer.stdout.readline() == b"writing\n"
            writer.send_signal(signal.SIGKILL)

        assert catalog.read_table("bronze.t").to_pydict() == {"id": [1]}
        catalog.write_table("bronze.t", pa.table({"id": [3]}))
        assert catalog.read_table("bronze.t").to_pydict() == {"id": [3]}

    def test_a_write_gives_up_in_the_end_and_leaves_no_files(
        self, tmp_path: Path, catalog: Catalog, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        from pyiceberg.exceptions import CommitFailedException
        from pyiceberg.table import Transaction

        def always_lose(transaction: Transaction) -> None:
            raise CommitFailedException("Table has been updated by another process")

        catalog.write_table("bronze.t", pa.table({"id": [1]}))
        files = sorted(tmp_path.rglob("*.parquet"))
        monkeypatch.setattr(Transaction, "commit_transaction", always_lose)
        monkeypatch.setattr("floe_dagster.lakehouse.iceberg_write._SECONDS_TO_COMMIT", 0.2)

        with pytest.raises(CatalogError, match="FLOE-408"):
            catalog.write_table("bronze.t", pa.table({"id": [2]}))

        assert sorted(tmp_path.rglob("*.parquet")) == files


class TestSize:
    def test_a_stream_is_written_in_less_memory_than_it_has(self, tmp_path: Path) -> None:
        script = f"""
        import resource
        from pathlib import Path
        import pyarrow as pa
        import pyarrow.compute as pc
        from floe_dagster.lakehouse.catalog import Catalog
        from floe_dagster.lakehouse.settings import LakehouseSettings

        def peak():
            return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024

        catalog = Catalog(LakehouseSettings.embedded(Path({str(tmp_path)!r})))
        batch = pa.record_batch({{str(i): pa.array([i] * 200_000) for i in range(10)}})

        def copies():
            for number in range(30):
                columns = [pc.add(column, number) for column in batch.columns]
                yield pa.RecordBatch.from_arrays(columns, schema=batch.schema)

        catalog.write_table("bronze.small", batch)
        before = peak()
        catalog.write_table("bronze.large", pa.RecordBatchReader.from_batches(batch.schema, copies()))
        print(batch.nbytes * 30 // 1024**2, peak() - before)
        """
        result = subprocess.run([sys.executable, "-c", dedent(script)], capture_output=True, text=True, check=True)

        size, used = map(int, result.stdout.split())
        assert size > 450
        assert used < size / 2


class TestDagster:
    def test_assets_get_it_by_annotation_and_by_name(self, tmp_path: Path) -> None:
        @dg.asset
        def bronze_customers(catalog: CatalogResource) -> dg.MaterializeResult:  # type: ignore[type-arg]  # no value
            written = catalog.write_table("bronze.customers", pa.table({"id": [1, 2]}))
            return dg.MaterializeResult(metadata={"rows": written.rows, "snapshot": written.snapshot_id})

        @dg.asset(deps=[bronze_customers], required_resource_keys={"catalog"})
        def customer_count(context: dg.AssetExecutionContext) -> int:
            return int(context.resources.catalog.read_table("bronze.customers").num_rows)

        result = dg.materialize(
            [bronze_customers, customer_count], resources={"catalog": CatalogResource.embedded(tmp_path)}
        )

        assert result.output_for_node("customer_count") == 2

    def test_its_configuration_names_secrets_and_does_not_hold_them(self, monkeypatch: pytest.MonkeyPatch) -> None:
        settings = LakehouseSettings(
            {"type": "rest", "uri": "https://example.com", "token": "hidden"}, secrets={"token": "CATALOG_TOKEN"}
        )

        resource = CatalogResource.of(settings)

        assert resource.secrets == {"token": "CATALOG_TOKEN"}
        definitions = dg.Definitions(resources={"catalog": resource})
        shown = definitions.get_repository_def().get_top_level_resources()["catalog"]
        assert "hidden" not in f"{resource!r} {shown.config_schema.default_value if shown.config_schema else ''}"

    def test_it_can_be_sent_to_another_process(self, tmp_path: Path) -> None:
        resource = CatalogResource.embedded(tmp_path)
        resource.write_table("bronze.t", pa.table({"id": [1]}))

        sent = pickle.loads(pickle.dumps(resource))

        assert sent.read_table("bronze.t").to_pydict() == {"id": [1]}

    def test_it_is_imported_without_the_clients(self) -> None:
        script = (
            "import sys; import floe_dagster.resources.catalog;"
            " print(sorted({'pyiceberg', 'pyarrow', 'duckdb', 'dbt'} & sys.modules.keys()))"
        )

        result = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)

        assert result.stdout.strip() == "[]"

    def test_a_wait_for_dbt_is_told_in_the_log_of_the_run(
        self, tmp_path: Path, capfd: pytest.CaptureFixture[str]
    ) -> None:
        duckdb.connect(tmp_path / "floe.duckdb").close()
        turn = Turn(tmp_path / "floe.duckdb")
        with ThreadPoolExecutor() as other:
            other.submit(turn.take, print).result()

        @dg.asset
        def tables(catalog: CatalogResource) -> int:
            Timer(0.5, turn.give_back).start()
            return len(catalog.list_tables())

        result = dg.materialize([tables], resources={"catalog": CatalogResource.embedded(tmp_path)})

        assert result.success
        (told,) = (line for line in capfd.readouterr().err.splitlines() if "waiting for" in line)
        assert " - tables - waiting for " in told
        assert f"(process {os.getpid()}) is using" in told

    def test_what_it_takes_and_returns_is_imported_with_it(self, tmp_path: Path) -> None:
        catalog = CatalogResource.embedded(tmp_path)
        rows = pa.table({"part": ["a"]})

        written = catalog.write_table("bronze.t", rows, partition=PartitionKeys("part", ("a",)))

        assert isinstance(written, Snapshot)
        catalog.write_table(
            "bronze.u",
            rows.append_column("at", [["2024-01-01"]]),
            partition=PartitionWindow("at", *DAY),
            mode="overwrite",
        )
        assert catalog.list_tables() == ["bronze.t", "bronze.u"]
