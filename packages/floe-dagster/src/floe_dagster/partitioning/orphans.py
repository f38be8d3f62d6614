"""Partition keys that were materialised under another partitions definition than the one there is now."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field

import dagster as dg
from dagster._core.instance.types import DynamicPartitionsStore

from floe_core.suggestions import list_names
from floe_dagster.partitioning.missing_keys import find_missing_key

_JOINED = "|"
_SHOWN_KEYS = 4


def find_orphans(
    keys: Iterable[str],
    partitions_def: dg.PartitionsDefinition,
    *,
    dynamic_partitions_store: DynamicPartitionsStore,
    emptied: Collection[str] = (),
) -> dict[str, str]:
    """The *keys* that *partitions_def* does not have and will never have, each with the reason as a sentence.

    Dynamic keys are removed on purpose, one by one: they count only where the definition's name holds none of *keys*,
    which is what a renamed definition looks like.

    Args:
        keys: Those that were materialised.
        partitions_def: What they should be keys of.
        dynamic_partitions_store: The instance.
        emptied: The names of dynamic keys that a function takes away again, all of them if it likes.
    """
    materialised = sorted(keys)
    if isinstance(partitions_def, dg.MultiPartitionsDefinition):
        return _orphaned_pairs(materialised, partitions_def, dynamic_partitions_store, emptied)
    dimension = _Dimension(partitions_def, materialised, dynamic_partitions_store, emptied)
    return {key: reason for key in materialised if (reason := dimension.why_not(key))}


def _orphaned_pairs(
    keys: list[str], pairs: dg.MultiPartitionsDefinition, store: DynamicPartitionsStore, emptied: Collection[str]
) -> dict[str, str]:
    names = pairs.partition_dimension_names
    order = _JOINED.join(names)
    parts_of = {key: tuple(key.split(_JOINED)) for key in keys}
    dimensions = [
        _Dimension(
            pairs.get_partitions_def_for_dimension(name),
            {parts[number] for parts in parts_of.values() if len(parts) == len(names)},
            store,
            emptied,
        )
        for number, name in enumerate(names)
    ]

    def why_not(parts: tuple[str, ...]) -> str | None:
        if len(parts) != len(names):
            return f"a key names both dimensions, {order}"
        found = [dimension.why_not(part) for dimension, part in zip(dimensions, parts, strict=True)]
        if not any(found):
            return None
        if not any(dimension.why_not(part) for dimension, part in zip(dimensions, reversed(parts), strict=True)):
            return f"a key names the dimensions in the order of their names, {order}"
        return next(f"in dimension '{name}' {reason}" for name, reason in zip(names, found, strict=True) if reason)

    return {key: reason for key, parts in parts_of.items() if (reason := why_not(parts))}


@dataclass
class _Dimension:
    """A definition, or one side of a pair, with the keys that were materialised in it."""

    partitions_def: dg.PartitionsDefinition
    materialised: Collection[str]
    store: DynamicPartitionsStore
    emptied: Collection[str]
    _known: dict[str, str | None] = field(default_factory=dict)
    _why_unknown: str | None = None

    def __post_init__(self) -> None:
        match self.partitions_def:
            case dg.StaticPartitionsDefinition():
                keys = self.partitions_def.get_partition_keys()
                self._known = dict.fromkeys(keys)
                self._why_unknown = f"the keys are {list_names(keys, limit=_SHOWN_KEYS)}"
            case dg.DynamicPartitionsDefinition(name=name):
                self._why_unknown = self._why_renamed(name)
            case _:
                pass

    def why_not(self, key: str) -> str | None:
        """Why *key* is not among the keys."""
        if key not in self._known:
            self._known[key] = self._why_unknown if self.is_listed else self._why_no_window(key)
        return self._known[key]

    @property
    def is_listed(self) -> bool:
        return isinstance(self.partitions_def, (dg.StaticPartitionsDefinition, dg.DynamicPartitionsDefinition))

    def _why_no_window(self, key: str) -> str | None:
        missing = find_missing_key(key, self.partitions_def, at=None, dynamic_partitions_store=self.store)
        return missing.reason if missing else None

    def _why_renamed(self, name: str | None) -> str | None:
        if name is None or name in self.emptied:
            return None
        held = self.store.get_dynamic_partitions(name)
        if not {*self.materialised}.isdisjoint(held):
            return None
        return (
            f"dynamic keys are kept under the name of their definition, and those of '{name}' are "
            f"{list_names(held, limit=_SHOWN_KEYS)}"
        )
