"""Cron expressions as Dagster reads them: what each field holds, and why an expression is refused."""

import re
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cache
from itertools import islice, pairwise

from floe_core.suggestions import did_you_mean, list_names

_MONTHS = {
    name: number
    for number, name in enumerate(
        ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"), start=1
    )
}
_WEEKDAYS = {name: number for number, name in enumerate(("sun", "mon", "tue", "wed", "thu", "fri", "sat"))}
CRON_ALIASES = {
    "@hourly": "0 * * * *",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@weekly": "0 0 * * 0",
    "@monthly": "0 0 1 * *",
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
}
_LAST_DAY = 0
_LONGEST_MONTHS = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
_DAY_LENGTH = timedelta(days=1)
_LONGEST_GAP = timedelta(days=366 * 8 + 1)
"""No date is further from its next occurrence than 29 February around a year such as 2100."""

_RANGE = re.compile(r"([^-]+)-([^-/]+)(?:/(\d+))?")
_STEP_FROM = re.compile(r"(.+)/(.+)", re.DOTALL)
_NTH_WEEKDAY = re.compile(
    r"(?:((?:{days})(?:-(?:{days}))?|(?:{months})(?:-(?:{months}))?|\w+)#|l)(\d+)".format(
        days="|".join(_WEEKDAYS), months="|".join(_MONTHS)
    )
)
_HASHED = re.compile(r"[hr](\(\d+-\d+\))?(/\d+)?")


class CronError(ValueError):
    """An expression that Dagster does not take; the text says what is wrong with which field."""

    def __init__(self, reason: str, *, fix: str = "") -> None:
        super().__init__(reason)
        self.fix = fix


@dataclass(frozen=True, slots=True)
class _Field:
    word: str
    of: str
    low: int
    high: int
    names: dict[str, int]


_FIELDS = (
    _Field("minute", "hour", 0, 59, {}),
    _Field("hour", "day", 0, 23, {}),
    _Field("day of month", "month", 1, 31, {}),
    _Field("month", "year", 1, 12, _MONTHS),
    _Field("day of week", "week", 0, 6, _WEEKDAYS),
)
_MINUTE, _HOUR, _DAY, _MONTH, _WEEKDAY = _FIELDS


@dataclass(frozen=True, slots=True)
class Cron:
    """A parsed expression: the values of each field, in order.

    Day 0 stands for the last day of the month. `nth_weekdays` holds (weekday, which) pairs, where which is 1 to 5 or 0
    for the last one in the month. None in place of days or weekdays is `*`.
    """

    minutes: tuple[int, ...]
    hours: tuple[int, ...]
    days: frozenset[int] | None
    months: frozenset[int]
    weekdays: frozenset[int] | None
    nth_weekdays: frozenset[tuple[int, int]]

    def matches_day(self, day: date) -> bool:
        """Whether any tick falls on *day*; as in cron, one of two restricted day fields is enough."""
        if day.month not in self.months:
            return False
        if self.days is None:
            return self.weekdays is None or self._matches_weekday(day)
        return self._matches_day_of_month(day) or (self.weekdays is not None and self._matches_weekday(day))

    def _matches_day_of_month(self, day: date) -> bool:
        assert self.days is not None
        return day.day in self.days or (_LAST_DAY in self.days and (day + timedelta(days=1)).day == 1)

    def _matches_weekday(self, day: date) -> bool:
        weekday = day.isoweekday() % 7
        restricted = {which for named, which in self.nth_weekdays if named == weekday}
        if not restricted:
            return weekday in (self.weekdays or ())
        is_last = (day + timedelta(days=7)).month != day.month
        return (day.day - 1) // 7 + 1 in restricted or (0 in restricted and is_last)


@cache
def parse_cron(text: str) -> Cron:
    """The fields of *text*.

    Raises:
        CronError: Dagster refuses the expression, or its ticks would be random, or it never ticks, or a step in it is
            greater than what it counts in.

    Source:
        Dagster's own check of a cron schedule: the grammar of croniter with five fields and without hashes.
    """
    lowered = text.lower()
    if lowered.startswith("@") and lowered not in CRON_ALIASES:
        raise CronError(
            f"'{text}' is not one of {list_names(CRON_ALIASES)}",
            fix=did_you_mean(lowered, CRON_ALIASES) or "write five fields, such as '0 6 * * *'",
        )
    parts = CRON_ALIASES.get(lowered, lowered).split()
    if len(parts) != len(_FIELDS):
        raise CronError(_wrong_length(parts), fix=_right_length(parts))
    values = [_parse_field(field, part) for field, part in zip(_FIELDS, parts, strict=True)]
    weekdays, nth_weekdays = values[4], _parse_nth_weekdays(parts[4], values[4])
    cron = Cron(
        minutes=tuple(sorted(_all_of(_MINUTE) if values[0] is None else values[0])),
        hours=tuple(sorted(_all_of(_HOUR) if values[1] is None else values[1])),
        days=_unless_all(_DAY, values[2], is_free="*" in parts[4] or bool(nth_weekdays)),
        months=_all_of(_MONTH) if values[3] is None else values[3],
        weekdays=_unless_all(_WEEKDAY, weekdays, is_free="*" in parts[2]),
        nth_weekdays=nth_weekdays,
    )
    _check_that_it_ticks(cron, text)
    return cron


