"""`@floe_asset`: a Python function as an asset that says which tables it reads and writes."""

import functools
import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast, overload

import dagster as dg
from dagster._core.definitions.composition import is_in_composition

from floe_dagster.dbt.model_assets import create_dbt_assets_with_per_model_observability
from floe_dagster.observability.runs.trace_marks import MarkedResults
from floe_dagster.user_code.decorator_arguments import DecoratorArguments
from floe_dagster.user_code.function_source import FunctionSource
from floe_dagster.user_code.functions import UserFunction
from floe_dagster.user_code.returned_values import ReturnedValues
from floe_dagster.user_code.run_partition import PARTITION_COLUMN

__all__ = ["FloeAsset", "create_dbt_assets_with_per_model_observability", "floe_asset"]

INPUTS = "floe/inputs"
OUTPUTS = "floe/outputs"
CODE_REFERENCES = "dagster/code_references"

_OWN_ARGUMENTS = ("inputs", "outputs", "compute_kind", "partition_column")
_STORED_BY_IO_MANAGER = frozenset({"io_manager_key", "io_manager_def", "dagster_type"})


@overload
def floe_asset(fn: Callable[..., Any], /) -> dg.AssetsDefinition: ...


@overload
def floe_asset(
    *,
    inputs: str | Sequence[str] = ...,
    outputs: str | Sequence[str] = ...,
    compute_kind: str | None = ...,
    partition_column: str | Mapping[str, str] | None = ...,
    **asset_arguments: Any,
) -> Callable[[Callable[..., Any]], dg.AssetsDefinition]: ...


def floe_asset(
    fn: Callable[..., Any] | None = None,
    /,
    *,
    inputs: str | Sequence[str] = (),
    outputs: str | Sequence[str] = (),
    compute_kind: str | None = None,
    partition_column: str | Mapping[str, str] | None = None,
    **asset_arguments: Any,
) -> dg.AssetsDefinition | Callable[[Callable[..., Any]], dg.AssetsDefinition]:
    """An asset that a function computes; takes everything that `dagster.asset` takes.

    The key is the function's name, or what `name`, `key_prefix` and `key` say, as in Dagster. Dependencies follow from
    the tables: the asset depends on whatever writes its *inputs*; `deps` adds more.

    Parameters of the function are filled in as in Dagster, and resources by their name alone as well: a parameter
    without annotation is the resource of that name (`def a(context, catalog, warehouse_api)`), unless `ins` or `deps`
    name it as an upstream asset. One with another annotation is an upstream asset; one with a default keeps that.

    What the function returns: nothing; a dict, which becomes metadata (`rows` also as Dagster's row count); a
    `MaterializeResult`; or the rows of the one table in *outputs*, as an Arrow table or reader, a Polars or pandas
    frame or a DuckDB relation, which the `catalog` resource writes. With an I/O manager (`io_manager_key`,
    `io_manager_def`, `dagster_type`) the value goes to that, untouched. Called directly, as in a unit test, the asset
    returns what the function returns.

    Args:
        fn: The function, where the decorator stands without parentheses.
        inputs: Tables that the function reads, such as `raw.customers`.
        outputs: Tables that it writes.
        compute_kind: One more of the asset's `kinds`.
        partition_column: Column by which the rows that a partitioned asset returns replace those of its partition; with
            two dimensions a column for each, `{'date': 'ordered_on', 'region': 'country'}`.
        asset_arguments: Arguments of `dagster.asset`.

    Raises:
        AssetModuleError: Arguments that cannot be used, all of them.
        TypeError: It does not stand above a function.
    """

    def decorate(decorated: Callable[..., Any]) -> dg.AssetsDefinition:
        _check_is_function(decorated)
        arguments = DecoratorArguments(FunctionSource.of(decorated))
        arguments.check_known(asset_arguments, own=_OWN_ARGUMENTS)
        decoration = _Decoration(
            inputs=arguments.read_tables("inputs", inputs, needs_namespace=False),
            outputs=arguments.read_tables("outputs", outputs, needs_namespace=True),
            partition_column=partition_column,
            arguments=_dagsters_arguments(asset_arguments, arguments, compute_kind),
        )
        arguments.check_type("partition_column", partition_column, str, Mapping)
        arguments.check_type("metadata", asset_arguments.get("metadata"), Mapping)
        arguments.raise_problems()
        with arguments.told_by_dagster(asset_arguments):
            return decoration.build_asset(decorated)

    return decorate if fn is None else decorate(fn)


class FloeAsset(dg.AssetsDefinition):
    """An asset definition that, called directly, does what the decorated function does and nothing more."""

    function: UserFunction
    """What the user wrote."""
    _direct: Callable[[], dg.AssetsDefinition]

    @classmethod
    def of(
        cls, asset: dg.AssetsDefinition, *, function: UserFunction, direct: Callable[[], dg.AssetsDefinition]
    ) -> "FloeAsset":
        """*asset* of *function*, which is called by calling what *direct* builds."""
        own = cls.__new__(cls)
        vars(own).update(vars(asset), function=function, _direct=direct)
        return own

    def __call__(self, *args: object, **kwargs: object) -> object:
        """What the decorated function returns, as `dagster.asset` lets it be called in tests."""
        if is_in_composition():
            return super().__call__(*args, **kwargs)
        return self._direct()(*args, **kwargs)

    def map_asset_specs(self, fn: Callable[[dg.AssetSpec], dg.AssetSpec]) -> "FloeAsset":
        """The asset with other specs, called as before."""
        return self._with(super().map_asset_specs(fn))

    def with_attributes(self, **attributes: Any) -> "FloeAsset":
        """The asset with other attributes, called as before."""
        return self._with(super().with_attributes(**attributes))

    def rebuilt(self, arguments: Mapping[str, Any]) -> "FloeAsset":
        """The asset made of *arguments* of Dagster's constructor, called as before."""
        return self._with(dg.AssetsDefinition.dagster_internal_init(**arguments))

    def _with(self, definition: dg.AssetsDefinition) -> "FloeAsset":
        return FloeAsset.of(definition, function=self.function, direct=self._direct)


