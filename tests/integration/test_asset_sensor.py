"""Asset sensors, evaluated by Dagster on an instance with its event log."""

import time
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest
import time_machine
from dagster._core.events import StepMaterializationData
from inline_snapshot import snapshot

from event_sensors import EventSensors
from floe_core.errors import LoadError, SensorError
from floe_dagster.sensors import log_reading

DAYS = dg.DailyPartitionsDefinition("2024-01-01")
SAME_DAYS = dg.TimeWindowPartitionsDefinition(start="2024-01-01", cron_schedule="0 0 * * *", fmt="%Y-%m-%d")
REGIONS = dg.StaticPartitionsDefinition(["eu", "us"])


@dg.asset(group_name="bronze")
def orders() -> None: ...


@dg.asset(group_name="bronze")
def customers() -> None: ...


@dg.asset(deps=["orders", "customers", "prices"])
def report() -> None: ...


@dg.asset(partitions_def=DAYS)
def sales() -> None: ...


@dg.asset(partitions_def=DAYS)
def returns() -> None: ...


@dg.asset(partitions_def=SAME_DAYS, deps=[sales])
def summary() -> None: ...


@dg.asset(partitions_def=REGIONS)
def by_region() -> None: ...


@dg.asset(partitions_def=dg.DynamicPartitionsDefinition(name="shops"))
def shops() -> None: ...


ASSETS = [shops, orders, customers, report, sales, returns, summary, by_region]
EXTERNAL = [dg.AssetSpec("rates"), dg.AssetSpec("feed", partitions_def=SAME_DAYS)]
JOBS = """
    jobs:
      refresh: {type: batch, selection: report}
      daily: {type: batch, selection: summary}
      regional: {type: batch, selection: by_region}
      all_of_it: {type: batch, selection: [orders, report]}
      retried: {type: batch, selection: [orders, report], max_retries: 1}
    sensors:
"""


@pytest.fixture(scope="module")
def instance() -> Iterator[dg.DagsterInstance]:
    """One for all tests: each sensor begins with what comes after its first tick."""
    with dg.DagsterInstance.local_temp() as instance:
        yield instance


def build(fields: str, instance: dg.DagsterInstance) -> EventSensors:
    """One sensor called `s`, which has ticked once."""
    sensors = EventSensors(
        f"{JOBS}      s: {{type: asset_sensor, {fields}}}\n",
        assets=[*ASSETS, *EXTERNAL],
        instance=instance,
        python_jobs={
            "python_daily": dg.define_asset_job("python_daily", selection=[summary]),
            "by_shop": dg.define_asset_job("by_shop", selection=[shops]),
            "python_customers": dg.define_asset_job("python_customers", selection=[customers]),
        },
    )
    assert sensors.tick("s").run_requests == []
    return sensors


@pytest.mark.requirement("010-FR-031")
def test_everything_between_two_ticks_is_one_run_whose_tags_name_it(instance: dg.DagsterInstance) -> None:
    sensors = build("watched_assets: ['group:bronze', rates], job: refresh, tags: {team: sales}", instance)
    sensors.materialise("orders", "orders", "report", "rates", "orders")

    (request,) = sensors.tick("s").run_requests or ()

    last = [instance.fetch_materializations(dg.AssetKey(key), limit=1).records[0] for key in ("orders", "rates")]
    assert (request.job_name, request.partition_key) == ("refresh", None)
    assert request.tags == {
        "team": "sales",
        "floe/materialized_assets": "orders, rates",
        "floe/materializations": "4",
        "floe/materialization_ids": ",".join(str(record.storage_id) for record in last),
        "floe/sensor_chain": "s",
        "dagster/sensor_name": "s",
    }
    assert sensors.launches("s") == "no new materialization of customers, orders, rates"


def test_what_was_there_before_the_sensor_does_not_count(instance: dg.DagsterInstance) -> None:
    instance.report_runless_asset_event(dg.AssetMaterialization("orders"))
    sensors = build("watched_assets: [orders], job: refresh", instance)

    assert sensors.launches("s") == "no new materialization of orders"


def test_what_came_after_the_sensor_was_switched_on_counts_at_its_first_tick(instance: dg.DagsterInstance) -> None:
    sensors = build("watched_assets: [orders], job: refresh", instance)
    sensors.materialise("orders")
    switched_on = time.time()
    sensors.materialise("orders", "orders")
    sensors.cursors.clear()

    (request,) = sensors.tick("s", switched_on=switched_on).run_requests or ()

    assert request.tags["floe/materializations"] == "2"


