"""Input that nobody means, through the command line: a clear report, in time, and nothing half written."""

import os
import resource
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from floe_core.compiler.artifacts import load_artifacts

FLOE = (sys.executable, "-c", "from floe_cli.main import main; main()")
GOOD = "orchestration:\n  asset_modules: []\n  jobs:\n    all: {type: batch, selection: ['*']}\n"
SECONDS = 60


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "floe.yaml").write_text(GOOD)
    return tmp_path


def started(project: Path, *arguments: str, limit: Callable[[], None] | None = None) -> subprocess.Popen[str]:
    env = {name: value for name, value in os.environ.items() if not name.startswith(("DAGSTER_", "FLOE_"))}
    return subprocess.Popen(
        [*FLOE, *arguments],
        cwd=project,
        env=env,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=limit,  # noqa: PLW1509 - one thread
    )


def report(project: Path, *arguments: str, limit: Callable[[], None] | None = None) -> tuple[int, str]:
    with started(project, *arguments, limit=limit) as process:
        _, said = process.communicate(timeout=SECONDS)
    assert "Traceback" not in said
    assert "unexpected" not in said
    return process.returncode, said


def small_disk() -> None:
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (500, 500))


def test_a_full_disk_leaves_what_was_there(project: Path) -> None:
    compiled = project / ".floe" / "compiled_artifacts.json"
    assert report(project, "compile")[0] == 0
    before = {path.name: path.read_bytes() for path in compiled.parent.iterdir()}
    (project / "floe.yaml").write_text(GOOD + "    more: {type: batch, selection: ['*']}\n")

    code, said = report(project, "compile", limit=small_disk)

    assert code == 1
    assert "error[FLOE-131]: the compiled artifacts cannot be written: File too large" in said
    assert "fix: make room on the disk" in said
    assert {path.name: path.read_bytes() for path in compiled.parent.iterdir()} == before


def test_many_processes_compile_at_once(project: Path) -> None:
    processes = [started(project, "compile") for _ in range(3)]
    said = [process.communicate(timeout=SECONDS)[1] for process in processes]

    assert [process.returncode for process in processes] == [0, 0, 0], said
    assert load_artifacts(project / ".floe" / "compiled_artifacts.json").document["orchestration"]


def test_pipes_and_links_in_the_place_of_files_are_told(project: Path) -> None:
    (project / "platform.yaml").symlink_to("platform.yaml")
    (project / ".floe").mkdir()
    os.mkfifo(project / ".floe" / "compiled_artifacts.json")

    linked = report(project, "validate", "--schema-only")
    (project / "platform.yaml").unlink()
    os.mkfifo(project / "platform.yaml")
    piped = report(project, "validate", "--schema-only")
    (project / "platform.yaml").unlink()
    compiled = report(project, "compile")

    assert linked[0] == piped[0] == 1
    assert "error[FLOE-130]: the file cannot be read: Too many levels of symbolic links" in linked[1]
    assert "error[FLOE-130]: the file cannot be read: it is a pipe" in piped[1]
    assert compiled[0] == 0
    assert (project / ".floe" / "compiled_artifacts.json").is_file()
