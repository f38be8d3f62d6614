import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from floe_dagster.lakehouse.parent_process import PARENT_VARIABLE

CHILD = """
import sys, time
from pathlib import Path
from floe_dagster.lakehouse.parent_process import end_with_parent
folder = Path(sys.argv[1])
while not (folder / "go").exists():
    time.sleep(0.02)
end_with_parent()
(folder / "begun").touch()
time.sleep(float(sys.argv[2]))
(folder / "done").touch()
"""
STARTER = f"""
import os, subprocess, sys
os.environ["{PARENT_VARIABLE}"] = str(os.getpid())
child = subprocess.Popen([sys.executable, "-c", sys.argv[1], *sys.argv[2:]])
print(child.pid, flush=True)
child.wait()
"""


def start(folder: Path, *, seconds: float) -> tuple["subprocess.Popen[str]", int]:
    """A process and the one that it starts, which goes on once there is a file `go`, and then takes *seconds*."""
    starter = subprocess.Popen(
        [sys.executable, "-c", STARTER, CHILD, str(folder), str(seconds)], stdout=subprocess.PIPE, text=True
    )
    assert starter.stdout is not None
    child = int(starter.stdout.readline())
    starter.stdout.close()
    return starter, child


def wait_until_gone(process: int) -> None:
    for _ in range(1500):
        try:
            os.kill(process, 0)
        except ProcessLookupError:
            return
        if Path(f"/proc/{process}/stat").read_text().split()[2] == "Z":
            return
        time.sleep(0.02)
    pytest.fail(f"process {process} is still there")


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="looks into /proc")
class TestEndWithParent:
    def test_a_process_ends_when_its_starter_is_killed(self, tmp_path: Path) -> None:
        starter, child = start(tmp_path, seconds=60)
        (tmp_path / "go").touch()
        while not (tmp_path / "begun").exists():
            time.sleep(0.02)

        starter.kill()
        starter.wait()

        wait_until_gone(child)
        assert not (tmp_path / "done").exists()

    def test_a_process_ends_whose_starter_was_killed_before_it_looked(self, tmp_path: Path) -> None:
        starter, child = start(tmp_path, seconds=60)
        starter.kill()
        starter.wait()

        (tmp_path / "go").touch()

        wait_until_gone(child)
        assert not (tmp_path / "begun").exists()

    def test_a_process_goes_on_while_its_starter_is_there(self, tmp_path: Path) -> None:
        starter, _ = start(tmp_path, seconds=1)
        (tmp_path / "go").touch()

        assert starter.wait(timeout=60) == 0
        assert (tmp_path / "done").exists()
