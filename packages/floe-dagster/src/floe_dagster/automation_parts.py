"""What launches assets on its own: their conditions in this environment, and the sensors that evaluate them."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import dagster as dg

from floe_core.errors import Problem
from floe_core.schemas.sensor_definition import SensorDefinition
from floe_core.source_map import SourceMap
from floe_dagster.asset_settings.conditions import apply_conditions_over_assets
from floe_dagster.asset_settings.patterns import AssetSettings
from floe_dagster.automation.automated import find_automated
from floe_dagster.automation.never import WrittenCondition, check_eager
from floe_dagster.findings import Findings, Gap
from floe_dagster.loaders.automation_loader import (
    AutomationSelections,
    build_automation_sensors,
    check_nothing_to_evaluate,
    resolve_automation_sensors,
    without_conditions,
)
from floe_dagster.selection.asset_index import AssetIndex
from floe_dagster.user_code.module_contents import Asset


@dataclass(frozen=True)
class AutomationParts:
    """All assets, with the conditions that count in this environment.

    Args:
        assets: The assets.
        checks: The asset checks beside them.
        index: The assets, for selections.
        sensors: `orchestration.sensors`.
        selections: What those of type `automation` select.
        source: Where floe.yaml stands.
    """

    assets: tuple[Asset, ...]
    checks: Sequence[dg.AssetChecksDefinition]
    index: AssetIndex
    sensors: Mapping[str, SensorDefinition]
    selections: AutomationSelections
    source: SourceMap

    def build_sensors(
        self, *, jobs: Iterable[object], others: Iterable[dg.SensorDefinition]
    ) -> dict[str, dg.SensorDefinition]:
        """The automation sensors of floe.yaml, and those for all other automated assets.

        Args:
            jobs: Dagster's jobs, which may have conditions of their own.
            others: The sensors of Python modules and of the definitions file.

        Raises:
            LoadError: As `build_automation_sensors`.
        """
        return build_automation_sensors(
            self.sensors,
            self.selections,
            automated=find_automated([*self.assets, *self.checks], jobs),
            assets=self.assets,
            index=self.index,
            others=others,
            source=self.source,
        )


def automate_assets(
    assets: Sequence[Asset],
    *,
    checks: Sequence[dg.AssetChecksDefinition],
    settings: AssetSettings,
    sensors: Mapping[str, SensorDefinition],
    index: AssetIndex,
    source: SourceMap,
    environment: str,
    problems: Findings,
) -> AutomationParts:
    """Finish the automation conditions of *assets*.

    Args:
        assets: All assets, with the conditions that name no other assets.
        checks: The asset checks beside them.
        settings: What floe.yaml sets for assets.
        sensors: `orchestration.sensors`.
        index: The assets, for selections.
        source: Where floe.yaml stands.
        environment: Name of the environment that the definitions are for.
        problems: Where warnings and errors go.

    Returns:
        The assets without the conditions that are wrong, and no automation sensors where one of their selections is.
    """
    selections = AutomationSelections()
    errors_before = len(problems.errors)
    with problems.collecting():
        assets = apply_conditions_over_assets(assets, settings, index=index, source=source)
    with problems.collecting():
        selections = resolve_automation_sensors(sensors, index=index, source=source, environment=environment)
    if len(problems.errors) > errors_before:
        problems.gaps.add(Gap.CONDITIONS)
    problems.extend(_check_conditions(assets, settings, index))
    assets = without_conditions(assets, selections.elsewhere)
    problems.extend(check_nothing_to_evaluate(selections, find_automated([*assets, *checks], ()), source=source))
    return AutomationParts(assets, checks, index, sensors, selections, source)


def _check_conditions(assets: Sequence[Asset], settings: AssetSettings, index: AssetIndex) -> Iterator[Problem]:
    definitions = (asset for asset in assets if isinstance(asset, dg.AssetsDefinition) and asset.is_executable)
    written: list[WrittenCondition] = []
    partitions: dict[tuple[str, ...], dg.PartitionsDefinition] = {}
    for spec in (spec for definition in definitions for spec in definition.specs):
        key = tuple(spec.key.path)
        found = settings.of(key)
        if isinstance(found.config.automation_condition, str):
            location = found.locate("automation_condition")
            written.append(WrittenCondition(key, found.config.automation_condition, location))
        if spec.partitions_def is not None:
            partitions[key] = spec.partitions_def
    yield from check_eager(written, index=index, partitions=partitions, now=datetime.now(UTC))
