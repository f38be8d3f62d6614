"""The partitions from one key to another."""

from datetime import UTC, datetime

import dagster as dg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from floe_dagster.partitioning.missing_keys import MissingKey
from floe_dagster.partitioning.ranges import partitions_between

AT = datetime(2024, 11, 5, tzinfo=UTC)
DAYS = dg.DailyPartitionsDefinition("2024-10-01")
HOURS = dg.HourlyPartitionsDefinition("2024-11-03-00:00", timezone="America/New_York")
REGIONS = dg.StaticPartitionsDefinition(["us", "eu", "asia"])
FILES = dg.DynamicPartitionsDefinition(name="files")
SALES = dg.MultiPartitionsDefinition({"day": DAYS, "region": REGIONS})
REGIONS_FIRST = dg.MultiPartitionsDefinition({"a_region": REGIONS, "day": DAYS})


def between(first: str, last: str, partitions_def: dg.PartitionsDefinition) -> list[str] | str:
    """The keys, or why there are none and what to write."""
    with dg.DagsterInstance.ephemeral() as instance:
        instance.add_dynamic_partitions("files", ["a", "b", "c"])
        found = partitions_between(first, last, partitions_def, at=AT, dynamic_partitions_store=instance)
    return f"{found.reason}; {found.fix}" if isinstance(found, MissingKey) else list(found)


@pytest.mark.parametrize(
    ("first", "last", "partitions_def", "expected"),
    [
        ("2024-10-30", "2024-11-01", DAYS, ["2024-10-30", "2024-10-31", "2024-11-01"]),
        ("2024-10-30", "2024-10-30", DAYS, ["2024-10-30"]),
        ("eu", "asia", REGIONS, ["eu", "asia"]),
        ("a", "b", FILES, ["a", "b"]),
        ("2024-11-01|us", "2024-11-02|eu", SALES, ["2024-11-01|us", "2024-11-01|eu", "2024-11-02|us", "2024-11-02|eu"]),
        ("eu|2024-11-01", "asia|2024-11-01", REGIONS_FIRST, ["eu|2024-11-01", "asia|2024-11-01"]),
        (
            "2024-11-03-00:00", "2024-11-03-02:00", HOURS,
            ["2024-11-03-00:00", "2024-11-03-01:00", "2024-11-03-01:00-0500", "2024-11-03-02:00"],
        ),
        ("2024-11-03-01:00-0500", "2024-11-03-02:00", HOURS, ["2024-11-03-01:00-0500", "2024-11-03-02:00"]),
    ],
    ids=["days", "one day", "static", "dynamic", "pairs", "one window of pairs", "an hour twice", "the second of them"],
)  # fmt: skip
def test_both_ends_belong_to_a_range(
    first: str, last: str, partitions_def: dg.PartitionsDefinition, expected: list[str]
) -> None:
    assert between(first, last, partitions_def) == expected


@pytest.mark.parametrize(
    ("first", "last", "partitions_def", "expected"),
    [
        (
            "2024-09-30", "2024-10-02", DAYS,
            "of '2024-09-30': the first one is '2024-10-01'; name one from '2024-10-01' to '2024-11-04'",
        ),
        (
            "2024-11-01", "2024-11-05", DAYS,
            "of '2024-11-05': the last one at the moment is '2024-11-04'; name one from '2024-10-01' to '2024-11-04'",
        ),
        (
            "2024-10-03", "2024-10-02", DAYS,
            "a range goes from an earlier to a later partition; write '2024-10-02..2024-10-03'",
        ),
        ("asia", "us", REGIONS, "a range goes from an earlier to a later partition; write 'us..asia'"),
        ("us", "mars", REGIONS, "of 'mars': the keys are us, eu, asia; name one of them"),
        (
            "2024-11-02|us", "2024-11-01|eu", SALES,
            "a range goes from an earlier to a later partition; write '2024-11-01|eu..2024-11-02|us'",
        ),
    ],
    ids=["before the first", "after the last", "backwards", "static backwards", "unknown", "pairs backwards"],
)  # fmt: skip
def test_what_is_no_range(first: str, last: str, partitions_def: dg.PartitionsDefinition, expected: str) -> None:
    assert between(first, last, partitions_def) == expected


@given(st.data())
def test_ranges_of_days_are_slices_of_all_days(data: st.DataObject) -> None:
    keys = list(DAYS.get_partition_keys(current_time=AT))
    first = data.draw(st.integers(0, len(keys) - 1))
    last = data.draw(st.integers(first, len(keys) - 1))

    found = partitions_between(keys[first], keys[last], DAYS, at=AT, dynamic_partitions_store=None)

    assert found == tuple(keys[first : last + 1])
