"""What a shell is offered where a name is typed, asked for as shells do: in a process of its own."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from floe_cli.known_names import NAMES_FILE
from floe_cli.main import run_command_line
from plugins.user_project import UserProject

FLOE = Path(sys.executable).with_name("floe")
FLOE_YAML = """
orchestration:
  jobs:
    load: {type: batch, selection: "*"}
    look_after: {type: ops, target_function: shop.ops.vacuum}
  sensors:
    arrival: {type: file_watcher, path: incoming, job: load}
  backfills:
    all_days: {job: load, partition_keys: [eu]}
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "shop"
    (folder / ".floe").mkdir(parents=True)
    (folder / "floe.yaml").write_text(FLOE_YAML)
    return folder


def completed(folder: Path, *words: str) -> list[str]:
    """What is offered for the last of *words*, typed in *folder* behind `floe`."""
    environ = {
        **os.environ,
        "_FLOE_COMPLETE": "bash_complete",
        "COMP_WORDS": " ".join(["floe", *words]),
        "COMP_CWORD": str(len(words)),
    }
    finished = subprocess.run([FLOE], cwd=folder, env=environ, capture_output=True, text=True, check=True)
    assert finished.stderr == ""
    return [line.removeprefix("plain,") for line in finished.stdout.split()]


def test_commands_are_completed(tmp_path: Path) -> None:
    assert completed(tmp_path, "l") == ["list", "lineage"]
    assert completed(tmp_path, "schema", "pl") == ["platform"]


def test_names_of_floe_yaml_are_completed_where_they_are_arguments(project: Path) -> None:
    assert completed(project, "run", "") == ["load", "look_after"]
    assert completed(project, "run", "look") == ["look_after"]
    assert completed(project, "backfill", "") == ["all_days"]
    assert completed(project, "sensor", "test", "") == ["arrival", "all_days_backfill"]


def test_the_project_is_the_one_that_the_command_line_names(project: Path) -> None:
    elsewhere = project.parent

    assert completed(elsewhere, "run", "--project", "shop", "lo") == ["load", "look_after"]
    assert completed(elsewhere, "--project", "shop", "backfill", "") == ["all_days"]


def test_without_a_project_nothing_is_offered_and_nothing_is_said(tmp_path: Path) -> None:
    assert completed(tmp_path, "run", "") == []
    assert completed(tmp_path, "list", "--explain", "") == []


def test_assets_are_completed_from_what_was_compiled_and_last_loaded(project: Path) -> None:
    nodes = [{"key": ["silver", "stg_orders"]}, {"key": ["gold", "revenue"]}]
    artifacts = {"dbt": {"dev": {"index": {"nodes": nodes}}}}
    (project / ".floe" / "compiled_artifacts.json").write_text(json.dumps(artifacts))
    (project / ".floe" / NAMES_FILE).write_text(json.dumps({"assets": ["bronze_orders", "gold/revenue"]}))

    assert completed(project, "list", "--explain", "") == ["silver/stg_orders", "gold/revenue", "bronze_orders"]
    assert completed(project, "graph", "--select", "+go") == ["+gold/revenue"]
    assert completed(project, "graph", "--select", "!2+br") == ["!2+bronze_orders"]


@pytest.mark.parametrize("content", ["", "[1, 2", "[]", '{"dbt": [], "document": 1, "assets": {"a": 1}}'])
def test_files_that_are_something_else_hold_no_names(project: Path, content: str) -> None:
    for name in ("compiled_artifacts.json", NAMES_FILE):
        (project / ".floe" / name).write_text(content)

    assert completed(project, "list", "--explain", "") == []
    assert completed(project, "run", "loa") == ["load"]


def test_in_the_middle_of_a_change_the_names_are_those_that_were_compiled(project: Path) -> None:
    compiled: dict[str, object] = {"document": {"orchestration": {"jobs": {"load": {}, "older": {}}}}}
    (project / ".floe" / "compiled_artifacts.json").write_text(json.dumps(compiled))
    (project / "floe.yaml").write_text("orchestration: {jobs: {load: {type")

    assert completed(project, "run", "") == ["load", "older"]


def test_error_codes_are_completed(tmp_path: Path) -> None:
    assert completed(tmp_path, "explain", "floe-10")[:2] == ["FLOE-101", "FLOE-102"]


def test_bash_takes_the_script_and_what_it_offers(project: Path) -> None:
    script = """
        eval "$(floe completion bash)"
        COMP_WORDS=(floe run lo); COMP_CWORD=2
        _floe_completion floe
        printf '%s\\n' "${COMPREPLY[@]}"
    """
    environ = {**os.environ, "PATH": f"{FLOE.parent}:{os.environ['PATH']}"}
    finished = subprocess.run(
        ["bash", "-c", script], cwd=project, env=environ, capture_output=True, text=True, check=False
    )

    assert (finished.stdout.split(), finished.stderr) == (["load", "look_after"], "")


@pytest.mark.parametrize(
    ("shell", "registered"), [("zsh", "compdef _floe_completion floe"), ("fish", "--command floe")]
)
def test_other_shells_have_a_script_too(shell: str, registered: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command_line(["completion", shell]) == 0

    assert registered in capsys.readouterr().out


def test_completing_imports_neither_dagster_nor_pydantic(project: Path) -> None:
    program = (
        "import atexit, sys\n"
        "atexit.register(lambda: print(*{'dagster', 'dbt', 'pydantic'} & set(sys.modules), file=sys.stderr))\n"
        "from floe_cli.main import main; main()"
    )
    environ = {**os.environ, "_FLOE_COMPLETE": "bash_complete", "COMP_WORDS": "floe run lo", "COMP_CWORD": "2"}

    finished = subprocess.run(
        [sys.executable, "-c", program], cwd=project, env=environ, capture_output=True, text=True, check=True
    )

    assert (finished.stdout.split(), finished.stderr.split()) == (["plain,load", "plain,look_after"], [])


def test_what_python_defines_is_known_once_it_was_loaded(user_project: UserProject) -> None:
    user_project.write(
        {
            "floe.yaml": """
                orchestration: {asset_modules: [.things], jobs: {all: {type: batch, selection: "*"}}}
                """,
            "things.py": """
                import dagster as dg

                @dg.asset(key_prefix="bronze")
                def orders(): ...

                @dg.sensor(target=orders)
                def watch(): ...

                refresh = dg.define_asset_job("refresh", [orders])
                """,
        }
    )
    before = completed(user_project.path, "run", "")

    assert run_command_line(["list", "jobs"]) == 0

    assert before == ["all"]
    assert completed(user_project.path, "run", "") == ["all", "refresh"]
    assert completed(user_project.path, "list", "--explain", "b") == ["bronze/orders"]
    assert completed(user_project.path, "sensor", "test", "w") == ["watch"]


def test_names_are_forgotten_with_what_they_named(user_project: UserProject) -> None:
    user_project.write(
        {
            "floe.yaml": "orchestration: {asset_modules: [.things]}",
            "things.py": "import dagster as dg\n\n\n@dg.asset\ndef here(): ...\n",
            f".floe/{NAMES_FILE}": json.dumps({"assets": ["gone"], "jobs": [], "sensors": []}),
        }
    )

    assert run_command_line(["list", "assets"]) == 0

    assert completed(user_project.path, "list", "--explain", "") == ["here"]
