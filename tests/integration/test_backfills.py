"""Backfills whose command line, daemon, code server and runs are killed, and that go on where they were."""

import json
import os
import pty
import signal
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import date, timedelta
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from textwrap import dedent

import dagster as dg
import pytest
from dagster._core.definitions.run_request import InstigatorType
from dagster._core.definitions.sensor_definition import SensorType
from dagster._core.remote_origin import (
    ManagedGrpcPythonEnvCodeLocationOrigin,
    RemoteInstigatorOrigin,
    RemoteRepositoryOrigin,
)
from dagster._core.scheduler.instigation import InstigatorState, InstigatorStatus, SensorInstigatorData
from dagster._core.types.loadable_target_origin import LoadableTargetOrigin

from floe_cli.ui_address import is_answering
from floe_core.project import ProjectFolder
from floe_core.schemas.platform_spec import PlatformSpec
from floe_dagster.compilation import compile_project
from floe_dagster.running.code_pointer import BUILT_IN_MODULE
from floe_dagster.running.instance import prepare_dagster_home
from floe_processes import run_floe, start_floe

FLOE = (sys.executable, "-c", "from floe_cli.main import main; main()")
DAEMON = (sys.executable, "-m", "dagster._daemon", "run", "--module-name", BUILT_IN_MODULE, "--working-directory")
FLOE_YAML = """
    name: shop
    orchestration:
      asset_modules: [days]
      partitions:
        daily: {type: time_window, start: "2024-01-01"}
      assets:
        "*": {partitions: daily}
      jobs:
        load: {type: batch, selection: ["*"], executor: EXECUTOR}
      backfills:
        history: {job: load, partition_range: {start: 2024-01-01, end: END}, batch_size: SIZE, on_failure: FAILURE}
    """
DAYS_PY = """
    import time
    from pathlib import Path

    import dagster as dg

    HERE = Path(__file__).parent

    def pass_gate(place):
        \"\"\"Wait for long where the test wants to kill something.\"\"\"
        gate = HERE / "gate"
        while gate.exists() and gate.read_text() == place:
            (HERE / "reached").touch()
            time.sleep(0.2)

    @dg.asset
    def raw(context) -> None:
        pass_gate(f"raw {context.partition_key}")

    @dg.asset(deps=[raw])
    def clean(context) -> None:
        pass_gate(f"clean {context.partition_key}")

    @dg.asset_check(asset=clean)
    def is_clean(context):
        pass_gate(f"check {context.run.tags['dagster/partition']}")
        return dg.AssetCheckResult(passed=True)
    """
SECONDS = 240.0  # an idle machine needs a tenth


