"""`orchestration.sensors`: what is launched by events."""

from typing import Annotated, Literal, TypeAlias

from pydantic import Field

from floe_core.names import (
    EnvironmentName,
    FunctionReference,
    GlobPattern,
    Identifier,
    LocalPath,
    Number,
    RegularExpression,
    SelectionItem,
    TagKey,
    TagValue,
    Text,
    WholeNumber,
)
from floe_core.schemas.base import FloeModel, OrUnset, PlainMapping, Several


class _Sensor(FloeModel):
    description: str | None = Field(default=None, description="What the sensor is for, shown in the Dagster UI.")
    enabled: bool = Field(
        default=True, description="Whether the sensor starts switched on; a switch in the Dagster UI wins afterwards."
    )
    environments: Several[EnvironmentName] = Field(
        default=(), description="The only environments in which the sensor exists; all by default."
    )
    poll_interval_seconds: WholeNumber = Field(default=30, ge=1, description="Seconds between two ticks, at least.")


class _LaunchingSensor(_Sensor):
    job: Identifier | None = Field(default=None, description="The job to launch.")
    jobs: Several[Identifier] = Field(default=(), description="Several jobs to launch, in place of `job`.")
    selection: Several[SelectionItem] = Field(
        default=(), description="Selection items of the assets to launch without a job of their own."
    )
    partition_selector: Text | None = Field(
        default=None,
        description="Which partitions of a partitioned job are launched when neither `partition_key` nor the watched "
        "asset says so: `latest` (the default), `all`, `last:N`, `none` or a partition key.",
    )
    tags: dict[TagKey, OrUnset[TagValue]] = Field(default={}, description="Tags of every run that it launches.")
    config: PlainMapping = Field(default={}, description="Run config of every run that it launches.")


class FileWatcherSensor(_LaunchingSensor):
    """Starts its job once for each settled version of each file that matches."""

    type: Literal["file_watcher"] = Field(description="Starts its job once for each new or changed file.")
    path: LocalPath = Field(description="Folder to watch, relative to floe.yaml; local paths only.")
    pattern: GlobPattern = Field(
        default="*", description="Which files count, as a glob below the folder; `**` is allowed."
    )
    batch: Literal["per_file", "all"] = Field(
        default="per_file", description="One run for each file, or one for all files of a tick."
    )
    settle_seconds: Number = Field(default=5, ge=0, description="Seconds without a change before a file counts.")
    max_files_per_tick: WholeNumber = Field(default=100, ge=1, description="How many files one tick takes at most.")
    existing: Literal["process", "ignore"] = Field(
        default="process", description="What becomes of the files that are there when the sensor first runs."
    )
    partition_pattern: RegularExpression | None = Field(
        default=None,
        description="Regular expression over the file's path below the folder; its named groups can be used in "
        "`partition_key`, `config` and `tags`.",
    )
    partition_key: Text | None = Field(
        default=None, description="Partition that a file's run is for, such as `{file.stem}` or a group `{date}`."
    )


class AssetSensor(_LaunchingSensor):
    """Starts its job when watched assets were materialized."""

    type: Literal["asset_sensor"] = Field(description="Starts its job when watched assets were materialized.")
    watched_assets: Several[SelectionItem] = Field(min_length=1, description="Selection items of the assets to watch.")
    trigger: Literal["any", "all"] = Field(
        default="any", description="Whether any watched asset is enough, or each must be new since the last launch."
    )


class RunStatusSensor(_LaunchingSensor):
    """Starts its job, or calls its function, when a run reaches a status."""

    type: Literal["run_status"] = Field(description="Starts its job when a run reaches a status.")
    watched_jobs: Several[Identifier] = Field(
        default=(), description="Jobs whose runs are watched; every run of the code location by default."
    )
    status: Literal["SUCCESS", "FAILURE", "STARTED", "CANCELED"] = Field(description="Status that is waited for.")
    target_function: FunctionReference | None = Field(
        default=None, description="Function that is called instead of launching a job, for alerts."
    )


class CustomSensor(_LaunchingSensor):
    """Calls a function at every tick, which says what to launch."""

    type: Literal["custom"] = Field(description="Calls a function at every tick, which says what to launch.")
    target_function: FunctionReference = Field(
        description="The function by its import path, called as `fn(context, **args)`."
    )
    args: PlainMapping = Field(
        default={}, description="Arguments by parameter name; Dagster may show them, so no secrets."
    )


class AutomationSensor(_Sensor):
    """Evaluates the automation conditions of a part of the assets, in place of Dagster's default sensor."""

    type: Literal["automation"] = Field(description="Evaluates the automation conditions of a part of the assets.")
    selection: Several[SelectionItem] = Field(
        min_length=1, description="Selection items of the assets whose automation conditions it evaluates."
    )
    run_tags: dict[TagKey, OrUnset[TagValue]] = Field(default={}, description="Tags of every run that it launches.")


SensorDefinition: TypeAlias = Annotated[
    FileWatcherSensor | AssetSensor | RunStatusSensor | CustomSensor | AutomationSensor, Field(discriminator="type")
]
