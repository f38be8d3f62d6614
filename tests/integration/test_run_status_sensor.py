"""Run-status sensors, evaluated by Dagster on an instance with its event log."""

import json
import time
import uuid
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from importlib import import_module
from multiprocessing import get_context
from pathlib import Path
from threading import Thread

import dagster as dg
import pytest
import time_machine
from dagster._core.definitions.sensor_definition import SensorExecutionData
from dagster._core.instance.ref import InstanceRef
from inline_snapshot import snapshot

from event_sensors import EventSensors
from floe_core.errors import LoadError, SensorError
from floe_dagster.sensors import log_reading, run_status_sensor
from floe_dagster.sensors.made_calls import CallMarks
from floe_dagster.sensors.run_status_cursor import MOST_FAILED, RETRY_SECONDS, FailedCall, RunStatusCursor
from plugins.user_project import UserProject

DAYS = dg.DailyPartitionsDefinition("2024-01-01")


@dg.asset
def figures() -> None:
    raise ValueError("no figures today: " + "x" * 400)


@dg.asset
def report() -> None: ...


@dg.asset
def pager() -> None: ...


@dg.asset(partitions_def=DAYS)
def sales() -> None: ...


@dg.asset(partitions_def=DAYS)
def summary() -> None: ...


@dg.asset(partitions_def=dg.StaticPartitionsDefinition(["eu", "us"]))
def by_region() -> None: ...


ASSETS = [figures, report, pager, sales, summary, by_region]
JOBS = """
    jobs:
      load: {type: batch, selection: figures}
      refresh: {type: batch, selection: report}
      alert: {type: batch, selection: pager}
      daily: {type: batch, selection: sales}
      summarise: {type: batch, selection: summary}
      regional: {type: batch, selection: by_region}
    sensors:
"""
ALERTS = """
    import asyncio
    import threading

    import dagster as dg

    CALLS = []
    FAILS = set()
    ENDS = set()
    WAITS = set()
    BEGUN = threading.Event()
    GO_ON = threading.Event()

    def tell(context, pager: dg.ResourceParam[str]) -> None:
        if context.dagster_run.run_id in ENDS:
            raise SystemExit
        if context.dagster_run.run_id in WAITS:
            BEGUN.set()
            GO_ON.wait(60)
        if context.dagster_run.run_id in FAILS:
            raise ConnectionError("the pager is away")
        CALLS.append((context, pager))

    async def tell_awaited(context, pager: dg.ResourceParam[str]) -> None:
        await asyncio.sleep(0)
        tell(context, pager)

    def tell_generated(context, pager: dg.ResourceParam[str]):
        yield
        tell(context, pager)
        yield

    async def tell_generated_awaited(context, pager: dg.ResourceParam[str]):
        await asyncio.sleep(0)
        yield
        tell(context, pager)
        yield

    def ask(question: str) -> None: ...

    @dg.run_failure_sensor
    def of_dagster(context) -> None: ...
    """


@pytest.fixture(scope="module")
def instance() -> Iterator[dg.DagsterInstance]:
    """One for all tests: each sensor begins with what comes after its first tick."""
    with dg.DagsterInstance.local_temp() as instance:
        yield instance


def build(
    fields: str, instance: dg.DagsterInstance, *, folder: Path = Path(), resources: Mapping[str, object] | None = None
) -> EventSensors:
    """One sensor called `s`, which has ticked once."""
    yaml = f"{JOBS}      s: {{type: run_status, {fields}}}\n"
    sensors = EventSensors(yaml, assets=ASSETS, instance=instance, folder=folder, resources=resources)
    sensors.tick("s")
    return sensors