@pytest.mark.parametrize(("most_pages", "counted"), [(40, "30"), (3, "12")])
def test_all_that_came_since_it_was_switched_on_counts(
    instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch, most_pages: int, counted: str
) -> None:
    monkeypatch.setattr(log_reading, "PAGE", 4)
    monkeypatch.setattr(log_reading, "MOST_PAGES_BACK", most_pages)
    sensors = build("watched_assets: [orders], job: refresh", instance)
    sensors.materialise(*["orders"] * 9)
    switched_on = time.time()
    sensors.materialise(*["orders"] * 30)
    sensors.cursors.clear()

    (request,) = sensors.tick("s", switched_on=switched_on).run_requests or ()

    assert request.tags["floe/materializations"] == counted


def test_after_its_cursor_was_emptied_it_goes_on_after_its_last_tick(instance: dg.DagsterInstance) -> None:
    sensors = build("watched_assets: [orders], job: refresh", instance)
    switched_on = time.time()
    sensors.materialise("orders", "orders")
    last_tick = time.time()
    sensors.materialise("orders")

    with dg.SensorEvaluationContext(
        instance_ref=None,
        instance=instance,
        definitions=sensors.definitions,
        sensor_name="s",
        last_sensor_start_time=switched_on,
        last_tick_completion_time=last_tick,
    ) as context:
        (request,) = sensors.built["s"].evaluate_tick(context).run_requests or ()

    assert request.tags["floe/materializations"] == "1"


@pytest.mark.parametrize("job", ["daily", "python_daily"])
def test_each_partition_is_a_run_where_the_job_has_the_same_ones(instance: dg.DagsterInstance, job: str) -> None:
    sensors = build(f"watched_assets: [sales, feed], job: {job}", instance)
    sensors.materialise("sales:2024-01-02", "sales:2024-01-03", "feed:2024-01-02", "sales:2024-01-02")

    requests = sensors.tick("s").run_requests or ()

    assert [(each.partition_key, each.tags["floe/materializations"]) for each in requests] == [
        ("2024-01-02", "3"),
        ("2024-01-03", "1"),
    ]
    assert len({each.run_key for each in requests}) == 2


@pytest.mark.parametrize(
    ("fields", "partitions"),
    [("", ["eu", "us"]), (", partition_selector: us", ["us"]), (", partition_selector: none", [None])],
    ids=["latest", "a key", "none"],
)
def test_other_partitions_are_chosen_by_the_selector(
    instance: dg.DagsterInstance, fields: str, partitions: list[str | None]
) -> None:
    sensors = build(f"watched_assets: [sales, orders], job: regional{fields}", instance)
    sensors.materialise("sales:2024-01-02", "sales:2024-01-03", "orders")

    assert sensors.launches("s") == [("regional", partition) for partition in partitions]


def test_an_asset_without_partitions_launches_the_latest_one_of_a_partitioned_job(instance: dg.DagsterInstance) -> None:
    sensors = build("watched_assets: [sales, orders], job: daily", instance)
    sensors.materialise("sales:2024-01-02", "orders")

    launched = sensors.launches("s")

    assert len(launched) == 2
    assert launched[0] == ("daily", "2024-01-02")
    assert isinstance(launched[1], tuple)
    assert str(launched[1][1]) > "2024-01-02"


def test_several_jobs_are_each_launched_for_what_they_have(instance: dg.DagsterInstance) -> None:
    sensors = build("watched_assets: [sales], jobs: [refresh, daily]", instance)
    sensors.materialise("sales:2024-01-02", "sales:2024-01-03")

    requests = sensors.tick("s").run_requests or ()

    assert [(each.job_name, each.partition_key) for each in requests] == [
        ("refresh", None),
        ("daily", "2024-01-02"),
        ("daily", "2024-01-03"),
    ]
    assert len({each.run_key for each in requests}) == 3


def test_a_selection_is_launched_without_a_job_of_its_own(instance: dg.DagsterInstance) -> None:
    sensors = build("watched_assets: [orders], selection: [report, by_region], partition_selector: eu", instance)
    sensors.materialise("orders")

    (request,) = sensors.tick("s").run_requests or ()

    assert request.partition_key == "eu"
    job = sensors.definitions.resolve_job_def(sensors.built["s"].job.name)
    assert {key.to_user_string() for key in job.asset_layer.selected_asset_keys} == {"by_region", "report"}


def test_a_partition_that_does_not_exist_is_told(instance: dg.DagsterInstance) -> None:
    sensors = build("watched_assets: [sales], job: daily", instance)
    sensors.materialise("sales:1999-01-01")

    assert sensors.launches("s") == "job 'daily' has no partition '1999-01-01': the first one is '2024-01-01'"
    assert sensors.launches("s") == "no new materialization of sales"


