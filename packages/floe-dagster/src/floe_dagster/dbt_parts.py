"""The dbt project of a floe project: its assets, and the resource that builds them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import dagster as dg

from floe_core.compiler.artifacts import CompiledArtifacts
from floe_core.project import ProjectFolder
from floe_core.schemas.floe_spec import FloeSpec
from floe_dagster.compilation import find_dbt_index
from floe_dagster.dbt.index import DbtIndex
from floe_dagster.dbt.project import effective_dbt, load_dbt_project
from floe_dagster.loaders.dbt_loader import LoadedDbt, load_dbt_assets
from floe_dagster.profiles import Profiles, dbt_profile
from floe_dagster.resources.dbt import DbtResource, build_dbt_resource
from floe_dagster.selection.asset_index import KeyPath
from floe_dagster.user_code.module_contents import Asset, specs_of


@dataclass(frozen=True)
class DbtParts:
    """What a dbt project adds to the definitions; nothing for a project without dbt."""

    assets: Sequence[dg.AssetsDefinition] = ()
    external: Sequence[dg.AssetSpec] = ()
    tables: Mapping[str, dg.AssetKey] = field(default_factory=dict)
    origins: Mapping[KeyPath, str] = field(default_factory=dict)
    resource: DbtResource | None = None
    python_sources: Sequence[str] = ()
    """Names of the sources that Python assets write, `bronze.customers`."""


def load_dbt_parts(
    spec: FloeSpec,
    artifacts: CompiledArtifacts,
    *,
    project: ProjectFolder,
    profiles: Profiles,
    python_assets: Sequence[Asset],
    is_step: bool,
) -> DbtParts:
    """Build what the dbt project of *spec* adds.

    Args:
        spec: floe.yaml.
        artifacts: What was compiled.
        project: The project folder.
        profiles: What dbt runs on.
        python_assets: Everything else in the definitions.
        is_step: Whether this process only carries out a step: the process that started the run has looked whether the
            artifacts are current, and nothing here is shown in the UI.

    Raises:
        FloeError: The target was not compiled, or something of dbt has changed since.
    """
    dbt = effective_dbt(spec)
    if dbt is None:
        return DbtParts()
    index = find_dbt_index(artifacts, dbt, project=project, check_current=not is_step)
    dbt_dir = project.path / index.project_dir if index.project_dir is not None else None
    profile = dbt_profile(
        dbt, profiles, project=project, dbt_project=load_dbt_project(dbt_dir) if dbt_dir is not None else None
    )
    loaded = load_dbt_assets(
        dbt,
        index,
        project_dir=project.path,
        names=profile.names,
        python_assets=python_assets,
        with_details=not is_step,
    )
    return DbtParts(
        assets=loaded.assets,
        external=loaded.external_assets,
        tables=loaded.tables,
        origins=loaded.origins,
        resource=build_dbt_resource(
            dbt,
            index,
            profile=profile,
            project_dir=project.path,
            floe_dir=project.floe_dir,
            source_keys=loaded.source_keys,
        ),
        python_sources=_python_sources(index, loaded, python_assets),
    )


def _python_sources(index: DbtIndex, loaded: LoadedDbt, python_assets: Sequence[Asset]) -> list[str]:
    keys = {tuple(spec.key.path) for spec in specs_of(python_assets)}
    return [
        ".".join(source.unique_id.split(".")[2:])
        for source in index.sources
        if source.unique_id in loaded.source_keys or source.key in keys
    ]
