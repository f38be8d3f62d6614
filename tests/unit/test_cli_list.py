"""`floe list` in this process, on a project without dbt."""

import json
from pathlib import Path

import dagster as dg
import pytest
import time_machine

from floe_cli.counts import list_counts
from floe_cli.main import run_command_line
from floe_core.project import ProjectFolder
from floe_core.schemas.platform_spec import embedded_platform
from floe_dagster.running.instance import prepare_dagster_home
from plugins.user_project import UserProject

FILES = {
    "floe.yaml": """
        name: shop
        orchestration:
          asset_modules: [assets]
          partitions:
            daily: {type: time_window, start: "2024-01-01", timezone: Europe/Berlin}
            by_shop:
              type: multi
              partitions:
                day: {type: time_window, start: "2024-01-01"}
                shop: {type: static, partition_keys: [north, south]}
            files: {type: dynamic}
          jobs:
            load:
              type: batch
              selection: [orders]
              description: Read the orders.
          schedules:
            nightly:
              job: load
              cron_schedule: ["0 2 * * *", "@monthly"]
              timezone: Europe/Berlin
              enabled: ${NIGHTLY:false}
            elsewhere:
              job: load
              cron_schedule: "@daily"
              environments: [prod]
          sensors:
            arrival: {type: file_watcher, job: load, path: incoming, poll_interval_seconds: 60}
        """,
    "assets.py": """
        from floe_dagster import floe_asset

        @floe_asset(group_name="bronze", compute_kind="python", inputs=["export.orders"], outputs=["bronze.orders"])
        def orders():
            return {}

        @floe_asset(deps=["orders"])
        def report():
            return {}
        """,
}


