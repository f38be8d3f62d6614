"""Custom sensors of floe.yaml: what their functions get, and what becomes of what they return."""

import traceback
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from inline_snapshot import snapshot

from builders import floe_yaml, parse_document
from floe_core.errors import LoadError, SensorError
from floe_dagster.launching.launchable import Launchable, LaunchableAssets
from floe_dagster.loaders.job_loader import build_jobs
from floe_dagster.loaders.sensor_loader import SensorParts, build_sensors
from floe_dagster.selection.asset_index import AssetIndex
from floe_dagster.user_code.import_paths import set_up_import_paths
from plugins.user_project import UserProject

SENSORS = """
from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Literal

import dagster as dg

CALLS = []


def watch(context: dg.SensorEvaluationContext, mailer, folder: Path, *, most: int = 3, mode: Literal["a", "b"] = "a"):
    CALLS.append((context.cursor, mailer, folder, most, mode))


def bare(): ...


def request(context):
    return dg.RunRequest(run_key="one", run_config={"ops": {}}, tags={"team": "mine", "own": "1"})


def requests():
    return [dg.RunRequest(run_key="one"), dg.RunRequest(run_key="two")]


def yields():
    yield dg.RunRequest(run_key="one")
    yield None
    yield [dg.RunRequest(run_key="two")]
    return dg.RunRequest(run_key="three")


def yields_one():
    yield dg.RunRequest(run_key="one")


async def later():
    return dg.RunRequest(run_key="one")


async def stream():
    yield dg.RunRequest(run_key="one")
    yield dg.RunRequest(run_key="two")


def skips():
    return dg.SkipReason("nothing new")


def result(context):
    return dg.SensorResult(
        run_requests=[dg.RunRequest(run_key="one", partition_key="x")],
        cursor=f"{context.cursor}!",
        dynamic_partitions_requests=[dg.DynamicPartitionsDefinition(name="files").build_add_request(["x"])],
        asset_events=[dg.AssetMaterialization("seen")],
    )


def adds():
    keys = dg.DynamicPartitionsDefinition(name="files")
    return dg.SensorResult(dynamic_partitions_requests=[keys.build_add_request(["x"])])


def partition():
    return dg.RunRequest(run_key="one", partition_key="2024-01-02")


def unknown_partition(context):
    return dg.RunRequest(partition_key="2030-01-02")


def unknown_file():
    return dg.SensorResult(run_requests=[dg.RunRequest(partition_key="y")])


def removed_file():
    keys = dg.DynamicPartitionsDefinition(name="files")
    changes = [keys.build_delete_request(["z"])]
    return dg.SensorResult(run_requests=[dg.RunRequest(partition_key="z")], dynamic_partitions_requests=changes)


def unpartitioned_asset():
    return dg.RunRequest(asset_selection=[dg.AssetKey("orders")], partition_key="2024-01-02")


def partitioned_asset():
    return dg.RunRequest(asset_selection=[dg.AssetKey("by_day")], partition_key="2024-01-02")


def no_key():
    return dg.RunRequest()


def load():
    return dg.RunRequest(run_key="one", job_name="load")


def lood():
    return dg.RunRequest(run_key="one", job_name="lood")


def only_bronze():
    return dg.RunRequest(run_key="one", asset_selection=[dg.AssetKey("orders")])


def text():
    return "now"


def fails(context):
    CALLS.append("fails")
    return deeper()


def deeper():
    raise ValueError("no good")


def tidy(mailer, days: int, name: str = "all"):
    CALLS.append((mailer, days, name))


@dg.sensor(job_name="load")
def whole(): ...


@dg.asset
def seen(): ...


class Watcher: ...
"""

DAILY = dg.DailyPartitionsDefinition("2024-01-01", end_date="2024-01-04")
JOBS = """
load: {type: batch, selection: orders}
daily: {type: batch, selection: by_day}
files: {type: batch, selection: by_file}
mixed: {type: batch, selection: [orders, by_day]}
tidy: {type: ops, target_function: shop.sensors.tidy, args: {days: 3, name: some}}
"""


