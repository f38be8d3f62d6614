"""`orchestration.partitions`: how the data of assets is cut into partitions."""

import re
from collections import Counter
from datetime import UTC, datetime, timedelta, tzinfo
from functools import cache
from itertools import islice
from typing import Annotated, Literal, TypeAlias
from zoneinfo import ZoneInfo

from pydantic import Field, ValidationInfo, field_validator

from floe_core.cron import Cron, parse_cron, ticks_from, ticks_once_a_day_at_most
from floe_core.names.identifiers import Identifier
from floe_core.names.import_paths import FunctionReference
from floe_core.names.partition_keys import PartitionKey
from floe_core.names.rules import OneTextError, RuleError
from floe_core.names.scalars import Flag, Text, WholeNumber
from floe_core.names.times import CronExpression, TimeZone, parse_date_or_time
from floe_core.schemas.base import AtLeastOne, FloeModel, OrUnset, check_unique, known

_DAILY_FORMAT = "%Y-%m-%d"
_HOURLY_FORMAT = "%Y-%m-%d-%H:%M"
_DIRECTIVE = re.compile(r"%([-_0^#]?.|\Z)", re.DOTALL)
_DIRECTIVES_READ_BACK = frozenset("aAwdbBmyYHIMSfzZjUWcxXpGuV%")
_SAMPLE_START = datetime(2024, 1, 1)
_DIMENSIONS = 2
_FIRST_YEAR = 1000  # before it, Python writes years of fewer digits than it reads


class TimeWindowPartitions(FloeModel):
    """One partition for each window of time between two ticks of a cron expression."""

    type: Literal["time_window"] = Field(description="One partition for each window of time.")
    cron_schedule: CronExpression = Field(
        default="0 0 * * *", description="When a window ends and the next one starts."
    )
    timezone: TimeZone = Field(default="UTC", description="Time zone of the windows, by its IANA name.")
    fmt: str | None = Field(
        default=None,
        description="Format of the partition keys (strftime); by default `%Y-%m-%d`, with the hour where needed.",
    )
    start: Text = Field(description="Start of the first window: a date, a date-time or a year, in the time zone above.")
    end: Text | None = Field(default=None, description="End of the last window, exclusive; without it there is none.")
    end_offset: WholeNumber = Field(
        default=0, description="How many windows beyond the current one there are; below zero, how many are left out."
    )

    @field_validator("fmt")
    @classmethod
    def _format_tells_windows_apart(cls, fmt: str | None, info: ValidationInfo) -> str | None:
        cron_schedule = known(info, "cron_schedule")
        if fmt is not None and isinstance(cron_schedule, str):
            check_key_format(fmt, parse_cron(cron_schedule))
        return fmt

    @field_validator("start")
    @classmethod
    def _start_is_a_moment(cls, start: str, info: ValidationInfo) -> str:
        _parse_bound(start, info)
        return start

    @field_validator("end")
    @classmethod
    def _end_comes_after_start(cls, end: str | None, info: ValidationInfo) -> str | None:
        if end is None:
            return end
        last, start = _parse_bound(end, info), known(info, "start")
        if isinstance(start, str) and last <= _parse_bound(start, info):
            raise RuleError(
                f"the end of the partitions comes after their start, which is {start}",
                fix="write a later end, or delete it",
            )
        if isinstance(start, str):
            _check_that_a_window_fits(_parse_bound(start, info), last, info)
        return end


class StaticPartitions(FloeModel):
    """A fixed list of partitions."""

    type: Literal["static"] = Field(description="A fixed list of partitions.")
    partition_keys: AtLeastOne[PartitionKey] = Field(description="The partition keys, in order.")

    @field_validator("partition_keys", mode="before")
    @classmethod
    def _keys_are_a_list(cls, keys: object) -> object:
        if isinstance(keys, str) and "," in keys:
            raise OneTextError("several keys are a list, and a key with a comma stands in one, too")
        return keys

    @field_validator("partition_keys")
    @classmethod
    def _keys_are_unique(cls, keys: tuple[str, ...]) -> tuple[str, ...]:
        return check_unique(keys, "partition key")


