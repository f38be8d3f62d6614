"""How many partition keys there are, the first and the last."""

from datetime import UTC, datetime
from time import process_time

import dagster as dg
import pytest

from floe_dagster.partitioning.summary import KeySummary, summarize_keys

AT = datetime(2024, 1, 11, 12, tzinfo=UTC)
DAYS = dg.DailyPartitionsDefinition("2024-01-01")
REGIONS = dg.StaticPartitionsDefinition(["us", "eu", "asia"])
FILES = dg.DynamicPartitionsDefinition(name="files")
NONE_YET = dg.DailyPartitionsDefinition("2030-01-01")
EMPTY = dg.DynamicPartitionsDefinition(name="empty")


@pytest.mark.parametrize(
    "partitions_def",
    [
        DAYS,
        dg.DailyPartitionsDefinition("2024-01-01", end_offset=2, timezone="Asia/Tokyo"),
        dg.HourlyPartitionsDefinition("2023-11-04-00:00", timezone="America/New_York"),
        dg.WeeklyPartitionsDefinition("2023-01-01"),
        NONE_YET,
        REGIONS,
        FILES,
        EMPTY,
        dg.MultiPartitionsDefinition({"day": DAYS, "region": REGIONS}),
        dg.MultiPartitionsDefinition({"a_region": REGIONS, "file": FILES}),
        dg.MultiPartitionsDefinition({"day": NONE_YET, "region": REGIONS}),
    ],
    ids=str,
)
def test_a_summary_says_what_the_list_of_keys_says(partitions_def: dg.PartitionsDefinition) -> None:
    with dg.DagsterInstance.ephemeral() as instance:
        instance.add_dynamic_partitions("files", ["b", "a"])
        keys = partitions_def.get_partition_keys(current_time=AT, dynamic_partitions_store=instance)

        found = summarize_keys(partitions_def, at=AT, dynamic_partitions_store=instance)

    assert found == (KeySummary(len(keys), str(keys[0]), str(keys[-1])) if keys else KeySummary(0))


def test_ten_years_of_hours_are_not_listed() -> None:
    hours = dg.HourlyPartitionsDefinition("2014-01-01-00:00", timezone="America/New_York")
    before = process_time()

    assert summarize_keys(hours, at=AT, dynamic_partitions_store=None).number == 87895
    assert process_time() - before < 0.2  # listing the keys takes ten times as long