def ticks_from(cron: Cron, start: datetime) -> Iterator[datetime]:
    """The ticks at or after *start* in order, on a clock without time zone; none within eight years ends it."""
    day, searched_until = start.date(), _later(start.date(), _LONGEST_GAP)
    while day < searched_until:
        if day.month not in cron.months:
            day = _first_of_next_month(day)
            continue
        if cron.matches_day(day):
            midnight = datetime(day.year, day.month, day.day)
            ticks = (midnight.replace(hour=hour, minute=minute) for hour in cron.hours for minute in cron.minutes)
            yield from (tick for tick in ticks if tick >= start)
            searched_until = _later(day, _LONGEST_GAP)
        day = _later(day, _DAY_LENGTH)


def ticks_once_a_day_at_most(cron: Cron) -> bool:
    """Whether no day has two ticks."""
    return len(cron.hours) == 1 and len(cron.minutes) == 1


@cache
def smallest_interval(cron: Cron) -> timedelta:
    """The shortest time between two ticks that follow one another, as seen over two years or a thousand ticks."""
    start = datetime(2024, 1, 1)
    ticks = islice(ticks_from(cron, start), 1000)
    return min((later - earlier for earlier, later in pairwise(ticks)), default=timedelta.max)


def _later(day: date, by: timedelta) -> date:
    return day + by if day < date.max - by else date.max


def _first_of_next_month(day: date) -> date:
    return _later(day.replace(day=28), timedelta(days=4)).replace(day=1) if day < date(9999, 12, 1) else date.max


def _right_length(parts: Sequence[str]) -> str:
    """What to write where the last of the fields is missing, or an example where more is wrong."""
    completed = " ".join([*parts, "*"])
    if len(parts) == len(_FIELDS) - 1:
        with suppress(CronError):
            parse_cron(completed)
            return f"write the five fields: '{completed}'"
    return "write five fields, such as '0 6 * * *' for every day at 06:00"


def _wrong_length(parts: list[str]) -> str:
    if len(parts) in (6, 7):
        return f"it has {len(parts)} fields; Dagster schedules have no seconds and no year"
    count = "one field" if len(parts) == 1 else f"{len(parts) or 'no'} fields"
    return f"it has {count} instead of five: minute, hour, day of month, month, day of week"


def _parse_field(field: _Field, text: str) -> frozenset[int] | None:
    """The values of a whole field; None is `*`, on its own or in a list."""
    if _HASHED.fullmatch(text):
        raise CronError(
            f"{field.word} '{text}' stands for a random value, and a schedule needs a fixed one", fix="write a number"
        )
    if "?" in text:
        if text != "?" or field not in (_DAY, _WEEKDAY):
            raise CronError(
                f"'?' may only be the whole of day of month or day of week, not {field.word} '{text}'",
                fix="write '*' for any",
            )
        return None
    values: set[int] = set()
    is_any = False
    for item in text.split(","):
        item_values = _parse_item(field, item)
        is_any = is_any or item_values is None
        values.update(item_values or ())
    return None if is_any else frozenset(values)


def _parse_item(field: _Field, item: str) -> frozenset[int] | None:
    if field is _WEEKDAY and (nth := _NTH_WEEKDAY.fullmatch(item)):
        return _parse_item(field, _weekday_of(item, nth))
    if item == "*":
        return None
    spread = f"{field.low}-{field.high}{item[1:]}" if item.startswith("*/") else item
    matched = _RANGE.fullmatch(spread)
    if not matched:
        spread = _STEP_FROM.sub(rf"\1-{field.high}/\2", item)
        matched = _RANGE.fullmatch(spread)
    if matched:
        return _parse_range(field, item, matched)
    if field is _DAY and item == "l":
        return frozenset({_LAST_DAY})
    return frozenset({_check_in_range(field, _parse_value(field, item))})


def _weekday_of(item: str, nth: re.Match[str]) -> str:
    weekday, which = nth.groups()
    if weekday is None:
        return str(which)
    if not 1 <= int(which) <= 5:
        raise CronError(
            f"day of week '{item}' asks for week {which} of a month, which has 1 to 5",
            fix="write 1 to 5 after '#'",
        )
    return str(weekday)


