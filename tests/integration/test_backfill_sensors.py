"""Sensors of backfills, ticked by Dagster's own sensor daemon."""

import logging
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import date, timedelta
from pathlib import Path
from textwrap import dedent

import dagster as dg
import pytest
import time_machine
from dagster._core.definitions.run_request import InstigatorType
from dagster._core.instance.ref import InstanceRef
from dagster._core.remote_origin import InProcessCodeLocationOrigin
from dagster._core.remote_representation.external import RemoteSensor
from dagster._core.scheduler.instigation import TickStatus
from dagster._core.types.loadable_target_origin import LoadableTargetOrigin
from dagster._core.workspace.context import WorkspaceProcessContext
from dagster._core.workspace.load_target import InProcessWorkspaceLoadTarget
from dagster._daemon.sensor import execute_sensor_iteration

from builders import floe_yaml
from floe_dagster.backfilling.identity import BackfillIdentity, begin_round
from floe_dagster.backfilling.turns import TURNS_DIR, own_turn

DEFINITIONS = """
    import warnings
    from pathlib import Path

    import dagster as dg

    from builders import parse_document
    from floe_dagster.launching.launchable import Launchable
    from floe_dagster.loaders.backfill_loader import build_backfills

    warnings.simplefilter("ignore")  # backfill policies are beta, and load_ranges has two of them
    DAYS = dg.DailyPartitionsDefinition("2024-01-01")
    COUNTRIES = dg.StaticPartitionsDefinition(["de", "fr"])
    HERE = Path(__file__).parent

    class Setting(dg.Config):
        number: int = 0

    def stumble(name):
        if (HERE / name).exists():
            raise ValueError("no such file")

    @dg.asset(partitions_def=DAYS)
    def raw(context, config: Setting) -> None:
        stumble(f"raw-{context.partition_key}")

    @dg.asset(partitions_def=DAYS, deps=[raw])
    def clean(context, config: Setting) -> None:
        context.add_output_metadata({"number": config.number})
        stumble(f"clean-{context.partition_key}")

    @dg.asset
    def catalogue() -> None: ...

    @dg.multi_asset(specs=[dg.AssetSpec("left", partitions_def=DAYS), dg.AssetSpec("right", partitions_def=DAYS)])
    def pair(context):
        yield dg.MaterializeResult("left")
        stumble(f"pair-{context.partition_key}")
        yield dg.MaterializeResult("right")

    @dg.asset(partitions_def=DAYS, backfill_policy=dg.BackfillPolicy.single_run())
    def whole(context) -> None: ...

    @dg.asset(partitions_def=DAYS, backfill_policy=dg.BackfillPolicy.multi_run(2), deps=[whole])
    def twos(context) -> None: ...

    @dg.asset(partitions_def=dg.DynamicPartitionsDefinition(name="customers"))
    def by_customer() -> None: ...

    @dg.asset(
        partitions_def=dg.MultiPartitionsDefinition({"zday": DAYS, "country": COUNTRIES}),
        backfill_policy=dg.BackfillPolicy.single_run(),
    )
    def by_both() -> None: ...

    jobs = [
        dg.define_asset_job(
            "load",
            ["raw", "clean", "catalogue"],
            config={"ops": {"raw": {"config": {"number": 1}}, "clean": {"config": {"number": 2}}}},
        ),
        dg.define_asset_job("load_pairs", ["left", "right"]),
        dg.define_asset_job("load_ranges", ["whole", "twos"]),
        dg.define_asset_job("load_whole", ["whole"]),
        dg.define_asset_job("load_customers", ["by_customer"]),
        dg.define_asset_job("load_both", ["by_both"]),
    ]
    document = parse_document((HERE / "floe.yaml").read_text())
    sensors = build_backfills(
        document.spec.orchestration.backfills,
        jobs={job.name: Launchable.of_python(job) for job in jobs},
        source=document.source,
        project="shop",
        folder=HERE,
    )
    defs = dg.Definitions(
        assets=[raw, clean, catalogue, pair, whole, twos, by_customer, by_both],
        jobs=jobs,
        sensors=list(sensors.values()),
        executor=dg.in_process_executor,
    )
"""
BACKFILLS = """
    backfills:
      days: {job: load, partition_range: {start: 2024-01-01, end: 2024-01-05}, batch_size: 2, tags: {team: sales}}
      waiting: {job: load, partition_range: {start: 2024-01-01, end: 2024-01-05}, batch_size: 2}
      stopping: {job: load, partition_range: {start: 2024-01-01, end: 2024-01-05}, batch_size: 2}
      on_and_on: {job: load, partition_range: {start: 2024-01-06, end: 2024-01-08}, batch_size: 1, on_failure: continue}
      pairs: {job: load_pairs, partition_keys: [2024-01-01]}
      ranges: {job: load_ranges, partition_range: {start: 2024-01-01, end: 2024-01-05}, batch_size: 3}
      whole_batches: {job: load_whole, partition_range: {start: 2024-01-01, end: 2024-01-05}, batch_size: 3}
      listed: {job: load_whole, partition_keys: [2024-02-03, 2024-02-01, 2024-02-02]}
      customers: {job: load_customers, partition_keys: [b, a]}
      both: {job: load_both, partition_range: {start: "de|2024-01-01", end: "fr|2024-01-03"}, batch_size: 4}
      killed: {job: load, partition_keys: [2024-01-01]}
      canceled: {job: load, partition_keys: [2024-01-01]}
      deleted: {job: load, partition_keys: [2024-01-01]}
      rounds: {job: load, partition_keys: [2024-01-01]}
      foreign: {job: load, partition_keys: [2024-01-01]}
      around: {job: load_whole, partition_range: {start: 2024-01-01, end: 2024-01-05}}
      under_way: {job: load, partition_range: {start: 2024-01-01, end: 2024-01-04}, batch_size: 2}
      by_hand: {job: load, partition_keys: [2024-01-01, 2024-01-02], batch_size: 1}
      left_alone: {job: load, partition_keys: [2024-01-01]}
      long: {job: load_whole, partition_range: {start: 2024-01-01, end: 2024-04-29}}
"""


