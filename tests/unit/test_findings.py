"""What is told beside a mistake, and what only follows from it."""

import json

import pytest

from floe_cli.main import run_command_line
from plugins.user_project import UserProject

ASSETS = """
import dagster as dg


@dg.asset
def clicks() -> None: ...


@dg.asset(deps=[clicks])
def orders() -> None: ...
"""
FLOE_YAML = """
orchestration:
  asset_modules: [shop.assets]
  partitions:
    daily: {type: time_window, start: "2024-01-01"}
    regions: {type: static, partition_keys: [eu, us]}
  assets:
    clicks: {partitions: daily}
    orders: {partitions: regions}
  jobs:
    load: {type: batch, selection: [clicks]}
    both: {type: batch, selection: "*"}
  schedules:
    nightly: {job: load, cron_schedule: "@daily", partition_selector: "key:2023-01-01"}
  backfills:
    history: {job: load, partition_range: {start: 2023-01-01, end: 2024-01-05}}
"""


@pytest.mark.requirement("010-FR-017", "010-FR-047")
def test_partitions_that_do_not_lead_upstream_hide_no_mistake_in_what_launches_them(
    user_project: UserProject, capsys: pytest.CaptureFixture[str]
) -> None:
    user_project.write({"shop/__init__.py": "", "shop/assets.py": ASSETS, "floe.yaml": FLOE_YAML, ".git/HEAD": ""})

    assert run_command_line(["validate", "--format=json"]) == 1

    problems = json.loads(capsys.readouterr().out)["problems"]
    assert [(problem["line"], problem["code"]) for problem in problems if problem["severity"] == "error"] == [
        (8, "FLOE-383"),
        (11, "FLOE-351"),
        (13, "FLOE-340"),
        (15, "FLOE-358"),
    ]


TWICE = """
import dagster as dg


@dg.asset
def clicks() -> None: ...


load = dg.define_asset_job("load", selection="clicks")


@dg.schedule(job=load, cron_schedule="@daily")
def nightly() -> dg.RunRequest:
    return dg.RunRequest()
"""


@pytest.mark.requirement("010-FR-047")
def test_one_name_of_two_hides_no_other_and_nothing_that_launches_them(
    user_project: UserProject, capsys: pytest.CaptureFixture[str]
) -> None:
    floe_yaml = """
    orchestration:
      asset_modules: [shop.assets]
      jobs:
        load: {type: batch, selection: [clicks]}
      schedules:
        nightly: {job: load, cron_schedule: "@daily"}
        weekly: {job: load, cron_schedule: "@weekly", partition_selector: latest}
    """
    user_project.write({"shop/__init__.py": "", "shop/assets.py": TWICE, "floe.yaml": floe_yaml, ".git/HEAD": ""})

    assert run_command_line(["validate", "--format=json"]) == 1

    problems = json.loads(capsys.readouterr().out)["problems"]
    assert [(problem["line"], problem["code"]) for problem in problems] == [
        (4, "FLOE-360"),
        (6, "FLOE-360"),
        (7, "FLOE-356"),
    ]
