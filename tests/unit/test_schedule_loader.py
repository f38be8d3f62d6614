"""Schedules of floe.yaml as Dagster schedules."""

import warnings
from collections.abc import Collection, Iterator, Mapping
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import dagster as dg
import pytest
from inline_snapshot import snapshot
from pydantic import ValidationError

from builders import floe_yaml, parse_document
from floe_core.errors import LoadError, SensorError, render_problems
from floe_dagster.launching.launchable import Launchable, LaunchableAssets
from floe_dagster.loaders.job_loader import build_jobs
from floe_dagster.loaders.schedule_loader import BuiltSchedules, build_schedules
from floe_dagster.selection.asset_index import AssetIndex
from floe_dagster.user_code.module_contents import Job
from plugins.user_project import UserProject

JOBS = """
load: {type: batch, selection: [orders]}
by_day: {type: batch, selection: [daily]}
configured: {type: batch, selection: ['group:mixed'], config: {ops: {by_clock: {config: {limit: 2}}}}}
"""
NOON = datetime(2024, 7, 1, 12, tzinfo=ZoneInfo("Europe/Berlin"))


class Limit(dg.Config):
    limit: int = 1


@dg.asset(group_name="bronze")
def orders(config: Limit) -> None: ...


@dg.asset(group_name="bronze", partitions_def=dg.DailyPartitionsDefinition("2024-01-01"))
def daily() -> None: ...


@dg.asset(group_name="parts", partitions_def=dg.DynamicPartitionsDefinition(name="files"))
def by_file() -> None: ...


@dg.asset(group_name="parts", partitions_def=dg.StaticPartitionsDefinition(["eu", "us"]))
def by_region() -> None: ...


@dg.asset(
    group_name="parts",
    partitions_def=dg.MultiPartitionsDefinition(
        {"day": dg.DailyPartitionsDefinition("2024-01-01"), "region": dg.StaticPartitionsDefinition(["eu", "us"])}
    ),
)
def sales() -> None: ...


with warnings.catch_warnings(action="ignore", category=dg.BetaWarning):

    @dg.asset(
        group_name="parts",
        partitions_def=dg.DailyPartitionsDefinition("2024-01-01"),
        backfill_policy=dg.BackfillPolicy.single_run(),
    )
    def whole() -> None: ...

    @dg.asset(
        group_name="parts",
        partitions_def=dg.DailyPartitionsDefinition("2024-01-01"),
        backfill_policy=dg.BackfillPolicy.multi_run(5),
    )
    def by_fives() -> None: ...


@dg.asset(group_name="mixed")
def by_clock(config: Limit) -> None: ...


@dg.asset(group_name="mixed", automation_condition=dg.AutomationCondition.eager())
def automated(config: Limit) -> None: ...


@dg.asset(
    group_name="parts",
    partitions_def=dg.DailyPartitionsDefinition("2024-01-01"),
    automation_condition=dg.AutomationCondition.eager(),
)
def automated_daily() -> None: ...


@dg.asset_check(asset=by_clock)
def clock_check() -> dg.AssetCheckResult:
    return dg.AssetCheckResult(passed=True)


@dg.asset_check(asset=automated)
def automated_check() -> dg.AssetCheckResult:
    return dg.AssetCheckResult(passed=True)


@dg.multi_asset(
    specs=[
        dg.AssetSpec("one", group_name="units", automation_condition=dg.AutomationCondition.eager()),
        dg.AssetSpec("other", group_name="units"),
    ]
)
def make_as_one() -> Iterator[dg.MaterializeResult[None]]:
    yield from ()


@dg.multi_asset(
    specs=[
        dg.AssetSpec("some", group_name="units"),
        dg.AssetSpec("rest", group_name="units", automation_condition=dg.AutomationCondition.eager()),
    ],
    can_subset=True,
)
def make_apart() -> Iterator[dg.MaterializeResult[None]]:
    yield from ()


@dg.op(config_schema={"days": int})
def sweep() -> None: ...


@dg.job
def sweeping() -> None:
    sweep()


PYTHON_JOBS: Mapping[str, Job] = {
    "sweeping": sweeping,
    "python_daily": dg.define_asset_job("python_daily", selection=[daily]),
    "python_orders": dg.define_asset_job("python_orders", selection=[orders]),
    "py_mixed": dg.define_asset_job("py_mixed", selection=dg.AssetSelection.groups("mixed").without_checks()),
    "py_configured": dg.define_asset_job(
        "py_configured",
        selection=dg.AssetSelection.groups("mixed"),
        config={"ops": {"by_clock": {"config": {"limit": 2}}}},
    ),
}
ASSETS: list[dg.AssetsDefinition] = [
    *(orders, daily, by_file, by_region, sales, whole, by_fives, by_clock, automated, automated_daily),
    *(make_as_one, make_apart),
]
CHECKS = [clock_check, automated_check]


