"""Which run and which attempt at a step something belongs to, read from Dagster."""

import dagster as dg

from floe_dagster.observability.records import RunScope, StepScope
from floe_dagster.running.launches import PROJECT_TAG

TRACEPARENT_TAG = "floe/traceparent"

_OWN_BACKFILL_TAG = "floe/backfill"
_BACKFILL_TAGS = ("dagster/backfill", _OWN_BACKFILL_TAG)
_ORIGIN_TAGS = (PROJECT_TAG, "floe/backfill_round")
_PARTITION_TAG = "dagster/partition"
_RANGE_TAGS = ("dagster/asset_partition_range_start", "dagster/asset_partition_range_end")


def run_scope(run: dg.DagsterRun) -> RunScope:
    """The run, as everything that is observed of it names it."""
    tags = run.tags
    first, last = (tags.get(tag) for tag in _RANGE_TAGS)
    backfill = next((tag for tag in _BACKFILL_TAGS if tag in tags), None)
    return RunScope(
        run_id=run.run_id,
        job_name=run.job_name,
        parent_run_id=run.parent_run_id,
        backfill_id=tags[backfill] if backfill is not None else None,
        backfill_origin=tuple(tags.get(tag, "") for tag in _ORIGIN_TAGS) if backfill == _OWN_BACKFILL_TAG else (),
        traceparent=tags.get(TRACEPARENT_TAG),
        partition=tags.get(_PARTITION_TAG) or (f"{first}...{last}" if first and last else None),
    )


def step_scope(context: dg.OpExecutionContext | dg.AssetExecutionContext) -> StepScope:
    """The attempt at a step that *context* belongs to."""
    op_context = context.op_execution_context if isinstance(context, dg.AssetExecutionContext) else context
    step_key = op_context.get_step_execution_context().step.key
    return StepScope(run_scope(op_context.run), step_key, op_context.retry_number)
