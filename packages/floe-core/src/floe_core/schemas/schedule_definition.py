"""`orchestration.schedules`: what is launched by the clock."""

from typing import Self

from pydantic import Field, ValidationInfo, field_validator, model_validator

from floe_core.names.identifiers import DefinitionName, EnvironmentName
from floe_core.names.import_paths import FunctionReference
from floe_core.names.labels import TagKey, TagValue
from floe_core.names.partition_keys import PartitionSelector
from floe_core.names.rules import RuleError
from floe_core.names.scalars import Flag
from floe_core.names.selections import SelectionItem
from floe_core.names.times import CronExpression, TimeZone
from floe_core.schemas.base import AtLeastOne, FloeModel, OrUnset, PlainMapping, check_unique


class ScheduleDefinition(FloeModel):
    """Launches a job, or a selection of assets, at every tick of its cron expressions."""

    job: DefinitionName | None = Field(default=None, description="The job to launch; either this or `selection`.")
    selection: AtLeastOne[SelectionItem] = Field(
        default=(), description="Selection items of the assets to launch without a job of their own."
    )
    cron_schedule: AtLeastOne[CronExpression] = Field(
        description="When it ticks: a cron expression of five fields or `@daily`…, or a list of them."
    )
    timezone: TimeZone = Field(default="UTC", description="Time zone of the cron expressions, by its IANA name.")
    enabled: Flag = Field(
        default=True, description="Whether the schedule starts switched on; a switch in the Dagster UI wins afterwards."
    )
    environments: AtLeastOne[EnvironmentName] = Field(
        default=(), description="The only environments in which the schedule exists; all by default."
    )
    partition_selector: PartitionSelector | None = Field(
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

    @field_validator("cron_schedule")
    @classmethod
    def _ticks_are_told_once(cls, cron_schedule: tuple[str, ...]) -> tuple[str, ...]:
        return (
            check_unique(tuple(" ".join(cron.split()) for cron in cron_schedule), "cron expression") and cron_schedule
        )

    @field_validator("selection")
    @classmethod
    def _one_thing_is_launched(cls, selection: tuple[str, ...], info: ValidationInfo) -> tuple[str, ...]:
        if info.data.get("job") is not None:
            raise RuleError("a schedule launches one thing, a job or a selection", fix="delete 'job' or 'selection'")
        return selection

    @model_validator(mode="after")
    def _something_is_launched(self) -> Self:
        if self.job is None and not self.selection:
            raise RuleError(
                "a schedule launches a job or a selection of assets", fix="add 'job: NAME' or 'selection: […]'"
            )
        return self