def built(
    yaml: str,
    *,
    environment: str = "local",
    environ: Mapping[str, str] | None = None,
    sensors: Collection[str] = (),
    resources: Mapping[str, object] | None = None,
) -> BuiltSchedules:
    """The schedules of a floe.yaml with *yaml* below `orchestration.schedules`."""
    document = parse_document(floe_yaml(_section("jobs", JOBS) + _section("schedules", yaml)), environ)
    assets = LaunchableAssets.of(AssetIndex.from_assets(ASSETS), [*ASSETS, *CHECKS])
    executors = {"in_process": dg.in_process_executor}
    jobs = build_jobs(document.spec.orchestration.jobs, assets=assets, source=document.source, executors=executors)
    return build_schedules(
        document.spec.orchestration.schedules,
        jobs={**jobs, **{name: Launchable.of_python(job) for name, job in PYTHON_JOBS.items()}},
        assets=assets,
        source=document.source,
        environment=environment,
        sensor_names=sensors,
        resources=resources,
    )


def _section(name: str, yaml: str) -> str:
    return f"{name}:\n" + "".join(f"  {line}\n" for line in yaml.strip("\n").splitlines())


def schedule(fields: str) -> dg.ScheduleDefinition:
    return built(f"nightly: {{{fields}}}").schedules["nightly"]


def tick(
    definition: dg.ScheduleDefinition,
    at: datetime = NOON,
    *,
    instance: dg.DagsterInstance | None = None,
    **resources: object,
) -> list[dg.RunRequest] | str:
    """What a tick requests, or why it skips."""
    repository = dg.Definitions(
        assets=ASSETS, asset_checks=CHECKS, jobs=list(PYTHON_JOBS.values()), schedules=[definition]
    )
    context = dg.build_schedule_context(
        instance=instance,
        scheduled_execution_time=at,
        repository_def=repository.get_repository_def(),
        resources=resources,
    )
    data = definition.evaluate_tick(context)
    return list(data.run_requests or ()) or str(data.skip_message)


def request_at(definition: dg.ScheduleDefinition, at: datetime = NOON) -> dg.RunRequest:
    requests = tick(definition, at)
    assert isinstance(requests, list)
    assert len(requests) == 1
    return requests[0]


def message(yaml: str, *, sensors: Collection[str] = (), resources: Mapping[str, object] | None = None) -> str:
    with pytest.raises(LoadError) as caught:
        built(yaml, sensors=sensors, resources=resources)
    return str(caught.value)


def _is_taken_by_floe(zone: str) -> bool:
    try:
        schedule(f"job: load, cron_schedule: '@daily', timezone: '{zone}'")
    except ValidationError:
        return False
    return True


def _is_taken_by_dagster(zone: str) -> bool:
    try:
        dg.ScheduleDefinition(name="s", job_name="load", cron_schedule="@daily", execution_timezone=zone)
    except dg.DagsterInvalidDefinitionError:
        return False
    return True


class TestFields:
    @pytest.mark.requirement("010-FR-024", "010-FR-025")
    def test_a_schedule_has_the_cron_and_zone_of_the_document(self) -> None:
        definition = schedule("job: load, cron_schedule: '0 6 * * *', timezone: America/New_York")

        assert (definition.cron_schedule, definition.execution_timezone) == ("0 6 * * *", "America/New_York")
        assert definition.job_name == "load"

    def test_the_zone_is_utc_where_none_is_named(self) -> None:
        assert schedule("job: load, cron_schedule: '@daily'").execution_timezone == "UTC"

    @pytest.mark.requirement("010-FR-025")
    @pytest.mark.parametrize(
        "zone",
        [
            "UTC",
            "Europe/Berlin",
            "EST5EDT",
            "Etc/GMT+2",
            "Amerca/New_York",
            "europe/berlin",
            "+02:00",
            "local",
            "Europe",
        ],
    )
    def test_a_zone_is_taken_if_dagster_takes_it(self, zone: str) -> None:
        assert _is_taken_by_floe(zone) is _is_taken_by_dagster(zone)

    def test_several_crons_are_one_schedule(self) -> None:
        definition = schedule("job: load, cron_schedule: ['0 6 * * *', '30 18 * * FRI']")

        assert definition.cron_schedule == ["0 6 * * *", "30 18 * * FRI"]

    @pytest.mark.requirement("010-FR-026")
    @pytest.mark.parametrize(
        ("fields", "status"),
        [
            pytest.param("", dg.DefaultScheduleStatus.RUNNING, id="by-default"),
            pytest.param(", enabled: true", dg.DefaultScheduleStatus.RUNNING, id="enabled"),
            pytest.param(", enabled: false", dg.DefaultScheduleStatus.STOPPED, id="disabled"),
        ],
    )
    def test_enabled_is_the_status_it_starts_with(self, fields: str, status: dg.DefaultScheduleStatus) -> None:
        assert schedule(f"job: load, cron_schedule: '@daily'{fields}").default_status is status

    @pytest.mark.requirement("010-FR-027")
    def test_every_value_may_come_from_the_environment(self) -> None:
        yaml = """
nightly:
  job: "${JOB:load}"
  cron_schedule: "${CRON:0 6 * * *}"
  timezone: "${ZONE:UTC}"
  enabled: "${ENABLED:true}"
"""
        environ = {"CRON": "0 */4 * * *", "ZONE": "Asia/Tokyo", "ENABLED": "false"}

        here, there = (built(yaml, environ=values).schedules["nightly"] for values in ({}, environ))

        assert (here.cron_schedule, here.execution_timezone, here.default_status.value) == (
            "0 6 * * *",
            "UTC",
            "RUNNING",
        )
        assert (there.cron_schedule, there.execution_timezone, there.default_status.value) == (
            "0 */4 * * *",
            "Asia/Tokyo",
            "STOPPED",
        )

    def test_a_schedule_of_another_environment_is_not_there(self) -> None:
        yaml = "nightly: {job: load, cron_schedule: '@daily', environments: [prod, staging]}"

        assert list(built(yaml, environment="prod").schedules) == ["nightly"]
        assert built(yaml).schedules == {}
        assert built(yaml).not_here == ("nightly",)

    def test_a_schedule_of_another_environment_is_checked(self) -> None:
        assert "job 'lod'" in message("nightly: {job: lod, cron_schedule: '@daily', environments: [prod]}")

    def test_a_python_job_is_found_by_name(self) -> None:
        config = "config: {ops: {sweep: {config: {days: 3}}}}"

        assert schedule(f"job: sweeping, cron_schedule: '@daily', {config}").job is sweeping

    def test_a_selection_needs_no_job(self) -> None:
        definition = schedule("selection: [orders], cron_schedule: '@daily'")

        repository = dg.Definitions(assets=ASSETS, schedules=[definition]).get_repository_def()
        job = repository.get_job(definition.job_name)
        assert {key.to_user_string() for key in job.asset_layer.selected_asset_keys} == {"orders"}


