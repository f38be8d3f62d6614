"""The resource `dbt`: how assets, ops and sensors run dbt commands on the project."""

from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import dagster as dg
from pydantic import Field

from floe_core.errors import ManifestError
from floe_core.schemas.orchestration_config import DbtConfig
from floe_dagster.dbt.connection import DbtProfile, find_dbt
from floe_dagster.dbt.deferred import missing_project_problem
from floe_dagster.dbt.files import dbt_folder
from floe_dagster.dbt.index import DbtIndex

if TYPE_CHECKING:
    from dagster_dbt import DagsterDbtTranslator
    from dagster_dbt.dbt_manifest import DbtManifestParam

    from floe_dagster.dbt.cli import FloeDbtCliResource
    from floe_dagster.dbt.invocation import FloeDbtInvocation


class DbtResource(dg.ConfigurableResource["FloeDbtCliResource"]):
    """Runs dbt commands on the project with its target, profile and vars.

    Assets and ops that ask for it get dagster-dbt's `DbtCliResource`, by that annotation, this one or none. dagster-dbt
    is imported then, not before.
    """

    project_dir: str | None = Field(default=None, description="Folder of dbt_project.yml.")
    manifest_path: str = Field(description="The manifest that the assets were made from.")
    state_dir: str = Field(description="Folder in which dbt may write; each call gets a folder of its own there.")
    partial_parse: str | None = Field(default=None, description="The parsed project as `floe compile` left it.")
    parse_digest: str = Field(default="", description="Digest of what was compiled.")
    profiles_dir: str | None = Field(default=None, description="Folder of profiles.yml.")
    profile: str | None = Field(default=None, description="Profile in profiles.yml.")
    target: str | None = Field(default=None, description="Target of every dbt call.")
    vars: dict[str, Any] = Field(default={}, description="Vars of every dbt call.")
    secrets: dict[str, str] = Field(
        default={}, description="Environment variable that the profile reads → name of the secret."
    )
    source_keys: dict[str, list[str]] = Field(
        default={}, description="Unique id of a dbt source → key of the asset that it is."
    )

    def create_resource(self, context: dg.InitResourceContext) -> "FloeDbtCliResource":  # noqa: ARG002 - Dagster's hook
        """The resource as assets and ops get it."""
        return self.client

    def teardown_after_execution(self, context: dg.InitResourceContext) -> None:  # noqa: ARG002 - Dagster's hook
        """End what a step has started and left running, such as one that was interrupted."""
        if "client" in self.__dict__:
            self.client.end_all()

    @cached_property
    def client(self) -> "FloeDbtCliResource":
        """dagster-dbt's resource."""
        if self.project_dir is None:
            raise ManifestError(missing_project_problem(Path(self.manifest_path)))
        from floe_dagster.dbt.cli import FloeDbtCliResource  # noqa: PLC0415 - imports dbt

        return FloeDbtCliResource(dbt_executable=find_dbt(), **{**dict(self), "project_dir": self.project_dir})

    def cli(
        self,
        args: Sequence[str],
        *,
        raise_on_error: bool = True,
        manifest: "DbtManifestParam | None" = None,
        dagster_dbt_translator: "DagsterDbtTranslator | None" = None,
        context: dg.OpExecutionContext | dg.AssetExecutionContext | None = None,
        target_path: Path | None = None,
    ) -> "FloeDbtInvocation":
        """Start a dbt command, as dagster-dbt's `DbtCliResource.cli`."""
        return self.client.cli(
            args,
            raise_on_error=raise_on_error,
            manifest=manifest,
            dagster_dbt_translator=dagster_dbt_translator,
            context=context,
            target_path=target_path,
        )


def build_dbt_resource(
    dbt: DbtConfig,
    index: DbtIndex,
    *,
    profile: DbtProfile,
    project_dir: Path,
    floe_dir: Path,
    source_keys: Mapping[str, dg.AssetKey] = MappingProxyType({}),
) -> DbtResource:
    """The resource for a compiled project.

    Args:
        dbt: `orchestration.dbt`.
        index: What was compiled for the target.
        profile: The connection of every dbt call.
        project_dir: The project folder, to which the paths of the index refer.
        floe_dir: Its `.floe`; where that is read-only, dbt writes to a temporary folder.
        source_keys: Of `LoadedDbt`.
    """
    folder = dbt_folder(floe_dir, profile.target)
    return DbtResource(
        project_dir=str((project_dir / index.project_dir).resolve()) if index.project_dir is not None else None,
        manifest_path=str((project_dir / index.manifest_path).resolve()),
        state_dir=str(folder.state.resolve()),
        partial_parse=str(folder.partial_parse.resolve()),
        parse_digest=index.manifest_digest,
        profiles_dir=str(profile.profiles_dir),
        profile=profile.profile,
        target=profile.target,
        vars=dict(dbt.vars),
        secrets=dict(profile.secrets),
        source_keys={unique_id: list(key.path) for unique_id, key in source_keys.items()},
    )
