"""Settings put on the assets that Python modules define."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

import dagster as dg
from dagster._check import CheckError
from dagster._core.definitions.external_asset import create_external_asset_from_source_asset
from dagster._utils.warnings import disable_dagster_warnings

from floe_core.errors import Problem, ProblemCollector, YamlPath
from floe_core.source_map import SourceMap
from floe_dagster.asset_settings.op_config import check_default_config
from floe_dagster.asset_settings.op_copies import alter_node
from floe_dagster.asset_settings.op_fields import OpSettings, unite_op_settings
from floe_dagster.asset_settings.patterns import NOTHING_SET, AssetSettings, SettingPlace
from floe_dagster.asset_settings.spec_fields import SpecSettings
from floe_dagster.assets import rebuild_asset
from floe_dagster.launching.run_config import RunConfigPlace
from floe_dagster.partitioning.texts import describe_partitions
from floe_dagster.selection.asset_index import KeyPath

_GRAPH_TAKES_NONE_OF = ("retry_policy", "pool", "config")

Asset: TypeAlias = dg.AssetsDefinition | dg.AssetSpec | dg.SourceAsset


def apply_settings(
    assets: Sequence[Asset], specs: SpecSettings, *, source: SourceMap, origins: Mapping[KeyPath, str]
) -> tuple[Asset, ...]:
    """Put the settings on *assets*; those for which nothing is set stay the objects they are, external ones all.

    What is wrong goes to the problems of *specs*.
    """
    application = _Application(specs, source, origins)
    with disable_dagster_warnings():  # what is in beta was chosen by floe.yaml's schema
        return tuple(application.apply(asset) for asset in assets)


@dataclass(frozen=True)
class _Application:
    specs: SpecSettings
    source: SourceMap
    origins: Mapping[KeyPath, str]

    @property
    def settings(self) -> AssetSettings:
        return self.specs.settings

    @property
    def problems(self) -> ProblemCollector:
        return self.specs.problems

    def apply(self, asset: Asset) -> Asset:
        match asset:
            case dg.AssetsDefinition() if asset.is_executable and self.is_set(asset.keys):
                return self.apply_to_definition(asset)
            case dg.SourceAsset() if asset.is_executable and self.is_set([asset.key]):
                return self.apply_to_definition(create_external_asset_from_source_asset(asset))
            case _:
                return asset

    def is_set(self, keys: Iterable[dg.AssetKey]) -> bool:
        return any(self.settings.of(tuple(key.path)) is not NOTHING_SET for key in keys)

    def apply_to_definition(self, definition: dg.AssetsDefinition) -> dg.AssetsDefinition:
        specs = [self.specs.apply(spec) for spec in definition.specs]
        op_settings = self.check_op(definition).suited_to(specs)
        if len({spec.partitions_def for spec in specs} - {None}) > 1 and not definition.can_subset:
            self.problems.add(self.several_partitions(specs))
            return definition
        try:
            return rebuild_asset(
                definition,
                specs=specs,
                node_def=alter_node(definition, specs, op_settings),
                backfill_policy=op_settings.backfill_policy or definition.backfill_policy,
            )
        except (dg.DagsterError, CheckError) as error:
            self.problems.add(self.refused(specs, error))
            return definition

    def check_op(self, definition: dg.AssetsDefinition) -> OpSettings:
        """What is set for the op; without what it cannot take, which is noted."""
        op = definition.node_def
        present = OpSettings(definition.backfill_policy)
        if isinstance(op, dg.OpDefinition):
            present = replace(present, retry_policy=op.retry_policy, pool=op.pool)
        keys = [tuple(key.path) for key in definition.keys]
        united = unite_op_settings(keys, self.settings, present=present, origins=self.origins, problems=self.problems)
        if not isinstance(op, dg.OpDefinition):
            for name in _GRAPH_TAKES_NONE_OF:
                if getattr(united, name) is not None:
                    self.problems.add(self.graph_refuses(name, keys))
            return OpSettings(united.backfill_policy)
        if united.config is None:
            return united
        problems = check_default_config(united.config, op=op, place=self.config_place(keys))
        self.problems.extend(problems)
        return replace(united, config=None) if problems else united

    def setter(self, name: str, keys: Iterable[KeyPath]) -> tuple[KeyPath, SettingPlace]:
        """The first of *keys* that has the field from a pattern."""
        return next((key, places[name]) for key in sorted(keys) if name in (places := self.settings.of(key).places))

    def config_place(self, keys: Iterable[KeyPath]) -> RunConfigPlace:
        key, place = self.setter("config", keys)
        path: YamlPath = ("orchestration", "assets", place.pattern)
        return RunConfigPlace(f"asset '{'/'.join(key)}'", self.source, path)

    def graph_refuses(self, name: str, keys: Iterable[KeyPath]) -> Problem:
        key, place = self.setter(name, keys)
        return Problem(
            "FLOE-382",
            f"asset '{'/'.join(key)}' is a graph of ops, so it takes no '{name}'",
            place.location,
            detail=self.origins.get(key, ""),
            why=f"Dagster has a {name.replace('_', ' ')} for each op inside of the graph",
            fix="set it on the ops in the code, or leave the asset out of the pattern",
        )

    def several_partitions(self, specs: Sequence[dg.AssetSpec]) -> Problem:
        """Of what is one step whatever is launched of it."""
        partitioned = {tuple(spec.key.path): spec.partitions_def for spec in specs if spec.partitions_def is not None}
        key, place = self.setter("partitions", partitioned)
        other = next(other for other in sorted(partitioned) if partitioned[other] != partitioned[key])
        theirs = self.settings.of(other).places.get("partitions") or self.origins.get(other, "its code")
        return Problem(
            "FLOE-381",
            f"assets '{'/'.join(key)}' and '{'/'.join(other)}' are made by one step, and have different partitions",
            place.location,
            detail=f"{'/'.join(other)}: {describe_partitions(partitioned[other])}, by {theirs}",
            why="a run is for the partitions of one definition, and this step always makes all of its assets",
            fix="set the same partitions for all of them, or define the step with can_subset=True",
        )

    def refused(self, specs: Sequence[dg.AssetSpec], error: Exception) -> Problem:
        keys = [key for spec in specs if (key := tuple(spec.key.path)) if self.settings.of(key).places]
        places = self.settings.of(keys[0]).places
        place = places.get("partitions") or next(iter(places.values()))
        return Problem(
            "FLOE-350",
            f"Dagster refuses what floe.yaml sets for asset '{'/'.join(keys[0])}'",
            place.location,
            detail=str(error),
        )