class Daemon:
    """Dagster's sensor daemon a tick at a time, and a queue of runs that moves when the test says so."""

    def __init__(self, context: WorkspaceProcessContext, folder: Path) -> None:
        self.context = context
        self.instance = context.instance
        self.folder = folder
        self.passed = 0

    def sensor(self, name: str) -> RemoteSensor:
        (location,) = self.context.create_request_context().code_locations
        (repository,) = location.get_repositories().values()
        return repository.get_sensor(f"{name}_backfill")

    def switch_on(self, name: str) -> None:
        """Switch one sensor on, and off whichever was on before."""
        for state in self.instance.all_instigator_state(instigator_type=InstigatorType.SENSOR):
            self.instance.stop_sensor(state.instigator_origin_id, state.selector_id, None)
        self.instance.start_sensor(self.sensor(name))

    def is_on(self, name: str) -> bool:
        sensor = self.sensor(name)
        state = self.instance.get_instigator_state(sensor.get_remote_origin_id(), sensor.selector_id)
        return state is not None and state.is_running

    def tick(self, name: str) -> str | None:
        """Let the daemon look at its sensors once, ten seconds later; gives why the tick skipped, if it did."""
        self.passed += 10
        with time_machine.travel(time.time() + self.passed, tick=True):
            errors = [e for e in execute_sensor_iteration(self.context, logging.getLogger("test"), None, None) if e]
        assert not errors
        sensor = self.sensor(name)
        (tick,) = self.instance.get_ticks(sensor.get_remote_origin_id(), sensor.selector_id, limit=1)
        assert tick.status in (TickStatus.SUCCESS, TickStatus.SKIPPED), tick.error
        return tick.skip_reason

    def tick_to_the_end(self, name: str) -> list[list[str]]:
        """Tick, and carry out what was launched, until a tick skips; gives the partitions of each batch."""
        batches = []
        while self.tick(name) is None:
            batches.append([partitions_of(run) for run in self.queued()])
            self.carry_out(*self.queued())
        return batches

    def queued(self) -> list[dg.DagsterRun]:
        """The runs that nobody has carried out, the oldest first."""
        queued = self.instance.get_runs(dg.RunsFilter(statuses=[dg.DagsterRunStatus.QUEUED]))
        return list(reversed(queued))

    def carry_out(self, *runs: dg.DagsterRun) -> None:
        for run in runs:
            self.instance.launch_run(run.run_id, self.context.create_request_context())

    def materialise_outside(self, key: str, *assets: str) -> None:
        """What the UI does when somebody reports a materialization."""
        for asset in assets:
            self.instance.report_runless_asset_event(dg.AssetMaterialization(asset, partition=key))

    def runs(self, name: str) -> list[dg.DagsterRun]:
        """All runs of a backfill, the oldest first."""
        return list(reversed(self.instance.get_runs(dg.RunsFilter(tags={"floe/backfill": name}))))

    def materialised(self, name: str, asset: str) -> list[str]:
        """The partitions of an asset that a backfill materialised, each as often as it did."""
        runs = {run.run_id for run in self.runs(name)}
        records = self.instance.fetch_materializations(dg.AssetKey(asset), limit=1000).records
        return [str(record.partition_key) for record in reversed(records) if record.run_id in runs]


