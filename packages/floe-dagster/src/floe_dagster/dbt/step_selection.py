"""What dbt is asked to build in one step, exactly: the models and the tests that Dagster has put into it.

dbt selects a test with any of the models that it reads, also where others of them are built by another step, maybe a
later one. Dagster puts a test into a step by its asset check, after all that it reads.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

_EPHEMERAL = "ephemeral"
_SOURCE = "source."


@dataclass(frozen=True)
class SelectableNodes:
    """The nodes of a manifest by the names that dbt selects them by."""

    manifest: Mapping[str, Any]

    def names_of(self, unique_ids: Iterable[str]) -> tuple[str, ...]:
        """A selection of each node, and of nothing else.

        dbt takes a name for a folder too: `shop.orders` is the model of that name and all in the folder `orders`.
        """
        return tuple(sorted(map(self._name_of, unique_ids)))

    def tests_without_check(self, built: frozenset[str]) -> Iterator[str]:
        """The tests that are no asset checks and can run when *built* are built.

        All that they read is built then, or was before. Tests of sources run with the models that read these.
        """
        above = self._above(built)
        read_directly = {parent for unique_id in built for parent in _parents(self._nodes.get(unique_id, {}))}
        for unique_id, test in self._tests:
            read = set(self._relations(_parents(test)))
            nodes = {parent for parent in read if not parent.startswith(_SOURCE)}
            if self._is_check(test):
                continue
            if nodes <= above and (nodes & built if nodes else read & read_directly):
                yield unique_id

    def tests_of_several(self) -> Iterator[tuple[str, tuple[str, ...]]]:
        """The tests that are no asset checks and read several models, with what they read."""
        for unique_id, test in self._tests:
            read = {parent for parent in self._relations(_parents(test)) if not parent.startswith(_SOURCE)}
            if len(read) > 1 and not self._is_check(test):
                yield unique_id, tuple(sorted(read))

    @cached_property
    def _tests(self) -> list[tuple[str, Mapping[str, Any]]]:
        tests = [(unique_id, node) for unique_id, node in self._nodes.items() if node["resource_type"] == "test"]
        return [*tests, *self.manifest.get("unit_tests", {}).items()]

    @property
    def _nodes(self) -> Mapping[str, Mapping[str, Any]]:
        nodes: Mapping[str, Mapping[str, Any]] = self.manifest["nodes"]
        return nodes

    @cached_property
    def _folders(self) -> frozenset[tuple[str, ...]]:
        """What is the beginning of a longer name."""
        names = (tuple(node["fqn"]) for node in self._nodes.values())
        return frozenset(name[:length] for name in names for length in range(1, len(name)))

    def _name_of(self, unique_id: str) -> str:
        node = self._nodes.get(unique_id) or self.manifest["unit_tests"][unique_id]
        name = ".".join(node["fqn"])
        if tuple(node["fqn"]) not in self._folders:
            return name
        return f"fqn:{name},file:{str(node['original_file_path']).replace(chr(92), '/').rpartition('/')[2]}"

    def _is_check(self, test: Mapping[str, Any]) -> bool:
        """Whether dagster-dbt makes an asset check of *test*: where it is clear which of the assets it is about."""
        parents = _parents(test)
        meta = test.get("config", {}).get("meta") or test.get("meta") or {}
        if meta.get("dagster", {}).get("ref"):
            return True
        about = str(parents[0] if len(parents) == 1 else test.get("attached_node"))
        return test["resource_type"] == "test" and about in self._nodes and not self._is_ephemeral(about)

    def _is_ephemeral(self, unique_id: str) -> bool:
        return bool(self._nodes.get(unique_id, {}).get("config", {}).get("materialized") == _EPHEMERAL)

    def _above(self, built: frozenset[str]) -> set[str]:
        """*built* and all that they are made from."""
        found: set[str] = set()
        pending = list(built)
        while pending:
            unique_id = pending.pop()
            if unique_id not in found:
                found.add(unique_id)
                pending += _parents(self._nodes.get(unique_id, {}))
        return found

    def _relations(self, unique_ids: Iterable[str]) -> Iterator[str]:
        """The nodes and sources with a table or view; in place of an ephemeral one those that it is made from."""
        for unique_id in unique_ids:
            if self._is_ephemeral(unique_id):
                yield from self._relations(_parents(self._nodes[unique_id]))
            else:
                yield unique_id


def _parents(node: Mapping[str, Any]) -> list[str]:
    return list(dict.fromkeys(node.get("depends_on", {}).get("nodes", ())))
