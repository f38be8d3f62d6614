"""What a step of a run computes, read from the definition of its job."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import dagster as dg
from dagster._core.definitions.dependency import NodeHandle

from floe_dagster.observability.records import KeyPath, RunScope

OBSERVABILITY_TAG = "floe/observability"
"""Tag of an op that builds dbt's nodes or runs its tests: `per_model` or `job_level`."""

DBT_MANIFEST = "dagster_dbt/manifest"
_FLOE = __name__.partition(".")[0]


@dataclass(frozen=True, slots=True)
class PartitionFact:
    """What of an asset's partitions a run computes."""

    key: str
    window: tuple[datetime, datetime] | None = None


@dataclass(frozen=True, slots=True)
class StepContents:
    """What a step computes.

    Args:
        assets: Keys of the assets that the run has selected.
        checks: Asset and name of the checks that it has selected.
        builds_dbt: Whether they are nodes of dbt, which are observed one by one.
        partitions: Of the assets that have some.
        of_graph: The assets that the step has a part in, where it is one of several that compute them.
    """

    assets: Sequence[KeyPath] = ()
    checks: Sequence[tuple[KeyPath, str]] = ()
    builds_dbt: bool = False
    partitions: Mapping[KeyPath, PartitionFact] = field(default_factory=dict)
    of_graph: Sequence[KeyPath] = ()


def read_step_contents(
    job: dg.JobDefinition, node: NodeHandle, *, run: RunScope, instance: dg.DagsterInstance
) -> StepContents:
    """What the step of *node* computes in *run*."""
    outputs = job.get_node(node).output_dict
    layer = job.asset_layer
    selected = layer.get_selected_entity_keys_for_node(node)
    found = [key for name in outputs if (key := layer.get_entity_key_for_node_output(node, name)) in selected]
    assets = [key for key in found if isinstance(key, dg.AssetKey) and layer.get(key).is_materializable]
    checks = [(tuple(key.asset_key.path), key.name) for key in found if isinstance(key, dg.AssetCheckKey)]
    return StepContents(
        assets=[tuple(key.path) for key in assets],
        checks=checks,
        builds_dbt=_builds_dbt(job, node),
        partitions=dict(_partitions(job, assets, run, instance)) if run.partition is not None else {},
        of_graph=[tuple(key.path) for key in _assets_of_graph(job, node)],
    )


def last_step(job: dg.JobDefinition, asset: KeyPath) -> NodeHandle:
    """The step that materialises *asset*."""
    handle: NodeHandle = job.asset_layer.get_op_output_handle(dg.AssetKey(asset)).node_handle
    return handle


def _assets_of_graph(job: dg.JobDefinition, node: NodeHandle) -> Iterator[dg.AssetKey]:
    layer = job.asset_layer
    definition = layer.get_assets_def_for_node(node) if node.parent is not None else None
    for key in sorted(definition.keys) if definition is not None else ():
        if layer.get(key).is_materializable and node in layer.upstream_dep_op_handles(key):
            yield key


def _builds_dbt(job: dg.JobDefinition, node: NodeHandle) -> bool:
    """Whether the step builds nodes of dbt by floe's own resource: another one tells nothing of them."""
    definition = job.asset_layer.get_assets_def_for_node(node)
    if definition is None:
        return False
    is_of_dbt = OBSERVABILITY_TAG in job.get_node(node).tags or any(
        DBT_MANIFEST in spec.metadata for spec in definition.specs
    )
    op = job.get_node(node).definition
    return (
        is_of_dbt and isinstance(op, dg.OpDefinition) and any(_is_floes(job, key) for key in op.required_resource_keys)
    )


def _is_floes(job: dg.JobDefinition, key: str) -> bool:
    definition = job.resource_defs.get(key)
    return getattr(definition, "configurable_resource_cls", object).__module__.partition(".")[0] == _FLOE


def _partitions(
    job: dg.JobDefinition, assets: Sequence[dg.AssetKey], run: RunScope, instance: dg.DagsterInstance
) -> Iterator[tuple[KeyPath, PartitionFact]]:
    windows: dict[int, tuple[datetime, datetime] | None] = {}
    for key in assets:
        definition = job.asset_layer.get(key).partitions_def
        if definition is None or run.partition is None:
            continue
        if id(definition) not in windows:
            windows[id(definition)] = _find_window(definition, run.partition, instance)
        yield tuple(key.path), PartitionFact(run.partition, windows[id(definition)])


def _find_window(
    definition: dg.PartitionsDefinition, partition: str, instance: dg.DagsterInstance
) -> tuple[datetime, datetime] | None:
    """From the start of the first of the partitions to the end of the last, where they are windows of time."""
    first, _, last = partition.partition("...")
    with dg.partition_loading_context(dynamic_partitions_store=instance):
        windows = [_window_of(definition, key) for key in (first, last or first)]
    start, end = windows
    return (start.start, end.end) if start is not None and end is not None else None


def _window_of(definition: dg.PartitionsDefinition, key: str) -> dg.TimeWindow | None:
    if isinstance(definition, dg.MultiPartitionsDefinition):
        keys = definition.get_partition_key_from_str(key).keys_by_dimension
        found = (_window_of(each.partitions_def, keys[each.name]) for each in definition.partitions_defs)
        return next((window for window in found if window is not None), None)
    if isinstance(definition, dg.TimeWindowPartitionsDefinition):
        return definition.time_window_for_partition_key(key)
    return None
