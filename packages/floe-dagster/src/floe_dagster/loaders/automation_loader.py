"""The sensors that evaluate automation conditions: those of floe.yaml, and one for all other assets."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import reduce
from operator import sub

import dagster as dg
from dagster._core.definitions.asset_key import AssetJobKey
from dagster._core.definitions.automation_condition_sensor_definition import DEFAULT_AUTOMATION_CONDITION_SENSOR_NAME
from dagster._utils.warnings import disable_dagster_warnings

from floe_core.errors import LoadError, Location, Problem, ProblemCollector, YamlPath
from floe_core.schemas.sensor_definition import AutomationSensor, SensorDefinition
from floe_core.source_map import SourceMap
from floe_core.suggestions import list_names
from floe_dagster.automation.automated import Automated
from floe_dagster.launching.ticks import exists_in
from floe_dagster.selection.asset_index import AssetIndex, KeyPath
from floe_dagster.selection.resolution import Keys, SelectionPlace, resolve_selection, translate_selection
from floe_dagster.user_code.module_contents import Asset

CUSTOM_SENSOR_NAME = "custom_automation_condition_sensor"
REST_SENSOR_NAME = "remaining_automation_condition_sensor"
_MOST_IN_USER_CODE = 500


@dataclass(frozen=True)
class AutomationSelections:
    """The assets of the automation sensors of floe.yaml.

    Args:
        here: Those of the sensors that exist in this environment, by the sensor's name.
        elsewhere: Those of which the sensor exists in other environments only; nothing launches them on its own here.
    """

    here: Mapping[str, Keys] = field(default_factory=dict)
    elsewhere: Keys = frozenset()


def resolve_automation_sensors(
    sensors: Mapping[str, SensorDefinition], *, index: AssetIndex, source: SourceMap, environment: str
) -> AutomationSelections:
    """What the sensors of type `automation` select.

    Raises:
        SelectionError: A selection is wrong, in whatever environment.
        LoadError: Two sensors that exist in *environment* select the same asset.
    """
    collector = ProblemCollector()
    here: dict[str, Keys] = {}
    elsewhere: set[KeyPath] = set()
    for name, sensor in _automation_sensors(sensors).items():
        place = SelectionPlace(f"sensor '{name}'", source, (*_path(name), "selection"))
        with collector.collecting():
            keys = resolve_selection(sensor.selection, index=index, place=place)
            if exists_in(sensor.environments, environment):
                collector.extend(_check_overlap(name, keys, here, source=source))
                here[name] = keys
            else:
                elsewhere |= keys
    collector.raise_if_any(LoadError)
    return AutomationSelections(here, frozenset(elsewhere).difference(*here.values()))


def build_automation_sensors(
    sensors: Mapping[str, SensorDefinition],
    selections: AutomationSelections,
    *,
    automated: Automated,
    assets: Sequence[Asset],
    index: AssetIndex,
    others: Iterable[dg.SensorDefinition],
    source: SourceMap,
) -> dict[str, dg.SensorDefinition]:
    """Build the sensors of type `automation`, and those that take care of all other automated assets.

    Dagster adds a sensor for what no sensor covers: switched off, and in place of another one of its name. So nothing
    is left to it.

    Args:
        sensors: `orchestration.sensors`; those of other types are passed over.
        selections: What they select.
        automated: What has a condition.
        assets: Everything in the definitions.
        index: The same.
        others: The sensors of Python modules and of the definitions file.
        source: Where floe.yaml stands.

    Raises:
        LoadError: A sensor of Python code covers an asset of one of floe.yaml, or there are more conditions of the
            user's own classes than Dagster evaluates.
    """
    with disable_dagster_warnings():  # sensors that evaluate in the code location are in beta
        return _Builder(sensors, selections, automated, index, source).build(assets, others)


@dataclass(frozen=True)
class _Builder:
    sensors: Mapping[str, SensorDefinition]
    selections: AutomationSelections
    automated: Automated
    index: AssetIndex
    source: SourceMap

    def build(self, assets: Sequence[Asset], others: Iterable[dg.SensorDefinition]) -> dict[str, dg.SensorDefinition]:
        python = {
            sensor.name: sensor for sensor in others if isinstance(sensor, dg.AutomationConditionSensorDefinition)
        }
        covered = _keys_of(python, assets) if python else {}
        collector = ProblemCollector()
        built: dict[str, dg.SensorDefinition] = {}
        for name, sensor in _automation_sensors(self.sensors).items():
            if name in self.selections.here:
                keys = self.selections.here[name]
                collector.extend(_check_overlap(name, keys, covered, source=self.source))
                with collector.collecting():
                    built[name] = self.build_declared(name, sensor, keys)
        collector.raise_if_any(LoadError)
        taken = [sensor.asset_selection for sensor in (*python.values(), *built.values())]
        covered_keys = frozenset[KeyPath]().union(*self.selections.here.values(), *covered.values())
        return built | self.build_rest(covered_keys, [s for s in taken if s is not None], names={*python, *built})

    def build_declared(self, name: str, sensor: AutomationSensor, keys: Keys) -> dg.SensorDefinition:
        return dg.AutomationConditionSensorDefinition(
            name=name,
            target=translate_selection(sensor.selection, index=self.index),
            run_tags=dict(sensor.run_tags),
            default_status=dg.DefaultSensorStatus.RUNNING if sensor.enabled else dg.DefaultSensorStatus.STOPPED,
            minimum_interval_seconds=sensor.poll_interval_seconds,
            description=sensor.description,
            use_user_code_server=self.needs_user_code(keys, f"sensor '{name}'", _path(name)),
        )

    def needs_user_code(self, keys: Keys, subject: str, path: YamlPath) -> bool:
        """Whether a sensor over *keys* has to evaluate in the code location.

        Raises:
            LoadError: It has to, and there are too many.
        """
        conditioned = self.automated.keys & keys
        if not self.automated.custom & keys:
            return False
        if len(conditioned) > _MOST_IN_USER_CODE:
            raise LoadError(_too_many(subject, len(conditioned), self.source.locate(*path, key=True)))
        return True

    def build_rest(
        self, covered: Keys, taken: Sequence[dg.AssetSelection], *, names: set[str]
    ) -> dict[str, dg.SensorDefinition]:
        custom = self.automated.custom - covered
        rest = self.automated.keys - covered - custom
        built: dict[str, dg.SensorDefinition] = {}
        if custom:
            self.needs_user_code(custom, "the project", ("orchestration",))
            target = _select_keys(custom)
            taken = [*taken, target]
            built[CUSTOM_SENSOR_NAME] = dg.AutomationConditionSensorDefinition(
                CUSTOM_SENSOR_NAME,
                target=target,
                default_status=dg.DefaultSensorStatus.RUNNING,
                description="Evaluates the automation conditions that only the code of the project can evaluate.",
                use_user_code_server=True,
            )
        if rest or self.automated.jobs:
            name = DEFAULT_AUTOMATION_CONDITION_SENSOR_NAME
            name = REST_SENSOR_NAME if name in names else name
            built[name] = dg.AutomationConditionSensorDefinition(
                name,
                target=reduce(sub, taken, self.everything(rest)),
                default_status=dg.DefaultSensorStatus.RUNNING,
                description="Evaluates all automation conditions"
                + (" that no other sensor evaluates." if taken else "."),
                asset_job_keys={AssetJobKey(job) for job in self.automated.jobs},
            )
        return built

    def everything(self, rest: Keys) -> dg.AssetSelection:
        selection = dg.AssetSelection.all() | dg.AssetSelection.all_asset_checks()
        observed = self.automated.observed & rest
        return selection | _select_keys(observed) if observed else selection


def without_conditions(assets: Iterable[Asset], keys: Keys) -> tuple[Asset, ...]:
    """*assets*, those of *keys* without their automation conditions."""

    def strip(spec: dg.AssetSpec) -> dg.AssetSpec:
        return spec.replace_attributes(automation_condition=None) if tuple(spec.key.path) in keys else spec

    return tuple(
        asset.map_asset_specs(strip)
        if isinstance(asset, dg.AssetsDefinition) and any(_has_condition(spec, keys) for spec in asset.specs)
        else asset
        for asset in assets
    )


def check_nothing_to_evaluate(
    selections: AutomationSelections, automated: Automated, *, source: SourceMap
) -> Iterator[Problem]:
    """Warnings of the sensors whose assets have no automation condition."""
    for name, keys in selections.here.items():
        if not keys & automated.keys:
            yield Problem(
                "FLOE-345",
                f"sensor '{name}' has nothing to evaluate",
                source.locate(*_path(name), "selection"),
                why="none of the assets that it selects has an automation condition",
                fix="set 'automation_condition' for them under orchestration.assets",
                severity="warning",
            )


def _automation_sensors(sensors: Mapping[str, SensorDefinition]) -> dict[str, AutomationSensor]:
    return {name: sensor for name, sensor in sensors.items() if isinstance(sensor, AutomationSensor)}


def _path(name: str) -> YamlPath:
    return ("orchestration", "sensors", name)


def _has_condition(spec: dg.AssetSpec, keys: Keys) -> bool:
    return spec.automation_condition is not None and tuple(spec.key.path) in keys


def _select_keys(keys: Keys) -> dg.AssetSelection:
    return dg.AssetSelection.assets(*(dg.AssetKey(key) for key in sorted(keys)))


def _keys_of(sensors: Mapping[str, dg.AutomationConditionSensorDefinition], assets: Sequence[Asset]) -> dict[str, Keys]:
    graph = dg.Definitions(assets=assets).resolve_asset_graph()
    return {
        name: frozenset(tuple(key.path) for key in sensor.asset_selection.resolve(graph, allow_missing=True))
        for name, sensor in sensors.items()
    }


def _check_overlap(name: str, keys: Keys, known: Mapping[str, Keys], *, source: SourceMap) -> Iterator[Problem]:
    for other, others in known.items():
        common = sorted("/".join(key) for key in keys & others)
        if common:
            what = "one asset" if len(common) == 1 else f"{len(common)} assets"
            yield Problem(
                "FLOE-344",
                f"sensors '{name}' and '{other}' both evaluate {what}: {list_names(common)}",
                source.locate(*_path(name), "selection"),
                why="in Dagster each asset belongs to one automation sensor, or it would be launched twice",
                fix="leave the assets out of one of the two: '!name'",
            )


def _too_many(subject: str, count: int, location: Location) -> Problem:
    return Problem(
        "FLOE-345",
        f"{subject} has {count} automation conditions to evaluate in its own code",
        location,
        why=f"conditions of your own classes are evaluated in the code location, and Dagster takes "
        f"{_MOST_IN_USER_CODE} there",
        fix="select fewer assets with a sensor of type automation",
    )
