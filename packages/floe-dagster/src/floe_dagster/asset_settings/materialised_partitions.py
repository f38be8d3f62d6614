"""Whether the partitions that the instance has materialised are still partitions of their assets."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

import dagster as dg

from floe_core.errors import Location, Problem
from floe_core.schemas.partition_definition import DynamicPartitions, MultiPartitions, PartitionDefinition, dynamic_name
from floe_core.suggestions import list_names
from floe_dagster.asset_settings.patterns import AssetSettings
from floe_dagster.partitioning.orphans import find_orphans
from floe_dagster.partitioning.texts import describe_partitions
from floe_dagster.selection.asset_index import AssetIndex

_CODE = "FLOE-386"
_SHOWN_KEYS = 4
_SHOWN_REASONS = 2


def check_materialised_partitions(
    specs: Iterable[dg.AssetSpec],
    *,
    index: AssetIndex,
    settings: AssetSettings,
    partitions: Mapping[str, PartitionDefinition],
    instance: dg.DagsterInstance,
) -> Iterator[Problem]:
    """Warn of materialisations that Dagster does not show any more, since the partitions of their assets changed.

    Assets whose partitions stand in one place and lost keys for one reason make one problem. An asset that lost its
    partitions counts until it is materialised as a whole, one that got some until the first of them is materialised.

    Args:
        specs: All assets.
        index: The same.
        settings: What floe.yaml sets.
        partitions: `orchestration.partitions`.
        instance: Where materialisations are recorded.
    """
    emptied = frozenset(_emptied_names(partitions))
    made = {tuple(spec.key.path): spec for spec in specs}
    made = {key: spec for key, spec in made.items() if (node := index.nodes.get(key)) and node.materializable}
    found: dict[tuple[object, ...], list[_Change]] = {}
    for spec, last in _materialised(made.values(), instance):
        key = tuple(spec.key.path)
        change = _find_change(spec, last, instance, emptied)
        if change is not None:
            place = settings.of(key).places.get("partitions")
            change = change.at(place.location if place else None, index.nodes[key].origin)
            found.setdefault((change.location, change.kind, change.why), []).append(change)
    for changes in found.values():
        yield _describe(changes)


@dataclass(frozen=True, slots=True)
class _Change:
    """What an asset was materialised for, and is no longer about; no keys where it had no partitions."""

    asset: str
    kind: str  # "other", "none" or "first": what partitions the asset has now
    keys: tuple[str, ...]
    why: str
    location: Location | None = None
    origin: str = ""

    def at(self, location: Location | None, origin: str) -> "_Change":
        return _Change(self.asset, self.kind, self.keys, self.why, location, origin)

    def __str__(self) -> str:
        origin = f" ({self.origin})" if self.location is None and self.origin else ""
        return f"{self.asset}{origin}" + (f": {list_names(self.keys, limit=_SHOWN_KEYS)}" if self.keys else "")


def _emptied_names(partitions: Mapping[str, PartitionDefinition]) -> Iterator[str]:
    """The names of dynamic keys that are removed where their function no longer returns them."""
    for name, partition in partitions.items():
        dimensions = partition.partitions if isinstance(partition, MultiPartitions) else {"": partition}
        for dimension, definition in dimensions.items():
            if isinstance(definition, DynamicPartitions) and definition.remove_missing:
                yield dynamic_name(name, dimension)


def _materialised(
    specs: Iterable[dg.AssetSpec], instance: dg.DagsterInstance
) -> Iterator[tuple[dg.AssetSpec, dg.AssetMaterialization]]:
    """The assets that were ever materialised, with the last materialisation; asked of the instance all at once."""
    specs_by_key = {spec.key: spec for spec in specs}
    for record in instance.get_asset_records(list(specs_by_key)) if specs_by_key else ():
        event = record.asset_entry.last_materialization
        if event is not None and event.asset_materialization is not None:
            yield specs_by_key[record.asset_entry.asset_key], event.asset_materialization


def _find_change(
    spec: dg.AssetSpec, last: dg.AssetMaterialization, instance: dg.DagsterInstance, emptied: frozenset[str]
) -> _Change | None:
    asset, partitions_def = spec.key.to_user_string(), spec.partitions_def
    if partitions_def is None and last.partition is None:
        return None
    keys = instance.get_materialized_partitions(spec.key)
    if partitions_def is None:
        return _Change(asset, "none", tuple(sorted(keys)), "it was materialised by partition, and has none now")
    if not keys:
        why = f"Dagster counts by partition, and all those of {describe_partitions(partitions_def)} are missing"
        return _Change(asset, "first", (), why)
    orphans = find_orphans(keys, partitions_def, dynamic_partitions_store=instance, emptied=emptied)
    if not orphans:
        return None
    reasons = list(dict.fromkeys(orphans.values()))
    return _Change(asset, "other", tuple(orphans), "; ".join(reasons[:_SHOWN_REASONS]))


def _describe(changes: list[_Change]) -> Problem:
    first, number = changes[0], sum(len(change.keys) for change in changes)
    subject, has = (f"asset '{first.asset}'", "has") if len(changes) == 1 else (f"{len(changes)} assets", "have")
    its, it = ("its", "it") if len(changes) == 1 else ("their", "them")
    partitions = "1 materialised partition" if number == 1 else f"{number} materialised partitions"
    match first.kind:
        case "first":
            what = f"{subject} {has} partitions, and a materialisation from before without any"
            fix = f"backfill {it}"
        case "none":
            what = f"{subject} {has} {partitions}, and no partitions any more"
            fix = f"set the old partitions again, or materialise {it} as a whole"
        case _:
            what = f"{subject} {has} {partitions} that {its} definition does not have"
            fix = (
                f"write the old definition again; or wipe {its} materializations in Dagster's UI, and backfill {it} "
                "under the new keys"
            )
    return Problem(
        _CODE,
        what,
        first.location,
        why=first.why,
        fix=fix,
        detail="\n".join(map(str, changes)),
        severity="warning",
    )
