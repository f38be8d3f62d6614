"""What Dagster can load from a module of the user's, and where each thing stands in it."""

import ast
import functools
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import TypeAlias, cast

import dagster as dg
from dagster._core.definitions.assets.definition.cacheable_assets_definition import CacheableAssetsDefinition
from dagster._core.definitions.partitions.partitioned_schedule import UnresolvedPartitionedAssetScheduleDefinition
from dagster._core.definitions.unresolved_asset_job_definition import UnresolvedAssetJobDefinition
from dagster.components.definitions import LazyDefinitions

from floe_core.errors import shown_path
from floe_dagster.user_code.function_source import FunctionSource
from floe_dagster.user_code.import_paths import current_roots

Asset: TypeAlias = dg.AssetsDefinition | dg.AssetSpec | dg.SourceAsset
Job: TypeAlias = dg.JobDefinition | UnresolvedAssetJobDefinition
Schedule: TypeAlias = dg.ScheduleDefinition | UnresolvedPartitionedAssetScheduleDefinition

_TYPES = (
    dg.AssetsDefinition,
    dg.AssetSpec,
    dg.SourceAsset,
    CacheableAssetsDefinition,
    dg.JobDefinition,
    UnresolvedAssetJobDefinition,
    dg.ScheduleDefinition,
    UnresolvedPartitionedAssetScheduleDefinition,
    dg.SensorDefinition,
    dg.Definitions,
    LazyDefinitions,
)


@dataclass(frozen=True, slots=True)
class Found:
    """A definition at the top level of a module, or in a list or dict there, under the name it has there."""

    definition: object
    module: ModuleType
    name: str

    @property
    def is_imported(self) -> bool:
        """Whether the module has the name from an import statement."""
        bindings = _bindings(_file_of(self.module))
        binding = bindings.get(self.name, bindings.get("*"))
        return binding is not None and binding.is_import


@dataclass(frozen=True, slots=True)
class _Binding:
    line: int
    is_import: bool


def specs_of(assets: Iterable[Asset]) -> Iterator[dg.AssetSpec]:
    """The specs of all *assets* that have any."""
    for asset in assets:
        match asset:
            case dg.AssetsDefinition():
                yield from asset.specs
            case dg.AssetSpec():
                yield asset
            case _:
                pass  # a deprecated kind, whose keys Dagster tells later


def find_definitions(module: ModuleType) -> Iterator[Found]:
    """Everything in *module* that Dagster can load, in the order of the module, the same object under each name."""
    for name, value in list(vars(module).items()):
        for item in _items(value):
            if isinstance(item, _TYPES):
                yield Found(item, module, name)


def origin_of(definition: object, found: Found) -> str:
    """File and line of *definition*, which is *found* or a part of it.

    The line is that of the function where that is the project's, else of the name in the module.
    """
    place = _function_place(definition)
    file = _file_of(found.module)
    if place is not None and (place[0] == file or _is_in_project(place[0])):
        return f"{shown_path(Path(place[0]))}:{place[1]}"
    binding = _bindings(file).get(found.name)
    shown = shown_path(Path(file)) if file else found.module.__name__
    return f"{shown}:{binding.line}" if binding else shown


def _items(value: object) -> list[object]:
    """*value*, or what is in it; records of Dagster's are tuples by type, and no collections."""
    if type(value) in (list, tuple):
        return list(cast("list[object]", value))
    return list(value.values()) if isinstance(value, dict) else [value]


def _function_place(definition: object) -> tuple[str, int] | None:
    node = (
        definition.computation.node_def
        if isinstance(definition, dg.AssetsDefinition) and definition.computation
        else None
    )
    match node:
        case dg.OpDefinition():
            compute = node.compute_fn
            fn = getattr(compute, "decorated_fn", compute)
        case dg.GraphDefinition():
            fn = node.composition_fn
        case _:
            fn = None
    source = FunctionSource.of(fn) if callable(fn) else None
    return (source.file, source.line) if source is not None and source.file is not None else None


def _is_in_project(file: str) -> bool:
    roots = current_roots()
    return roots is not None and roots.holds(file)


def _file_of(module: ModuleType) -> str:
    return getattr(module, "__file__", None) or ""


@functools.lru_cache(maxsize=256)
def _bindings(file: str) -> dict[str, _Binding]:
    """The names that the top level of a module binds, with the line of the last binding."""
    try:
        tree = ast.parse(Path(file).read_bytes())
    except (OSError, SyntaxError, ValueError):
        return {}
    return dict(_bound(tree.body))


def _bound(statements: list[ast.stmt]) -> Iterator[tuple[str, _Binding]]:
    for statement in statements:
        match statement:
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                first = min([statement.lineno, *(decorator.lineno for decorator in statement.decorator_list)])
                yield statement.name, _Binding(first, is_import=False)
            case ast.Import() | ast.ImportFrom():
                for alias in statement.names:
                    yield alias.asname or alias.name.partition(".")[0], _Binding(statement.lineno, is_import=True)
            case _:
                for node in ast.iter_child_nodes(statement):
                    yield from _assigned(node)
                for block in ("body", "orelse", "finalbody"):
                    yield from _bound(getattr(statement, block, []))
                for handler in getattr(statement, "handlers", []):
                    yield from _bound(handler.body)


def _assigned(node: ast.AST) -> Iterator[tuple[str, _Binding]]:
    if isinstance(node, ast.stmt | ast.excepthandler):
        return
    for inner in ast.walk(node):
        if isinstance(inner, ast.Name) and isinstance(inner.ctx, ast.Store):
            yield inner.id, _Binding(inner.lineno, is_import=False)