class Shop:
    """A project with a backfill over *days* days, and the processes that work on it."""

    def __init__(
        self, path: Path, *, days: int, batch_size: int, executor: str = "in_process", on_failure: str = "stop"
    ) -> None:
        self.path = path
        self.days = [f"{date(2024, 1, 1) + timedelta(days=number)}" for number in range(days)]
        text = FLOE_YAML.replace("END", self.days[-1]).replace("SIZE", str(batch_size)).replace("EXECUTOR", executor)
        text = text.replace("FAILURE", on_failure)
        (path / "floe.yaml").write_text(dedent(text))
        (path / "days.py").write_text(dedent(DAYS_PY))
        self.folder = ProjectFolder(path)
        compile_project(self.folder, environ={})
        self.home = prepare_dagster_home(self.folder, PlatformSpec(), environ={}).path
        self.instance = dg.DagsterInstance.from_config(str(self.home))

    def floe(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        return run_floe(*arguments, folder=self.path, environ=self.environment)

    def floe_in_terminal(self, *arguments: str) -> tuple[int, str]:
        """The exit code, and what a terminal is sent."""
        ours, theirs = pty.openpty()
        with os.fdopen(ours, "rb", buffering=0) as terminal:
            process = subprocess.Popen([*FLOE, *arguments], cwd=self.path, env=self.environment, stderr=theirs)
            os.close(theirs)
            shown = b""
            with suppress(OSError):  # the end of a terminal
                while piece := terminal.read(65536):
                    shown += piece
        return process.wait(), shown.decode(errors="replace")

    @contextmanager
    def started_floe(self, *arguments: str) -> Iterator[ForkServerProcess]:
        """A command line that does not outlive the block."""
        log = self.path / "output.log"
        process = start_floe(*arguments, folder=self.path, environ=self.environment, stdout=log, stderr=log)
        try:
            yield process
        finally:
            process.kill()
            process.join()

    @contextmanager
    def started(self, *command: str) -> Iterator["subprocess.Popen[bytes]"]:
        """A process in a group of its own, none of which outlives the block."""
        with (self.path / "output.log").open("ab") as log:
            process = subprocess.Popen(
                command, cwd=self.path, env=self.environment, stdout=log, stderr=log, start_new_session=True
            )
        try:
            yield process
        finally:
            kill(process)

    @contextmanager
    def held_at(self, place: str) -> Iterator[None]:
        """Hold the run that comes to *place* (`raw 2024-01-03`) there; the block begins once it is there."""
        (self.path / "gate").write_text(place)
        yield
        (self.path / "gate").unlink()
        (self.path / "reached").unlink()

    def wait_until(self, condition: Callable[[], bool]) -> None:
        deadline = time.monotonic() + SECONDS
        while not condition():
            assert time.monotonic() < deadline, (self.path / "output.log").read_text()[-5000:]
            time.sleep(0.2)

    def wait_until_held(self) -> None:
        self.wait_until((self.path / "reached").exists)

    @property
    def environment(self) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("DAGSTER_", "FLOE_"))}
        return {**kept, "TERM": "xterm", "DAGSTER_HOME": str(self.home), "FLOE_PROJECT_DIR": str(self.path)}

    def materialised(self, asset: str) -> list[str]:
        records = self.instance.fetch_materializations(dg.AssetKey(asset), limit=1000).records
        return [str(record.partition_key) for record in reversed(records)]

    def switch_on(self) -> None:
        """What the switch in the UI does."""
        target = LoadableTargetOrigin(module_name=BUILT_IN_MODULE, working_directory=str(self.path))
        repository = RemoteRepositoryOrigin(ManagedGrpcPythonEnvCodeLocationOrigin(target), "__repository__")
        self.instance.add_instigator_state(
            InstigatorState(
                RemoteInstigatorOrigin(repository_origin=repository, instigator_name="history_backfill"),
                InstigatorType.SENSOR,
                InstigatorStatus.RUNNING,
                SensorInstigatorData(last_sensor_start_timestamp=time.time(), sensor_type=SensorType.STANDARD),
            )
        )

    def switch(self, status: InstigatorStatus) -> None:
        """What the switch in the UI does, once the sensor was on."""
        (state,) = self.instance.all_instigator_state(instigator_type=InstigatorType.SENSOR)
        data = SensorInstigatorData(last_sensor_start_timestamp=time.time(), sensor_type=SensorType.STANDARD)
        self.instance.update_instigator_state(state.with_data(data).with_status(status))

    def said(self) -> str:
        return (self.path / "output.log").read_text()

    def assert_everything_is_there_once(self) -> None:
        for asset in ("raw", "clean"):
            assert Counter(self.materialised(asset)) == Counter(self.days)


def wait_for(process: ForkServerProcess) -> int | None:
    """Its exit code."""
    process.join(SECONDS)
    return process.exitcode


def kill(process: "subprocess.Popen[bytes]") -> None:
    """Kill everything that the process has started, as when the machine goes down."""
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


@pytest.mark.requirement("010-SC-007", "010-FR-042")
def test_a_command_line_that_is_killed_again_and_again_runs_nothing_twice(tmp_path: Path) -> None:
    shop = Shop(tmp_path, days=8, batch_size=3)

    for place in ("raw 2024-01-01", "clean 2024-01-02", "check 2024-01-03", "raw 2024-01-05"):
        with shop.held_at(place), shop.started_floe("backfill", "history") as process:
            shop.wait_until_held()
            process.kill()
            process.join()
    status = json.loads(shop.floe("backfill", "history", "--status", "--format", "json").stdout)
    code, shown = shop.floe_in_terminal("backfill", "history")

    assert (status["done"], len(status["missing"]), status["in_flight"]) == (4, 4, [])
    assert code == 0, shown
    assert "4/8" in shown  # the progress bar
    assert "8 of 8 partitions are done" in shown
    assert shop.materialised("raw") == shop.days
    shop.assert_everything_is_there_once()


def test_a_step_that_outlives_its_killed_command_line_is_waited_for(tmp_path: Path) -> None:
    shop = Shop(tmp_path, days=1, batch_size=1, executor="multiprocess")

    with shop.held_at("raw 2024-01-01"), shop.started_floe("backfill", "history") as process:
        shop.wait_until_held()
        process.kill()
        status = json.loads(shop.floe("backfill", "history", "--status", "--format", "json").stdout)
        with shop.started_floe("backfill", "history") as again:
            shop.wait_until(lambda: "0 of 1 partitions are done" in shop.said()[-200:])
            (tmp_path / "gate").write_text("")
            code = wait_for(again)

    assert (status["in_flight"], code) == (["2024-01-01"], 0)
    shop.assert_everything_is_there_once()


