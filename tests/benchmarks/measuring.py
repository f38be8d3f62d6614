"""Whole processes beside one another: CPU seconds, wall seconds and peak memory, as medians and ratios."""

import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Usage:
    """What one process took, its children included."""

    cpu: float
    wall: float
    peak_mb: float


def measure_python(script: str, *, cwd: Path, environ: Mapping[str, str] | None = None) -> Usage:
    """Run *script* in a process of its own to its end, in this Python's environment and with compiled modules.

    Raises:
        subprocess.CalledProcessError: It failed.
    """
    started = time.perf_counter()
    beside_python = os.fspath(Path(sys.executable).parent)
    path = os.pathsep.join([beside_python, os.environ.get("PATH", "")])
    every_process = {**os.environ, "PATH": path, "PYTHONDONTWRITEBYTECODE": "", "PYTHONWARNINGS": "ignore"}
    command = [sys.executable, "-c", script]
    process = subprocess.Popen(command, cwd=cwd, env={**every_process, **(environ or {})}, stdout=subprocess.DEVNULL)
    _, status, resources = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, command)
    scale = 1024 if sys.platform != "darwin" else 1024 * 1024
    return Usage(
        cpu=resources.ru_utime + resources.ru_stime,
        wall=time.perf_counter() - started,
        peak_mb=resources.ru_maxrss / scale,
    )


def compare(candidates: Mapping[str, Callable[[], Usage]], *, rounds: int) -> dict[str, Usage]:
    """Medians of each candidate, in turns so that a busy machine meets all alike; the first round is not counted."""
    taken: dict[str, list[Usage]] = {name: [] for name in candidates}
    for number in range(rounds + 1):
        for name, run in candidates.items():
            usage = run()
            if number:
                taken[name].append(usage)
            if sys.stderr.isatty():
                print(f"\r{name} {number}/{rounds}\x1b[K\r", end="", file=sys.stderr, flush=True)
    return {name: _median(usages) for name, usages in taken.items()}


def print_comparison(
    medians: Mapping[str, Usage], *, base: str, limits: Mapping[str, tuple[float, float | None]]
) -> bool:
    """A table of *medians* with ratios to *base*; whether every CPU and memory ratio is within its limits."""
    width = max(map(len, medians))
    print(f"{'':{width}}  {'CPU s':>7} {'wall s':>7} {'MB':>6}  {'CPU':>5} {'MB':>5}  at most")
    passed = True
    for name, usage in medians.items():
        cpu, memory = usage.cpu / medians[base].cpu, usage.peak_mb / medians[base].peak_mb
        most_cpu, most_memory = limits.get(name, (None, None))
        allowed = " ".join(f"{limit:.2f}" for limit in (most_cpu, most_memory) if limit is not None)
        fine = (most_cpu is None or cpu <= most_cpu) and (most_memory is None or memory <= most_memory)
        passed = passed and fine
        print(
            f"{name:{width}}  {usage.cpu:7.2f} {usage.wall:7.2f} {usage.peak_mb:6.0f}  {cpu:5.2f} {memory:5.2f}  "
            f"{allowed}{'' if fine else '  EXCEEDED'}"
        )
    return passed


def _median(usages: Sequence[Usage]) -> Usage:
    return Usage(
        cpu=statistics.median(usage.cpu for usage in usages),
        wall=statistics.median(usage.wall for usage in usages),
        peak_mb=statistics.median(usage.peak_mb for usage in usages),
    )
