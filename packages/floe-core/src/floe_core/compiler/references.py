"""Whether the names in a document lead anywhere, and whether the profiles that it picks go together."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TypeVar

from floe_core.errors import Location, Problem, Severity, YamlPath
from floe_core.interpolation import Unset
from floe_core.schemas.compute_profile import DuckDBCompute
from floe_core.schemas.execution_profile import CeleryExecution, DaskExecution, KubernetesExecution
from floe_core.schemas.floe_spec import FloeSpec
from floe_core.schemas.job_definition import BatchJob
from floe_core.schemas.orchestration_config import OrchestrationConfig
from floe_core.schemas.partition_definition import DynamicPartitions, MultiPartitions
from floe_core.schemas.platform_spec import GlueCatalog, LocalStorage, PlatformSpec, SqlCatalog, SqliteInstance
from floe_core.schemas.sensor_definition import AutomationSensor, RunStatusSensor
from floe_core.source_map import SourceMap
from floe_core.suggestions import did_you_mean, list_names

Entry = TypeVar("Entry")

UNKNOWN_NAME = "FLOE-203"
NAME_USED_TWICE = "FLOE-204"
UNKNOWN_PROFILE = "FLOE-231"
PROFILES_DO_NOT_FIT = "FLOE-232"

BUILT_IN_EXECUTORS = ("in_process", "multiprocess")


def check_references(
    spec: FloeSpec, source: SourceMap, *, external_jobs: Collection[str] | None = None
) -> list[Problem]:
    """The problems of names in floe.yaml that lead nowhere or lead to two things.

    Args:
        spec: The document; names whose environment variable is not set are left alone.
        source: Where it stands.
        external_jobs: Names of the jobs that Python modules define. None where no module was loaded: a job that
            nothing defines is then only a warning if there are modules that might.
    """
    orchestration = spec.orchestration
    if _waits(orchestration):
        return []
    return [
        *_check_jobs(orchestration, source, external_jobs),
        *_check_partitions(orchestration, source),
        *_check_shared_names(orchestration, source),
    ]


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
    if _waits(spec.orchestration):
        return []
    unknown = [*_check_picked_profiles(spec, platform, source), *_check_executors(spec, platform, source)]
    if unknown:
        return unknown
    picked = _PickedProfiles(spec, platform, source, platform_source)
    return [*_check_several_hosts(picked), *_check_engine_reads_catalog(picked, python_sources)]


def derived_sensor_names(orchestration: OrchestrationConfig) -> dict[str, YamlPath]:
    """Names of the sensors that backfills and dynamic partitions become, each with the path of what it is made of."""
    names: dict[str, YamlPath] = {f"{name}_backfill": ("backfills", name) for name in _names(orchestration.backfills)}
    for name, partition in _known_items(orchestration.partitions):
        if isinstance(partition, DynamicPartitions) and partition.fn is not None:
            names[f"{name}_partition_keys"] = ("partitions", name)
        elif isinstance(partition, MultiPartitions):
            for dimension, keys in _known_items(partition.partitions):
                if isinstance(keys, DynamicPartitions) and keys.fn is not None:
                    names[f"{name}_{dimension}_partition_keys"] = ("partitions", name, "partitions", dimension)
    return names


@dataclass(frozen=True, slots=True)
class _JobUse:
    """A place below `orchestration` that names a job: who names it, and in what words it uses it."""

    job: str
    who: str
    use: str
    path: YamlPath


def _check_jobs(
    orchestration: OrchestrationConfig, source: SourceMap, external_jobs: Collection[str] | None
) -> Iterator[Problem]:
    if _waits(orchestration.jobs):
        return
    known = [*orchestration.jobs, *(external_jobs or ())]
    is_certain = external_jobs is not None or not orchestration.asset_modules
    for use in _job_uses(orchestration):
        if _waits(use.job) or use.job in known:
            continue
        lack = "does not exist" if is_certain else "floe.yaml does not name"
        yield Problem(
            UNKNOWN_NAME,
            f"{use.who} {use.use} job '{use.job}', which {lack}",
            _locate(source, "orchestration", *use.path),
            why=_why_no_job(orchestration, known, is_certain=is_certain),
            fix=did_you_mean(use.job, known) or _other_family(use.job, orchestration) or _define_job(use.job),
            severity="error" if is_certain else "warning",
        )


def _job_uses(orchestration: OrchestrationConfig) -> Iterator[_JobUse]:
    for name, schedule in _known_items(orchestration.schedules):
        yield from _launched_jobs(f"schedule '{name}'", schedule, ("schedules", name))
    for name, sensor in _known_items(orchestration.sensors):
        if isinstance(sensor, AutomationSensor):
            continue
        who = f"sensor '{name}'"
        yield from _launched_jobs(who, sensor, ("sensors", name))
        yield from _listed_jobs(who, "starts", sensor.jobs, ("sensors", name, "jobs"))
        if isinstance(sensor, RunStatusSensor):
            yield from _listed_jobs(who, "watches", sensor.watched_jobs, ("sensors", name, "watched_jobs"))
    for name, backfill in _known_items(orchestration.backfills):
        yield from _launched_jobs(f"backfill '{name}'", backfill, ("backfills", name))


def _launched_jobs(who: str, launcher: object, path: YamlPath) -> Iterator[_JobUse]:
    job = getattr(launcher, "job", None)
    if isinstance(job, str):
        yield _JobUse(job, who, "starts", (*path, "job"))


def _listed_jobs(who: str, use: str, jobs: Iterable[str], path: YamlPath) -> Iterator[_JobUse]:
    if not _waits(jobs):
        for index, job in enumerate(jobs):
            yield _JobUse(job, who, use, (*path, index))


def _why_no_job(orchestration: OrchestrationConfig, known: Collection[str], *, is_certain: bool) -> str:
    named = f"orchestration.jobs ({list_names(known)})"
    if not is_certain:
        return f"it is not one of {named}; a module of asset_modules may define it, which loading will show"
    if orchestration.asset_modules:
        return f"a job is named under {named} or defined in a module of asset_modules"
    return f"a job is named under {named}"


def _other_family(name: str, orchestration: OrchestrationConfig) -> str:
    families = {
        "schedule": _names(orchestration.schedules),
        "sensor": _names(orchestration.sensors),
        "backfill": _names(orchestration.backfills),
        "partitions definition": _names(orchestration.partitions),
    }
    found = next((family for family, names in families.items() if name in names), "")
    return f"'{name}' is a {found}; name a job" if found else ""


def _define_job(name: str) -> str:
    return f"add '{name}' under orchestration.jobs"


def _check_partitions(orchestration: OrchestrationConfig, source: SourceMap) -> Iterator[Problem]:
    known = orchestration.partitions
    if _waits(known):
        return
    for pattern, config in _known_items(orchestration.assets):
        name = config.partitions
        if name is None or _waits(name) or name in known:
            continue
        yield Problem(
            UNKNOWN_NAME,
            f"asset pattern '{pattern}' sets partitions '{name}', which do not exist",
            source.locate("orchestration", "assets", pattern, "partitions"),
            why=f"partitions are defined under orchestration.partitions ({list_names(known)})",
            fix=did_you_mean(name, known) or f"add '{name}' under orchestration.partitions",
        )


def _check_shared_names(orchestration: OrchestrationConfig, source: SourceMap) -> Iterator[Problem]:
    sensors, schedules = _names(orchestration.sensors), _names(orchestration.schedules)
    for name in sensors:
        if name in schedules:
            yield _shared_name(name, "sensor", ("sensors", name), "schedule", ("schedules", name), source)
    for name, path in derived_sensor_names(orchestration).items():
        maker = f"{'backfill' if path[0] == 'backfills' else 'partitions definition'} '{path[-1]}'"
        for family, taken in (("sensor", sensors), ("schedule", schedules)):
            if name in taken:
                yield _shared_name(name, family, (f"{family}s", name), f"sensor that {maker} becomes", path, source)


def _shared_name(
    name: str, family: str, path: YamlPath, other: str, other_path: YamlPath, source: SourceMap
) -> Problem:
    there = source.locate("orchestration", *other_path, key=True)
    return Problem(
        NAME_USED_TWICE,
        f"{family} '{name}' has the name of the {other}",
        source.locate("orchestration", *path, key=True),
        why=f"in Dagster no two schedules or sensors share a name; the other one stands at {there}",
        fix="rename one of the two",
    )


def _check_picked_profiles(spec: FloeSpec, platform: PlatformSpec, source: SourceMap) -> Iterator[Problem]:
    picks: tuple[tuple[str, str, str, Mapping[str, object]], ...] = (
        ("storage", spec.storage, "storage", platform.storage),
        ("catalog", spec.catalog, "catalogs", platform.catalogs),
        ("compute", spec.compute, "compute", platform.compute),
    )
    for family, name, section, known in picks:
        if _waits(name) or _waits(known) or name in known:
            continue
        yield Problem(
            UNKNOWN_PROFILE,
            f"{family} profile '{name}' does not exist",
            source.locate(family),
            why=f"profiles are named under {section} of platform.yaml ({list_names(known)})"
            + ("" if (family,) in source else f", and floe.yaml names none, which means '{name}'"),
            fix=did_you_mean(name, known) or f"add '{name}' under {section} of platform.yaml, or write {family}: NAME",
        )


def _check_executors(spec: FloeSpec, platform: PlatformSpec, source: SourceMap) -> Iterator[Problem]:
    if _waits(platform.execution):
        return
    known = [*platform.execution, *BUILT_IN_EXECUTORS]
    for name, job in _known_items(spec.orchestration.jobs):
        executor = job.executor if isinstance(job, BatchJob) else None
        if executor is None or _waits(executor) or executor in known:
            continue
        yield Problem(
            UNKNOWN_PROFILE,
            f"job '{name}' uses executor '{executor}', which does not exist",
            source.locate("orchestration", "jobs", name, "executor"),
            why=f"executors are in_process, multiprocess and the profiles under execution of platform.yaml "
            f"({list_names(platform.execution)})",
            fix=did_you_mean(executor, known) or f"add '{executor}' under execution of platform.yaml",
        )


@dataclass(frozen=True, slots=True)
class _PickedProfiles:
    """The profiles of platform.yaml that a project uses."""

    spec: FloeSpec
    platform: PlatformSpec
    source: SourceMap
    platform_source: SourceMap | None

    def locate(self, *path: str | int) -> Location | None:
        """Where the profile at *path* stands in platform.yaml; nowhere on the embedded platform."""
        return self.platform_source.locate(*path, key=True) if self.platform_source else None

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
        jobs = [job.executor for _, job in _known_items(self.spec.orchestration.jobs) if isinstance(job, BatchJob)]
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
        where = picked.locate("execution", name)
        for place, path in picked.places_of_one_host:
            yield _one_host(engine, place, picked.locate(*path))
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
            yield _one_host(engine, place, picked.locate(*path))


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
        _locate(picked.source, "compute"),
        why=f"dbt would not find the sources {list_names(sorted(python_sources))}",
        fix="pick a compute profile that reads the catalog, or write reads_catalog: true once the engine is set up to",
    )


def _waits(value: object) -> bool:
    """Whether *value* waits for an environment variable, and is not known yet."""
    return isinstance(value, Unset)


def _known_items(entries: Mapping[str, Entry]) -> Iterator[tuple[str, Entry]]:
    """The entries that are known; none where the whole section is not."""
    if not _waits(entries):
        yield from ((name, entry) for name, entry in entries.items() if not _waits(entry))


def _names(entries: Mapping[str, object]) -> tuple[str, ...]:
    return () if _waits(entries) else tuple(entries)


def _profile(section: Mapping[str, object], name: str) -> object:
    return None if _waits(section) else section.get(name)


def _locate(source: SourceMap, *path: str | int) -> Location:
    """Where *path* stands; a list of one that is written without brackets stands where the list does."""
    shown = path[:-1] if path and isinstance(path[-1], int) and path not in source else path
    return source.locate(*shown)
