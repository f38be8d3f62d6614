"""`orchestration.jobs`: what is launched together."""

from typing import Annotated, Literal, TypeAlias

from pydantic import Field, ValidationInfo, field_validator

from floe_core.names.identifiers import ProfileName
from floe_core.names.import_paths import FunctionReference
from floe_core.names.labels import TagKey, TagValue
from floe_core.names.rules import RuleError
from floe_core.names.scalars import Number, WholeNumber
from floe_core.names.selections import ExcludedItem, SelectionItem
from floe_core.schemas.base import AtLeastOne, FloeModel, OrUnset, PlainMapping, Several, Shorthand


class RetryPolicy(FloeModel):
    """How often and after what time a failed step is tried again."""

    max_retries: WholeNumber = Field(default=1, ge=0, description="How many times a failed step is tried again.")
    delay: Number | None = Field(default=None, ge=0, description="Seconds before the first retry.")
    backoff: Literal["linear", "exponential"] | None = Field(
        default=None, description="How the delay grows from retry to retry; it stays the same by default."
    )
    jitter: Literal["full", "plus_minus"] | None = Field(
        default=None, description="Random part of the delay: anywhere up to it, or around it; none by default."
    )

    @field_validator("backoff", "jitter")
    @classmethod
    def _there_is_a_delay(cls, value: object, info: ValidationInfo) -> object:
        if value is not None and info.data.get("delay", 0) is None:
            raise RuleError("it changes the delay between retries, and there is none", fix="add delay: 10 (seconds)")
        return value


class Hook(FloeModel):
    """A function called when a step of the job ends."""

    target_function: FunctionReference = Field(
        description="A Dagster hook, or a function that takes the hook's context."
    )
    on: Literal["success", "failure"] | None = Field(
        default=None, description="Which end of a step calls a plain function; a Dagster hook knows by itself."
    )


class _Job(FloeModel):
    description: str | None = Field(default=None, description="What the job is for, shown in the Dagster UI.")
    tags: dict[TagKey, OrUnset[TagValue]] = Field(default={}, description="Tags of the job and of every run of it.")


class BatchJob(_Job):
    """Materializes the assets that it selects."""

    type: Literal["batch"] = Field(description="Materializes the assets that it selects.")
    selection: AtLeastOne[SelectionItem] = Field(
        description="Selection items whose assets are united, such as `group:bronze` or `+orders`."
    )
    exclude: Several[ExcludedItem] = Field(default=(), description="Selection items whose assets are taken away again.")
    config: PlainMapping = Field(default={}, description="Run config, as the Launchpad shows it.")
    executor: ProfileName | None = Field(
        default=None, description="Execution profile of platform.yaml, or `in_process` or `multiprocess`."
    )
    max_retries: WholeNumber | None = Field(
        default=None, ge=0, description="How many times a failed run is launched again."
    )
    max_runtime_seconds: WholeNumber | None = Field(
        default=None, ge=1, description="Seconds after which a run is stopped and counts as failed."
    )
    hooks: Several[Annotated[Hook, Shorthand("target_function")]] = Field(
        default=(), description="Functions that Dagster calls when a step of the job succeeds or fails."
    )


class OpsJob(_Job):
    """Runs one function."""

    type: Literal["ops"] = Field(description="Runs one function.")
    target_function: FunctionReference = Field(
        description="The function, op or graph by its import path, such as `shop.ops.vacuum`."
    )
    args: PlainMapping = Field(
        default={}, description="Arguments by parameter name; Dagster stores and shows them, so no secrets."
    )
    retry_policy: RetryPolicy | None = Field(default=None, description="Retries of the function within a run.")


JobDefinition: TypeAlias = Annotated[BatchJob | OpsJob, Field(discriminator="type")]