def end_run(
    instance: dg.DagsterInstance,
    job: str = "load",
    *,
    status: dg.DagsterRunStatus = dg.DagsterRunStatus.FAILURE,
    tags: Mapping[str, str] | None = None,
    root: str | None = None,
) -> dg.DagsterRun:
    """A run that ended so, without anything having run."""
    run = instance.add_run(
        dg.DagsterRun(
            job_name=job,
            run_id=str(uuid.uuid4()),
            tags={**(tags or {}), **({"dagster/root_run_id": root} if root else {})},
            root_run_id=root,
            parent_run_id=root,
        )
    )
    match status:
        case dg.DagsterRunStatus.CANCELED:
            instance.report_run_canceled(run)
        case dg.DagsterRunStatus.FAILURE:
            instance.report_run_failed(run, "it ended")
        case _:
            name = {"SUCCESS": "PIPELINE_SUCCESS", "STARTED": "PIPELINE_START"}[status.value]
            instance.report_dagster_event(dg.DagsterEvent(event_type_value=name, job_name=job), run_id=run.run_id)
    return run


def watched(data: SensorExecutionData) -> list[str]:
    return [request.tags["floe/watched_run"] for request in data.run_requests or ()]


@pytest.mark.requirement("010-FR-032")
def test_a_failed_run_reaches_the_job_that_it_starts(instance: dg.DagsterInstance, tmp_path: Path) -> None:
    (tmp_path / ".floe").mkdir()
    (tmp_path / ".floe" / "ui.json").write_text(json.dumps({"url": "http://127.0.0.1:3000"}))
    sensors = build("status: FAILURE, watched_jobs: load, job: alert", instance, folder=tmp_path)
    run = sensors.run("load")
    sensors.run("refresh")
    end_run(instance, "refresh")

    (request,) = sensors.tick("s").run_requests or ()

    assert (request.job_name, request.run_key) == ("alert", f"{run.run_id} FAILURE")
    tags = dict(request.tags)
    error = tags.pop("floe/watched_error")
    assert tags == {
        "floe/watched_run": run.run_id,
        "floe/watched_job": "load",
        "floe/watched_status": "FAILURE",
        "floe/watched_run_url": f"http://127.0.0.1:3000/runs/{run.run_id}",
        "floe/sensor_chain": "s",
        "dagster/sensor_name": "s",
    }
    assert (error[:1], error[-3:], len(error)) == ("…", "xxx", 250)
    assert sensors.launches("s") == "no run reached FAILURE"


@pytest.mark.requirement("010-FR-032")
@pytest.mark.parametrize("status", ["SUCCESS", "FAILURE", "STARTED", "CANCELED"])
def test_every_status_is_told_from_the_others(instance: dg.DagsterInstance, status: str) -> None:
    sensors = build(f"status: {status}, job: alert", instance)
    ended = {
        each.value: end_run(instance, status=each)
        for each in (
            dg.DagsterRunStatus.SUCCESS,
            dg.DagsterRunStatus.FAILURE,
            dg.DagsterRunStatus.STARTED,
            dg.DagsterRunStatus.CANCELED,
        )
    }

    assert watched(sensors.tick("s")) == [ended[status].run_id]


def test_without_watched_jobs_every_run_of_the_code_location_is_watched(instance: dg.DagsterInstance) -> None:
    sensors = build("status: FAILURE, job: alert", instance)
    of_ui = dg.materialize([figures], instance=instance, raise_on_error=False)
    runs = [
        end_run(instance, "load"),
        end_run(instance, "__ASSET_JOB"),
        end_run(instance, "no_such_job", tags={"floe/project": "shop"}),
        end_run(instance, "no_such_job"),
        end_run(instance, "load", tags={"floe/project": "elsewhere"}),
    ]

    assert not of_ui.success
    assert watched(sensors.tick("s")) == [run.run_id for run in runs[:3]]


def test_more_runs_than_a_tick_launches_for(instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run_status_sensor, "MOST_LAUNCHES", 4)
    monkeypatch.setattr(log_reading, "PAGE", 3)
    sensors = build("status: FAILURE, watched_jobs: load, job: alert", instance)
    runs = [end_run(instance).run_id for _ in range(10)]

    ticks = [watched(sensors.tick("s")) for _ in range(4)]

    assert [len(tick) for tick in ticks] == [4, 4, 2, 0]
    assert [run for tick in ticks for run in tick] == runs


