"""A project as Dagster has it: every loader in its turn, each given what the ones before it made."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from warnings import catch_warnings, filterwarnings

import dagster as dg

from floe_core.compiler.artifacts import CompiledArtifacts
from floe_core.compiler.profile_checks import check_profiles
from floe_core.compiler.references import BUILT_IN_EXECUTORS
from floe_core.documents import (
    FloeDocument,
    PlatformDocument,
)
from floe_core.errors import FloeError, LoadError, Location, Problem, ProblemCollector
from floe_core.interpolation import is_unset
from floe_core.project import ProjectFolder
from floe_core.secrets.variables import find_variables_of_secrets
from floe_dagster.asset_settings.annotated_values import check_annotated_values
from floe_dagster.asset_settings.application import apply_settings
from floe_dagster.asset_settings.partition_fields import check_partition_fields
from floe_dagster.asset_settings.patterns import AssetSettings
from floe_dagster.asset_settings.spec_fields import SpecSettings
from floe_dagster.asset_settings.upstream_partitions import check_upstream_partitions
from floe_dagster.automation_parts import automate_assets
from floe_dagster.checked_documents import read_documents
from floe_dagster.compilation import check_floe_yaml_is_current
from floe_dagster.dbt_parts import DbtParts, find_compiled_dbt, load_dbt_parts
from floe_dagster.findings import Findings, Gap, gaps_left_by
from floe_dagster.garbage_collection import garbage_collection_paused
from floe_dagster.launch_parts import LaunchParts
from floe_dagster.launching.launchable import Launchable, LaunchableAssets
from floe_dagster.loaders.asset_loader import load_what_imports
from floe_dagster.loaders.executor_loader import DEFAULT_PROFILE, build_executors
from floe_dagster.loaders.partition_loader import BuiltPartitions, build_partitions
from floe_dagster.loaders.resource_loader import STAND_IN, check_built_in_keys, load_resources
from floe_dagster.merging import check_asset_keys, check_op_names
from floe_dagster.observability.runs.executor import observed_executor
from floe_dagster.observability.runs.observed_launchers import ObservedLaunchers
from floe_dagster.observability.settings import ObservabilitySettings
from floe_dagster.observability_parts import build_observability_settings
from floe_dagster.passed_objects import PassedObjects
from floe_dagster.profiles import Profiles, check_catalog, lakehouse_settings, resolve_profiles
from floe_dagster.resources.catalog import CatalogResource
from floe_dagster.secrets import keep_hidden
from floe_dagster.selection.asset_index import AssetIndex, KeyPath
from floe_dagster.table_lineage import JoinedAssets, check_no_cycle, join_tables
from floe_dagster.user_code.loaded_modules import LoadedModules
from floe_dagster.user_code.module_contents import Asset, Schedule, specs_of
from floe_dagster.user_code.modules import describe_user_error
from floe_dagster.user_code.resource_checks import check_resource_keys


@dataclass(frozen=True)
class LoadedProject:
    """A project's definitions, with what commands tell about them."""

    definitions: dg.Definitions
    project: ProjectFolder
    document: FloeDocument
    platform: PlatformDocument
    index: AssetIndex
    settings: AssetSettings
    group_places: Mapping[KeyPath, Location]
    jobs: Mapping[str, Launchable]
    job_origins: Mapping[str, str]  # name of a job of a Python module → where it is defined
    schedules: Mapping[str, Schedule]
    partition_selectors: Mapping[str, str]  # schedule of a partitioned job → what a tick launches
    observability: ObservabilitySettings
    warnings: tuple[Problem, ...]

    def resolve_specs(self) -> Sequence[dg.AssetSpec]:
        """The specs of all assets, those that nothing in the project writes included."""
        with catch_warnings():
            # Dagster 1.13 makes another class of asset checks by an argument of its own, which is in beta.
            filterwarnings("ignore", message="Parameter `execution_type`", category=dg.BetaWarning)
            return self.definitions.resolve_all_asset_specs()