@dg.asset
def orders() -> None: ...


@dg.asset(partitions_def=DAILY)
def by_day() -> None: ...


@dg.asset(partitions_def=dg.DynamicPartitionsDefinition(name="files"))
def by_file() -> None: ...


ASSETS = [orders, by_day, by_file]


@pytest.fixture(autouse=True)
def _shop(user_project: UserProject) -> None:
    user_project.write({"shop/__init__.py": "", "shop/sensors.py": SENSORS})
    set_up_import_paths(user_project.path)


class Built:
    """Sensors of a floe.yaml, and definitions in which they tick."""

    def __init__(self, yaml: str, *, resources: Mapping[str, object] | None = None, environment: str = "local") -> None:
        text = floe_yaml(_section("jobs", JOBS) + _section("sensors", yaml))
        document = parse_document(text)
        assets = LaunchableAssets.of(AssetIndex.from_assets(ASSETS), ASSETS)
        jobs = build_jobs(document.spec.orchestration.jobs, assets=assets, source=document.source, executors={})
        jobs["python_daily"] = Launchable.of_python(dg.define_asset_job("python_daily", ["by_day"]))
        resources = {"mailer": "a mailer", "catalog": "tables"} if resources is None else resources
        self.sensors = build_sensors(
            document.spec.orchestration.sensors,
            parts=SensorParts(jobs, assets, document.source, Path.cwd(), environment=environment, resources=resources),
        )
        self.repository = dg.Definitions(
            assets=ASSETS,
            jobs=[job.job for job in jobs.values()],
            sensors=list(self.sensors.values()),
            resources={key: dg.ResourceDefinition.hardcoded_resource(value) for key, value in resources.items()},
        ).get_repository_def()

    def tick(self, instance: dg.DagsterInstance, *, name: str = "watch", cursor: str | None = None) -> Any:
        context = dg.build_sensor_context(
            instance_ref=instance.get_ref(),
            cursor=cursor,
            repository_def=self.repository,
            resources=dict(self.repository.get_top_level_resources()),
        )
        return self.repository.get_sensor_def(name).evaluate_tick(context)


def _section(name: str, yaml: str) -> str:
    return f"{name}:\n" + "".join(f"  {line}\n" for line in yaml.strip("\n").splitlines())


def sensor(fields: str) -> Built:
    return Built(f"watch: {{type: custom, {fields}}}")


def tick(fields: str, instance: dg.DagsterInstance, *, cursor: str | None = None) -> Any:
    return sensor(fields).tick(instance, cursor=cursor)


def requested(data: Any) -> list[tuple[str | None, str | None, str | None]]:
    return [(request.run_key, request.job_name, request.partition_key) for request in data.run_requests]


def calls() -> list[Any]:
    calls = import_module("shop.sensors").CALLS
    taken = list(calls)
    calls.clear()
    return taken


def message(yaml: str) -> str:
    with pytest.raises(LoadError) as caught:
        Built(yaml)
    return str(caught.value)


