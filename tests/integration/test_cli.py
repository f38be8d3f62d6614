"""The command line as a user has it: a process, its streams and its exit code, on the project of `floe init`."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from shutil import copytree, rmtree
from typing import Any

import pytest

from plugins.command_line import CommandLine

FLOE = (sys.executable, "-c", "from floe_cli.main import main; main()")
ASSETS = ["bronze_orders", "gold/daily_revenue", "silver/stg_orders"]
TRANSLATOR = """
from dagster_dbt import DagsterDbtTranslator


class Marked(DagsterDbtTranslator):
    def get_tags(self, dbt_resource_props):
        return {**super().get_tags(dbt_resource_props), "mark": "own"}
"""
ORDERS = "from floe_dagster import floe_asset\n\n\n@floe_asset\ndef orders(): ...\n"
SLOW_ASSET = """
import time

from floe_dagster import floe_asset


@floe_asset(group_name="slow")
def slow() -> None:
    print("sleeping", flush=True)
    time.sleep(120)
"""


def environment(**variables: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("DAGSTER_", "FLOE_"))}
    return {**kept, **variables}


def floe(project: Path, *arguments: str, env: Mapping[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*FLOE, *arguments], cwd=project, env=env or environment(), capture_output=True, text=True, check=False
    )


@contextmanager
def started(project: Path, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    """A floe process in a process group of its own, none of which outlives the block."""
    process = subprocess.Popen(
        [*FLOE, *arguments], cwd=project, env=environment(), stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    try:
        yield process
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        assert process.stderr is not None
        process.stderr.close()


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The project of `floe init shop`, compiled and run once."""
    folder = tmp_path_factory.mktemp("cli")
    made = floe(folder, "init", "shop")
    assert made.returncode == 0, made.stderr
    return folder / "shop"


@pytest.fixture(scope="module")
def first_run(shop: Path) -> subprocess.CompletedProcess[str]:
    return floe(shop, "run", "full_pipeline")


@pytest.fixture
def own_shop(shop: Path, first_run: subprocess.CompletedProcess[str], tmp_path: Path) -> Path:
    """A copy of the project that the test may break."""
    return Path(copytree(shop, tmp_path / "shop"))


@pytest.mark.requirement("010-FR-001", "010-FR-006", "010-FR-020")
def test_a_new_project_runs_at_once(shop: Path, first_run: subprocess.CompletedProcess[str]) -> None:
    assert first_run.returncode == 0, first_run.stderr
    assert first_run.stdout == ""
    lines = [line.split() for line in first_run.stderr.splitlines()]
    assert ["bronze_orders", "bronze", "built", "12"] in [line[:4] for line in lines]
    assert ["silver/stg_orders", "silver", "built"] in [line[:3] for line in lines]
    assert ["gold/daily_revenue", "gold", "built"] in [line[:3] for line in lines]
    assert "5 checks: 5 passed" in first_run.stderr
    assert "full_pipeline succeeded in" in first_run.stderr
    assert "in Dagster's UI: floe dev, then http://127.0.0.1:3000/runs/" in first_run.stderr


def test_nothing_is_written_into_the_users_tree(shop: Path, first_run: subprocess.CompletedProcess[str]) -> None:
    ignored = {".floe", "__pycache__"}
    files = {path.relative_to(shop) for path in shop.rglob("*") if path.is_file() and not ignored & set(path.parts)}

    assert {path.parts[0] for path in files} == {".gitignore", "data", "dbt", "floe.yaml", "pyproject.toml", "shop"}
    assert not {path for path in files if path.suffix not in {".py", ".sql", ".yml", ".yaml", ".csv", ".toml", ""}}
    assert (shop / ".floe" / ".gitignore").read_text().endswith("*\n")