def partitions_of(run: dg.DagsterRun) -> str:
    if "dagster/partition" in run.tags:
        return run.tags["dagster/partition"]
    return f"{run.tags['dagster/asset_partition_range_start']}...{run.tags['dagster/asset_partition_range_end']}"


@pytest.fixture(scope="module")
def daemon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    """One daemon and instance for all tests; each has backfills of its own."""
    folder, home = tmp_path_factory.mktemp("work"), tmp_path_factory.mktemp("home")
    (folder / "defs.py").write_text(dedent(DEFINITIONS))
    (folder / "floe.yaml").write_text(floe_yaml(BACKFILLS))
    module = LoadableTargetOrigin(executable_path=sys.executable, module_name="defs", working_directory=str(folder))
    launcher = {
        "module": "dagster._core.launcher.sync_in_memory_run_launcher",
        "class": "SyncInMemoryRunLauncher",
    }
    settings = {"run_launcher": launcher, "run_retries": {"enabled": True}, "telemetry": {"enabled": False}}
    with ExitStack() as stack:
        instance = stack.enter_context(dg.DagsterInstance.from_ref(InstanceRef.from_dir(str(home), overrides=settings)))
        target = InProcessWorkspaceLoadTarget(InProcessCodeLocationOrigin(module, location_name="defs"))
        yield Daemon(stack.enter_context(WorkspaceProcessContext(instance, target)), folder)
    sys.modules.pop("defs", None)


@pytest.fixture(autouse=True)
def _nothing_is_materialised(daemon: Daemon) -> None:
    daemon.instance.wipe_assets(daemon.instance.all_asset_keys())


def test_a_backfill_is_off_until_somebody_switches_it_on(daemon: Daemon) -> None:
    assert daemon.sensor("days").default_status is dg.DefaultSensorStatus.STOPPED


@pytest.mark.requirement("010-FR-041", "010-FR-042", "010-FR-044")
def test_batch_after_batch_in_order(daemon: Daemon) -> None:
    daemon.switch_on("days")

    batches = daemon.tick_to_the_end("days")

    assert batches == [["2024-01-01", "2024-01-02"], ["2024-01-03", "2024-01-04"], ["2024-01-05"]]
    runs = daemon.runs("days")
    assert [partitions_of(run) for run in runs] == [f"2024-01-0{day}" for day in range(1, 6)]
    assert {run.status for run in runs} == {dg.DagsterRunStatus.SUCCESS}
    assert runs[0].tags.items() >= {"floe/backfill": "days", "floe/project": "shop", "team": "sales"}.items()
    assert runs[0].run_config == {"ops": {"raw": {"config": {"number": 1}}, "clean": {"config": {"number": 2}}}}
    assert daemon.tick("days") == "all 5 partitions are done; 'floe backfill days --again' starts over"
    assert not daemon.is_on("days")


@pytest.mark.requirement("010-FR-042")
def test_the_next_batch_waits_for_the_last_of_the_one_before(daemon: Daemon) -> None:
    daemon.switch_on("waiting")
    daemon.tick("waiting")
    first, second = daemon.queued()

    daemon.carry_out(first)
    reason = daemon.tick("waiting")

    assert reason == "the next batch comes after 2024-01-02"
    daemon.carry_out(second)
    assert daemon.tick_to_the_end("waiting") == [["2024-01-03", "2024-01-04"], ["2024-01-05"]]


