"""Runs that are interrupted, killed or started twice: `floe run` as a process, on a project whose steps take long."""

import os
import re
import signal
import sqlite3
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from multiprocessing.context import ForkServerProcess
from pathlib import Path

import pytest

from floe_dagster.observability.local.files import list_run_files
from floe_dagster.observability.local.traces import read_trace
from floe_processes import import_once, run_floe, start_floe
from lineage_events import check_events, ends, read_events

FILES = {
    "floe.yaml": """
name: shop
orchestration:
  asset_modules: [assets]
  dbt: {project_dir: dbt, fetch: [row_counts]}
  jobs:
    all: {type: batch, selection: [orders, counted]}
    count_for_hours: {type: batch, selection: [endless]}
    quick: {type: batch, selection: [small]}
    hold: {type: batch, selection: [stubborn]}
    retry: {type: batch, selection: [patient]}
""",
    "assets.py": """
import time

import dagster as dg
import pyarrow as pa

from floe_dagster import floe_asset


@floe_asset(outputs=["bronze.orders"])
def orders() -> pa.Table:
    return pa.table({"id": range(10)})


@dg.asset
def small() -> None: ...


@dg.asset
def stubborn() -> None:
    while True:
        try:
            print("held", flush=True)
            time.sleep(60)
        except BaseException:
            print("not now", flush=True)


@dg.asset(retry_policy=dg.RetryPolicy(max_retries=3, delay=60))
def patient() -> None:
    print("held", flush=True)
    time.sleep(60)
""",
    "dbt/dbt_project.yml": "name: shop\nversion: '1.0'\nprofile: shop\nmodels: {+materialized: table}\n",
    "dbt/models/sources.yml": "sources: [{name: bronze, tables: [{name: orders}]}]\n",
    "dbt/models/counted.sql": "select count(*) as rows from {{ source('bronze', 'orders') }}\n",
    "dbt/models/endless.sql": "select count(*) as rows from range(1000000000000)\n",
}
IN_THE_MODEL = "START sql table model"
SECONDS = 25.0  # an idle machine needs one or two


