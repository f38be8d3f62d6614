"""`orchestration.sensors` as Dagster sensors, but for those that evaluate automation conditions."""

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import assert_never

import dagster as dg

from floe_core.errors import LoadError, Problem, ProblemCollector, TargetError, YamlPath
from floe_core.project import FLOE_DIR
from floe_core.schemas.sensor_definition import (
    AssetSensor,
    AutomationSensor,
    CustomSensor,
    FileWatcherSensor,
    RunStatusSensor,
    SensorDefinition,
)
from floe_core.source_map import SourceMap
from floe_dagster.launching.called_function import CalledFunction, load_called_function
from floe_dagster.launching.launchable import Launchable, LaunchableAssets, select_launched
from floe_dagster.launching.required_config import check_required_config
from floe_dagster.launching.run_config import RunConfigPlace, RunConfigSchema, check_job_run_config, check_run_config
from floe_dagster.launching.sensor_runs import SensorRuns, SensorTarget
from floe_dagster.launching.ticks import exists_in
from floe_dagster.partitioning.selectors import check_selector
from floe_dagster.selection.resolution import Keys, SelectionPlace, translate_selection
from floe_dagster.sensors.asset_sensor import AssetTicks
from floe_dagster.sensors.custom_function import load_custom_function
from floe_dagster.sensors.custom_sensor import CustomTicks
from floe_dagster.sensors.declared_sensor import DeclaredSensor
from floe_dagster.sensors.file_checks import check_folder, check_partition_key, watched_folder
from floe_dagster.sensors.file_texts import FileTexts
from floe_dagster.sensors.file_watcher import FileWatcherTicks
from floe_dagster.sensors.run_status_sensor import Outcome, RunStatusTicks
from floe_dagster.sensors.watched_assets import check_launched_assets, resolve_watched
from floe_dagster.sensors.watched_runs import WatchedRuns
from floe_dagster.targets import load_target
from floe_dagster.user_code.arguments import FunctionArguments
from floe_dagster.user_code.tracebacks import UsersTraceback

TickResult = dg.SensorResult | dg.SkipReason | Iterator[Outcome]
Evaluation = Callable[[dg.SensorEvaluationContext], TickResult]
LaunchingSensor = FileWatcherSensor | AssetSensor | RunStatusSensor | CustomSensor


@dataclass(frozen=True)
class SensorParts:
    """What is there before the sensors are.

    Args:
        jobs: All jobs of the definitions by name, those of Python modules among them.
        assets: All assets that the definitions have.
        source: Where floe.yaml stands.
        project_folder: The folder that it is in.
        environment: Name of the environment that the definitions are for.
        resources: All resources of the definitions; without them, neither run config of resources nor what functions
            ask for is checked.
    """

    jobs: Mapping[str, Launchable]
    assets: LaunchableAssets
    source: SourceMap
    project_folder: Path
    environment: str
    resources: Mapping[str, object] | None = None


def build_sensors(
    sensors: Mapping[str, SensorDefinition], *, parts: SensorParts, warnings: ProblemCollector | None = None
) -> dict[str, dg.SensorDefinition]:
    """Build every sensor that exists in the environment; those of other environments are checked all the same.

    Sensors of type `automation` are not among them: they take part in deciding what the others may launch.

    Args:
        sensors: `orchestration.sensors`; those whose jobs do not exist are left out, which is told elsewhere.
        parts: What is there before.
        warnings: Is given what is no error and worth a word.

    Raises:
        LoadError: What the sensors watch, call or launch is wrong; all problems at once.
    """
    collector = ProblemCollector()
    built: dict[str, dg.SensorDefinition] = {}
    for name, sensor in sensors.items():
        if isinstance(sensor, AutomationSensor):
            continue
        with collector.collecting():
            definition = _build_sensor(_SensorBuilder(name, sensor, parts, collector))
            if exists_in(sensor.environments, parts.environment):
                built[name] = definition
    collector.raise_if_any(LoadError)
    if warnings is not None:
        warnings.extend(collector.warnings)
    return built


