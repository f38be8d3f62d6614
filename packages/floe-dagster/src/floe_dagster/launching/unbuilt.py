"""Sensors, of which nothing is made yet: whether the names in them lead anywhere."""

from collections.abc import Iterator, Sequence

from floe_core.errors import Problem, ProblemCollector, YamlPath
from floe_core.schemas.orchestration_config import OrchestrationConfig
from floe_core.schemas.sensor_definition import AutomationSensor
from floe_core.source_map import SourceMap
from floe_dagster.selection.asset_index import AssetIndex
from floe_dagster.selection.problems import check_item
from floe_dagster.selection.resolution import SelectionPlace, item_texts
from floe_dagster.targets import load_target

UNBUILT_SENSORS = frozenset({"custom"})
"""The types of sensors that nothing is made of yet."""
_NAMES_NOTHING = frozenset({"FLOE-331", "FLOE-332"})


def check_unbuilt(orchestration: OrchestrationConfig, *, index: AssetIndex, source: SourceMap) -> Iterator[Problem]:
    """The problems of functions and assets that sensors name."""
    for name, sensor in orchestration.sensors.items():
        if sensor.type not in UNBUILT_SENSORS:
            continue
        path = ("orchestration", "sensors", name)
        yield from _check_function(getattr(sensor, "target_function", None), path, source)
        if not isinstance(sensor, AutomationSensor):  # for mypy: none is among them
            yield from _check_assets(sensor.selection, f"sensor '{name}'", (*path, "selection"), index, source)


def _check_function(reference: str | None, path: YamlPath, source: SourceMap) -> tuple[Problem, ...]:
    problems = ProblemCollector()
    with problems.collecting():
        if reference is not None:
            load_target(reference, location=source.locate(*path, "target_function"))
    return problems.problems


def _check_assets(
    items: Sequence[str], subject: str, path: YamlPath, index: AssetIndex, source: SourceMap
) -> Iterator[Problem]:
    for text in item_texts(items, (), SelectionPlace(subject, source, path)):
        found = check_item(text.parse(), text, index=index)
        yield from (problem for problem in found if problem.code in _NAMES_NOTHING)
