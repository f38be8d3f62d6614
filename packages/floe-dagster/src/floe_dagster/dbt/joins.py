"""Which asset each dbt source is: the one that writes its table, the one its key names, or nobody's."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import dagster as dg

from floe_dagster.dbt.index import DbtDep, DbtIndex, DbtRelation, DbtSource, KeyPath, RelationNames
from floe_dagster.lakehouse.tables import fold_name

INPUTS, OUTPUTS = "floe/inputs", "floe/outputs"


@dataclass(frozen=True)
class SourceJoins:
    """What became of the sources of a dbt project."""

    keys: Mapping[str, dg.AssetKey]
    """Unique id → the asset that writes the table, where that has another key than the source."""
    external: tuple[DbtSource, ...]
    """Sources that nothing in the definitions writes, one for each key."""
    tables: Mapping[str, dg.AssetKey]
    """Name of a table that nothing writes → its source's key."""

    def key_of(self, dep: DbtDep) -> dg.AssetKey:
        """The asset that *dep* means."""
        joined = self.keys.get(dep.source) if dep.source else None
        return joined or dg.AssetKey(dep.key)


def join_sources(
    index: DbtIndex,
    *,
    names: RelationNames,
    python_assets: Iterable[dg.AssetsDefinition | dg.AssetSpec | dg.SourceAsset],
) -> SourceJoins:
    """Find the assets that write what dbt reads.

    Args:
        index: The dbt project.
        names: Of the profile.
        python_assets: Everything else in the definitions; `floe/outputs` in their metadata are the tables they write.
    """
    specs = [
        spec
        for asset in python_assets
        for spec in (asset.specs if isinstance(asset, dg.AssetsDefinition) else (asset,))
    ]
    writers = {fold_name(table): spec.key for spec in reversed(specs) for table in tables_of(spec, OUTPUTS)}
    defined = {node.key for node in index.nodes} | {tuple(spec.key.path) for spec in specs}
    keys: dict[str, dg.AssetKey] = {}
    external: dict[KeyPath, DbtSource] = {}
    tables: dict[str, dg.AssetKey] = {}
    for source in index.sources:
        table = table_name(source, names)
        writer = writers.get(fold_name(table))
        if writer is not None and not source.has_own_key:
            if tuple(writer.path) != source.key:
                keys[source.unique_id] = writer
            continue
        if source.key not in defined:
            external.setdefault(source.key, source)
        if writer is None:
            tables.setdefault(table, dg.AssetKey(source.key))
    return SourceJoins(keys=keys, external=tuple(external.values()), tables=tables)


def name_tables(index: DbtIndex, names: RelationNames) -> dict[str, dg.AssetKey]:
    """The tables that dbt builds, by the name that the project uses (`silver.stg_orders`) and by the physical one."""
    tables: dict[str, dg.AssetKey] = {}
    for node in index.nodes:
        key = dg.AssetKey(node.key)
        tables[table_name(node, names)] = key
        tables[f"{node.custom_schema}.{node.alias}" if node.custom_schema else node.alias] = key
    return tables


def table_name(relation: DbtRelation, names: RelationNames) -> str:
    """Schema and name, as the database has them."""
    return ".".join(part for part in (names.fill(relation.schema or ""), relation.alias) if part)


def tables_of(spec: dg.AssetSpec | dg.SourceAsset, role: str) -> list[str]:
    """The tables that an asset names as its `floe/inputs` or `floe/outputs`."""
    value = spec.metadata.get(role) or ()
    listed = value.value if isinstance(value, dg.JsonMetadataValue) else value
    return [str(table) for table in listed] if isinstance(listed, list | tuple) else []