def _build_sensor(builder: "_SensorBuilder") -> dg.SensorDefinition:
    sensor = builder.sensor
    match sensor:
        case AssetSensor():
            return _build_asset_sensor(builder, sensor)
        case RunStatusSensor():
            return _build_run_status_sensor(builder, sensor)
        case FileWatcherSensor():
            return _build_file_watcher(builder, sensor)
        case CustomSensor():
            return _build_custom_sensor(builder, sensor)
        case _:
            assert_never(sensor)


def _build_asset_sensor(builder: "_SensorBuilder", sensor: AssetSensor) -> dg.SensorDefinition:
    problems = ProblemCollector()
    place = SelectionPlace(builder.subject, builder.parts.source, (*builder.path, "watched_assets"))
    watched: Keys = frozenset()
    runs = SensorRuns(builder.subject)
    with problems.collecting():
        watched = resolve_watched(sensor.watched_assets, index=builder.parts.assets.index, place=place)
    with problems.collecting():
        runs = builder.find_runs()
    problems.raise_if_any(LoadError)
    for target in runs.targets:
        builder.warnings.extend(check_launched_assets(watched, target, place=place))
    ticks = AssetTicks(builder.name, watched, sensor.trigger == "all", runs)
    return builder.define(ticks.evaluate, runs)


def _build_run_status_sensor(builder: "_SensorBuilder", sensor: RunStatusSensor) -> dg.SensorDefinition:
    watched = WatchedRuns(
        builder.name,
        dg.DagsterRunStatus[sensor.status],
        sensor.watched_jobs,
        builder.parts.project_folder / FLOE_DIR,
    )
    function = builder.load_function(sensor.target_function, "calls") if sensor.target_function is not None else None
    runs = builder.find_runs()
    ticks = RunStatusTicks(builder.name, watched, runs, function)
    return builder.define(ticks.evaluate, runs, resource_keys=function.resource_keys if function else ())


def _build_file_watcher(builder: "_SensorBuilder", sensor: FileWatcherSensor) -> dg.SensorDefinition:
    problems = ProblemCollector()
    source, at = builder.parts.source, builder.path
    folder = watched_folder(sensor, builder.parts.project_folder)
    problems.extend(check_folder(sensor, folder, who=builder.subject, source=source, at=at))
    # config is checked with its places filled in
    filled_in = sensor.model_copy(update={"config": FileTexts(sensor, folder).sample_config()})
    runs = SensorRuns(builder.subject)
    with problems.collecting():
        runs = replace(builder, sensor=filled_in).find_runs()
        problems.extend(check_partition_key(sensor, runs, who=builder.subject, source=source, at=at))
    problems.raise_if_any(LoadError)
    return builder.define(FileWatcherTicks(builder.name, sensor, folder, runs).evaluate, runs)


def _build_custom_sensor(builder: "_SensorBuilder", sensor: CustomSensor) -> dg.SensorDefinition:
    problems, parts = ProblemCollector(), builder.parts
    runs = SensorRuns(builder.subject)
    function: FunctionArguments | None = None
    with problems.collecting():
        function = load_custom_function(
            sensor.target_function,
            args=sensor.args,
            subject=builder.subject,
            source=parts.source,
            path=builder.path,
            resources=parts.resources,
        )
    with problems.collecting():
        runs = builder.find_runs()
    problems.raise_if_any(LoadError)
    assert function is not None
    ticks = CustomTicks(function, sensor.args, runs)
    return builder.define(ticks.evaluate, runs, resource_keys=function.parameters.resource_keys)


