"""Cron expressions, held against Dagster's own reading of them."""

from datetime import UTC, datetime, timedelta
from itertools import islice

import pytest
from dagster._utils.schedules import (
    cron_string_iterator,
    get_smallest_cron_interval,
    is_valid_cron_schedule,
)
from hypothesis import given
from hypothesis import strategies as st
from inline_snapshot import snapshot

from builders import refusals
from floe_core.cron import CronError, parse_cron, smallest_interval, ticks_from, ticks_once_a_day_at_most
from floe_core.names.times import CronExpression

VALUES = ["0", "1", "5", "7", "12", "23", "24", "29", "30", "31", "32", "59", "60", "100", "-1", "", "x", "15"]
NAMES = ["mon", "FRI", "sun", "jan", "Dec", "mondy", "l", "L", "h", "w"]
value = st.sampled_from([*VALUES, *NAMES])
step = st.sampled_from(["0", "1", "2", "5", "7", "15", "70", "x"])
item = st.one_of(
    st.just("*"),
    st.just("?"),
    value,
    st.builds("{}-{}".format, value, value),
    st.builds("{}/{}".format, st.one_of(st.just("*"), value), step),
    st.builds("{}-{}/{}".format, value, value, step),
    st.builds("{}#{}".format, value, st.sampled_from("0125679")),
    st.builds("mon-fri#{}".format, st.sampled_from("126")),
    st.builds("l{}".format, st.sampled_from("0123456789")),
)
field = st.one_of(st.just("*"), item, st.lists(item, min_size=1, max_size=3).map(",".join))
expression = st.lists(field, min_size=5, max_size=5).map(" ".join)
number_of_fields = st.lists(field, min_size=0, max_size=8).map(" ".join)


@st.composite
def working_expressions(draw: st.DrawFn) -> str:
    def numbers(low: int, high: int) -> st.SearchStrategy[str]:
        number = st.integers(low, high)
        listed = st.lists(number, min_size=1, max_size=3, unique=True).map(lambda found: ",".join(map(str, found)))
        span = st.tuples(number, number, st.integers(1, 7)).map(lambda found: "{}-{}/{}".format(*found))
        steps = st.integers(1, high - low + 1).map("*/{}".format)
        return st.one_of(st.just("*"), steps, listed, span)

    plain_weekday = st.one_of(numbers(0, 6), st.sampled_from(["mon-fri", "sat-mon", "7"]))
    days = draw(
        st.one_of(
            st.tuples(st.one_of(numbers(1, 28), st.just("l")), plain_weekday),
            st.tuples(st.sampled_from(["*", "?", "*/1", "1-31"]), st.sampled_from(["1#2", "fri#1", "l5", "mon-wed#3"])),
        )
    )
    minute, hour, month = draw(numbers(0, 59)), draw(numbers(0, 23)), draw(numbers(1, 12))
    return f"{minute} {hour} {days[0]} {month} {days[1]}"


def verdict(text: str) -> str:
    try:
        parse_cron(text)
    except CronError as error:
        return str(error)
    return ""


@pytest.mark.requirement("010-FR-029")
@given(st.one_of(expression, number_of_fields, st.sampled_from(["@daily", "@HOURLY", "@weakly", "@reboot", "@"])))
def test_dagster_gives_the_same_verdict(text: str) -> None:
    reason = verdict(text)

    is_floes_own = any(words in reason for words in ("never ticks", "finds no tick", "begin anew"))
    assert (not reason) == is_valid_cron_schedule(text) or is_floes_own


@given(working_expressions(), st.datetimes(datetime(2000, 1, 1), datetime(2050, 1, 1)))
def test_dagster_ticks_at_the_same_times(text: str, moment: datetime) -> None:
    start = moment.replace(second=0, microsecond=0)
    ticks = cron_string_iterator(start.replace(tzinfo=UTC).timestamp(), text, "UTC")

    found = list(islice(ticks_from(parse_cron(text), start), 4))

    assert found == [next(ticks).replace(tzinfo=None) for _ in found]
    assert len(found) == 4