@pytest.mark.requirement("010-FR-031")
@pytest.mark.parametrize("fields", ["watched_assets: [feed]", "watched_assets: [feed, orders], trigger: all"])
def test_a_partition_that_is_not_there_yet_is_launched_when_it_is(instance: dg.DagsterInstance, fields: str) -> None:
    with time_machine.travel("2024-05-08 10:00+00:00") as clock:
        sensors = build(f"{fields}, job: daily", instance)
        sensors.materialise("orders", "feed:2024-05-08", "feed:2024-05-07")

        launched = sensors.tick("s")
        assert [each.partition_key for each in launched.run_requests or ()][:1] == ["2024-05-07"]
        assert sensors.launches("s") == "waiting until there is a partition 2024-05-08"
        sensors.materialise("feed:2024-05-08")
        clock.move_to("2024-05-08 23:59+00:00")
        assert sensors.launches("s") == "waiting until there is a partition 2024-05-08"

        clock.move_to("2024-05-09 00:01+00:00")
        (request,) = sensors.tick("s").run_requests or ()
        assert request.partition_key == "2024-05-08"
        assert request.tags["floe/materializations"] == ("3" if "all" in fields else "2")
        assert sensors.tick("s").run_requests == []


def test_a_dynamic_partition_is_launched_when_it_was_added(tmp_path: Path) -> None:
    with dg.DagsterInstance.local_temp(str(tmp_path)) as instance:
        sensors = build("watched_assets: [shops], job: by_shop", instance)
        sensors.materialise("shops:berlin")

        assert sensors.launches("s") == "waiting until there is a partition berlin"
        instance.add_dynamic_partitions("shops", ["berlin"])
        with dg.SensorEvaluationContext(
            instance_ref=instance.get_ref(),  # by which Dagster finds dynamic keys
            last_tick_completion_time=None,
            cursor=sensors.cursors["s"],
            definitions=sensors.definitions,
            sensor_name="s",
        ) as context:
            (request,) = sensors.built["s"].evaluate_tick(context).run_requests or ()
        assert (request.job_name, request.partition_key) == ("by_shop", "berlin")


def test_partitions_that_are_not_there_yet_keep_no_others_waiting(instance: dg.DagsterInstance) -> None:
    sensors = build("watched_assets: [feed], job: daily", instance)
    sensors.materialise(*(f"feed:{year}-01-01" for year in range(2100, 2250)), "feed:1999-01-01", "feed:2024-01-02")

    assert sensors.launches("s") == [("daily", "2024-01-02")]
    assert str(sensors.launches("s")).startswith("waiting until there is a partition 2100-01-01, 2101-01-01")


@pytest.mark.parametrize("key", ["9999-12-31", "9998-06-01", "0001-01-01", "someday", ""])
def test_keys_at_the_end_of_time(instance: dg.DagsterInstance, key: str) -> None:
    sensors = build("watched_assets: [feed], job: daily", instance)
    sensors.materialise(f"feed:{key}")

    sensors.tick("s")
    sensors.tick("s")


@pytest.mark.requirement("010-FR-031")
def test_all_waits_for_each_asset_since_the_last_launch(instance: dg.DagsterInstance) -> None:
    sensors = build("watched_assets: [orders, customers], job: refresh, trigger: all", instance)

    sensors.materialise("orders", "orders")
    assert sensors.launches("s") == "waiting for customers"
    sensors.materialise("customers")
    assert sensors.launches("s") == [("refresh", None)]
    sensors.materialise("customers")
    assert sensors.launches("s") == "waiting for orders"


def test_all_waits_for_each_asset_of_a_partition(instance: dg.DagsterInstance) -> None:
    sensors = build("watched_assets: [sales, returns], job: daily, trigger: all", instance)

    sensors.materialise("sales:2024-01-02", "returns:2024-01-03")
    assert sensors.launches("s") == "2 partitions wait for other watched assets"
    sensors.materialise("returns:2024-01-02")
    assert sensors.launches("s") == [("daily", "2024-01-02")]


