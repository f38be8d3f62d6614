"""A file watcher and a running daemon: files start their job by themselves, also where the daemon is killed."""

import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import dagster as dg
import pytest

from floe_core.project import ProjectFolder
from floe_dagster.compilation import compile_project
from plugins.user_project import UserProject

T = TypeVar("T")
_MINUTE = 60
_LONGEST_WAIT = 140
"""Seconds; most of it is for processes to start on a busy machine."""
FILES = {
    "floe.yaml": """
        name: shop
        orchestration:
          asset_modules: [.assets]
          jobs:
            load: {type: batch, selection: orders, executor: in_process}
          sensors:
            arrival:
              type: file_watcher
              path: incoming
              pattern: "**/*.csv"
              settle_seconds: 1
              poll_interval_seconds: 1
              job: load
              config: {ops: {orders: {config: {path: "{file.path}"}}}}
        """,
    "platform.yaml": "{}",
    "assets.py": """
        from pathlib import Path

        import dagster as dg

        class Source(dg.Config):
            path: str

        @dg.asset
        def orders(config: Source) -> dg.MaterializeResult:
            path = Path(config.path)
            return dg.MaterializeResult(metadata={"read": f"{path.name} {path.read_text()}"})
        """,
    "definitions.py": """
        from floe_dagster import FloeDefinitions

        defs = FloeDefinitions.from_compiled_artifacts()
        """,
    "home/dagster.yaml": """
        telemetry: {enabled: false}
        run_launcher: {module: dagster._core.launcher.sync_in_memory_run_launcher, class: SyncInMemoryRunLauncher}
        run_coordinator: {module: dagster._core.run_coordinator, class: DefaultRunCoordinator}
        """,
}


@contextmanager
def running_daemon(folder: Path) -> Iterator["subprocess.Popen[bytes]"]:
    """A daemon of its own process group: with its code server it is killed."""
    command = [sys.executable, "-m", "dagster._daemon", "run", "-f", "definitions.py"]
    environ = {**os.environ, "DAGSTER_HOME": str(folder / "home")}
    with (
        (folder / "daemon.log").open("a") as log,
        subprocess.Popen(command, env=environ, stdout=log, stderr=log, start_new_session=True) as daemon,
    ):
        try:
            yield daemon
        finally:
            kill(daemon)


def kill(daemon: "subprocess.Popen[bytes]") -> None:
    if daemon.poll() is None:
        os.killpg(daemon.pid, signal.SIGKILL)
        daemon.wait()


def wait_for(found: Callable[[], T | None]) -> T:
    """What *found* gives as soon as it gives anything."""
    until = time.monotonic() + _LONGEST_WAIT
    while not (value := found()):
        assert time.monotonic() < until, Path("daemon.log").read_text()[-5000:]
        time.sleep(0.2)
    return value


def read_by_runs(instance: dg.DagsterInstance) -> Counter[str]:
    """What the runs read, each as often as it was."""
    records = instance.fetch_materializations(dg.AssetKey("orders"), limit=1000).records
    events = (record.asset_materialization for record in records)
    return Counter(str(event.metadata["read"].value) for event in events if event is not None)


def runs_by_file(instance: dg.DagsterInstance) -> Counter[str]:
    """How many runs there are for each file; one that a killed daemon carried out just then has read nothing."""
    configs: Iterator[Mapping[str, Any]] = (run.run_config for run in instance.get_runs())
    return Counter(Path(config["ops"]["orders"]["config"]["path"]).name for config in configs)


def write(folder: Path, name: str, text: str) -> str:
    path = folder / "incoming" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return f"{path.name} {text}"


@pytest.mark.requirement("010-FR-030", "010-FR-034", "010-SC-008")
def test_each_version_is_read_once_within_a_minute_whoever_is_killed(user_project: UserProject) -> None:
    folder = user_project.path
    user_project.write(FILES)
    compile_project(ProjectFolder(folder), environ=os.environ)
    first = write(folder, "first.csv", "one")
    with dg.DagsterInstance.from_config(str(folder / "home")) as instance:
        with running_daemon(folder) as daemon:
            wait_for(lambda: first in read_by_runs(instance))
            arrived = write(folder, "eu/second.csv", "two")
            since = time.monotonic()
            wait_for(lambda: arrived in read_by_runs(instance))
            assert time.monotonic() - since < _MINUTE
            burst = [write(folder, f"burst/{number}.csv", "x") for number in range(12)]
            wait_for(lambda: any(name in read_by_runs(instance) for name in burst))
            kill(daemon)  # in the middle of the tick that launches them
        assert len(runs_by_file(instance)) < len(burst) + 2
        write(folder, "first.csv", "rewritten")
        with running_daemon(folder):
            expected = {"first.csv": 2, "second.csv": 1, **{f"{number}.csv": 1 for number in range(12)}}
            wait_for(lambda: runs_by_file(instance) >= Counter(expected))
            last = write(folder, "last.csv", "end")
            wait_for(lambda: last in read_by_runs(instance))

        assert runs_by_file(instance) == {**expected, "last.csv": 1}
        assert max(read_by_runs(instance).values()) == 1