@dataclass(frozen=True)
class _SensorBuilder:
    """What all kinds have in common."""

    name: str
    sensor: LaunchingSensor
    parts: SensorParts
    warnings: ProblemCollector

    @property
    def subject(self) -> str:
        return f"sensor '{self.name}'"

    @property
    def path(self) -> YamlPath:
        return ("orchestration", "sensors", self.name)

    def load_function(self, reference: str, verb: str) -> CalledFunction:
        """The function under `target_function`, with *verb* for what the sensor does with it.

        Raises:
            TargetError: It does not exist, is a sensor of its own, or asks for what there is not.
        """
        location = self.parts.source.locate(*self.path, "target_function")
        if isinstance(load_target(reference, location=location), dg.ScheduleDefinition | dg.SensorDefinition):
            raise TargetError(
                Problem(
                    "FLOE-312",
                    f"{self.subject} {verb} '{reference}', which is a schedule or sensor of its own",
                    location,
                    why="the function takes the tick's context and resources",
                    fix="name its module under orchestration.asset_modules, where it is loaded as it is",
                )
            )
        use = f"{self.subject} {verb}"
        resources = self.parts.resources
        return load_called_function(reference, use=use, location=location, resources=resources, awaited=True)

    def define(
        self, evaluate: Evaluation, runs: SensorRuns, *, resource_keys: Collection[str] = ()
    ) -> dg.SensorDefinition:
        """The sensor that calls *evaluate* at every tick and may launch what *runs* launches.

        Raises:
            LoadError: Dagster refuses it.
        """
        location = self.parts.source.locate(*self.path, key=True)

        def tick(context: dg.SensorEvaluationContext) -> TickResult:
            with UsersTraceback(at=location):
                outcome = evaluate(context)
                return (each for each in list(outcome)) if isinstance(outcome, Iterator) else outcome

        launched = [target.launched for target in runs.targets]
        jobs = [each for each in launched if not isinstance(each, dg.AssetSelection)]
        try:
            return DeclaredSensor(
                name=self.name,
                evaluation_fn=tick,
                jobs=jobs or None,
                target=next((each for each in launched if isinstance(each, dg.AssetSelection)), None),
                minimum_interval_seconds=self.sensor.poll_interval_seconds,
                default_status=_status(enabled=self.sensor.enabled),
                description=self.sensor.description,
                required_resource_keys=set(resource_keys),
            )
        except dg.DagsterInvalidDefinitionError as error:
            raise LoadError(Problem("FLOE-350", f"Dagster refuses {self.subject}: {error}", location)) from error

    def find_runs(self) -> SensorRuns:
        """What the sensor launches.

        Raises:
            LoadError: The selection, the partition selector or the run config is wrong.
        """
        targets = tuple(self._targets())
        ProblemCollector(problem for target in targets for problem in self._check_target(target)).raise_if_any(
            LoadError
        )
        sensor = self.sensor
        return SensorRuns(self.subject, targets, sensor.partition_selector, sensor.tags, sensor.config)

    def _targets(self) -> Iterator[SensorTarget]:
        sensor, assets = self.sensor, self.parts.assets
        for name in (sensor.job, *sensor.jobs):
            if name is not None:
                found = self.parts.jobs[name]
                yield SensorTarget(
                    f"job '{name}'",
                    found.job,
                    assets,
                    found.partitions_def,
                    partitions_known=found.partitions_known,
                    keys=found.keys,
                )
        if sensor.selection:
            place = SelectionPlace(self.subject, self.parts.source, (*self.path, "selection"))
            keys, partitions_def = select_launched(sensor.selection, assets=assets, place=place)
            selection = translate_selection(sensor.selection, index=assets.index)
            yield SensorTarget("a selection", selection, assets, partitions_def, keys=keys)

    def _check_target(self, target: SensorTarget) -> Iterator[Problem]:
        source, sensor = self.parts.source, self.sensor
        if target.partitions_known:
            location = source.locate(*self.path, "partition_selector")
            selector = sensor.partition_selector
            yield from check_selector(
                selector, target.partitions_def, who=self.subject, what=target.what, location=location
            )
        if getattr(sensor, "target_function", None) is None:
            field = next(name for name in ("job", "jobs", "selection") if getattr(sensor, name))
            yield from check_required_config(
                target.launched,
                self.parts.assets.ops_of(target.keys or ()).values(),
                given=sensor.config,
                subject=self.subject,
                what=target.what,
                location=source.locate(*self.path, field),
            )
        if not sensor.config:
            return
        place = RunConfigPlace(self.subject, source, (*self.path, "config"))
        if target.keys is not None:
            schema = RunConfigSchema(self.parts.assets.ops_of(target.keys), self.parts.resources)
            yield from check_run_config(sensor.config, schema=schema, place=place)
        elif isinstance(target.launched, dg.JobDefinition):
            yield from check_job_run_config(sensor.config, job=target.launched, place=place)


def _status(*, enabled: bool) -> dg.DefaultSensorStatus:
    return dg.DefaultSensorStatus.RUNNING if enabled else dg.DefaultSensorStatus.STOPPED