@pytest.mark.requirement("010-FR-029")
def test_the_reason_names_the_field() -> None:
    wrong = [
        "61 * * * *",
        "0 24 * * *",
        "0 0 0 * *",
        "0 0 * 13 *",
        "0 0 * * 8",
        "0 0 * * mondy",
        "0 x * * *",
        "0 -1 * * *",
        "*/0 * * * *",
        "0 0 * *",
        "",
        "0 0 6 * * *",
        "@dayly",
        "0 0 30 2 *",
        "0 0 31 4,6 *",
        "0 0 5 * 1#2",
        "r 6 * * *",
        "0 ? * * *",
        "0 0 * * 1#6",
        "0 0 * * 1#1,3",
        "*/90 * * * *",
        "5/90 * * * *",
        "0 */48 * * *",
        "0 0 */45 * *",
        "0 0 1 */18 *",
        "0 0 * * fri-mon/14",
    ]

    lines = [line for text in wrong for line in (f"{text!r}:", *refusals(CronExpression, text))]

    assert "\n".join(lines) == snapshot("""\
'61 * * * *':
minute 61 is not in 0-59
  fix: write 0 to 59
'0 24 * * *':
hour 24 is not in 0-23
  fix: write 0 to 23
'0 0 0 * *':
day of month 0 is not in 1-31
  fix: write 1 to 31
'0 0 * 13 *':
month 13 is not in 1-12
  fix: write 1 to 12
'0 0 * * 8':
day of week 8 is not in 0-7
  fix: write 0 to 7
'0 0 * * mondy':
day of week 'mondy' is not a number from 0 to 7 or one of sun, mon, tue, wed, thu, fri, sat
  fix: did you mean 'mon'?
'0 x * * *':
hour 'x' is not a number from 0 to 23, '*', a range or a step such as '*/5'
'0 -1 * * *':
hour -1 is not in 0-23
  fix: write 0 to 23
'*/0 * * * *':
minute '*/0' has step 0, which never moves on
  fix: write a step from 1 on
'0 0 * *':
it has 4 fields instead of five: minute, hour, day of month, month, day of week
  fix: write the five fields: '0 0 * * *'
'':
it has no fields instead of five: minute, hour, day of month, month, day of week
  fix: write five fields, such as '0 6 * * *' for every day at 06:00
'0 0 6 * * *':
it has 6 fields; Dagster schedules have no seconds and no year
  fix: write five fields, such as '0 6 * * *' for every day at 06:00
'@dayly':
'@dayly' is not one of @hourly, @daily, @midnight, @weekly, @monthly, @yearly, @annually
  fix: did you mean '@daily'?
'0 0 30 2 *':
'0 0 30 2 *' asks for a 30th or 31st of February
  fix: write 'l' for the last day of the month
'0 0 31 4,6 *':
'0 0 31 4,6 *' never ticks: none of its months has a day 31
  fix: write 'l' for the last day of the month
'0 0 5 * 1#2':
Dagster finds no tick of '0 0 5 * 1#2': one week of the month goes only with day of month '*'
  fix: write '*' for day of month, or a whole day of week
'r 6 * * *':
minute 'r' stands for a random value, and a schedule needs a fixed one
  fix: write a number
'0 ? * * *':
'?' may only be the whole of day of month or day of week, not hour '?'
  fix: write '*' for any
'0 0 * * 1#6':
day of week '1#6' asks for week 6 of a month, which has 1 to 5
  fix: write 1 to 5 after '#'
'0 0 * * 1#1,3':
day of week '1#1,3' mixes every week with one week of the month; Dagster takes only one form
  fix: write the week for each day, such as '1#1,3#1'
'*/90 * * * *':
minute '*/90' stands for 0 alone: steps begin anew with each hour, and 90 is more than its 60
  fix: write '0' if that is meant, or a step up to 60
'5/90 * * * *':
minute '5/90' stands for 5 alone: steps begin anew with each hour, and 90 is more than its 60
  fix: write '5' if that is meant, or a step up to 60
'0 */48 * * *':
hour '*/48' stands for 0 alone: steps begin anew with each day, and 48 is more than its 24
  fix: write '0' if that is meant, or a step up to 24
'0 0 */45 * *':
day of month '*/45' stands for 1 alone: steps begin anew with each month, and 45 is more than its 31
  fix: write '1' if that is meant, or a step up to 31
'0 0 1 */18 *':
month '*/18' stands for 1 alone: steps begin anew with each year, and 18 is more than its 12
  fix: write '1' if that is meant, or a step up to 12
'0 0 * * fri-mon/14':
day of week 'fri-mon/14' stands for 5 alone: steps begin anew with each week, and 14 is more than its 7
  fix: write '5' if that is meant, or a step up to 7\
""")


@pytest.mark.parametrize(
    "text", ["*/90 0 1 * *", "5/90 0 1 * *", "59-0/61 0 1 * *", "7-7/61 0 1 * *", "0 20-10/70 1 * *"]
)
def test_a_step_that_is_refused_ticks_once(text: str) -> None:
    start = datetime(2024, 1, 1, tzinfo=UTC).timestamp()
    first, second = islice(cron_string_iterator(start, text, "UTC"), 2)

    assert second - first > timedelta(days=27)
    assert f"stands for {first.minute or first.hour} alone" in verdict(text)


@pytest.mark.parametrize("text", ["*/60 * * * *", "0 */24 * * *", "0 0 */31 * *", "0 0 1 */12 *", "0 0 * * */7"])
def test_a_step_of_a_whole_hour_day_month_year_or_week_is_taken(text: str) -> None:
    assert verdict(text) == ""


@pytest.mark.parametrize(
    ("text", "once"),
    [
        ("0 0 * * *", True),
        ("30 6 1 * *", True),
        ("@weekly", True),
        ("0 0,12 * * *", False),
        ("*/5 6 * * *", False),
        ("@hourly", False),
    ],
)
def test_ticks_of_a_day_are_counted(text: str, once: bool) -> None:
    assert ticks_once_a_day_at_most(parse_cron(text)) is once


@pytest.mark.parametrize("text", ["0 * * * *", "*/7 * * * *", "0 0 * * *", "0 0 * * 1", "0 0 1 * *", "0 6,18 * * *"])
def test_the_smallest_interval_is_that_of_dagster(text: str) -> None:
    assert smallest_interval(parse_cron(text)) == get_smallest_cron_interval(text)


def test_a_leap_day_is_found_across_the_turn_of_a_century() -> None:
    ticks = ticks_from(parse_cron("0 0 29 2 *"), datetime(2097, 1, 1))

    assert next(ticks) == datetime(2104, 2, 29)


def test_an_expression_without_ticks_in_reach_ends() -> None:
    assert list(ticks_from(parse_cron("0 0 * * *"), datetime(9999, 12, 30, 1))) == []
    assert smallest_interval(parse_cron("0 0 1 1 *")) >= timedelta(days=365)
