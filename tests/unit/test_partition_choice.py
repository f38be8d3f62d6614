"""Which partitions a selector means at an instant, held against Dagster's own list of keys."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import cache
from itertools import product
from time import process_time
from zoneinfo import ZoneInfo

import dagster as dg
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from builders import floe_yaml, parse_document
from floe_dagster.loaders.partition_loader import build_partitions
from floe_dagster.partitioning.choice import choose_partitions
from floe_dagster.partitioning.missing_keys import find_missing_key

REGIONS = dg.StaticPartitionsDefinition(["us", "eu", "asia"])
DAYS = dg.DailyPartitionsDefinition("2024-01-01")
FILES = dg.DynamicPartitionsDefinition(name="files")
SALES = dg.MultiPartitionsDefinition({"day": DAYS, "region": REGIONS})
REGIONS_FIRST = dg.MultiPartitionsDefinition({"a_region": REGIONS, "day": DAYS})
WITHOUT_WINDOWS = dg.MultiPartitionsDefinition({"file": FILES, "region": REGIONS})

# Some change their clocks at midnight, by half an hour, in the winter or not at all; one skipped a whole day.
ZONES = (
    "UTC Europe/Berlin America/New_York America/Sao_Paulo Asia/Beirut Africa/Cairo America/Havana Asia/Kolkata"
    " Australia/Lord_Howe Pacific/Chatham Pacific/Apia Asia/Tehran Africa/Casablanca Atlantic/Azores"
).split()
CRONS = {
    "0 0 * * *": timedelta(days=1),
    "@daily": timedelta(days=1),
    "30 2 * * *": timedelta(days=1),
    "0 0 * * 1": timedelta(days=7),
    "0 3 * * MON,THU": timedelta(days=3),
    "0 0 1 * *": timedelta(days=31),
    "0 0 l * *": timedelta(days=31),
    "@yearly": timedelta(days=366),
    "0 * * * *": timedelta(hours=1),
    "@hourly": timedelta(hours=1),
    "*/15 * * * *": timedelta(minutes=15),
    "*/25 * * * *": timedelta(minutes=25),
    "0 0,12 * * *": timedelta(hours=12),
    "0 1-3 * * *": timedelta(hours=8),
    "30 0-23/2 * * *": timedelta(hours=2),
}
HALF_HOUR_STEPS = "Australia/Lord_Howe"
"""There, Dagster 1.13 lists other hours than it computes one by one once clocks have changed."""


@cache
def transitions(zone: str) -> list[datetime]:
    """Midnights of the days on which the clocks of *zone* change."""
    midnights = (datetime(2010, 1, 1) + timedelta(days=number) for number in range(16 * 366))
    return [
        midnight
        for midnight in midnights
        if midnight.replace(tzinfo=ZoneInfo(zone)).utcoffset()
        != (midnight + timedelta(days=1)).replace(tzinfo=ZoneInfo(zone)).utcoffset()
    ]


def chosen(
    selector: str, partitions_def: dg.PartitionsDefinition, *, at: datetime, instance: dg.DagsterInstance | None = None
) -> list[str]:
    return list(choose_partitions(selector, partitions_def, at=at, dynamic_partitions_store=instance))


def day(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def is_there_once(clock: datetime, zone: str) -> bool:
    """Whether a time on the clock of *zone* is one instant: else Dagster 1.13 lists a window too many from it on."""
    instants = {clock.replace(tzinfo=ZoneInfo(zone), fold=fold).timestamp() for fold in (0, 1)}
    return len(instants) == 1


@st.composite
def time_windows(draw: st.DrawFn) -> tuple[dict[str, object], dg.TimeWindowPartitionsDefinition, datetime]:
    """A definition as floe.yaml says it, the same by hand, and an instant: some way after its start, often on a day on
    which clocks change."""
    zone = draw(st.sampled_from(ZONES))
    crons = [cron for cron in CRONS if zone != HALF_HOUR_STEPS or CRONS[cron] >= timedelta(days=1)]
    cron = draw(st.sampled_from(crons))
    days = transitions(zone) or [datetime(2024, 3, 31)]
    near = draw(st.sampled_from(days)) + timedelta(minutes=draw(st.integers(-600, 2600)))
    at = near.replace(tzinfo=ZoneInfo(zone), fold=draw(st.integers(0, 1)))
    start = near.replace(minute=0) - CRONS[cron] * draw(st.integers(-2, 40))
    if draw(st.booleans()):
        start = start.replace(hour=0)
    end = start + CRONS[cron] * draw(st.integers(3, 30)) if draw(st.booleans()) else None
    assume(all(is_there_once(bound, zone) for bound in (start, end or start)))
    offset = draw(st.integers(-3, 3))
    fmt = "%Y-%m-%d" if CRONS[cron] >= timedelta(days=1) else "%Y-%m-%d-%H:%M"
    written: dict[str, object] = {"cron_schedule": cron, "timezone": zone, "end_offset": offset}
    spelled = draw(st.sampled_from(["%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M:%S", "%Y-%m-%d-%H:%M"]))
    written |= {"start": start.strftime(spelled)} | ({"end": end.strftime(spelled)} if end else {})
    if draw(st.booleans()):
        fmt = draw(st.sampled_from(["%Y%m%d %H%M", "%d.%m.%Y %H:%M%z"]))
        written |= {"fmt": fmt}
    by_hand = dg.TimeWindowPartitionsDefinition(
        start=start,
        end=end,
        cron_schedule={"@daily": "0 0 * * *", "@yearly": "0 0 1 1 *", "@hourly": "0 * * * *"}.get(cron, cron),
        timezone=zone,
        fmt=fmt,
        end_offset=offset,
    )
    return written, by_hand, at


@pytest.mark.requirement("010-FR-011", "010-FR-028")
@given(time_windows(), st.integers(1, 50))
def test_windows_are_those_of_the_same_definition_by_hand(
    case: tuple[dict[str, object], dg.TimeWindowPartitionsDefinition, datetime], count: int
) -> None:
    written, by_hand, at = case
    fields = ", ".join(f"{name}: '{value}'" for name, value in written.items())
    document = parse_document(floe_yaml(f"partitions: {{it: {{type: time_window, {fields}}}}}"))

    built = build_partitions(document.spec.orchestration.partitions, source=document.source).definitions["it"]

    keys = list(by_hand.get_partition_keys(current_time=at))
    assert built == by_hand
    assert list(built.get_partition_keys(current_time=at)) == keys
    assert chosen("all", built, at=at) == keys
    assert chosen("latest", built, at=at) == keys[-1:]
    assert chosen(f"last:{count}", built, at=at) == keys[-count:]


@pytest.mark.requirement("010-FR-011")
@given(time_windows(), st.data())
def test_a_key_is_missing_where_dagster_does_not_have_it(
    case: tuple[dict[str, object], dg.TimeWindowPartitionsDefinition, datetime], data: st.DataObject
) -> None:
    _, partitions_def, at = case
    other = at + timedelta(hours=data.draw(st.integers(-3000, 3000)))
    assume(is_there_once(other.replace(tzinfo=None), partitions_def.timezone))
    others = [other.strftime(partitions_def.fmt), "yesterday", "2024-1-1"]
    with dg.partition_loading_context(at):
        listed = partitions_def.get_partition_keys()
    for key in [*listed[:20], *others]:
        with dg.partition_loading_context(at):  # on days with two equal hours it lists keys that it does not take
            is_there = key in listed and partitions_def.has_partition_key(key)

        missing = find_missing_key(key, partitions_def, at=at, dynamic_partitions_store=None)

        assert (missing is None) == is_there
        assert chosen(key, partitions_def, at=at) == ([key] if is_there else [])


@pytest.mark.requirement("010-FR-011")
def test_days_on_which_clocks_change_have_one_key_each_and_their_hours_a_key_each() -> None:
    """Midnight of 4 November 2018 did not exist in São Paulo, and that of 18 February was there twice."""
    days = dg.DailyPartitionsDefinition("2018-01-01", timezone="America/Sao_Paulo")
    hours = dg.HourlyPartitionsDefinition("2024-11-03-00:00", timezone="America/New_York")

    assert chosen("last:3", days, at=day("2018-11-06T12:00")) == ["2018-11-03", "2018-11-04", "2018-11-05"]
    assert chosen("last:3", days, at=day("2018-02-20T12:00")) == ["2018-02-17", "2018-02-18", "2018-02-19"]
    assert chosen("last:3", hours, at=day("2024-11-03T07:30")) == [
        "2024-11-03-00:00", "2024-11-03-01:00", "2024-11-03-01:00-0500",
    ]  # fmt: skip
    assert chosen("latest", hours, at=day("2024-11-03T06:00")) == ["2024-11-03-01:00"]
    assert chosen("latest", hours, at=day("2024-11-03T07:00")) == ["2024-11-03-01:00-0500"]


@pytest.mark.requirement("010-FR-028")
def test_the_latest_window_is_the_last_one_that_is_over() -> None:
    assert chosen("latest", DAYS, at=day("2024-01-03T23:59:59")) == ["2024-01-02"]
    assert chosen("latest", DAYS, at=day("2024-01-04T00:00:00")) == ["2024-01-03"]
    assert chosen("latest", DAYS, at=day("2024-01-01T12:00:00")) == []


@pytest.mark.parametrize(
    ("offset", "latest"), [(0, "2024-01-09"), (1, "2024-01-10"), (2, "2024-01-11"), (-1, "2024-01-08")]
)
def test_the_latest_window_follows_the_end_offset(offset: int, latest: str) -> None:
    days = dg.DailyPartitionsDefinition("2024-01-01", end_offset=offset)

    assert chosen("latest", days, at=day("2024-01-10T06:00")) == [latest]


@pytest.mark.parametrize(
    ("selector", "partitions_def", "expected"),
    [
        ("latest", REGIONS, ["us", "eu", "asia"]),
        ("all", REGIONS, ["us", "eu", "asia"]),
        ("eu", REGIONS, ["eu"]),
        ("mars", REGIONS, []),
        ("none", REGIONS, []),
        ("2024-01-02", DAYS, ["2024-01-02"]),
        ("2024-01-05", DAYS, []),
        ("last:2", DAYS, ["2024-01-03", "2024-01-04"]),
        ("last:100000000", DAYS, ["2024-01-01", "2024-01-02", "2024-01-03", "2024-01-04"]),
        ("latest", SALES, ["2024-01-04|us", "2024-01-04|eu", "2024-01-04|asia"]),
        ("latest", REGIONS_FIRST, ["us|2024-01-04", "eu|2024-01-04", "asia|2024-01-04"]),
        ("last:2", SALES, [f"2024-01-0{d}|{r}" for d, r in product("34", ("us", "eu", "asia"))]),
        ("last:2", REGIONS_FIRST, [f"{r}|2024-01-0{d}" for d, r in product("34", ("us", "eu", "asia"))]),
        ("2024-01-02|eu", SALES, ["2024-01-02|eu"]),
        ("2024-01-05|eu", SALES, []),
        ("eu", SALES, []),
        ("latest", FILES, ["a.csv", "b.csv"]),
        ("b.csv", FILES, ["b.csv"]),
        ("c.csv", FILES, []),
        ("latest", WITHOUT_WINDOWS, [f"{f}|{r}" for f, r in product(("a.csv", "b.csv"), ("us", "eu", "asia"))]),
    ],
    ids=str,
)
@pytest.mark.requirement("010-FR-012", "010-FR-013", "010-FR-014", "010-FR-028")
def test_what_a_selector_means(selector: str, partitions_def: dg.PartitionsDefinition, expected: Sequence[str]) -> None:
    with dg.DagsterInstance.ephemeral() as instance:
        instance.add_dynamic_partitions("files", ["a.csv", "b.csv"])

        assert chosen(selector, partitions_def, at=day("2024-01-05T06:00"), instance=instance) == expected
    assert all(type(key) is str for key in expected)


def test_the_latest_of_ten_years_of_hours_is_found_in_no_time() -> None:
    hours = dg.HourlyPartitionsDefinition("2014-01-01-00:00", timezone="America/New_York")
    before = process_time()

    found = chosen("last:3", hours, at=day("2024-06-01T12:00"))

    assert found == ["2024-06-01-05:00", "2024-06-01-06:00", "2024-06-01-07:00"]
    assert process_time() - before < 0.2  # listing the keys takes ten times as long