class DynamicPartitions(FloeModel):
    """Partitions that are added while the project runs."""

    type: Literal["dynamic"] = Field(description="Partitions that are added while the project runs.")
    fn: FunctionReference | None = Field(
        default=None, description="Function without arguments that returns the keys there should be."
    )
    remove_missing: Flag = Field(default=False, description="Whether keys that `fn` no longer returns are removed.")
    poll_interval_seconds: WholeNumber = Field(default=30, ge=1, description="Seconds between two calls of `fn`.")

    @field_validator("remove_missing", "poll_interval_seconds")
    @classmethod
    def _something_returns_keys(cls, value: object, info: ValidationInfo) -> object:
        if info.data.get("fn", "") is None and value is not False:
            raise RuleError("it says how 'fn' is used, and there is no 'fn'", fix="add fn: package.module.function")
        return value


PartitionDimension: TypeAlias = Annotated[
    TimeWindowPartitions | StaticPartitions | DynamicPartitions, Field(discriminator="type")
]


class MultiPartitions(FloeModel):
    """One partition for each pair of keys of two dimensions."""

    type: Literal["multi"] = Field(description="One partition for each pair of keys of two dimensions.")
    partitions: dict[Identifier, OrUnset[PartitionDimension]] = Field(
        description="The two dimensions by name; at most one is a time window."
    )

    @field_validator("partitions")
    @classmethod
    def _dimensions_are_two(cls, dimensions: dict[str, PartitionDimension]) -> dict[str, PartitionDimension]:
        if len(dimensions) != _DIMENSIONS:
            raise RuleError(
                f"Dagster takes exactly two dimensions, and there {_count_dimensions(len(dimensions))}",
                fix="name two, or write a definition of one kind",
            )
        windows = [name for name, dimension in dimensions.items() if isinstance(dimension, TimeWindowPartitions)]
        if len(windows) > 1:
            raise RuleError(
                f"Dagster takes one time window among the dimensions, and {' and '.join(windows)} are both one",
                fix="make one of them static or dynamic",
            )
        for name, dimension in dimensions.items():
            _check_dimension_keys(name, dimension)
        return dimensions


def _count_dimensions(count: int) -> str:
    return "is one" if count == 1 else f"are {count or 'none'}"


PartitionDefinition: TypeAlias = Annotated[
    TimeWindowPartitions | StaticPartitions | MultiPartitions | DynamicPartitions, Field(discriminator="type")
]


def dynamic_name(name: str, dimension: str = "") -> str:
    """The name under which the instance keeps the dynamic keys of a definition, or of a dimension of it.

    >>> dynamic_name("files"), dynamic_name("sales", "file")
    ('files', 'sales_file')
    """
    return f"{name}_{dimension}" if dimension else name


def key_format(partition: TimeWindowPartitions) -> str:
    """The strftime format of the partition keys: the one given, else what the cron expression needs."""
    return partition.fmt or default_key_format(parse_cron(partition.cron_schedule))


def window_bounds(partition: TimeWindowPartitions) -> tuple[datetime, datetime | None]:
    """Where the first window may start and the last one ends, on the clock of the definition's time zone."""
    zone = ZoneInfo(partition.timezone)
    start = _on_clock(parse_date_or_time(partition.start, fmt=partition.fmt), zone)
    return start, None if partition.end is None else _on_clock(
        parse_date_or_time(partition.end, fmt=partition.fmt), zone
    )


def default_key_format(cron: Cron) -> str:
    """The date, with hour and minute where a day has more than one window."""
    return _DAILY_FORMAT if ticks_once_a_day_at_most(cron) else _HOURLY_FORMAT


@cache
def check_key_format(fmt: str, cron: Cron) -> None:
    """Refuse a format in which two windows of *cron* have one key, or in which a key does not lead back to its window.

    Raises:
        RuleError: It is such a format, or not one at all.

    Source:
        Dagster reads a key back by the same format, and takes the first window that starts then or later.
    """
    fix = f"write fmt: '{default_key_format(cron)}', or leave it out"
    for directive, count in Counter(_DIRECTIVE.findall(fmt)).items():
        if directive not in _DIRECTIVES_READ_BACK:
            raise RuleError(f"Dagster reads keys back by their format, and Python reads no '%{directive}'", fix=fix)
        if count > 1 and directive != "%":
            raise RuleError(f"Dagster reads keys back by their format, and Python reads '%{directive}' once", fix=fix)
    keys: dict[str, datetime] = {}
    for start in sorted(_sample_window_starts(cron)):
        key = start.strftime(fmt)
        if key in keys:
            windows = f"{keys[key]:%Y-%m-%d %H:%M} and {start:%Y-%m-%d %H:%M}"
            raise RuleError(f"every window has its own key, and those of {windows} would both be '{key}'", fix=fix)
        keys[key] = start
    for key, start in keys.items():
        _check_that_key_leads_back(key, start, fmt=fmt, cron=cron, fix=fix)


