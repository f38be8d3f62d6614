"""Whether every resource and every value of another asset that an asset or asset check asks for is there."""

import inspect
from collections.abc import Callable, Collection, Iterable, Mapping
from types import MappingProxyType

import dagster as dg
from dagster._core.definitions.decorators.op_decorator import DecoratedOpFunction

from floe_core.errors import LoadError, Problem, ProblemCollector
from floe_core.suggestions import did_you_mean, list_names
from floe_dagster.selection.asset_index import AssetIndex, KeyPath
from floe_dagster.user_code.resource_parameters import why_resource


def check_resource_keys(
    assets: Iterable[object],
    *,
    resources: Collection[str],
    index: AssetIndex,
    origins: Mapping[KeyPath, str] = MappingProxyType({}),
) -> None:
    """Nothing, where each asset and check made of a function finds its resources and the values that it takes.

    Dagster refuses the others too, but only when a job with the asset is built, and without a close name.

    Args:
        assets: Assets and asset checks; what is made of a graph is left to Dagster.
        resources: The keys of all resources.
        index: All assets: a parameter named like one was probably meant as its value.
        origins: Where assets are defined.

    Raises:
        LoadError: Some do not; the message names each asset and what it asks for.
    """
    problems = ProblemCollector()
    for asset in assets:
        if not isinstance(asset, dg.AssetsDefinition) or not asset.is_executable:
            continue
        if not isinstance(asset.node_def, dg.OpDefinition):
            continue
        missing = asset.op.required_resource_keys - set(resources) - asset.resource_defs.keys()
        problems.extend(_missing(asset, key, resources, index, origins) for key in sorted(missing))
        problems.extend(
            _no_such_value(asset, key, index, origins) for key in _values_of(asset) if key not in index.nodes
        )
    problems.raise_if_any(LoadError)


def _values_of(asset: dg.AssetsDefinition) -> list[KeyPath]:
    """The assets whose values, not only whose existence, *asset* takes."""
    named = asset.node_keys_by_input_name.items()
    return sorted(tuple(key.path) for name, key in named if not asset.op.input_dict[name].dagster_type.is_nothing)


def _no_such_value(
    asset: dg.AssetsDefinition, key: KeyPath, index: AssetIndex, origins: Mapping[KeyPath, str]
) -> Problem:
    shown = "/".join(key)
    close = did_you_mean(shown, [node.label for node in index.nodes.values()]) or did_you_mean(key[-1], index.by_name)
    return Problem(
        code="FLOE-374",
        what=f"{_name(asset)} takes the value of the asset '{shown}', which does not exist",
        detail=_origin(asset, origins),
        why="a parameter with an annotation that is no resource's is an upstream asset",
        fix=close or "delete the annotation if a resource is meant; a table is read by the resource 'catalog'",
    )


def _name(asset: dg.AssetsDefinition) -> str:
    own = next(iter(sorted(asset.keys)), None)
    return f"asset '{own.to_user_string()}'" if own is not None else f"asset check '{asset.op.name}'"


def _origin(asset: dg.AssetsDefinition, origins: Mapping[KeyPath, str]) -> str:
    return next((origins.get(tuple(key.path), "") for key in sorted(asset.keys)), "")


def _function_of(asset: dg.AssetsDefinition) -> Callable[..., object]:
    compute = asset.op.compute_fn
    fn: Callable[..., object] = compute.decorated_fn if isinstance(compute, DecoratedOpFunction) else compute
    written: Callable[..., object] = inspect.unwrap(fn)
    return written


def _missing(
    asset: dg.AssetsDefinition,
    key: str,
    resources: Collection[str],
    index: AssetIndex,
    origins: Mapping[KeyPath, str],
) -> Problem:
    close = did_you_mean(key, resources)
    if not close and key in index.by_name:
        close = (
            f"annotate the parameter with the type of its value, or name it in 'deps', if the asset '{key}' is meant"
        )
    return Problem(
        code="FLOE-374",
        what=f"{_name(asset)} asks for the resource '{key}', which does not exist",
        detail=_origin(asset, origins),
        why=f"{why_resource(key, _function_of(asset))}; there are {list_names(sorted(resources))}",
        fix=close or "define it under 'resources' in platform.yaml",
    )
