"""Sensors of type `file_watcher`, evaluated by Dagster over real files."""

import os
import re
import shutil
import sqlite3
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, cast

import dagster as dg
import pytest
import time_machine
from dagster._core.definitions.sensor_definition import SensorExecutionData
from inline_snapshot import snapshot

from file_watching import Watched, build_watchers, files_of, names_of
from floe_core.errors import LoadError
from floe_dagster.sensors.file_texts import MOST_TAG_BYTES


def config_of(run: dg.RunRequest | dg.DagsterRun, op: str = "orders") -> Mapping[str, Any]:
    config: Mapping[str, Any] = run.run_config
    return cast("Mapping[str, Any]", config["ops"][op]["config"])


def _sentences(found: SensorExecutionData) -> list[str]:
    return re.split("[;:] ", found.skip_message or "")


@pytest.mark.requirement("010-FR-030")
def test_new_files_start_the_job_once_in_the_order_in_which_they_came(tmp_path: Path) -> None:
    watched = Watched(tmp_path, "job: load, pattern: '*.csv'")
    for name in ("b.csv", "a.csv", "c.txt"):
        watched.write(name)
        watched.settle()

    assert names_of(watched.tick()) == ["b.csv", "a.csv"]
    assert watched.tick() == []
    watched.write("a.csv", "longer text")
    watched.settle()
    assert names_of(watched.tick()) == ["a.csv"]


def test_a_cursor_that_is_taken_back_counts_though_nothing_has_changed_since_the_last_tick(tmp_path: Path) -> None:
    watched = Watched(tmp_path)
    watched.write("a.csv")
    before = watched.cursor
    watched.settle()
    watched.tick()
    quiet = [watched.evaluate().skip_message for _ in range(2) if watched.tick() == []]
    for run in watched.instance.get_runs():
        watched.instance.delete_run(run.run_id)

    watched.cursor = before

    assert quiet == ["no new file among 1 file in 'incoming'"] * 2
    assert names_of(watched.tick()) == ["a.csv"]


def test_a_file_rewritten_with_its_size_and_time_starts_again(tmp_path: Path) -> None:
    watched = Watched(tmp_path)
    watched.write("a.csv", "one", modified=1)
    watched.settle()
    watched.tick()
    watched.write("a.csv", "two", modified=1)
    watched.settle()

    assert names_of(watched.tick()) == ["a.csv"]


@pytest.mark.parametrize("change", ["chmod", "rename there and back", "copy there and back"])
def test_what_leaves_path_size_time_and_content_starts_nothing(tmp_path: Path, change: str) -> None:
    watched = Watched(tmp_path)
    path = watched.write("a.csv")
    watched.settle()
    watched.tick()
    for run in watched.instance.get_runs():
        watched.instance.delete_run(run.run_id)  # as retention does
    match change:
        case "chmod":
            path.chmod(0o600)
        case "rename there and back":
            path.rename(tmp_path / "b").rename(path)
        case _:
            shutil.copy2(path, tmp_path / "b")
            path.unlink()
            shutil.copy2(tmp_path / "b", path)
    watched.settle()

    assert watched.evaluate().run_requests == []


def test_a_tick_evaluated_twice_asks_for_the_same_run_keys(tmp_path: Path) -> None:
    watched = Watched(tmp_path, "jobs: [load, also]")
    watched.write("a.csv")
    watched.settle()

    first, again = watched.evaluate(), watched.evaluate()

    assert [request.run_key for request in first.run_requests or ()] == [
        request.run_key for request in again.run_requests or ()
    ]
    assert [request.job_name for request in first.run_requests or ()] == ["load", "also"]


@pytest.mark.requirement("010-FR-034")
def test_the_sensor_has_the_interval_and_switch_of_the_document(tmp_path: Path) -> None:
    off = Watched(tmp_path, "job: load, poll_interval_seconds: 7, enabled: false, description: New orders").sensor

    assert off.minimum_interval_seconds == 7
    assert off.default_status == dg.DefaultSensorStatus.STOPPED
    assert off.description == "New orders"
    assert Watched(tmp_path).sensor.default_status == dg.DefaultSensorStatus.RUNNING


