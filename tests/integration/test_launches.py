"""Which runs are carried out by a living process, on a real instance and with processes that are killed."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import dagster as dg
import pytest
from dagster._core.storage.dagster_run import DagsterRunStatus

from floe_dagster.running.launches import Launch, end_abandoned_runs

HOLD = """
import sys, time
from pathlib import Path
from floe_dagster.running.launches import Launch

with Launch(sys.argv[1]).held(Path(sys.argv[2])):
    print("held", flush=True)
    time.sleep(60)
"""


@dg.job
def nothing() -> None: ...


@pytest.fixture
def instance(tmp_path: Path) -> Iterator[dg.DagsterInstance]:
    home = tmp_path / "home"
    home.mkdir()
    with dg.DagsterInstance.local_temp(str(home)) as instance:
        yield instance


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "launches"


def create_run(
    instance: dg.DagsterInstance, launch: Launch, status: DagsterRunStatus = DagsterRunStatus.STARTED
) -> str:
    return instance.create_run_for_job(nothing, tags=launch.tags, status=status).run_id


def status_of(instance: dg.DagsterInstance, run_id: str) -> DagsterRunStatus:
    run = instance.get_run_by_id(run_id)
    assert run is not None
    return run.status


@contextmanager
def holder(launch: Launch, folder: Path) -> Iterator["subprocess.Popen[str]"]:
    """A process that holds the launch, and is killed at the end of the block."""
    command = [sys.executable, "-c", HOLD, launch.name, str(folder)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        yield process
        process.kill()


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (DagsterRunStatus.NOT_STARTED, DagsterRunStatus.FAILURE),
        (DagsterRunStatus.STARTED, DagsterRunStatus.FAILURE),
        (DagsterRunStatus.CANCELING, DagsterRunStatus.CANCELED),
    ],
)
def test_a_run_whose_process_was_killed_is_ended_once(
    instance: dg.DagsterInstance, folder: Path, before: DagsterRunStatus, after: DagsterRunStatus
) -> None:
    launch = Launch.begin()
    run_id = create_run(instance, launch, before)
    with holder(launch, folder):
        pass

    assert [run.run_id for run in end_abandoned_runs(folder, instance)] == [run_id]
    assert status_of(instance, run_id) == after
    assert end_abandoned_runs(folder, instance) == []
    assert list(folder.iterdir()) == []


def test_a_run_whose_process_lives_is_left_alone(instance: dg.DagsterInstance, folder: Path) -> None:
    launch = Launch.begin()
    run_id = create_run(instance, launch)

    with holder(launch, folder):
        assert end_abandoned_runs(folder, instance) == []

    assert status_of(instance, run_id) == DagsterRunStatus.STARTED


def test_a_run_of_another_machine_is_left_alone(instance: dg.DagsterInstance, folder: Path) -> None:
    launch = Launch.begin()
    create_run(instance, launch)
    with holder(launch, folder):
        pass
    [file] = folder.iterdir()
    file.rename(file.with_suffix(".elsewhere"))

    assert end_abandoned_runs(folder, instance) == []


def test_a_finished_run_stays_as_it_is_and_leaves_no_file(instance: dg.DagsterInstance, folder: Path) -> None:
    launch = Launch.begin()
    run_id = create_run(instance, launch, DagsterRunStatus.SUCCESS)
    with launch.held(folder):
        pass
    with holder(launch, folder):
        pass

    assert end_abandoned_runs(folder, instance) == []
    assert status_of(instance, run_id) == DagsterRunStatus.SUCCESS
    assert list(folder.iterdir()) == []


def test_a_run_in_another_instance_stays_noted_for_a_month(instance: dg.DagsterInstance, folder: Path) -> None:
    with holder(Launch.begin(), folder):
        pass
    [file] = folder.iterdir()

    assert end_abandoned_runs(folder, instance) == []
    assert file.exists()

    long_ago = time.time() - 31 * 86_400
    os.utime(file, (long_ago, long_ago))
    assert end_abandoned_runs(folder, instance) == []
    assert not file.exists()


def test_without_a_folder_there_is_nothing_to_end(instance: dg.DagsterInstance, folder: Path) -> None:
    assert end_abandoned_runs(folder, instance) == []