@pytest.mark.requirement("010-SC-007", "010-FR-042")
def test_a_hundred_and_twenty_days_in_twelve_batches(daemon: Daemon) -> None:
    daemon.switch_on("long")

    batches = daemon.tick_to_the_end("long")

    days = [f"{date(2024, 1, 1) + timedelta(days=number)}" for number in range(120)]
    assert batches == [[f"{first}...{last}"] for first, last in zip(days[::10], days[9::10], strict=True)]
    assert sorted(daemon.materialised("long", "whole")) == days


def test_a_failure_stops_it_until_it_is_switched_on_again(daemon: Daemon) -> None:
    mark = daemon.folder / "clean-2024-01-02"
    mark.touch()
    daemon.switch_on("stopping")

    assert daemon.tick_to_the_end("stopping") == [["2024-01-01", "2024-01-02"]]
    assert daemon.tick("stopping") == (
        "1 of 5 partitions are done, 2024-01-02 failed; switching the sensor on, or 'floe backfill stopping', goes on"
    )

    mark.unlink()
    daemon.switch_on("stopping")
    assert daemon.tick_to_the_end("stopping") == [["2024-01-02", "2024-01-03"], ["2024-01-04", "2024-01-05"]]
    again = daemon.runs("stopping")[2]
    assert [key.to_user_string() for key in again.asset_selection or ()] == ["clean"]
    assert again.run_config == {"ops": {"clean": {"config": {"number": 2}}}}
    assert daemon.materialised("stopping", "raw") == [f"2024-01-0{day}" for day in range(1, 6)]


def test_with_continue_it_goes_on_past_a_failure(daemon: Daemon) -> None:
    mark = daemon.folder / "raw-2024-01-07"
    mark.touch()
    daemon.switch_on("on_and_on")

    assert daemon.tick_to_the_end("on_and_on") == [["2024-01-06"], ["2024-01-07"], ["2024-01-08"]]
    assert daemon.tick("on_and_on") == (
        "2 of 3 partitions are done, 2024-01-07 failed; switching the sensor on, or 'floe backfill on_and_on', "
        "tries again"
    )

    mark.unlink()
    daemon.switch_on("on_and_on")
    assert daemon.tick_to_the_end("on_and_on") == [["2024-01-07"]]


@pytest.mark.requirement("010-FR-042")
def test_assets_that_take_ranges_get_a_batch_in_one_run(daemon: Daemon) -> None:
    daemon.switch_on("whole_batches")
    whole = daemon.tick_to_the_end("whole_batches")
    daemon.switch_on("ranges")
    ranges = daemon.tick_to_the_end("ranges")

    assert whole == [["2024-01-01...2024-01-03"], ["2024-01-04...2024-01-05"]]
    assert ranges == [["2024-01-01...2024-01-02", "2024-01-03"], ["2024-01-04...2024-01-05"]]
    assert sorted(daemon.materialised("ranges", "twos")) == [f"2024-01-0{day}" for day in range(1, 6)]


def test_keys_are_launched_in_the_order_in_which_they_are_listed(daemon: Daemon) -> None:
    daemon.switch_on("listed")

    assert daemon.tick_to_the_end("listed") == [["2024-02-03", "2024-02-01...2024-02-02"]]


@pytest.mark.requirement("010-FR-044")
def test_a_range_over_two_dimensions_goes_day_by_day(daemon: Daemon) -> None:
    daemon.switch_on("both")

    batches = daemon.tick_to_the_end("both")

    assert batches == [["de|2024-01-01...fr|2024-01-02"], ["de|2024-01-03...fr|2024-01-03"]]
    assert len(daemon.materialised("both", "by_both")) == 6


def test_dynamic_keys_that_do_not_exist_are_told_and_launched_once_they_do(daemon: Daemon) -> None:
    daemon.instance.add_dynamic_partitions("customers", ["a"])
    daemon.switch_on("customers")

    assert daemon.tick_to_the_end("customers") == [["a"]]
    assert daemon.tick("customers") == "there is no partition b; 1 of 2 partitions are done"

    daemon.instance.add_dynamic_partitions("customers", ["b"])
    assert daemon.tick_to_the_end("customers") == [["b"]]


def test_what_dagster_makes_together_is_run_again_together(daemon: Daemon) -> None:
    mark = daemon.folder / "pair-2024-01-01"
    mark.touch()
    daemon.switch_on("pairs")
    daemon.tick_to_the_end("pairs")

    mark.unlink()
    daemon.switch_on("pairs")

    assert daemon.tick_to_the_end("pairs") == [["2024-01-01"]]
    assert daemon.runs("pairs")[1].asset_selection is None