def test_a_file_waits_until_it_has_not_changed_for_so_long(tmp_path: Path) -> None:
    watched = Watched(tmp_path, "job: load, settle_seconds: 5")
    watched.write("a.csv", modified=1)

    assert watched.tick() == []
    assert watched.evaluate().skip_message == ("no new file among 1 file in 'incoming'; 1 file changed a moment ago")
    with time_machine.travel(time.time() + 6):
        assert names_of(watched.tick()) == ["a.csv"]


@pytest.mark.parametrize("modified", [0, 1, -(10**18), 4 * 10**18], ids=["epoch", "old", "before 1970", "far ahead"])
def test_modification_times_do_not_matter(tmp_path: Path, modified: int) -> None:
    watched = Watched(tmp_path, "job: load, settle_seconds: 5")
    watched.write("a.csv", modified=modified)

    assert watched.tick() == []
    with time_machine.travel(time.time() + 6):
        assert names_of(watched.tick()) == ["a.csv"]
        assert watched.tick() == []


def test_a_clock_that_is_behind_the_file_systems_delays_no_file_for_ever(tmp_path: Path) -> None:
    watched = Watched(tmp_path, "job: load, settle_seconds: 5")
    watched.write("a.csv")
    past = time.time() - 86_400

    with time_machine.travel(past):
        assert watched.tick() == []
    with time_machine.travel(past + 3):
        assert watched.tick() == []
    with time_machine.travel(past + 6):
        assert names_of(watched.tick()) == ["a.csv"]


def test_a_folder_that_comes_later_goes_and_comes_back(tmp_path: Path) -> None:
    watched = Watched(tmp_path)
    watched.path.rmdir()
    assert watched.evaluate().skip_message == f"folder '{watched.path}' does not exist"
    watched.write("a.csv")
    watched.settle()
    assert names_of(watched.tick()) == ["a.csv"]

    watched.path.rename(tmp_path / "away")
    assert watched.tick() == []
    (tmp_path / "away").rename(watched.path)

    assert watched.evaluate().run_requests == []


def test_files_that_are_there_already_can_be_left_alone(tmp_path: Path) -> None:
    watched = Watched(tmp_path, "job: load, existing: ignore")
    old = watched.write("old.csv")
    assert watched.tick() == []
    old.chmod(0o600)
    watched.write("new.csv")
    watched.settle()

    assert names_of(watched.tick()) == ["new.csv"]
    watched.write("old.csv", "rewritten")
    watched.settle()
    assert names_of(watched.tick()) == ["old.csv"]


def test_what_comes_with_a_folder_that_was_missing_at_first_is_new(tmp_path: Path) -> None:
    watched = Watched(tmp_path, "job: load, existing: ignore")
    watched.path.rmdir()
    assert watched.tick() == []
    assert watched.tick() == []

    watched.path.mkdir()
    watched.write("a.csv", modified=0)
    watched.settle()

    assert names_of(watched.tick()) == ["a.csv"]
    assert watched.evaluate().run_requests == []


def test_a_cursor_that_is_lost_starts_nothing_again(tmp_path: Path) -> None:
    watched = Watched(tmp_path)
    watched.write("a.csv")
    watched.settle()
    watched.tick()

    for lost in (None, "", "another sensor's"):
        watched.cursor = lost
        assert watched.evaluate().run_requests == []


def test_one_run_for_all_files_of_a_tick(tmp_path: Path) -> None:
    watched = Watched(
        tmp_path,
        "job: load, batch: all, max_files_per_tick: 2, tags: {files: '{files}', n: 'x{{y}}'}, "
        "config: {ops: {orders: {config: {paths: '{files}'}}}}",
    )
    for name in ("a.csv", "b.csv", "c.csv"):
        watched.write(name)
        watched.settle()

    (request,) = watched.tick()

    paths = [str(watched.path / name) for name in ("a.csv", "b.csv")]
    assert config_of(request) == {"paths": paths}
    assert request.tags["n"] == "x{y}"
    assert request.tags["files"] == f'["{paths[0]}", "{paths[1]}"]'
    assert "floe/files" not in request.tags
    assert len(watched.tick()) == 1


def test_a_batch_whose_tick_is_not_stored_is_not_composed_anew(tmp_path: Path) -> None:
    watched = Watched(tmp_path, "jobs: [load, also], batch: all")
    watched.write("a.csv")
    watched.settle()
    watched.tick(launches=1, stores=False)
    watched.write("b.csv")
    watched.settle()

    launched = watched.tick()

    assert [(request.job_name, names_of([request])) for request in watched.launched] == [
        ("load", ["a.csv"]),
        ("also", ["a.csv"]),
        ("load", ["b.csv"]),
        ("also", ["b.csv"]),
    ]
    assert len(launched) == 3


