"""dbt's manifest as lineage reads it: which tables a node reads and which one it makes."""

from collections.abc import Iterator

from floe_dagster.lakehouse.tables import fold_name
from floe_dagster.observability.datasets import DatasetId, DatasetResolver, Node, relation_of
from floe_dagster.observability.records import Manifest

_OBSERVED = frozenset({"model", "seed", "snapshot", "test"})
_WITH_A_TABLE = frozenset({"model", "seed", "snapshot", "source"})
_STORED = frozenset({"table", "view"})


class DbtGraph:
    """The nodes of a manifest and their tables.

    Ephemeral models have no table: what they read is read by whoever reads them. Tests have none either, but for those
    that keep the rows they found.
    """

    def __init__(self, manifest: Manifest, resolver: DatasetResolver) -> None:
        self.manifest = manifest
        self._resolver = resolver
        self._parents: dict[str, tuple[str, ...]] = {}

    def find(self, unique_id: str) -> Node | None:
        """The node or source of that id."""
        found: Node | None = self.manifest["nodes"].get(unique_id) or self.manifest.get("sources", {}).get(unique_id)
        return found

    def find_observed(self, unique_id: str) -> Node | None:
        """The node of that id, if it is one with lineage: a model, seed, snapshot or test."""
        node = self.find(unique_id)
        return node if node is not None and node["resource_type"] in _OBSERVED and not _is_ephemeral(node) else None

    def parents(self, unique_id: str) -> tuple[str, ...]:
        """What the node reads, through ephemeral models: unique ids of what has a table."""
        known = self._parents.get(unique_id)
        if known is None:
            known = self._parents[unique_id] = tuple(dict.fromkeys(self._find_parents(unique_id)))
        return known

    def inputs(self, unique_id: str) -> tuple[DatasetId, ...]:
        """The tables that the node reads."""
        return tuple(dict.fromkeys(self.table(parent) for parent in self.parents(unique_id)))

    def output(self, unique_id: str) -> DatasetId | None:
        """The table that the node makes."""
        node = self.find(unique_id)
        if node is None or _is_ephemeral(node) or (node["resource_type"] == "test" and not _keeps_rows(node)):
            return None
        return self._resolver.node(node)

    def table(self, unique_id: str) -> DatasetId:
        """The table of a node or source that has one."""
        node = self.find(unique_id)
        assert node is not None
        return self._resolver.node(node)

    def tested(self, unique_id: str) -> str | None:
        """Unique id of the one node or source that a test is about; None where it is about several, or an ephemeral.

        Source:
            dagster-dbt attaches the check of a singular test to the model that `meta.dagster.ref` of the test names.
        """
        node = self.find(unique_id)
        if node is None:
            return None
        attached = self._find_named(node) or node.get("attached_node")
        read = self.parents(unique_id)
        if attached is not None:
            return str(attached) if attached in read else None
        return read[0] if len(read) == 1 else None

    def _find_named(self, test: Node) -> str | None:
        meta = (test.get("config") or {}).get("meta") or test.get("meta") or {}
        ref = (meta.get("dagster") or {}).get("ref") or {}
        project = (self.manifest.get("metadata") or {}).get("project_name", test.get("package_name"))
        wanted = (ref.get("name"), ref.get("package") or project, ref.get("version"))
        found = (
            unique_id
            for unique_id, node in self.manifest["nodes"].items()
            if (node["name"], node.get("package_name"), node.get("version")) == wanted
        )
        return next(found, None) if ref else None

    def parents_by_relation(self, unique_id: str) -> dict[tuple[str, ...], str]:
        """{names of a relation, in lower case: its unique id}, for what the node reads."""
        found = ((parent, self.find(parent)) for parent in self.parents(unique_id))
        return {tuple(map(fold_name, relation_of(node))): parent for parent, node in found if node is not None}

    def _find_parents(self, unique_id: str) -> Iterator[str]:
        node = self.find(unique_id)
        depends_on = (node or {}).get("depends_on") or {}
        for parent_id in depends_on.get("nodes") or ():
            parent = self.find(parent_id)
            if parent is None or parent["resource_type"] not in _WITH_A_TABLE:
                continue
            if _is_ephemeral(parent):
                yield from self.parents(parent_id)
            else:
                yield parent_id


def _is_ephemeral(node: Node) -> bool:
    return (node.get("config") or {}).get("materialized") == "ephemeral"


def _keeps_rows(test: Node) -> bool:
    config = test.get("config") or {}
    kept_as = config.get("store_failures_as")
    return kept_as in _STORED if kept_as else bool(config.get("store_failures"))
