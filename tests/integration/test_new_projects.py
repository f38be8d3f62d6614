"""What `floe init` writes runs as it is; test_cli.py looks closer at the project with dbt models."""

import json
import subprocess
import sys
from collections import Counter
from datetime import date
from pathlib import Path

import duckdb
import pytest

from floe_dagster.resources import CatalogResource
from plugins.command_line import CommandLine

FLOE = (sys.executable, "-c", "from floe_cli.main import main; main()")


def floe(folder: Path, *args: str) -> str:
    done = subprocess.run([*FLOE, *args], cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_smallest_project(tmp_path: Path) -> None:
    floe(tmp_path, "init", "shop", "--template", "minimal")

    report = json.loads(floe(tmp_path / "shop", "run", "full_pipeline", "--format", "json"))

    assert {asset["key"]: asset["rows"] for asset in report["assets"]} == {"bronze_orders": 12, "daily_revenue": 4}


@pytest.mark.usefixtures("forked_dbt")
@pytest.mark.requirement("010-SC-006", "010-FR-041")
def test_a_project_that_is_built_day_by_day(tmp_path: Path, command_line: CommandLine) -> None:
    floe(tmp_path, "init", "shop", "--template", "partitioned")
    shop = tmp_path / "shop"
    of_shop = ("--project", str(shop))

    first = command_line("backfill", "all_days", *of_shop)
    built = rows_by_day(shop)
    again = command_line("run", "full_pipeline", "--partition", "2024-03-02", *of_shop)

    assert (first.returncode, again.returncode) == (0, 0), f"{first.stderr}\n{again.stderr}"
    days = [date(2024, 3, day) for day in range(1, 5)]
    assert built == rows_by_day(shop) == (dict.fromkeys(days, 3), dict(zip(days, (2, 3, 3, 2), strict=True)))
    status = json.loads(command_line("backfill", "all_days", "--status", "--format", "json", *of_shop).stdout)
    assert (status["done"], status["missing"]) == (4, [])


def rows_by_day(shop: Path) -> tuple[dict[date, int], dict[date, int]]:
    """How many orders of each day the bronze table has, and the model counts without the cancelled ones."""
    stored = CatalogResource.embedded(shop / ".floe").read_table("bronze.orders")["ordered_at"].to_pylist()
    with duckdb.connect(shop / ".floe" / "floe.duckdb", read_only=True) as connection:
        built = connection.sql("select order_date, orders from main_gold.daily_revenue").fetchall()
    return dict(Counter(sorted(at.date() for at in stored))), dict(sorted(built))