@pytest.mark.requirement("010-FR-031")
def test_its_own_runs_do_not_count_nor_what_is_made_of_them(instance: dg.DagsterInstance) -> None:
    sensors = build("watched_assets: [orders], job: all_of_it", instance)
    sensors.materialise("orders")
    (own,) = sensors.carry_out("s")
    assert own.is_success
    for tags in (  # a retry by Dagster, and a re-execution in the UI
        {**own.tags, "dagster/root_run_id": own.run_id, "dagster/retry_number": "1"},
        {"dagster/root_run_id": own.run_id, "dagster/parent_run_id": own.run_id},
    ):
        run = instance.create_run_for_job(
            sensors.definitions.resolve_job_def("all_of_it"),
            tags=tags,
            root_run_id=own.run_id,
            parent_run_id=own.run_id,
        )
        materialization = dg.AssetMaterialization("orders")
        instance.report_dagster_event(
            dg.DagsterEvent(
                event_type_value=dg.DagsterEventType.ASSET_MATERIALIZATION.value,
                job_name=run.job_name,
                event_specific_data=StepMaterializationData(materialization),
            ),
            run_id=run.run_id,
        )

    assert sensors.launches("s") == "no new materialization of orders"
    assert instance.fetch_materializations(dg.AssetKey("orders"), limit=9).records[0].run_id == run.run_id

    assert sensors.run("all_of_it").is_success
    assert sensors.launches("s") == [("all_of_it", None)]


CIRCLES = {
    "of asset sensors": "{type: asset_sensor, watched_assets: [report], job: again}",
    "of both kinds": "{type: run_status, watched_jobs: [refresh], status: SUCCESS, job: again}",
}


@pytest.mark.requirement("010-FR-031")
@pytest.mark.parametrize("other", CIRCLES.values(), ids=CIRCLES)
def test_sensors_that_feed_each_other_end(instance: dg.DagsterInstance, other: str) -> None:
    yaml = f"""{JOBS.replace("    sensors:", "      again: {type: batch, selection: orders}")}    sensors:
      first: {{type: asset_sensor, watched_assets: [orders], job: refresh}}
      second: {other}
"""
    sensors = EventSensors(yaml, assets=[*ASSETS, *EXTERNAL], instance=instance)
    assert [sensors.carry_out(name) for name in ("first", "second")] == [[], []]
    sensors.materialise("orders")

    (refreshed,) = sensors.carry_out("first")
    (again,) = sensors.carry_out("second")
    assert (refreshed.tags["floe/sensor_chain"], again.tags["floe/sensor_chain"]) == ("first", "first,second")
    assert [sensors.carry_out(name) for name in ("first", "second") * 2] == [[]] * 4

    sensors.materialise("orders")
    assert sensors.run("again").is_success
    (refreshed,) = sensors.carry_out("first")
    assert refreshed.tags["floe/materializations"] == "2"


def test_what_waits_for_other_assets_keeps_the_chain_that_led_to_it(instance: dg.DagsterInstance) -> None:
    sensors = build("watched_assets: [orders, report, customers], job: refresh, trigger: all", instance)
    assert sensors.run("all_of_it", tags={"floe/sensor_chain": "p,q"}).is_success
    assert sensors.launches("s") == "waiting for customers"
    assert sensors.run("python_customers", tags={"floe/sensor_chain": "p,q,r"}).is_success

    (request,) = sensors.tick("s").run_requests or ()

    assert request.tags["floe/sensor_chain"] == "p,q,s"


def test_nothing_is_missed_while_the_sensor_is_off(
    instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log_reading, "PAGE", 20)
    sensors = build("watched_assets: [orders, sales], jobs: [refresh, daily]", instance)
    days = [f"2024-{month:02}-{day:02}" for month in range(1, 6) for day in range(1, 29)]
    sensors.materialise(*(f"sales:{day}" for day in days), *["by_region"] * 25, "orders")

    launched: list[tuple[str | None, str | None]] = []
    while isinstance(found := sensors.launches("s"), list):
        assert len(found) <= 101
        launched += found

    assert [partition for job, partition in launched if job == "daily"][:140] == days
    assert launched.count(("refresh", None)) == 2


def test_a_tick_that_is_repeated_asks_for_the_same_runs(instance: dg.DagsterInstance) -> None:
    sensors = build("watched_assets: [orders, sales], jobs: [refresh, daily]", instance)
    sensors.materialise("orders", "sales:2024-01-02")
    before = dict(sensors.cursors)

    first = [each.run_key for each in sensors.tick("s").run_requests or ()]
    sensors.cursors = before
    second = [each.run_key for each in sensors.tick("s").run_requests or ()]

    assert len(first) == 3
    assert first == second