@pytest.mark.requirement("010-FR-046")
@pytest.mark.usefixtures("first_run")
def test_validate_resolves_everything_and_counts_it(
    shop: Path, command_line: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(shop)

    finished = command_line("validate")

    assert (finished.returncode, finished.stdout) == (0, "")
    assert finished.stderr.splitlines()[-1] == "floe.yaml is valid: 3 assets, 2 jobs, 1 schedule"


@pytest.mark.requirement("010-FR-027", "010-FR-045")
@pytest.mark.usefixtures("first_run")
def test_list_shows_what_is_in_effect_here(
    shop: Path, command_line: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(shop.parent)
    monkeypatch.setenv("SCHEDULES_ENABLED", "true")

    finished = command_line("list", "--project", "shop", "--format", "json")

    assert finished.returncode == 0, finished.stderr
    assert "parsing" not in finished.stderr  # what the run compiled is still current
    sections = json.loads(finished.stdout)
    assert {asset["key"]: asset["deps"] for asset in sections["assets"]} == {
        "bronze_orders": [],
        "gold/daily_revenue": ["silver/stg_orders"],
        "silver/stg_orders": ["bronze_orders"],
    }
    assert [(job["name"], job["assets"]) for job in sections["jobs"]] == [("full_pipeline", 3), ("refresh_revenue", 3)]
    (schedule,) = sections["schedules"]
    assert (schedule["cron"], schedule["timezone"], schedule["enabled"]) == (["0 6 * * *"], "UTC", True)
    assert schedule["next_tick"].endswith("T06:00+00:00")


@pytest.mark.requirement("010-FR-047")
def test_a_broken_asset_shows_the_users_line_and_leaves_with_3(tmp_path: Path) -> None:
    assert floe(tmp_path, "init", "shop", "--template", "minimal").returncode == 0
    module = tmp_path / "shop" / "shop" / "assets" / "orders.py"
    module.write_text(module.read_text().replace("orders.csv", "ordres.csv"))

    finished = floe(tmp_path / "shop", "run", "full_pipeline")

    assert finished.returncode == 3
    assert "shop/assets/orders.py:17 in bronze_orders" in finished.stderr
    assert "ordres.csv" in finished.stderr
    assert "Traceback" not in finished.stderr
    assert "site-packages" not in finished.stderr
    assert "full_pipeline failed in" in finished.stderr


def test_what_fails_in_dbt_is_why_the_rest_is_skipped(own_shop: Path) -> None:
    models = own_shop / "dbt" / "models"
    orders = models / "silver" / "stg_orders.sql"
    orders.write_text(orders.read_text().replace("quantity * unit_price as amount", "null as amount"))
    (models / "silver" / "refunds.sql").write_text(
        "select\n    order_id,\n    custmer\nfrom {{ source('bronze', 'orders') }}\n"
    )
    (models / "gold" / "refund_report.sql").write_text("select * from {{ ref('refunds') }}\n")
    (models / "silver" / "doubled.sql").write_text("select 2 * order_id as id from {{ source('bronze', 'orders') }}\n")
    (models / "gold" / "report_on_doubled.sql").write_text("select * from {{ ref('doubled') }}\n")
    (models / "silver" / "unit.yml").write_text("""
unit_tests:
  - name: twice_as_much
    model: doubled
    given: [{input: "source('bronze', 'orders')", rows: [{order_id: 1}]}]
    expect: {rows: [{id: 3}]}
""")

    finished = floe(own_shop, "run", "full_pipeline", "--format", "json")

    assert finished.returncode == 3
    report = json.loads(finished.stdout)
    assert (report["job"], report["status"], report["url"]) == ("full_pipeline", "failure", None)
    assert {asset["key"]: (asset["status"], asset["because"]) for asset in report["assets"]} == {
        "bronze_orders": ("materialized", []),
        "silver/refunds": ("failed", []),
        "gold/refund_report": ("skipped", ["silver/refunds"]),
        "silver/stg_orders": ("materialized", []),
        "gold/daily_revenue": ("skipped", ["check silver/stg_orders: not_null_stg_orders_amount"]),
        "silver/doubled": ("skipped", ["unit test twice_as_much"]),
        "gold/report_on_doubled": ("skipped", ["unit test twice_as_much"]),
    }
    (failure,) = report["failures"]
    assert failure["assets"] == ["silver/refunds"]
    assert 'Referenced column "custmer" not found' in failure["error"]
    assert "this is line 3 of dbt/models/silver/refunds.sql" in failure["error"]
    assert "Failure in unit_test twice_as_much" in failure["error"]
    assert "Traceback" not in finished.stderr


def test_what_was_compiled_of_dbt_is_compiled_again_where_it_is_gone(own_shop: Path, command_line: CommandLine) -> None:
    rmtree(own_shop / ".floe" / "dbt")

    finished = command_line("list", "jobs", "--project", str(own_shop))

    assert finished.returncode == 0, finished.stderr
    assert "parsing the dbt project" in finished.stderr
    assert "full_pipeline" in finished.stdout


def test_a_dbt_translator_may_be_one_of_the_projects_own_modules(shop: Path, tmp_path: Path) -> None:
    own = Path(copytree(shop, tmp_path / "work" / "shop", ignore=lambda _, names: {".floe"} & set(names)))
    (own / "shop" / "translators.py").write_text(TRANSLATOR)
    text = (own / "floe.yaml").read_text()
    (own / "floe.yaml").write_text(
        text.replace("project_dir: dbt", "project_dir: dbt\n    translator: shop.translators.Marked")
    )

    listed = floe(tmp_path, "list", "assets", "--explain", "daily_revenue", "--project", str(own))

    assert listed.returncode == 0, listed.stderr
    assert "parsing the dbt project" in listed.stderr  # it is compiled here
    assert "mark" in listed.stdout


@pytest.mark.skipif(find_spec("dbt.adapters.postgres") is not None, reason="it says what is missing")
def test_an_adapter_of_dbt_that_is_not_installed_is_named_at_the_profile(shop: Path, tmp_path: Path) -> None:
    own = Path(copytree(shop, tmp_path / "shop", ignore=lambda _, names: {".floe"} & set(names)))
    (own / "platform.yaml").write_text(
        "compute:\n  default: {type: postgres, host: h, user: u, password: {secret_ref: P}, database: d, schema: s}\n"
    )

    compiled = floe(own, "compile", env=environment(P="x"))

    assert compiled.returncode == 1
    assert "error[FLOE-327]" in compiled.stderr
    assert "  --> platform.yaml:2:12  compute.default\n" in compiled.stderr
    assert "  fix: pip install dbt-postgres\n" in compiled.stderr


@pytest.mark.requirement("010-FR-023", "010-FR-047")
def test_mistakes_of_floe_yaml_are_one_report(tmp_path: Path, command_line: CommandLine) -> None:
    (tmp_path / "orders.py").write_text(ORDERS)
    (tmp_path / "floe.yaml").write_text("""
orchestration:
  asset_modules: [.orders]
  schedules: {nightly: {job: load, cron_schedule: "0 6 x * *"}}
  jobs: {load: {type: batch, selection: [order]}}
""")

    finished = command_line("validate", "--format", "json", "--project", str(tmp_path))

    assert finished.returncode == 1
    report = json.loads(finished.stdout)
    assert report["valid"] is False
    assert [problem["line"] for problem in report["problems"]] == [4, 5]
    assert "Traceback" not in finished.stderr


@pytest.mark.usefixtures("first_run")
def test_an_unknown_job_is_wrong_usage(shop: Path, command_line: CommandLine) -> None:
    finished = command_line("run", "full_pipelin", "--project", str(shop))

    assert finished.returncode == 2
    assert "error[FLOE-420]: there is no job 'full_pipelin'" in finished.stderr
    assert "  fix: did you mean 'full_pipeline'?" in finished.stderr


def test_a_run_tells_no_warnings_about_what_else_launches_jobs(tmp_path: Path, command_line: CommandLine) -> None:
    (tmp_path / "orders.py").write_text(ORDERS)
    (tmp_path / "floe.yaml").write_text("""
orchestration:
  asset_modules: [.orders]
  assets: {orders: {automation_condition: "eager"}}
  jobs: {load: {type: batch, selection: [orders]}}
  schedules: {nightly: {job: load, cron_schedule: "@daily"}}
""")

    here = ("--project", str(tmp_path))
    validated, finished = command_line("validate", *here), command_line("run", "load", *here)

    assert "warning[FLOE-349]: schedule 'nightly'" in validated.stderr
    assert (finished.returncode, "FLOE-349" in finished.stderr) == (0, False), finished.stderr


def test_without_a_project_the_commands_say_how_to_make_one(tmp_path: Path) -> None:
    finished = floe(tmp_path, "validate", "--schema-only")

    assert finished.returncode == 1
    assert "error[FLOE-130]: there is no floe.yaml" in finished.stderr


def test_ctrl_c_cancels_the_run_and_leaves_with_130(tmp_path: Path) -> None:
    (tmp_path / "slow.py").write_text(SLOW_ASSET)
    (tmp_path / "floe.yaml").write_text("""
orchestration: {asset_modules: [.slow], jobs: {load: {type: batch, selection: [slow]}}}
""")

    with started(tmp_path, "run", "load") as process:
        assert process.stderr is not None
        for line in process.stderr:
            if line.startswith("  start"):
                break
        os.killpg(process.pid, signal.SIGINT)
        shown = process.stderr.read()
        code = process.wait(timeout=60)

    assert code == 130
    assert "load was canceled" in shown
    assert "Traceback" not in shown


def test_dev_serves_the_ui_with_the_runs_of_the_terminal(
    shop: Path, first_run: subprocess.CompletedProcess[str]
) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]

    with started(shop, "dev", "--port", str(port)) as process:
        answer = wait_for_graphql(
            port,
            '{ runsOrError(filter: {pipelineName: "full_pipeline"}) { ... on Runs { results { status } } }'
            " repositoriesOrError { ... on RepositoryConnection {"
            " nodes { location { name } assetNodes { assetKey { path } } } } } }",
        )
        os.killpg(process.pid, signal.SIGINT)
        code = process.wait(timeout=90)

    assert answer["runsOrError"] == {"results": [{"status": "SUCCESS"}]}
    (repository,) = answer["repositoriesOrError"]["nodes"]
    assert repository["location"]["name"] == "shop"  # as for plain `dagster dev`: by it switches and cursors are kept
    assert sorted("/".join(node["assetKey"]["path"]) for node in repository["assetNodes"]) == ASSETS
    assert code == 0
    with pytest.raises(OSError):
        urllib.request.urlopen(f"http://127.0.0.1:{port}/server_info", timeout=2)


def wait_for_graphql(port: int, query: str) -> Any:
    """The answer of the UI's server, once it is there and has loaded the code location."""
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}/graphql",
        data=json.dumps({"query": query}).encode(),
        headers={"Content-Type": "application/json"},
    )
    deadline = time.monotonic() + 120
    while True:
        try:
            with urllib.request.urlopen(request, timeout=10) as response:
                data = json.load(response)["data"]
            if data["repositoriesOrError"].get("nodes"):
                return data
        except OSError:
            pass
        assert time.monotonic() < deadline
        time.sleep(0.5)
