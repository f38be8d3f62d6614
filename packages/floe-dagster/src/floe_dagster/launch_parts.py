"""What launches runs: jobs and schedules, and the sensors of backfills, of automation and of dynamic partition keys."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import dagster as dg

from floe_core.compiler.known_part import is_partly_unset, without_launchers
from floe_core.compiler.references import check_references, derived_sensor_names, launched_jobs
from floe_core.documents import FloeDocument
from floe_core.errors import LoadError, Problem, YamlPath
from floe_core.project import FLOE_DIR, ProjectFolder
from floe_core.schemas.job_definition import BatchJob
from floe_core.schemas.orchestration_config import OrchestrationConfig
from floe_core.source_map import SourceMap
from floe_dagster.automation_parts import AutomationParts
from floe_dagster.findings import Findings
from floe_dagster.launching.launchable import Launchable, LaunchableAssets
from floe_dagster.loaders.backfill_loader import build_backfills
from floe_dagster.loaders.job_loader import build_jobs
from floe_dagster.loaders.partition_key_loader import build_partition_key_sensors
from floe_dagster.loaders.schedule_loader import BuiltSchedules, build_schedules
from floe_dagster.loaders.sensor_loader import SensorParts, build_sensors
from floe_dagster.merging import merge_jobs, merge_schedules, merge_sensors
from floe_dagster.observability.runs.observed_launchers import ObservedLaunchers
from floe_dagster.passed_objects import PassedObjects
from floe_dagster.selection.resolution import SelectionPlace, check_items_alone, selects_for_certain
from floe_dagster.sensors.watched_assets import check_watched_alone
from floe_dagster.user_code.loaded_modules import LoadedModules
from floe_dagster.user_code.module_contents import Schedule

_SELECTIONS = {
    "jobs": ("selection", "exclude"),
    "schedules": ("selection",),
    "sensors": ("selection", "watched_assets"),
}


@dataclass(frozen=True)
class Launches:
    """What launches runs.

    Args:
        jobs: By name.
        schedules: By name.
        partition_selectors: Name of the schedule of a partitioned job → what a tick launches.
        sensors: By name.
    """

    jobs: Mapping[str, Launchable]
    schedules: Mapping[str, Schedule]
    partition_selectors: Mapping[str, str]
    sensors: Mapping[str, dg.SensorDefinition]


@dataclass(frozen=True)
class LaunchParts:
    """What is there before anything launches it, and who else brings jobs, schedules and sensors.

    Args:
        document: floe.yaml.
        project: The folder that it is in.
        environment: Name of the environment that the definitions are for.
        assets: All assets.
        automation: Their conditions.
        executors: By the name of the execution profile.
        resources: All resources.
        modules: The Python modules.
        passed: What a definitions file adds.
        observed: What of these brings executors of its own, observed.
    """

    document: FloeDocument
    project: ProjectFolder
    environment: str
    assets: LaunchableAssets
    automation: AutomationParts
    executors: Mapping[str, dg.ExecutorDefinition]
    resources: Mapping[str, object]
    modules: LoadedModules
    passed: PassedObjects
    observed: ObservedLaunchers

    def build(self, problems: Findings) -> Launches:
        """Build everything that launches runs; each kind is looked at whatever is wrong with another.

        Raises:
            LoadError: Everything that is in *problems* and that is found here.
        """
        jobs = self._build_jobs(problems)
        spec, source = self.document.spec, self.document.source
        problems.extend(check_references(spec, source, external_jobs=jobs))
        known = without_launchers(spec.orchestration, launched_jobs(spec.orchestration) - jobs.keys())
        if problems.gaps:
            problems.certain |= set(self._certain_entries(jobs))
        problems.extend(self._check_left_out(known))
        sensors = self._build_sensors(known, jobs, problems)
        built = BuiltSchedules()
        for name, schedule in known.schedules.items():
            with problems.collecting():
                one = build_schedules(
                    {name: schedule},
                    jobs=jobs,
                    assets=self.assets,
                    source=source,
                    environment=self.environment,
                    sensor_names=sensors,
                    resources=self.resources,
                )
                built = built.with_others(one)
        schedules = merge_schedules(built.schedules, self.modules, self.passed, source=source, problems=problems)
        problems.take_up()
        problems.raise_if_any(LoadError)
        problems.extend(built.warnings)
        # all at once and at the end: until then schedules and sensors hold the very jobs that are in `jobs`
        return Launches(
            {name: replace(launch, job=self.observed.job(launch.job)) for name, launch in jobs.items()},
            {name: self.observed.schedule(schedule) for name, schedule in schedules.items()},
            built.selectors,
            {name: self.observed.sensor(sensor) for name, sensor in sensors.items()},
        )

    def _certain_entries(self, jobs: Mapping[str, Launchable]) -> Iterator[str]:
        """What launches a job of one partitions definition, whatever assets there are beside those that are known."""
        orchestration = self.document.spec.orchestration
        certain = {
            name
            for name, job in orchestration.jobs.items()
            if isinstance(job, BatchJob)
            and not job.exclude
            and name in jobs
            and jobs[name].partitions_def is not None
            and selects_for_certain(job.selection, self.assets.index)
        }
        for section in ("schedules", "sensors", "backfills"):
            for name, entry in getattr(orchestration, section).items():
                if getattr(entry, "job", None) in certain:
                    yield f"orchestration.{section}.{name}"

    def _check_left_out(self, known: OrchestrationConfig) -> Iterator[Problem]:
        """What is wrong with the selections of entries that are not built, each item of them by itself."""
        source, index = self.document.source, self.assets.index
        for section, fields in _SELECTIONS.items():
            for name, entry in _mapping_at(self.document.values, "orchestration", section).items():
                for field, value in _mapping_at(entry).items():
                    is_built = name in getattr(known, section) and not is_partly_unset(value)
                    if field not in fields or is_built:
                        continue
                    path = ("orchestration", section, name, field)
                    place = SelectionPlace(f"{section[:-1]} '{name}'", source, path, path if field == "exclude" else ())
                    check = check_watched_alone if field == "watched_assets" else check_items_alone
                    yield from check(value, index=index, place=place)

    def _build_jobs(self, problems: Findings) -> dict[str, Launchable]:
        source = self.document.source
        declared: dict[str, Launchable] = {}
        for name, job in self.document.spec.orchestration.jobs.items():
            with problems.collecting():
                declared |= build_jobs(
                    {name: job},
                    assets=self.assets,
                    source=source,
                    executors=self.executors,
                    resources=self.resources,
                )
        jobs = merge_jobs(declared, self.modules, self.passed, source=source, problems=problems)
        problems.extend(_named_like_an_op(declared, jobs, source))
        return jobs

    def _build_sensors(
        self,
        known: OrchestrationConfig,
        jobs: Mapping[str, Launchable],
        problems: Findings,
    ) -> dict[str, dg.SensorDefinition]:
        source, orchestration = self.document.source, self.document.spec.orchestration
        declared: dict[str, dg.SensorDefinition] = {}
        parts = SensorParts(
            jobs,
            self.assets,
            source,
            self.project.path,
            self.environment,
            resources=self.resources,
        )
        with problems.collecting():
            declared |= build_sensors(known.sensors, parts=parts, warnings=problems)
        with problems.collecting():
            declared |= build_backfills(
                known.backfills,
                jobs=jobs,
                source=source,
                project=self.document.spec.name or self.project.name,
                folder=self.project.path / FLOE_DIR,
                assets=self.assets,
            )
        with problems.collecting():
            declared |= self.automation.build_sensors(
                jobs=[launch.job for launch in jobs.values()], others=[*self.modules.sensors, *self.passed.sensors]
            )
        with problems.collecting():
            declared |= build_partition_key_sensors(orchestration.partitions, source=source, resources=self.resources)
        return merge_sensors(
            self.modules,
            self.passed,
            problems=problems,
            declared=declared,
            locations={
                name: source.locate("orchestration", *path, key=True) for name, path in _sensor_paths(orchestration)
            },
        )


def _mapping_at(value: object, *path: str) -> Mapping[str, object]:
    for key in path:
        value = value.get(key) if isinstance(value, Mapping) else None
    return value if isinstance(value, Mapping) else {}


def _named_like_an_op(
    declared: Mapping[str, Launchable], jobs: Mapping[str, Launchable], source: SourceMap
) -> Iterator[Problem]:
    """The jobs of floe.yaml that are named like an op of another job, which Dagster takes for one thing."""
    users: dict[str, str] = {}
    for name, launched in jobs.items():
        if isinstance(launched.job, dg.JobDefinition):
            users |= {node.name: name for node in launched.job.graph.iterate_node_defs() if node.name != name}
    for name in declared:
        if name in users:
            yield Problem(
                "FLOE-352",
                f"job '{name}' has the name of an op of job '{users[name]}'",
                source.locate("orchestration", "jobs", name, key=True),
                why="in Dagster no job is named like an op or graph that another job uses",
                fix=f"rename the job, for example to '{name}_job'",
            )


def _sensor_paths(orchestration: OrchestrationConfig) -> Iterator[tuple[str, YamlPath]]:
    """Where floe.yaml says what becomes a sensor, by the sensor's name."""
    yield from derived_sensor_names(orchestration).items()
    yield from ((name, ("sensors", name)) for name in orchestration.sensors)
