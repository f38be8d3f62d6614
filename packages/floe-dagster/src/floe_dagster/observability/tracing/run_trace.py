"""The trace of a run, and the places of its spans in it: computed by every process, told by none."""

import re
from dataclasses import dataclass

from floe_dagster.observability import ids
from floe_dagster.observability.records import DbtCall, KeyPath, RunScope, StepScope
from floe_dagster.observability.tracing.span_data import SpanPlace

_TRACEPARENT = re.compile(
    r"(?!ff)[0-9a-f]{2}-(?P<trace>(?!0{32})[0-9a-f]{32})-(?P<span>(?!0{16})[0-9a-f]{16})-(?P<flags>[0-9a-f]{2})(?:-.*)?"
)
_SAMPLED = 1


@dataclass(frozen=True, slots=True)
class TraceParent:
    """The span of another program that a run was launched from."""

    place: SpanPlace
    is_sampled: bool

    @classmethod
    def parse(cls, text: str | None) -> "TraceParent | None":
        """What *text* says, written as W3C's Trace Context has it; None where it says nothing."""
        if not text:  # nearly all runs: each id of a span asks
            return None
        match = _TRACEPARENT.fullmatch(text.strip().lower())
        if match is None:
            return None
        place = SpanPlace(int(match["trace"], 16), int(match["span"], 16))
        return cls(place, is_sampled=bool(int(match["flags"], 16) & _SAMPLED))


def trace_id(run: RunScope) -> int:
    """The trace that the spans of *run* belong to: its own, or the one that it was launched from."""
    parent = TraceParent.parse(run.traceparent)
    return parent.place.trace_id if parent else ids.trace_id(run.run_id)


def run_place(run: RunScope) -> SpanPlace:
    """Where the span of *run* stands."""
    return SpanPlace(trace_id(run), ids.span_id("run", run.run_id))


def repeated_run_place(run: RunScope) -> SpanPlace | None:
    """Where the span of the run stands that *run* repeats: Dagster copies tags, so both continue one trace, or none."""
    if run.parent_run_id is None:
        return None
    parent = RunScope(run.parent_run_id, run.job_name, traceparent=run.traceparent)
    return run_place(parent)


def backfill_place(run: RunScope) -> SpanPlace | None:
    """What all runs of the backfill of *run*, in one round of it, refer to; nobody writes a span of it."""
    if run.backfill_id is None:
        return None
    parts = (run.backfill_id, *run.backfill_origin)
    return SpanPlace(ids.trace_id("/".join(parts)), ids.span_id("backfill", *parts))


def step_place(step: StepScope) -> SpanPlace:
    """Where the span of an attempt at a step stands."""
    return _within(step, "step")


def asset_place(step: StepScope, asset: KeyPath) -> SpanPlace:
    """Where the span of an asset of a step stands."""
    return _within(step, "asset", "/".join(asset))


def check_place(step: StepScope, asset: KeyPath, check: str) -> SpanPlace:
    """Where the span of a check stands that is a step of its own."""
    return _within(step, "check", "/".join(asset), check)


def call_place(call: DbtCall) -> SpanPlace:
    """Where the span of a call of dbt stands."""
    return _within(call.scope, "call", call.invocation_id)


def node_place(call: DbtCall, unique_id: str) -> SpanPlace:
    """Where the span of a node of dbt stands."""
    return _within(call.scope, "node", call.invocation_id, unique_id)


def batch_place(call: DbtCall, unique_id: str, batch: int) -> SpanPlace:
    """Where the span of a batch of a microbatch model stands."""
    return _within(call.scope, "batch", call.invocation_id, unique_id, batch)


def _within(step: StepScope, kind: str, *parts: object) -> SpanPlace:
    run = step.run
    return SpanPlace(trace_id(run), ids.span_id(kind, run.run_id, step.step_key, step.attempt, *parts))
