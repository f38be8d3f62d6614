"""Automation conditions, evaluated tick by tick over assets that are reported as materialised."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import dagster as dg
from dagster._core.definitions.asset_daemon_cursor import AssetDaemonCursor

from floe_core.errors import Location
from floe_core.schemas.asset_config import AutomationCondition
from floe_dagster.automation.conditions import build_condition
from floe_dagster.automation.presence import AssetCondition

Definition = dg.AssetsDefinition | dg.AssetSpec

DAILY = dg.DailyPartitionsDefinition("2024-01-01")


class NamedGroups:
    """Assets of which a selection item is the name of a group."""

    def select(self, items: tuple[str, ...], location: Location) -> dg.AssetSelection:
        return dg.AssetSelection.groups(*items)

    def find(self, name: str, location: Location) -> dg.AssetKey:
        return dg.AssetKey(name)


def condition(setting: AutomationCondition, *, partitions_def: dg.PartitionsDefinition | None = None) -> AssetCondition:
    """What *setting* is in Dagster, as if it stood in a floe.yaml of one line."""
    text = setting if isinstance(setting, str) else "…"
    return build_condition(
        setting,
        partitions_def=partitions_def,
        location=Location("floe.yaml", 1, 1, "automation_condition", text),
        assets=NamedGroups(),
    )


def asset(
    name: str,
    setting: str = "",
    *,
    deps: Sequence[str] = (),
    partitions_def: dg.PartitionsDefinition | None = None,
) -> dg.AssetsDefinition:
    """An asset of no work whose automation condition is the expression *setting*."""

    @dg.asset(
        name=name,
        deps=list(deps),
        partitions_def=partitions_def,
        automation_condition=condition(setting, partitions_def=partitions_def) if setting else None,
    )
    def made() -> None: ...

    return made


def at(text: str) -> datetime:
    """The instant of an ISO text, in UTC where it names no zone."""
    instant = datetime.fromisoformat(text)
    return instant if instant.tzinfo else instant.replace(tzinfo=UTC)


@dataclass
class Ticks:
    """The automation of some assets: what every tick asks for."""

    assets: Sequence[Definition]
    instance: dg.DagsterInstance
    cursor: AssetDaemonCursor | None = None

    def tick(self, now: str) -> dict[str, list[str]]:
        """{asset: partitions, or one empty text} of what is asked for at *now*."""
        result = dg.evaluate_automation_conditions(
            dg.Definitions(assets=list(self.assets)),
            instance=self.instance,
            asset_selection=dg.AssetSelection.all(),
            evaluation_time=at(now),
            cursor=self.cursor,
        )
        self.cursor = result.cursor
        keys = [key for asset in self.assets if isinstance(asset, dg.AssetsDefinition) for key in asset.keys]
        asked = {key.to_user_string(): result.get_requested_partitions(key) for key in keys}
        return {name: sorted(key or "" for key in partitions) for name, partitions in asked.items() if partitions}

    def make(self, name: str, *partitions: str) -> None:
        """Report that the asset was materialised."""
        for partition in partitions or (None,):
            self.instance.report_runless_asset_event(dg.AssetMaterialization(name, partition=partition))

    def make_all(self, asked: dict[str, list[str]]) -> None:
        """Report everything that a tick asked for."""
        for name, partitions in asked.items():
            self.make(name, *filter(None, partitions))
