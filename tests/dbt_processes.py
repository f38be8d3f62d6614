"""The dbt processes of a test."""

import os
from contextlib import suppress
from pathlib import Path


def dbt_processes() -> list[int]:
    """Those that this process has started and that are alive."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            state, parent = (process / "stat").read_text().rpartition(")")[2].split()[:2]
            command = (process / "cmdline").read_bytes().split(b"\0")
            if int(parent) == os.getpid() and state != "Z" and any(part.endswith(b"/dbt") for part in command):
                found.append(int(process.name))
    return found
