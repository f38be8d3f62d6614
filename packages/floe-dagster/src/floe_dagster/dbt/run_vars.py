"""The dbt vars that tell a run which partition it builds."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from floe_core.partition_places import (
    PARTITION_END,
    PARTITION_KEY,
    PARTITION_KEYS,
    PARTITION_NAMES,
    PARTITION_START,
    PlaceValue,
    dimension_of,
    fill_in,
    find_places,
)
from floe_dagster.user_code.run_partitions import ONLY_DIMENSION, RunPartitions


@dataclass(frozen=True)
class ProjectVars:
    """`orchestration.dbt.vars`: those with a value, and those that each run fills in."""

    fixed: Mapping[str, object]
    filled_in: Mapping[str, object]

    @classmethod
    def of(cls, dbt_vars: Mapping[str, object]) -> "ProjectVars":
        """Tell the vars with places from the others."""
        filled_in = {name: value for name, value in dbt_vars.items() if any(find_places(value))}
        return cls({name: value for name, value in dbt_vars.items() if name not in filled_in}, filled_in)

    def of_run(self, partitions: RunPartitions | None) -> dict[str, object]:
        """The vars that are about the run alone; none of them where it has no partition.

        A var is left out where its partition has nothing to fill in, as a single key where the run has several, so that
        dbt takes the default.
        """
        if partitions is None:
            return {}
        values = place_values(partitions)
        found: dict[str, object] = {name: _plain(value) for name, value in values.items()}
        for name, value in self.filled_in.items():
            if {place.name for place in find_places(value)} <= values.keys():
                found[name] = fill_in(value, values)
        return found

    def is_of_runs(self, name: str) -> bool:
        """Whether a var of that name may differ from run to run."""
        return name in self.filled_in or name in PARTITION_NAMES or dimension_of(name) is not None

    def needs_one_key(self, name: str) -> bool:
        """Whether a var of that name has a value only where a run computes a single partition."""
        names = [place.name for place in find_places(self.filled_in.get(name))] or [name]
        return any(each == PARTITION_KEY or each.startswith(f"{PARTITION_KEY}_") for each in names)


def place_values(partitions: RunPartitions) -> dict[str, PlaceValue]:
    """What places and vars of the same names are filled in with."""
    values: dict[str, PlaceValue] = {PARTITION_KEYS: partitions.keys}
    if len(partitions.keys) == 1:
        values[PARTITION_KEY] = partitions.keys[0]
    for name, dimension in partitions.dimensions.items():
        if name == ONLY_DIMENSION:
            continue
        values[f"{PARTITION_KEYS}_{name}"] = dimension.keys
        if len(dimension.keys) == 1:
            values[f"{PARTITION_KEY}_{name}"] = dimension.keys[0]
    if partitions.window is not None:
        values[PARTITION_START], values[PARTITION_END] = partitions.window.start, partitions.window.end
    return values


def _plain(value: PlaceValue) -> object:
    if isinstance(value, datetime):
        return value.isoformat()
    return list(value) if isinstance(value, tuple) else value