class TestTicks:
    def test_a_tick_launches_one_run_with_tags_and_config(self) -> None:
        request = request_at(
            schedule(
                "job: load, cron_schedule: '@daily', description: x, tags: {team: sales}, "
                "config: {ops: {orders: {config: {limit: 3}}}}"
            )
        )

        assert request.tags["team"] == "sales"
        assert request.run_config == {"ops": {"orders": {"config": {"limit": 3}}}}

    def test_the_run_key_names_the_instant(self) -> None:
        definition = schedule("job: load, cron_schedule: '@daily', timezone: Europe/Berlin")

        assert request_at(definition).run_key == "2024-07-01T10:00:00+00:00"
        assert request_at(definition, NOON.astimezone(UTC)).run_key == request_at(definition).run_key

    def test_the_hour_that_comes_twice_launches_twice(self) -> None:
        definition = schedule("job: load, cron_schedule: '@hourly', timezone: Europe/Berlin")
        first = datetime(2024, 10, 27, 2, 30, tzinfo=ZoneInfo("Europe/Berlin"))

        assert request_at(definition, first).run_key != request_at(definition, first.replace(fold=1)).run_key


class TestPartitions:
    @pytest.mark.requirement("010-FR-028")
    @pytest.mark.parametrize(
        ("selector", "keys"),
        [
            ("", ["2024-06-30"]),
            ("latest", ["2024-06-30"]),
            ("last:3", ["2024-06-28", "2024-06-29", "2024-06-30"]),
            ("2024-02-29", ["2024-02-29"]),
        ],
    )
    def test_a_tick_launches_the_selected_partitions(self, selector: str, keys: list[str]) -> None:
        field = f", partition_selector: '{selector}'" if selector else ""

        requests = tick(schedule(f"job: by_day, cron_schedule: '@daily'{field}"))

        assert isinstance(requests, list)
        assert [request.partition_key for request in requests] == keys
        assert [request.tags["dagster/partition"] for request in requests] == keys

    @pytest.mark.requirement("010-FR-028")
    def test_a_tick_launches_all_partitions(self) -> None:
        requests = tick(schedule("job: by_day, cron_schedule: '@daily', partition_selector: all"))

        assert isinstance(requests, list)
        assert [requests[0].partition_key, requests[-1].partition_key] == ["2024-01-01", "2024-06-30"]
        assert len(requests) == 182

    @pytest.mark.requirement("010-FR-028")
    @pytest.mark.parametrize("launched", ["selection: [daily]", "job: python_daily"])
    def test_selections_and_jobs_of_modules_have_partitions_too(self, launched: str) -> None:
        assert request_at(schedule(f"{launched}, cron_schedule: '@daily'")).partition_key == "2024-06-30"

    def test_the_run_key_names_the_instant_and_the_partition(self) -> None:
        definition = schedule("job: by_day, cron_schedule: '@hourly'")
        later = NOON.replace(hour=13)

        assert request_at(definition).run_key == "2024-07-01T10:00:00+00:00 2024-06-30"
        assert request_at(definition, later).run_key == "2024-07-01T11:00:00+00:00 2024-06-30"

    def test_the_day_is_that_of_the_partitions_whatever_the_zone_of_the_schedule(self) -> None:
        definition = schedule("job: by_day, cron_schedule: '@daily', timezone: Asia/Tokyo")
        morning = datetime(2024, 7, 1, 8, 59, tzinfo=ZoneInfo("Asia/Tokyo"))

        assert request_at(definition, morning).partition_key == "2024-06-29"
        assert request_at(definition, morning.replace(hour=9, minute=0)).partition_key == "2024-06-30"

    def test_no_partition_at_all_is_launched_where_the_document_says_so(self) -> None:
        request = request_at(schedule("job: by_day, cron_schedule: '@daily', partition_selector: none"))

        assert request.partition_key is None

    def test_a_job_of_a_module_without_partitions_is_launched(self) -> None:
        assert request_at(schedule("job: python_orders, cron_schedule: '@daily'")).partition_key is None

    def test_a_tick_before_the_first_partition_skips(self) -> None:
        definition = schedule("job: by_day, cron_schedule: '@daily'")

        assert tick(definition, datetime(2024, 1, 1, 12, tzinfo=UTC)) == (
            "job 'by_day' has no partition for 'latest': there is none yet: "
            "the first one, '2024-01-01', is over at 2024-01-02 00:00"
        )

    def test_a_partition_that_is_not_there_yet_skips(self) -> None:
        definition = schedule("job: by_day, cron_schedule: '@daily', partition_selector: '2025-01-01'")

        assert tick(definition) == (
            "job 'by_day' has no partition for '2025-01-01': the last one at the moment is '2024-06-30'"
        )

    def test_dynamic_keys_are_those_of_the_instance_at_the_tick(self) -> None:
        definition = schedule("selection: [by_file], cron_schedule: '@daily'")

        with dg.instance_for_test() as instance:
            assert tick(definition, instance=instance) == (
                "a selection has no partition for 'latest': of the dynamic keys of 'files' there is none yet"
            )
            instance.add_dynamic_partitions("files", ["a.csv", "b.csv"])
            requests = tick(definition, instance=instance)

        assert isinstance(requests, list)
        assert [request.partition_key for request in requests] == ["a.csv", "b.csv"]

    # Dagster 1.13 warns of its own tags for dimensions where a run request is made in Python.
    @pytest.mark.filterwarnings("ignore:Non-compliant tag keys:DeprecationWarning")
    def test_pairs_are_the_last_window_with_every_other_key(self) -> None:
        requests = tick(schedule("selection: [sales], cron_schedule: '@daily'"))

        assert isinstance(requests, list)
        assert [request.partition_key for request in requests] == ["2024-06-30|eu", "2024-06-30|us"]

    def test_what_counts_is_shown(self) -> None:
        schedules = built("""
one: {job: by_day, cron_schedule: '@daily'}
two: {job: by_day, cron_schedule: '@daily', partition_selector: all}
three: {job: load, cron_schedule: '@daily'}
four: {job: python_daily, cron_schedule: '@daily', partition_selector: none}
five: {selection: [by_clock, automated_daily], cron_schedule: '@daily'}
""")

        assert schedules.selectors == {"one": "latest", "two": "all", "four": "none"}

    def test_selectors_that_fit_no_partitions(self) -> None:
        assert message("""
one: {job: by_day, cron_schedule: '@daily', partition_selector: '2023-12-31'}
two: {job: by_day, cron_schedule: '@daily', partition_selector: lates}
three: {selection: [by_region], cron_schedule: '@daily', partition_selector: 'last:3'}
four: {selection: [by_region], cron_schedule: '@daily', partition_selector: uss}
five: {selection: [sales], cron_schedule: '@daily', partition_selector: 'us|2024-01-01'}
""") == snapshot("""\
error[FLOE-340]: schedule 'one' selects partition '2023-12-31' of job 'by_day', which does not exist
  --> floe.yaml:7:69  orchestration.schedules.one.partition_selector
   |  one: {job: by_day, cron_schedule: '@daily', partition_selector: '2023-12-31'}
  why: the first one is '2024-01-01'
  fix: name one from '2024-01-01' on

error[FLOE-340]: schedule 'two' selects partition 'lates' of job 'by_day', which does not exist
  --> floe.yaml:8:69  orchestration.schedules.two.partition_selector
   |  two: {job: by_day, cron_schedule: '@daily', partition_selector: lates}
  why: the keys of a time window of '0 0 * * *' from 2024-01-01 in UTC are written like '2024-01-01'
  fix: did you mean 'latest'?

error[FLOE-356]: schedule 'three' selects the partitions 'last:3' of a selection, which has no time windows
  --> floe.yaml:9:82  orchestration.schedules.three.partition_selector
   |  three: {selection: [by_region], cron_schedule: '@daily', partition_selector: 'last:3'}
  why: only windows have an order in time, and it has the keys eu, us
  fix: write 'all' or a partition key

error[FLOE-340]: schedule 'four' selects partition 'uss' of a selection, which does not exist
  --> floe.yaml:10:81  orchestration.schedules.four.partition_selector
   |  four: {selection: [by_region], cron_schedule: '@daily', partition_selector: uss}
  why: the keys are eu, us
  fix: did you mean 'us'?

error[FLOE-340]: schedule 'five' selects partition 'us|2024-01-01' of a selection, which does not exist
  --> floe.yaml:11:77  orchestration.schedules.five.partition_selector
   |  five: {selection: [sales], cron_schedule: '@daily', partition_selector: 'us|2024-01-01'}
  why: a key names the dimensions in the order day|region
  fix: did you mean '2024-01-01|us'?

5 errors\
""")

    def test_a_selector_beside_a_function(self, user_project: UserProject, monkeypatch: pytest.MonkeyPatch) -> None:
        user_project.write({"runs.py": "def days(context): ..."})
        monkeypatch.syspath_prepend(user_project.path)

        assert message(
            "nightly: {job: by_day, cron_schedule: '@daily', partition_selector: all, target_function: runs.days}"
        ) == snapshot("""\
error[FLOE-356]: schedule 'nightly' selects partitions and computes its runs with 'runs.days'
  --> floe.yaml:7:73  orchestration.schedules.nightly.partition_selector
   |  nightly: {job: by_day, cron_schedule: '@daily', partition_selector: all, target_function: runs.days}
  why: the function names the partition of each run
  fix: delete one of the two\
""")

    def test_a_selector_of_a_job_of_a_module_is_held_against_it_at_the_tick(self) -> None:
        definition = schedule("job: python_orders, cron_schedule: '@daily', partition_selector: all")

        with pytest.raises(SensorError) as caught:
            tick(definition)

        assert str(caught.value) == snapshot("""\
error[FLOE-356]: schedule 'nightly' selects partitions of job 'python_orders', which has none
  --> floe.yaml:7:5  orchestration.schedules.nightly
   |  nightly: {job: python_orders, cron_schedule: '@daily', partition_selector: all}
  why: none of the assets that it materialises is partitioned
  fix: delete 'partition_selector', or give the assets partitions under orchestration.assets\
""")


