"""The dbt project of a code location: its models, seeds, snapshots and tests as Dagster assets and checks.

Everything comes from the compiled index. Neither dbt nor dagster-dbt is imported, unless the project has a translator
of its own.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias

import dagster as dg
from dagster._utils.warnings import disable_dagster_warnings

from floe_core.errors import Problem
from floe_core.schemas.orchestration_config import DbtConfig
from floe_core.source_map import SourceMap
from floe_dagster.asset_settings.op_fields import OpSettings
from floe_dagster.dbt.compilation import load_translator
from floe_dagster.dbt.cross_checks import OpGraph, find_lost_tests, separate_cross_checks
from floe_dagster.dbt.deferred import DeferredDbt
from floe_dagster.dbt.index import DbtIndex, KeyPath, RelationNames
from floe_dagster.dbt.joins import INPUTS, SourceJoins, join_sources, name_tables, tables_of
from floe_dagster.dbt.model_assets import (
    EVERYTHING,
    build_dbt_checks,
    create_dbt_assets_with_per_model_observability,
    op_name,
)
from floe_dagster.dbt.specs import RefineSpec, SpecBuilder, SpecFields

Asset: TypeAlias = dg.AssetsDefinition | dg.AssetSpec | dg.SourceAsset


@dataclass(frozen=True)
class LoadedDbt:
    """What a dbt project adds to the definitions."""

    assets: tuple[dg.AssetsDefinition, ...]
    checks: tuple[dg.AssetChecksDefinition, ...] = ()
    """Tests that no op with their asset can carry out."""
    external_assets: tuple[dg.AssetSpec, ...] = ()
    """Sources that models read and nothing in the definitions writes."""
    tables: Mapping[str, dg.AssetKey] = field(default_factory=dict)
    """Name of a table (`silver.stg_orders`, `main_silver.stg_orders`) → the dbt asset that it is."""
    origins: Mapping[KeyPath, str] = field(default_factory=dict)
    """Key → where the asset comes from, as messages say it."""
    source_keys: Mapping[str, dg.AssetKey] = field(default_factory=dict)
    """Unique id of a dbt source → its asset, where that is not the one dagster-dbt would name."""
    warnings: tuple[Problem, ...] = ()


def load_dbt_assets(
    dbt: DbtConfig,
    index: DbtIndex,
    *,
    project_dir: Path,
    names: RelationNames | None = None,
    python_assets: Sequence[Asset] = (),
    with_details: bool = True,
    refine: RefineSpec | None = None,
    op_settings: Callable[[KeyPath], OpSettings] = lambda _: OpSettings(),
    source: SourceMap | None = None,
) -> LoadedDbt:
    """Build the assets and checks of a dbt project.

    Args:
        dbt: As `effective_dbt` gives it.
        index: What was compiled for the target.
        project_dir: The project folder, to which the paths of the index refer.
        names: Database, schema and adapter of the generated profile; those of the user's own are in the index.
        python_assets: Everything else in the definitions. Assets whose `floe/outputs` name the table of a dbt source
            are joined to it.
        with_details: Whether specs carry what only the UI shows: descriptions, columns, references to code.
        refine: Called with the key and the fields of each spec before it is built; gives the fields to use.
        op_settings: Gives what is set for the op that builds an asset. Assets that differ in it, or in their
            partitions, are built by ops of their own.
        source: Where floe.yaml stands, for the errors.

    Raises:
        TargetError: The project's translator cannot be imported.
        CompileError: It raises an error.
    """
    names = index.own_names or names
    if names is None:
        raise ValueError("an index that was compiled with a generated profile takes the names of that profile")
    joins = join_sources(index, names=names, python_assets=python_assets)
    deferred = DeferredDbt(
        manifest_path=project_dir / index.manifest_path,
        project_dir=project_dir / index.project_dir if index.project_dir is not None else None,
        target=index.target,
        source_keys=joins.keys,
    )
    builder = SpecBuilder(index, names=names, joins=joins, deferred=deferred, with_details=with_details)
    with disable_dagster_warnings():  # references to code are in beta, which would be said for each of them
        if dbt.translator is None:
            specs = [builder.build_spec(node, refine) for node in index.nodes]
            checks = [builder.build_check(check) for check in index.checks]
        else:
            specs, checks = _translate_now(dbt, index, joins=joins, deferred=deferred, refine=refine, source=source)
        external = builder.build_external_assets()
        groups = _group_by_op(specs, op_settings)
        tables = {**joins.tables, **name_tables(index, names)}
        crossing: list[dg.AssetCheckSpec] = []
        warnings: tuple[Problem, ...] = ()
        if len(groups) > 1:
            graph = OpGraph.of([group for _, group in groups], _parents_elsewhere(python_assets, tables))
            checks, crossing = separate_cross_checks(checks, graph)
            keys = {node.unique_id: dg.AssetKey(node.key) for node in index.nodes}
            warnings = tuple(find_lost_tests(index.tests, graph, keys))
        assets = tuple(_build_assets(dbt, index, groups, checks))
    return LoadedDbt(
        assets=assets,
        checks=tuple(_build_crossing_checks(dbt, index, specs, crossing)),
        external_assets=external,
        tables=tables,
        origins={
            **{source.key: f"dbt {source.unique_id}" for source in joins.external},
            **{node.key: f"dbt {node.unique_id}" for node in index.nodes},
        },
        source_keys=joins.keys,
        warnings=warnings,
    )


def _translate_now(
    dbt: DbtConfig,
    index: DbtIndex,
    *,
    joins: SourceJoins,
    deferred: DeferredDbt,
    refine: RefineSpec | None,
    source: SourceMap | None,
) -> tuple[list[dg.AssetSpec], list[dg.AssetCheckSpec]]:
    """Specs of the user's translator: what it makes of a node need not be plain data, so it is asked again."""
    from floe_dagster.dbt.translation import translate  # noqa: PLC0415 - imports dbt

    translation = translate(
        deferred.manifest,
        dbt,
        project_dir=deferred.project_dir,
        user_class=load_translator(dbt, source=source),
        source=source,
    )
    joined = {
        dg.AssetKey(dbt_source.key): joins.keys[dbt_source.unique_id]
        for dbt_source in index.sources
        if dbt_source.unique_id in joins.keys
    }
    return [_with_joins(spec, joined, refine) for spec in translation.specs], list(translation.checks)