class Project:
    """A project folder, and the processes that run its jobs."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def run(self, job: str) -> "subprocess.CompletedProcess[str]":
        return run_floe("run", job, "--format", "json", folder=self.path, environ=environment())

    def settle(self) -> dict[str, int]:
        """The statuses when nothing is shown as running that is not."""
        self.run("no_such_job")
        return self.statuses

    @contextmanager
    def started(self, *arguments: str) -> Iterator["Run"]:
        """A floe command in a session of its own, none of whose processes outlives the block."""
        printed = self.path / f"printed-{time.monotonic_ns()}"
        process = start_floe(
            *arguments, folder=self.path, environ=environment(), stdout=Path(os.devnull), stderr=printed
        )
        try:
            yield Run(process, printed)
        finally:
            for left in processes_of_session(process.ident or 0):
                os.kill(left, signal.SIGKILL)
            process.join()

    @property
    def statuses(self) -> dict[str, int]:
        """Status → how many runs have it."""
        database = self.path / ".floe" / "dagster_home" / "history" / "runs.db"
        if not database.exists():
            return {}
        with sqlite3.connect(database) as connection:
            return dict(connection.execute("select status, count(*) from runs group by status"))

    def observed(self, job: str, *, run: str = "") -> tuple[dict[str, str], dict[str, str]]:
        """What is left of the newest run of *job*, or of that *run*: span → status, and lineage job → how it ended."""
        runs = (read_trace(file) for file in list_run_files(self._kept("traces")) if run in ("", file.run_id))
        newest = next(run for run in runs if f"run {job}" in {span.name for span in run.spans})
        events = read_events(self._kept("lineage") / f"{newest.run_id}.jsonl")
        check_events(events)
        return (
            {span.name: span.status for span in newest.spans},
            {name: event["eventType"] for name, event in ends(events).items()},
        )

    def _kept(self, what: str) -> Path:
        return self.path / ".floe" / "observability" / what


class Run:
    """A floe command that is under way."""

    def __init__(self, process: ForkServerProcess, printed: Path) -> None:
        self.process = process
        self._file = printed

    @property
    def printed(self) -> str:
        return self._file.read_text(encoding="utf-8", errors="replace") if self._file.exists() else ""

    @property
    def left(self) -> list[int]:
        """Processes that live of those that it started."""
        return processes_of_session(self.process.ident or 0)

    def wait_for(self, text: str) -> None:
        while text not in self.printed:
            assert self.process.is_alive(), self.printed
            time.sleep(0.02)

    def end(self) -> int | None:
        """Wait for its end; its exit code."""
        self.process.join()
        return self.process.exitcode

    def interrupt(self) -> float:
        """Send SIGTERM, as whoever started it would; the seconds until it has ended."""
        sent = time.monotonic()
        self.process.terminate()
        self.process.join(60)
        return time.monotonic() - sent


def environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith(("DAGSTER_", "FLOE_"))}


def processes_of_session(session: int) -> list[int]:
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            state, _, _, own_session = (process / "stat").read_text().rpartition(")")[2].split()[:4]
            if int(own_session) == session and state != "Z":
                found.append(int(process.name))
    return found


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """One project for all tests: each leaves it so that the next run succeeds."""
    folder = tmp_path_factory.mktemp("runs") / "it's 100% Größe {x}"
    for name, text in FILES.items():
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    import_once("floe_dagster.dbt.cli")
    return Project(folder)


def test_two_first_runs_at_once_both_succeed(project: Project) -> None:
    with project.started("run", "-v", "all") as one, project.started("run", "-v", "all") as other:
        codes = [one.end(), other.end()]

    assert codes == [0, 0], one.printed + other.printed
    assert project.statuses == {"SUCCESS": 2}


def test_two_runs_that_are_interrupted_in_dbt_end_soon_and_leave_nothing_behind(project: Project) -> None:
    before = project.statuses

    with (
        project.started("run", "-v", "count_for_hours") as one,
        project.started("run", "-v", "count_for_hours") as other,
    ):
        while not any(IN_THE_MODEL in run.printed for run in (one, other)):
            assert one.process.is_alive() or other.process.is_alive(), one.printed + other.printed
            time.sleep(0.02)
        for run in (one, other):
            run.wait_for("Running dbt command")
        seconds = [one.interrupt(), other.interrupt()]
        left = one.left + other.left

    for run in (one, other):
        assert "count_for_hours was canceled" in run.printed
        assert "cancel  the run; interrupt it once more to end it at once" in run.printed
    assert (one.process.exitcode, other.process.exitcode, left) == (130, 130, [])
    assert project.statuses == {**before, "CANCELED": 2}
    assert max(seconds) < SECONDS


def test_runs_that_were_killed_are_failed_at_the_next_run_which_succeeds(project: Project) -> None:
    before = project.statuses
    with project.started("run", "-v", "count_for_hours") as in_dbt, project.started("run", "-v", "hold") as in_python:
        in_dbt.wait_for(IN_THE_MODEL)
        in_python.wait_for("held")
        for run in (in_dbt, in_python):
            run.process.kill()
            run.process.join()
        assert project.statuses == {**before, "STARTED": 2}
        wait_until(lambda: not in_dbt.left + in_python.left)

    after = project.run("all")

    assert after.returncode == 0, after.stderr
    for job in ("count_for_hours", "hold"):
        assert f"of {job} was still shown as running; its process is gone: marked as failed" in after.stderr
    assert project.statuses == {**before, "SUCCESS": before.get("SUCCESS", 0) + 1, "FAILURE": 2}
    assert project.observed("hold") == (
        {"run hold": "error", "step stubborn": "error", "asset stubborn": "error"},
        {"shop": "FAIL", "shop.stubborn": "FAIL"},
    )
    assert project.observed("count_for_hours") == (
        {"run count_for_hours": "error", "step shop_dbt_assets": "error", "model endless": "error"},
        {"shop": "FAIL", "shop.model.shop.endless": "FAIL"},
    )
    assert "was still shown as running" not in project.run("quick").stderr


def test_a_run_that_was_killed_is_failed_when_the_ui_starts(project: Project) -> None:
    before = project.settle()
    with project.started("run", "-v", "hold") as killed:
        killed.wait_for("held")

    with project.started("dev") as ui:
        ui.wait_for("of hold was still shown as running; its process is gone: marked as failed")
        ui.wait_for("Dagster's UI: ")

    assert project.statuses == {**before, "FAILURE": before.get("FAILURE", 0) + 1}
    assert project.observed("hold")[1] == {"shop": "FAIL", "shop.stubborn": "FAIL"}


def test_the_end_of_a_killed_run_is_told_once_the_project_loads_again(project: Project) -> None:
    with project.started("run", "-v", "hold") as killed:
        killed.wait_for("held")
    module = project.path / "assets.py"
    module.write_text("import no_such_module\n", encoding="utf-8")

    broken = project.run("quick")
    module.write_text(FILES["assets.py"], encoding="utf-8")
    after = [project.run("quick"), project.run("quick")]

    found = re.search(r"run (\S+) of hold was still shown as running; its process is gone: marked as", broken.stderr)
    assert found is not None, broken.stderr
    assert "No module named 'no_such_module'" in broken.stderr
    assert (broken.returncode, [run.returncode for run in after]) == (1, [0, 0])
    assert project.observed("hold", run=found[1]) == (
        {"run hold": "error", "step stubborn": "error", "asset stubborn": "error"},
        {"shop": "FAIL", "shop.stubborn": "FAIL"},
    )


def test_a_run_that_lives_is_left_alone_by_the_next_one(project: Project) -> None:
    before = project.statuses
    with project.started("run", "-v", "hold") as living:
        living.wait_for("held")

        assert project.run("quick").returncode == 0
        assert project.statuses == {**before, "SUCCESS": before.get("SUCCESS", 0) + 1, "STARTED": 1}


@pytest.mark.parametrize(
    ("signals", "most"), [pytest.param(1, 30.0, id="in good time"), pytest.param(2, 10.0, id="at once the second time")]
)
def test_a_step_that_will_not_end_is_ended(project: Project, signals: int, most: float) -> None:
    before = project.settle()
    with project.started("run", "-v", "hold") as run:
        run.wait_for("held")
        if signals > 1:
            run.process.terminate()
            run.wait_for("not now")
            time.sleep(1)
        seconds = run.interrupt()

    assert run.process.exitcode == 130
    assert "not now" in run.printed
    assert "hold was canceled" in run.printed
    assert ["stubborn", "default", "canceled"] in [line.split() for line in run.printed.splitlines()]
    assert project.statuses == {**before, "CANCELED": before.get("CANCELED", 0) + 1}
    assert seconds < most


def test_an_interrupted_step_is_not_tried_again_by_its_retry_policy(project: Project) -> None:
    before = project.settle()
    with project.started("run", "-v", "retry") as run:
        run.wait_for("held")
        seconds = run.interrupt()

    assert run.process.exitcode == 130
    assert run.printed.count("held") == 1
    assert ["patient", "default", "canceled"] in [line.split() for line in run.printed.splitlines()]
    assert project.statuses == {**before, "CANCELED": before.get("CANCELED", 0) + 1}
    assert seconds < SECONDS


def test_an_interrupt_before_there_is_a_run_is_one_sentence(project: Project) -> None:
    before = project.settle()
    (project.path / "assets.py").write_text(
        "import time\nprint('importing', flush=True)\ntime.sleep(60)\n" + FILES["assets.py"], encoding="utf-8"
    )
    with project.started("run", "-v", "all") as run:
        run.wait_for("importing")
        run.interrupt()
    (project.path / "assets.py").write_text(FILES["assets.py"], encoding="utf-8")

    assert run.process.exitcode == 130
    assert run.printed.splitlines()[-1] == "interrupted"
    assert "Traceback" not in run.printed
    assert project.statuses == before


def wait_until(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)
