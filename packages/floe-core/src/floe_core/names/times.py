"""Cron expressions, time zones, lengths of time, dates."""

import re
from datetime import datetime, timedelta
from math import isfinite
from typing import Annotated, TypeAlias
from zoneinfo import ZoneInfo, available_timezones

from pydantic import BeforeValidator, PlainSerializer, WithJsonSchema

from floe_core.cron import CronError, parse_cron
from floe_core.names.rules import Rule, RuleError
from floe_core.suggestions import did_you_mean

_DURATION = re.compile(r"(\d+(?:\.\d+)?)\s*(ms|[smhdw])", re.IGNORECASE)
_WORDS_OF_TIME = re.compile(
    r"(\d+(?:\.\d+)?)\s*(ms|msecs?|milliseconds?|s|secs?|seconds?|m|mins?|minutes?|h|hrs?|hours?|d|days?|w|weeks?)\b"
    r"(?:\s*and\b)?"
)
_ISO_DURATION = re.compile(r"p(\d+w)?(\d+d)?(t(\d+h)?(\d+m)?(\d+s)?)?")
_ISO_PARTS = re.compile(r"(\d+)([wdhms])")
_UNITS = {
    "w": timedelta(weeks=1),
    "d": timedelta(days=1),
    "h": timedelta(hours=1),
    "m": timedelta(minutes=1),
    "s": timedelta(seconds=1),
    "ms": timedelta(milliseconds=1),
}
_LONGEST = timedelta(days=365_000)  # so that there is a day so long ago


def check_cron(text: str) -> str:
    """*text* without outer blanks, if it is a cron expression that Dagster takes."""
    stripped = text.strip()
    try:
        parse_cron(stripped)
    except CronError as error:
        raise RuleError(str(error), fix=error.fix) from error
    return stripped


def check_time_zone(text: str) -> str:
    """*text*, if it is a zone of the IANA database."""
    try:
        ZoneInfo(text)
    except (OSError, ValueError, KeyError) as error:
        raise RuleError(
            "a time zone is a name of the IANA database, such as 'UTC' or 'Europe/Berlin'", fix=_zone_like(text)
        ) from error
    return text


def _zone_like(text: str) -> str:
    offset = re.fullmatch(r"(?:UTC|GMT)?([+-])0?(\d{1,2})(?::?00)?", text)
    if offset:
        inverted = "-" if offset[1] == "+" else "+"
        return f"name the zone, or write 'Etc/GMT{inverted}{offset[2]}', which knows no summer time"
    return did_you_mean(text, available_timezones())


def parse_duration(value: object) -> timedelta:
    """The length of time that *value* names.

    >>> parse_duration("1d12h"), parse_duration("30m")
    (datetime.timedelta(days=1, seconds=43200), datetime.timedelta(seconds=1800))
    """
    if isinstance(value, timedelta):
        return value
    text = str(value).strip().lower()
    parts = _DURATION.findall(text)
    if not parts or _DURATION.sub("", text).strip():
        is_number = (isinstance(value, int | float) and isfinite(value)) or re.fullmatch(r"\d+(\.\d+)?", text)
        raise RuleError(
            "a length of time has a unit (s, m, h, d, w), such as '30m', '24h' or '1d12h'",
            fix=f"write '{text}s', '{text}m', '{text}h' or '{text}d'" if is_number else _duration_like(text),
        )
    if sum(float(number) * (_UNITS[unit] / _LONGEST) for number, unit in parts) > 1:
        raise RuleError("a length of time is no longer than a thousand years", fix=f"write '{_LONGEST.days}d' or less")
    length = sum((float(number) * _UNITS[unit] for number, unit in parts), timedelta())
    if length <= timedelta():
        raise RuleError("a length of time is longer than zero", fix="write a number above 0")
    return length


def _duration_like(text: str) -> str:
    """The length of time that *text* means by words, or as ISO 8601 has it.

    >>> _duration_like("1 day and 12 hours"), _duration_like("pt24h")
    ("write '1d12h'", "write '24h'")
    """
    if _ISO_DURATION.fullmatch(text):
        parts = _ISO_PARTS.findall(text)
    else:
        parts = [] if _WORDS_OF_TIME.sub("", text).strip(" ,") else _WORDS_OF_TIME.findall(text)
    meant = "".join(number + ("ms" if unit.startswith(("ms", "milli")) else unit[0]) for number, unit in parts)
    return f"write '{meant}'" if meant else ""


def format_duration(length: timedelta) -> str:
    """*length* as a document would write it.

    >>> format_duration(timedelta(days=3)), format_duration(timedelta(hours=36))
    ('3d', '1d12h')
    """
    left = length
    text = ""
    for unit, size in _UNITS.items():
        count, left = divmod(left, size)
        if count and unit != "w":
            text += f"{count}{unit}"
        elif count:
            left += count * size
    return text or "0s"


def parse_date_or_time(text: str, *, fmt: str | None = None) -> datetime:
    """The moment that *text* names: a year, a month, a date or a date-time of ISO 8601, or text in the format *fmt*.

    >>> parse_date_or_time("2024"), parse_date_or_time("2024-03")
    (datetime.datetime(2024, 1, 1, 0, 0), datetime.datetime(2024, 3, 1, 0, 0))

    Raises:
        RuleError: It is none of these, or there is no such day.
    """
    padded = (
        f"{text}-01-01" if re.fullmatch(r"\d{4}", text) else f"{text}-01" if re.fullmatch(r"\d{4}-\d\d", text) else text
    )
    try:
        return datetime.fromisoformat(padded)
    except ValueError as error:
        reason = str(error)
    try:
        return datetime.strptime(text, fmt) if fmt else _parse_dagster_key(text)
    except ValueError as error:
        like_a_date = re.match(r"\d{4}-\d\d?-\d\d?", text)
        told = f": {reason}" if like_a_date and "isoformat" not in reason else ""
        raise RuleError(
            f"it is a date, a date and time, or a year{told}",
            fix="write it like '2024-01-31', '2024-01-31T06:00' or '2024'",
        ) from error


def _parse_dagster_key(text: str) -> datetime:
    return datetime.strptime(text, "%Y-%m-%d-%H:%M")


CronExpression: TypeAlias = Annotated[str, Rule(check_cron)]
TimeZone: TypeAlias = Annotated[str, Rule(check_time_zone)]
Duration: TypeAlias = Annotated[
    timedelta, BeforeValidator(parse_duration), PlainSerializer(format_duration), WithJsonSchema({"type": "string"})
]