def _with_joins(
    spec: dg.AssetSpec, joined: Mapping[dg.AssetKey, dg.AssetKey], refine: RefineSpec | None
) -> dg.AssetSpec:
    deps = {joined.get(dep.asset_key, dep.asset_key): dep for dep in spec.deps}
    fields: SpecFields = {
        "deps": [
            dep if dep.asset_key == key else dg.AssetDep(key, partition_mapping=dep.partition_mapping)
            for key, dep in deps.items()
        ]
    }
    if refine is not None:
        present = {name: getattr(spec, name) for name in _REFINABLE}
        fields = refine(tuple(spec.key.path), {**present, **fields})
    return spec.replace_attributes(**fields)  # type: ignore[arg-type]  # fields of AssetSpec


_REFINABLE = (
    "description",
    "metadata",
    "skippable",
    "group_name",
    "code_version",
    "automation_condition",
    "owners",
    "tags",
    "kinds",
    "partitions_def",
    "freshness_policy",
)


def _build_assets(
    dbt: DbtConfig,
    index: DbtIndex,
    groups: "Sequence[tuple[OpSettings, Sequence[dg.AssetSpec]]]",
    checks: Sequence[dg.AssetCheckSpec],
) -> Iterator[dg.AssetsDefinition]:
    """One definition for all assets that one op can build: Dagster has one of each of these settings for an op."""
    whole = len(groups) == 1
    for number, (settings, group) in enumerate(groups, start=1):
        yield create_dbt_assets_with_per_model_observability(
            group,
            checks,
            name=op_name(index.project_name, "" if whole else f"_{number}"),
            select=_select_everything(dbt) if whole else _select_exactly(index, group),
            exclude=" ".join(dbt.exclude),
            selector=(dbt.selector or "") if whole else "",
            is_part=not whole,
            fetch=dbt.fetch,
            observability_level=dbt.observability_level,
            backfill_policy=settings.backfill_policy,
            retry_policy=settings.retry_policy,
            pool=settings.pool,
        )


def _build_crossing_checks(
    dbt: DbtConfig, index: DbtIndex, specs: Sequence[dg.AssetSpec], checks: Sequence[dg.AssetCheckSpec]
) -> Iterator[dg.AssetChecksDefinition]:
    by_key = {spec.key: spec for spec in specs}
    found = [check for check in checks if check.asset_key in by_key]
    if found:
        yield build_dbt_checks(
            found,
            by_key[found[0].asset_key],
            name=op_name(index.project_name, "_checks"),
            exclude=" ".join(dbt.exclude),
            observability_level=dbt.observability_level,
        )


def _parents_elsewhere(
    python_assets: Sequence[Asset], tables: Mapping[str, dg.AssetKey]
) -> Iterator[tuple[dg.AssetKey, list[dg.AssetKey]]]:
    """Python assets with what they are made from, of dbt's tables too."""
    for asset in python_assets:
        for spec in asset.specs if isinstance(asset, dg.AssetsDefinition) else (asset,):
            read = (tables[table] for table in tables_of(spec, INPUTS) if table in tables)
            deps = [dep.asset_key for dep in spec.deps] if isinstance(spec, dg.AssetSpec) else []
            yield spec.key, [*deps, *read]


def _group_by_op(
    specs: Sequence[dg.AssetSpec], op_settings: Callable[[KeyPath], OpSettings]
) -> list[tuple[OpSettings, list[dg.AssetSpec]]]:
    groups: dict[tuple[object, ...], tuple[OpSettings, list[dg.AssetSpec]]] = {}
    numbers: dict[int, int] = {}
    distinct: list[dg.PartitionsDefinition | None] = []
    for spec in specs:
        partitions_def = spec.partitions_def
        if id(partitions_def) not in numbers:  # comparing two of them may take as long as they have keys
            if partitions_def not in distinct:
                distinct.append(partitions_def)
            numbers[id(partitions_def)] = distinct.index(partitions_def)
        settings = op_settings(tuple(spec.key.path)).suited_to([spec])
        unit = (numbers[id(partitions_def)], settings.backfill_policy, settings.retry_policy, settings.pool)
        groups.setdefault(unit, (settings, []))[1].append(spec)
    return list(groups.values())


def _select_everything(dbt: DbtConfig) -> str:
    """What the project's settings make assets, as dbt's selection; `selector` stands in place of it."""
    return " ".join(dbt.select) or ("" if dbt.selector else EVERYTHING)


def _select_exactly(index: DbtIndex, specs: Sequence[dg.AssetSpec]) -> str:
    return " ".join(index.nodes_by_id[str(spec.metadata["dagster_dbt/unique_id"])].fqn for spec in specs)
