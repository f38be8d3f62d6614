"""A process that ends when its starter is killed."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

CHILD = """
import os, time
from pathlib import Path
from floe_dagster.lakehouse.parent_process import end_with_parent

end_with_parent()
Path("child").write_text(str(os.getpid()))
time.sleep(60)
"""
PARENT = f"""
import os, subprocess, sys, time

environment = {{**os.environ, "FLOE_PARENT_PROCESS": str(os.getpid())}}
subprocess.Popen([sys.executable, "-c", {CHILD!r}], env=environment if sys.argv[1] == "asked" else None)
time.sleep(60)
"""


@pytest.mark.parametrize(
    ("asked", "lives"), [pytest.param("asked", False, id="asked for"), pytest.param("", True, id="not asked for")]
)
def test_a_child_ends_when_its_starter_is_killed_and_has_asked_for_that(
    tmp_path: Path, asked: str, lives: bool
) -> None:
    with subprocess.Popen([sys.executable, "-c", PARENT, asked], cwd=tmp_path) as starter:
        child = wait_for_id(tmp_path / "child")
        starter.kill()

    deadline = time.monotonic() + (2 if lives else 30)
    while is_alive(child) and time.monotonic() < deadline:
        time.sleep(0.05)

    assert is_alive(child) is lives
    if lives:
        os.kill(child, 9)


def wait_for_id(file: Path) -> int:
    while not (file.exists() and file.read_text()):
        time.sleep(0.05)
    return int(file.read_text())


def is_alive(process: int) -> bool:
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