def _parse_range(field: _Field, item: str, matched: re.Match[str]) -> frozenset[int]:
    first, last = matched.group(1), matched.group(2)
    step = int(matched.group(3) or 1)
    low = _parse_value(field, first)
    high = field.high if field is _DAY and last == "l" else _parse_value(field, last)
    for bound in (low, high):
        if bound > field.high:
            raise _out_of_range(field, bound)
    if step == 0:
        raise CronError(f"{field.word} '{item}' has step 0, which never moves on", fix="write a step from 1 on")
    values = frozenset(_check_in_range(field, value) for value in _spread(field, low, high, step))
    if step > (longest := field.high - field.low + 1):
        [only] = values
        raise CronError(
            f"{field.word} '{item}' stands for {only} alone: steps begin anew with each {field.of}, "
            f"and {step} is more than its {longest}",
            fix=f"write '{only}' if that is meant, or a step up to {longest}",
        )
    return values


def _spread(field: _Field, low: int, high: int, step: int) -> list[int]:
    if low == high:
        return list(range(field.low, field.high + 1, step))
    if low < high:
        return list(range(low, high + 1, step))
    # A range that runs backwards (fri-mon) goes over the end of the field, and keeps its step across it.
    before = list(range(low, field.high + 1, step))
    left_over = field.high - before[-1]
    is_cut = (before[-1] - field.low) + step > field.high - field.low + 1 and left_over < step
    skipped = step - left_over if is_cut else 0
    return before + list(range(field.low + skipped, high + 1, step))


def _parse_value(field: _Field, text: str) -> int:
    if re.fullmatch(r"\d+", text):
        value = int(text)
        return 0 if field is _WEEKDAY and value == 7 else value
    if text in field.names:
        return field.names[text]
    if re.fullmatch(r"-\d+", text):
        raise _out_of_range(field, int(text))
    raise CronError(f"{field.word} '{text}' is not {_expected(field)}", fix=did_you_mean(text, field.names))


def _check_in_range(field: _Field, value: int) -> int:
    if not field.low <= value <= field.high:
        raise _out_of_range(field, value)
    return value


def _out_of_range(field: _Field, value: int) -> CronError:
    high = 7 if field is _WEEKDAY else field.high
    return CronError(f"{field.word} {value} is not in {field.low}-{high}", fix=f"write {field.low} to {high}")


def _expected(field: _Field) -> str:
    number = f"a number from {field.low} to {7 if field is _WEEKDAY else field.high}"
    if not field.names:
        return f"{number}, '*', a range or a step such as '*/5'"
    return f"{number} or one of {list_names(field.names, limit=12)}"


def _parse_nth_weekdays(text: str, values: frozenset[int] | None) -> frozenset[tuple[int, int]]:
    """Which weekdays count only once in a month (`1#2` the second Monday, `l5` the last Friday)."""
    nth_weekdays: set[tuple[int, int]] = set()
    for item in text.split(","):
        if nth := _NTH_WEEKDAY.fullmatch(item):
            which = int(nth.group(2)) if nth.group(1) else 0
            nth_weekdays |= {(weekday, which) for weekday in _parse_item(_WEEKDAY, item) or ()}
    plain = (values or frozenset()) - {weekday for weekday, _ in nth_weekdays}
    if nth_weekdays and plain and len(values or ()) != len(_WEEKDAYS):
        raise CronError(
            f"day of week '{text}' mixes every week with one week of the month; Dagster takes only one form",
            fix="write the week for each day, such as '1#1,3#1'",
        )
    return frozenset(nth_weekdays)


def _all_of(field: _Field) -> frozenset[int]:
    return frozenset(range(field.low, field.high + 1))


def _unless_all(field: _Field, values: frozenset[int] | None, *, is_free: bool) -> frozenset[int] | None:
    """None where the values leave nothing out and the other day field does not restrict, as in Dagster's reading."""
    return None if values is not None and values >= _all_of(field) and is_free else values


def _check_that_it_ticks(cron: Cron, text: str) -> None:
    if cron.days is None:
        return
    if cron.nth_weekdays:
        raise CronError(
            f"Dagster finds no tick of '{text}': one week of the month goes only with day of month '*'",
            fix="write '*' for day of month, or a whole day of week",
        )
    if cron.months == {2} and cron.days <= {30, 31} and len(cron.days) == 1:
        raise CronError(f"'{text}' asks for a 30th or 31st of February", fix="write 'l' for the last day of the month")
    if cron.weekdays is not None or _LAST_DAY in cron.days:
        return
    if all(min(cron.days) > _LONGEST_MONTHS[month - 1] for month in cron.months):
        raise CronError(
            f"'{text}' never ticks: none of its months has a day {min(cron.days)}",
            fix="write 'l' for the last day of the month",
        )
