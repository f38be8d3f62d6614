"""Automation conditions that name other assets, set when all assets are known."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import dagster as dg

from floe_core.errors import LoadError, Location, Problem, ProblemCollector
from floe_core.selection.parser import parse_item
from floe_core.selection.tree import Expression
from floe_core.source_map import SourceMap
from floe_core.suggestions import did_you_mean, list_names
from floe_dagster.asset_settings.patterns import AssetSettings
from floe_dagster.assets import rebuild_asset
from floe_dagster.automation.conditions import build_condition, names_assets
from floe_dagster.selection.asset_index import AssetIndex
from floe_dagster.selection.keys import find_assets
from floe_dagster.selection.problems import ItemText, SelectionPlace, check_item
from floe_dagster.selection.translation import translate_union

Asset = dg.AssetsDefinition | dg.AssetSpec | dg.SourceAsset


def apply_conditions_over_assets(
    assets: Sequence[Asset], settings: AssetSettings, *, index: AssetIndex, source: SourceMap
) -> tuple[Asset, ...]:
    """*assets* with the conditions whose expressions name other assets, as in `eager.ignore('group:slow')`.

    Raises:
        LoadError: What is named does not exist, or the condition cannot be built; all problems at once.
    """
    application = _Application(settings, index, source, ProblemCollector())
    applied = tuple(application.apply(asset) for asset in assets)
    application.problems.raise_if_any(LoadError)
    return applied


@dataclass(frozen=True)
class _Application:
    settings: AssetSettings
    index: AssetIndex
    source: SourceMap
    problems: ProblemCollector

    def apply(self, asset: Asset) -> Asset:
        if not isinstance(asset, dg.AssetsDefinition) or not asset.is_executable:
            return asset
        if not any(self.is_concerned(spec) for spec in asset.specs):
            return asset
        return rebuild_asset(asset, specs=[self.refine(spec) for spec in asset.specs])

    def is_concerned(self, spec: dg.AssetSpec) -> bool:
        setting = self.settings.of(tuple(spec.key.path)).config.automation_condition
        return setting is not None and names_assets(setting)

    def refine(self, spec: dg.AssetSpec) -> dg.AssetSpec:
        settings = self.settings.of(tuple(spec.key.path))
        setting = settings.config.automation_condition
        if setting is None or not names_assets(setting):
            return spec
        pattern = settings.places["automation_condition"].pattern
        place = SelectionPlace(
            f"automation condition of pattern '{pattern}'",
            self.source,
            ("orchestration", "assets", pattern, "automation_condition"),
        )
        with self.problems.collecting():
            return spec.replace_attributes(
                automation_condition=build_condition(
                    setting,
                    partitions_def=spec.partitions_def,
                    location=settings.locate("automation_condition"),
                    assets=_Known(self.index, place),
                )
            )
        return spec


@dataclass(frozen=True)
class _Known:
    """The assets as expressions of one setting may name them."""

    index: AssetIndex
    place: SelectionPlace

    def select(self, items: tuple[str, ...], location: Location) -> dg.AssetSelection:
        problems = ProblemCollector()
        expressions: list[Expression] = []
        for item in items:
            text = ItemText(item, self.place.items, excluded=True, place=self.place)  # external assets may be meant
            found = check_item(text.parse(), text, index=self.index)
            problems.extend(_said_here(problem, location) for problem in found)
            expressions.append(parse_item(item).expression)
        problems.raise_if_any(LoadError)
        return translate_union(expressions, self.index, with_external=True)

    def find(self, name: str, location: Location) -> dg.AssetKey:
        found = find_assets(name, self.index)
        if len(found) != 1:
            labels = [node.label for node in self.index.nodes.values()]
            raise LoadError(
                Problem(
                    "FLOE-347",
                    f"{self.place.subject} names asset '{name}', "
                    + (f"which may be any of {len(found)}" if found else "which does not exist"),
                    location,
                    why=f"the keys {list_names(map('/'.join, found))} all end so"
                    if found
                    else "an asset is named by its whole key, or by the last part of it",
                    fix="write the whole key" if found else did_you_mean(name, labels),
                )
            )
        return dg.AssetKey(found[0])


def _said_here(problem: Problem, location: Location) -> Problem:
    return replace(problem, what=problem.what.replace(" excludes ", " names ", 1), location=location)
