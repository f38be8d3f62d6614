"""Files of what was observed, one per run, for the folder of a project.

A line is written by one call that appends, so that the processes of a run can write to one file.
"""

import os
import time
from collections.abc import Iterator
from pathlib import Path

SUFFIX = ".jsonl"
MIB = 1024 * 1024
FULL_FILE = "the file of the run is full"

_LARGEST_FILE = 64 * MIB
_KEPT_BYTES = 512 * MIB
_KEPT_RUNS = 200
_IDLE_SECONDS = 3600  # a file that was written since may belong to a run that goes on


class RunFiles:
    """The files of a folder, which have the names of runs.

    Args:
        folder: Where they are; made when the first line is written.
        largest: Bytes after which nothing more is added to a file.
    """

    def __init__(self, folder: Path, *, largest: int = _LARGEST_FILE) -> None:
        self._folder = folder
        self._largest = largest
        self._is_broken = False
        self._is_made = False

    def path(self, run_id: str) -> Path:
        """The file of a run, whether it exists or not."""
        return self._folder / f"{run_id}{SUFFIX}"

    def append(self, run_id: str, line: bytes) -> bool:
        """Add *line* to the file of the run; False where it is not there afterwards.

        Raises:
            OSError: The file cannot be written. Said once: what is added later is left out without a word.
        """
        if self._is_broken:
            return True
        try:
            return self._append(self.path(run_id), line + b"\n")
        except OSError:
            self._is_broken = True
            raise

    def _append(self, file: Path, line: bytes) -> bool:
        if not self._is_made:
            self._folder.mkdir(parents=True, exist_ok=True)
            self._is_made = True
        descriptor = os.open(file, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            if os.fstat(descriptor).st_size + len(line) > self._largest:
                return False
            return os.write(descriptor, line) == len(line)
        finally:
            os.close(descriptor)

    def prune(self, *, runs: int = _KEPT_RUNS, kept_bytes: int = _KEPT_BYTES) -> None:
        """Delete the oldest files beyond *runs*, and beyond *kept_bytes* altogether; what is in use stays."""
        total = 0
        for number, (file, written_at, size) in enumerate(self._newest_first()):
            total += size
            if (number >= runs or total > kept_bytes) and written_at < time.time() - _IDLE_SECONDS:
                file.unlink(missing_ok=True)

    def _newest_first(self) -> Iterator[tuple[Path, float, int]]:
        found: list[tuple[Path, float, int]] = []
        if self._folder.is_dir():
            for file in self._folder.glob(f"*{SUFFIX}"):
                try:
                    stat = file.stat()
                except FileNotFoundError:  # another process prunes as well
                    continue
                found.append((file, stat.st_mtime, stat.st_size))
        yield from sorted(found, key=lambda entry: entry[1], reverse=True)
