"""Ticks of a file watcher over folders of different sizes: CPU seconds and what Dagster stores with each tick.

    python tests/benchmarks/bench_file_watcher.py

It fails where a tick over 100,000 files of which nothing or little changed takes a second or more, or where the cursor
has more than 64 KiB. "scan" is what the operating system takes to name the same files with their sizes and times.
"""

import os
import statistics
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from file_watching import Watched

_SIZES = (1_000, 10_000, 100_000)
_ROUNDS = 5
_MOST_SECONDS = 1.0
_MOST_BYTES = 64 * 1024
_CHANGED = 20


def main() -> int:
    """Print a table; 1 where a limit is exceeded."""
    columns = " ".join(f"{name:>7}" for name in ("first", "second", "steady", f"{_CHANGED} new", "scan"))
    print(f"{'files':>8}  {columns}  {'cursor':>7}   CPU seconds, bytes")
    return 0 if min(map(_measure, _SIZES)) else 1


def _measure(count: int) -> bool:
    with tempfile.TemporaryDirectory() as folder:
        watched = Watched(Path(folder), "job: load, pattern: '**/*.csv', existing: ignore")
        for number in range(count):
            _write(watched, number)
        watched.settle()
        first = _seconds(watched)
        second = _seconds(watched)
        steady = statistics.median(_seconds(watched) for _ in range(_ROUNDS))
        little = []
        for turn in range(_ROUNDS):
            for number in range(_CHANGED):
                _write(watched, count + turn * _CHANGED + number)
            watched.settle()
            little.append(_seconds(watched))
            assert len(watched.launched) == (turn + 1) * _CHANGED
        changed = statistics.median(little)
        scan = _scan_seconds(watched.path)
        size = len((watched.cursor or "").encode())
    exceeded = max(second, steady, changed) >= _MOST_SECONDS or size > _MOST_BYTES
    figures = " ".join(f"{seconds:7.3f}" for seconds in (first, second, steady, changed, scan))
    print(f"{count:8,}  {figures}  {size:7,}{'   EXCEEDED' if exceeded else ''}", flush=True)
    return not exceeded


def _write(watched: Watched, number: int) -> None:
    """A file in one of a hundred folders."""
    watched.write(f"{number % 100:02}/orders_{number:06}.csv", f"{number}")


def _seconds(watched: Watched) -> float:
    started = time.process_time()
    found = watched.evaluate()
    seconds = time.process_time() - started
    watched.launch(found.run_requests or ())
    watched.cursor = found.cursor
    return seconds


def _scan_seconds(folder: Path) -> float:
    started = time.process_time()
    for path, _, names in os.walk(folder):
        for name in names:
            os.stat(f"{path}/{name}")  # noqa: PTH116 - nothing but the system call
    return time.process_time() - started


if __name__ == "__main__":
    sys.exit(main())
