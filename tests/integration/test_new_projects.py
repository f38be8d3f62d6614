"""What `floe init` writes runs as it is; test_cli.py looks closer at the project with dbt models."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

FLOE = (sys.executable, "-c", "from floe_cli.main import main; main()")


def floe(folder: Path, *args: str) -> str:
    done = subprocess.run([*FLOE, *args], cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_smallest_project(tmp_path: Path) -> None:
    floe(tmp_path, "init", "shop", "--template", "minimal")

    report = json.loads(floe(tmp_path / "shop", "run", "full_pipeline", "--format", "json"))

    assert {asset["key"]: asset["rows"] for asset in report["assets"]} == {"bronze_orders": 12, "daily_revenue": 4}


@pytest.mark.requirement("010-SC-006", "010-FR-041")
def test_a_project_that_is_built_day_by_day(tmp_path: Path) -> None:
    floe(tmp_path, "init", "shop", "--template", "partitioned")

    floe(tmp_path / "shop", "backfill", "all_days")
    again = json.loads(floe(tmp_path / "shop", "run", "full_pipeline", "--partition", "2024-03-02", "--format", "json"))

    assert again["status"] == "success"
    status = json.loads(floe(tmp_path / "shop", "backfill", "all_days", "--status", "--format", "json"))
    assert (status["done"], status["missing"]) == (4, [])
