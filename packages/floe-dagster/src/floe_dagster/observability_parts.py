"""What the observers of runs are told of a project: where to write, and what its tables are called."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import assert_never

import dagster as dg

from floe_core.interpolation import is_unset, known_items
from floe_core.project import ProjectFolder
from floe_core.schemas.base import FloeModel
from floe_core.schemas.floe_spec import FloeSpec
from floe_core.schemas.platform_spec import (
    CatalogProfile,
    GlueCatalog,
    Observability,
    PlatformSpec,
    RestCatalog,
    SqlCatalog,
)
from floe_core.schemas.secrets import SecretRef
from floe_dagster.dbt.index import DbtIndex, DbtSource, RelationNames
from floe_dagster.dbt.joins import OUTPUTS, table_name, tables_of
from floe_dagster.dbt_parts import DbtParts
from floe_dagster.lakehouse.tables import fold_name
from floe_dagster.observability.settings import OBSERVABILITY_DIR, ObservabilitySettings, Relation
from floe_dagster.observability.warehouses import dataset_namespace, warehouse_namespace
from floe_dagster.profiles import Profiles, catalog_properties
from floe_dagster.selection.asset_index import KeyPath
from floe_dagster.user_code.module_contents import Asset, specs_of

_DRIVER = re.compile(r"\+\w+://")  # SQLAlchemy's, of no interest to others


def build_observability_settings(
    spec: FloeSpec,
    platform: PlatformSpec,
    *,
    project: ProjectFolder,
    profiles: Profiles,
    namespace: str,
    dbt: DbtParts,
    python_assets: Sequence[Asset],
    secret_variables: Iterable[str] = (),
) -> ObservabilitySettings:
    """What the observers of a project's runs are told.

    Args:
        spec: floe.yaml.
        platform: platform.yaml.
        project: The project folder.
        profiles: What *spec* picks of *platform*.
        namespace: OpenLineage namespace of the jobs.
        dbt: The dbt project.
        python_assets: All other assets.
        secret_variables: Variables that floe.yaml has under the names of secrets.
    """
    observability = Observability() if is_unset(platform.observability) else platform.observability
    given = dict(known_items(observability.dataset_namespaces))
    index, names = dbt.index, dbt.names
    own = dbt.own_profile
    warehouse = given.get(f"compute.{spec.compute}") or (None if own else _warehouse_namespace(spec, profiles, project))
    writers = _python_tables(python_assets)
    sources = {} if index is None or names is None else dict(_python_sources(index, names, writers))
    return ObservabilitySettings(
        pipeline=spec.name or project.name,
        namespace=namespace,
        folder=project.floe_dir / OBSERVABILITY_DIR,
        platform=observability,
        catalog_namespace=given.get(f"catalogs.{spec.catalog}") or _catalog_namespace(spec, profiles, project),
        warehouse_namespace=warehouse,
        own_profile=own,
        python_sources=sources,
        source_keys=_source_keys(index, dbt.source_keys),
        dbt_tables={fold_name(table): tuple(key.path) for table, key in dbt.tables.items()},
        dbt_relations={} if index is None or names is None else dict(_relations(index, names, sources)),
        secret_names=sorted(set(_secret_names(platform))),
        secret_variables=sorted(set(secret_variables)),
    )


def _warehouse_namespace(spec: FloeSpec, profiles: Profiles, project: ProjectFolder) -> str:
    compute = profiles.compute
    output = {name: getattr(compute, name) for name in type(compute).model_fields}
    if any(isinstance(output.get(field), SecretRef) for field in ("host", "account")):
        return dataset_namespace(f"{compute.type}://{spec.compute}")  # a secret place is called by its profile's name
    return warehouse_namespace(output, base_dir=project.path.resolve())


def _catalog_namespace(spec: FloeSpec, profiles: Profiles, project: ProjectFolder) -> str:
    """The address of the catalog, as Spark's integration gives it; its profile's name where that is a secret.

    Source:
        `RestCatalogTypeHandler` of OpenLineage's integration with Spark.
    """
    named = f"iceberg://{spec.catalog}"
    uri = catalog_properties(profiles, project).get("uri")
    catalog: CatalogProfile = profiles.catalog
    match catalog:
        case SqlCatalog() | RestCatalog():
            return dataset_namespace(_DRIVER.sub("://", uri) if isinstance(uri, str) else named)
        case GlueCatalog():
            place = (catalog.region, catalog.catalog_id)
            return dataset_namespace(":".join(["arn:aws:glue", *map(str, place)]) if all(place) else named)
        case _:
            assert_never(catalog)


def _python_tables(python_assets: Sequence[Asset]) -> dict[str, tuple[KeyPath, str]]:
    """{folded name of a table: the asset that writes it, and what that calls it}."""
    return {
        fold_name(table): (tuple(spec.key.path), table)
        for spec in specs_of(python_assets)
        for table in tables_of(spec, OUTPUTS)
    }


def _python_sources(
    index: DbtIndex, names: RelationNames, writers: Mapping[str, tuple[KeyPath, str]]
) -> Iterator[tuple[str, str]]:
    """Sources that Python assets write, with their table: the one of that name, else the one of the asset's key."""
    by_key: dict[KeyPath, list[str]] = {}
    for key, table in writers.values():
        by_key.setdefault(key, []).append(table)
    for source in index.sources:
        writer = writers.get(fold_name(table_name(source, names)))
        tables = [writer[1]] if writer else by_key.get(source.key, []) if source.has_own_key else []
        if len(tables) == 1:
            yield source.unique_id, tables[0]


def _source_keys(index: DbtIndex | None, joined: Mapping[str, dg.AssetKey]) -> dict[str, KeyPath]:
    keys = {source.unique_id: source.key for source in index.sources} if index is not None else {}
    return {**keys, **{source: tuple(key.path) for source, key in joined.items()}}


def _relations(
    index: DbtIndex, names: RelationNames, python_sources: Mapping[str, str]
) -> Iterator[tuple[KeyPath, Relation]]:
    foreign: list[DbtSource] = [source for source in index.sources if source.unique_id not in python_sources]
    for relation in (*foreign, *index.nodes):
        yield (
            relation.key,
            (names.fill(relation.database or ""), names.fill(relation.schema or ""), relation.alias),
        )


def _secret_names(value: object) -> Iterator[str]:
    if isinstance(value, SecretRef):
        yield value.secret_ref
        return
    items: Iterable[object] = ()
    if isinstance(value, FloeModel):
        items = (getattr(value, field) for field in type(value).model_fields)
    elif isinstance(value, Mapping):
        items = value.values()
    elif isinstance(value, list | tuple):
        items = value
    for item in items:
        yield from _secret_names(item)