def test_a_run_that_was_killed_does_not_stop_it(daemon: Daemon) -> None:
    daemon.switch_on("killed")
    daemon.tick("killed")
    (run,) = daemon.queued()

    daemon.instance.report_run_failed(run, "The process is gone.")

    assert daemon.tick_to_the_end("killed") == [["2024-01-01"]]
    assert daemon.tick("killed") == "all 1 partitions are done; 'floe backfill killed --again' starts over"


def test_a_canceled_run_stops_it(daemon: Daemon) -> None:
    daemon.switch_on("canceled")
    daemon.tick("canceled")

    daemon.instance.run_coordinator.cancel_run(daemon.queued()[0].run_id)

    assert (daemon.tick("canceled") or "").startswith("0 of 1 partitions are done, 2024-01-01 failed;")


def test_a_finished_backfill_stays_finished_when_its_runs_are_deleted(daemon: Daemon) -> None:
    daemon.switch_on("deleted")
    daemon.tick_to_the_end("deleted")

    for run in daemon.runs("deleted"):
        daemon.instance.delete_run(run.run_id)
    daemon.switch_on("deleted")

    assert daemon.tick_to_the_end("deleted") == []


def test_another_round_launches_everything_once_more(daemon: Daemon) -> None:
    daemon.switch_on("rounds")
    daemon.tick_to_the_end("rounds")

    begin_round(BackfillIdentity("shop", "rounds"), daemon.instance, 2)
    daemon.switch_on("rounds")

    assert daemon.tick_to_the_end("rounds") == [["2024-01-01"]]
    assert [run.tags["floe/backfill_round"] for run in daemon.runs("rounds")] == ["1", "2"]


def test_what_is_materialised_already_is_not_launched(daemon: Daemon) -> None:
    daemon.materialise_outside("2024-01-02", "whole")
    daemon.switch_on("around")

    assert daemon.tick_to_the_end("around") == [["2024-01-01", "2024-01-03...2024-01-05"]]
    assert daemon.tick("around") == (
        "all 5 partitions are done, 1 was materialised already; 'floe backfill around --again' starts over"
    )


def test_what_others_materialise_while_it_is_under_way_is_not_launched(daemon: Daemon) -> None:
    daemon.switch_on("under_way")
    daemon.tick("under_way")
    daemon.carry_out(*daemon.queued())

    daemon.materialise_outside("2024-01-03", "raw", "clean")
    daemon.materialise_outside("2024-01-04", "raw")

    assert daemon.tick_to_the_end("under_way") == [["2024-01-04"]]
    assert daemon.materialised("under_way", "raw") == ["2024-01-01", "2024-01-02"]
    assert daemon.materialised("under_way", "clean") == ["2024-01-01", "2024-01-02", "2024-01-04"]


def test_what_failed_and_was_materialised_by_hand_no_longer_stops_it(daemon: Daemon) -> None:
    (daemon.folder / "clean-2024-01-01").touch()
    daemon.switch_on("by_hand")
    daemon.tick_to_the_end("by_hand")
    (daemon.folder / "clean-2024-01-01").unlink()
    stopped = daemon.is_on("by_hand")

    daemon.materialise_outside("2024-01-01", "clean")
    daemon.switch_on("by_hand")

    assert not stopped
    assert daemon.tick_to_the_end("by_hand") == [["2024-01-02"]]


def test_runs_of_another_project_in_the_same_instance_do_not_count(daemon: Daemon) -> None:
    tags = {"floe/backfill": "foreign", "floe/project": "other", "dagster/partition": "2024-01-01"}
    daemon.instance.create_run_for_job(dg.job(name="load")(lambda: None), tags={**tags, "floe/backfill_round": "7"})
    daemon.switch_on("foreign")

    assert daemon.tick_to_the_end("foreign") == [["2024-01-01"]]


def test_it_leaves_the_work_to_a_command_line_that_is_at_it(daemon: Daemon) -> None:
    daemon.switch_on("left_alone")

    with own_turn(daemon.folder / TURNS_DIR, "left_alone"):
        reason = daemon.tick("left_alone")

    assert reason == "'floe backfill left_alone' is at work in a terminal"
    assert daemon.tick_to_the_end("left_alone") == [["2024-01-01"]]
