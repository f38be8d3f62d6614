"""Partition selectors beside what is launched."""

from datetime import UTC, datetime

import dagster as dg
import pytest

from floe_core.errors import Location
from floe_dagster.partitioning.selectors import check_end

ENDED = dg.DailyPartitionsDefinition("2024-01-01", end_date="2024-02-01", timezone="Europe/Berlin")
OPEN = dg.DailyPartitionsDefinition("2024-01-01")
REGIONS = dg.StaticPartitionsDefinition(["eu", "us"])
BY_REGION = dg.MultiPartitionsDefinition({"day": ENDED, "region": REGIONS})
END = datetime(2024, 1, 31, 23, tzinfo=UTC)


def warnings_of(selector: str, partitions_def: dg.PartitionsDefinition | None, at: datetime = END) -> list[str]:
    problems = check_end(selector, partitions_def, who="schedule 'nightly'", location=Location("floe.yaml"), at=at)
    return [f"{problem.severity}: {problem.what}, {problem.why}" for problem in problems]


@pytest.mark.parametrize("partitions_def", [ENDED, BY_REGION])
@pytest.mark.parametrize("selector", ["latest", "last:7"])
def test_a_schedule_that_goes_on_after_its_partitions_ended(
    selector: str, partitions_def: dg.PartitionsDefinition
) -> None:
    (warning,) = warnings_of(selector, partitions_def)

    assert warning.startswith("warning: schedule 'nightly' launches the same partitions at every tick, ")
    assert warning.endswith(f"'{selector}' means the last time window, and the partitions have ended on 2024-02-01")


def test_a_schedule_whose_partitions_go_on_or_that_names_its_own() -> None:
    assert warnings_of("latest", ENDED, datetime(2024, 1, 31, 22, 59, tzinfo=UTC)) == []
    assert warnings_of("latest", OPEN) == []
    assert warnings_of("latest", REGIONS) == []
    assert warnings_of("latest", None) == []
    assert warnings_of("all", ENDED) == []
    assert warnings_of("2024-01-05", ENDED) == []