def test_ctrl_c_cancels_the_run_and_says_how_to_go_on(tmp_path: Path) -> None:
    shop = Shop(tmp_path, days=2, batch_size=2)

    with shop.held_at("clean 2024-01-01"), shop.started_floe("backfill", "history") as process:
        shop.wait_until_held()
        os.killpg(process.ident or 0, signal.SIGINT)
        code = wait_for(process)

    (run,) = shop.instance.get_runs()
    assert (code, run.status) == (130, dg.DagsterRunStatus.CANCELED)
    said = (tmp_path / "output.log").read_text()
    assert "history was interrupted" in said
    assert "'floe backfill history' tries again what failed, and goes on" in said
    assert shop.floe("backfill", "history").returncode == 0
    shop.assert_everything_is_there_once()


def test_cancel_ends_the_command_line_that_works_on_it(tmp_path: Path) -> None:
    shop = Shop(tmp_path, days=2, batch_size=2)

    with shop.held_at("raw 2024-01-01"), shop.started_floe("backfill", "history") as process:
        shop.wait_until_held()
        canceled = shop.floe("backfill", "history", "--cancel", "--format", "json")
        code = wait_for(process)

    (run,) = shop.instance.get_runs()
    assert (canceled.returncode, code, run.status) == (0, 130, dg.DagsterRunStatus.CANCELED)
    assert "history was canceled with 'floe backfill history --cancel' after" in shop.said()
    assert json.loads(canceled.stdout) == {
        "backfill": "history",
        "was_on": False,
        "canceled": [run.run_id],
        "under_way": [],
    }


@pytest.mark.requirement("010-SC-007", "010-FR-042")
def test_a_daemon_that_is_killed_with_its_runs_goes_on_when_it_is_back(tmp_path: Path) -> None:
    shop = Shop(tmp_path, days=2, batch_size=1)
    shop.switch_on()

    with shop.held_at("clean 2024-01-02"), shop.started(*DAEMON, str(tmp_path)) as daemon:
        shop.wait_until_held()
        kill(daemon)
    with shop.started(*DAEMON, str(tmp_path)):
        shop.wait_until(lambda: sorted(shop.materialised("clean")) == shop.days)

    shop.assert_everything_is_there_once()
    killed = [run for run in shop.instance.get_runs() if run.status is dg.DagsterRunStatus.FAILURE]
    assert [run.tags["dagster/partition"] for run in killed] == ["2024-01-02"]


@pytest.mark.requirement("010-SC-007")
def test_the_daemon_of_floe_dev_carries_it_out_and_the_command_line_when_that_dies(tmp_path: Path) -> None:
    shop = Shop(tmp_path, days=2, batch_size=1)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = str(probe.getsockname()[1])

    with shop.held_at("raw 2024-01-02"), shop.started(*FLOE, "dev", "--port", port) as dev:
        shop.wait_until(lambda: "SENSOR" in shop.instance.get_daemon_heartbeats())
        shop.wait_until(lambda: is_answering(f"http://127.0.0.1:{port}"))
        with shop.started_floe("backfill", "history") as command:
            shop.wait_until_held()
            kill(dev)
            (tmp_path / "gate").write_text("")
            code = wait_for(command)

    said = (tmp_path / "output.log").read_text()
    assert code == 0, said
    assert said.index("Dagster's daemon carries it out") < said.index("going on in this process")
    shop.assert_everything_is_there_once()


@pytest.mark.requirement("010-FR-041")
def test_what_somebody_else_ended_is_not_gone_on_with(tmp_path: Path) -> None:
    shop = Shop(tmp_path, days=2, batch_size=1, on_failure="continue")
    watching = "Dagster's daemon carries it out"
    shop.switch_on()

    with shop.held_at("raw 2024-01-01"), shop.started(*DAEMON, str(tmp_path)):
        shop.wait_until_held()
        with shop.started_floe("backfill", "history") as command:
            shop.wait_until(lambda: watching in shop.said())
            shop.switch(InstigatorStatus.STOPPED)
            off = wait_for(command)
        shop.switch(InstigatorStatus.RUNNING)
        with shop.started_floe("backfill", "history") as command:
            shop.wait_until(lambda: shop.said().count(watching) > 1)
            canceled = shop.floe("backfill", "history", "--cancel")
            ended = wait_for(command)

    assert (off, canceled.returncode, ended) == (130, 0, 130), shop.said()
    assert "history was switched off after" in shop.said()
    assert "somebody switched sensor history_backfill off, in Dagster's UI or with another command" in shop.said()
    assert "still in flight: 2024-01-01; 'floe backfill history --cancel' ends it" in shop.said()
    assert "'floe backfill history', or switching the sensor on, goes on" in shop.said()
    assert "history was canceled with 'floe backfill history --cancel' after" in shop.said()
    assert "going on in this process" not in shop.said()
    assert [run.status for run in shop.instance.get_runs()] == [dg.DagsterRunStatus.CANCELED]