def test_what_it_started_does_not_trigger_it_nor_what_came_of_that(instance: dg.DagsterInstance) -> None:
    sensors = build("status: FAILURE, job: load", instance)
    outside = end_run(instance, "refresh")
    (own,) = sensors.carry_out("s")
    assert own.status is dg.DagsterRunStatus.FAILURE
    end_run(instance, tags={**own.tags, "dagster/retry_number": "1"}, root=own.run_id)
    end_run(instance, root=own.run_id)
    end_run(instance, tags={"dagster/sensor_name": "other", "floe/sensor_chain": "s,other"})

    assert own.tags["floe/watched_run"] == outside.run_id
    assert sensors.launches("s") == "no run reached FAILURE"

    by_other = end_run(instance, tags={"dagster/sensor_name": "other", "floe/sensor_chain": "other"})
    data = sensors.tick("s")
    assert watched(data) == [by_other.run_id]
    assert (data.run_requests or ())[0].tags["floe/sensor_chain"] == "other,s"


def test_the_partition_of_the_run_goes_on_where_the_job_has_the_same_ones(instance: dg.DagsterInstance) -> None:
    sensors = build(
        "status: SUCCESS, watched_jobs: [daily, refresh], jobs: [summarise, regional, alert]",
        instance,
    )
    assert sensors.run("daily", partition_key="2024-01-02").is_success

    requests = sensors.tick("s").run_requests or ()

    assert [(each.job_name, each.partition_key) for each in requests] == [
        ("summarise", "2024-01-02"),
        ("regional", "eu"),
        ("regional", "us"),
        ("alert", None),
    ]
    assert len({each.run_key for each in requests}) == 4
    assert sensors.run("refresh").is_success
    partitions = [each.partition_key for each in sensors.tick("s").run_requests or ()]
    yesterday = datetime.now(UTC).date() - timedelta(days=1)
    assert partitions == [str(yesterday), "eu", "us", None]


def test_a_tick_that_is_repeated_asks_for_the_same_runs(instance: dg.DagsterInstance) -> None:
    sensors = build("status: FAILURE, jobs: [alert, refresh]", instance)
    end_run(instance)
    before = dict(sensors.cursors)

    first = [each.run_key for each in sensors.tick("s").run_requests or ()]
    sensors.cursors = before

    assert len(set(first)) == 2
    assert [each.run_key for each in sensors.tick("s").run_requests or ()] == first


def test_a_run_that_ended_after_the_sensor_was_switched_on_counts_at_its_first_tick(
    instance: dg.DagsterInstance,
) -> None:
    sensors = build("status: FAILURE, job: alert", instance)
    end_run(instance)
    switched_on = datetime.now(UTC).timestamp()
    after = end_run(instance)
    sensors.cursors.clear()

    assert watched(sensors.tick("s", switched_on=switched_on)) == [after.run_id]


def test_all_runs_that_ended_since_the_sensor_was_switched_on_count(
    instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log_reading, "PAGE", 2)
    sensors = build("watched_jobs: [load], status: FAILURE, job: alert", instance)
    end_run(instance)
    switched_on = datetime.now(UTC).timestamp()
    ended = [end_run(instance).run_id for _ in range(7)]
    sensors.cursors.clear()

    assert watched(sensors.tick("s", switched_on=switched_on)) == ended


class Calls:
    """A sensor that calls `tell`, or one that calls it in turn, and what it was called with."""

    def __init__(
        self, project: UserProject, instance: dg.DagsterInstance, fields: str, *, function: str = "tell"
    ) -> None:
        project.write({"shop/__init__.py": "", "shop/alerts.py": ALERTS})
        import sys

        sys.path.insert(0, str(project.path))

        self.module = import_module("shop.alerts")
        self.sensors = build(
            f"target_function: shop.alerts.{function}, {fields}",
            instance,
            folder=project.path,
            resources={"pager": "beep"},
        )

    @property
    def contexts(self) -> Sequence[dg.RunFailureSensorContext]:
        return [context for context, _ in self.module.CALLS]

    @property
    def runs(self) -> list[str]:
        return [context.dagster_run.run_id for context in self.contexts]

    def tick(self) -> list[str | None]:
        """What the tick tells of each run that it called for; None where nothing was wrong."""
        reactions = self.sensors.tick("s").dagster_run_reactions or ()
        return [each.error.message if each.error else None for each in reactions]


