"""The span of whatever has ended."""

from typing import assert_never

from floe_dagster.observability.records import (
    AssetEnded,
    AssetStarted,
    BatchEnded,
    CallEnded,
    CallStarted,
    CheckEnded,
    NodeEnded,
    NodeStarted,
    Record,
    RunEnded,
    RunScope,
    RunStarted,
    StepEnded,
    StepStarted,
)
from floe_dagster.observability.tracing.dbt_spans import build_batch_span, build_call_span, build_node_span
from floe_dagster.observability.tracing.run_spans import (
    build_asset_span,
    build_check_span,
    build_run_span,
    build_step_span,
)
from floe_dagster.observability.tracing.span_data import SpanData


def build_span(record: Record) -> SpanData | None:
    """The span that *record* ends; None of a record that begins something."""
    match record:
        case RunEnded():
            return build_run_span(record)
        case StepEnded():
            return build_step_span(record)
        case AssetEnded():
            return build_asset_span(record)
        case CheckEnded():
            return build_check_span(record)
        case CallEnded() | NodeEnded() | BatchEnded():
            return _build_dbt_span(record)
        case RunStarted() | StepStarted() | AssetStarted() | CallStarted() | NodeStarted():
            return None
        case _:
            assert_never(record)


def _build_dbt_span(record: CallEnded | NodeEnded | BatchEnded) -> SpanData | None:
    match record:
        case CallEnded():
            return build_call_span(record)
        case NodeEnded():
            return build_node_span(record)
        case BatchEnded():
            return build_batch_span(record)
        case _:
            assert_never(record)


def run_of(record: Record) -> RunScope:
    """The run that *record* belongs to."""
    match record:
        case RunStarted() | RunEnded():
            return record.scope
        case StepStarted() | StepEnded() | AssetStarted() | AssetEnded() | CheckEnded():
            return record.scope.run
        case CallStarted() | CallEnded() | NodeStarted() | NodeEnded() | BatchEnded():
            return record.call.scope.run
        case _:
            assert_never(record)
