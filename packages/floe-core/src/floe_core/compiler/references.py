"""Whether the names in a document lead anywhere."""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from floe_core.compiler.file_patterns import check_file_patterns
from floe_core.compiler.run_status_circles import check_run_status_circles
from floe_core.errors import Location, Problem, YamlPath
from floe_core.interpolation import is_unset, known_items
from floe_core.schemas.floe_spec import FloeSpec
from floe_core.schemas.job_definition import BatchJob
from floe_core.schemas.orchestration_config import OrchestrationConfig
from floe_core.schemas.partition_definition import (
    DynamicPartitions,
    MultiPartitions,
    StaticPartitions,
    dynamic_name,
)
from floe_core.schemas.sensor_definition import AutomationSensor, RunStatusSensor
from floe_core.source_map import SourceMap
from floe_core.suggestions import did_you_mean, list_names

_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
UNKNOWN_NAME = "FLOE-203"
NAME_USED_TWICE = "FLOE-204"
UNKNOWN_PROFILE = "FLOE-231"

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
    if is_unset(orchestration):
        return []
    return [
        *_check_jobs(orchestration, source, external_jobs),
        *_check_partitions(orchestration, source),
        *_check_shared_names(orchestration, source),
        *_check_dynamic_names(orchestration, source),
        *_check_ranges(orchestration, source),
        *(() if is_unset(orchestration.sensors) else check_run_status_circles(orchestration, source)),
        *check_file_patterns(orchestration, source),
    ]


class ProfileNames(NamedTuple):
    """Names of the profiles that platform.yaml has; those of the embedded platform unless others are given."""

    storage: Collection[str] = ("default",)
    catalogs: Collection[str] = ("default",)
    compute: Collection[str] = ("default",)
    execution: Collection[str] = ("default",)


def check_profile_names(spec: FloeSpec, profiles: ProfileNames, source: SourceMap) -> list[Problem]:
    """The problems of profiles that floe.yaml picks and platform.yaml does not have."""
    if is_unset(spec.orchestration):
        return []
    return [*_check_picked_profiles(spec, profiles, source), *_check_executors(spec, profiles, source)]


def derived_sensor_names(orchestration: OrchestrationConfig) -> dict[str, YamlPath]:
    """Names of the sensors that backfills and dynamic partitions become, each with the path of what it is made of."""
    names: dict[str, YamlPath] = {f"{name}_backfill": ("backfills", name) for name in _names(orchestration.backfills)}
    for name, path, keys in _dynamic_partitions(orchestration):
        if keys.fn is not None:
            names[f"{name}_partition_keys"] = path
    return names


def _dynamic_partitions(orchestration: OrchestrationConfig) -> Iterator[tuple[str, YamlPath, DynamicPartitions]]:
    """Dynamic definitions and dimensions, by the name under which the instance keeps their keys."""
    for name, partition in known_items(orchestration.partitions):
        if isinstance(partition, DynamicPartitions):
            yield dynamic_name(name), ("partitions", name), partition
        elif isinstance(partition, MultiPartitions):
            for dimension, keys in known_items(partition.partitions):
                if isinstance(keys, DynamicPartitions):
                    yield dynamic_name(name, dimension), ("partitions", name, "partitions", dimension), keys


def launched_jobs(orchestration: OrchestrationConfig) -> frozenset[str]:
    """Names of the jobs that anything launches or watches, whether they exist or not."""
    return frozenset(use.job for use in _job_uses(orchestration) if not is_unset(use.job))


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
    if is_unset(orchestration.jobs):
        return
    known = [*orchestration.jobs, *(external_jobs or ())]
    is_certain = external_jobs is not None or not orchestration.asset_modules
    for use in _job_uses(orchestration):
        if is_unset(use.job) or use.job in known:
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
    for name, schedule in known_items(orchestration.schedules):
        yield from _launched_jobs(f"schedule '{name}'", schedule, ("schedules", name))
    for name, sensor in known_items(orchestration.sensors):
        if isinstance(sensor, AutomationSensor):
            continue
        who = f"sensor '{name}'"
        yield from _launched_jobs(who, sensor, ("sensors", name))
        yield from _listed_jobs(who, "starts", sensor.jobs, ("sensors", name, "jobs"))
        if isinstance(sensor, RunStatusSensor):
            yield from _listed_jobs(who, "watches", sensor.watched_jobs, ("sensors", name, "watched_jobs"))
    for name, backfill in known_items(orchestration.backfills):
        yield from _launched_jobs(f"backfill '{name}'", backfill, ("backfills", name))


def _launched_jobs(who: str, launcher: object, path: YamlPath) -> Iterator[_JobUse]:
    job = getattr(launcher, "job", None)
    if isinstance(job, str):
        yield _JobUse(job, who, "starts", (*path, "job"))


