"""Partitions definitions: what they say, and which contradict themselves."""

from datetime import datetime

import dagster as dg
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from inline_snapshot import snapshot

from builders import DYNAMIC, MULTI, STATIC, TIME_WINDOW, dynamic, multi, refusal_report, static, time_window
from floe_core.cron import parse_cron
from floe_core.interpolation import Unset
from floe_core.names.rules import RuleError
from floe_core.schemas.partition_definition import PartitionDefinition, check_key_format, key_format

CRONS = ["0 0 * * *", "0 6 * * *", "0 * * * *", "*/15 * * * *", "0 0 * * 1", "0 0 1 * *", "0 0 1 1 *", "0 0,12 * * *"]
DIRECTIVES = ["%Y", "%y", "%m", "%d", "%H", "%M", "%S", "%j", "%U", "%W", "%w", "%p", "%I", "%B", "%G", "%V", "%u"]


def test_defaults_are_those_of_a_daily_partition_in_utc() -> None:
    daily = time_window(start=2024)

    assert (daily.start, daily.cron_schedule, daily.timezone, daily.end_offset) == ("2024", "0 0 * * *", "UTC", 0)
    assert (daily.end, daily.fmt, key_format(daily)) == (None, None, "%Y-%m-%d")


@pytest.mark.parametrize(
    ("cron", "fmt"),
    [
        ("0 0 * * *", "%Y-%m-%d"),
        ("0 6 * * 1", "%Y-%m-%d"),
        ("@monthly", "%Y-%m-%d"),
        ("@hourly", "%Y-%m-%d-%H:%M"),
        ("0 0,12 * * *", "%Y-%m-%d-%H:%M"),
        ("*/15 6 * * *", "%Y-%m-%d-%H:%M"),
    ],
)
def test_keys_have_the_hour_where_a_day_has_several_windows(cron: str, fmt: str) -> None:
    assert key_format(time_window(cron_schedule=cron)) == fmt


def test_static_keys_that_are_numbers_are_text() -> None:
    assert static(partition_keys=[2023, "2024"]).partition_keys == ("2023", "2024")
    assert static(partition_keys="eu").partition_keys == ("eu",)


def test_dimensions_keep_their_order() -> None:
    assert list(multi().partitions) == ["date", "region"]


def test_dynamic_partitions_need_no_function() -> None:
    assert dynamic().fn is None
    assert dynamic(fn="shop.keys.regions", remove_missing=True).remove_missing is True


