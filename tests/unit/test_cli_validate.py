"""`floe validate --schema-only`: the documents alone."""

import gc
import json
import re
import subprocess
import sys
from pathlib import Path

import click
import pytest

from floe_cli.main import cli, run_command_line

COMPLETE_EXAMPLE = Path(__file__).parents[1] / "projects" / "ecommerce"
FOREIGN = {
    *("dagster", "dagster_dbt", "dbt", "duckdb", "pyarrow", "pyiceberg", "floe_dagster", "rich", "pydantic_settings"),
    *("sqlalchemy", "jinja2", "pandas", "polars", "numpy", "grpc", "requests", "opentelemetry", "asyncio"),
    *("floe_core.schemas.platform_spec", "floe_core.json_schemas", "floe_core.stand_ins", "floe_core.schema_places"),
}

DOCUMENT = """\
name: shop
orchestration:
  jobs:
    load:
      type: batch
      selection: ["group:bronze"]
  schedules:
    nightly:
      job: load
      cron_schedule: ${NIGHTLY}
"""


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for variable in ("NIGHTLY", "FLOE_PLATFORM_ENV", "FLOE_PLATFORM_FILE"):
        monkeypatch.delenv(variable, raising=False)
    (tmp_path / "floe.yaml").write_text(DOCUMENT)
    return tmp_path


@pytest.mark.requirement("010-FR-046")
def test_the_complete_example_is_valid(capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command_line(["validate", "--schema-only", "--project", str(COMPLETE_EXAMPLE)]) == 0

    out, err = capsys.readouterr()
    assert out == ""
    assert err.splitlines()[-1].endswith(
        "floe.yaml is valid by itself: 3 asset modules, 3 jobs, 2 schedules, 2 sensors, 2 partitions definitions, "
        "1 backfill"
    )


@pytest.mark.parametrize("text", ["", "name: one", "orchestration:"])
def test_a_document_without_orchestration_is_one_error_with_and_without_dagster(
    text: str, project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (project / "floe.yaml").write_text(text)

    for arguments in (["validate"], ["validate", "--schema-only"]):
        assert run_command_line(arguments) == 1
        assert re.findall(r"^error\[(.*)\]", capsys.readouterr().err, re.MULTILINE) in (["FLOE-121"], ["FLOE-122"])


def test_it_imports_neither_dagster_nor_dbt() -> None:
    program = (
        "import sys\n"
        "from floe_cli.main import run_command_line\n"
        f"code = run_command_line(['validate', '--schema-only', '--project', {str(COMPLETE_EXAMPLE)!r}])\n"
        f"foreign = {FOREIGN}\n"
        "tops = {name.partition('.')[0] for name in sys.modules}\n"
        "print(code, sorted(foreign & (tops | sys.modules.keys())))\n"
    )

    finished = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)

    assert finished.stdout == "0 []\n"


def test_garbage_is_searched_for_in_commands_that_go_on() -> None:
    try:
        gc.disable()
        cli.get_command(click.Context(cli), "validate")
        assert not gc.isenabled()

        cli.get_command(click.Context(cli), "run")
        assert gc.isenabled()
    finally:
        gc.enable()


@pytest.mark.requirement("010-FR-045")
def test_a_variable_that_is_not_set_is_a_warning(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command_line(["validate", "--schema-only"]) == 0

    assert capsys.readouterr().err == (
        "warning[FLOE-111]: environment variable 'NIGHTLY' is not set\n"
        "  --> floe.yaml:10:22  orchestration.schedules.nightly.cron_schedule\n"
        "   |  cron_schedule: ${NIGHTLY}\n"
        "  why: line 10 uses it without a default\n"
        "  fix: set NIGHTLY, or write a default: ${NIGHTLY:value}\n"
        "\n"
        "floe.yaml is valid by itself: 1 job, 1 schedule\n"
    )


def test_strict_env_makes_it_an_error(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command_line(["validate", "--schema-only", "--strict-env"]) == 1

    assert capsys.readouterr().err.startswith("error[FLOE-111]: environment variable 'NIGHTLY' is not set\n")


@pytest.mark.requirement("010-FR-029", "010-FR-047")
def test_all_problems_are_one_report_in_the_order_of_the_file(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("NIGHTLY", "0 25 * * *")
    (project / "floe.yaml").write_text(
        DOCUMENT.replace("selection:", "selektion:").replace("type: batch", "type: bach")
    )

    assert run_command_line(["validate", "--schema-only", "--format", "json"]) == 1

    out, err = capsys.readouterr()
    report = json.loads(out)
    assert err == ""
    assert (report["valid"], report["counts"]) == (False, {})
    assert [problem["line"] for problem in report["problems"]] == [5, 6, 10]
    assert all(problem["fix"] or problem["why"] for problem in report["problems"])
    assert "0 25 * * *" not in out  # a value of the environment is shown as ${NIGHTLY}


@pytest.mark.requirement("010-FR-047")
def test_unknown_names_are_in_the_report_beside_what_the_schema_refuses(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("NIGHTLY", "@daily")
    (project / "platform.yaml").write_text("execution: {default: {type: in_process}, pool: {type: dusk}}\n")
    (project / "floe.yaml").write_text(
        DOCUMENT.replace("type: batch", "type: batch\n      colour: red\n      executor: pol")
        + "      partition_selector: last:x\n    weekly: {job: laod, cron_schedule: '@weekly'}\n"
    )

    assert run_command_line(["validate", "--schema-only", "--format", "json"]) == 1

    problems = json.loads(capsys.readouterr().out)["problems"]
    assert [(problem["line"], problem["code"]) for problem in problems] == [
        (6, "FLOE-120"),
        (7, "FLOE-231"),
        (13, "FLOE-125"),
        (14, "FLOE-203"),
        (1, "FLOE-124"),
    ]


def test_the_json_of_a_valid_project(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("NIGHTLY", "0 2 * * *")

    assert run_command_line(["validate", "--schema-only", "--format", "json"]) == 0

    assert json.loads(capsys.readouterr().out) == {
        "valid": True,
        "counts": {"asset modules": 0, "jobs": 1, "schedules": 1, "sensors": 0, "partitions": 0, "backfills": 0},
        "partition_selectors": {},
        "problems": [],
    }


def test_a_folder_without_a_project_is_a_problem_in_json_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)

    assert run_command_line(["validate", "--schema-only", "--format", "json"]) == 1

    (problem,) = json.loads(capsys.readouterr().out)["problems"]
    assert (problem["code"], problem["what"]) == ("FLOE-130", "there is no floe.yaml")
