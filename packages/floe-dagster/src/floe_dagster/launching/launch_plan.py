"""What of a job or selection the clock launches: what no automation condition launches already."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from functools import cached_property

import dagster as dg

from floe_core.suggestions import list_names
from floe_dagster.launching.launchable import LaunchableAssets
from floe_dagster.selection.resolution import Keys


@dataclass(frozen=True)
class LaunchPlan:
    """A job's or a selection's assets, sorted by who launches them.

    Args:
        keys: All of its assets; none where it has no assets.
        left_out: Those that have an automation condition, and what Dagster executes together with one that has.
        definitions: What computes and checks the others.
        partitions_def: The partitions of the others.
        most_partitions: How many partitions a run of the others may have by their backfill policies; None for any
            number.
        known_checks: The checks there are, where not every check of an asset is; None for every one.
    """

    keys: Keys = frozenset()
    left_out: Keys = frozenset()
    definitions: Collection[dg.AssetsDefinition] = ()
    partitions_def: dg.PartitionsDefinition | None = None
    most_partitions: int | None = 1
    known_checks: Collection[dg.AssetCheckKey] | None = None

    @classmethod
    def of(cls, keys: Keys, assets: LaunchableAssets) -> "LaunchPlan":
        """The plan for *keys*."""
        units = {id(definition): definition for key in keys for definition in assets.definitions.get(key, ())}
        left_out = keys & assets.conditions
        for definition in units.values():
            unit = frozenset() if definition.can_subset else frozenset(tuple(key.path) for key in definition.keys)
            if unit & left_out:
                left_out |= unit & keys
        rest = keys - left_out
        definitions = [definition for definition in units.values() if _is_launched(definition, rest)]
        partitioned = [d for d in definitions if any(tuple(key.path) in assets.partitions for key in d.keys)]
        found = assets.by_partitions(rest)
        return cls(keys, left_out, definitions, found[0][0] if found else None, _most_partitions(partitioned))

    @classmethod
    def of_job(cls, job: dg.JobDefinition, assets: LaunchableAssets) -> "LaunchPlan":
        """The plan for a job that Dagster has resolved."""
        keys = frozenset(tuple(key.path) for key in job.asset_layer.selected_asset_keys)
        plan = cls.of(keys, assets)
        return replace(
            plan,
            partitions_def=plan.partitions_def if plan.left_out else job.partitions_def,
            known_checks=job.asset_layer.asset_graph.asset_check_keys,
        )

    @property
    def has_nothing_left(self) -> bool:
        """Whether automation conditions launch all of it."""
        return bool(self.left_out) and self.left_out == self.keys

    @property
    def left_out_names(self) -> str:
        """What is left out, as messages list it."""
        return list_names(sorted("/".join(key) for key in self.left_out))

    @cached_property
    def asset_keys(self) -> list[dg.AssetKey]:
        """The assets that are launched, in the order of their keys."""
        rest = self.keys - self.left_out
        keys = {key for definition in self.definitions for key in definition.keys if tuple(key.path) in rest}
        return sorted(keys)

    @cached_property
    def check_keys(self) -> list[dg.AssetCheckKey]:
        """The checks that are launched: those of the assets that are."""
        rest = set(self.asset_keys)
        keys = {key for definition in self.definitions for key in definition.check_keys if key.asset_key in rest}
        if self.known_checks is not None:
            keys &= set(self.known_checks)
        return sorted(keys, key=lambda key: (key.asset_key.path, key.name))

    def reduce(self, request: dg.RunRequest) -> dg.RunRequest:
        """The request for what is launched, with run config for its ops alone; one that selects assets stays."""
        if not self.left_out or request.asset_selection is not None:
            return request
        return request.with_replaced_attrs(
            asset_selection=self.asset_keys,
            asset_check_keys=self.check_keys,
            run_config=self._reduced_config(request.run_config),
        )

    def _reduced_config(self, config: Mapping[str, object]) -> Mapping[str, object]:
        ops = config.get("ops")
        if not isinstance(ops, Mapping):
            return config
        names = {definition.node_def.name for definition in self.definitions}
        return {**config, "ops": {name: value for name, value in ops.items() if name in names}}


def _is_launched(definition: dg.AssetsDefinition, rest: Keys) -> bool:
    """Whether any part of *definition* is; checks that Dagster evaluates at once, only where all their assets are."""
    if definition.keys:
        return any(tuple(key.path) in rest for key in definition.keys)
    checked = [tuple(key.asset_key.path) in rest for key in definition.check_keys]
    return any(checked) if definition.can_subset else all(checked)


def _most_partitions(partitioned: Collection[dg.AssetsDefinition]) -> int | None:
    """The smallest number that a backfill policy allows; without a policy, Dagster's own is one partition a run."""
    policies = [definition.backfill_policy for definition in partitioned]
    numbers = [policy.max_partitions_per_run if policy else 1 for policy in policies]
    return min((number for number in numbers if number is not None), default=None) if policies else 1