def test_what_a_file_becomes_in_the_run(tmp_path: Path) -> None:
    watched = Watched(
        tmp_path,
        "job: by_day, pattern: '**', partition_pattern: '(?P<region>\\w+)/(?P<day>\\d{4}-\\d\\d-\\d\\d)', "
        "partition_key: '{day}', tags: {region: '{region}', stem: '{file.stem}', all: yes}, "
        "config: {ops: {daily: {config: {path: '{file.path}', paths: ['{file.name}', plain]}}}}",
    )
    path = watched.write("eu/2024-03-05.v1.csv")
    watched.settle()

    (request,) = watched.tick()

    assert request.partition_key == "2024-03-05"
    assert config_of(request, "daily") == {"path": str(path), "paths": ["2024-03-05.v1.csv", "plain"]}
    assert request.tags["region"] == "eu"
    assert request.tags["stem"] == "2024-03-05.v1"
    assert request.tags["all"] == "yes"
    assert "floe/file" not in request.tags


@pytest.fixture
def stored(tmp_path: Path) -> Iterator[dg.DagsterInstance]:
    """An instance on disk: Dagster adds dynamic keys in no other while it looks at a tick."""
    with dg.DagsterInstance.local_temp(str(tmp_path)) as instance:
        yield instance


def test_a_dynamic_key_is_added_before_the_run(tmp_path: Path, stored: dg.DagsterInstance) -> None:
    watched = Watched(tmp_path, "job: by_name, partition_key: '{file.stem}'", stored)
    watched.write("acme.csv")
    watched.settle()

    (request,) = watched.tick()

    assert request.partition_key == "acme"
    assert watched.instance.get_dynamic_partitions("names") == ["acme"]


@pytest.mark.filterwarnings("ignore:Non-compliant tag keys")  # Dagster 1.13 warns of its own tags
def test_the_dynamic_part_of_a_pair_of_keys_is_added(tmp_path: Path, stored: dg.DagsterInstance) -> None:
    watched = Watched(tmp_path, "job: by_both, partition_key: '2024-03-05|{file.stem}'", stored)
    watched.write("acme.csv")
    watched.settle()

    (request,) = watched.tick()

    assert request.partition_key == "2024-03-05|acme"
    assert watched.instance.get_dynamic_partitions("names") == ["acme"]


def test_files_without_a_partition_are_told_hold_up_none_and_are_tried_again(tmp_path: Path) -> None:
    watched = Watched(
        tmp_path, "job: by_day, partition_pattern: '^(?P<day>[^.]*)[.]csv$', partition_key: '{day}', tags: {f: '{day}'}"
    )
    for name in ("2024-03-05.csv", "2024-03-06.csv", "someday.csv", "2024-03-05.txt"):
        watched.write(name)
    with time_machine.travel("2024-03-06 12:00:00+00:00"):
        watched.tick()
    with time_machine.travel("2024-03-06 12:00:10+00:00"):
        assert [request.partition_key for request in watched.tick()] == ["2024-03-05"]
        assert _sentences(watched.evaluate()) == snapshot(
            [
                "no new file among 4 files in 'incoming'",
                "'someday.csv'",
                "job 'by_day' has no partition 'someday'",
                "the keys of a time window of '0 0 * * *' from 2024-03-01 in UTC are written like '2024-03-01'",
                "'2024-03-05.txt'",
                "its path does not match partition_pattern '^(?P<day>[^.]*)[.]csv$'",
                "'2024-03-06.csv'",
                "job 'by_day' has no partition '2024-03-06'",
                "the last one at the moment is '2024-03-05'",
            ]
        )
    with time_machine.travel("2024-03-07 00:00:10+00:00"):
        watched.tick()
    with time_machine.travel("2024-03-07 00:00:20+00:00"):
        assert [request.partition_key for request in watched.tick()] == ["2024-03-06"]


