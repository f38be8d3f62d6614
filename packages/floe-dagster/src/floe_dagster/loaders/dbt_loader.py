"""The dbt project of a code location: its models, seeds, snapshots and tests as Dagster assets and checks.

Everything comes from the compiled index. Neither dbt nor dagster-dbt is imported, unless the project has a translator
of its own.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TypeAlias, cast

import dagster as dg
from dagster._utils.warnings import disable_dagster_warnings
from dagster_shared.serdes import deserialize_value

from floe_core.schemas.orchestration_config import DbtConfig
from floe_dagster.dbt_assets import EVERYTHING, create_dbt_assets_with_per_model_observability, op_name
from floe_dagster.dbt_deferred import DeferredDbt
from floe_dagster.dbt_index import (
    DbtCheck,
    DbtDep,
    DbtIndex,
    DbtNode,
    DbtRelation,
    DbtSource,
    Details,
    KeyPath,
    RelationNames,
)

SpecFields: TypeAlias = dict[str, object]
RefineSpec: TypeAlias = Callable[[KeyPath, SpecFields], SpecFields]
Asset: TypeAlias = dg.AssetsDefinition | dg.AssetSpec

INPUTS, OUTPUTS = "floe/inputs", "floe/outputs"


@dataclass(frozen=True)
class LoadedDbt:
    """What a dbt project adds to the definitions."""

    assets: tuple[dg.AssetsDefinition, ...]
    external_assets: tuple[dg.AssetSpec, ...] = ()
    """Sources that models read and nothing in the definitions writes."""
    tables: Mapping[str, dg.AssetKey] = field(default_factory=dict)
    """Name of a table (`silver.stg_orders`, `main_silver.stg_orders`), in lower case → the dbt asset that it is."""
    origins: Mapping[KeyPath, str] = field(default_factory=dict)
    """Key → where the asset comes from, as messages say it."""
    source_keys: Mapping[str, dg.AssetKey] = field(default_factory=dict)
    """Unique id of a dbt source → its asset, where that is not the one dagster-dbt would name."""


def load_dbt_assets(
    dbt: DbtConfig,
    index: DbtIndex,
    *,
    project_dir: Path,
    names: RelationNames | None = None,
    python_assets: Sequence[Asset] = (),
    with_details: bool = True,
    refine: RefineSpec | None = None,
) -> LoadedDbt:
    """Build the assets and checks of a dbt project.

    Args:
        dbt: `orchestration.dbt`.
        index: What was compiled for the target.
        project_dir: The project folder, to which the paths of the index refer.
        names: Database, schema and adapter of the generated profile; those of the user's own are in the index.
        python_assets: Everything else in the definitions. Assets whose `floe/outputs` name the table of a dbt source
            are joined to it.
        with_details: Whether specs carry what only the UI shows: descriptions, columns, references to code.
        refine: Called with the key and the fields of each spec before it is built; gives the fields to use.
    """
    names = index.own_names or names
    if names is None:
        raise ValueError("the names of the generated profile are needed for this index")
    joins = _join_sources(index, names=names, python_assets=python_assets)
    dbt_dir = project_dir / index.project_dir if index.project_dir is not None else None
    deferred = DeferredDbt(
        manifest_path=project_dir / index.manifest_path,
        project_dir=dbt_dir,
        target=index.target,
        source_keys=joins.keys,
    )
    builder = _SpecBuilder(index, names=names, joins=joins, deferred=deferred, with_details=with_details)
    with disable_dagster_warnings():  # references to code are in beta, which would be said for each of them
        specs = [builder.build_spec(node, refine) for node in index.nodes]
        checks = [builder.build_check(check) for check in index.checks]
        external = tuple(builder.build_external_asset(source) for source in joins.external)
        assets = tuple(_build_assets(dbt, index, specs, checks))
    return LoadedDbt(
        assets=assets,
        external_assets=external,
        tables=_name_tables(index, names=names, joins=joins),
        origins={
            **{source.key: f"dbt {source.unique_id}" for source in joins.external},
            **{node.key: f"dbt {node.unique_id}" for node in index.nodes},
        },
        source_keys=joins.keys,
    )


def add_dbt_dependencies(assets: Iterable[Asset], tables: Mapping[str, dg.AssetKey]) -> list[Asset]:
    """*assets*, with a dependency on the dbt asset of every table that their `floe/inputs` name.

    Assets that read no dbt table are the same objects as before.
    """
    return [_with_dbt_dependencies(asset, tables) for asset in assets]


def _with_dbt_dependencies(asset: Asset, tables: Mapping[str, dg.AssetKey]) -> Asset:
    def add(spec: dg.AssetSpec) -> dg.AssetSpec:
        present = {dep.asset_key for dep in spec.deps} | {spec.key}
        new = [key for key in _read_by(spec, tables) if key not in present]
        return spec.merge_attributes(deps=new) if new else spec

    specs = asset.specs if isinstance(asset, dg.AssetsDefinition) else [asset]
    if not any(add(spec) is not spec for spec in specs):
        return asset
    [joined] = dg.map_asset_specs(add, [asset])
    return joined


def _read_by(spec: dg.AssetSpec, tables: Mapping[str, dg.AssetKey]) -> list[dg.AssetKey]:
    keys = (tables.get(_plain_name(table)) for table in _table_names(spec, INPUTS))
    return list(dict.fromkeys(key for key in keys if key is not None))


# ---- joins of dbt sources to the assets that write them


@dataclass(frozen=True)
class _Joins:
    """Which asset each dbt source is."""

    keys: Mapping[str, dg.AssetKey]
    """Unique id → key, where it is not the one of the source."""
    external: tuple[DbtSource, ...]
    """Sources that nothing writes, one for each key."""

    def key_of(self, dep: DbtDep) -> dg.AssetKey:
        joined = self.keys.get(dep.source) if dep.source else None
        return joined or dg.AssetKey(dep.key)


def _join_sources(index: DbtIndex, *, names: RelationNames, python_assets: Sequence[Asset]) -> _Joins:
    python_specs = [
        spec for asset in python_assets for spec in (asset.specs if isinstance(asset, dg.AssetsDefinition) else [asset])
    ]
    writers: dict[str, dg.AssetKey] = {}
    for spec in python_specs:
        for table in _table_names(spec, OUTPUTS):
            writers.setdefault(_plain_name(table), spec.key)
    defined = {tuple(spec.key.path) for spec in python_specs} | {node.key for node in index.nodes}
    keys: dict[str, dg.AssetKey] = {}
    external: dict[KeyPath, DbtSource] = {}
    for source in index.sources:
        writer = None if source.has_own_key else writers.get(_table_of(source, names))
        if writer is not None and tuple(writer.path) != source.key:
            keys[source.unique_id] = writer
        elif writer is None and source.key not in defined:
            external.setdefault(source.key, source)
    return _Joins(keys=keys, external=tuple(external.values()))


def _table_names(spec: dg.AssetSpec, entry: str) -> list[str]:
    value = spec.metadata.get(entry, ())
    value = getattr(value, "value", value)
    return [name for name in value if isinstance(name, str)] if isinstance(value, list | tuple) else []


def _table_of(relation: DbtRelation, names: RelationNames) -> str:
    return _plain_name(f"{names.fill(relation.schema or '')}.{relation.alias}")


def _plain_name(table: str) -> str:
    return table.replace('"', "").replace("`", "").lower()


def _name_tables(index: DbtIndex, *, names: RelationNames, joins: _Joins) -> dict[str, dg.AssetKey]:
    tables = {_table_of(source, names): dg.AssetKey(source.key) for source in joins.external}
    for node in index.nodes:
        key = dg.AssetKey(node.key)
        tables[_table_of(node, names)] = key
        tables[_plain_name(f"{node.custom_schema}.{node.alias}" if node.custom_schema else node.alias)] = key
    return tables


# ---- specs


class _SpecBuilder:
    """Specs with the fields and the metadata, in the order, that dagster-dbt gives them."""

    def __init__(
        self, index: DbtIndex, *, names: RelationNames, joins: _Joins, deferred: DeferredDbt, with_details: bool
    ) -> None:
        self._index = index
        self._names = names
        self._joins = joins
        self._details: Mapping[str, Details] | None = index.load_details() if with_details else None
        self._dbt_dir = deferred.project_dir.resolve() if deferred.project_dir is not None else None
        self._deferred = deferred
        self._sources = {source.unique_id: source for source in index.sources}
        self._deps: dict[DbtDep, dg.AssetDep] = {}
        self._kinds: dict[tuple[str, ...], set[str]] = {}

    def build_spec(self, node: DbtNode, refine: RefineSpec | None) -> dg.AssetSpec:
        fields: SpecFields = {
            "deps": self._build_deps(node.deps),
            "metadata": self._build_metadata(node, node.materialized),
            "skippable": True,
            "group_name": node.group,
            "code_version": node.code_version,
            "owners": node.owners,
            "tags": node.tags,
            "kinds": self._kinds_of(node),
        }
        if self._details is not None:
            fields["description"] = self._details[node.unique_id]["description"]
        if node.automation_condition is not None:
            fields["automation_condition"] = deserialize_value(node.automation_condition)
        if refine is not None:
            fields = refine(node.key, fields)
        return dg.AssetSpec(dg.AssetKey(node.key), **fields)  # type: ignore[arg-type]  # fields of AssetSpec

    def build_external_asset(self, source: DbtSource) -> dg.AssetSpec:
        details = self._details[source.unique_id] if self._details is not None else {}
        return dg.AssetSpec(
            dg.AssetKey(source.key),
            description=cast("str | None", details.get("description")),
            metadata=self._build_metadata(source, None),
            group_name=source.group,
            owners=source.owners,
            tags=source.tags,
            kinds=self._kinds_of(source),
        )

    def build_check(self, check: DbtCheck) -> dg.AssetCheckSpec:
        key = self._joins.key_of(DbtDep(check.key))
        others = {self._joins.key_of(dep) for dep in check.additional_deps} - {key}
        return dg.AssetCheckSpec(
            check.name,
            asset=key,
            description=check.description,
            additional_deps=sorted(others),
            blocking=check.blocking,
            metadata={"dagster_dbt/unique_id": check.unique_id},
        )

    def _build_deps(self, deps: Sequence[DbtDep]) -> list[dg.AssetDep]:
        built: dict[dg.AssetKey, dg.AssetDep] = {}
        for dep in deps:
            if dep not in self._deps:
                self._deps[dep] = dg.AssetDep(self._joins.key_of(dep), metadata=self._dep_metadata(dep))
            built.setdefault(self._deps[dep].asset_key, self._deps[dep])
        return list(built.values())

    def _dep_metadata(self, dep: DbtDep) -> Mapping[str, object] | None:
        if dep.source is None or dep.source in self._joins.keys:
            return None
        metadata = self._build_metadata(self._sources[dep.source], None)
        return {key: value for key, value in metadata.items() if not key.startswith("dagster_dbt/")}

    def _build_metadata(self, relation: DbtRelation, materialized: str | None) -> dict[str, object]:
        metadata: dict[str, object] = {}
        if materialized is not None:
            metadata["dagster-dbt/materialization_type"] = materialized
        if self._details is not None:
            metadata |= self._shown_metadata(relation, self._details[relation.unique_id])
        metadata |= self._deferred.metadata(relation.unique_id)
        metadata["dagster/storage_kind"] = self._names.adapter
        if self._details is not None and self._index.project_id:
            metadata["dagster_dbt/project_id"] = self._project_id
        if self._details is not None and self._dbt_dir is not None:
            reference = dg.LocalFileCodeReference(file_path=str(self._dbt_dir / relation.path))
            metadata["dagster/code_references"] = dg.CodeReferencesMetadataValue(code_references=[reference])
        return metadata

    def _shown_metadata(self, relation: DbtRelation, details: Details) -> dict[str, object]:
        shown: dict[str, object] = {}
        columns = cast("Sequence[tuple[str, str, str | None, Sequence[str]]]", details.get("columns", ()))
        if columns:
            shown["dagster/column_schema"] = dg.TableSchema(
                columns=[
                    dg.TableColumn(name=name, type=kind, description=description, tags=dict.fromkeys(tags, ""))
                    for name, kind, description, tags in columns
                ]
            )
        table = details.get("table")
        table = self._names.fill(str(table)) if table is not None else self._usual_table_name(relation)
        if table:
            shown["dagster/table_name"] = table
        return shown

    def _usual_table_name(self, relation: DbtRelation) -> str:
        parts = (self._names.fill(relation.database or ""), self._names.fill(relation.schema or ""), relation.alias)
        return ".".join(part for part in parts if part)

    def _kinds_of(self, relation: DbtRelation) -> set[str]:
        if relation.kinds not in self._kinds:
            self._kinds[relation.kinds] = {self._names.fill(kind) for kind in relation.kinds}
        return self._kinds[relation.kinds]

    @cached_property
    def _project_id(self) -> dg.TextMetadataValue:
        return dg.MetadataValue.text(self._index.project_id or "")


# ---- assets definitions


def _build_assets(
    dbt: DbtConfig, index: DbtIndex, specs: Sequence[dg.AssetSpec], checks: Sequence[dg.AssetCheckSpec]
) -> Iterator[dg.AssetsDefinition]:
    """One definition for each partitions definition among *specs*: Dagster wants one for all of an op's assets."""
    groups = _group_by_partitions(specs)
    for number, group in enumerate(groups):
        whole = len(groups) == 1
        yield create_dbt_assets_with_per_model_observability(
            group,
            checks,
            name=op_name(index.project_name, "" if whole else f"_{number + 1}"),
            select=select_everything(dbt) if whole else _select_exactly(index, group),
            exclude=" ".join(dbt.exclude),
            selector=(dbt.selector or "") if whole else "",
            fetch=dbt.fetch,
            observability_level=dbt.observability_level,
        )


def select_everything(dbt: DbtConfig) -> str:
    """dbt's selection of all that the project's settings make assets."""
    return " ".join(dbt.select) or ("" if dbt.selector else EVERYTHING)


def _group_by_partitions(specs: Sequence[dg.AssetSpec]) -> list[list[dg.AssetSpec]]:
    groups: list[list[dg.AssetSpec]] = []
    for spec in specs:
        group = next((group for group in groups if group[0].partitions_def == spec.partitions_def), None)
        if group is None:
            groups.append([spec])
        else:
            group.append(spec)
    return groups


def _select_exactly(index: DbtIndex, specs: Sequence[dg.AssetSpec]) -> str:
    return " ".join(index.nodes_by_id[str(spec.metadata["dagster_dbt/unique_id"])].fqn for spec in specs)
