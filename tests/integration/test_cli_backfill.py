"""`floe backfill` in this process: carrying out, resuming, looking at and beginning again."""

import json
import re
import shutil
from pathlib import Path

import dagster as dg
import pytest
from inline_snapshot import snapshot

from floe_cli.main import run_command_line
from floe_dagster.backfilling.identity import BackfillIdentity
from floe_dagster.backfilling.turns import TURNS_DIR, own_turn
from plugins.user_project import UserProject

FILES = {
    "floe.yaml": """
        name: shop
        orchestration:
          asset_modules: [days]
          jobs:
            load: {type: batch, selection: [raw, clean], executor: in_process}
            load_ranges: {type: batch, selection: [whole], executor: in_process}
            load_orders: {type: batch, selection: [orders], executor: in_process}
            load_paths: {type: batch, selection: [files/a/b, beside_it], executor: in_process}
            load_customers: {type: batch, selection: [by_customer], executor: in_process}
          backfills:
            january: {job: load, partition_range: {start: 2024-01-01, end: 2024-01-05}, batch_size: 2}
            on_and_on: {job: load, partition_keys: [2024-02-01, 2024-02-02, 2024-02-03], on_failure: continue}
            ranges: {job: load_ranges, partition_range: {start: 2024-01-01, end: 2024-01-05}, batch_size: 3}
            orders: {job: load_orders, partition_keys: [2024-01-01]}
            customers: {job: load_customers, partition_keys: [a]}
            paths: {job: load_paths, partition_keys: [2024-01-01]}
        """,
    "days.py": """
        import warnings
        from pathlib import Path

        import dagster as dg
        import pyarrow as pa

        from floe_dagster import floe_asset

        warnings.simplefilter("ignore", dg.BetaWarning)
        DAYS = dg.DailyPartitionsDefinition("2024-01-01")
        HERE = Path(__file__).parent

        def stumble(name):
            print("reading", name)
            if (HERE / name).exists():
                raise ValueError("no such file")

        @dg.asset(partitions_def=DAYS)
        def raw(context) -> None:
            stumble(f"raw-{context.partition_key}")
            others = HERE / f"others-{context.partition_key}"
            if others.exists():
                for asset in ("raw", "clean"):
                    event = dg.AssetMaterialization(asset, partition=others.read_text())
                    context.instance.report_runless_asset_event(event)

        @dg.asset(partitions_def=DAYS, deps=[raw])
        def clean(context) -> None:
            stumble(f"clean-{context.partition_key}")

        @dg.asset(partitions_def=DAYS, backfill_policy=dg.BackfillPolicy.single_run())
        def whole() -> None: ...

        @floe_asset(outputs=["bronze.orders"], partitions_def=DAYS, metadata={"partition_expr": "day"})
        def orders():
            return pa.table({"day": ["2023-12-31"]})

        @dg.multi_asset(outs={"path": dg.AssetOut(key=["files", "a/b"], dagster_type=dg.Nothing)}, partitions_def=DAYS)
        def in_a_path() -> None: ...

        @dg.asset(partitions_def=DAYS)
        def beside_it() -> None: ...

        @dg.asset(partitions_def=dg.DynamicPartitionsDefinition(name="customers"))
        def by_customer() -> None: ...
        """,
}
OWN_LINE = re.compile(
    r"  (done|failed|-->|   [|]|why:|fix:|2024-)| {12}|error|(january|on_and_on|ranges|customers|orders)\b|'floe|there"
)