def test_a_job_that_has_no_partition_yet_takes_no_file(tmp_path: Path) -> None:
    watched = Watched(tmp_path, "job: by_day")
    watched.write("a.csv")
    with time_machine.travel("2024-03-01 12:00:00+00:00"):
        watched.tick()
    with time_machine.travel("2024-03-01 12:00:10+00:00"):
        assert _sentences(watched.evaluate()) == snapshot(
            [
                "job 'by_day' has no partition for 'latest'",
                "there is none yet",
                "the first one, '2024-03-01', is over at 2024-03-02 00:00",
            ]
        )
    with time_machine.travel("2024-03-02 12:00:10+00:00"):
        assert [request.partition_key for request in watched.tick()] == ["2024-03-01"]


def test_names_that_are_no_text_reach_ops_and_tags(tmp_path: Path) -> None:
    watched = Watched(tmp_path, "job: load")
    with_config = Watched(
        tmp_path, "job: load, tags: {n: '{file.name}'}, config: {ops: {orders: {config: {path: '{file.path}'}}}}"
    )
    watched.write(b"a\xff\n.csv", "content")
    watched.settle()

    (plain,) = watched.tick()
    (configured,) = with_config.tick()

    assert plain.tags["floe/file"] == f"{watched.path}/a\\xff\n.csv"
    assert configured.tags["n"] == "a\\xff\n.csv"
    stored = sqlite3.connect(":memory:").execute("select ?", (plain.tags["floe/file"],)).fetchone()[0]
    assert stored == plain.tags["floe/file"]
    run = with_config.instance.get_runs()[0]  # its config was stored and read back
    assert Path(config_of(run)["path"]).read_text() == "content"


def test_a_key_of_no_text_is_refused(tmp_path: Path, stored: dg.DagsterInstance) -> None:
    watched = Watched(tmp_path, "job: by_name, partition_key: '{file.stem}'", stored)
    watched.write(b"a\xff.csv")
    watched.write("line\nbreak.csv")
    watched.write("good.csv")
    watched.settle()

    assert [request.partition_key for request in watched.tick()] == ["good"]
    assert _sentences(watched.evaluate()) == snapshot(
        [
            "no new file among 3 files in 'incoming'",
            "'a\\xff.csv'",
            "'a\\xff' is no UTF-8 and so no partition key",
            """\
'line
break.csv'\
""",
            "'line\\nbreak' is no partition key",
            "Dagster takes no partition key with a line break in it",
        ]
    )


def test_many_long_names_are_spread_over_tags(tmp_path: Path) -> None:
    watched = Watched(tmp_path, "job: load, batch: all, max_files_per_tick: 500")
    names = sorted(f"{number:03}{'x' * 200}" for number in range(60))
    for name in names:
        watched.write(name)
    watched.settle()

    (request,) = watched.tick()

    assert sorted(Path(path).name for path in files_of(request)) == names
    assert max(len(value.encode()) for value in request.tags.values()) <= MOST_TAG_BYTES


def test_a_folder_of_thousands_of_files(tmp_path: Path) -> None:
    watched = Watched(tmp_path, "job: load, existing: ignore")
    for number in range(1500):
        watched.write(f"{number}.csv")
    assert watched.tick() == []
    watched.write("1.csv", "tent", modified=(watched.path / "1.csv").stat().st_mtime_ns)
    watched.write("new.csv")
    (watched.path / "2.csv").rename(watched.path / "renamed.csv")
    (watched.path / "3.csv").unlink()
    watched.settle()

    assert sorted(names_of(watched.tick())) == ["new.csv", "renamed.csv"]
    assert watched.evaluate().run_requests == []
    assert len((watched.cursor or "").encode()) <= 64 * 1024


def test_an_absolute_folder_outside_may_be_watched(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "a.csv").write_text("text")
    (tmp_path / "project").mkdir()
    sensor = build_watchers(
        f"arrival: {{type: file_watcher, path: {outside}, settle_seconds: 0, job: load}}", tmp_path / "project"
    )["arrival"]
    time.sleep(0.06)

    with dg.build_sensor_context(instance=dg.DagsterInstance.ephemeral()) as context:
        found = sensor.evaluate_tick(context)

    assert [request.tags["floe/file"] for request in found.run_requests or ()] == [os.fspath(outside / "a.csv")]


