"""Vacuum and compaction beside processes that write and read without pause.

A file is removed as an orphan when it is older than the grace. A test has no hour to wait, so files that have lain
there for seconds are given an old date, and orphans are planted with one; the grace itself is that of a user, an hour.
What must hold is that no row is lost and every kept snapshot can be read; what must happen is that a great many files
go.
"""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import nullcontext
from datetime import timedelta
from pathlib import Path

import pyarrow as pa
import pytest

from floe_core.errors import CatalogError
from floe_core.schemas.platform_spec import SHORTEST_ORPHAN_GRACE
from floe_dagster.lakehouse.maintenance import limits
from floe_dagster.lakehouse.maintenance.report import VacuumedTable
from floe_dagster.resources import CatalogResource
from iceberg_tables import make_old, plant

SECONDS = float(os.environ.get("FLOE_MAINTENANCE_SECONDS", "10"))
SECONDS_IN_FLIGHT = 5
WRITERS = 2
RETENTION = timedelta(seconds=2)

BYSTANDERS = """
import os, sys, time
from pathlib import Path
import pyarrow as pa
import pyiceberg.catalog.sql, pyiceberg.io.pyarrow
import floe_dagster.lakehouse.iceberg_write
from floe_dagster.lakehouse.catalog import Catalog
from floe_dagster.lakehouse.settings import LakehouseSettings

folder, seconds = Path(sys.argv[1]), float(sys.argv[2])

def rows(number, count):
    return pa.table({"writer": [number] * 10, "batch": [count] * 10, "row": list(range(10))})

def append(catalog, number, count):
    catalog.write_table("bronze.appended", rows(number, count), mode="append")

def overwrite(catalog, number, count):
    for mode in ("overwrite", "append"):
        catalog.write_table("bronze.overwritten", rows(number, count), mode=mode)

def read(catalog, number, count):
    for name in ("bronze.appended", "bronze.overwritten"):
        table = catalog.read_table(name)
        batches = table.group_by(["writer", "batch"]).aggregate([("row", "count"), ("row", "sum")])
        for row in batches.to_pylist():
            assert row["row_sum"] * 10 == row["row_count"] * 45, (name, row)

def work(role, number):
    catalog, count = Catalog(LakehouseSettings.embedded(folder)), 0
    while time.time() < start + seconds:
        role(catalog, number, count)
        count += 1
    return count

start = time.time()
print("ready", flush=True)
children = []
for name in sys.argv[3:]:
    role, number = name.split(":")
    child = os.fork()
    if not child:
        try:
            print(role, number, work(globals()[role], int(number)), flush=True)
        except BaseException as error:
            print(role, number, type(error).__name__, error, file=sys.stderr, flush=True)
            os._exit(1)
        os._exit(0)
    children.append(child)
sys.exit(sum(os.waitpid(child, 0)[1] != 0 for child in children))
"""


class Bystanders:
    """Processes that work on the tables without pause until their time is up; they have begun when this is made."""

    def __init__(self, folder: Path, seconds: float, *roles: str) -> None:
        command = [sys.executable, "-c", BYSTANDERS, str(folder), str(seconds), *roles]
        self.process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
        )
        assert self.process.stdout is not None
        assert self.process.stdout.readline() == "ready\n"

    def rounds(self) -> dict[tuple[str, int], int]:
        """How often each did its work, {(role, number): times}; fails where one failed."""
        out, errors = self.process.communicate(timeout=300)
        assert self.process.returncode == 0, errors[-3000:]
        return {(role, int(number)): int(count) for role, number, count in map(str.split, out.splitlines())}


@pytest.fixture
def catalog(tmp_path: Path) -> Iterator[CatalogResource]:
    catalog = CatalogResource.embedded(tmp_path)
    empty = pa.table({"writer": [0], "batch": [0], "row": [0]}).slice(0, 0)
    for name in ("bronze.appended", "bronze.overwritten"):
        catalog.write_table(name, empty)
    yield catalog
    catalog._catalog.close()


def location_of(catalog: CatalogResource, name: str) -> Path:
    return Path(catalog.load_table(name).location())


def make_settled_files_old(folder: Path) -> None:
    """Date files back that have lain there for longer than a commit takes here, which is what the hour stands for."""
    settled = time.time() - SECONDS_IN_FLIGHT
    for path in folder.rglob("*"):
        try:
            status = path.stat()
            if path.is_file() and time.time() - 3600 < status.st_mtime < settled:
                os.utime(path, (status.st_mtime - 10 * 86_400,) * 2)
        except FileNotFoundError:
            continue