def rebuild_asset(asset: dg.AssetsDefinition, **changes: Any) -> dg.AssetsDefinition:
    """*asset* with some arguments of Dagster's constructor changed; all others stay, and so does what a call does."""
    arguments = {**asset.get_attributes_dict(), **changes}
    return asset.rebuilt(arguments) if isinstance(asset, FloeAsset) else type(asset).dagster_internal_init(**arguments)


@dataclass(frozen=True, slots=True)
class _Decoration:
    """The arguments of one use of the decorator."""

    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    partition_column: str | Mapping[str, str] | None
    arguments: Mapping[str, Any]

    def build_asset(self, fn: Callable[..., Any]) -> dg.AssetsDefinition:
        """The asset that *fn* computes."""
        required = frozenset(self.arguments.get("required_resource_keys") or ())
        function = UserFunction.of(fn, given=self._upstream_names())
        if not _STORED_BY_IO_MANAGER.isdisjoint(self.arguments):
            return self._build(function, function.compute(required=required), required=required)
        with_catalog = required | {"catalog"} if self.outputs else required
        asset = self._build(
            function,
            function.compute(
                required=with_catalog,
                conversion=functools.partial(
                    MarkedResults.of, functools.partial(ReturnedValues.of_run, function.source, self.outputs)
                ),
            ),
            required=with_catalog,
        )
        return FloeAsset.of(
            asset,
            function=function,
            direct=functools.cache(
                lambda: self._build(function, function.compute(required=required), required=required)
            ),
        )

    def _build(
        self, function: UserFunction, compute: Callable[..., Any], *, required: frozenset[str]
    ) -> dg.AssetsDefinition:
        arguments = {
            **self.arguments,
            "metadata": self._metadata(function),
            # Dagster takes resources from the parameters or from here, not from both.
            "required_resource_keys": None if function.parameters.resources else required,
        }
        return cast("dg.AssetsDefinition", dg.asset(**arguments)(compute))

    def _metadata(self, function: UserFunction) -> dict[str, object]:
        tables: dict[str, object] = {}
        if self.inputs:
            tables[INPUTS] = list(self.inputs)
        if self.outputs:
            tables[OUTPUTS] = list(self.outputs)
        if len(self.outputs) == 1:
            tables["dagster/table_name"] = self.outputs[0]
        if self.partition_column is not None:
            named = self.partition_column
            tables[PARTITION_COLUMN] = named if isinstance(named, str) else dict(named)
        return {**tables, **_code_reference(function.source), **(self.arguments.get("metadata") or {})}

    def _upstream_names(self) -> frozenset[str]:
        """Names of parameters that `ins` and `deps` make upstream assets."""
        keys = [key for dep in self.arguments.get("deps") or () for key in _keys_of(dep)]
        return frozenset(self.arguments.get("ins") or ()) | {key.path[-1] for key in keys}


def _check_is_function(decorated: object) -> None:
    if isinstance(decorated, dg.AssetsDefinition):
        raise TypeError("@floe_asset stands above another decorator that makes an asset: use one of the two")
    if isinstance(decorated, type):
        raise TypeError("@floe_asset stands above a class: it takes a function")
    if not callable(decorated):
        raise TypeError(f"@floe_asset takes its arguments by name: @floe_asset(outputs={decorated!r})")


def _dagsters_arguments(
    given: Mapping[str, Any], arguments: DecoratorArguments, compute_kind: str | None
) -> dict[str, Any]:
    """The arguments of `dagster.asset`: `compute_kind` is one of the kinds, a dep `a/b` has two parts."""
    arguments.check_type("compute_kind", compute_kind, str)
    kinds = [
        *arguments.read_list("kinds", given.get("kinds"), like="['python']"),
        *([compute_kind] if compute_kind else []),
    ]
    changed: dict[str, Any] = {"kinds": set(kinds)} if kinds else {}
    for name in ("owners", "required_resource_keys"):
        arguments.read_list(name, given.get(name), like="['name']")
    if given.get("deps") is not None:
        deps = arguments.read_list("deps", given["deps"], like="['bronze/orders']")
        changed["deps"] = [dg.AssetKey(dep.split("/")) if isinstance(dep, str) else dep for dep in deps]
    return {**given, **changed}


def _keys_of(dep: object) -> Iterable[dg.AssetKey]:
    match dep:
        case dg.AssetsDefinition():
            return dep.keys
        case dg.AssetDep():
            return [dep.asset_key]
        case dg.AssetSpec() | dg.SourceAsset():
            return [dep.key]
        case _:
            return [dg.AssetKey.from_coercible(cast("dg.AssetKey", dep))]


def _code_reference(source: FunctionSource) -> Mapping[str, object]:
    if source.file is None:
        return {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", dg.BetaWarning)  # Dagster 1.13: code references are in beta
        reference = dg.LocalFileCodeReference(file_path=source.file, line_number=source.line)
        return {CODE_REFERENCES: dg.CodeReferencesMetadataValue(code_references=[reference])}
