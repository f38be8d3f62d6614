"""`floe run --partition` as a user has it: a process, its streams and its exit code."""

import json
import os
import subprocess
import sys
from pathlib import Path
from textwrap import dedent
from typing import Any

import dagster as dg
import pytest

from plugins.command_line import CommandLine

FLOE = (sys.executable, "-c", "from floe_cli.main import main; main()")
FILES = {
    "floe.yaml": """
        name: shop
        orchestration:
          asset_modules: [assets]
          partitions:
            daily: {type: time_window, start: 2024-03-01, end: 2024-03-06}
            sales:
              type: multi
              partitions:
                day: {type: time_window, start: 2024-03-01, end: 2024-03-03}
                region: {type: static, partition_keys: [eu, us]}
          assets:
            orders: {partitions: daily}
            whole: {partitions: daily, backfill_policy: single_run}
            totals: {partitions: sales}
          jobs:
            by_day: {type: batch, selection: [orders, plain]}
            in_one_go: {type: batch, selection: [whole]}
            by_pair: {type: batch, selection: [totals]}
            without: {type: batch, selection: [plain]}
        """,
    "assets.py": """
        import dagster as dg
        import pyarrow as pa
        from floe_dagster.assets import floe_asset

        @dg.asset
        def plain() -> None: ...

        @dg.asset
        def orders(context: dg.AssetExecutionContext) -> None:
            if context.partition_key == "2024-03-04":
                raise ValueError("no export of that day")

        @floe_asset(outputs="shop.whole", partition_column="day")
        def whole(context: dg.AssetExecutionContext) -> pa.Table:
            return pa.table({"day": list(context.partition_keys) * 3})

        @dg.asset
        def totals() -> None: ...
        """,
    "pyproject.toml": "",
}


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("shop")
    for name, text in FILES.items():
        (folder / name).write_text(dedent(text))
    return folder


def run(shop: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("DAGSTER_", "FLOE_"))}
    return subprocess.run([*FLOE, "run", *arguments], cwd=shop, env=kept, capture_output=True, text=True, check=False)


def materialized(shop: Path, asset: str) -> list[str]:
    with dg.DagsterInstance.from_config(str(shop / ".floe" / "dagster_home")) as instance:
        return sorted(instance.get_materialized_partitions(dg.AssetKey(asset)))


def test_a_range_is_run_partition_by_partition(shop: Path) -> None:
    finished = run(shop, "by_day", "--partition", "2024-03-01..2024-03-03", "--format", "json")

    assert finished.returncode == 0, finished.stderr
    report: dict[str, Any] = json.loads(finished.stdout)
    assert (report["job"], report["status"], report["not_started"]) == ("by_day", "success", [])
    assert [one["partition"] for one in report["runs"]] == ["2024-03-01", "2024-03-02", "2024-03-03"]
    assert {asset["key"]: asset["partition"] for asset in report["runs"][0]["assets"]} == {
        "orders": "2024-03-01",
        "plain": None,
    }
    assert materialized(shop, "orders") == ["2024-03-01", "2024-03-02", "2024-03-03"]
    assert "2024-03-02 (2 of 3)" in finished.stderr


def test_the_first_failure_is_the_last_run(shop: Path, command_line: CommandLine) -> None:
    finished = command_line("run", "by_day", "--partition", "2024-03-04..2024-03-05", "--project", str(shop))

    assert finished.returncode == 3
    lines = [line.split() for line in finished.stderr.splitlines()]
    assert ["2024-03-04", "failed", "1", "of", "2"] in [line[:5] for line in lines]
    assert ["2024-03-05", "not", "started"] in lines
    assert "ValueError: no export of that day" in finished.stderr
    assert "by_day: 0 of 2 runs succeeded" in finished.stderr
    assert "2024-03-05" not in materialized(shop, "orders")


def test_assets_that_take_ranges_get_one_run(shop: Path, command_line: CommandLine) -> None:
    finished = command_line("run", "in_one_go", "--partition", "last:4", "--format", "json", "--project", str(shop))

    assert finished.returncode == 0, finished.stderr
    report: dict[str, Any] = json.loads(finished.stdout)
    assert (report["partition"], report["status"]) == ("2024-03-02..2024-03-05", "success")
    assert report["assets"][0]["partition"] == "2024-03-02..2024-03-05"
    assert report["assets"][0]["rows"] == 12
    assert materialized(shop, "whole") == ["2024-03-02", "2024-03-03", "2024-03-04", "2024-03-05"]


def test_the_rows_of_one_partition_are_shown(shop: Path, command_line: CommandLine) -> None:
    finished = command_line("run", "in_one_go", "--partition", "2024-03-02", "--format", "json", "--project", str(shop))

    assert finished.returncode == 0, finished.stderr
    assert json.loads(finished.stdout)["assets"][0]["rows"] == 3


def test_a_pair_of_keys_is_a_partition(shop: Path, command_line: CommandLine) -> None:
    finished = command_line("run", "by_pair", "--partition", "2024-03-01|us", "--project", str(shop))

    assert finished.returncode == 0, finished.stderr
    assert "totals [2024-03-01|us]" in finished.stderr
    assert materialized(shop, "totals") == ["2024-03-01|us"]


def test_nothing_is_run_for_partitions_that_a_job_cannot_have(shop: Path, command_line: CommandLine) -> None:
    missing = command_line("run", "by_day", "--project", str(shop))
    unknown = command_line("run", "by_day", "--partition", "2024-03-06", "--project", str(shop))
    too_many = command_line("run", "without", "--partition", "latest", "--project", str(shop))

    assert [finished.returncode for finished in (missing, unknown, too_many)] == [2, 2, 2]
    assert "error[FLOE-424]: job 'by_day' is partitioned, and no partition is named" in missing.stderr
    assert "or latest ('2024-03-05')" in missing.stderr
    assert "error[FLOE-340]: job 'by_day' has no partition '2024-03-06'" in unknown.stderr
    assert "fix: name one from '2024-03-01' to '2024-03-05'" in unknown.stderr
    assert "error[FLOE-424]: job 'without' has no partitions, and partition 'latest' is asked for" in too_many.stderr