class TestWhatTheFunctionGets:
    @pytest.mark.requirement("010-FR-033")
    def test_context_arguments_and_resources(self, instance: dg.DagsterInstance) -> None:
        built = sensor("job: load, target_function: shop.sensors.watch, args: {folder: incoming, mode: b}")
        assert calls() == []

        data = built.tick(instance, cursor="7")

        assert calls() == [("7", "a mailer", Path("incoming"), 3, "b")]
        assert data.skip_message == "shop.sensors.watch asks for no run"

    def test_nothing_where_it_takes_nothing(self, instance: dg.DagsterInstance) -> None:
        assert tick("target_function: shop.sensors.bare", instance).run_requests == []

    @pytest.mark.requirement("010-FR-034")
    def test_interval_status_and_description_are_those_of_the_document(self) -> None:
        built = Built("""
fast: {type: custom, job: load, target_function: shop.sensors.bare, poll_interval_seconds: 5, description: Looks.}
slow: {type: custom, job: load, target_function: shop.sensors.bare, enabled: false}
prod: {type: custom, job: load, target_function: shop.sensors.bare, environments: [prod]}
""")

        fast, slow = built.sensors["fast"], built.sensors["slow"]
        assert sorted(built.sensors) == ["fast", "slow"]
        assert (fast.minimum_interval_seconds, slow.minimum_interval_seconds) == (5, 30)
        assert (fast.default_status, slow.default_status) == (
            dg.DefaultSensorStatus.RUNNING,
            dg.DefaultSensorStatus.STOPPED,
        )
        assert fast.description == "Looks."


class TestWhatItReturns:
    @pytest.mark.parametrize(
        ("function", "keys"),
        [
            pytest.param("request", ["one"], id="a-request"),
            pytest.param("requests", ["one", "two"], id="a-list"),
            pytest.param("yields", ["one", "two", "three"], id="generator"),
            pytest.param("later", ["one"], id="async"),
            pytest.param("stream", ["one", "two"], id="async-generator"),
            pytest.param("load", ["one"], id="with-the-name-of-the-job"),
        ],
    )
    @pytest.mark.requirement("010-FR-033")
    def test_run_requests_in_every_form(self, function: str, keys: list[str], instance: dg.DagsterInstance) -> None:
        data = tick(f"job: load, target_function: shop.sensors.{function}", instance)

        assert [request.run_key for request in data.run_requests] == keys

    def test_a_skip_reason(self, instance: dg.DagsterInstance) -> None:
        assert tick("job: load, target_function: shop.sensors.skips", instance).skip_message == "nothing new"

    def test_a_sensor_result(self, instance: dg.DagsterInstance) -> None:
        data = tick("job: files, target_function: shop.sensors.result", instance, cursor="7")

        assert requested(data) == [("one", "files", "x")]
        assert data.cursor == "7!"
        assert data.dynamic_partitions_requests[0].partition_keys == ["x"]
        assert [event.asset_key.to_user_string() for event in data.asset_events] == ["seen"]

    def test_partition_keys_without_any_job(self, instance: dg.DagsterInstance) -> None:
        data = tick("target_function: shop.sensors.adds", instance)

        assert (data.run_requests, data.dynamic_partitions_requests[0].partition_keys) == ([], ["x"])

    def test_tags_and_config_of_the_document_where_the_request_says_nothing(self, instance: dg.DagsterInstance) -> None:
        fields = "job: load, tags: {team: sales, kind: auto}, config: {loggers: {}}"

        [mine] = tick(f"target_function: shop.sensors.request, {fields}", instance).run_requests
        [theirs] = tick(f"target_function: shop.sensors.load, {fields}", instance).run_requests

        assert (mine.tags["team"], mine.tags["own"], mine.tags["kind"]) == ("mine", "1", "auto")
        assert (mine.run_config, theirs.run_config) == ({"ops": {}}, {"loggers": {}})

    def test_anything_else_fails_the_tick(self, instance: dg.DagsterInstance) -> None:
        with pytest.raises(SensorError) as caught:
            tick("job: load, target_function: shop.sensors.text", instance)

        assert str(caught.value) == snapshot("""\
error[FLOE-357]: sensor 'watch' gets 'str' from shop.sensors.text
  --> shop/sensors.py:107
   |  def text():
  why: the function returns or yields run requests, a skip reason, a sensor result or None
  fix: return dg.RunRequest(run_config=…) for a run\
""")


