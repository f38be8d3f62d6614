"""What lineage calls the tables of a project: one answer for Python assets and dbt alike."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeAlias

from floe_dagster.lakehouse.tables import fold_name
from floe_dagster.observability.assets import KnownAsset, KnownAssets
from floe_dagster.observability.records import KeyPath
from floe_dagster.observability.settings import ObservabilitySettings, Relation
from floe_dagster.observability.warehouses import Warehouse, dataset_namespace, read_own_profile

Node: TypeAlias = Mapping[str, Any]
"""A node or source of dbt's manifest."""


@dataclass(frozen=True, slots=True)
class DatasetId:
    """A table as lineage stores know it."""

    namespace: str
    name: str


class DatasetResolver:
    """Finds the ids of tables.

    Args:
        settings: What the project says.
        assets: What is known of the assets of the run.
        environ: For a user's own dbt profile, which may read it.
    """

    def __init__(
        self, settings: ObservabilitySettings, *, assets: KnownAssets | None = None, environ: Mapping[str, str]
    ) -> None:
        self._settings = settings
        self._assets: KnownAssets = assets or {}
        self._environ = environ

    def table(self, name: str) -> DatasetId:
        """The table that Python assets call *name*: what dbt builds or reads under that name, else the catalog's.

        An asset of that name whose table is not known is what is meant, where nothing else is.
        """
        key = self._settings.dbt_tables.get(fold_name(name))
        relation = self._settings.dbt_relations.get(key) if key is not None else None
        if relation is not None:
            return self._in_warehouse(relation)
        asset = self._assets_without_table.get(fold_name(name))
        return self.asset(asset)[0] if asset is not None else self._in_catalog(name)

    def asset(self, key: KeyPath) -> tuple[DatasetId, ...]:
        """The tables of an asset; one of the asset's own name where no table is known."""
        known = self._assets.get(key)
        if known is not None and known.outputs:
            return tuple(map(self._in_catalog, known.outputs))
        if key in self._settings.dbt_relations:
            return (self._in_warehouse(self._settings.dbt_relations[key]),)
        if key in self._tables_of_sources:
            return (self._in_catalog(self._tables_of_sources[key]),)
        if known is not None and known.external_table is not None:
            return (self._in_catalog(known.external_table),)
        return (DatasetId(self.job_namespace, "/".join(key)),)

    def inputs_of(self, asset: KnownAsset) -> tuple[DatasetId, ...]:
        """The tables that a Python asset reads: those that it names, and those of the other assets it depends on."""
        named = [self.table(table) for table in asset.inputs]
        of_deps = (self.asset(dep) for dep in asset.deps if dep != asset.key)
        return _each_once([*named, *(table for tables in of_deps if not set(tables) & set(named) for table in tables)])

    def node(self, node: Node) -> DatasetId:
        """The table of a node or source of dbt."""
        table = self._settings.python_sources.get(node["unique_id"])
        return self._in_catalog(table) if table is not None else self._in_warehouse(relation_of(node))

    @cached_property
    def job_namespace(self) -> str:
        """The namespace of all jobs, and of assets without a table."""
        return dataset_namespace(self._settings.namespace)

    def _in_catalog(self, table: str) -> DatasetId:
        return DatasetId(self._settings.catalog_namespace, f"{self._settings.catalog_prefix}{table}")

    def _in_warehouse(self, relation: Relation) -> DatasetId:
        warehouse, (database, *names) = self._warehouse, relation
        namespace, with_database = warehouse.attached.get(database, (warehouse.namespace, True))
        return DatasetId(namespace, ".".join(part for part in (database if with_database else "", *names) if part))

    @cached_property
    def _warehouse(self) -> Warehouse:
        settings = self._settings
        if settings.own_profile is None:
            return Warehouse(settings.warehouse_namespace or self.job_namespace)
        own = read_own_profile(settings.own_profile, self._environ)
        return Warehouse(settings.warehouse_namespace or own.namespace, own.attached)

    @cached_property
    def _assets_without_table(self) -> Mapping[str, KeyPath]:
        written = {fold_name(table) for asset in self._assets.values() for table in asset.outputs}
        names = {
            fold_name(".".join(key)): key
            for key, asset in self._assets.items()
            if not asset.outputs and not asset.is_external
        }
        return {name: key for name, key in names.items() if name not in written}

    @cached_property
    def _tables_of_sources(self) -> Mapping[KeyPath, str]:
        keys = self._settings.source_keys
        return {keys[source]: table for source, table in self._settings.python_sources.items() if source in keys}


def relation_of(node: Node) -> Relation:
    """Where *node* stands in the database."""
    name = node.get("identifier") or node.get("alias") or node.get("name")
    return (str(node.get("database") or ""), str(node.get("schema") or ""), str(name or ""))


def physical_name(location: str) -> tuple[str, str] | None:
    """Namespace and name of a folder, as OpenLineage's integration with Spark calls a table that is stored there.

    >>> physical_name("s3://lake/bronze/orders"), physical_name("file:///srv/lake/orders")
    (('s3://lake', 'bronze/orders'), ('file', '/srv/lake/orders'))
    """
    scheme, separator, rest = location.rstrip("/").partition("://")
    if not separator or scheme == "file":
        path = rest if separator else location.rstrip("/")
        return ("file", path) if path.startswith("/") else None
    host, _, path = rest.partition("/")
    if ":" in host.rpartition("@")[0]:  # a password; without one it is Azure's container
        host = host.rpartition("@")[2]
    return (f"{scheme}://{host}", path) if path else None


def _each_once(datasets: Iterable[DatasetId]) -> tuple[DatasetId, ...]:
    return tuple(dict.fromkeys(datasets))
