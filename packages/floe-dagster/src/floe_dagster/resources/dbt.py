"""The resource `dbt`: how assets, ops and sensors run dbt commands on the project."""

import shutil
import sys
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import dagster as dg
from pydantic import Field

from floe_core.errors import LoadError, Problem

if TYPE_CHECKING:
    from dagster_dbt import DagsterDbtTranslator
    from dagster_dbt.dbt_manifest import DbtManifestParam

    from floe_dagster.dbt_cli import FloeDbtCliResource, FloeDbtInvocation


class DbtResource(dg.ConfigurableResource["FloeDbtCliResource"]):
    """Runs dbt commands on the project with its target, profile and vars.

    Assets and ops that ask for it get dagster-dbt's `DbtCliResource`, by that annotation, this one or none. dagster-dbt
    is imported then, not before.
    """

    project_dir: str = Field(description="Folder of dbt_project.yml.")
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

    @cached_property
    def client(self) -> "FloeDbtCliResource":
        """dagster-dbt's resource."""
        from floe_dagster.dbt_cli import FloeDbtCliResource  # noqa: PLC0415 - imports dbt

        return FloeDbtCliResource(dbt_executable=find_dbt(), **dict(self))

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


def find_dbt() -> str:
    """The dbt of this Python environment, else the one on the path.

    Raises:
        LoadError: There is none.
    """
    beside_python = Path(sys.executable).with_name("dbt")
    found = str(beside_python) if beside_python.is_file() else shutil.which("dbt")
    if found is None:
        raise LoadError(
            Problem(
                code="FLOE-325",
                what="dbt is not installed",
                why=f"there is no command 'dbt' beside {sys.executable} nor on the path",
                fix="install dbt-core and the adapter of your database, such as dbt-duckdb, into this environment",
            )
        )
    return found
