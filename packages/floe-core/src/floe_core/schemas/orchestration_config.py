"""`orchestration`: everything that becomes a Dagster object."""

from typing import Annotated, Literal

from pydantic import Field, ValidationInfo, field_validator

from floe_core.names.identifiers import DefinitionName, GroupName, Identifier, KeyPrefix
from floe_core.names.import_paths import FunctionReference, ModuleReference
from floe_core.names.paths import LocalPath
from floe_core.names.rules import RuleError
from floe_core.names.scalars import Text
from floe_core.names.selections import AssetGlob
from floe_core.partition_places import check_places
from floe_core.schemas.asset_config import AssetConfig
from floe_core.schemas.backfill_definition import BackfillDefinition
from floe_core.schemas.base import EmptySection, FloeModel, OrUnset, PlainMapping, Several, Shorthand
from floe_core.schemas.job_definition import JobDefinition
from floe_core.schemas.partition_definition import PartitionDefinition
from floe_core.schemas.schedule_definition import ScheduleDefinition
from floe_core.schemas.sensor_definition import SensorDefinition


class AssetModule(FloeModel):
    """A module, or all modules of a package, whose Dagster objects are loaded."""

    module: ModuleReference = Field(
        description="Import path: absolute, `.relative` to the project folder, or `package.*` for all modules below."
    )
    group_name: GroupName | None = Field(default=None, description="Group of the assets that name none themselves.")
    key_prefix: Several[KeyPrefix] = Field(default=(), description="Parts put before the asset keys of the module.")


class DbtConfig(FloeModel):
    """The dbt project whose models become assets."""

    manifest_path: LocalPath = Field(
        default="target/manifest.json",
        description="The manifest; a relative path is tried in the project folder, then in `project_dir`.",
    )
    project_dir: LocalPath | None = Field(
        default=None, description="Folder of dbt_project.yml; by default it follows from the manifest's place."
    )
    profiles_dir: LocalPath | None = Field(
        default=None,
        description="Folder of your own profiles.yml; by default a profile is generated from platform.yaml.",
    )
    target: Text | None = Field(default=None, description="dbt target of every dbt call.")
    observability_level: Literal["per_model", "job_level"] = Field(
        default="per_model",
        description="Whether each model has its own span and lineage events, or a dbt call as a whole.",
    )
    select: Several[str] = Field(default=(), description="Which nodes become assets, in dbt's own selection syntax.")
    exclude: Several[str] = Field(default=(), description="Which nodes do not, in dbt's own selection syntax.")
    selector: str | None = Field(default=None, description="Name of a dbt YAML selector, in place of `select`.")
    vars: PlainMapping = Field(
        default={},
        description="dbt vars; `{partition_key}`, `{partition_start:%Y-%m-%d}` and so on are filled in by run.",
    )
    translator: FunctionReference | None = Field(
        default=None, description="Subclass of DagsterDbtTranslator by its import path, `package.module.Class`."
    )
    fetch: Several[Literal["row_counts", "column_metadata"]] = Field(
        default=(), description="What is asked of the database after each model; every entry costs a query."
    )

    @field_validator("selector")
    @classmethod
    def _selector_stands_alone(cls, selector: str | None, info: ValidationInfo) -> str | None:
        given = [field for field in ("select", "exclude") if info.data.get(field)]
        if selector is not None and given:
            raise RuleError(
                f"dbt takes a selector in place of {' and '.join(given)}, not beside",
                fix="delete 'selector', or all others",
            )
        return selector

    @field_validator("vars")
    @classmethod
    def _places_can_be_filled_in(cls, dbt_vars: dict[str, object]) -> dict[str, object]:
        check_places(dbt_vars)
        return dbt_vars


class OrchestrationConfig(FloeModel):
    """Assets, jobs, schedules, sensors, partitions and backfills of the project."""

    asset_modules: Several[Annotated[AssetModule, Shorthand("module")]] = Field(
        default=(), description="Python modules whose assets and other Dagster objects are loaded."
    )
    dbt: DbtConfig | None = Field(default=None, description="The dbt project whose models become assets.")
    partitions: Annotated[dict[Identifier, OrUnset[PartitionDefinition]], EmptySection] = Field(
        default={}, description="Partitions definitions by name."
    )
    assets: Annotated[dict[AssetGlob, OrUnset[AssetConfig]], EmptySection] = Field(
        default={}, description="Settings of assets by a pattern over their keys; later patterns win."
    )
    jobs: Annotated[dict[DefinitionName, OrUnset[JobDefinition]], EmptySection] = Field(
        default={}, description="Jobs by name."
    )
    schedules: Annotated[dict[DefinitionName, OrUnset[ScheduleDefinition]], EmptySection] = Field(
        default={}, description="Schedules by name."
    )
    sensors: Annotated[dict[DefinitionName, OrUnset[SensorDefinition]], EmptySection] = Field(
        default={}, description="Sensors by name."
    )
    backfills: Annotated[dict[DefinitionName, OrUnset[BackfillDefinition]], EmptySection] = Field(
        default={}, description="Backfills by name."
    )

    @field_validator("dbt", mode="before")
    @classmethod
    def _dbt_says_something(cls, dbt: object) -> object:
        if dbt is None:
            raise RuleError(
                "an empty section could mean no dbt, or dbt as it is", fix="write dbt: {}, or delete the key"
            )
        return dbt