@pytest.mark.requirement("010-FR-034")
def test_its_settings_are_those_of_the_dagster_sensor(instance: dg.DagsterInstance) -> None:
    sensors = build("watched_assets: orders, job: refresh, poll_interval_seconds: 7, description: why not", instance)
    off = build("watched_assets: orders, job: refresh, enabled: false", instance).built["s"]

    on = sensors.built["s"]
    assert (on.minimum_interval_seconds, on.description) == (7, "why not")
    assert on.default_status is dg.DefaultSensorStatus.RUNNING
    assert (off.minimum_interval_seconds, off.default_status) == (30, dg.DefaultSensorStatus.STOPPED)


def test_in_another_environment_it_does_not_exist(instance: dg.DagsterInstance) -> None:
    yaml = f"{JOBS}      s: {{type: asset_sensor, watched_assets: orders, job: refresh, environments: [prod]}}\n"

    assert EventSensors(yaml, assets=ASSETS, instance=instance).built == {}


def test_a_job_with_a_watched_asset_is_warned_of(instance: dg.DagsterInstance) -> None:
    assert build("watched_assets: [orders, rates], job: all_of_it", instance).warnings == snapshot("""\
warning[FLOE-391]: sensor 's' watches orders, which job 'all_of_it' materialises, too
  --> floe.yaml:9:45  orchestration.sensors.s.watched_assets
   |  s: {type: asset_sensor, watched_assets: [orders, rates], job: all_of_it}
  why: what runs of the sensor materialise does not count, so it launches once for what others materialise
  fix: leave it so if that is meant, or let the job have only what depends on the watched assets\
""")
    assert build("watched_assets: [prices], job: all_of_it", instance).warnings == ""


@pytest.mark.requirement("010-FR-035")
def test_what_cannot_be_watched_or_launched(instance: dg.DagsterInstance) -> None:
    yaml = f"""{JOBS}
      one: {{type: asset_sensor, watched_assets: [ordres, "group:bronz"], job: refresh, partition_selector: all}}
      two: {{type: asset_sensor, watched_assets: [orders, "!orders"], selection: reprot}}
    """

    with pytest.raises(LoadError) as caught:
        EventSensors(yaml, assets=ASSETS, instance=instance)

    assert str(caught.value) == snapshot("""\
error[FLOE-331]: sensor 'one' selects asset 'ordres', which does not exist
  --> floe.yaml:10:48  orchestration.sensors.one.watched_assets[0]
   |  one: {type: asset_sensor, watched_assets: [ordres, "group:bronz"], job: refresh, partition_selector: all}
  why: an asset is named by its whole key, or by the last part of it where no other key ends so
  fix: did you mean 'orders'?

error[FLOE-331]: sensor 'one' selects group 'bronz', which no asset has
  --> floe.yaml:10:57  orchestration.sensors.one.watched_assets[1]
   |  one: {type: asset_sensor, watched_assets: [ordres, "group:bronz"], job: refresh, partition_selector: all}
  why: the groups are bronze, default
  fix: did you mean 'bronze'?

error[FLOE-356]: sensor 'one' selects partitions of job 'refresh', which has none
  --> floe.yaml:10:106  orchestration.sensors.one.partition_selector
   |  one: {type: asset_sensor, watched_assets: [ordres, "group:bronz"], job: refresh, partition_selector: all}
  why: none of the assets that it materialises is partitioned
  fix: delete 'partition_selector', or give the assets partitions under orchestration.assets

error[FLOE-334]: sensor 'two' watches no asset
  --> floe.yaml:11:47  orchestration.sensors.two.watched_assets
   |  two: {type: asset_sensor, watched_assets: [orders, "!orders"], selection: reprot}
  why: what its items take away is all that they select
  fix: name at least one asset

error[FLOE-331]: sensor 'two' selects asset 'reprot', which does not exist
  --> floe.yaml:11:79  orchestration.sensors.two.selection
   |  two: {type: asset_sensor, watched_assets: [orders, "!orders"], selection: reprot}
  why: an asset is named by its whole key, or by the last part of it where no other key ends so
  fix: did you mean 'report'?

5 errors\
""")


def test_a_cursor_that_somebody_else_wrote(instance: dg.DagsterInstance) -> None:
    sensors = build("watched_assets: orders, job: refresh", instance)
    sensors.cursors["s"] = "1234"

    with pytest.raises(SensorError) as caught:
        sensors.tick("s")

    assert str(caught.value) == snapshot("""\
error[FLOE-394]: sensor 's' has a cursor that it cannot read
  --> floe.yaml:9:5  orchestration.sensors.s
   |  s: {type: asset_sensor, watched_assets: orders, job: refresh}
  why: it is no text that a sensor wrote
  fix: empty the cursor on the sensor's page in the Dagster UI; it then goes on after its last tick\
""")