def _listed_jobs(who: str, use: str, jobs: Iterable[str], path: YamlPath) -> Iterator[_JobUse]:
    if not is_unset(jobs):
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
    if is_unset(orchestration.partitions):
        return
    for pattern, config in known_items(orchestration.assets):
        name = config.partitions
        if name is None or is_unset(name) or name in orchestration.partitions:
            continue
        if ("orchestration", "partitions", name) in source:  # left out for what is wrong in it, which is told
            continue
        known = _written_names("partitions", source)
        yield Problem(
            UNKNOWN_NAME,
            f"asset pattern '{pattern}' sets partitions '{name}', which do not exist",
            source.locate("orchestration", "assets", pattern, "partitions"),
            why=f"partitions are defined under orchestration.partitions ({list_names(known)})",
            fix=did_you_mean(name, known) or f"add '{name}' under orchestration.partitions",
        )


def _written_names(section: str, source: SourceMap) -> list[str]:
    """Names of the entries that the document has, right or wrong."""
    return [str(path[2]) for path in source.paths() if path[:2] == ("orchestration", section) and len(path) == 3]


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


def _check_dynamic_names(orchestration: OrchestrationConfig, source: SourceMap) -> Iterator[Problem]:
    paths: dict[str, YamlPath] = {}
    for name, path, _ in _dynamic_partitions(orchestration):
        first = paths.setdefault(name, path)
        if first != path:
            there = source.locate("orchestration", *first, key=True)
            yield Problem(
                NAME_USED_TWICE,
                f"two definitions of dynamic partitions keep their keys under the name '{name}'",
                source.locate("orchestration", *path, key=True),
                why=f"Dagster keeps dynamic keys by name; the other one stands at {there}",
                fix="rename one of the two",
            )


def _check_ranges(orchestration: OrchestrationConfig, source: SourceMap) -> Iterator[Problem]:
    """The ranges of days that end before they begin; which keys another range has, the job's partitions decide."""
    for name, backfill in known_items(orchestration.backfills):
        chosen = backfill.partition_range
        if chosen is None or is_unset(chosen) or is_unset(chosen.start) or is_unset(chosen.end):
            continue
        is_of_days = _DAY.fullmatch(chosen.start) and _DAY.fullmatch(chosen.end)
        if is_of_days and chosen.start > chosen.end and not _is_listed(chosen.start, orchestration):
            yield backwards_range(name, chosen.start, chosen.end, source)


def backwards_range(backfill: str, start: str, end: str, source: SourceMap, *, dimension: str = "") -> Problem:
    """That the range of *backfill* ends before it begins, in one dimension of its partitions where they have two."""
    in_dimension = f" in dimension '{dimension}'" if dimension else ""
    return Problem(
        "FLOE-358",
        f"backfill '{backfill}' has a range from '{start}' to '{end}', which is backwards{in_dimension}",
        source.locate("orchestration", "backfills", backfill, "partition_range"),
        why="a range goes along the order of the partitions definition",
        fix="swap start and end, or list the keys under partition_keys in the order you want",
    )


def _is_listed(key: str, orchestration: OrchestrationConfig) -> bool:
    """Whether *key* may be one of static partitions, whose order is their own."""
    for _, partition in known_items(orchestration.partitions):
        dimensions = known_items(partition.partitions) if isinstance(partition, MultiPartitions) else [("", partition)]
        for _, definition in dimensions:
            keys = definition.partition_keys if isinstance(definition, StaticPartitions) else ()
            if is_unset(keys) or key in keys:
                return True
    return False


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


def _check_picked_profiles(spec: FloeSpec, profiles: ProfileNames, source: SourceMap) -> Iterator[Problem]:
    picks = (
        ("storage", spec.storage, "storage", profiles.storage),
        ("catalog", spec.catalog, "catalogs", profiles.catalogs),
        ("compute", spec.compute, "compute", profiles.compute),
    )
    for family, name, section, known in picks:
        if is_unset(name) or is_unset(known) or name in known:
            continue
        yield Problem(
            UNKNOWN_PROFILE,
            f"{family} profile '{name}' does not exist",
            source.locate(family),
            why=f"profiles are named under {section} of platform.yaml ({list_names(known)})"
            + ("" if (family,) in source else f", and floe.yaml names none, which means '{name}'"),
            fix=did_you_mean(name, known) or f"add '{name}' under {section} of platform.yaml, or write {family}: NAME",
        )


def _check_executors(spec: FloeSpec, profiles: ProfileNames, source: SourceMap) -> Iterator[Problem]:
    if is_unset(profiles.execution):
        return
    known = [*profiles.execution, *BUILT_IN_EXECUTORS]
    for name, job in known_items(spec.orchestration.jobs):
        executor = job.executor if isinstance(job, BatchJob) else None
        if executor is None or is_unset(executor) or executor in known:
            continue
        yield Problem(
            UNKNOWN_PROFILE,
            f"job '{name}' uses executor '{executor}', which does not exist",
            source.locate("orchestration", "jobs", name, "executor"),
            why=f"executors are in_process, multiprocess and the profiles under execution of platform.yaml "
            f"({list_names(profiles.execution)})",
            fix=did_you_mean(executor, known) or f"add '{executor}' under execution of platform.yaml",
        )


def _names(entries: Mapping[str, object]) -> tuple[str, ...]:
    return () if is_unset(entries) else tuple(entries)


def _locate(source: SourceMap, *path: str | int) -> Location:
    """Where *path* stands; a list of one that is written without brackets stands where the list does."""
    shown = path[:-1] if path and isinstance(path[-1], int) and path not in source else path
    return source.locate(*shown)
