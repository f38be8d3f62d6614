"""`orchestration.backfills`: ranges of partitions that are materialized in batches."""

from typing import Literal, Self

from pydantic import Field, ValidationInfo, field_validator, model_validator

from floe_core.names.identifiers import DefinitionName
from floe_core.names.labels import TagKey, TagValue
from floe_core.names.partition_keys import PartitionKey
from floe_core.names.rules import RuleError
from floe_core.names.scalars import WholeNumber
from floe_core.schemas.base import AtLeastOne, FloeModel, OrUnset, check_unique


class PartitionRange(FloeModel):
    """Partitions from one key to another, both included."""

    start: PartitionKey = Field(description="First partition key of the range.")
    end: PartitionKey = Field(description="Last partition key of the range, included.")


class BackfillDefinition(FloeModel):
    """Launches a job for many partitions, a batch at a time, once it is switched on."""

    job: DefinitionName = Field(description="The partitioned job to launch.")
    partition_range: PartitionRange | None = Field(
        default=None, description="First and last partition; either this or `partition_keys`."
    )
    partition_keys: AtLeastOne[PartitionKey] = Field(
        default=(), description="The partitions one by one, in the order in which they are launched."
    )
    batch_size: WholeNumber = Field(default=10, ge=1, description="How many partitions are in flight at most.")
    on_failure: Literal["stop", "continue"] = Field(
        default="stop", description="Whether a failed partition ends the backfill after its batch."
    )
    description: str | None = Field(default=None, description="What the backfill is for, shown in the Dagster UI.")
    tags: dict[TagKey, OrUnset[TagValue]] = Field(default={}, description="Tags of every run that it launches.")

    @field_validator("partition_keys")
    @classmethod
    def _keys_are_said_once(cls, keys: tuple[str, ...], info: ValidationInfo) -> tuple[str, ...]:
        if info.data.get("partition_range") is not None:
            raise RuleError("a backfill has either a range or keys", fix="delete 'partition_range' or 'partition_keys'")
        return check_unique(keys, "partition key")

    @model_validator(mode="after")
    def _partitions_are_said(self) -> Self:
        if self.partition_range is None and not self.partition_keys:
            raise RuleError(
                "a backfill says which partitions it launches",
                fix="add partition_range: {start: …, end: …} or partition_keys: […]",
            )
        return self
