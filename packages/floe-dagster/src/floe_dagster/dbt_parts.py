"""The dbt project of a floe project: its assets, and the resource that builds them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import dagster as dg

from floe_core.compiler.artifacts import CompiledArtifacts
from floe_core.errors import Location, Problem
from floe_core.project import ProjectFolder
from floe_core.schemas.floe_spec import FloeSpec
from floe_core.schemas.orchestration_config import DbtConfig
from floe_core.source_map import SourceMap
from floe_dagster.asset_settings.op_fields import OpSettings
from floe_dagster.asset_settings.patterns import KeySettings, SettingPlace
from floe_dagster.asset_settings.spec_fields import SpecSettings
from floe_dagster.compilation import find_dbt_index
from floe_dagster.dbt.connection import DbtProfile
from floe_dagster.dbt.index import DbtIndex, RelationNames
from floe_dagster.dbt.partition_checks import check_partitions
from floe_dagster.dbt.project import DbtProjectFolder, effective_dbt, load_dbt_project
from floe_dagster.loaders.dbt_loader import LoadedDbt, load_dbt_assets
from floe_dagster.observability.settings import OwnProfile
from floe_dagster.profiles import Profiles, dbt_profile
from floe_dagster.resources.dbt import DbtResource, build_dbt_resource
from floe_dagster.selection.asset_index import KeyPath
from floe_dagster.user_code.module_contents import Asset, specs_of


@dataclass(frozen=True)
class DbtParts:
    """What a dbt project adds to the definitions; nothing for a project without dbt."""

    assets: Sequence[dg.AssetsDefinition] = ()
    checks: Sequence[dg.AssetChecksDefinition] = ()
    external: Sequence[dg.AssetSpec] = ()
    tables: Mapping[str, dg.AssetKey] = field(default_factory=dict)
    origins: Mapping[KeyPath, str] = field(default_factory=dict)
    resource: DbtResource | None = None
    python_sources: Sequence[str] = ()
    """Names of the sources that Python assets write, `bronze.customers`."""
    index: DbtIndex | None = None
    names: RelationNames | None = None
    source_keys: Mapping[str, dg.AssetKey] = field(default_factory=dict)
    """Unique id of a source → its asset, where that is not the one dagster-dbt would name."""
    own_profile: OwnProfile | None = None


@dataclass(frozen=True)
class CompiledDbt:
    """A dbt project as floe.yaml names it and as it was compiled."""

    config: DbtConfig
    index: DbtIndex


def find_compiled_dbt(
    spec: FloeSpec, artifacts: CompiledArtifacts, *, project: ProjectFolder, is_step: bool
) -> CompiledDbt | None:
    """What was compiled of the dbt project of *spec*; None without one.

    Args:
        spec: floe.yaml.
        artifacts: What was compiled.
        project: The project folder.
        is_step: Whether this process only carries out a step: the process that started the run has looked whether the
            artifacts are current.

    Raises:
        FloeError: The target was not compiled, or something of dbt has changed since.
    """
    dbt = effective_dbt(spec)
    if dbt is None:
        return None
    return CompiledDbt(dbt, find_dbt_index(artifacts, dbt, project=project, check_current=not is_step))


def load_dbt_parts(
    compiled: CompiledDbt | None,
    *,
    project: ProjectFolder,
    profiles: Profiles,
    python_assets: Sequence[Asset],
    settings: SpecSettings,
    source: SourceMap,
    is_step: bool,
) -> DbtParts:
    """Build what a dbt project adds.

    Args:
        compiled: The dbt project.
        project: The project folder.
        profiles: What dbt runs on.
        python_assets: Everything else in the definitions.
        settings: What is set for the assets.
        source: Where floe.yaml stands.
        is_step: Whether nothing here is shown in the UI.

    Raises:
        FloeError: The project's translator cannot be imported, or what is set for the models does not go together.
    """
    if compiled is None:
        return DbtParts()
    dbt, index = compiled.config, compiled.index
    dbt_dir = project.path / index.project_dir if index.project_dir is not None else None
    dbt_project = load_dbt_project(dbt_dir) if dbt_dir is not None else None
    profile = dbt_profile(dbt, profiles, project=project, dbt_project=dbt_project)
    loaded = load_dbt_assets(
        dbt,
        index,
        project_dir=project.path,
        names=profile.names,
        python_assets=python_assets,
        with_details=not is_step,
        refine=settings.refine if settings.settings else None,
        op_settings=_op_settings(settings),
        source=source,
    )
    settings.problems.extend(loaded.warnings)
    settings.problems.extend(
        check_partitions(
            loaded.assets,
            index,
            dbt.vars,
            locate_policy=lambda key: _locate(settings, key, "backfill_policy"),
            source=source,
        )
    )
    return DbtParts(
        assets=loaded.assets,
        checks=loaded.checks,
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
        index=index,
        names=index.own_names or profile.names,
        source_keys=loaded.source_keys,
        own_profile=None if profile.names is not None else _own_profile(profile, dbt_project, project),
    )


def _own_profile(profile: DbtProfile, dbt_project: DbtProjectFolder | None, project: ProjectFolder) -> OwnProfile:
    return OwnProfile(
        file=profile.file,
        project_dir=dbt_project.path if dbt_project is not None else project.path,
        profile=profile.profile or (dbt_project.profile if dbt_project is not None else None),
        target=profile.target,
    )


def _locate(settings: SpecSettings, key: KeyPath, field: str) -> Location | None:
    place = settings.settings.of(key).places.get(field)
    return place.location if place is not None else None


def _op_settings(specs: SpecSettings) -> Callable[[KeyPath], OpSettings]:
    known: dict[KeySettings, OpSettings] = {}

    def of(key: KeyPath) -> OpSettings:
        settings = specs.settings.of(key)
        if settings not in known:
            known[settings] = OpSettings.of(settings)
            if settings.config.config is not None:
                specs.problems.add(_takes_no_config(key, settings.places["config"]))
        return known[settings]

    return of


def _takes_no_config(key: KeyPath, place: SettingPlace) -> Problem:
    return Problem(
        "FLOE-353",
        f"asset '{'/'.join(key)}' takes no config",
        place.location,
        why="dbt builds it, and dbt has vars in place of config",
        fix="set 'vars' under orchestration.dbt, or leave dbt's models out of the pattern",
    )


def _python_sources(index: DbtIndex, loaded: LoadedDbt, python_assets: Sequence[Asset]) -> list[str]:
    keys = {tuple(spec.key.path) for spec in specs_of(python_assets)}
    return [
        ".".join(source.unique_id.split(".")[2:])
        for source in index.sources
        if source.unique_id in loaded.source_keys or source.key in keys
    ]
