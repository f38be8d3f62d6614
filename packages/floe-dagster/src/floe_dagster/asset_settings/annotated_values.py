"""What the annotations of assets promise and no run can keep: rows without a table, values that nobody stores."""

import inspect
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from types import NoneType
from typing import get_origin

import dagster as dg
from dagster._core.definitions.decorators.op_decorator import DecoratedOpFunction

from floe_core.errors import Location, Problem
from floe_dagster.asset_settings.patterns import AssetSettings
from floe_dagster.assets import OUTPUTS, FloeAsset
from floe_dagster.user_code.function_source import FunctionSource
from floe_dagster.user_code.returned_values import check_output_table, is_frame_type
from floe_dagster.user_code.run_partition import check_partition_columns, read_partition_columns

_OF_DBT = "dagster_dbt/unique_id"


def check_annotated_values(
    assets: Iterable[dg.AssetsDefinition], *, settings: AssetSettings, has_io_manager: bool
) -> Iterator[Problem]:
    """Warnings of assets that fail in every run that does what their annotations say.

    Only what is certain is told: a return annotation that is a class of rows, and not a union or a generator of them.

    Args:
        assets: All assets, with their settings.
        settings: What floe.yaml sets.
        has_io_manager: Whether there is an I/O manager of the project's own, which may load what it has not stored.
    """
    known = list(assets)
    for asset in known:
        if isinstance(asset, FloeAsset):
            yield from _check_returned_rows(asset, settings)
    if not has_io_manager:
        specs = {spec.key: spec for asset in known for spec in asset.specs if _stores_nothing(asset, spec)}
        for asset in known:
            yield from _check_taken_values(asset, specs)


def _check_returned_rows(asset: FloeAsset, settings: AssetSettings) -> Iterator[Problem]:
    returns = asset.function.returns
    if not inspect.isclass(returns) or not is_frame_type(returns):
        return
    [spec] = asset.specs
    places = settings.of(tuple(spec.key.path)).places
    location = asset.function.source.location
    problem = check_output_table(returns, _outputs_of(spec))
    if problem is None and spec.partitions_def is not None and "partition_column" not in places:
        problem = check_partition_columns(read_partition_columns(spec), spec.partitions_def)
        location = places["partitions"].location if "partitions" in places else location
    if problem is not None:
        yield _warning(problem, spec.key, location)


def _check_taken_values(asset: dg.AssetsDefinition, specs: Mapping[dg.AssetKey, dg.AssetSpec]) -> Iterator[Problem]:
    op = asset.node_def if asset.is_executable and asset.keys else None
    if not isinstance(op, dg.OpDefinition):
        return
    for name, key in asset.keys_by_input_name.items():
        taken = op.input_dict[name]
        if key not in specs or taken.dagster_type.is_nothing or taken.input_manager_key is not None:
            continue
        shown = key.to_user_string()
        read = f"catalog.read_table('{table}')" if (table := _table_of(specs[key])) else "catalog.read_table('…')"
        problem = Problem(
            "FLOE-410",
            f"takes the value of asset '{shown}' as '{name}', and that asset stores none",
            why="what Dagster passes from asset to asset is stored by an I/O manager; tables are in the catalog",
            fix=f"name the asset in 'deps', or its table in 'inputs', and read it: {read}",
        )
        yield _warning(problem, min(asset.keys), _source_of(asset, op).location)


def _stores_nothing(asset: dg.AssetsDefinition, spec: dg.AssetSpec) -> bool:
    """Whether it is certain that *asset* gives no value to an I/O manager, which a `MaterializeResult` may do."""
    if not isinstance(asset, FloeAsset):
        return asset.is_executable and _OF_DBT in spec.metadata
    returns = get_origin(asset.function.returns) or asset.function.returns
    return inspect.isclass(returns) and (is_frame_type(returns) or issubclass(returns, NoneType | Mapping))


def _source_of(asset: dg.AssetsDefinition, op: dg.OpDefinition) -> FunctionSource:
    if isinstance(asset, FloeAsset):
        return asset.function.source
    compute = op.compute_fn
    return FunctionSource.of(compute.decorated_fn if isinstance(compute, DecoratedOpFunction) else compute)


def _outputs_of(spec: dg.AssetSpec) -> list[str]:
    named = spec.metadata.get(OUTPUTS)
    return [str(table) for table in named] if isinstance(named, list) else []


def _table_of(spec: dg.AssetSpec) -> str:
    outputs = _outputs_of(spec)
    return outputs[0] if len(outputs) == 1 else ""


def _warning(problem: Problem, key: dg.AssetKey, location: Location | None) -> Problem:
    what = f"asset '{key.to_user_string()}' {problem.what}"
    return replace(problem, what=what, location=location, severity="warning")