class TestPartitions:
    @pytest.mark.parametrize(
        ("fields", "keys"),
        [
            pytest.param("", [("one", "2024-01-03")], id="latest"),
            pytest.param(
                "partition_selector: 'last:2'",
                [("one 2024-01-02", "2024-01-02"), ("one 2024-01-03", "2024-01-03")],
                id="last",
            ),
            pytest.param("partition_selector: '2024-01-01'", [("one", "2024-01-01")], id="key"),
            pytest.param("partition_selector: none", [("one", None)], id="none"),
        ],
    )
    @pytest.mark.parametrize("job", ["daily", "python_daily", "mixed"])
    def test_a_request_without_one_gets_those_of_the_selector(
        self, job: str, fields: str, keys: list[tuple[str, str]], instance: dg.DagsterInstance
    ) -> None:
        data = tick(f"job: {job}, target_function: shop.sensors.yields_one, {fields}", instance)

        assert [(request.run_key, request.partition_key) for request in data.run_requests] == keys

    def test_its_own_partition_comes_first(self, instance: dg.DagsterInstance) -> None:
        data = tick("job: daily, target_function: shop.sensors.partition, partition_selector: all", instance)

        assert requested(data) == [("one", "daily", "2024-01-02")]
        assert data.run_requests[0].tags["dagster/partition"] == "2024-01-02"

    @pytest.mark.parametrize(
        ("fields", "report"),
        [
            pytest.param(
                "job: daily, target_function: shop.sensors.unknown_partition",
                snapshot("""\
error[FLOE-340]: sensor 'watch' asks for partition '2030-01-02' of job 'daily', which it does not have
  --> floe.yaml:9:5  orchestration.sensors.watch
   |  watch: {type: custom, job: daily, target_function: shop.sensors.unknown_partition}
  why: it has a time window of '0 0 * * *' from 2024-01-01 in UTC; the last one is '2024-01-03'
  fix: name one from '2024-01-01' to '2024-01-03'\
"""),
                id="unknown",
            ),
            pytest.param(
                "job: python_daily, target_function: shop.sensors.unknown_partition",
                snapshot("""\
error[FLOE-340]: sensor 'watch' asks for partition '2030-01-02' of job 'python_daily', which it does not have
  --> floe.yaml:9:5  orchestration.sensors.watch
   |  watch: {type: custom, job: python_daily, target_function: shop.sensors.unknown_partition}
  why: it has a time window of '0 0 * * *' from 2024-01-01 in UTC; the last one is '2024-01-03'
  fix: name one from '2024-01-01' to '2024-01-03'\
"""),
                id="python",
            ),
            pytest.param(
                "job: load, target_function: shop.sensors.unknown_partition",
                snapshot("""\
error[FLOE-340]: sensor 'watch' asks for partition '2030-01-02' of job 'load', which has no partitions
  --> floe.yaml:9:5  orchestration.sensors.watch
   |  watch: {type: custom, job: load, target_function: shop.sensors.unknown_partition}
  why: nothing that the run launches is partitioned
  fix: leave partition_key out of the run request\
"""),
                id="unpartitioned",
            ),
            pytest.param(
                "job: tidy, target_function: shop.sensors.partition",
                snapshot("""\
error[FLOE-340]: sensor 'watch' asks for partition '2024-01-02' of job 'tidy', which has no partitions
  --> floe.yaml:9:5  orchestration.sensors.watch
   |  watch: {type: custom, job: tidy, target_function: shop.sensors.partition}
  why: nothing that the run launches is partitioned
  fix: leave partition_key out of the run request\
"""),
                id="ops",
            ),
            pytest.param(
                "job: files, target_function: shop.sensors.unknown_file",
                snapshot("""\
error[FLOE-340]: sensor 'watch' asks for partition 'y' of job 'files', which it does not have
  --> floe.yaml:9:5  orchestration.sensors.watch
   |  watch: {type: custom, job: files, target_function: shop.sensors.unknown_file}
  why: it has the dynamic keys of 'files'; the keys are z
  fix: name one of them\
"""),
                id="not-added",
            ),
            pytest.param(
                "job: files, target_function: shop.sensors.removed_file",
                snapshot("""\
error[FLOE-340]: sensor 'watch' asks for partition 'z' of job 'files', which it does not have
  --> floe.yaml:9:5  orchestration.sensors.watch
   |  watch: {type: custom, job: files, target_function: shop.sensors.removed_file}
  why: it has the dynamic keys of 'files'; of the dynamic keys of 'files' there is none yet
  fix: add the key first, for example in Dagster's UI\
"""),
                id="removed",
            ),
            pytest.param(
                "selection: [orders, by_day], target_function: shop.sensors.unpartitioned_asset",
                snapshot("""\
error[FLOE-340]: sensor 'watch' asks for partition '2024-01-02' of a selection, which has no partitions
  --> floe.yaml:9:5  orchestration.sensors.watch
   |  watch: {type: custom, selection: [orders, by_day], target_function: shop.sensors.unpartitioned_asset}
  why: nothing that the run launches is partitioned
  fix: leave partition_key out of the run request\
"""),
                id="asset",
            ),
        ],
    )
    def test_a_partition_that_there_is_not(self, fields: str, report: str, instance: dg.DagsterInstance) -> None:
        instance.add_dynamic_partitions("files", ["z"])

        with pytest.raises(SensorError) as caught:
            tick(fields, instance)

        assert str(caught.value) == report

    def test_a_partition_of_the_selected_assets(self, instance: dg.DagsterInstance) -> None:
        fields = "selection: [orders, by_day], target_function: shop.sensors.partitioned_asset"

        assert [request.partition_key for request in tick(fields, instance).run_requests] == ["2024-01-02"]

    def test_a_request_without_run_key_stays_without(self, instance: dg.DagsterInstance) -> None:
        data = tick("job: daily, target_function: shop.sensors.no_key, partition_selector: all", instance)

        assert [(request.run_key, request.partition_key) for request in data.run_requests] == [
            (None, "2024-01-01"),
            (None, "2024-01-02"),
            (None, "2024-01-03"),
        ]

    def test_unpartitioned_assets_of_a_partitioned_job_need_none(self, instance: dg.DagsterInstance) -> None:
        data = tick("selection: [orders, by_day], target_function: shop.sensors.only_bronze", instance)

        assert [request.partition_key for request in data.run_requests] == [None]

    def test_a_job_without_any_partition_yet_skips_with_the_reason(self, instance: dg.DagsterInstance) -> None:
        data = tick("job: files, target_function: shop.sensors.no_key", instance)

        assert data.run_requests == []
        assert data.skip_message == snapshot(
            "job 'files' has no partition for 'latest': of the dynamic keys of 'files' there is none yet"
        )


