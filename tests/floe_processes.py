"""`floe` in processes of its own, forked from one that has imported Dagster: they start in a third of the time."""

import multiprocessing
import os
import subprocess
import sys
from collections.abc import Mapping
from multiprocessing import forkserver
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from tempfile import TemporaryDirectory

from floe_cli.main import main

_FORKSERVER = multiprocessing.get_context("forkserver")
_IMPORTED = [
    "pytest",  # the main module of the tests, which each process imports
    "dagster._core.execution.plan.active",
    "dagster._core.executor.in_process",
    "dagster._core.instance.factory",
    "dagster._core.storage.event_log.sqlite",
    "dagster._core.storage.local_compute_log_manager",
    "dagster._core.storage.root",
    "dagster._core.storage.runs.sqlite",
    "dagster._core.storage.schedules.sqlite",
    "floe_cli.commands.backfill",
    "floe_cli.commands.run",
    "floe_cli.backfilling",
    "floe_cli.running",
    "floe_dagster.observability.lineage.observer",
    "floe_dagster.observability.local",
    "floe_dagster.observability.tracing.observer",
]


def import_once(*modules: str) -> None:
    """Import these modules, too, in the process that those to come of a test module are forked from."""
    _FORKSERVER.set_forkserver_preload([*_IMPORTED, *modules])
    forkserver.ensure_running()


def run_floe(*arguments: str, folder: Path, environ: Mapping[str, str]) -> "subprocess.CompletedProcess[str]":
    """How `floe` ended, and what it printed."""
    with TemporaryDirectory() as printed:
        stdout, stderr = Path(printed, "stdout"), Path(printed, "stderr")
        process = start_floe(*arguments, folder=folder, environ=environ, stdout=stdout, stderr=stderr)
        process.join()
        return subprocess.CompletedProcess(
            ["floe", *arguments],
            process.exitcode or 0,
            stdout.read_text(encoding="utf-8"),
            stderr.read_text(encoding="utf-8"),
        )


def start_floe(
    *arguments: str, folder: Path, environ: Mapping[str, str], stdout: Path, stderr: Path
) -> ForkServerProcess:
    """`floe` as the leader of a session of its own; what it prints is added to the files."""
    _FORKSERVER.set_forkserver_preload(_IMPORTED)
    process = _FORKSERVER.Process(target=_floe, args=(arguments, folder, dict(environ), stdout, stderr))
    process.start()
    return process


def _floe(arguments: tuple[str, ...], folder: Path, environ: dict[str, str], stdout: Path, stderr: Path) -> None:
    os.setsid()
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environ)
    for descriptor, file in ((1, stdout), (2, stderr)):
        os.dup2(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND), descriptor)
    sys.argv = ["floe", *arguments]
    main()
