"""The dbt vars of a run: what each kind of partition fills in."""

from collections.abc import Mapping
from zoneinfo import ZoneInfo

import dagster as dg
import pytest

from floe_dagster.dbt.run_vars import ProjectVars
from floe_dagster.user_code.run_partitions import RunPartitions, read_run_partitions

BERLIN = "Europe/Berlin"
HOURLY = dg.TimeWindowPartitionsDefinition(
    start="2024-01-01-00:00", cron_schedule="0 * * * *", fmt="%Y-%m-%d-%H:%M", timezone=BERLIN
)
DAILY = dg.DailyPartitionsDefinition("2024-01-01", timezone=BERLIN)
MONTHLY = dg.TimeWindowPartitionsDefinition(start="2024-01", cron_schedule="0 0 1 * *", fmt="%Y-%m")
REGIONS = dg.StaticPartitionsDefinition(["eu", "us", "ap"])
BOTH = dg.MultiPartitionsDefinition({"day": dg.DailyPartitionsDefinition("2024-01-01"), "region": REGIONS})
SHOPS = dg.DynamicPartitionsDefinition(name="shops")
TEMPLATES: Mapping[str, object] = {
    "min_date": "{partition_start:%Y-%m-%d}",
    "key": "{partition_key}",
    "currency": "EUR",
    "nested": {"regions": ["{partition_keys_region}"]},
}


@pytest.fixture(scope="module")
def instance() -> dg.DagsterInstance:
    instance = dg.DagsterInstance.ephemeral()
    instance.add_dynamic_partitions("shops", ["berlin", "paris", "rome"])
    return instance


def partitions_of(
    partitions_def: dg.PartitionsDefinition, instance: dg.DagsterInstance, first: str, last: str = ""
) -> RunPartitions | None:
    """What a real run of an asset with these partitions finds."""
    found: list[RunPartitions | None] = []

    @dg.asset(partitions_def=partitions_def)
    def asset(context: dg.AssetExecutionContext) -> None:
        found.append(read_run_partitions(context, partitions_def))

    tags = {"dagster/asset_partition_range_start": first, "dagster/asset_partition_range_end": last} if last else {}
    dg.materialize([asset], instance=instance, partition_key=None if last else first, tags=tags)
    return found[0]


