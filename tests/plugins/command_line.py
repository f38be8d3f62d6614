"""The floe command in the test's own process, for claims that are not about a process: none of its imports is paid."""

import os
from collections.abc import Callable
from subprocess import CompletedProcess

import pytest

from plugins.user_project import UserProject, forgotten_imports

CommandLine = Callable[..., "CompletedProcess[str]"]


@pytest.fixture
def command_line(
    user_project: UserProject,
    tmp_path_factory: pytest.TempPathFactory,
    capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> CommandLine:
    """What `floe ARGUMENTS` says in the working directory and how it would leave; the test's environment is its own."""
    for variable in {*os.environ, "FLOE_PROJECT_DIR", "DAGSTER_HOME"}:  # two that the code under test sets
        if variable.startswith(("DAGSTER_", "FLOE_")):
            monkeypatch.setenv(variable, "")
            monkeypatch.delenv(variable)

    def called(*arguments: str) -> "CompletedProcess[str]":
        from floe_cli.main import run_command_line  # imports what not every test needs

        capfd.readouterr()
        with forgotten_imports(tmp_path_factory.getbasetemp()):
            code = run_command_line(arguments)
        out, err = capfd.readouterr()
        return CompletedProcess(["floe", *arguments], code, out, err)

    return called