class TestJobs:
    def test_a_request_says_which_of_several_jobs_it_is_for(self, instance: dg.DagsterInstance) -> None:
        data = tick("jobs: [load, daily], target_function: shop.sensors.load", instance)

        assert requested(data) == [("one", "load", None)]

    def test_config_for_an_ops_job_changes_one_argument(self, instance: dg.DagsterInstance) -> None:
        built = sensor(
            "job: tidy, target_function: shop.sensors.yields_one, config: {ops: {tidy: {config: {days: 7}}}}"
        )

        [request] = built.tick(instance).run_requests
        built.repository.get_job("tidy").execute_in_process(run_config=request.run_config)

        assert calls() == [("a mailer", 7, "some")]

    def test_config_that_does_not_fit_an_ops_job(self) -> None:
        assert message(
            "watch: {type: custom, job: tidy, target_function: shop.sensors.bare, "
            "config: {ops: {tidy: {config: {dayz: 7}}}}}"
        ) == snapshot("""\
error[FLOE-353]: run config of sensor 'watch' has key 'dayz', which does not exist
  --> floe.yaml:9:105  orchestration.sensors.watch.config.ops.tidy.config.dayz
   |  …ion: shop.sensors.bare, config: {ops: {tidy: {config: {dayz: 7}}}}}
  why: the keys there are days, name
  fix: did you mean 'days'?\
""")

    @pytest.mark.parametrize(
        ("fields", "report"),
        [
            pytest.param(
                "jobs: [load, daily], target_function: shop.sensors.lood",
                snapshot("""\
error[FLOE-357]: sensor 'watch' asks for a run of job 'lood', which is none of its jobs
  --> floe.yaml:9:5  orchestration.sensors.watch
   |  watch: {type: custom, jobs: [load, daily], target_function: shop.sensors.lood}
  why: the sensor launches job 'load', job 'daily'
  fix: did you mean 'load'?\
"""),
                id="unknown",
            ),
            pytest.param(
                "jobs: [load, daily], target_function: shop.sensors.requests",
                snapshot("""\
error[FLOE-357]: sensor 'watch' asks for a run and does not say of which job
  --> floe.yaml:9:5  orchestration.sensors.watch
   |  watch: {type: custom, jobs: [load, daily], target_function: shop.sensors.requests}
  why: the sensor launches job 'load', job 'daily'
  fix: RunRequest(job_name='load')\
"""),
                id="unnamed",
            ),
            pytest.param(
                "target_function: shop.sensors.requests",
                snapshot("""\
error[FLOE-357]: sensor 'watch' asks for a run, and has no job
  --> floe.yaml:9:5  orchestration.sensors.watch
   |  watch: {type: custom, target_function: shop.sensors.requests}
  fix: write job: NAME, or return no run requests\
"""),
                id="no-job",
            ),
        ],
    )
    def test_a_request_that_cannot_be_launched_fails_the_tick(
        self, fields: str, report: str, instance: dg.DagsterInstance
    ) -> None:
        with pytest.raises(SensorError) as caught:
            tick(fields, instance)

        assert str(caught.value) == report