@pytest.mark.requirement("010-FR-011", "010-FR-012", "010-FR-013", "010-FR-014")
@pytest.mark.parametrize(
    ("partitions_def", "first", "last", "expected"),
    [
        pytest.param(
            DAILY,
            "2024-03-31",
            "",
            {
                "partition_keys": ["2024-03-31"],
                "partition_key": "2024-03-31",
                "partition_start": "2024-03-31T00:00:00+01:00",
                "partition_end": "2024-04-01T00:00:00+02:00",
                "min_date": "2024-03-31",
                "key": "2024-03-31",
            },
            id="a day on which clocks are set forward",
        ),
        pytest.param(
            DAILY,
            "2024-10-26",
            "2024-10-27",
            {
                "partition_keys": ["2024-10-26", "2024-10-27"],
                "partition_start": "2024-10-26T00:00:00+02:00",
                "partition_end": "2024-10-28T00:00:00+01:00",
                "min_date": "2024-10-26",
            },
            id="days, on the last of which clocks are set back",
        ),
        pytest.param(
            HOURLY,
            "2024-03-31-01:00",
            "",
            {
                "partition_keys": ["2024-03-31-01:00"],
                "partition_key": "2024-03-31-01:00",
                "partition_start": "2024-03-31T01:00:00+01:00",
                "partition_end": "2024-03-31T03:00:00+02:00",
                "min_date": "2024-03-31",
                "key": "2024-03-31-01:00",
            },
            id="the hour before a jump",
        ),
        pytest.param(
            MONTHLY,
            "2024-01",
            "2024-02",
            {
                "partition_keys": ["2024-01", "2024-02"],
                "partition_start": "2024-01-01T00:00:00+00:00",
                "partition_end": "2024-03-01T00:00:00+00:00",
                "min_date": "2024-01-01",
            },
            id="months",
        ),
        pytest.param(REGIONS, "us", "", {"partition_keys": ["us"], "partition_key": "us", "key": "us"}, id="static"),
        pytest.param(REGIONS, "eu", "us", {"partition_keys": ["eu", "us"]}, id="some static"),
        pytest.param(SHOPS, "paris", "rome", {"partition_keys": ["paris", "rome"]}, id="dynamic"),
        pytest.param(
            DAILY,
            "2024-01-05",
            "2024-01-05",
            {
                "partition_keys": ["2024-01-05"],
                "partition_key": "2024-01-05",
                "partition_start": "2024-01-05T00:00:00+01:00",
                "partition_end": "2024-01-06T00:00:00+01:00",
                "min_date": "2024-01-05",
                "key": "2024-01-05",
            },
            id="a range of one",
        ),
        pytest.param(
            BOTH,
            "2024-01-02|us",
            "",
            {
                "partition_keys": ["2024-01-02|us"],
                "partition_key": "2024-01-02|us",
                "partition_keys_day": ["2024-01-02"],
                "partition_key_day": "2024-01-02",
                "partition_keys_region": ["us"],
                "partition_key_region": "us",
                "partition_start": "2024-01-02T00:00:00+00:00",
                "partition_end": "2024-01-03T00:00:00+00:00",
                "min_date": "2024-01-02",
                "key": "2024-01-02|us",
                "nested": {"regions": [["us"]]},
            },
            id="two dimensions",
        ),
        pytest.param(
            BOTH,
            "2024-01-02|eu",
            "2024-01-02|us",
            {
                "partition_keys": ["2024-01-02|eu", "2024-01-02|us"],
                "partition_keys_day": ["2024-01-02"],
                "partition_key_day": "2024-01-02",
                "partition_keys_region": ["eu", "us"],
                "partition_start": "2024-01-02T00:00:00+00:00",
                "partition_end": "2024-01-03T00:00:00+00:00",
                "min_date": "2024-01-02",
                "nested": {"regions": [["eu", "us"]]},
            },
            id="a day in two regions",
        ),
    ],
)
def test_vars_of_a_run(
    partitions_def: dg.PartitionsDefinition,
    first: str,
    last: str,
    expected: dict[str, object],
    instance: dg.DagsterInstance,
) -> None:
    found = partitions_of(partitions_def, instance, first, last)

    assert ProjectVars.of(TEMPLATES).of_run(found) == expected


def test_without_a_partition_nothing_is_filled_in() -> None:
    project = ProjectVars.of(TEMPLATES)

    assert project.of_run(None) == {}
    assert project.fixed == {"currency": "EUR"}


def test_vars_that_belong_to_runs() -> None:
    project = ProjectVars.of(TEMPLATES)
    names = ("partition_key", "partition_keys_region", "partition_start", "min_date", "key", "currency", "partition_by")

    assert [name for name in names if project.is_of_runs(name)] == [*names[:5]]
    assert [name for name in names if project.needs_one_key(name)] == ["partition_key", "key"]


def test_the_hour_that_a_clock_shows_twice_is_told_by_its_offset(instance: dg.DagsterInstance) -> None:
    keys = [key for key in HOURLY.get_partition_keys() if key.startswith("2024-10-27-02:00")]

    starts = []
    for key in keys:
        found = partitions_of(HOURLY, instance, key)
        assert found is not None
        assert found.window is not None
        starts.append(found.window.start.astimezone(ZoneInfo("UTC")).hour)
        assert str(ProjectVars.of({}).of_run(found)["partition_start"])[-6:] == ("+02:00", "+01:00")[len(starts) - 1]
    assert starts == [0, 1]
