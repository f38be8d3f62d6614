"""`orchestration.sensors`: what is launched by events."""

import re
from typing import Annotated, ClassVar, Literal, Self, TypeAlias

from pydantic import BeforeValidator, Field, ValidationInfo, WithJsonSchema, field_validator, model_validator

from floe_core.errors import YamlPath
from floe_core.interpolation import Unset
from floe_core.names.identifiers import DefinitionName, EnvironmentName
from floe_core.names.import_paths import FunctionReference
from floe_core.names.labels import TagKey, TagValue
from floe_core.names.partition_keys import PartitionSelector
from floe_core.names.paths import GlobPattern, LocalPath
from floe_core.names.rules import RuleError
from floe_core.names.scalars import Flag, Number, RegularExpression, Text, WholeNumber
from floe_core.names.selections import SelectionItem
from floe_core.schemas.base import AtLeastOne, FloeModel, OrUnset, PlainMapping, check_unique
from floe_core.suggestions import list_names
from floe_core.templates import Placeholder, TemplateError, parse_template, texts_in


def _read_status(value: object) -> object:
    """Statuses as Dagster writes them, whatever their case."""
    return value.upper().replace("CANCELLED", "CANCELED") if isinstance(value, str) else value


_STATUSES = ("SUCCESS", "FAILURE", "STARTED", "CANCELED")
_IN_ANY_CASE = "|".join(
    "".join(f"[{letter}{letter.lower()}]" for letter in status) for status in (*_STATUSES, "CANCELLED")
)
WatchedStatus: TypeAlias = Annotated[
    Literal["SUCCESS", "FAILURE", "STARTED", "CANCELED"],
    BeforeValidator(_read_status),
    WithJsonSchema({"anyOf": [{"enum": list(_STATUSES)}, {"type": "string", "pattern": f"^({_IN_ANY_CASE})$"}]}),
]
"""Editors offer the statuses as Dagster writes them, and take them as `_read_status` does."""


class _Sensor(FloeModel):
    description: str | None = Field(default=None, description="What the sensor is for, shown in the Dagster UI.")
    enabled: Flag = Field(
        default=True, description="Whether the sensor starts switched on; a switch in the Dagster UI wins afterwards."
    )
    environments: AtLeastOne[EnvironmentName] = Field(
        default=(), description="The only environments in which the sensor exists; all by default."
    )
    poll_interval_seconds: WholeNumber = Field(default=30, ge=1, description="Seconds between two ticks, at least.")


class _LaunchingSensor(_Sensor):
    _launchers: ClassVar[tuple[str, ...]] = ("job", "jobs", "selection")
    _launches_always: ClassVar[bool] = True

    job: DefinitionName | None = Field(default=None, description="The job to launch.")
    jobs: AtLeastOne[DefinitionName] = Field(default=(), description="Several jobs to launch, in place of `job`.")
    selection: AtLeastOne[SelectionItem] = Field(
        default=(), description="Selection items of the assets to launch without a job of their own."
    )
    partition_selector: PartitionSelector | None = Field(
        default=None,
        description="Which partitions of a partitioned job are launched when neither `partition_key` nor the watched "
        "asset says so: `latest` (the default), `all`, `last:N`, `none` or a partition key.",
    )
    tags: dict[TagKey, OrUnset[TagValue]] = Field(default={}, description="Tags of every run that it launches.")
    config: PlainMapping = Field(default={}, description="Run config of every run that it launches.")

    @field_validator("jobs")
    @classmethod
    def _jobs_are_unique(cls, jobs: tuple[str, ...]) -> tuple[str, ...]:
        return check_unique(jobs, "job")

    @field_validator("jobs", "selection", "target_function", check_fields=False)
    @classmethod
    def _one_thing_is_launched(cls, value: object, info: ValidationInfo) -> object:
        earlier = [field for field in cls._launchers if info.data.get(field) and field != info.field_name]
        if value is not None and info.field_name in cls._launchers and earlier:
            raise RuleError(
                f"a sensor has only one of {list_names(cls._launchers)}",
                fix=f"delete '{earlier[0]}' or '{info.field_name}'",
            )
        return value

    @model_validator(mode="after")
    def _something_is_launched(self) -> Self:
        if self._launches_always and not any(getattr(self, field) for field in self._launchers):
            raise RuleError(f"a sensor has one of {list_names(self._launchers)}", fix="say what it launches: job: NAME")
        return self


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

    @field_validator("partition_pattern")
    @classmethod
    def _pattern_has_named_groups(cls, pattern: str | None) -> str | None:
        if pattern is not None and not re.compile(pattern).groupindex:
            raise RuleError("only named groups can be used", fix=r"name a group: (?P<date>\d{4}-\d{2}-\d{2})")
        return pattern

    @model_validator(mode="after")
    def _places_can_be_filled_in(self) -> Self:
        if not (isinstance(self.partition_pattern, Unset) or isinstance(self.batch, Unset)):
            filled_in = {"partition_key": self.partition_key, "config": self.config, "tags": self.tags}
            for path, text in texts_in(filled_in):
                self._check_template(text, path)
        return self

    def _check_template(self, text: str, path: YamlPath) -> None:
        if isinstance(text, Unset):
            return
        try:
            parts = parse_template(text, file_placeholders(self))
        except TemplateError as error:
            is_of_one_file = self.batch == "all" and "{file." in text
            is_of_all_files = self.batch == "per_file" and "{files}" in text
            fix = "write {files}, or batch: per_file" if is_of_one_file else error.fix
            fix = "write {file.path}" if is_of_all_files else fix
            raise RuleError(str(error), fix=fix, at=path) from error
        for part in parts:
            if isinstance(part, Placeholder) and part.format:
                raise RuleError(
                    f"'{{{part.name}:{part.format}}}' asks for a format, and what is filled in is text",
                    fix=f"write {{{part.name}}}",
                    at=path,
                )
            if isinstance(part, Placeholder) and part.name == "files" and path == ("partition_key",):
                raise RuleError(
                    "a run for all files of a tick is for one partition, which no list of files names",
                    fix="write batch: per_file, or a key",
                    at=path,
                )


