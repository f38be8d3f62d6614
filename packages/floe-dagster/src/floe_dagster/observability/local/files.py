"""Files of what was observed, one per run, for the folder of a project.

A line is written by one call that appends, so that the processes of a run can write to one file.
"""

import errno
import os
import time
from dataclasses import dataclass
from pathlib import Path

SUFFIX = ".jsonl"
MARK_SUFFIX = ".sent"
"""Of the file beside a run's that says how much of it was sent."""

MIB = 1024 * 1024
FULL_FILE = "the file of the run is full"

KEPT_BYTES = 512 * MIB
KEPT_RUNS = 200
_LARGEST_FILE = 64 * MIB
_IDLE_SECONDS = 3600  # a file that was written since may belong to a run that goes on


@dataclass(frozen=True, slots=True)
class RunFile:
    """The file of one run."""

    run_id: str
    path: Path
    written_at: float
    """When something was added to it last, seconds since 1970."""
    size: int = 0


def list_run_files(folder: Path) -> tuple[RunFile, ...]:
    """The files in *folder*, the one that was written last first; none where there is no such folder."""
    found = []
    for path in folder.glob(f"*{SUFFIX}"):
        try:
            stat = path.stat()
        except FileNotFoundError:  # another process makes room for a new run
            continue
        found.append(RunFile(path.name.removesuffix(SUFFIX), path, stat.st_mtime, stat.st_size))
    return tuple(sorted(found, key=lambda file: (-file.written_at, file.run_id)))


class RunFiles:
    """The files of a folder, which have the names of runs.

    Args:
        folder: Where they are; made when the first line is written.
        largest: Bytes after which nothing more is added to a file.
    """

    def __init__(self, folder: Path, *, largest: int = _LARGEST_FILE) -> None:
        self._folder = folder
        self._largest = largest
        self._is_made = False
        self.trouble = ""
        """Why the last line that is not there could not be added."""

    def path(self, run_id: str) -> Path:
        """The file of a run, whether it exists or not."""
        return self._folder / f"{run_id}{SUFFIX}"

    def append(self, run_id: str, line: bytes) -> bool:
        """Add *line* to the file of the run; False where it is not there afterwards, and `trouble` says why."""
        file = self.path(run_id)
        try:
            return self._append(file, line + b"\n")
        except OSError as error:
            self._is_made = False  # it may be deleted while a run goes on
            self.trouble = f"{file} cannot be written: {error.strerror or type(error).__name__}"
            return False

    def _append(self, file: Path, line: bytes) -> bool:
        if not self._is_made:
            self._folder.mkdir(parents=True, exist_ok=True)
            self._is_made = True
        descriptor = os.open(file, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            if os.fstat(descriptor).st_size + len(line) > self._largest:
                self.trouble = FULL_FILE
                return False
            written = os.write(descriptor, line)
            if written < len(line):
                _write_rest(descriptor, line, written=written)
            return True
        finally:
            os.close(descriptor)

    def prune(self, *, runs: int = KEPT_RUNS, kept_bytes: int = KEPT_BYTES) -> int:
        """Delete the oldest files beyond *runs*, and beyond *kept_bytes* altogether; what is in use stays.

        Returns:
            How many were deleted. The marks beside them, and marks of files that are gone, do not count.
        """
        total = deleted = 0
        for number, file in enumerate(list_run_files(self._folder)):
            total += file.size
            if (number >= runs or total > kept_bytes) and file.written_at < time.time() - _IDLE_SECONDS:
                file.path.unlink(missing_ok=True)
                deleted += 1
        for mark in self._folder.glob(f"*{MARK_SUFFIX}"):
            if not mark.with_suffix(SUFFIX).exists():
                mark.unlink(missing_ok=True)
        return deleted


def _write_rest(descriptor: int, line: bytes, *, written: int) -> None:
    """Add what is missing of *line*, else take away what is there of it, if no process has added something behind it.

    Raises:
        OSError: Why there was no room for it.
    """
    begin = os.lseek(descriptor, 0, os.SEEK_CUR) - written
    why = OSError(errno.ENOSPC, "only a part of a line could be written")
    try:
        written += os.write(descriptor, line[written:])
    except OSError as error:
        why = error
    end = os.lseek(descriptor, 0, os.SEEK_CUR)
    is_ours = end - begin == written
    if is_ours and written == len(line):
        return
    if is_ours and os.fstat(descriptor).st_size == end:
        os.ftruncate(descriptor, begin)
    raise why