@dataclass(frozen=True)
class _Sources:
    """What everything else is made from."""

    modules: LoadedModules
    dbt: DbtParts
    specs: SpecSettings
    platform_resources: Mapping[str, object]
    executors: Mapping[str, dg.ExecutorDefinition]


@garbage_collection_paused()
def load_project(
    project: ProjectFolder,
    artifacts: CompiledArtifacts,
    *,
    environ: Mapping[str, str],
    passed: PassedObjects,
    namespace: str = "floe",
    skip_files: frozenset[Path] = frozenset(),
    is_step: bool = False,
    only_known: bool = False,
) -> LoadedProject:
    """Build the definitions of *project*.

    Args:
        project: Where floe.yaml is.
        artifacts: What was compiled of it.
        environ: Values for `${…}`.
        passed: What a definitions file adds.
        namespace: OpenLineage namespace of the project's jobs.
        skip_files: Modules that call the factory, which are not looked into for assets.
        is_step: Whether this process only carries out a part of a run: whoever started the run has looked whether the
            artifacts are current, and nothing is shown from here.
        only_known: Whether what is not known of the documents is left out, with whatever needs it: they have been
            checked, and what is wrong with them or waits for a variable has been told.

    Raises:
        FloeError: Everything that is wrong with the documents; or everything that is wrong elsewhere, but for what may
            only follow from another mistake.
    """
    if not is_step:
        check_floe_yaml_is_current(artifacts, project)
    document, platform, problems = read_documents(project, artifacts, environ=environ, only_known=only_known)
    try:
        return _build_project(
            document,
            platform,
            problems,
            artifacts=artifacts,
            project=project,
            passed=passed,
            namespace=namespace,
            skip_files=skip_files,
            is_step=is_step,
        )
    except FloeError as error:
        problems.take_up()
        problems.extend(error.problems)
        problems.raise_if_any(LoadError)
        raise
    except Exception as error:  # what is built after a mistake may stumble over it: both are told
        problems.take_up()
        if problems.errors:
            raise LoadError(*problems.problems, stumbled(error)) from None
        raise


