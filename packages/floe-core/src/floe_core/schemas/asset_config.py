"""`orchestration.assets`: settings for the assets whose keys match a pattern."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Annotated, Literal, TypeAlias

from pydantic import AfterValidator, BaseModel, Discriminator, Field, Tag, ValidationInfo, field_validator

from floe_core.automation.parser import parse_expression
from floe_core.cron import parse_cron, smallest_interval
from floe_core.names.identifiers import GroupName, Identifier
from floe_core.names.import_paths import FunctionReference
from floe_core.names.labels import AssetTagValue, Kind, Owner, PoolName, TagKey
from floe_core.names.rules import RuleError
from floe_core.names.scalars import Text, WholeNumber
from floe_core.names.times import CronExpression, Duration, TimeZone, format_duration
from floe_core.schemas.base import FloeModel, OrUnset, PlainMapping, Several, Shorthand, known
from floe_core.schemas.job_definition import RetryPolicy


class ConditionFunction(FloeModel):
    """A function that returns the automation condition."""

    target_function: FunctionReference = Field(description="Function without arguments that returns a condition.")


class BackfillPolicy(FloeModel):
    """How many partitions one run of an asset takes when many are launched."""

    type: Literal["single_run", "multi_run"] = Field(description="One run for a whole range, or one for each batch.")
    max_partitions_per_run: WholeNumber | None = Field(
        default=None, ge=1, description="How many partitions one run of `multi_run` takes at most; 1 by default."
    )

    @field_validator("max_partitions_per_run")
    @classmethod
    def _single_run_takes_all(cls, value: int | None, info: ValidationInfo) -> int | None:
        if value is not None and info.data.get("type") == "single_run":
            raise RuleError(
                "one run takes the whole range with 'single_run'", fix="write type: multi_run, or delete it"
            )
        return value


class WindowFreshness(FloeModel):
    """The asset must have been materialized within a length of time."""

    fail_after: Duration = Field(description="Age after which the asset counts as stale, such as `24h`.")
    warn_after: Duration | None = Field(default=None, description="Age after which the asset is marked, such as `12h`.")

    @field_validator("fail_after", "warn_after")
    @classmethod
    def _age_is_a_minute(cls, age: timedelta | None) -> timedelta | None:
        return _check_minute(age)

    @field_validator("warn_after")
    @classmethod
    def _warning_comes_first(cls, age: timedelta | None, info: ValidationInfo) -> timedelta | None:
        fail_after = known(info, "fail_after")
        if age is not None and isinstance(fail_after, timedelta) and age >= fail_after:
            raise RuleError(
                f"the warning comes before the failure, which is after {format_duration(fail_after)}",
                fix="write a shorter time",
            )
        return age


class CronFreshness(FloeModel):
    """The asset must have been materialized shortly before every tick."""

    cron: CronExpression = Field(description="When the asset must be fresh.")
    lower_bound: Duration = Field(description="How long before a tick a materialization counts for it, such as `6h`.")
    timezone: TimeZone = Field(default="UTC", description="Time zone of the cron expression, by its IANA name.")

    @field_validator("lower_bound")
    @classmethod
    def _bound_lies_between_ticks(cls, bound: timedelta, info: ValidationInfo) -> timedelta:
        _check_minute(bound)
        cron = known(info, "cron")
        shortest = smallest_interval(parse_cron(cron)) if isinstance(cron, str) else timedelta.max
        if bound > shortest:
            raise RuleError(
                f"it is at most the shortest time between two ticks, which is {format_duration(shortest)} for '{cron}'",
                fix=f"write '{format_duration(shortest)}' or less",
            )
        return bound


def _check_minute(age: timedelta | None) -> timedelta | None:
    if age is not None and age < timedelta(minutes=1):
        raise RuleError("Dagster checks freshness by the minute, so it is at least 1m", fix="write '1m' or more")
    return age


def _condition_form(value: object) -> str:
    return "function" if isinstance(value, Mapping | BaseModel) else "expression"


def _refuse_blank(text: str) -> str:
    if not text.strip():
        raise RuleError("the text is empty", fix="leave the key out")
    return text


def _check_expression(text: str) -> str:
    parse_expression(text)
    return text


def _freshness_form(value: object) -> str:
    by_cron = "cron" in value if isinstance(value, Mapping) else isinstance(value, CronFreshness)
    return "cron" if by_cron else "window"


def _column_form(value: object) -> str:
    return "dimensions" if isinstance(value, Mapping) else "column"


AutomationCondition: TypeAlias = Annotated[
    Annotated[str, AfterValidator(_refuse_blank), AfterValidator(_check_expression), Tag("expression")]
    | Annotated[ConditionFunction, Tag("function")],
    Discriminator(_condition_form),
]
Freshness: TypeAlias = Annotated[
    Annotated[WindowFreshness, Tag("window")] | Annotated[CronFreshness, Tag("cron")], Discriminator(_freshness_form)
]
PartitionColumn: TypeAlias = Annotated[
    Annotated[str, AfterValidator(_refuse_blank), Tag("column")]
    | Annotated[dict[str, OrUnset[str]], Tag("dimensions")],
    Discriminator(_column_form),
]


class AssetConfig(FloeModel):
    """Settings of all assets that one pattern matches; what is left out stays as the code has it.

    A later pattern overrides field by field; `null` takes back what an earlier one sets.
    """

    partitions: Identifier | None = Field(default=None, description="Name of the partitions definition.")
    partition_column: PartitionColumn | None = Field(
        default=None, description="Column that holds the partition, or a mapping from dimension to column."
    )
    automation_condition: AutomationCondition | None = Field(
        default=None,
        description="When the assets are launched on their own: `eager`, `on_missing`, `on_cron`, an expression over "
        "Dagster's conditions, or a function that returns one.",
    )
    backfill_policy: Annotated[BackfillPolicy, Shorthand("type", choices=("single_run", "multi_run"))] | None = Field(
        default=None, description="How many partitions one run takes when many are launched."
    )
    config: PlainMapping | None = Field(
        default=None, description="Default run config of the assets' ops; what a run is launched with overrides it."
    )
    group_name: GroupName | None = Field(default=None, description="Group of the assets.")
    compute_kind: Kind | None = Field(
        default=None, description="What the assets are computed with, added to their kinds."
    )
    kinds: Several[Kind] | None = Field(
        default=None, max_length=10, description="Kinds shown on the assets, in place of those of the code."
    )
    owners: Several[Owner] | None = Field(default=None, description="Owners: email addresses or `team:name`.")
    tags: dict[TagKey, OrUnset[AssetTagValue]] | None = Field(
        default=None, description="Tags of the assets, in place of those of the code."
    )
    metadata: PlainMapping | None = Field(
        default=None, description="Metadata of the assets, entry by entry beside that of the code."
    )
    description: str | None = Field(default=None, description="What the assets are.")
    code_version: Text | None = Field(default=None, description="Version of the code that computes the assets.")
    pool: PoolName | None = Field(default=None, description="Concurrency pool that the assets' steps take a slot of.")
    retry_policy: RetryPolicy | None = Field(default=None, description="Retries of the assets' steps within a run.")
    freshness: Freshness | None = Field(
        default=None, description="How old the assets may get, by age or by a cron expression."
    )
