"""`orchestration.backfills`: ranges of partitions that are materialized in batches."""

from typing import Literal

from pydantic import Field

from floe_core.names import Identifier, PartitionKey, TagKey, TagValue, WholeNumber
from floe_core.schemas.base import FloeModel, OrUnset, Several


class PartitionRange(FloeModel):
    """Partitions from one key to another, both included."""

    start: PartitionKey = Field(description="First partition key of the range.")
    end: PartitionKey = Field(description="Last partition key of the range, included.")


class BackfillDefinition(FloeModel):
    """Launches a job for many partitions, a batch at a time, once it is switched on."""

    job: Identifier = Field(description="The partitioned job to launch.")
    partition_range: PartitionRange | None = Field(
        default=None, description="First and last partition; either this or `partition_keys`."
    )
    partition_keys: Several[PartitionKey] = Field(
        default=(), description="The partitions one by one, in the order in which they are launched."
    )
    batch_size: WholeNumber = Field(default=10, ge=1, description="How many partitions are in flight at most.")
    on_failure: Literal["stop", "continue"] = Field(
        default="stop", description="Whether a failed partition ends the backfill after its batch."
    )
    description: str | None = Field(default=None, description="What the backfill is for, shown in the Dagster UI.")
    tags: dict[TagKey, OrUnset[TagValue]] = Field(default={}, description="Tags of every run that it launches.")