def _build_project(
    document: FloeDocument,
    platform: PlatformDocument,
    problems: Findings,
    *,
    artifacts: CompiledArtifacts,
    project: ProjectFolder,
    passed: PassedObjects,
    namespace: str,
    skip_files: frozenset[Path],
    is_step: bool,
) -> LoadedProject:
    profiles = resolve_profiles(document.spec, platform.spec)
    secret_variables = frozenset(find_variables_of_secrets(document.raw))
    keep_hidden(secret_variables)
    sources = _load_sources(
        document,
        platform,
        problems,
        artifacts=artifacts,
        project=project,
        profiles=profiles,
        passed=passed,
        skip_files=skip_files,
        is_step=is_step,
    )
    observability = build_observability_settings(
        document.spec,
        platform.spec,
        project=project,
        profiles=profiles,
        namespace=namespace,
        dbt=sources.dbt,
        python_assets=[*sources.modules.assets, *passed.only_assets],
        secret_variables=secret_variables,
    )
    executors = {name: observed_executor(executor, observability) for name, executor in sources.executors.items()}
    default_executor = executors.get(DEFAULT_PROFILE)
    assets, index = _join_assets(sources, passed, problems, document)
    built_in: dict[str, object] = {
        "catalog": CatalogResource.of(lakehouse_settings(profiles, project)),
        **({"dbt": sources.dbt.resource} if sources.dbt.resource is not None else {}),
    }
    if not is_unset(platform.spec.resources):
        problems.extend(check_built_in_keys(platform.spec.resources, built_in=built_in, source=platform.source))
    resources = {**sources.modules.resources, **sources.platform_resources, **built_in, **passed.resources}
    checks = [*sources.modules.checks, *sources.dbt.checks, *passed.checks]
    automation = automate_assets(
        assets,
        checks=checks,
        settings=sources.specs.settings,
        sensors=document.spec.orchestration.sensors,
        index=index,
        source=document.source,
        environment=platform.environment,
        problems=problems,
    )
    assets = automation.assets
    if problems.gaps.isdisjoint({Gap.MODULES, Gap.RESOURCES}):
        with problems.aside.collecting():
            check_resource_keys(
                [*(asset for asset in assets if isinstance(asset, dg.AssetsDefinition)), *checks],
                resources=resources,
                index=index,
                origins=sources.modules.origins,
            )
    problems.extend(
        check_annotated_values(
            [asset for asset in assets if isinstance(asset, dg.AssetsDefinition)],
            settings=sources.specs.settings,
            has_io_manager="io_manager" in resources,
        )
    )
    executed = [*(asset for asset in assets if isinstance(asset, dg.AssetsDefinition)), *checks]
    problems.extend(check_op_names(executed, origins={key: node.origin for key, node in index.nodes.items()}))
    launchable = LaunchableAssets.of(
        index,
        executed,
        partition_places=_partition_places(index, sources.specs.settings),
    )
    launches = LaunchParts(
        document=document,
        project=project,
        environment=platform.environment,
        assets=launchable,
        automation=automation,
        executors=executors,
        resources=resources,
        modules=sources.modules,
        passed=passed,
        observed=ObservedLaunchers(observability),
    ).build(problems)
    if problems.gaps:  # what is known has been looked at, and it makes no definitions
        raise LoadError(*problems.problems)
    definitions = dg.Definitions(
        assets=[*assets, *sources.modules.cacheable_assets],
        asset_checks=checks,
        jobs=[launch.job for launch in launches.jobs.values()],
        schedules=list(launches.schedules.values()),
        sensors=list(launches.sensors.values()),
        resources=resources,
        executor=default_executor or observed_executor(dg.multi_or_in_process_executor, observability),
        loggers=dict(sources.modules.loggers) or None,
        metadata={"floe/project": document.spec.name or project.name, "floe/namespace": namespace},
    )
    return LoadedProject(
        definitions=definitions,
        project=project,
        document=document,
        platform=platform,
        index=index,
        settings=sources.specs.settings,
        group_places=sources.modules.group_places,
        jobs=launches.jobs,
        job_origins=sources.modules.origins_of("job"),
        schedules=launches.schedules,
        partition_selectors=launches.partition_selectors,
        observability=observability,
        warnings=problems.warnings,
    )


def stumbled(error: Exception) -> Problem:
    """That loading ended with *error*, beside what was wrong already."""
    return Problem(
        "FLOE-308",
        f"loading ended with {type(error).__name__}",
        detail=describe_user_error(error),
        why="what is built after a mistake may stumble over it",
        fix="mend the errors first; what is wrong beside them is told then",
        severity="warning",
    )


