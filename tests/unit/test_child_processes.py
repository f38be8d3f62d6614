"""The end of every process below one."""

import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

CHILD = """
import subprocess, time

print(subprocess.Popen(["sleep", "60"]).pid, flush=True)
time.sleep(60)
"""
PARENT = f"""
import subprocess, sys
from floe_dagster.running.child_processes import kill_descendants

child = subprocess.Popen([sys.executable, "-c", {CHILD!r}], stdout=subprocess.PIPE, text=True)
print(child.stdout.readline())
kill_descendants()
print(child.wait())
"""


def test_children_and_their_children_are_killed() -> None:
    done = subprocess.run([sys.executable, "-c", PARENT], capture_output=True, text=True, check=True, timeout=50)

    grandchild, code = (int(number) for number in done.stdout.split())
    assert code == -9
    deadline = time.monotonic() + 10
    while is_alive(grandchild) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not is_alive(grandchild)


def is_alive(process: int) -> bool:
    with suppress(OSError):
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    return False
