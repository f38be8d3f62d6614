"""`orchestration.sensors` as Dagster sensors, but for those that evaluate automation conditions."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import assert_never

import dagster as dg

from floe_core.errors import LoadError, Problem, ProblemCollector, YamlPath
from floe_core.schemas.sensor_definition import (
    AssetSensor,
    AutomationSensor,
    CustomSensor,
    FileWatcherSensor,
    RunStatusSensor,
    SensorDefinition,
)
from floe_core.source_map import SourceMap
from floe_dagster.launching.launchable import Launchable, LaunchableAssets, select_launched
from floe_dagster.launching.run_config import RunConfigPlace, RunConfigSchema, check_job_run_config, check_run_config
from floe_dagster.launching.sensor_runs import SensorRuns, SensorTarget
from floe_dagster.launching.ticks import exists_in
from floe_dagster.partitioning.selectors import check_selector
from floe_dagster.selection.resolution import SelectionPlace, translate_selection

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


def build_sensors(sensors: Mapping[str, SensorDefinition], *, parts: SensorParts) -> dict[str, dg.SensorDefinition]:
    """Build every sensor that exists in the environment; those of other environments are checked all the same.

    Sensors of type `automation` are not among them: they take part in deciding what the others may launch.

    Args:
        sensors: `orchestration.sensors`; those whose jobs do not exist are left out, which is told elsewhere.
        parts: What is there before.

    Raises:
        LoadError: What the sensors watch, call or launch is wrong; all problems at once.
    """
    collector = ProblemCollector()
    built: dict[str, dg.SensorDefinition] = {}
    for name, sensor in sensors.items():
        if isinstance(sensor, AutomationSensor):
            continue
        with collector.collecting():
            definition = _build_sensor(_SensorBuilder(name, sensor, parts))
            if definition is not None and exists_in(sensor.environments, parts.environment):
                built[name] = definition
    collector.raise_if_any(LoadError)
    return built


def _build_sensor(builder: "_SensorBuilder") -> dg.SensorDefinition | None:
    sensor = builder.sensor
    match sensor:
        case FileWatcherSensor() | AssetSensor() | RunStatusSensor() | CustomSensor():
            return None
        case _:
            assert_never(sensor)


@dataclass(frozen=True)
class _SensorBuilder:
    """What all kinds have in common."""

    name: str
    sensor: LaunchingSensor
    parts: SensorParts

    @property
    def subject(self) -> str:
        return f"sensor '{self.name}'"

    @property
    def path(self) -> YamlPath:
        return ("orchestration", "sensors", self.name)

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
        if not sensor.config:
            return
        place = RunConfigPlace(self.subject, source, (*self.path, "config"))
        if target.keys is not None:
            schema = RunConfigSchema(self.parts.assets.ops_of(target.keys), self.parts.resources)
            yield from check_run_config(sensor.config, schema=schema, place=place)
        elif isinstance(target.launched, dg.JobDefinition):
            yield from check_job_run_config(sensor.config, job=target.launched, place=place)