def _load_sources(
    document: FloeDocument,
    platform: PlatformDocument,
    problems: Findings,
    *,
    artifacts: CompiledArtifacts,
    project: ProjectFolder,
    profiles: Profiles,
    passed: PassedObjects,
    skip_files: frozenset[Path],
    is_step: bool,
) -> _Sources:
    partitions: BuiltPartitions | None = None
    dbt: DbtParts | None = None
    written_resources = {} if is_unset(platform.spec.resources) else platform.spec.resources
    profiles_of_execution = {} if is_unset(platform.spec.execution) else platform.spec.execution
    resources: dict[str, object] = dict.fromkeys(written_resources, STAND_IN)
    executors = dict.fromkeys([*profiles_of_execution, *BUILT_IN_EXECUTORS], dg.in_process_executor)
    of_modules = ProblemCollector()
    modules = load_what_imports(
        document.spec.orchestration.asset_modules,
        project=project,
        source=document.source,
        skip_files=skip_files,
        problems=of_modules,
    )
    problems.extend(of_modules.problems)
    with problems.aside.collecting():
        resources = load_resources(written_resources, source=platform.source)
    with problems.aside.collecting():
        executors = build_executors(profiles_of_execution, source=platform.source)
    if not is_step:
        place = platform.source.locate("catalogs", document.spec.catalog, "uri") if platform.source else None
        problems.aside.extend(check_catalog(profiles.catalog, location=place))
    with problems.collecting():
        partitions = build_partitions(document.spec.orchestration.partitions, source=document.source)
    if of_modules.errors:
        problems.gaps.add(Gap.MODULES)
    if partitions is None:
        problems.gaps.add(Gap.PARTITIONS)
    python_assets = [*modules.assets, *passed.only_assets]
    specs = SpecSettings(
        AssetSettings(document.spec.orchestration.assets, source=document.source),
        partitions=partitions.definitions if partitions is not None else {},
        problems=problems,
    )
    with problems.collecting():
        dbt = load_dbt_parts(
            find_compiled_dbt(document.spec, artifacts, project=project, is_step=is_step),
            project=project,
            profiles=profiles,
            python_assets=python_assets,
            settings=specs,
            source=document.source,
            is_step=is_step,
        )
    if dbt is None:
        problems.gaps.add(Gap.ASSETS)
        dbt = DbtParts()
    problems.aside.extend(
        check_profiles(
            document.spec,
            platform.spec,
            document.source,
            platform_source=platform.source,
            python_sources=dbt.python_sources,
        )
    )
    return _Sources(modules, dbt, specs, resources, executors)


def _join_assets(
    sources: _Sources, passed: PassedObjects, problems: Findings, document: FloeDocument
) -> tuple[tuple[Asset, ...], AssetIndex]:
    """All assets with the dependencies that follow from their tables and what is set for them.

    What they read from elsewhere is among them.
    """
    origins = {**sources.dbt.origins, **sources.modules.origins}
    own_assets = [*sources.modules.assets, *passed.only_assets]
    joined: JoinedAssets | None = None
    check_asset_keys(sources.modules, sources.dbt.assets, passed, origins=origins, problems=problems)
    with problems.collecting():
        joined = join_tables(own_assets, other_tables=sources.dbt.tables, origins=origins)
    is_joined = joined is not None
    joined = joined or JoinedAssets(tuple(own_assets), ())
    defined = {spec.key for spec in specs_of(joined.assets)}
    external = {spec.key: spec for spec in (*joined.external, *sources.dbt.external) if spec.key not in defined}
    python_assets = apply_settings(joined.assets, sources.specs, source=document.source, origins=origins)
    assets = (*python_assets, *sources.dbt.assets, *external.values())
    index = AssetIndex.from_assets(assets, origins=origins)
    if is_joined:
        problems.extend(_check_settings(sources.specs.settings, assets, index))
    else:
        problems.gaps.add(Gap.ATTRIBUTES)
    with problems.collecting():
        check_no_cycle(index, assets)
    problems.gaps |= set(gaps_left_by(problems.errors, document))
    return assets, index


def _check_settings(settings: AssetSettings, assets: Sequence[Asset], index: AssetIndex) -> Iterator[Problem]:
    definitions = (asset for asset in assets if isinstance(asset, dg.AssetsDefinition))
    specs = [spec for definition in definitions if definition.is_materializable for spec in definition.specs]
    yield from settings.check(index)
    yield from check_partition_fields(specs, settings)
    yield from check_upstream_partitions(
        specs, settings=settings, origins={key: node.origin for key, node in index.nodes.items()}
    )


def _partition_places(index: AssetIndex, settings: AssetSettings) -> dict[KeyPath, str]:
    """Where the partitions of each asset are set: floe.yaml, or where the asset is defined."""
    places = {key: settings.of(key).places.get("partitions") for key, node in index.nodes.items() if node.executable}
    return {key: str(place) if place else index.nodes[key].origin for key, place in places.items()}
