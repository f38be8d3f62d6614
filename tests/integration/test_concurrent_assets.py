"""Many assets that write to the embedded lakehouse at the same time, each in a process of its own."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from floe_dagster.resources import CatalogResource

ROUNDS = int(os.environ.get("FLOE_CONCURRENT_ROUNDS", "1"))  # by hand: more
WRITERS = 4
FILES = {
    "floe.yaml": """
orchestration:
  asset_modules: [.assets]
  jobs:
    load: {type: batch, selection: ["group:bronze"], executor: at_once}
""",
    "platform.yaml": f"""
execution:
  at_once: {{type: multiprocess, max_concurrent: {WRITERS}, start_method: forkserver}}
""",
    "assets.py": f"""
import pyarrow as pa

from floe_dagster import floe_asset


def table_asset(number):
    @floe_asset(name=f"bronze_{{number}}", group_name="bronze", outputs=[f"bronze.table_{{number}}"])
    def build() -> pa.Table:
        return pa.table({{"id": range(1000 * number), "writer": [number] * 1000 * number}})

    return build


tables = [table_asset(number) for number in range(1, {WRITERS + 1})]
""",
}


@pytest.fixture
def project(tmp_path: Path) -> Path:
    for name, text in FILES.items():
        (tmp_path / name).write_text(text)
    return tmp_path


@pytest.mark.timeout(600)
def test_assets_write_at_once_and_no_row_is_lost(project: Path) -> None:
    reports = [_run_job(project) for _ in range(ROUNDS)]

    assert [report["status"] for report in reports] == ["success"] * ROUNDS
    catalog = CatalogResource.embedded(project / ".floe")
    for number in range(1, WRITERS + 1):
        table = catalog.read_table(f"bronze.table_{number}")
        assert sorted(table["id"].to_pylist()) == list(range(1000 * number))
        assert set(table["writer"].to_pylist()) == {number}


def _run_job(project: Path) -> dict[str, object]:
    done = subprocess.run(
        [Path(sys.executable).with_name("floe"), "run", "load", "--project", project, "--format", "json"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    report: dict[str, object] = json.loads(done.stdout)
    return report
