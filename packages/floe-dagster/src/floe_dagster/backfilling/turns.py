"""Who works on a backfill: a command line that does has it to itself on this machine."""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from filelock import FileLock, Timeout

from floe_core.errors import Problem, RunError

TURNS_DIR = "backfills"
"""The folder, in the project's generated one, in which turns are noted."""

_SECONDS = 2.0  # a tick of the sensor looks whether the turn is taken by taking it


@contextmanager
def own_turn(folder: Path, name: str) -> Iterator[None]:
    """Work on backfill *name* alone; the turn ends with the block, or with this process, however it dies.

    Args:
        folder: Where turns are noted.
        name: Of the backfill.

    Raises:
        RunError: Another process has the turn.
    """
    folder.mkdir(parents=True, exist_ok=True)
    lock = FileLock(_lock_file(folder, name))
    try:
        lock.acquire(timeout=_SECONDS)
    except Timeout:
        raise RunError(_taken(name, read_worker(folder, name))) from None
    holder = _holder_file(folder, name)
    try:
        holder.write_text(str(os.getpid()), encoding="utf-8")
        yield
    finally:
        holder.unlink(missing_ok=True)
        lock.release()


def is_taken(folder: Path, name: str) -> bool:
    """Whether a command line works on the backfill."""
    file = _lock_file(folder, name)
    if not file.exists():
        return False
    try:
        with FileLock(file).acquire(timeout=0):
            return False
    except Timeout:
        return True
    except OSError:  # a folder that only another user can write
        return False


def read_worker(folder: Path, name: str) -> int | None:
    """The process that works on it; None where there is none, or it has not said so yet."""
    with suppress(OSError, ValueError):
        if is_taken(folder, name):
            return int(_holder_file(folder, name).read_text(encoding="utf-8"))
    return None


def _lock_file(folder: Path, name: str) -> Path:
    return folder / f"{name}.lock"


def _holder_file(folder: Path, name: str) -> Path:
    return folder / f"{name}.holder"


def _taken(name: str, process: int | None) -> Problem:
    return Problem(
        "FLOE-431",
        f"backfill '{name}' is worked on by {f'process {process}' if process else 'another process'}",
        why="two at once would launch the same partitions",
        fix=f"wait for it, or end it with Ctrl-C where it runs or with 'floe backfill {name} --cancel'",
    )