class TestRanges:
    def test_assets_that_take_a_range_get_one_run(self) -> None:
        request = request_at(schedule("selection: [whole], cron_schedule: '@daily', partition_selector: all"))

        assert request.partition_key is None
        assert request.run_key == "2024-07-01T10:00:00+00:00 2024-01-01"
        assert request.tags["dagster/asset_partition_range_start"] == "2024-01-01"
        assert request.tags["dagster/asset_partition_range_end"] == "2024-06-30"

    def test_one_partition_of_theirs_is_a_run_for_a_partition(self) -> None:
        request = request_at(schedule("selection: [whole], cron_schedule: '@daily'"))

        assert request.partition_key == "2024-06-30"

    @pytest.mark.filterwarnings("ignore:Asset job .* materializes assets with varying BackfillPolicies:UserWarning")
    def test_the_smallest_policy_counts(self) -> None:
        requests = tick(
            schedule("selection: [whole, by_fives], cron_schedule: '@daily', partition_selector: 'last:12'")
        )

        assert isinstance(requests, list)
        assert [
            (request.tags.get("dagster/asset_partition_range_start"), request.partition_key) for request in requests
        ] == [("2024-06-19", None), ("2024-06-24", None), ("2024-06-29", None)]
        assert len({request.run_key for request in requests}) == 3

    @pytest.mark.filterwarnings("ignore:Asset job .* materializes assets with varying BackfillPolicies:UserWarning")
    def test_an_asset_without_a_policy_takes_one_partition(self) -> None:
        requests = tick(schedule("selection: [whole, daily], cron_schedule: '@daily', partition_selector: 'last:2'"))

        assert isinstance(requests, list)
        assert [request.partition_key for request in requests] == ["2024-06-29", "2024-06-30"]