@pytest.mark.requirement("010-FR-032")
def test_a_function_is_called_with_the_run(user_project: UserProject, instance: dg.DagsterInstance) -> None:
    calls = Calls(user_project, instance, "status: FAILURE, watched_jobs: load")
    run = calls.sensors.run("load")

    assert calls.tick() == [None]

    (context,) = calls.contexts
    assert calls.module.CALLS[0][1] == "beep"
    assert context.dagster_run.run_id == run.run_id
    assert context.dagster_event.event_type is dg.DagsterEventType.RUN_FAILURE
    assert [event.step_key for event in context.get_step_failure_events()] == ["figures"]
    assert context.sensor_name == "s"
    told = vars(context)
    assert told["run_url"] is None
    assert told["run_error"].splitlines()[1].strip() == 'raise ValueError("no figures today: " + "x" * 400)'
    assert calls.tick() == []


def test_a_run_that_did_not_fail_has_dagsters_other_context(
    user_project: UserProject, instance: dg.DagsterInstance
) -> None:
    calls = Calls(user_project, instance, "status: SUCCESS, watched_jobs: refresh")
    calls.sensors.run("refresh")

    assert calls.tick() == [None]

    (context,) = calls.contexts
    assert isinstance(context, dg.RunStatusSensorContext)
    assert not isinstance(context, dg.RunFailureSensorContext)


@pytest.mark.parametrize("function", ["tell_awaited", "tell_generated", "tell_generated_awaited"])
def test_coroutines_and_generators_are_run_to_their_end(
    user_project: UserProject, instance: dg.DagsterInstance, function: str
) -> None:
    calls = Calls(user_project, instance, "status: FAILURE", function=function)
    fine, failing = (end_run(instance).run_id for _ in range(2))
    calls.module.FAILS.add(failing)

    told = calls.tick()

    assert calls.runs == [fine]
    assert [text is None for text in told] == [True, False]
    assert "ConnectionError: the pager is away" in str(told[1])


def test_a_call_that_fails_is_made_again_and_keeps_no_other_from_being_made(
    user_project: UserProject, instance: dg.DagsterInstance
) -> None:
    calls = Calls(user_project, instance, "status: FAILURE")
    first, second, third = (end_run(instance).run_id for _ in range(3))
    calls.module.FAILS.add(second)
    now = datetime.now(UTC)

    *fine, failure = calls.tick()

    assert (fine, calls.runs) == ([None, None], [first, third])
    assert str(failure).replace(second, "RUN").replace(str(user_project.path), ".") == snapshot("""\
error[FLOE-395]: sensor 's' calls shop.alerts.tell, which failed for run RUN of job 'load'
      shop/alerts.py:20 in tell
          raise ConnectionError("the pager is away")
      ConnectionError: the pager is away
  why: this was call 1 of 5; it is called for this run again in 60 seconds
  fix: mend the function; calls for other runs are not affected\
""")
    assert calls.tick() == []  # not at once
    for number, seconds in enumerate(RETRY_SECONDS):
        now += timedelta(seconds=seconds + 5)
        if number == 2:
            calls.module.FAILS.clear()
        with time_machine.travel(now):
            told = calls.tick()
        assert len(told) == (1 if number <= 2 else 0)
    assert calls.runs == [first, third, second]


def test_a_call_that_fails_again_and_again_is_given_up(user_project: UserProject, instance: dg.DagsterInstance) -> None:
    calls = Calls(user_project, instance, "status: FAILURE")
    calls.module.FAILS.add(end_run(instance).run_id)
    now = datetime.now(UTC)
    told = calls.tick()
    for _ in range(10):
        now += timedelta(hours=2)
        with time_machine.travel(now):
            told += calls.tick()

    assert len(told) == 1 + len(RETRY_SECONDS)
    assert "this was call 5 of 5; it is not called for this run any more" in str(told[-1])
    assert calls.runs == []


def test_a_call_is_not_made_again_when_the_tick_was_killed_after_it(
    user_project: UserProject, instance: dg.DagsterInstance
) -> None:
    calls = Calls(user_project, instance, "status: FAILURE")
    run = end_run(instance).run_id
    before = dict(calls.sensors.cursors)
    calls.tick()
    calls.sensors.cursors = before
    later = end_run(instance).run_id

    calls.tick()

    assert calls.runs == [run, later]


