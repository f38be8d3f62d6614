"""The calls of dbt that did not come about, because something upstream of their step failed."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import dagster as dg
from dagster._core.definitions.dependency import NodeHandle

from floe_dagster.observability.records import (
    CallEnded,
    CallStarted,
    DbtCall,
    NodeEnded,
    NodeStarted,
    Outcome,
    Record,
    StepScope,
)
from floe_dagster.observability.runs.step_contents import DBT_MANIFEST, OBSERVABILITY_TAG, StepContents

_UNIQUE_ID = "dagster_dbt/unique_id"
NO_FOLDER = Path("/dev/null")
"""Where a call's files are that dbt has not told, or was not there to write."""


def skip_call(
    job: dg.JobDefinition,
    node: NodeHandle,
    scope: StepScope,
    contents: StepContents,
    *,
    at: int,
    because: Sequence[str],
) -> Iterator[Record]:
    """Tell the models, seeds, snapshots and tests of a step as skipped, or the call where that is observed as a whole.

    Args:
        job: The job.
        node: The step in it.
        scope: The attempt at the step.
        contents: What the step was to build.
        at: When it would have begun.
        because: What has failed upstream.
    """
    manifest = manifest_of(job, node)
    if manifest is None:
        return
    op = job.get_node(node)
    partition = next(iter(contents.partitions.values()), None)
    call = DbtCall(
        scope,
        invocation_id="",
        manifest=manifest,
        project_dir=NO_FOLDER,
        target_path=NO_FOLDER,
        command="build",
        per_node=op.tags.get(OBSERVABILITY_TAG, "per_model") == "per_model",
        op_name=op.name,
        partition=partition.key if partition is not None else None,
        window=partition.window if partition is not None else None,
    )
    nodes = tuple(_nodes_of(job, node, contents, manifest))
    if not call.per_node:
        yield CallStarted(call, at)
        yield CallEnded(call, at, at, Outcome.SKIPPED, built=nodes)
        return
    for unique_id in nodes:
        yield NodeStarted(call, unique_id, at)
        yield NodeEnded(call, unique_id, at, at, Outcome.SKIPPED, "skipped", because=because)


def manifest_of(job: dg.JobDefinition, node: NodeHandle) -> Mapping[str, Any] | None:
    """The manifest of the dbt project that the step of *node* builds."""
    own = job.asset_layer.get_assets_def_for_node(node)
    others = (data.assets_def for data in job.asset_layer.data)  # where the step holds tests alone
    definitions = () if own is None else (own, *others)
    found = (spec.metadata.get(DBT_MANIFEST) for each in definitions for spec in each.specs)
    manifest = getattr(next(filter(None, found), None), "manifest", None)
    return manifest if isinstance(manifest, Mapping) else None


def _nodes_of(
    job: dg.JobDefinition, node: NodeHandle, contents: StepContents, manifest: Mapping[str, Any]
) -> Iterator[str]:
    """Unique ids of what dbt would have been asked for."""
    definition = job.asset_layer.get_assets_def_for_node(node)
    assert definition is not None
    keys = [dg.AssetKey(asset) for asset in contents.assets]
    built = [str(definition.get_asset_spec(key).metadata[_UNIQUE_ID]) for key in keys]
    yield from built
    for asset, name in contents.checks:
        spec = definition.get_spec_for_check_key(dg.AssetCheckKey(dg.AssetKey(asset), name))
        yield str((spec.metadata or {}).get(_UNIQUE_ID))
    if contents.checks or not definition.node_check_specs_by_output_name:
        yield from _tests_without_check(job, frozenset(built), manifest)


def _tests_without_check(job: dg.JobDefinition, built: frozenset[str], manifest: Mapping[str, Any]) -> Iterator[str]:
    """The tests of what is built that are asset checks nowhere: dbt carries them out beside the others."""
    definitions = (data.assets_def for data in job.asset_layer.data)
    specs = (spec for each in definitions for spec in each.node_check_specs_by_output_name.values())
    checks = {str((spec.metadata or {}).get(_UNIQUE_ID)) for spec in specs}
    for unique_id, found in manifest["nodes"].items():
        if found["resource_type"] == "test" and unique_id not in checks:
            read = {each for each in found["depends_on"]["nodes"] if not each.startswith("source.")}
            if read and read <= built:
                yield unique_id