def _parse_bound(text: str, info: ValidationInfo) -> datetime:
    """A moment with a time zone: the one it names, else that of the partitions."""
    fmt, timezone = known(info, "fmt"), known(info, "timezone")
    moment = parse_date_or_time(text, fmt=fmt if isinstance(fmt, str) else None)
    zone = ZoneInfo(timezone) if isinstance(timezone, str) else UTC
    try:
        if moment.year >= _FIRST_YEAR:
            return _on_clock(moment, zone)
    except OverflowError:
        pass  # the last hours of the year 9999, elsewhere
    raise RuleError(f"partitions lie in the years {_FIRST_YEAR} to 9999", fix="write another year")


def _on_clock(moment: datetime, zone: tzinfo) -> datetime:
    return moment.astimezone(zone) if moment.tzinfo else moment.replace(tzinfo=zone)


def _check_that_a_window_fits(start: datetime, end: datetime, info: ValidationInfo) -> None:
    cron_schedule = known(info, "cron_schedule")
    if not isinstance(cron_schedule, str):
        return
    first_window = tuple(islice(ticks_from(parse_cron(cron_schedule), start.replace(tzinfo=None)), 2))
    if first_window and first_window[-1] > end.replace(tzinfo=None):
        shown = " to ".join(f"{tick:%Y-%m-%d %H:%M}" for tick in first_window)
        raise RuleError(
            f"at least one window lies between start and end, and the first one is {shown}",
            fix="write a later end, or a cron_schedule with shorter windows",
        )


def _sample_window_starts(cron: Cron) -> set[datetime]:
    """Windows one after the other, at every hour of a day, on every day of a month, and in every month of two years."""
    moments = [_SAMPLE_START + timedelta(hours=hour) for hour in range(24)]
    moments += [_SAMPLE_START + timedelta(days=day) for day in range(31)]
    moments += [datetime(year, month, 1) for year in (2024, 2025) for month in range(1, 13)]
    starts = set(islice(ticks_from(cron, _SAMPLE_START), 70))
    return starts | {tick for moment in moments for tick in islice(ticks_from(cron, moment), 1)}


def _check_that_key_leads_back(key: str, start: datetime, *, fmt: str, cron: Cron, fix: str) -> None:
    try:
        moment = datetime.strptime(start.replace(tzinfo=UTC).strftime(fmt), fmt).replace(tzinfo=None)
    except (ValueError, re.error) as error:  # Python builds a regular expression of the format
        raise RuleError(f"Dagster reads keys back by their format: {error}", fix=fix) from error
    if next(ticks_from(cron, moment), None) != start:
        raise RuleError(
            f"Dagster reads keys back by their format, and '{key}' does not lead to the window of "
            f"{start:%Y-%m-%d %H:%M} but to {moment:%Y-%m-%d %H:%M}",
            fix=fix,
        )


def _check_dimension_keys(name: str, dimension: PartitionDimension) -> None:
    if isinstance(dimension, StaticPartitions):
        for index, key in enumerate(dimension.partition_keys):
            if not set(key).isdisjoint("|,[]"):
                raise RuleError(
                    f"Dagster joins the keys of dimensions by '|' and takes none of '|', ',', '[' and ']' in '{key}'",
                    fix="write the key without it",
                    at=(name, "partition_keys", index),
                )
    elif isinstance(dimension, TimeWindowPartitions) and "|" in (dimension.fmt or ""):
        raise RuleError(
            "Dagster joins the keys of dimensions by '|' and takes none in a key",
            fix="write '-' for it",
            at=(name, "fmt"),
        )