class TestErrorsOfTheFunction:
    def test_the_tick_fails_with_the_users_lines_and_the_next_one_asks_again(
        self, instance: dg.DagsterInstance
    ) -> None:
        built = sensor("job: load, target_function: shop.sensors.fails")

        for _ in range(2):
            with pytest.raises(ValueError, match="no good") as caught:
                built.tick(instance)

        frames = [frame.name for frame in traceback.extract_tb(caught.value.__traceback__)]
        assert frames[-2:] == ["fails", "deeper"]
        assert [name for name in frames if name in ("_call", "call", "items_of")] == []
        assert calls() == ["fails", "fails"]


class TestWhatIsWrong:
    @pytest.mark.requirement("010-FR-035")
    def test_arguments_that_do_not_fit(self) -> None:
        assert message("""
one: {type: custom, job: load, target_function: shop.sensors.watch, args: {foldr: incoming, most: many}}
two: {type: custom, job: load, target_function: shop.sensors.watch, args: {mailer2: x}}
three: {type: custom, job: load, target_function: shop.sensors.bare, args: {x: 1}, config: {op: {}}}
""") == snapshot("""\
error[FLOE-314]: sensor 'one' gives 'shop.sensors.watch' the argument 'foldr', which it does not take
  --> floe.yaml:9:80  orchestration.sensors.one.args.foldr
   |  one: {type: custom, job: load, target_function: shop.sensors.watch, args: {foldr: incoming, most: many}}
  why: the function takes folder, most, mode (shop/sensors.py:12)
  fix: did you mean 'folder'?

error[FLOE-314]: sensor 'one' gives 'shop.sensors.watch' a value for 'most' that it does not take
  --> floe.yaml:9:103  orchestration.sensors.one.args.most
   |  one: {type: custom, job: load, target_function: shop.sensors.watch, args: {foldr: incoming, most: many}}
  why: the parameter is `most: int`: input should be a valid integer
  fix: write a whole number

error[FLOE-314]: sensor 'two' does not give 'shop.sensors.watch' the argument 'folder'
  --> floe.yaml:10:79  orchestration.sensors.two.args
   |  two: {type: custom, job: load, target_function: shop.sensors.watch, args: {mailer2: x}}
  why: the parameter (pathlib.Path) has no default, and no resource has its name (shop/sensors.py:12)
  fix: add it: args: {folder: …}

error[FLOE-314]: sensor 'two' gives 'shop.sensors.watch' the argument 'mailer2', which it does not take
  --> floe.yaml:10:80  orchestration.sensors.two.args.mailer2
   |  two: {type: custom, job: load, target_function: shop.sensors.watch, args: {mailer2: x}}
  why: the function takes folder, most, mode (shop/sensors.py:12)
  fix: delete it, or add the parameter to the function

error[FLOE-314]: sensor 'three' gives 'shop.sensors.bare' the argument 'x', which it does not take
  --> floe.yaml:11:81  orchestration.sensors.three.args.x
   |  three: {type: custom, job: load, target_function: shop.sensors.bare, args: {x: 1}, config: {op: {}}}
  why: the function takes no arguments (shop/sensors.py:16)
  fix: delete it, or add the parameter to the function

error[FLOE-353]: run config of sensor 'three' has key 'op', which does not exist
  --> floe.yaml:11:97  orchestration.sensors.three.config.op
   |  three: {type: custom, job: load, target_function: shop.sensors.bare, args: {x: 1}, config: {op: {}}}
  why: the keys there are ops, resources, execution, loggers
  fix: did you mean 'ops'?

6 errors\
""")

    @pytest.mark.requirement("010-FR-035")
    def test_targets_of_another_kind(self) -> None:
        assert message("""
one: {type: custom, job: load, target_function: shop.sensors.whole}
two: {type: custom, job: load, target_function: shop.sensors.seen}
three: {type: custom, job: load, target_function: shop.sensors.Watcher}
four: {type: custom, job: load, target_function: shop.sensors.wach}
five: {type: custom, selection: nothing, target_function: shop.sensors.bare}
""") == snapshot("""\
error[FLOE-312]: sensor 'one' calls 'shop.sensors.whole', which is a sensor of its own
  --> floe.yaml:9:53  orchestration.sensors.one.target_function
   |  one: {type: custom, job: load, target_function: shop.sensors.whole}
  why: the function takes the tick's context, its args and resources, and returns what to launch
  fix: list 'shop.sensors' under orchestration.asset_modules, where it is loaded as it is, and delete this sensor

error[FLOE-312]: sensor 'two' calls 'shop.sensors.seen', which is an asset
  --> floe.yaml:10:53  orchestration.sensors.two.target_function
   |  two: {type: custom, job: load, target_function: shop.sensors.seen}
  why: the function takes the tick's context, its args and resources, and returns what to launch
  fix: name a plain function

error[FLOE-312]: sensor 'three' calls 'shop.sensors.Watcher', which is a class
  --> floe.yaml:11:55  orchestration.sensors.three.target_function
   |  three: {type: custom, job: load, target_function: shop.sensors.Watcher}
  why: the function takes the tick's context, its args and resources, and returns what to launch
  fix: name a plain function

error[FLOE-311]: module 'shop.sensors' has no 'wach'
  --> floe.yaml:12:54  orchestration.sensors.four.target_function
   |  four: {type: custom, job: load, target_function: shop.sensors.wach}
  why: it defines watch, bare, request, requests, yields, yields_one, later, stream and 19 more
  fix: did you mean 'shop.sensors.watch'?

error[FLOE-331]: sensor 'five' selects asset 'nothing', which does not exist
  --> floe.yaml:13:37  orchestration.sensors.five.selection
   |  five: {type: custom, selection: nothing, target_function: shop.sensors.bare}
  why: an asset is named by its whole key, or by the last part of it where no other key ends so
  fix: run 'floe list assets' to see the assets with their groups, tags, kinds and owners

5 errors\
""")