def file_placeholders(sensor: FileWatcherSensor) -> tuple[str, ...]:
    """What `{…}` may name in the texts of *sensor*."""
    if sensor.batch == "all":
        return ("files",)
    groups = re.compile(sensor.partition_pattern).groupindex if sensor.partition_pattern else ()
    return ("file.path", "file.name", "file.stem", *groups)


class AssetSensor(_LaunchingSensor):
    """Starts its job when watched assets were materialized."""

    type: Literal["asset_sensor"] = Field(description="Starts its job when watched assets were materialized.")
    watched_assets: AtLeastOne[SelectionItem] = Field(
        description="Selection items of the assets to watch, external ones too. What is materialized after the sensor "
        "was switched on for the first time counts, but for what its own runs materialize."
    )
    trigger: Literal["any", "all"] = Field(
        default="any", description="Whether any watched asset is enough, or each must be new since the last launch."
    )


class RunStatusSensor(_LaunchingSensor):
    """Starts its job, or calls its function, when a run reaches a status."""

    _launchers: ClassVar[tuple[str, ...]] = ("job", "jobs", "selection", "target_function")

    type: Literal["run_status"] = Field(description="Starts its job when a run reaches a status.")
    watched_jobs: AtLeastOne[DefinitionName] = Field(
        default=(),
        description="Jobs whose runs are watched; every run of the code location by default. Runs that the sensor led "
        "to never count.",
    )
    status: WatchedStatus = Field(description="Status that is waited for; taken in lower case and as CANCELLED, too.")
    target_function: FunctionReference | None = Field(
        default=None,
        description="Function that is called with the run's context instead of launching a job, for alerts. Where it "
        "fails it is called again after 1, 5, 15 and 60 minutes.",
    )

    @model_validator(mode="after")
    def _a_call_launches_nothing(self) -> Self:
        if self.target_function is not None:
            for field in ("partition_selector", "tags", "config"):
                if getattr(self, field):
                    raise RuleError(
                        "a sensor that calls a function launches no run",
                        fix=f"delete '{field}', or name a job in place of 'target_function'",
                        at=(field,),
                    )
        return self


class CustomSensor(_LaunchingSensor):
    """Calls a function at every tick, which says what to launch."""

    _launches_always: ClassVar[bool] = False

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
    selection: AtLeastOne[SelectionItem] = Field(
        description="Selection items of the assets whose automation conditions it evaluates."
    )
    run_tags: dict[TagKey, OrUnset[TagValue]] = Field(default={}, description="Tags of every run that it launches.")


SensorDefinition: TypeAlias = Annotated[
    FileWatcherSensor | AssetSensor | RunStatusSensor | CustomSensor | AutomationSensor, Field(discriminator="type")
]
