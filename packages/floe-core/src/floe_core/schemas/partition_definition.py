"""`orchestration.partitions`: how the data of assets is cut into partitions."""

from collections import Counter
from typing import Annotated, Literal, Self, TypeAlias

from pydantic import Field, model_validator

from floe_core.names import (
    CronExpression,
    FunctionReference,
    Identifier,
    PartitionKey,
    RuleError,
    Text,
    TimeZone,
    WholeNumber,
)
from floe_core.schemas.base import FloeModel, OrUnset, Several


class TimeWindowPartitions(FloeModel):
    """One partition for each window of time between two ticks of a cron expression."""

    type: Literal["time_window"] = Field(description="One partition for each window of time.")
    start: Text = Field(description="Start of the first window: a date, a date-time or a year, in the time zone below.")
    cron_schedule: CronExpression = Field(default="0 0 * * *", description="When each window starts and the last ends.")
    timezone: TimeZone = Field(default="UTC", description="Time zone of the windows, by its IANA name.")
    end: Text | None = Field(default=None, description="End of the last window, exclusive; without it there is none.")
    fmt: str | None = Field(
        default=None,
        description="Format of the partition keys (strftime); by default `%Y-%m-%d`, with hour and minute where needed.",
    )
    end_offset: WholeNumber = Field(
        default=0, description="How many windows beyond the current one there are; below zero, how many are left out."
    )


class StaticPartitions(FloeModel):
    """A fixed list of partitions."""

    type: Literal["static"] = Field(description="A fixed list of partitions.")
    partition_keys: Several[PartitionKey] = Field(description="The partition keys, in order.")


class DynamicPartitions(FloeModel):
    """Partitions that are added while the project runs."""

    type: Literal["dynamic"] = Field(description="Partitions that are added while the project runs.")
    fn: FunctionReference | None = Field(
        default=None, description="Function without arguments that returns the keys there should be."
    )
    remove_missing: bool = Field(default=False, description="Whether keys that `fn` no longer returns are removed.")
    poll_interval_seconds: WholeNumber = Field(default=30, ge=1, description="Seconds between two calls of `fn`.")


PartitionDimension: TypeAlias = Annotated[
    TimeWindowPartitions | StaticPartitions | DynamicPartitions, Field(discriminator="type")
]


class MultiPartitions(FloeModel):
    """One partition for each pair of keys of two dimensions."""

    type: Literal["multi"] = Field(description="One partition for each pair of keys of two dimensions.")
    partitions: dict[Identifier, OrUnset[PartitionDimension]] = Field(
        description="The two dimensions by name; at most one is a time window."
    )


PartitionDefinition: TypeAlias = Annotated[
    TimeWindowPartitions | StaticPartitions | MultiPartitions | DynamicPartitions, Field(discriminator="type")
]
