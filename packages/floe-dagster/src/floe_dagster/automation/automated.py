"""What an automation sensor has to evaluate: everything with an automation condition."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import dagster as dg

from floe_dagster.selection.asset_index import KeyPath


@dataclass(frozen=True)
class Automated:
    """What has an automation condition.

    Args:
        conditions: The assets that have one.
        checked: The assets that have a check with one.
        observed: The external assets that Dagster observes on its own, by a condition or every so many minutes.
        jobs: The names of the jobs that have one.
    """

    conditions: Mapping[KeyPath, dg.AutomationCondition[dg.AssetKey]] = field(default_factory=dict)
    checked: frozenset[KeyPath] = frozenset()
    observed: frozenset[KeyPath] = frozenset()
    jobs: frozenset[str] = frozenset()

    @property
    def keys(self) -> frozenset[KeyPath]:
        """All assets for which a sensor is needed."""
        return frozenset({*self.conditions, *self.checked, *self.observed})

    @property
    def custom(self) -> frozenset[KeyPath]:
        """The assets whose conditions only the user's own code can evaluate: those that Dagster cannot store."""
        known: dict[int, bool] = {}
        for condition in self.conditions.values():
            if id(condition) not in known:
                known[id(condition)] = condition.is_serializable
        return frozenset(key for key, condition in self.conditions.items() if not known[id(condition)])


def find_automated(
    assets: Iterable[dg.AssetsDefinition | dg.AssetSpec | dg.SourceAsset], jobs: Iterable[object]
) -> Automated:
    """What has an automation condition among *assets*, asset checks among them, and *jobs*."""
    conditions: dict[KeyPath, dg.AutomationCondition[dg.AssetKey]] = {}
    checked: set[KeyPath] = set()
    observed: set[KeyPath] = set()
    for asset in assets:
        match asset:
            case dg.AssetsDefinition() if asset.is_executable:
                found = {tuple(s.key.path): s.automation_condition for s in asset.specs if s.automation_condition}
                conditions.update(found)
                checked.update(tuple(c.asset_key.path) for c in asset.check_specs if c.automation_condition)
                if asset.is_observable:
                    interval = asset.auto_observe_interval_minutes
                    observed.update(found if interval is None else (tuple(key.path) for key in asset.keys))
            case dg.SourceAsset() if asset.is_observable:
                if asset.automation_condition or asset.auto_observe_interval_minutes is not None:
                    observed.add(tuple(asset.key.path))
            case _:
                pass
    named = (str(getattr(job, "name", "")) for job in jobs if getattr(job, "automation_condition", None) is not None)
    return Automated(conditions, frozenset(checked), frozenset(observed), frozenset(named))