def marks_of(run: str, instance: dg.DagsterInstance) -> list[str]:
    """What the log of the run says of calls, without what all of it begins with."""
    records = instance.get_records_for_run(run, of_type=dg.DagsterEventType.ENGINE_EVENT).records
    texts = [entry.message for entry in (record.event_log_entry.dagster_event for record in records) if entry]
    return [text.removeprefix('Sensor "s" ') for text in texts if text and text.startswith('Sensor "s" ')]


def test_a_call_that_takes_longer_than_a_tick_is_not_made_twice(
    user_project: UserProject, instance: dg.DagsterInstance
) -> None:
    calls = Calls(user_project, instance, "status: FAILURE")
    slow = end_run(instance).run_id
    calls.module.WAITS.add(slow)
    before = calls.sensors.cursors["s"]
    tick = Thread(target=calls.tick)
    tick.start()
    assert calls.module.BEGUN.wait(30)
    other = end_run(instance).run_id

    calls.sensors.cursors["s"] = before  # as the daemon leaves it when a tick takes too long
    assert calls.tick() == [None]
    assert calls.runs == [other]
    after = calls.sensors.cursors["s"]
    with time_machine.travel(datetime.now(UTC) + timedelta(hours=2)):
        data = calls.sensors.tick("s")
    assert data.skip_message == f"call 1 for run {slow} has not reported back"

    calls.module.GO_ON.set()
    tick.join(30)
    calls.sensors.cursors["s"] = after
    with time_machine.travel(datetime.now(UTC) + timedelta(hours=2)):
        assert calls.tick() == []
    assert calls.runs == [other, slow]
    assert marks_of(slow, instance) == snapshot(
        ["calls shop.alerts.tell for status FAILURE: call 1 of 5.", "called shop.alerts.tell for status FAILURE."]
    )


def test_a_call_that_fails_after_its_tick_has_ended_is_told_by_the_next_one(
    user_project: UserProject, instance: dg.DagsterInstance
) -> None:
    calls = Calls(user_project, instance, "status: FAILURE")
    slow = end_run(instance).run_id
    calls.module.WAITS.add(slow)
    calls.module.FAILS.add(slow)
    before = calls.sensors.cursors["s"]
    tick = Thread(target=calls.tick)
    tick.start()
    assert calls.module.BEGUN.wait(30)
    calls.module.GO_ON.set()
    tick.join(30)
    calls.sensors.cursors["s"] = before  # as the daemon leaves it when a tick takes too long

    (told,) = calls.tick()

    assert "shop.alerts.tell, which failed for run" in str(told)
    assert "ConnectionError: the pager is away" in str(told)
    assert "this was call 1 of 5; it is called for this run again in" in str(told)
    assert calls.tick() == []
    records = instance.get_records_for_run(slow, of_type=dg.DagsterEventType.ENGINE_EVENT).records
    events = [record.event_log_entry.dagster_event for record in records]
    errors = [event.engine_event_data.error for event in events if event and event.engine_event_data.error]
    assert [error.message for error in errors] == ["ConnectionError: the pager is away\n"]

    calls.module.FAILS.clear()
    with time_machine.travel(datetime.now(UTC) + timedelta(minutes=2)):
        assert calls.tick() == [None]
    assert calls.runs == [slow]