def bytes_below(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def check_every_snapshot(catalog: CatalogResource, name: str) -> int:
    """Read each snapshot that the table has; how many these were."""
    snapshots = catalog.load_table(name).snapshots()
    for snapshot in snapshots:
        assert catalog.read_table(name, snapshot_id=snapshot.snapshot_id).num_rows % 10 == 0
    return len(snapshots)


def rows_by_batch(catalog: CatalogResource, name: str) -> dict[tuple[int, int], tuple[int, int]]:
    """{(writer, batch): (rows, sum of rows)}"""
    grouped = catalog.read_table(name).group_by(["writer", "batch"]).aggregate([("row", "count"), ("row", "sum")])
    return {(row["writer"], row["batch"]): (row["row_count"], row["row_sum"]) for row in grouped.to_pylist()}


class Care:
    """Vacuum and compaction, again and again."""

    def __init__(self, catalog: CatalogResource) -> None:
        self.catalog = catalog
        self.expired = self.removed = self.freed = self.compactions = self.contended = self.rounds = 0

    def go_on_for(self, seconds: float) -> None:
        folder = Path(self.catalog.properties["warehouse"])
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            make_settled_files_old(folder)
            for name in ("appended", "overwritten"):
                plant(folder / "bronze" / name / "data" / f"lost-{self.rounds}.parquet")
            compacted = self.catalog.compact(min_files=4)
            self.compactions += sum(len(table.snapshots) for table in compacted.tables)
            self.contended += sum("contended" in skipped.reason for skipped in compacted.skipped)
            vacuumed = self.catalog.vacuum(older_than=RETENTION, grace="1h", dry_run=False)
            for table in vacuumed.tables:
                self.add(table)
            self.rounds += 1

    def add(self, table: VacuumedTable) -> None:
        assert table.orphans is not None
        self.expired += len(table.snapshots.expired)
        self.removed += table.orphans.files
        self.freed += table.orphans.bytes


def test_no_row_is_lost_beside_processes_that_write_without_pause(
    catalog: CatalogResource, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    roles = [f"{role}:{number}" for role in ("append", "overwrite") for number in range(WRITERS)]
    bystanders = Bystanders(tmp_path, SECONDS, *roles, "read:0")
    care = Care(catalog)

    care.go_on_for(SECONDS)
    rounds = bystanders.rounds()
    before_the_end = bytes_below(tmp_path / "warehouse")
    kept = sum(check_every_snapshot(catalog, name) for name in ("bronze.appended", "bronze.overwritten"))
    rows = rows_by_batch(catalog, "bronze.appended")
    make_old(tmp_path / "warehouse")
    catalog.compact(min_files=2)
    make_old(tmp_path / "warehouse")
    catalog.vacuum(older_than=timedelta(milliseconds=1), grace="1h", dry_run=False)

    with capsys.disabled():
        print(
            f"\n{SECONDS:.0f} s: {rounds}; {care.rounds} rounds of care: {care.expired} snapshots expired, "
            f"{care.removed} files and {care.freed} bytes removed, {care.compactions} compactions and {care.contended} "
            f"contended; {kept} snapshots read; {before_the_end} bytes, then {bytes_below(tmp_path / 'warehouse')}"
        )
    assert rows == {(writer, batch): (10, 45) for writer in range(WRITERS) for batch in range(rounds["append", writer])}
    assert rows_by_batch(catalog, "bronze.appended") == rows
    assert all(count % 10 == 0 for count, _ in rows_by_batch(catalog, "bronze.overwritten").values())
    assert care.expired > 0
    assert care.removed > 2 * care.rounds  # more than was planted
    assert care.compactions > 0
    assert bytes_below(tmp_path / "warehouse") < before_the_end
    measured = catalog.statistics("*").tables
    assert [(table.snapshots, table.unreferenced_files) for table in measured] == [(1, 0), (1, 0)]


@pytest.mark.parametrize("floor", [timedelta(0), SHORTEST_ORPHAN_GRACE], ids=["no grace", "an hour"])
def test_nothing_but_the_grace_keeps_the_files_of_a_write_under_way(
    catalog: CatalogResource, monkeypatch: pytest.MonkeyPatch, floor: timedelta
) -> None:
    """That the test above can fail: without the grace, a commit names files that are gone."""
    monkeypatch.setattr(limits, "SHORTEST_ORPHAN_GRACE", floor)
    row = pa.table({"writer": [1], "batch": [1], "row": [1]})

    with catalog.load_table("bronze.appended").transaction() as write:
        write.append(row)
        grace = max(floor, timedelta(microseconds=1))
        removed = catalog.remove_orphans("bronze.appended", grace=grace, dry_run=False)

    kept = floor > timedelta(0)
    assert (sum(table.files for table in removed.tables) == 0) is kept
    with nullcontext() if kept else pytest.raises((FileNotFoundError, CatalogError)):
        assert catalog.read_table("bronze.appended").num_rows == 1
