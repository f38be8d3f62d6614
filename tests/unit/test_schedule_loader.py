"""Schedules of floe.yaml as Dagster schedules."""

from collections.abc import Collection, Mapping
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import dagster as dg
import pytest
from inline_snapshot import snapshot
from pydantic import ValidationError

from builders import floe_yaml, parse_document
from floe_core.errors import LoadError, SensorError
from floe_dagster.launching.launchable import Launchable, LaunchableAssets
from floe_dagster.loaders.job_loader import build_jobs
from floe_dagster.loaders.schedule_loader import BuiltSchedules, build_schedules
from floe_dagster.selection.asset_index import AssetIndex
from floe_dagster.user_code.module_contents import Job
from plugins.user_project import UserProject

JOBS = """
load: {type: batch, selection: [orders]}
by_day: {type: batch, selection: [daily]}
vacuum: {type: ops, target_function: shop.ops.vacuum}
"""
NOON = datetime(2024, 7, 1, 12, tzinfo=ZoneInfo("Europe/Berlin"))


class Limit(dg.Config):
    limit: int = 1


@dg.asset(group_name="bronze")
def orders(config: Limit) -> None: ...


@dg.asset(group_name="bronze", partitions_def=dg.DailyPartitionsDefinition("2024-01-01"))
def daily() -> None: ...


@dg.op(config_schema={"days": int})
def sweep() -> None: ...


@dg.job
def sweeping() -> None:
    sweep()


PYTHON_JOBS: Mapping[str, Job] = {
    "sweeping": sweeping,
    "python_daily": dg.define_asset_job("python_daily", selection=[daily]),
    "python_orders": dg.define_asset_job("python_orders", selection=[orders]),
}
ASSETS = [orders, daily]


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
    assets = LaunchableAssets.of(AssetIndex.from_assets(ASSETS), ASSETS)
    executors = {"in_process": dg.in_process_executor}
    jobs = build_jobs(document.spec.orchestration.jobs, assets=assets, source=document.source, executors=executors)
    return build_schedules(
        document.spec.orchestration.schedules,
        jobs={**jobs.jobs, **{name: Launchable.of_python(job) for name, job in PYTHON_JOBS.items()}},
        assets=assets,
        source=document.source,
        environment=environment,
        jobs_not_built=jobs.not_built,
        sensor_names=sensors,
        resources=resources,
    )


def _section(name: str, yaml: str) -> str:
    return f"{name}:\n" + "".join(f"  {line}\n" for line in yaml.strip("\n").splitlines())


def schedule(fields: str) -> dg.ScheduleDefinition:
    return built(f"nightly: {{{fields}}}").schedules["nightly"]


def tick(definition: dg.ScheduleDefinition, at: datetime = NOON, **resources: object) -> list[dg.RunRequest] | str:
    """What a tick requests, or why it skips."""
    repository = dg.Definitions(assets=ASSETS, jobs=list(PYTHON_JOBS.values()), schedules=[definition])
    context = dg.build_schedule_context(
        scheduled_execution_time=at, repository_def=repository.get_repository_def(), resources=resources
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
        assert schedule("job: sweeping, cron_schedule: '@daily'").job is sweeping

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
    def test_a_schedule_of_a_partitioned_job_is_not_built_and_says_so(self) -> None:
        schedules = built("nightly: {job: by_day, cron_schedule: '@daily'}")

        assert schedules.schedules == {}
        assert schedules.not_built == snapshot({"nightly": "it starts job 'by_day', which is partitioned"})

    def test_a_schedule_of_a_partitioned_selection_is_not_built_and_says_so(self) -> None:
        assert built("nightly: {selection: [daily], cron_schedule: '@daily'}").not_built == snapshot(
            {"nightly": "it starts a selection, which is partitioned"}
        )

    def test_no_partition_at_all_is_launched_where_the_document_says_so(self) -> None:
        request = request_at(schedule("job: by_day, cron_schedule: '@daily', partition_selector: none"))

        assert request.partition_key is None

    def test_a_partitioned_job_of_a_module_is_not_launched_without_a_partition(self) -> None:
        definition = schedule("job: python_daily, cron_schedule: '@daily'")

        assert tick(definition) == "job 'python_daily' is partitioned, and no partition is named for its run"

    def test_a_job_of_a_module_without_partitions_is_launched(self) -> None:
        assert request_at(schedule("job: python_orders, cron_schedule: '@daily'")).partition_key is None

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

    def test_a_partitioned_job_is_not_launched_where_the_function_forgets_a_partition(self) -> None:
        definition = schedule("job: by_day, cron_schedule: '@daily', target_function: runs.no_days")

        with pytest.raises(SensorError) as caught:
            tick(definition)

        assert str(caught.value) == snapshot(
            """\
error[FLOE-357]: schedule 'nightly' names no partition for a run of job 'by_day'
  why: no partitioned job is launched without a partition\
"""
        )

    def test_a_function_that_returns_something_else(self) -> None:
        with pytest.raises(SensorError) as caught:
            self.computed("wrong")

        assert str(caught.value) == snapshot("""\
error[FLOE-357]: schedule 'nightly' gets 'int' from runs.wrong
  why: the function returns run requests, run config, a skip reason or None\
""")

    def test_a_resource_that_a_function_asks_for_is_missing(self) -> None:
        yaml = "nightly: {job: load, cron_schedule: '@daily', target_function: runs.with_resource}"

        assert message(yaml, resources={"dbt": object()}) == snapshot("""\
error[FLOE-374]: function 'runs.with_resource' asks for the resource 'catalog', which does not exist
  --> floe.yaml:7:68  orchestration.schedules.nightly.target_function
   |  nightly: {job: load, cron_schedule: '@daily', target_function: runs.with_resource}
  why: a parameter without annotation is the resource of its name; there are dbt
  fix: define it under 'resources' in platform.yaml\
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
  why: it defines one, two, config, skip, none, with_resource, days, no_days and 3 more
  fix: did you mean 'runs.one' or 'runs.none'?

3 errors\
""")


class TestWhatIsWrong:
    def test_an_unknown_job(self) -> None:
        assert message("nightly: {job: sweepin, cron_schedule: '@daily'}") == snapshot("""\
error[FLOE-203]: schedule 'nightly' starts job 'sweepin', which does not exist
  --> floe.yaml:7:20  orchestration.schedules.nightly.job
   |  nightly: {job: sweepin, cron_schedule: '@daily'}
  why: the jobs are load, by_day, sweeping, python_daily, python_orders, vacuum
  fix: did you mean 'sweeping'?\
""")

    def test_a_selection_of_nothing(self) -> None:
        assert message("nightly: {selection: ['group:bronz'], cron_schedule: '@daily'}") == snapshot("""\
error[FLOE-331]: schedule 'nightly' selects group 'bronz', which no asset has
  --> floe.yaml:7:28  orchestration.schedules.nightly.selection[0]
   |  nightly: {selection: ['group:bronz'], cron_schedule: '@daily'}
  why: the groups are bronze
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

    def test_a_schedule_of_a_job_that_is_not_built_is_not_built(self) -> None:
        schedules = built("weekly: {job: vacuum, cron_schedule: '0 2 * * 0'}")

        assert (schedules.schedules, schedules.not_built) == (
            {},
            {"weekly": "it starts job 'vacuum', which is not built"},
        )
