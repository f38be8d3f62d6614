"""Whether the profiles that a project picks go together."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import cast

from floe_core.compiler.references import UNKNOWN_PROFILE, ProfileNames, check_profile_names
from floe_core.errors import Location, Problem, Severity, YamlPath
from floe_core.interpolation import Unset, is_unset, known_items
from floe_core.schemas.compute_profile import DuckDBCompute
from floe_core.schemas.execution_profile import CeleryExecution, DaskExecution, KubernetesExecution
from floe_core.schemas.floe_spec import FloeSpec
from floe_core.schemas.job_definition import BatchJob
from floe_core.schemas.platform_spec import GlueCatalog, LocalStorage, PlatformSpec, SqlCatalog, SqliteInstance
from floe_core.source_map import SourceMap
from floe_core.suggestions import did_you_mean, list_names

PROFILES_DO_NOT_FIT = "FLOE-232"


def check_profiles(
    spec: FloeSpec,
    platform: PlatformSpec,
    source: SourceMap,
    *,
    platform_source: SourceMap | None = None,
    python_sources: Collection[str] = (),
) -> list[Problem]:
    """The problems of profiles that platform.yaml does not have, or that cannot work together.

    Args:
        spec: What floe.yaml says.
        platform: What platform.yaml says, or the embedded platform.
        source: Where floe.yaml stands.
        platform_source: Where platform.yaml stands; None for the embedded platform.
        python_sources: Names of the dbt sources that Python assets write.
    """
    if is_unset(spec.orchestration):
        return []
    sections = (platform.storage, platform.catalogs, platform.compute, platform.execution)
    profiles = ProfileNames(*(_without_name(section) for section in sections))
    unknown = check_profile_names(spec, profiles, source)
    namespaces = _check_dataset_namespaces(platform, platform_source)
    if unknown:
        return [*unknown, *namespaces]
    picked = _PickedProfiles(spec, platform, source, platform_source)
    return [*_check_several_hosts(picked), *_check_engine_reads_catalog(picked, python_sources), *namespaces]


def _without_name(section: Mapping[str, object]) -> Mapping[str, object]:
    """*section*; what is not known, where it is no section but a profile that lacks its name, which has been told."""
    is_profile = not is_unset(section) and is_unset(section.get("type"))
    return cast("Mapping[str, object]", Unset("type")) if is_profile else section


@dataclass(frozen=True, slots=True)
class _PickedProfiles:
    """The profiles of platform.yaml that a project uses."""

    spec: FloeSpec
    platform: PlatformSpec
    source: SourceMap
    platform_source: SourceMap | None

    def locate(self, *paths: YamlPath) -> Location | None:
        """Where the first of the profiles at *paths* that is written stands; nowhere on the embedded platform."""
        source = self.platform_source
        return next((source.locate(*path, key=True) for path in paths if path in source), None) if source else None

    @property
    def catalog(self) -> object:
        return _profile(self.platform.catalogs, self.spec.catalog)

    @property
    def storage(self) -> object:
        return _profile(self.platform.storage, self.spec.storage)

    @property
    def compute(self) -> object:
        return _profile(self.platform.compute, self.spec.compute)

    @property
    def places_of_one_host(self) -> tuple[tuple[str, YamlPath], ...]:
        """What of the tables only this machine sees, in words and with its path in platform.yaml."""
        catalog, storage = self.catalog, self.storage
        places: list[tuple[str, YamlPath]] = []
        if isinstance(catalog, SqlCatalog) and isinstance(catalog.uri, str) and catalog.uri.startswith("sqlite"):
            places.append((f"the SQLite catalog '{self.spec.catalog}'", ("catalogs", self.spec.catalog)))
        if isinstance(catalog, SqlCatalog | GlueCatalog) and isinstance(storage, LocalStorage):
            places.append((f"the local storage '{self.spec.storage}'", ("storage", self.spec.storage)))
        return tuple(places)

    @property
    def engines_of_several_hosts(self) -> dict[str, str]:
        """Execution profiles in use whose steps run elsewhere: name → the words for it."""
        jobs = [job.executor for _, job in known_items(self.spec.orchestration.jobs) if isinstance(job, BatchJob)]
        used = ["default", *(executor for executor in jobs if executor)]
        return {
            name: f"execution profile '{name}'"
            for name in dict.fromkeys(used)
            if _is_of_several_hosts(_profile(self.platform.execution, name))
        }


def _is_of_several_hosts(profile: object) -> bool:
    if isinstance(profile, DaskExecution):
        return profile.address is not None
    return isinstance(profile, CeleryExecution | KubernetesExecution)


def _check_several_hosts(picked: _PickedProfiles) -> Iterator[Problem]:
    for name, engine in picked.engines_of_several_hosts.items():
        execution: YamlPath = ("execution", name)
        where = picked.locate(execution)
        for place, path in picked.places_of_one_host:
            yield _one_host(engine, place, picked.locate(path, execution))
        if isinstance(picked.compute, DuckDBCompute) and picked.spec.orchestration.dbt is not None:
            place = f"the DuckDB file of '{picked.spec.compute}'"
            yield _one_host(engine, place, where, severity="warning")
        if isinstance(getattr(picked.platform.instance, "storage", None), SqliteInstance):
            yield _one_host(engine, "Dagster's run storage (sqlite)", where, severity="warning")
    compute = picked.compute
    if (
        compute is not None
        and not isinstance(compute, DuckDBCompute)
        and getattr(compute, "reads_catalog", False) is True
    ):
        for place, path in picked.places_of_one_host:
            engine = f"compute profile '{picked.spec.compute}'"
            yield _one_host(engine, place, picked.locate(path, ("compute", picked.spec.compute)))


def _one_host(engine: str, place: str, location: Location | None, *, severity: Severity = "error") -> Problem:
    return Problem(
        PROFILES_DO_NOT_FIT,
        f"{engine} spans several machines, which do not share {place}",
        location,
        why="what several machines work on must be a service or a storage that all of them reach",
        fix="pick a profile for it that all machines reach, or an engine of this machine"
        if severity == "error"
        else "make sure that all machines share it, or pick another profile",
        severity=severity,
    )


def _check_engine_reads_catalog(picked: _PickedProfiles, python_sources: Collection[str]) -> Iterator[Problem]:
    compute = picked.compute
    if not python_sources or compute is None or getattr(compute, "reads_catalog", True):
        return
    yield Problem(
        PROFILES_DO_NOT_FIT,
        f"dbt reads what Python assets write, and compute profile '{picked.spec.compute}' does not read the catalog",
        picked.source.locate("compute"),
        why=f"dbt would not find the sources {list_names(sorted(python_sources))}",
        fix="pick a compute profile that reads the catalog, or write reads_catalog: true once the engine is set up to",
    )


def _check_dataset_namespaces(platform: PlatformSpec, source: SourceMap | None) -> Iterator[Problem]:
    if is_unset(platform.observability) or is_unset(platform.observability.dataset_namespaces):
        return
    sections: dict[str, Mapping[str, object]] = {"catalogs": platform.catalogs, "compute": platform.compute}
    for key in platform.observability.dataset_namespaces:
        section, _, name = key.partition(".")
        known = sections[section]
        if is_unset(known) or name in known:
            continue
        yield Problem(
            UNKNOWN_PROFILE,
            f"dataset namespace '{key}' is of a profile that does not exist",
            source.locate("observability", "dataset_namespaces", key, key=True) if source else None,
            why=f"the profiles under {section} are {list_names(known)}",
            fix=did_you_mean(key, [f"{section}.{other}" for section, others in sections.items() for other in others])
            or f"add '{name}' under {section}, or delete the line",
        )


def _profile(section: Mapping[str, object], name: str) -> object:
    return None if is_unset(section) else section.get(name)
