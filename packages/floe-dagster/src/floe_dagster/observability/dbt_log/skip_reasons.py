"""Why dbt skipped a node, which it does not say: what has failed among the nodes that it stands on."""

from collections.abc import Iterator, Mapping
from typing import Any

from floe_dagster.observability.dbt_log.node_results import outcome_of
from floe_dagster.observability.records import Manifest, NodeEnded, Outcome


class SkipReasons:
    """What has failed in a call so far, and what of it is above a node.

    A test that fails keeps dbt from building what stands on the models that it reads, and a unit test that fails from
    building its model.
    """

    def __init__(self, manifest: Manifest) -> None:
        self._manifest = manifest
        self._failed: set[str] = set()
        self._failed_tests: dict[str, list[str]] = {}  # node → tests of it
        self._failed_unit_tests: dict[str, list[str]] = {}  # model → unit tests of it
        self._skipped: set[str] = set()
        self._above: dict[str, tuple[str, ...]] = {}

    def note_unit_test(self, event: Mapping[str, Any]) -> None:
        """Take in the end of a unit test: it is no node with a record of its own."""
        info = event["data"].get("node_info")
        if not isinstance(info, Mapping) or info.get("resource_type") != "unit_test":
            return
        result = event["data"].get("run_result") or {}
        if event["info"].get("name") == "NodeFinished" and outcome_of(str(result.get("status"))) is Outcome.FAILED:
            self._note_test(str(info["unique_id"]), self._failed_unit_tests)

    def note(self, ended: NodeEnded) -> None:
        """Take in the end of a node."""
        if ended.outcome is Outcome.SKIPPED:
            self._skipped.add(ended.unique_id)
        elif ended.outcome is Outcome.FAILED and ended.unique_id.startswith("test."):
            self._note_test(ended.unique_id, self._failed_tests)
        elif ended.outcome is Outcome.FAILED:
            self._failed.add(ended.unique_id)

    def of(self, unique_id: str) -> tuple[str, ...]:
        """What kept dbt from a node that it is about to be told as skipped, the nearest on each way up."""
        if unique_id not in self._above:
            self._above[unique_id] = ()  # nodes that stand on one another
            self._above[unique_id] = tuple(dict.fromkeys(self._find(unique_id)))
        return self._above[unique_id]

    def _find(self, unique_id: str) -> Iterator[str]:
        yield from (f"unit test {self._name(test)}" for test in self._failed_unit_tests.get(unique_id, ()))
        is_test = unique_id.startswith("test.")
        for parent in self._parents(unique_id):
            if parent in self._failed:
                yield self._name(parent)
            elif parent in self._skipped or parent in self._failed_unit_tests or self._is_ephemeral(parent):
                yield from self.of(parent)
            elif not is_test:
                yield from (f"test {self._name(test)}" for test in self._failed_tests.get(parent, ()))

    def _note_test(self, unique_id: str, tests: dict[str, list[str]]) -> None:
        for parent in self._parents(unique_id):
            tests.setdefault(parent, []).append(unique_id)

    def _parents(self, unique_id: str) -> Iterator[str]:
        found = (self._node(unique_id).get("depends_on") or {}).get("nodes") or ()
        yield from map(str, found)

    def _name(self, unique_id: str) -> str:
        return str(self._node(unique_id).get("name") or unique_id.split(".", 2)[-1])

    def _is_ephemeral(self, unique_id: str) -> bool:
        return (self._node(unique_id).get("config") or {}).get("materialized") == "ephemeral"

    def _node(self, unique_id: str) -> Mapping[str, Any]:
        for family in ("nodes", "unit_tests"):
            node = (self._manifest.get(family) or {}).get(unique_id)
            if isinstance(node, Mapping):
                return node
        return {}
