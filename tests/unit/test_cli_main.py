"""The command line itself: what it offers, how it fails, what it imports."""

import subprocess
import sys
from pathlib import Path

import click
import pytest

from floe_cli import main
from floe_cli.main import COMMANDS, CommandEntry, cli, run_command_line
from floe_core.errors import CompileError, Location, Problem

PROBLEM = Problem(
    "FLOE-203",
    "schedule 'nightly' starts job 'lod', which does not exist",
    Location("floe.yaml", 9, 12, "orchestration.schedules.nightly.job", "      job: lod"),
    why="a job is named under orchestration.jobs (load)",
    fix="did you mean 'load'?",
)


@pytest.fixture
def failing(monkeypatch: pytest.MonkeyPatch) -> "type[Failing]":
    """A command `fail` that raises what the test puts into it."""
    monkeypatch.setattr(main, "COMMANDS", {**COMMANDS, "fail": CommandEntry(__name__, "Fail.")})
    return Failing


class Failing:
    error: BaseException


@click.command()
def command() -> None:
    raise Failing.error


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    program = "import sys; from floe_cli.main import main; main()"
    return subprocess.run([sys.executable, "-c", program, *arguments], capture_output=True, text=True, check=False)


def test_help_lists_every_command_with_its_summary(capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command_line(["--help"]) == 0

    shown = capsys.readouterr().out
    width = max(map(len, COMMANDS)) + 2
    for name, entry in COMMANDS.items():
        assert f"  {name:<{width}}{entry.summary}" in shown


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_says_of_itself_what_the_overview_says(name: str) -> None:
    context = click.Context(cli)
    found = cli.get_command(context, name)

    assert found is not None
    assert (found.help or "").startswith(COMMANDS[name].summary)
    assert {"project", "traceback"} <= {parameter.name for parameter in found.params}


@pytest.mark.parametrize("arguments", [["--help"], ["init", "--help"], ["run", "--help"], ["validate", "--help"]])
def test_help_imports_neither_dagster_nor_dbt(arguments: list[str]) -> None:
    program = (
        "import sys\n"
        "from floe_cli.main import run_command_line\n"
        f"run_command_line({arguments!r})\n"
        "foreign = {'dagster', 'dagster_dbt', 'dbt', 'duckdb', 'pyarrow', 'pyiceberg', 'floe_dagster'}\n"
        "print(sorted(foreign & {name.partition('.')[0] for name in sys.modules}), file=sys.stderr)\n"
    )

    finished = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)

    assert finished.stderr == "[]\n"


def test_a_misspelt_command_is_answered_with_the_closest(capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command_line(["valdate"]) == 2

    assert "Error: there is no command 'valdate'; did you mean 'validate'?" in capsys.readouterr().err


@pytest.mark.parametrize(
    "arguments", [["--project", "nowhere", "explain", "203"], ["explain", "203", "--project", "nowhere"]]
)
def test_the_project_option_stands_before_or_after_the_command(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_command_line(arguments) == 2

    assert "Directory 'nowhere' does not exist" in capsys.readouterr().err


@pytest.mark.requirement("010-FR-047")
def test_a_users_mistake_is_its_problem_and_no_traceback(
    failing: type[Failing], capsys: pytest.CaptureFixture[str]
) -> None:
    failing.error = CompileError(PROBLEM)

    assert run_command_line(["fail"]) == 1

    out, err = capsys.readouterr()
    assert out == ""
    assert err == (
        "error[FLOE-203]: schedule 'nightly' starts job 'lod', which does not exist\n"
        "  --> floe.yaml:9:12  orchestration.schedules.nightly.job\n"
        "   |  job: lod\n"
        "  why: a job is named under orchestration.jobs (load)\n"
        "  fix: did you mean 'load'?\n"
    )


def test_an_unexpected_exception_is_one_sentence(failing: type[Failing], capsys: pytest.CaptureFixture[str]) -> None:
    failing.error = KeyError("x")

    assert run_command_line(["fail"]) == 1

    assert command.callback is not None
    line = command.callback.__code__.co_firstlineno + 2
    assert capsys.readouterr().err == (
        f"floe 1.0.0+floe stopped on an unexpected error: KeyError: 'x' ({__file__}:{line})\n"
        "Add --traceback to the command to see where it comes from.\n"
    )


def test_an_unexpected_exception_is_told_without_secrets_and_controls(
    failing: type[Failing], capsys: pytest.CaptureFixture[str]
) -> None:
    failing.error = ValueError("no postgres://etl:lovelace@db\u202e")

    run_command_line(["fail"])

    assert "ValueError: no postgres://etl:***@db\\u202e (" in capsys.readouterr().err


def test_the_traceback_is_there_for_whoever_asks(failing: type[Failing], capsys: pytest.CaptureFixture[str]) -> None:
    failing.error = KeyError("x")

    assert run_command_line(["--traceback", "fail"]) == 1

    shown = capsys.readouterr().err
    assert shown.startswith("Traceback (most recent call last):")
    assert shown.endswith("KeyError: 'x'\n")


def test_ctrl_c_leaves_with_130_and_no_traceback(failing: type[Failing], capsys: pytest.CaptureFixture[str]) -> None:
    failing.error = KeyboardInterrupt()

    assert run_command_line(["fail"]) == 130

    assert capsys.readouterr().err.strip() == "interrupted"


def test_a_reader_that_goes_away_is_no_error() -> None:
    program = "import sys; from floe_cli.main import main; main()"
    process = subprocess.Popen(
        [sys.executable, "-c", program, "schema"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.close()

    shown = process.stderr.read()
    process.stderr.close()
    process.wait()

    assert (shown, process.returncode) == ("", 141)


def test_problems_have_no_colors_unless_a_terminal_shows_them() -> None:
    assert "\x1b" not in run("explain", "9999").stderr


def test_explain_says_what_a_code_means(capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command_line(["explain", "203"]) == 0

    out, err = capsys.readouterr()
    assert out.startswith("FLOE-203: a name that nothing defines\n\nA schedule, sensor, backfill or asset pattern")
    assert err == ""


def test_explain_answers_an_unknown_code_with_the_closest(capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command_line(["explain", "FLOE-2033"]) == 2

    assert "there is no error code 'FLOE-2033'; did you mean 'FLOE-203'?" in capsys.readouterr().err


@pytest.mark.parametrize("document", ["floe", "platform"])
def test_schema_prints_the_json_schema(document: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command_line(["schema", document]) == 0

    assert '"$schema"' in capsys.readouterr().out


def test_schema_writes_into_a_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "floe.schema.json"

    assert run_command_line(["schema", "-o", str(file)]) == 0

    out, err = capsys.readouterr()
    assert out == ""
    assert err == f"{file}: the JSON Schema of floe.yaml\n"
    assert '"$schema"' in file.read_text()


def test_schema_makes_no_folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "editro" / "floe.schema.json"

    assert run_command_line(["schema", "-o", str(file)]) == 2

    assert "error[FLOE-457]: --output cannot write" in capsys.readouterr().err
    assert not file.parent.exists()
