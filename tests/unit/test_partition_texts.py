"""Partitions definitions in the words of messages."""

import dagster as dg
import pytest

from floe_dagster.partitioning.texts import describe_partitions

DAILY = dg.DailyPartitionsDefinition("2024-01-01")
REGIONS = dg.StaticPartitionsDefinition(["eu", "us"])


@pytest.mark.parametrize(
    ("partitions_def", "text"),
    [
        pytest.param(None, "no partitions", id="none"),
        pytest.param(DAILY, "a time window of '0 0 * * *' from 2024-01-01 in UTC", id="daily"),
        pytest.param(
            dg.HourlyPartitionsDefinition("2024-01-01-05:00", timezone="Europe/Berlin"),
            "a time window of '0 * * * *' from 2024-01-01 05:00:00 in Europe/Berlin",
            id="hourly",
        ),
        pytest.param(REGIONS, "the keys eu, us", id="static"),
        pytest.param(
            dg.StaticPartitionsDefinition([str(number) for number in range(9)]),
            "the keys 0, 1, 2, 3 and 5 more",
            id="many-keys",
        ),
        pytest.param(
            dg.MultiPartitionsDefinition({"region": REGIONS, "date": DAILY}),
            "date (a time window of '0 0 * * *' from 2024-01-01 in UTC) × region (the keys eu, us)",
            id="two-dimensions",
        ),
        pytest.param(dg.DynamicPartitionsDefinition(name="files"), "the dynamic keys of 'files'", id="dynamic"),
    ],
)
def test_what_a_message_says(partitions_def: dg.PartitionsDefinition | None, text: str) -> None:
    assert describe_partitions(partitions_def) == text
