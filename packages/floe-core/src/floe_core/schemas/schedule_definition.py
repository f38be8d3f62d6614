"""`orchestration.schedules`: what is launched by the clock."""

from pydantic import Field

from floe_core.names import CronExpression, EnvironmentName, FunctionReference, Identifier, SelectionItem
from floe_core.names import TagKey, TagValue, Text, TimeZone
from floe_core.schemas.base import FloeModel, OrUnset, PlainMapping, Several


class ScheduleDefinition(FloeModel):
    """Launches a job, or a selection of assets, at every tick of its cron expressions."""

    job: Identifier | None = Field(default=None, description="The job to launch; either this or `selection`.")
    selection: Several[SelectionItem] = Field(
        default=(), description="Selection items of the assets to launch without a job of their own."
    )
    cron_schedule: Several[CronExpression] = Field(
        min_length=1, description="When it ticks: a cron expression of five fields or `@daily`…, or a list of them."
    )
    timezone: TimeZone = Field(default="UTC", description="Time zone of the cron expressions, by its IANA name.")
    enabled: bool = Field(
        default=True, description="Whether the schedule starts switched on; a switch in the Dagster UI wins afterwards."
    )
    environments: Several[EnvironmentName] = Field(
        default=(), description="The only environments in which the schedule exists; all by default."
    )
    partition_selector: Text | None = Field(
        default=None,
        description="Which partitions of a partitioned job a tick launches: `latest` (the default), `all`, `last:N`, "
        "`none` or a partition key.",
    )
    target_function: FunctionReference | None = Field(
        default=None, description="Function that computes the run requests of a tick instead."
    )
    description: str | None = Field(default=None, description="What the schedule is for, shown in the Dagster UI.")
    tags: dict[TagKey, OrUnset[TagValue]] = Field(default={}, description="Tags of every run that it launches.")
    config: PlainMapping = Field(default={}, description="Run config of every run that it launches.")