class TestAutomationConditions:
    @pytest.mark.requirement("010-FR-040")
    def test_a_scheduled_run_leaves_out_what_has_a_condition_with_its_checks(self) -> None:
        request = request_at(schedule("selection: ['group:mixed'], cron_schedule: '@daily'"))

        assert request.asset_selection == [dg.AssetKey("by_clock")]
        assert request.asset_check_keys == [dg.AssetCheckKey(dg.AssetKey("by_clock"), "clock_check")]

    @pytest.mark.requirement("010-FR-040")
    def test_what_is_executed_as_one_is_left_out_whole(self) -> None:
        request = request_at(schedule("selection: [one, other, by_clock, some], cron_schedule: '@daily'"))

        assert request.asset_selection == [dg.AssetKey("by_clock"), dg.AssetKey("some")]

    @pytest.mark.requirement("010-FR-040")
    def test_a_tick_that_has_nothing_left_skips(self) -> None:
        definition = schedule("selection: [automated], cron_schedule: '@daily'")

        assert tick(definition) == "automation conditions materialise every asset of a selection"

    @pytest.mark.requirement("010-FR-040")
    def test_jobs_of_modules_are_reduced_as_well(self) -> None:
        request = request_at(schedule("job: py_mixed, cron_schedule: '@daily'"))

        assert request.asset_selection == [dg.AssetKey("by_clock")]
        assert request.asset_check_keys == []  # the job has no checks

    def test_a_run_of_what_is_not_partitioned_has_no_partition(self) -> None:
        request = request_at(schedule("selection: [by_clock, automated_daily], cron_schedule: '@daily'"))

        assert (request.asset_selection, request.partition_key) == ([dg.AssetKey("by_clock")], None)

    def test_run_config_of_what_is_left_out_is_left_out(self) -> None:
        config = "config: {ops: {automated: {config: {limit: 2}}, by_clock: {config: {limit: 3}}}}"

        request = request_at(schedule(f"selection: ['group:mixed'], cron_schedule: '@daily', {config}"))

        assert request.run_config == {"ops": {"by_clock": {"config": {"limit": 3}}}}

    def test_assets_that_a_function_selects_stay(
        self, user_project: UserProject, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        user_project.write(
            {
                "runs.py": """
                    import dagster as dg

                    def all_of_it(context):
                        return dg.RunRequest(asset_selection=[dg.AssetKey("automated")])

                    def job(context):
                        return dg.RunRequest()
                    """
            }
        )
        monkeypatch.syspath_prepend(user_project.path)
        fields = "selection: ['group:mixed'], cron_schedule: '@daily', target_function: runs"

        assert request_at(schedule(f"{fields}.all_of_it")).asset_selection == [dg.AssetKey("automated")]
        assert request_at(schedule(f"{fields}.job")).asset_selection == [dg.AssetKey("by_clock")]

    @pytest.mark.requirement("010-FR-040")
    def test_it_is_told_beforehand(self) -> None:
        schedules = built("""
nightly: {selection: ['group:mixed'], cron_schedule: '@daily'}
together: {selection: [one, other, by_clock], cron_schedule: '@daily'}
never: {selection: [automated], cron_schedule: '@daily'}
elsewhere: {selection: [automated], cron_schedule: '@daily', environments: [prod]}
""")

        assert render_problems(schedules.warnings) == snapshot("""\
warning[FLOE-349]: schedule 'nightly' leaves automated out of a selection
  --> floe.yaml:7:26  orchestration.schedules.nightly.selection
   |  nightly: {selection: ['group:mixed'], cron_schedule: '@daily'}
  why: an automation condition wins over a schedule
  fix: take the automation conditions away, or the assets out of the schedule

warning[FLOE-349]: schedule 'together' leaves one, other out of a selection
  --> floe.yaml:8:27  orchestration.schedules.together.selection
   |  together: {selection: [one, other, by_clock], cron_schedule: '@daily'}
  why: an automation condition wins over a schedule, and Dagster executes other as one with what has a condition
  fix: take the automation conditions away, or the assets out of the schedule

warning[FLOE-349]: schedule 'never' never launches a run: every asset of a selection has an automation condition
  --> floe.yaml:9:24  orchestration.schedules.never.selection
   |  never: {selection: [automated], cron_schedule: '@daily'}
  why: an automation condition wins over a schedule
  fix: take the automation conditions away, or the assets out of the schedule

3 warnings\
""")

    def test_a_job_with_config_cannot_be_launched_in_part(self) -> None:
        assert message("nightly: {job: configured, cron_schedule: '@daily'}") == snapshot("""\
error[FLOE-353]: job 'configured' has run config and cannot be launched without automated
  --> floe.yaml:7:20  orchestration.schedules.nightly.job
   |  nightly: {job: configured, cron_schedule: '@daily'}
  why: an automation condition materialises what is left out, and Dagster applies the config of a job whole
  fix: move the config to the schedule, or to the assets under orchestration.assets\
""")

        with pytest.raises(SensorError) as caught:
            tick(schedule("job: py_configured, cron_schedule: '@daily'"))
        assert str(caught.value) == snapshot("""\
error[FLOE-353]: job 'py_configured' has run config and cannot be launched without automated
  --> floe.yaml:7:5  orchestration.schedules.nightly
   |  nightly: {job: py_configured, cron_schedule: '@daily'}
  why: an automation condition materialises what is left out, and Dagster applies the config of a job whole
  fix: move the config to the schedule, or to the assets under orchestration.assets\
""")


class TestSelectors:
    def test_a_selector_without_partitions(self) -> None:
        assert message("nightly: {job: load, cron_schedule: '@daily', partition_selector: latest}") == snapshot("""\
error[FLOE-356]: schedule 'nightly' selects partitions of job 'load', which has none
  --> floe.yaml:7:71  orchestration.schedules.nightly.partition_selector
   |  nightly: {job: load, cron_schedule: '@daily', partition_selector: latest}
  why: none of the assets that it materialises is partitioned
  fix: delete 'partition_selector', or give the assets partitions under orchestration.assets\
""")

    def test_a_selector_of_a_job_whose_partitions_are_not_known_is_accepted(self) -> None:
        yaml = "nightly: {job: python_daily, cron_schedule: '@daily', partition_selector: latest}"

        assert list(built(yaml).schedules) == ["nightly"]


class TestFunctions:
    @pytest.fixture(autouse=True)
    def _functions(self, user_project: UserProject, monkeypatch: pytest.MonkeyPatch) -> None:
        user_project.write(
            {
                "runs.py": """
                    import dagster as dg

                    def one(context):
                        return dg.RunRequest(tags={"hour": str(context.scheduled_execution_time.hour), "team": "mine"})

                    def two():
                        yield dg.RunRequest(run_config={"ops": {"orders": {"config": {"limit": 1}}}})
                        yield dg.RunRequest(run_key="mine")

                    def config():
                        return {"ops": {"orders": {"config": {"limit": 7}}}}

                    def skip(context):
                        return dg.SkipReason("nothing new")

                    def none(context):
                        return None

                    def with_resource(context, catalog):
                        return [dg.RunRequest(tags={"tables": str(catalog)})]

                    def days(context):
                        return [dg.RunRequest(partition_key=day) for day in ("2024-01-01", "2024-01-02")]

                    def only_orders(context):
                        return dg.RunRequest(asset_selection=[dg.AssetKey("orders")])

                    def no_days(context):
                        return [dg.RunRequest(partition_key="2024-01-01"), dg.RunRequest()]

                    def wrong(context):
                        return 3

                    def odd(context, retries: int): ...

                    @dg.schedule(cron_schedule="@daily", job_name="load")
                    def a_schedule(context): ...
                    """
            }
        )
        monkeypatch.syspath_prepend(user_project.path)

    def computed(self, name: str, fields: str = "") -> list[dg.RunRequest] | str:
        definition = schedule(f"job: load, cron_schedule: '@daily', target_function: runs.{name}{fields}")
        return tick(definition, catalog="tables")

    def test_a_function_computes_the_run_request(self) -> None:
        requests = self.computed("one", ", tags: {team: sales, tier: 1}, config: {ops: {orders: {config: {limit: 2}}}}")

        assert isinstance(requests, list)
        [request] = requests
        assert (request.tags["hour"], request.tags["team"], request.tags["tier"]) == ("12", "mine", "1")
        assert request.run_config == {"ops": {"orders": {"config": {"limit": 2}}}}
        assert request.run_key == "2024-07-01T10:00:00+00:00"

    def test_every_run_of_a_tick_has_a_key_of_its_own(self) -> None:
        requests = self.computed("two")

        assert isinstance(requests, list)
        assert [request.run_key for request in requests] == ["2024-07-01T10:00:00+00:00 1", "mine"]

    def test_run_config_is_a_run(self) -> None:
        requests = self.computed("config")

        assert isinstance(requests, list)
        assert requests[0].run_config == {"ops": {"orders": {"config": {"limit": 7}}}}

    def test_a_function_may_skip(self) -> None:
        assert self.computed("skip") == "nothing new"
        assert self.computed("none") == "runs.none asks for no run"

    def test_resources_are_found_by_name(self) -> None:
        requests = self.computed("with_resource")

        assert isinstance(requests, list)
        assert requests[0].tags["tables"] == "tables"

    def test_a_function_names_the_partitions_of_a_partitioned_job(self) -> None:
        requests = tick(schedule("job: by_day, cron_schedule: '@daily', target_function: runs.days"))

        assert isinstance(requests, list)
        assert [request.partition_key for request in requests] == ["2024-01-01", "2024-01-02"]
        assert requests[0].run_key == "2024-07-01T10:00:00+00:00 2024-01-01"

    def test_a_run_of_assets_without_partitions_needs_none(self) -> None:
        definition = schedule("selection: [daily, orders], cron_schedule: '@daily', target_function: runs.only_orders")

        assert request_at(definition).asset_selection == [dg.AssetKey("orders")]

    def test_a_partitioned_job_is_not_launched_where_the_function_forgets_a_partition(self) -> None:
        definition = schedule("job: by_day, cron_schedule: '@daily', target_function: runs.no_days")

        with pytest.raises(SensorError) as caught:
            tick(definition)

        assert str(caught.value) == snapshot(
            """\
error[FLOE-357]: schedule 'nightly' names no partition for a run of job 'by_day'
  --> floe.yaml:7:5  orchestration.schedules.nightly
   |  nightly: {job: by_day, cron_schedule: '@daily', target_function: runs.no_days}
  why: no partitioned job is launched without a partition\
"""
        )

    def test_a_function_that_returns_something_else(self) -> None:
        with pytest.raises(SensorError) as caught:
            self.computed("wrong")

        assert str(caught.value) == snapshot("""\
error[FLOE-357]: schedule 'nightly' gets 'int' from runs.wrong
  --> floe.yaml:7:5  orchestration.schedules.nightly
   |  nightly: {job: load, cron_schedule: '@daily', target_function: runs.wrong}
  why: the function returns run requests, run config, a skip reason or None\
""")

    def test_a_resource_that_a_function_asks_for_is_missing(self) -> None:
        yaml = "nightly: {job: load, cron_schedule: '@daily', target_function: runs.with_resource}"

        assert message(yaml, resources={"dbt": object()}) == snapshot("""\
error[FLOE-374]: function 'runs.with_resource' asks for the resource 'catalog', which does not exist
  --> floe.yaml:7:68  orchestration.schedules.nightly.target_function
   |  nightly: {job: load, cron_schedule: '@daily', target_function: runs.with_resource}
  why: a parameter without annotation is the resource of its name; there are dbt
  fix: delete the parameter, or define it under 'resources' in platform.yaml\
""")

    def test_functions_that_cannot_be_called(self) -> None:
        assert message(
            """
one: {job: load, cron_schedule: '@daily', target_function: runs.odd}
two: {job: load, cron_schedule: '@daily', target_function: runs.a_schedule}
three: {job: load, cron_schedule: '@daily', target_function: runs.onne}
"""
        ) == snapshot("""\
error[FLOE-312]: schedule 'one' computes its runs with 'runs.odd', which asks for 'retries'
  --> floe.yaml:7:64  orchestration.schedules.one.target_function
   |  one: {job: load, cron_schedule: '@daily', target_function: runs.odd}
  why: the function takes 'context' and resources by name
  fix: give these parameters a default, or read them from the context

error[FLOE-312]: schedule 'two' computes its runs with 'runs.a_schedule', which is a schedule or sensor of its own
  --> floe.yaml:8:64  orchestration.schedules.two.target_function
   |  two: {job: load, cron_schedule: '@daily', target_function: runs.a_schedule}
  why: the function takes the tick's context and returns run requests
  fix: name the module of the schedule under orchestration.asset_modules, where it is loaded as it is

error[FLOE-311]: module 'runs' has no 'onne'
  --> floe.yaml:9:66  orchestration.schedules.three.target_function
   |  three: {job: load, cron_schedule: '@daily', target_function: runs.onne}
  why: it defines one, two, config, skip, none, with_resource, days, only_orders and 4 more
  fix: did you mean 'runs.one' or 'runs.none'?

3 errors\
""")


class TestWhatIsWrong:
    def test_an_unknown_job(self) -> None:
        assert message("nightly: {job: sweepin, cron_schedule: '@daily'}") == snapshot("""\
error[FLOE-203]: schedule 'nightly' starts job 'sweepin', which does not exist
  --> floe.yaml:7:20  orchestration.schedules.nightly.job
   |  nightly: {job: sweepin, cron_schedule: '@daily'}
  why: the jobs are load, by_day, configured, sweeping, python_daily, python_orders, py_mixed, py_configured
  fix: did you mean 'sweeping'?\
""")

    def test_a_selection_of_nothing(self) -> None:
        assert message("nightly: {selection: ['group:bronz'], cron_schedule: '@daily'}") == snapshot("""\
error[FLOE-331]: schedule 'nightly' selects group 'bronz', which no asset has
  --> floe.yaml:7:28  orchestration.schedules.nightly.selection[0]
   |  nightly: {selection: ['group:bronz'], cron_schedule: '@daily'}
  why: the groups are bronze, mixed, parts, units
  fix: did you mean 'bronze'?\
""")

    def test_the_name_of_a_sensor(self) -> None:
        assert message("nightly: {job: load, cron_schedule: '@daily'}", sensors=["nightly"]) == snapshot("""\
error[FLOE-204]: schedule 'nightly' has the name of a sensor
  --> floe.yaml:7:5  orchestration.schedules.nightly
   |  nightly: {job: load, cron_schedule: '@daily'}
  why: in Dagster no two schedules or sensors share a name
  fix: rename one of the two\
""")

    def test_run_config_of_a_batch_job(self) -> None:
        config = "config: {ops: {order: {}}}"

        assert message(f"nightly: {{job: load, cron_schedule: '@daily', {config}}}") == snapshot("""\
error[FLOE-353]: run config of schedule 'nightly' has op 'order', which does not exist
  --> floe.yaml:7:66  orchestration.schedules.nightly.config.ops.order
   |  nightly: {job: load, cron_schedule: '@daily', config: {ops: {order: {}}}}
  why: the ops there are orders
  fix: did you mean 'orders'?\
""")

    def test_run_config_of_a_python_job(self) -> None:
        config = "config: {ops: {sweep: {config: {day: 3}}}}"

        assert message(f"nightly: {{job: sweeping, cron_schedule: '@daily', {config}}}") == snapshot("""\
error[FLOE-353]: run config of schedule 'nightly' lacks 'days' at ops.sweep.config
  --> floe.yaml:7:86  orchestration.schedules.nightly.config.ops.sweep.config
   |  nightly: {job: sweeping, cron_schedule: '@daily', config: {ops: {sweep: {config: {day: 3}}}}}
  why: it is required there
  fix: add 'days'

error[FLOE-353]: run config of schedule 'nightly' has key 'day', which does not exist
  --> floe.yaml:7:87  orchestration.schedules.nightly.config.ops.sweep.config.day
   |  nightly: {job: sweeping, cron_schedule: '@daily', config: {ops: {sweep: {config: {day: 3}}}}}
  why: the keys there are days
  fix: did you mean 'days'?

2 errors\
""")

    def test_a_tag_that_dagster_keeps_to_itself(self) -> None:
        assert message("nightly: {job: load, cron_schedule: '@daily', tags: {dagster/run_key: x}}") == snapshot("""\
error[FLOE-350]: Dagster refuses schedule 'nightly': Attempted to set tag with reserved system prefix: dagster/run_key
  --> floe.yaml:7:58  orchestration.schedules.nightly.tags.dagster/run_key
   |  nightly: {job: load, cron_schedule: '@daily', tags: {dagster/run_key: x}}\
""")
