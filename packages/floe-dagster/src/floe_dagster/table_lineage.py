"""Assets joined by the tables that they read and write, whatever their keys are called."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import TypeAlias

import dagster as dg

from floe_core.errors import AssetModuleError, LoadError, Problem, ProblemCollector
from floe_core.suggestions import list_names
from floe_dagster.assets import INPUTS, OUTPUTS, rebuild_asset
from floe_dagster.lakehouse.tables import fold_name
from floe_dagster.selection.asset_index import AssetIndex, AssetNode, KeyPath, find_cycle

Asset: TypeAlias = dg.AssetsDefinition | dg.AssetSpec | dg.SourceAsset


@dataclass(frozen=True, slots=True)
class JoinedAssets:
    """The assets with the dependencies that follow from their tables, and the tables that nobody writes."""

    assets: tuple[Asset, ...]
    external: tuple[dg.AssetSpec, ...]


@dataclass(frozen=True, slots=True)
class _Writer:
    """The asset that writes a table, and what it calls it; only Python assets write to the catalog."""

    key: dg.AssetKey
    table: str = ""
    is_python: bool = False


def join_tables(
    assets: Sequence[Asset],
    *,
    other_tables: Mapping[str, dg.AssetKey] = MappingProxyType({}),
    origins: Mapping[KeyPath, str] = MappingProxyType({}),
) -> JoinedAssets:
    """Make every asset depend on whatever writes the tables in its `inputs`.

    An input is written by the asset that names it in its `outputs`, else by the one in *other_tables*, else by the
    asset whose key has the table's name (`raw/customers`). What nothing writes becomes an external asset of that key.
    An asset that reads what it writes does not depend on itself. Names that differ in case only are one table.

    Args:
        assets: All assets of the definitions.
        other_tables: Tables that are written otherwise, by dbt: {table name: asset key}.
        origins: Where assets are defined, for errors.

    Raises:
        AssetModuleError: Several assets write one table, an asset names an input in another case than who writes it,
            or an asset that is a graph names `inputs`.
    """
    problems = ProblemCollector()
    others = {fold_name(table): _Writer(key, table) for table, key in other_tables.items()}
    written = _find_written_tables(assets, others, problems, origins=origins)
    known = {spec.key for spec in _specs_of(assets)}
    writers = {**{fold_name(".".join(key.path)): _Writer(key) for key in known}, **others, **written}
    external: dict[dg.AssetKey, dg.AssetSpec] = {}
    joined: list[Asset] = []
    for asset in assets:
        added: dict[dg.AssetKey, list[dg.AssetKey]] = {}
        for spec in _specs_of([asset]):
            upstream: dict[dg.AssetKey, None] = {}
            for table in _tables(spec, INPUTS):
                writer = writers.get(fold_name(table), _Writer(dg.AssetKey(table.split("."))))
                upstream[writer.key] = None
                if writer.key not in known:
                    external[writer.key] = _external(writer.key, table)
                if writer.is_python and writer.table != table:
                    problems.add(_other_case(spec.key, table, writer, origins))
            present = {spec.key, *(dep.asset_key for dep in spec.deps)}
            added[spec.key] = [key for key in upstream if key not in present]
        with problems.collecting():
            joined.append(_with_deps(asset, added, origins=origins) if any(added.values()) else asset)
    problems.raise_if_any(AssetModuleError)
    return JoinedAssets(
        assets=tuple(joined), external=tuple(spec for key, spec in external.items() if key not in other_tables.values())
    )


def check_no_cycle(index: AssetIndex, assets: Iterable[Asset] = ()) -> None:
    """Nothing, where no asset waits for itself by way of others.

    Args:
        index: All assets.
        assets: The same, of which functions that make several assets are steps: their assets wait for one another.

    Raises:
        LoadError: Some do; the message names them in the order of the data, with their places.
    """
    cycle = find_cycle(index)
    steps: Mapping[KeyPath, Sequence[KeyPath]] = {}
    if not cycle:
        steps = _steps_of_several(assets)
        cycle = find_cycle(_joined_steps(index, steps)) if steps else ()
    if not cycle:
        return
    path = " → ".join(list_names("/".join(part) for part in steps.get(key, (key,))) for key in cycle)
    nodes = [index.nodes[key] for key in cycle[:-1]]
    raise LoadError(
        Problem(
            code="FLOE-362",
            what=f"assets depend on one another in a circle: {path}",
            detail="\n".join(f"{node.label}: {node.origin}" for node in nodes if node.origin),
            why="one function makes several of them at once, and waits for an asset that waits for one of them"
            if steps
            else "each of them waits for the one before it, so none could ever run",
            fix="take one of the dependencies out of 'deps' or 'inputs', or make the assets in functions of their own"
            if steps
            else "take one of the dependencies out of 'deps', 'inputs' or the dbt model",
        )
    )


def _steps_of_several(assets: Iterable[Asset]) -> dict[KeyPath, list[KeyPath]]:
    """{first key: all keys} of each function that makes several assets and cannot leave one out."""
    definitions = (asset for asset in assets if isinstance(asset, dg.AssetsDefinition))
    several = (each for each in definitions if each.is_executable and len(each.keys) > 1 and not each.can_subset)
    made = (sorted(tuple(key.path) for key in definition.keys) for definition in several)
    return {keys[0]: keys for keys in made}


def _joined_steps(index: AssetIndex, steps: Mapping[KeyPath, Sequence[KeyPath]]) -> AssetIndex:
    """*index* with one node for the assets of each step, under the first of their keys."""
    first = {key: step for step, keys in steps.items() for key in keys}
    return AssetIndex(
        AssetNode(
            key=key,
            deps=frozenset(
                first.get(dep, dep) for part in steps.get(key, (key,)) for dep in index.upstream.get(part, ())
            ),
        )
        for key in index.nodes
        if first.get(key, key) == key
    )


def _find_written_tables(
    assets: Iterable[Asset],
    others: Mapping[str, _Writer],
    problems: ProblemCollector,
    *,
    origins: Mapping[KeyPath, str],
) -> dict[str, _Writer]:
    """{folded table name: the asset that names it in its `outputs`}."""
    written: dict[str, _Writer] = {}
    for spec in _specs_of(assets):
        for table in _tables(spec, OUTPUTS):
            first = written.setdefault(fold_name(table), _Writer(spec.key, table, is_python=True))
            if first.key != spec.key:
                problems.add(_written_twice(table, [_place(first.key, origins), _place(spec.key, origins)]))
            model = others.get(fold_name(table))
            if model is not None and model.key != spec.key:
                problems.add(_written_twice(table, [_place(spec.key, origins), _place(model.key, origins)]))
    return written


def _tables(spec: dg.AssetSpec, kind: str) -> list[str]:
    tables = spec.metadata.get(kind) or ()
    value = tables.value if isinstance(tables, dg.JsonMetadataValue) else tables
    return [str(table) for table in value] if isinstance(value, list | tuple) else []


def _specs_of(assets: Iterable[Asset]) -> Iterator[dg.AssetSpec]:
    for asset in assets:
        match asset:
            case dg.AssetsDefinition():
                yield from asset.specs
            case dg.AssetSpec():
                yield asset
            case dg.SourceAsset():
                yield dg.AssetSpec(asset.key, metadata=asset.raw_metadata)


def _external(key: dg.AssetKey, table: str) -> dg.AssetSpec:
    return dg.AssetSpec(key, metadata={"dagster/table_name": table})


def _with_deps(
    asset: Asset, added: Mapping[dg.AssetKey, Sequence[dg.AssetKey]], *, origins: Mapping[KeyPath, str]
) -> Asset:
    match asset:
        case dg.AssetSpec():
            return _spec_with_deps(asset, added)
        case dg.AssetsDefinition() if asset.is_executable:
            return _definition_with_deps(asset, added, origins=origins)
        case dg.AssetsDefinition():
            return asset.map_asset_specs(lambda spec: _spec_with_deps(spec, added))
        case dg.SourceAsset():
            return asset


def _definition_with_deps(
    asset: dg.AssetsDefinition, added: Mapping[dg.AssetKey, Sequence[dg.AssetKey]], *, origins: Mapping[KeyPath, str]
) -> dg.AssetsDefinition:
    if not isinstance(asset.node_def, dg.OpDefinition):
        key = next(key for key, keys in added.items() if keys)
        raise AssetModuleError(
            Problem(
                code="FLOE-363",
                what=f"asset '{key.to_user_string()}' is a graph of ops, so it cannot name tables as '{INPUTS}'",
                detail=_place(key, origins),
                why="a graph takes its dependencies from its parameters",
                fix="name the upstream assets as parameters of the graph",
            )
        )
    # map_asset_specs would turn the inputs that carry values into ones that carry none (Dagster 1.13).
    taken = set(asset.node_keys_by_input_name.values())
    new = [key for key in dict.fromkeys(key for keys in added.values() for key in keys) if key not in taken]
    names = {key: _input_name(key, asset) for key in new}
    inputs = {name: dg.In.from_definition(definition) for name, definition in asset.op.input_dict.items()}
    inputs |= {name: dg.In(dg.Nothing) for name in names.values()}
    return rebuild_asset(
        asset,
        node_def=asset.op.with_replaced_properties(name=asset.op.name, ins=inputs),
        keys_by_input_name={**asset.node_keys_by_input_name, **{name: key for key, name in names.items()}},
        specs=[_spec_with_deps(spec, added) for spec in asset.specs],
    )


def _input_name(key: dg.AssetKey, asset: dg.AssetsDefinition) -> str:
    name = key.to_python_identifier().replace("-", "_").replace(".", "_")
    while name in asset.op.input_dict:
        name += "_"
    return name


def _spec_with_deps(spec: dg.AssetSpec, added: Mapping[dg.AssetKey, Sequence[dg.AssetKey]]) -> dg.AssetSpec:
    new = added.get(spec.key)
    return spec.merge_attributes(deps=list(new)) if new else spec


def _written_twice(table: str, places: Sequence[str]) -> Problem:
    return Problem(
        code="FLOE-361",
        what=f"table '{table}' is written by two assets",
        detail="\n".join(places),
        why="whatever reads a table depends on the one asset that writes it; names that differ in case only are one",
        fix="give one of them another table in 'outputs'",
    )


def _other_case(reader: dg.AssetKey, table: str, writer: _Writer, origins: Mapping[KeyPath, str]) -> Problem:
    return Problem(
        code="FLOE-364",
        what=f"asset '{reader.to_user_string()}' reads table '{table}', which is written as '{writer.table}'",
        detail="\n".join([_place(reader, origins), _place(writer.key, origins)]),
        why="the catalog tells upper from lower case and would not find it; dbt would",
        fix=f"write '{writer.table}' in 'inputs', and where the function reads it",
    )


def _place(key: dg.AssetKey, origins: Mapping[KeyPath, str]) -> str:
    origin = origins.get(tuple(key.path))
    return f"{key.to_user_string()}: {origin}" if origin else key.to_user_string()