@pytest.fixture(autouse=True)
def _project(user_project: UserProject, empty_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in ("FLOE_PROJECT_DIR", "DAGSTER_HOME"):  # set by the code under test
        monkeypatch.setenv(variable, "")
        monkeypatch.delenv(variable)
    user_project.write(FILES)
    shutil.copytree(empty_home, Path(".floe", "dagster_home"), ignore=shutil.ignore_patterns("dagster.yaml"))


def backfill(*arguments: str) -> int:
    return run_command_line(["backfill", *arguments])


def said(capfd: pytest.CaptureFixture[str]) -> str:
    """What floe said, without lengths of time and ids; what Dagster logs stays out of a terminal, but not of a test."""
    lines = [line for line in capfd.readouterr().err.splitlines() if OWN_LINE.match(line) and "^^^" not in line]
    return re.sub(r"[0-9a-f]{8}-[0-9a-f-]{27}", "ID", re.sub(r"\d+\.\d s\b", "N s", "\n".join(lines)))


def own_instance() -> dg.DagsterInstance:
    return dg.DagsterInstance.from_config(str(Path(".floe", "dagster_home").absolute()))


def materialised(asset: str) -> list[str]:
    with own_instance() as instance:
        records = instance.fetch_materializations(dg.AssetKey(asset), limit=1000).records
        return [str(record.partition_key) for record in reversed(records)]


@pytest.mark.requirement("010-FR-041", "010-FR-042", "010-FR-044")
def test_every_partition_is_run_in_order_and_told(capfd: pytest.CaptureFixture[str]) -> None:
    assert backfill("january") == 0

    assert said(capfd) == snapshot("""\
january: 0 of 5 partitions are done
  done      2024-01-01  N s
  done      2024-01-02  N s
  done      2024-01-03  N s
  done      2024-01-04  N s
  done      2024-01-05  N s
january finished after N s: 5 of 5 partitions are done\
""")
    days = [f"2024-01-0{day}" for day in range(1, 6)]
    assert (materialised("raw"), materialised("clean")) == (days, days)


def test_a_failure_ends_it_after_its_batch_stands_in_the_status_and_is_tried_again(
    capfd: pytest.CaptureFixture[str],
) -> None:
    Path("clean-2024-01-01").touch()

    assert backfill("january") == 3
    assert said(capfd) == snapshot("""\
january: 0 of 5 partitions are done
  failed    2024-01-01  N s  run ID
            days.py:29 in clean
                stumble(f"clean-{context.partition_key}")
            days.py:16 in stumble
                raise ValueError("no such file")
            ValueError: no such file
  done      2024-01-02  N s
january stopped after N s: 1 of 5 partitions are done, 1 failed
  2024-01-01: ValueError: no such file
'floe backfill january' tries again what failed, and goes on\
""")
    assert materialised("clean") == ["2024-01-02"]

    assert backfill("january", "--status") == 0
    assert capfd.readouterr().out == snapshot("""\
january: job load, 5 partitions in batches of 2
  done           1
  failed         1  2024-01-01
                    2024-01-01: ValueError: no such file
  missing        3  2024-01-03, 2024-01-04, 2024-01-05
sensor january_backfill is off
'floe backfill january' tries again what failed, and goes on
""")
    assert backfill("january", "--status", "--format", "json") == 0
    told = json.loads(capfd.readouterr().out)
    assert told["failed"].pop()["error"] == "ValueError: no such file"
    assert told == snapshot(
        {
            "backfill": "january",
            "job": "load",
            "state": "stopped",
            "round": 1,
            "sensor": "off",
            "batch_size": 2,
            "partitions": 5,
            "done": 1,
            "materialised_already": 0,
            "in_flight": [],
            "failed": [],
            "missing": ["2024-01-03", "2024-01-04", "2024-01-05"],
            "unknown": [],
        }
    )

    Path("clean-2024-01-01").unlink()
    assert backfill("january") == 0
    assert said(capfd) == snapshot("""\
january: 1 of 5 partitions are done
  done      2024-01-01  N s
  done      2024-01-03  N s
  done      2024-01-04  N s
  done      2024-01-05  N s
january finished after N s: 5 of 5 partitions are done\
""")
    assert materialised("raw") == [f"2024-01-0{day}" for day in range(1, 6)]
    assert sorted(materialised("clean")) == [f"2024-01-0{day}" for day in range(1, 6)]


def test_an_asset_whose_key_has_a_slash_inside_a_part_is_launched_alone() -> None:
    with own_instance() as instance:
        instance.report_runless_asset_event(dg.AssetMaterialization("beside_it", partition="2024-01-01"))

    assert backfill("paths") == 0
    with own_instance() as instance:
        (run,) = instance.get_runs(dg.RunsFilter(job_name="load_paths"))
    assert run.asset_selection == {dg.AssetKey(["files", "a/b"])}


def test_with_continue_it_goes_on_past_a_failure(capfd: pytest.CaptureFixture[str]) -> None:
    Path("raw-2024-02-02").touch()

    assert backfill("on_and_on") == 3

    assert said(capfd).splitlines()[-3:] == snapshot(
        [
            "on_and_on stopped after N s: 2 of 3 partitions are done, 1 failed",
            "  2024-02-02: ValueError: no such file",
            "'floe backfill on_and_on' tries again what failed",
        ]
    )
    assert materialised("clean") == ["2024-02-01", "2024-02-03"]


def test_a_finished_backfill_starts_again_only_when_it_is_asked_to(capfd: pytest.CaptureFixture[str]) -> None:
    assert backfill("ranges") == 0
    said(capfd)

    assert backfill("ranges") == 0
    assert said(capfd) == snapshot("""\
ranges is finished already: 5 of 5 partitions are done
'floe backfill ranges --again' starts over\
""")
    assert backfill("ranges", "--again") == 0
    assert said(capfd) == snapshot("""\
ranges: 0 of 5 partitions are done
  done      2024-01-01..2024-01-03  N s
  done      2024-01-04..2024-01-05  N s
ranges finished after N s: 5 of 5 partitions are done\
""")
    assert len(materialised("whole")) == 10


def test_what_would_be_launched_is_shown_and_not_launched(capfd: pytest.CaptureFixture[str]) -> None:
    assert backfill("january", "--dry-run") == 0
    assert capfd.readouterr().out == snapshot("""\
january: 5 partitions in 5 runs of job load
  batch   1  2024-01-01, 2024-01-02
  batch   2  2024-01-03, 2024-01-04
  batch   3  2024-01-05
""")
    assert backfill("ranges", "--dry-run", "--format", "json") == 0
    assert json.loads(capfd.readouterr().out) == snapshot(
        {
            "backfill": "ranges",
            "job": "load_ranges",
            "materialised_already": 0,
            "batches": [
                [{"partitions": ["2024-01-01", "2024-01-02", "2024-01-03"], "assets": None}],
                [{"partitions": ["2024-01-04", "2024-01-05"], "assets": None}],
            ],
        }
    )
    assert materialised("raw") == []


def test_what_is_materialised_already_is_left_alone_and_told(capfd: pytest.CaptureFixture[str]) -> None:
    assert run_command_line(["run", "load", "--partition", "2024-01-02..2024-01-03"]) == 0
    capfd.readouterr()

    assert backfill("january", "--status") == backfill("january", "--dry-run") == 0
    assert capfd.readouterr().out == snapshot("""\
january: job load, 5 partitions in batches of 2
  done           2  2 materialised already
  missing        3  2024-01-01, 2024-01-04, 2024-01-05
sensor january_backfill is off
'floe backfill january' starts it
january: 3 partitions in 3 runs of job load
  2 of 5 partitions are done, 2 were materialised already
  batch   1  2024-01-01, 2024-01-04
  batch   2  2024-01-05
""")
    assert run_command_line(["list", "backfills", "--format", "json"]) == 0
    rows = json.loads(capfd.readouterr().out)["backfills"]
    assert [(row["name"], row["done"], row["materialised_already"]) for row in rows][:2] == snapshot(
        [("january", 2, 2), ("on_and_on", 0, 0)]
    )

    assert backfill("january") == 0
    assert said(capfd) == snapshot("""\
january: 2 of 5 partitions are done, 2 were materialised already
  done      2024-01-01  N s
  done      2024-01-04  N s
  done      2024-01-05  N s
january finished after N s: 5 of 5 partitions are done, 2 were materialised already\
""")
    assert sorted(materialised("raw")) == [f"2024-01-0{day}" for day in range(1, 6)]

    assert backfill("january", "--dry-run", "--again") == 0
    assert capfd.readouterr().out == snapshot("""\
january: 5 partitions in 5 runs of job load
  batch   1  2024-01-01, 2024-01-02
  batch   2  2024-01-03, 2024-01-04
  batch   3  2024-01-05
""")


def test_what_others_materialise_between_two_runs_of_a_batch_is_left_alone(capfd: pytest.CaptureFixture[str]) -> None:
    Path("others-2024-01-01").write_text("2024-01-02")

    assert backfill("january") == 0

    assert said(capfd) == snapshot("""\
january: 0 of 5 partitions are done
  done      2024-01-01  N s
  done      2024-01-02
  done      2024-01-03  N s
  done      2024-01-04  N s
  done      2024-01-05  N s
january finished after N s: 5 of 5 partitions are done, 1 was materialised already\
""")
    assert sorted(materialised("raw")) == [f"2024-01-0{day}" for day in range(1, 6)]


def test_the_reason_of_a_failure_is_the_first_line_of_an_error_of_floe(capfd: pytest.CaptureFixture[str]) -> None:
    assert backfill("orders") == 3

    assert said(capfd).splitlines()[-2:] == snapshot(
        [
            "  2024-01-01: error[FLOE-407]: 1 row lies outside the partition of 'bronze.orders': 'day' is 2023-12-31",
            "'floe backfill orders' tries again what failed, and goes on",
        ]
    )


def test_dynamic_keys_that_do_not_exist_are_told(capfd: pytest.CaptureFixture[str]) -> None:
    assert backfill("customers") == 3

    assert said(capfd) == snapshot("""\
customers: there is no partition a
customers stopped after N s: there is no partition a
'floe backfill customers' goes on once partition a exists\
""")


def test_two_command_lines_do_not_work_on_it_at_once(capfd: pytest.CaptureFixture[str]) -> None:
    with own_turn(Path(".floe") / TURNS_DIR, "january"):
        assert backfill("january") == 1

    assert "backfill 'january' is worked on by process" in capfd.readouterr().err
    assert materialised("raw") == []


def test_runs_that_a_dead_daemon_made_and_never_started_are_taken_over(capfd: pytest.CaptureFixture[str]) -> None:
    assert backfill("on_and_on", "--status") == 0
    tags = {**BackfillIdentity("shop", "on_and_on").tags_of_round(1), "dagster/partition": "2024-02-01"}
    with own_instance() as instance:
        left = instance.run_storage.add_run(dg.DagsterRun("load", tags=tags))

    assert backfill("on_and_on") == 0

    assert materialised("raw") == ["2024-02-01", "2024-02-02", "2024-02-03"]
    with own_instance() as instance:
        assert [run.status for run in instance.get_runs(dg.RunsFilter(run_ids=[left.run_id]))] == [
            dg.DagsterRunStatus.CANCELED
        ]


@pytest.mark.requirement("010-FR-043")
def test_partitions_of_a_job_of_a_module_are_checked_when_it_is_asked_for(
    user_project: UserProject, capfd: pytest.CaptureFixture[str]
) -> None:
    user_project.write(
        {
            "floe.yaml": """
                orchestration:
                  asset_modules: [days]
                  backfills:
                    early: {job: python_job, partition_keys: [2023-12-31]}
                    never: {job: plain_job, partition_keys: [2024-01-01]}
                """,
            "days.py": """
                import dagster as dg

                @dg.asset(partitions_def=dg.DailyPartitionsDefinition("2024-01-01", end_date="2024-02-01"))
                def raw() -> None: ...

                @dg.asset
                def plain() -> None: ...

                python_job = dg.define_asset_job("python_job", ["raw"])
                plain_job = dg.define_asset_job("plain_job", ["plain"])
                """,
        }
    )

    assert backfill("early") == backfill("never") == 1

    assert said(capfd) == snapshot("""\
error[FLOE-358]: backfill 'early' names partition '2023-12-31', which does not exist
  --> floe.yaml:4:47  orchestration.backfills.early.partition_keys[0]
  why: the first one is '2024-01-01'
  fix: name one from '2024-01-01' to '2024-01-31'
error[FLOE-359]: backfill 'never' launches job 'plain_job', which has no partitions
  --> floe.yaml:5:18  orchestration.backfills.never.job
  why: none of the assets that the job materialises is partitioned
  fix: name a job over partitioned assets, or give the assets partitions under orchestration.assets\
""")


def test_an_unknown_backfill_is_answered_with_the_closest(capfd: pytest.CaptureFixture[str]) -> None:
    assert backfill("januari") == 2

    assert said(capfd) == snapshot("""\
error[FLOE-430]: there is no backfill 'januari'
  why: the backfills are january, on_and_on, ranges, orders, customers, paths
  fix: did you mean 'january'?\
""")


@pytest.mark.parametrize(
    "arguments", [("--status", "--cancel"), ("--again", "--status")], ids=["two actions", "again with a look"]
)
def test_options_that_do_not_go_together_are_wrong_usage(arguments: tuple[str, ...]) -> None:
    assert backfill("january", *arguments) == 2
