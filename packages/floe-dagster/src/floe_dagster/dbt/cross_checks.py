"""The dbt tests that no op with their asset can carry out, where several ops build a dbt project."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from graphlib import CycleError, TopologicalSorter

import dagster as dg
from dagster_shared.record import replace

from floe_core.errors import Problem
from floe_core.suggestions import list_names
from floe_dagster.dbt.index import DbtTest


@dataclass(frozen=True)
class OpGraph:
    """Which op builds each asset, and what each asset is made from."""

    ops: Mapping[dg.AssetKey, object]
    parents: Mapping[dg.AssetKey, frozenset[dg.AssetKey]]
    _above: dict[dg.AssetKey, frozenset[dg.AssetKey]] = field(default_factory=dict, repr=False)

    @classmethod
    def of(
        cls, groups: Sequence[Sequence[dg.AssetSpec]], others: Iterable[tuple[dg.AssetKey, Iterable[dg.AssetKey]]]
    ) -> "OpGraph":
        """The graph of dbt's assets, by the groups that an op each builds, and of other assets with their parents."""
        ops: dict[dg.AssetKey, object] = {}
        parents: dict[dg.AssetKey, frozenset[dg.AssetKey]] = {}
        for key, above in others:
            ops[key], parents[key] = key, frozenset(above)
        for number, group in enumerate(groups):
            for spec in group:
                ops[spec.key], parents[spec.key] = number, frozenset(dep.asset_key for dep in spec.deps)
        return cls(ops, parents)

    def is_above(self, key: dg.AssetKey, other: dg.AssetKey) -> bool:
        """Whether *other* is made from *key*, directly or not."""
        if other not in self._above:
            found: set[dg.AssetKey] = set()
            pending = list(self.parents.get(other, ()))
            while pending:
                parent = pending.pop()
                if parent not in found:
                    found.add(parent)
                    pending += self.parents.get(parent, ())
            self._above[other] = frozenset(found)
        return key in self._above[other]

    @cached_property
    def turns(self) -> Mapping[dg.AssetKey, int]:
        """How often ops take turns before an asset: Dagster builds those of one op and one turn together."""
        found: dict[dg.AssetKey, int] = {}
        try:
            order = list(TopologicalSorter(self.parents).static_order())
        except CycleError:  # told elsewhere
            order = []
        for key in order:
            parents = self.parents.get(key, frozenset()) & self.ops.keys()
            found[key] = max((found[up] + (self.ops[up] != self.ops.get(key)) for up in parents), default=0)
        return found


def separate_cross_checks(
    checks: Sequence[dg.AssetCheckSpec], graph: OpGraph
) -> tuple[list[dg.AssetCheckSpec], list[dg.AssetCheckSpec]]:
    """Tell the checks that the op of their asset can carry out from those that need an op of their own.

    An op of Dagster's waits for what its assets are made from, not for what its checks read beyond that.

    Returns:
        Both kinds. Those of the second are not blocking: they may wait for assets that they would hold back.
    """
    kept: list[dg.AssetCheckSpec] = []
    crossing: list[dg.AssetCheckSpec] = []
    for check in checks:
        if all(_is_built_in_time(dep.asset_key, check.asset_key, graph) for dep in check.additional_deps):
            kept.append(check)
        else:
            crossing.append(replace(check, blocking=False))
    return kept, crossing


def find_lost_tests(tests: Iterable[DbtTest], graph: OpGraph, keys: Mapping[str, dg.AssetKey]) -> Iterator[Problem]:
    """Tests that are no checks and that no op carries out: none builds the last of what they read.

    Args:
        tests: Of the project.
        graph: Of all assets.
        keys: Unique id of a dbt node → its asset.
    """
    for test in tests:
        read = [keys[unique_id] for unique_id in test.reads if unique_id in keys]
        in_one_op = len({graph.ops.get(key) for key in read}) == 1
        last = any(all(other == key or graph.is_above(other, key) for other in read) for key in read)
        if not in_one_op and not last:
            yield _lost(test, read)


def _lost(test: DbtTest, read: Sequence[dg.AssetKey]) -> Problem:
    name = test.unique_id.rpartition(".")[2]
    models = list_names(key.to_user_string() for key in read)
    return Problem(
        "FLOE-335",
        f"no step runs the dbt test '{name}', {test.path}",
        why=f"different steps build {models}, and none of them comes after all others",
        fix=f"say which model it checks: config(meta={{'dagster': {{'ref': {{'name': '{read[0].path[-1]}'}}}}}})",
        severity="warning",
    )


def _is_built_in_time(read: dg.AssetKey, checked: dg.AssetKey, graph: OpGraph) -> bool:
    if read not in graph.ops or graph.is_above(read, checked):
        return True
    if graph.ops[read] != graph.ops.get(checked):
        return False
    return graph.turns.get(read, 0) <= graph.turns.get(checked, 0)
