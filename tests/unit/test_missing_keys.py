"""What is said of partition keys that are not there."""

from datetime import UTC, datetime

import dagster as dg
from inline_snapshot import snapshot

from floe_dagster.partitioning.missing_keys import find_missing_key

AT = datetime(2024, 3, 1, 12, tzinfo=UTC)
DAYS = dg.DailyPartitionsDefinition("2024-01-01")
ENDED = dg.DailyPartitionsDefinition("2024-01-01", end_date="2024-02-01")
WEEKS = dg.WeeklyPartitionsDefinition("2024-01-01", day_offset=1)
HOURS = dg.HourlyPartitionsDefinition("2024-01-01-00:00", timezone="Europe/Rome")
FUTURE = dg.DailyPartitionsDefinition("2030-01-01")
REGIONS = dg.StaticPartitionsDefinition(["us", "eu"])
FILES = dg.DynamicPartitionsDefinition(name="files")
EMPTY = dg.DynamicPartitionsDefinition(name="empty")
SALES = dg.MultiPartitionsDefinition({"day": DAYS, "region": REGIONS})
BY_FILE = dg.MultiPartitionsDefinition({"day": DAYS, "file": FILES})


def report(*cases: tuple[str, dg.PartitionsDefinition], at: datetime | None = AT, with_instance: bool = True) -> str:
    """Each key with what is said of it."""
    lines: list[str] = []
    with dg.DagsterInstance.ephemeral() as instance:
        instance.add_dynamic_partitions("files", ["a.csv", "b.csv"])
        for key, partitions_def in cases:
            store = instance if with_instance else None
            missing = find_missing_key(key, partitions_def, at=at, dynamic_partitions_store=store)
            lines += [f"{key}: {'-' if missing is None else missing.reason}"]
            lines += [f"  {missing.fix}"] if missing and missing.fix else []
    return "\n".join(lines)


def test_what_is_said_of_windows() -> None:
    assert report(
        ("2024-02-29", DAYS),
        ("2023-12-31", DAYS),
        ("2024-03-01", DAYS),
        ("2024-1-5", DAYS),
        ("2024-01-05T06:00", DAYS),
        ("yesterday", DAYS),
        ("2024-01-03", WEEKS),
        ("2024-01-05", HOURS),
        ("2024-01-05-06:30", HOURS),
        ("2024-02-01", ENDED),
        ("2030-01-01", FUTURE),
    ) == snapshot("""\
2024-02-29: -
2023-12-31: the first one is '2024-01-01'
  name one from '2024-01-01' to '2024-02-29'
2024-03-01: the last one at the moment is '2024-02-29'
  name one from '2024-01-01' to '2024-02-29'
2024-1-5: the keys of a time window of '0 0 * * *' from 2024-01-01 in UTC are written like '2024-01-01'
  did you mean '2024-01-05'?
2024-01-05T06:00: the keys of a time window of '0 0 * * *' from 2024-01-01 in UTC are written like '2024-01-01'
  did you mean '2024-01-05'?
yesterday: the keys of a time window of '0 0 * * *' from 2024-01-01 in UTC are written like '2024-01-01'
  name one from '2024-01-01' to '2024-02-29'
2024-01-03: no window of a time window of '0 0 * * 1' from 2024-01-01 in UTC starts then
  did you mean '2024-01-01'?
2024-01-05: the keys of a time window of '0 * * * *' from 2024-01-01 in Europe/Rome are written like '2024-01-01-00:00'
  did you mean '2024-01-05-00:00'?
2024-01-05-06:30: no window of a time window of '0 * * * *' from 2024-01-01 in Europe/Rome starts then
  did you mean '2024-01-05-06:00'?
2024-02-01: the last one is '2024-01-31'
  name one from '2024-01-01' to '2024-01-31'
2030-01-01: there is none yet: the first one, '2030-01-01', is over at 2030-01-02 00:00
  wait until then, or write an earlier start\
""")


def test_what_is_said_of_windows_that_may_still_come() -> None:
    assert report(
        ("2031-01-01", DAYS), ("2024-02-01", ENDED), ("2029-01-01", FUTURE), ("2031-01-01", FUTURE), at=None
    ) == snapshot("""\
2031-01-01: -
2024-02-01: the last one is '2024-01-31'
  name one from '2024-01-01' to '2024-01-31'
2029-01-01: the first one is '2030-01-01'
  name one from '2030-01-01' on
2031-01-01: -\
""")


def test_what_is_said_of_listed_keys() -> None:
    assert report(("us", REGIONS), ("ue", REGIONS), ("mars", REGIONS), ("a.cvs", FILES), ("x", EMPTY)) == snapshot("""\
us: -
ue: the keys are us, eu
  name one of them
mars: the keys are us, eu
  name one of them
a.cvs: the keys are a.csv, b.csv
  did you mean 'a.csv'?
x: of the dynamic keys of 'empty' there is none yet
  add the key first, for example in Dagster's UI\
""")


def test_any_dynamic_key_may_come() -> None:
    assert report(("x", EMPTY), ("2024-01-01|x.csv", BY_FILE), at=None, with_instance=False) == snapshot("""\
x: -
2024-01-01|x.csv: -\
""")


def test_what_is_said_of_pairs() -> None:
    assert report(
        ("2024-02-29|us", SALES),
        ("2024-02-29", SALES),
        ("us|2024-02-29", SALES),
        ("2024-02-29|ue", SALES),
        ("2024-03-01|us", SALES),
        ("2024-02-29|us|x", SALES),
        ("a.csv", BY_FILE),
    ) == snapshot("""\
2024-02-29|us: -
2024-02-29: a key names both dimensions, day|region
  write it like '2024-01-01|us'
us|2024-02-29: a key names the dimensions in the order day|region
  did you mean '2024-02-29|us'?
2024-02-29|ue: in dimension 'region' the keys are us, eu
  name one of them
2024-03-01|us: in dimension 'day' the last one at the moment is '2024-02-29'
  name one from '2024-01-01' to '2024-02-29'
2024-02-29|us|x: a key names both dimensions, day|region
  write it like '2024-01-01|us'
a.csv: a key names both dimensions, day|file
  write it like '2024-01-01|file'\
""")