def test_a_call_that_never_reported_back_is_made_again_later(
    user_project: UserProject, instance: dg.DagsterInstance
) -> None:
    calls = Calls(user_project, instance, "status: FAILURE")
    run = end_run(instance).run_id
    calls.module.ENDS.add(run)
    now = datetime.now(UTC)
    with pytest.raises(SystemExit):
        calls.tick()
    assert calls.sensors.tick("s").skip_message == f"call 1 for run {run} has not reported back"

    for seconds in RETRY_SECONDS[:-1]:
        now += timedelta(seconds=seconds + 5)
        with time_machine.travel(now), pytest.raises(SystemExit):
            calls.tick()
    assert calls.tick() == []
    calls.module.ENDS.clear()
    with time_machine.travel(now + timedelta(seconds=RETRY_SECONDS[-1] + 5)):
        assert calls.tick() == [None]

    assert calls.runs == [run]
    assert marks_of(run, instance) == snapshot(
        [
            "calls shop.alerts.tell for status FAILURE: call 1 of 5.",
            "calls shop.alerts.tell for status FAILURE: call 2 of 5, since call 1 did not report back.",
            "calls shop.alerts.tell for status FAILURE: call 3 of 5, since call 2 did not report back.",
            "calls shop.alerts.tell for status FAILURE: call 4 of 5, since call 3 did not report back.",
            "calls shop.alerts.tell for status FAILURE: call 5 of 5, since call 4 did not report back.",
            "called shop.alerts.tell for status FAILURE.",
        ]
    )


def test_a_call_that_never_reports_back_is_given_up(user_project: UserProject, instance: dg.DagsterInstance) -> None:
    calls = Calls(user_project, instance, "status: FAILURE")
    run = end_run(instance).run_id
    calls.module.ENDS.add(run)
    now = datetime.now(UTC)
    for seconds in (0.0, *RETRY_SECONDS):
        now += timedelta(seconds=seconds + 5)
        with time_machine.travel(now), pytest.raises(SystemExit):
            calls.tick()

    assert calls.tick() == calls.tick() == []
    assert [text for text in marks_of(run, instance) if "no more" in text] == snapshot(
        ["calls shop.alerts.tell for status FAILURE no more: call 5 of 5 did not report back."]
    )


def call_for_long(ref: InstanceRef, run_id: str) -> None:
    """In another process: a call that is under way until it is killed."""
    with dg.DagsterInstance.from_ref(ref) as instance:
        run = instance.get_run_by_id(run_id)
        assert run is not None
        marks = CallMarks(instance, "s", "shop.alerts.tell", run, dg.DagsterRunStatus.FAILURE)
        marks.make(partial(time.sleep, 120), marks.read())


def test_a_call_of_another_process_is_waited_for_until_that_is_gone(
    user_project: UserProject, instance: dg.DagsterInstance
) -> None:
    calls = Calls(user_project, instance, "status: FAILURE")
    run = end_run(instance).run_id
    process = get_context("spawn").Process(target=call_for_long, args=(instance.get_ref(), run))
    process.start()
    try:
        until = time.monotonic() + 30
        while not marks_of(run, instance) and time.monotonic() < until:
            time.sleep(0.1)
        now = datetime.now(UTC) + timedelta(hours=2)
        with time_machine.travel(now):
            assert calls.sensors.tick("s").skip_message == f"call 1 for run {run} has not reported back"
    finally:
        process.kill()
        process.join()

    with time_machine.travel(now + timedelta(hours=2)):
        assert calls.tick() == [None]
    assert calls.runs == [run]


def test_nothing_new_is_called_while_too_many_calls_have_failed(
    user_project: UserProject, instance: dg.DagsterInstance
) -> None:
    calls = Calls(user_project, instance, "status: FAILURE")
    cursor = RunStatusCursor.from_text(calls.sensors.cursors["s"] or "")
    soon = datetime.now(UTC).timestamp() + 60
    full = RunStatusCursor(cursor.window, tuple(FailedCall(-number, 1, soon) for number in range(MOST_FAILED)))
    calls.sensors.cursors["s"] = full.to_text()
    run = end_run(instance).run_id

    assert calls.tick() == []
    with time_machine.travel(soon + 1):  # their events are gone
        assert calls.tick() == [None]
    assert calls.runs == [run]


@pytest.mark.requirement("010-FR-034")
def test_its_settings_are_those_of_the_dagster_sensor(instance: dg.DagsterInstance) -> None:
    on = build("status: FAILURE, job: alert, poll_interval_seconds: 9, description: why not", instance).built["s"]
    off = build("status: FAILURE, job: alert, enabled: false", instance).built["s"]

    assert (on.minimum_interval_seconds, on.description) == (9, "why not")
    assert (on.default_status, off.default_status) == (
        dg.DefaultSensorStatus.RUNNING,
        dg.DefaultSensorStatus.STOPPED,
    )


