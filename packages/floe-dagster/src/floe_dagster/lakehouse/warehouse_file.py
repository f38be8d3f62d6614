"""Opening dbt's DuckDB file, which DuckDB lets one process write and then no other even read.

Whoever opens it takes a lock beside it first, so that the next one waits where DuckDB would fail. The operating system
gives the lock back when a process dies, however it dies.
"""

import os
import sys
import time
import weakref
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TypeAlias

import duckdb
from filelock import FileLock, Timeout

from floe_core.errors import CatalogError, Problem, shown_path

Announce: TypeAlias = Callable[[str], None]

_SECONDS_TO_LET_GO = 5.0
_PAUSE = 0.05

_open_here: dict[Path, weakref.ref[duckdb.DuckDBPyConnection]] = {}
"""Files that an adapter in this process has open for writing; all that this process wants of them goes through it."""


class FileBusyError(Exception):
    """Another process has the file, and the caller did not want to wait."""


class Turn:
    """The right to open *file*, for one process or thread at a time."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._lock = FileLock(f"{file}.lock", thread_local=False)
        self._holder = Path(f"{file}.holder")

    def take(self, announce: Announce, *, wait: bool = True) -> None:
        """Take the turn; before a wait, *announce* who has it.

        Raises:
            FileBusyError: It is taken, and *wait* is false.
        """
        self._file.parent.mkdir(parents=True, exist_ok=True)
        try:
            self._lock.acquire(timeout=0)
        except Timeout:
            if not wait:
                raise FileBusyError from None
            announce(f"waiting for {shown_path(self._file)}, which {self._read_holder()} is using")
            self._lock.acquire()
        with suppress(OSError):
            self._holder.write_text(_program(), encoding="utf-8")

    def give_back(self) -> None:
        """Let the next one in."""
        self._lock.release()

    def _read_holder(self) -> str:
        with suppress(OSError):
            return self._holder.read_text(encoding="utf-8") or "another process"
        return "another process"


@contextmanager
def open_file(
    file: Path,
    *,
    read_only: bool,
    announce: Announce,
    wait: bool = True,
    config: Mapping[str, str] | None = None,
) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection to *file*, which is closed and given back at the end of the block."""
    shared = _open_here[file]() if file in _open_here else None
    if shared is not None:
        with shared.cursor() as cursor:
            yield cursor
        return
    turn = Turn(file)
    turn.take(announce, wait=wait)
    try:
        with connect(file, read_only=read_only, config=config) as connection:
            yield connection
    finally:
        turn.give_back()


def connect(file: Path, *, read_only: bool, config: Mapping[str, str] | None = None) -> duckdb.DuckDBPyConnection:
    """Open *file* by itself, as one whose turn it is.

    Raises:
        CatalogError: Something outside floe has the file open, or it is no file of this DuckDB.
    """
    deadline = time.monotonic() + _SECONDS_TO_LET_GO
    while True:
        try:
            return duckdb.connect(file, read_only=read_only, config=dict(config or {}))
        except duckdb.Error as error:
            # A process that has just died gives its locks back one by one.
            is_held = isinstance(error, duckdb.IOException) and "lock" in str(error)
            if not is_held or time.monotonic() > deadline:
                raise CatalogError(_cannot_open(file, error, is_held=is_held)) from error
            time.sleep(_PAUSE)


def give_back_with(connection: duckdb.DuckDBPyConnection, turn: Turn, file: Path, *, read_only: bool) -> None:
    """Give *turn* back when *connection*, which others will close, is gone."""
    if not read_only:
        _open_here[file] = weakref.ref(connection)
    ending = weakref.finalize(connection, turn.give_back)
    ending.atexit = False  # type: ignore[misc]  # typeshed says slots; it is a property  # a process that ends gives back the file and the lock together


def _program() -> str:
    """What runs in this process, without its arguments, which could hold anybody's secret."""
    return f"'{Path(sys.argv[0]).name}' (process {os.getpid()})"


def _cannot_open(file: Path, error: Exception, *, is_held: bool) -> Problem:
    return Problem(
        code="FLOE-400",
        what=f"dbt's database {shown_path(file)} cannot be opened",
        why="a program that does not take turns has it open" if is_held else "DuckDB refuses the file",
        fix="close that program" if is_held else "if nothing in it is needed, delete it and run dbt again",
        detail=str(error),
    )
