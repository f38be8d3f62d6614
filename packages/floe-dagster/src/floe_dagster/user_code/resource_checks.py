"""Whether every resource that an asset or asset check asks for is there."""

from collections.abc import Collection, Iterable, Mapping
from types import MappingProxyType

import dagster as dg

from floe_core.errors import LoadError, Problem, ProblemCollector
from floe_core.suggestions import did_you_mean, list_names
from floe_dagster.selection.asset_index import AssetIndex, KeyPath


def check_resource_keys(
    assets: Iterable[object],
    *,
    resources: Collection[str],
    index: AssetIndex,
    origins: Mapping[KeyPath, str] = MappingProxyType({}),
) -> None:
    """Nothing, where each asset and check made of a function finds its resources.

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
    problems.raise_if_any(LoadError)


def _missing(
    asset: dg.AssetsDefinition,
    key: str,
    resources: Collection[str],
    index: AssetIndex,
    origins: Mapping[KeyPath, str],
) -> Problem:
    own = next(iter(sorted(asset.keys)), None)
    name = f"asset '{own.to_user_string()}'" if own is not None else f"asset check '{asset.op.name}'"
    close = did_you_mean(key, resources)
    if not close and key in index.by_name:
        close = (
            f"annotate the parameter with the type of its value, or name it in 'deps', if the asset '{key}' is meant"
        )
    return Problem(
        code="FLOE-374",
        what=f"{name} asks for the resource '{key}', which does not exist",
        detail=origins.get(tuple(own.path), "") if own is not None else "",
        why=f"a parameter without annotation is the resource of its name; there are {list_names(sorted(resources))}",
        fix=close or "define it under 'resources' in platform.yaml",
    )
