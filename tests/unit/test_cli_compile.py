"""`floe compile` in this process, on a project without dbt."""

import json

import pytest

from floe_cli.main import run_command_line
from plugins.command_line import CommandLine
from plugins.user_project import UserProject


@pytest.fixture(autouse=True)
def _project(user_project: UserProject) -> None:
    user_project.write(
        {
            "floe.yaml": """
                orchestration:
                  asset_modules: [assets]
                  jobs:
                    load: {type: batch, selection: [orders]}
                """
        }
    )


def test_it_says_what_it_wrote(user_project: UserProject, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command_line(["compile"]) == 0

    out, err = capsys.readouterr()
    assert (out, err) == ("", ".floe/compiled_artifacts.json: 1 asset module, 1 job\n")
    assert (user_project.path / ".floe" / "compiled_artifacts.json").is_file()


def test_a_machine_gets_the_same(capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command_line(["compile", "--format", "json"]) == 0

    report = json.loads(capsys.readouterr().out)
    assert (report["file"], report["target"], report["problems"]) == (".floe/compiled_artifacts.json", None, [])
    assert {name: count for name, count in report["counts"].items() if count} == {"asset modules": 1, "jobs": 1}


def test_a_target_without_a_dbt_project_is_a_problem(capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command_line(["compile", "--target", "prod"]) == 1

    assert "there is no dbt project to compile target 'prod' of" in capsys.readouterr().err


def test_mistakes_of_the_document_are_shown_and_nothing_is_written(
    user_project: UserProject, capsys: pytest.CaptureFixture[str]
) -> None:
    user_project.write({"floe.yaml": "orchestration: {job: {}}"})

    assert run_command_line(["compile"]) == 1

    assert capsys.readouterr().err.startswith("error[FLOE-120]: ")
    assert not (user_project.path / ".floe").exists()


@pytest.mark.parametrize("command", ["compile", "run", "backfill"])
def test_a_project_that_cannot_be_written_is_one_clear_error_of_every_command_that_writes(
    user_project: UserProject, command_line: CommandLine, command: str
) -> None:
    user_project.write(
        {".floe": "a file in its place", "assets.py": "import dagster as dg\n\n@dg.asset\ndef orders(): ...\n"}
    )

    finished = command_line(command, *(["load"] if command != "compile" else []))

    assert finished.returncode == 1
    assert "error[FLOE-131]: .floe cannot be written: File exists\n" in finished.stderr
    assert "unexpected" not in finished.stderr