@pytest.fixture(autouse=True)
def _project(user_project: UserProject, monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in ("FLOE_PROJECT_DIR", "DAGSTER_HOME"):  # set by the code under test
        monkeypatch.setenv(variable, "")
        monkeypatch.delenv(variable)
    user_project.write(FILES)


def listed(capfd: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert run_command_line(["list", *arguments]) == 0
    return capfd.readouterr().out


def rows(text: str) -> list[list[str]]:
    """The cells of a table; two spaces or more stand between two of them."""
    lines = [line for line in text.splitlines() if line.strip() and "──" not in line]
    return [[cell.strip() for cell in line.strip().split("  ") if cell.strip()] for line in lines]


def test_assets_with_group_kinds_dependencies_and_origin(capfd: pytest.CaptureFixture[str]) -> None:
    assert rows(listed(capfd, "assets")) == [
        ["key", "group", "kinds", "deps", "external", "origin"],
        ["export/orders", "default", "0", "yes"],
        ["orders", "bronze", "python", "1", "no", "assets.py:3"],
        ["report", "default", "1", "no", "assets.py:7"],
    ]


@time_machine.travel("2024-03-30T12:00:00+00:00", tick=False)
def test_schedules_of_this_environment_with_their_next_tick(capfd: pytest.CaptureFixture[str]) -> None:
    assert rows(listed(capfd, "schedules")) == [
        ["name", "job", "cron", "timezone", "enabled", "next tick"],
        # the night in which the clocks go forward: two o'clock does not exist
        ["nightly", "load", "0 2 * * *, @monthly", "Europe/Berlin", "no", "2024-03-31T03:00+02:00"],
    ]


def test_jobs_with_the_number_of_their_assets_and_their_schedules(capfd: pytest.CaptureFixture[str]) -> None:
    assert rows(listed(capfd, "jobs")) == [["name", "assets", "schedules"], ["load", "1", "nightly"]]


def test_what_the_document_alone_knows(capfd: pytest.CaptureFixture[str]) -> None:
    assert rows(listed(capfd, "sensors")) == [
        ["name", "type", "target", "poll interval seconds", "enabled"],
        ["arrival", "file_watcher", "load", "60", "yes"],
    ]


@time_machine.travel("2024-03-30T12:00:00+00:00", tick=False)
def test_partitions_with_their_keys_and_the_assets_that_use_them(
    user_project: UserProject, capfd: pytest.CaptureFixture[str]
) -> None:
    user_project.write({"floe.yaml": FILES["floe.yaml"] + "  assets: {report: {partitions: daily}}\n"})
    with dg.DagsterInstance.from_config(str(_dagster_home(user_project))) as instance:
        instance.add_dynamic_partitions("files", ["b.csv", "a.csv"])

    assert rows(listed(capfd, "partitions")) == [
        ["name", "type", "partitions", "keys", "first", "last", "assets"],
        ["daily", "time_window", "0 0 * * * from 2024-01-01 in Europe/Berlin", "89", "2024-01-01", "2024-03-29", "1"],
        [
            *("by_shop", "multi", "day (0 0 * * * from 2024-01-01 in UTC) × shop (north, south)"),
            *("178", "2024-01-01|north", "2024-03-29|south", "0"),
        ],
        ["files", "dynamic", "keys that are added while it runs", "2", "b.csv", "a.csv", "0"],
    ]


@pytest.mark.requirement("010-FR-028")
def test_ops_jobs_with_their_function(user_project: UserProject, capfd: pytest.CaptureFixture[str]) -> None:
    user_project.write(
        {
            "floe.yaml": """
                orchestration:
                  jobs:
                    tidy: {type: ops, target_function: ops.tidy}
                """,
            "ops.py": "def tidy(): ...\n",
        }
    )

    assert rows(listed(capfd, "jobs")) == [["name", "function"], ["tidy", "ops.tidy"]]


def test_schedules_of_partitioned_jobs_with_the_partitions_that_a_tick_launches(
    user_project: UserProject, capfd: pytest.CaptureFixture[str]
) -> None:
    user_project.write(
        {
            "floe.yaml": """
                orchestration:
                  asset_modules: [assets]
                  partitions: {daily: {type: time_window, start: "2024-01-01"}}
                  assets: {report: {partitions: daily}}
                  schedules:
                    reporting: {selection: [report], cron_schedule: "@daily"}
                    weekly: {selection: [report], cron_schedule: "@weekly", partition_selector: "last:7"}
                    loading: {selection: [orders], cron_schedule: "@daily"}
                """
        }
    )

    schedules = json.loads(listed(capfd, "--format", "json"))["schedules"]
    assert {row["name"]: (row["job"], row["partition_selector"]) for row in schedules} == {
        "loading": ("orders", None),
        "reporting": ("report", "latest"),
        "weekly": ("report", "last:7"),
    }
    assert run_command_line(["validate"]) == 0
    assert capfd.readouterr().err.splitlines()[-1] == (
        "partitions that a tick launches: reporting latest, weekly last:7"
    )


def test_backfills_with_where_they_stand(user_project: UserProject, capfd: pytest.CaptureFixture[str]) -> None:
    user_project.write(
        {
            "floe.yaml": """
                orchestration:
                  asset_modules: [days]
                  jobs:
                    load: {type: batch, selection: [days]}
                  backfills:
                    history: {job: load, partition_range: {start: "2024-01-01", end: "2024-03-29"}}
                    holes: {job: load, partition_keys: [2024-02-03, 2024-01-07], batch_size: 1, on_failure: continue}
                """,
            "days.py": """
                import dagster as dg

                @dg.asset(partitions_def=dg.DailyPartitionsDefinition("2024-01-01"))
                def days() -> None: ...
                """,
        }
    )

    assert rows(listed(capfd, "backfills")) == [
        ["name", "job", "partitions", "number", "batch size", "on failure", "state", "done"],
        ["history", "load", "2024-01-01 to 2024-03-29", "89", "10", "stop", "not started", "0"],
        ["holes", "load", "2024-02-03, 2024-01-07", "2", "1", "continue", "not started", "0"],
    ]


def test_a_machine_gets_everything_and_nothing_else_on_stdout(
    user_project: UserProject, capfd: pytest.CaptureFixture[str]
) -> None:
    user_project.write({"assets.py": FILES["assets.py"] + "\n        print('imported')\n"})

    sections = json.loads(listed(capfd, "--format", "json"))

    assert list(sections) == ["assets", "jobs", "schedules", "sensors", "partitions", "backfills"]
    assert sections["jobs"] == [
        {
            "name": "load",
            "assets": 1,
            "function": None,
            "schedules": ["nightly"],
            "partitions": None,
            "description": "Read the orders.",
        }
    ]


@pytest.mark.filterwarnings("error::dagster.BetaWarning")
def test_a_check_of_assets_with_a_key_prefix_brings_no_warning_of_dagsters(user_project: UserProject) -> None:
    assets = """
import dagster as dg

outside = dg.AssetSpec("outside")


@dg.asset_check(asset="outside")
def fine() -> dg.AssetCheckResult:
    return dg.AssetCheckResult(passed=True)
"""
    modules = "orchestration: {asset_modules: [{module: shop.assets, key_prefix: x}]}\n"
    user_project.write({"shop/__init__.py": "", "shop/assets.py": assets, "floe.yaml": modules, ".git/HEAD": ""})

    assert run_command_line(["list", "assets"]) == 0


def test_counts_for_a_sentence() -> None:
    assert list_counts({"assets": 12, "jobs": 1, "partitions": 2, "sensors": 0}) == (
        "12 assets, 1 job, 2 partitions definitions"
    )
    assert list_counts({"assets": 0}) == "nothing is defined"


def _dagster_home(project: UserProject) -> Path:
    """The home of the project's own instance, as a run would have made it."""
    folder = ProjectFolder(project.path)
    return prepare_dagster_home(folder, embedded_platform()).path
