"""floe.yaml as a whole."""

from collections.abc import Mapping
from typing import Literal

from pydantic import Field, field_validator, model_validator

from floe_core.names.identifiers import ProfileName, ProjectName
from floe_core.names.paths import LocalPath
from floe_core.names.rules import RuleError
from floe_core.names.scalars import Text
from floe_core.schemas.base import FloeModel, Several
from floe_core.schemas.orchestration_config import OrchestrationConfig


class Transform(FloeModel):
    """A dbt project, as `orchestration.dbt` names it."""

    type: Literal["dbt"] = Field(description="What kind of project it is.")
    path: LocalPath = Field(default=".", description="Folder of dbt_project.yml, relative to floe.yaml.")
    target: Text | None = Field(default=None, description="dbt target of every dbt call.")


class FloeSpec(FloeModel):
    """Everything that floe.yaml says."""

    name: ProjectName | None = Field(default=None, description="Name of the project; the folder's name by default.")
    version: Text | None = Field(default=None, description="Version of the project, for people.")
    storage: ProfileName = Field(default="default", description="Storage profile of platform.yaml.")
    catalog: ProfileName = Field(default="default", description="Catalog profile of platform.yaml.")
    compute: ProfileName = Field(default="default", description="Compute profile of platform.yaml, for dbt.")
    transforms: Several[Transform] = Field(default=(), description="The dbt project of this project.")
    orchestration: OrchestrationConfig = Field(description="What Dagster loads and runs.")

    @field_validator("transforms")
    @classmethod
    def _project_is_one(cls, transforms: tuple[Transform, ...]) -> tuple[Transform, ...]:
        if len(transforms) > 1:
            raise RuleError("a project has one dbt project", fix="give each a floe.yaml of its own", at=(1,))
        return transforms

    @model_validator(mode="before")
    @classmethod
    def _leave_out_notes(cls, value: object) -> object:
        return without_notes(value)


def without_notes(value: object) -> object:
    """The document without its `x-…` keys, which are the author's own."""
    if not isinstance(value, Mapping):
        return value
    return {key: item for key, item in value.items() if not str(key).startswith("x-")}