@pytest.mark.requirement("010-FR-017")
def test_definitions_that_contradict_themselves_are_refused() -> None:
    cases: dict[str, object] = {
        "format coarser than the cron": {**TIME_WINDOW, "fmt": "%Y-%m"},
        "hours that count to twelve": {**TIME_WINDOW, "cron_schedule": "@hourly", "fmt": "%Y-%m-%d-%I"},
        "weeks that cannot be read back": {**TIME_WINDOW, "cron_schedule": "@weekly", "fmt": "%Y-W%U"},
        "unknown directive": {**TIME_WINDOW, "fmt": "%Y-%m-%d %K"},
        "directive that is only written": {**TIME_WINDOW, "fmt": "%Y-%-m-%d"},
        "directive twice": {**TIME_WINDOW, "fmt": "%Y-%m-%d %Y"},
        "percent at the end": {**TIME_WINDOW, "fmt": "%Y-%m-%d%"},
        "no directive": {**TIME_WINDOW, "fmt": "daily"},
        "end at its start": {**TIME_WINDOW, "end": "2024-01-01"},
        "end before its start in its zone": {
            **TIME_WINDOW, "timezone": "America/New_York", "end": "2024-01-01T04:00+00:00",
        },
        "no window before its end": {
            **TIME_WINDOW, "cron_schedule": "@monthly", "start": "2024-01-02", "end": "2024-02-29",
        },
        "end beyond the last year": {**TIME_WINDOW, "timezone": "UTC", "end": "9999-12-31T23:30-01:00"},
        "year of three digits": {"type": "time_window", "start": "0999-12-31"},
        "no such day": {"type": "time_window", "start": "2023-02-29"},
        "no date": {"type": "time_window", "start": "yesterday"},
        "no start": {"type": "time_window"},
        "unknown zone": {**TIME_WINDOW, "timezone": "Europe/Berln"},
        "wrong cron": {**TIME_WINDOW, "cron_schedule": "0 24 * * *"},
        "key that stands twice": {**STATIC, "partition_keys": ["eu", "us", "eu"]},
        "no keys": {**STATIC, "partition_keys": []},
        "empty key": {**STATIC, "partition_keys": [""]},
        "key that Dagster refuses": {**STATIC, "partition_keys": ["a...b"]},
        "key that YAML reads as a number": {**STATIC, "partition_keys": [1.10]},
        "no dimension": {"type": "multi", "partitions": {}},
        "one dimension": {"type": "multi", "partitions": {"date": TIME_WINDOW}},
        "three dimensions": {"type": "multi", "partitions": {"a": STATIC, "b": STATIC, "c": STATIC}},
        "two time windows": {"type": "multi", "partitions": {"a": TIME_WINDOW, "b": TIME_WINDOW}},
        "dimension of dimensions": {"type": "multi", "partitions": {"a": MULTI, "b": STATIC}},
        "dimension key with the joining character": {
            "type": "multi", "partitions": {"a": TIME_WINDOW, "b": {**STATIC, "partition_keys": ["x|y"]}},
        },
        "removal without a function": {**DYNAMIC, "remove_missing": True},
        "function by its file": {**DYNAMIC, "fn": "shop/keys.py:regions"},
    }  # fmt: skip

    assert refusal_report(PartitionDefinition, cases) == snapshot("""\
# format coarser than the cron
time_window.fmt: every window has its own key, and those of 2024-01-01 00:00 and 2024-01-02 00:00 would both
    be '2024-01'
  fix: write fmt: '%Y-%m-%d', or leave it out
# hours that count to twelve
time_window.fmt: every window has its own key, and those of 2024-01-01 00:00 and 2024-01-01 12:00 would both
    be '2024-01-01-12'
  fix: write fmt: '%Y-%m-%d-%H:%M', or leave it out
# weeks that cannot be read back
time_window.fmt: Dagster reads keys back by their format, and '2024-W02' does not lead to the window of
    2024-01-14 00:00 but to 2024-01-01 00:00
  fix: write fmt: '%Y-%m-%d', or leave it out
# unknown directive
time_window.fmt: Dagster reads keys back by their format, and Python reads no '%K'
  fix: write fmt: '%Y-%m-%d', or leave it out
# directive that is only written
time_window.fmt: Dagster reads keys back by their format, and Python reads no '%-m'
  fix: write fmt: '%Y-%m-%d', or leave it out
# directive twice
time_window.fmt: Dagster reads keys back by their format, and Python reads '%Y' once
  fix: write fmt: '%Y-%m-%d', or leave it out
# percent at the end
time_window.fmt: Dagster reads keys back by their format, and Python reads no '%'
  fix: write fmt: '%Y-%m-%d', or leave it out
# no directive
time_window.fmt: every window has its own key, and those of 2024-01-01 00:00 and 2024-01-02 00:00 would both
    be 'daily'
  fix: write fmt: '%Y-%m-%d', or leave it out
# end at its start
time_window.end: the end of the partitions comes after their start, which is 2024-01-01
  fix: write a later end, or delete it
# end before its start in its zone
time_window.end: the end of the partitions comes after their start, which is 2024-01-01
  fix: write a later end, or delete it
# no window before its end
time_window.end: at least one window lies between start and end, and the first one is 2024-02-01 00:00 to
    2024-03-01 00:00
  fix: write a later end, or a cron_schedule with shorter windows
# end beyond the last year
time_window.end: partitions lie in the years 1000 to 9999
  fix: write another year
# year of three digits
time_window.start: partitions lie in the years 1000 to 9999
  fix: write another year
# no such day
time_window.start: it is a date, a date and time, or a year: day is out of range for month
  fix: write it like '2024-01-31', '2024-01-31T06:00' or '2024'
# no date
time_window.start: it is a date, a date and time, or a year
  fix: write it like '2024-01-31', '2024-01-31T06:00' or '2024'
# no start
time_window.start: Field required
# unknown zone
time_window.timezone: a time zone is a name of the IANA database, such as 'UTC' or 'Europe/Berlin'
  fix: did you mean 'Europe/Berlin'?
# wrong cron
time_window.cron_schedule: hour 24 is not in 0-23
  fix: write 0 to 23
# key that stands twice
static.partition_keys[2]: every partition key stands once, and 'eu' stands 2 times
  fix: delete the others
# no keys
static.partition_keys: the list is empty
  fix: name at least one, or leave the key out
# empty key
static.partition_keys[0]: a partition key is not empty
  fix: write a key, or delete the entry
# key that Dagster refuses
static.partition_keys[0]: Dagster takes no partition key with '...' in it
  fix: write the key without it
# key that YAML reads as a number
static.partition_keys[0]: YAML reads it as the number 1.1, whose digits may differ from what was written
  fix: put it in quotes
# no dimension
multi.partitions: Dagster takes exactly two dimensions, and there are none
  fix: name two, or write a definition of one kind
# one dimension
multi.partitions: Dagster takes exactly two dimensions, and there is one
  fix: name two, or write a definition of one kind
# three dimensions
multi.partitions: Dagster takes exactly two dimensions, and there are 3
  fix: name two, or write a definition of one kind
# two time windows
multi.partitions: Dagster takes one time window among the dimensions, and a and b are both one
  fix: make one of them static or dynamic
# dimension of dimensions
multi.partitions.a: Input tag 'multi' found using 'type' does not match any of the expected tags:
    'time_window', 'static', 'dynamic'
# dimension key with the joining character
multi.partitions.b.partition_keys[0]: Dagster joins the keys of dimensions by '|' and takes none of '|', ',',
    '[' and ']' in 'x|y'
  fix: write the key without it
# removal without a function
dynamic.remove_missing: it says how 'fn' is used, and there is no 'fn'
  fix: add fn: package.module.function
# function by its file
dynamic.fn: a function or class is named by its import path: module, dot and name, such as 'shop.ops.vacuum'
  fix: write 'shop.keys.regions'\
""")


