"""The processes that this one has started, and those that they have started in turn."""

import os
import signal
import subprocess
from collections import defaultdict
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

_PROC = Path("/proc")
_ROUNDS = 5  # a process that starts others while they are counted is found in the next round


def kill_descendants() -> None:
    """Kill every process below this one."""
    for _ in range(_ROUNDS):
        found = list(_descendants(os.getpid()))
        if not found:
            return
        for process in found:
            with suppress(ProcessLookupError, PermissionError):
                os.kill(process, signal.SIGKILL)


def _descendants(process: int) -> Iterator[int]:
    children: dict[int, list[int]] = defaultdict(list)
    for child, parent in _living_processes():
        children[parent].append(child)
    waiting = [process]
    while waiting:
        below = children[waiting.pop()]
        yield from below
        waiting += below


def _living_processes() -> Iterator[tuple[int, int]]:
    """Each process that has not ended, and its parent."""
    if not (_PROC / "self" / "stat").exists():
        yield from _processes_by_ps()
        return
    for folder in _PROC.iterdir():
        if folder.name.isdigit():
            with suppress(OSError):
                state, parent = (folder / "stat").read_text(errors="replace").rpartition(")")[2].split()[:2]
                if state != "Z":
                    yield int(folder.name), int(parent)


def _processes_by_ps() -> Iterator[tuple[int, int]]:
    """The same where the system has no /proc, such as macOS."""
    with subprocess.Popen(["ps", "-axo", "pid=,ppid=,state="], stdout=subprocess.PIPE, text=True) as ps:  # noqa: S607
        lines = ps.communicate()[0].splitlines()
    for process, parent, state in (line.split(None, 2) for line in lines):
        if not state.startswith("Z") and int(process) != ps.pid:
            yield int(process), int(parent)