@pytest.mark.requirement("010-FR-035")
def test_functions_that_cannot_be_called(user_project: UserProject, instance: dg.DagsterInstance) -> None:
    calls = Calls(user_project, instance, "status: FAILURE")
    yaml = f"""{JOBS}
      one: {{type: run_status, status: FAILURE, target_function: shop.alerts.tel}}
      two: {{type: run_status, status: FAILURE, target_function: shop.alerts.ask}}
      three: {{type: run_status, status: FAILURE, target_function: shop.alerts.of_dagster}}
      four: {{type: run_status, status: FAILURE, target_function: shop.alerts.tell}}
    """

    with pytest.raises(LoadError) as caught:
        EventSensors(yaml, assets=ASSETS, instance=instance, resources={"catalog": None})

    assert str(caught.value) == snapshot("""\
error[FLOE-311]: module 'shop.alerts' has no 'tel'
  --> floe.yaml:11:63  orchestration.sensors.one.target_function
   |  one: {type: run_status, status: FAILURE, target_function: shop.alerts.tel}
  why: it defines tell, tell_awaited, tell_generated, tell_generated_awaited, ask
  fix: did you mean 'shop.alerts.tell'?

error[FLOE-312]: sensor 'two' calls 'shop.alerts.ask', which asks for 'question'
  --> floe.yaml:12:63  orchestration.sensors.two.target_function
   |  two: {type: run_status, status: FAILURE, target_function: shop.alerts.ask}
  why: the function takes 'context' and resources by name
  fix: give these parameters a default, or read them from the context

error[FLOE-312]: sensor 'three' calls 'shop.alerts.of_dagster', which is a schedule or sensor of its own
  --> floe.yaml:13:65  orchestration.sensors.three.target_function
   |  three: {type: run_status, status: FAILURE, target_function: shop.alerts.of_dagster}
  why: the function takes the tick's context and resources
  fix: name its module under orchestration.asset_modules, where it is loaded as it is

error[FLOE-374]: function 'shop.alerts.tell' asks for the resource 'pager', which does not exist
  --> floe.yaml:14:64  orchestration.sensors.four.target_function
   |  four: {type: run_status, status: FAILURE, target_function: shop.alerts.tell}
  why: the parameter 'pager' is annotated as a resource; there are catalog
  fix: delete the parameter, or define it under 'resources' in platform.yaml

4 errors\
""")
    assert calls.runs == []


@pytest.mark.parametrize(
    "cursor",
    [
        '{"version":1,"window":{},"assets":[],"lanes":{}}',
        '{"version":1,"window":{"settled":1,"seen":[],"mark":1,"marked_at":1},"failed":[[1,2]]}',
        '{"version":1,"window":{"settled":1,"seen":[],"mark":1,"marked_at":1},"failed":[[1,null,2]]}',
    ],
    ids=["of another sensor", "a call that lacks something", "a call without number"],
)
def test_a_cursor_that_somebody_else_wrote(instance: dg.DagsterInstance, cursor: str) -> None:
    sensors = build("status: FAILURE, job: alert", instance)
    sensors.cursors["s"] = cursor

    with pytest.raises(SensorError) as caught:
        sensors.tick("s")

    assert str(caught.value) == snapshot("""\
error[FLOE-394]: sensor 's' has a cursor that it cannot read
  --> floe.yaml:10:5  orchestration.sensors.s
   |  s: {type: run_status, status: FAILURE, job: alert}
  why: it is not the cursor of a run-status sensor
  fix: empty the cursor on the sensor's page in the Dagster UI; it then goes on after its last tick\
""")


@pytest.mark.parametrize("seen", ['["q"]', "[[1]]", "[null]"])
def test_a_cursor_whose_window_somebody_else_wrote(instance: dg.DagsterInstance, seen: str) -> None:
    sensors = build("status: FAILURE, job: alert", instance)
    sensors.cursors["s"] = f'{{"version":1,"window":{{"settled":1,"seen":{seen},"mark":1,"marked_at":1}},"failed":[]}}'

    with pytest.raises(SensorError, match="no window of events"):
        sensors.tick("s")