@pytest.mark.requirement("010-FR-035")
def test_what_is_wrong_is_told_before_anything_runs(tmp_path: Path) -> None:
    (tmp_path / "orders.csv").write_text("")

    with pytest.raises(LoadError) as raised:
        build_watchers(
            """
            file: {type: file_watcher, path: orders.csv, job: load}
            glob: {type: file_watcher, path: "in/2024/*.csv", job: load}
            globs: {type: file_watcher, path: "in-*", pattern: "*.csv", job: load}
            unpartitioned: {type: file_watcher, path: in, job: load, partition_key: "{file.stem}"}
            no_such: {type: file_watcher, path: in, job: by_region, partition_key: asia}
            misspelt: {type: file_watcher, path: in, job: load, config: {ops: {order: {config: {path: "{file.path}"}}}}}
            many: {type: file_watcher, path: in, job: load, config: {ops: {orders: {config: {paths: "{file.path}"}}}}}
            nothing: {type: file_watcher, path: in, selection: [ordres]}
            """,
            tmp_path,
        )

    assert str(raised.value).replace(str(tmp_path), "FOLDER") == snapshot("""\
error[FLOE-396]: sensor 'file' watches 'orders.csv', which is a file
  --> floe.yaml:13:38  orchestration.sensors.file.path
   |  file: {type: file_watcher, path: orders.csv, job: load}
  why: a file watcher watches a folder and the files in it; this is FOLDER/orders.csv
  fix: write path: . and pattern: orders.csv

error[FLOE-396]: sensor 'glob' watches 'in/2024/*.csv', which is a pattern
  --> floe.yaml:14:38  orchestration.sensors.glob.path
   |  glob: {type: file_watcher, path: "in/2024/*.csv", job: load}
  why: 'path' is one folder, taken as it is written, and there is none of that name
  fix: write path: in/2024 and pattern: '*.csv'

error[FLOE-396]: sensor 'globs' watches 'in-*', which is a pattern
  --> floe.yaml:15:39  orchestration.sensors.globs.path
   |  globs: {type: file_watcher, path: "in-*", pattern: "*.csv", job: load}
  why: 'path' is one folder, taken as it is written, and there is none of that name
  fix: write path: . and pattern: 'in-*/*.csv'

error[FLOE-397]: sensor 'unpartitioned' has a partition_key, and what it launches has no partitions
  --> floe.yaml:16:77  orchestration.sensors.unpartitioned.partition_key
   |  unpartitioned: {type: file_watcher, path: in, job: load, partition_key: "{file.stem}"}
  why: a partition key is for a partitioned job, and job 'load' materialises no partitioned asset
  fix: delete 'partition_key', or set 'partitions' for an asset of the job

error[FLOE-397]: sensor 'no_such' names partition 'asia', which job 'by_region' cannot have
  --> floe.yaml:17:76  orchestration.sensors.no_such.partition_key
   |  no_such: {type: file_watcher, path: in, job: by_region, partition_key: asia}
  why: the keys are eu, us
  fix: name one of them

error[FLOE-353]: run config of sensor 'misspelt' has op 'order', which does not exist
  --> floe.yaml:18:72  orchestration.sensors.misspelt.config.ops.order
   |  misspelt: {type: file_watcher, path: in, job: load, config: {ops: {order: {config: {path: "{file.path}"}}}}}
  why: the ops there are orders
  fix: did you mean 'orders'?

error[FLOE-353]: run config of sensor 'many' has a value of the wrong type at ops.orders.config.paths
  --> floe.yaml:19:93  orchestration.sensors.many.config.ops.orders.config.paths
   |  many: {type: file_watcher, path: in, job: load, config: {ops: {orders: {config: {paths: "{file.path}"}}}}}
  why: a list is wanted there

error[FLOE-331]: sensor 'nothing' selects asset 'ordres', which does not exist
  --> floe.yaml:20:57  orchestration.sensors.nothing.selection[0]
   |  nothing: {type: file_watcher, path: in, selection: [ordres]}
  why: an asset is named by its whole key, or by the last part of it where no other key ends so
  fix: did you mean 'orders'?

8 errors\
""")


def test_what_is_right_loads(tmp_path: Path) -> None:
    assert build_watchers(
        """
            missing: {type: file_watcher, path: not/there, job: load}
            other: {type: file_watcher, path: in, job: load, environments: [prod]}
            assets:
              type: file_watcher
              path: in
              selection: [orders]
              config: {ops: {orders: {config: {path: "{file.path}"}}}}
            batch:
              type: file_watcher
              path: in
              job: load
              batch: all
              config: {ops: {orders: {config: {paths: "{files}"}}}}
            """,
        tmp_path,
    ).keys() == {"missing", "assets", "batch"}