def test_days_that_a_format_leaves_out_are_told_apart_from_hours_that_it_has() -> None:
    with pytest.raises(RuleError, match="every window has its own key"):
        check_key_format("%Y%H%M%B", parse_cron("*/15 * * * *"))


@settings(deadline=None)
@given(st.sampled_from(CRONS), st.lists(st.sampled_from([*DIRECTIVES, "-", "x"]), min_size=1, max_size=6).map("".join))
def test_dagster_leads_every_key_of_an_accepted_format_back_to_its_window(cron: str, fmt: str) -> None:
    try:
        check_key_format(fmt, parse_cron(cron))
    except RuleError:
        return
    partitions = dg.TimeWindowPartitionsDefinition(cron_schedule=cron, start=datetime(2023, 1, 1), fmt=fmt)

    keys = partitions.get_partition_keys(current_time=datetime(2023, 4, 1))

    assert len(set(keys)) == len(keys)
    starts = [partitions.time_window_for_partition_key(key).start for key in keys]
    assert starts == sorted(set(starts))


@pytest.mark.parametrize("cron", CRONS)
def test_the_default_format_is_always_fine_enough(cron: str) -> None:
    parsed = parse_cron(cron)

    check_key_format(key_format(time_window(cron_schedule=cron)), parsed)


@pytest.mark.parametrize("fmt", ["%Y-%m-%d", "%Y%m%d", "%d.%m.%Y", "%Y/%j", "%G-W%V-%u", "%Y-%m-%dT%H:%M:%S%z", "%c"])
def test_formats_that_tell_days_apart_are_accepted(fmt: str) -> None:
    assert time_window(fmt=fmt).fmt == fmt


def test_a_start_may_be_written_in_the_format_of_the_keys() -> None:
    assert time_window(fmt="%d/%m/%Y", start="31/01/2024", end="02/02/2024").end == "02/02/2024"


def test_what_waits_for_a_variable_is_not_compared() -> None:
    waiting = Unset("${MISSING}")

    assert time_window(cron_schedule=waiting, fmt="%Y").fmt == "%Y"
    assert time_window(start=waiting, end="1999").end == "1999"
    assert time_window(timezone=waiting, end="2024-02-01").end == "2024-02-01"
    assert dynamic(fn=waiting, remove_missing=True).remove_missing is True
    assert static(partition_keys=[waiting]).partition_keys == ("${MISSING}",)
