"""The spans of runs, steps, assets and checks."""

from collections.abc import Iterator, Mapping, Sequence

from floe_dagster.observability.records import (
    AssetEnded,
    CheckEnded,
    CheckFact,
    ErrorFact,
    KeyPath,
    Outcome,
    RunEnded,
    RunScope,
    StepEnded,
    StepScope,
)
from floe_dagster.observability.tracing.run_trace import (
    TraceParent,
    asset_place,
    backfill_place,
    check_place,
    repeated_run_place,
    run_place,
    step_place,
)
from floe_dagster.observability.tracing.span_data import (
    Attributes,
    AttributeValue,
    SpanData,
    SpanEvent,
    SpanPlace,
    SpanStatus,
)

_RESULTS: Mapping[Outcome, str] = {
    Outcome.SUCCEEDED: "success",
    Outcome.WARNED: "success",
    Outcome.FAILED: "failure",
    Outcome.SKIPPED: "skip",
    Outcome.CANCELLED: "cancellation",
}
_STATUSES: Mapping[Outcome, SpanStatus] = {
    Outcome.SUCCEEDED: SpanStatus.OK,
    Outcome.WARNED: SpanStatus.OK,
    Outcome.FAILED: SpanStatus.ERROR,
    Outcome.SKIPPED: SpanStatus.UNSET,
    Outcome.CANCELLED: SpanStatus.ERROR,
}


def build_run_span(record: RunEnded) -> SpanData:
    """The root of a run's spans: an error only where the run failed, not where somebody stopped it."""
    run = record.scope
    parent = TraceParent.parse(run.traceparent)
    was_stopped = record.outcome is Outcome.CANCELLED
    return SpanData(
        run_id=run.run_id,
        place=run_place(run),
        parent_id=parent.place.span_id if parent else None,
        name=f"run {run.job_name}",
        started_at=record.started_at,
        ended_at=record.at,
        status=SpanStatus.UNSET if was_stopped else status_of(record.outcome),
        status_message="" if was_stopped else message_of(record.error),
        attributes={
            **_run_attributes(run),
            "cicd.pipeline.name": run.job_name,
            "cicd.pipeline.run.id": run.run_id,
            "cicd.pipeline.result": _RESULTS[record.outcome],
            **error_attributes(record.error),
        },
        events=exception_events(record.error, at=record.at),
        links=tuple(_links(run)),
    )


def build_step_span(record: StepEnded) -> SpanData:
    """One attempt at a step."""
    step = record.scope
    place = step_place(step)
    return SpanData(
        run_id=step.run.run_id,
        place=place,
        parent_id=run_place(step.run).span_id,
        name=f"step {step.step_key}",
        started_at=record.started_at,
        ended_at=record.at,
        status=status_of(record.outcome),
        status_message=message_of(record.error),
        attributes={
            **step_attributes(step),
            **_keys("dagster.asset_keys", ["/".join(key) for key in record.assets]),
            **_keys("dagster.asset_check_keys", [_check_key(*check) for check in record.checks]),
            "cicd.pipeline.task.name": step.step_key,
            "cicd.pipeline.task.run.id": f"{place.span_id:016x}",
            "cicd.pipeline.task.run.result": _RESULTS[record.outcome],
            **skip_attributes(record.because),
            **error_attributes(record.error),
        },
        events=exception_events(record.error, at=record.at),
    )


def build_asset_span(record: AssetEnded) -> SpanData:
    """An asset, with what its checks found; one that its step left out took no time.

    One that several steps compute stands beside them, below the run.
    """
    step = record.scope
    return SpanData(
        run_id=step.run.run_id,
        place=asset_place(step, record.asset),
        parent_id=(run_place(step.run) if record.of_graph else step_place(step)).span_id,
        name=f"asset {'/'.join(record.asset)}",
        started_at=record.started_at,
        ended_at=record.started_at if record.outcome is Outcome.SKIPPED else record.at,
        status=status_of(record.outcome),
        status_message=message_of(record.error),
        attributes={
            **step_attributes(step),
            "dagster.asset_key": "/".join(record.asset),
            "dagster.asset.status": record.outcome.value,
            **({"dagster.partition_key": record.partition} if record.partition else {}),
            **({"dagster.row_count": record.rows} if record.rows is not None else {}),
            **({"floe.asset.of_graph": True} if record.of_graph else {}),
            **skip_attributes(record.because),
            **error_attributes(record.error),
        },
        events=(
            *(SpanEvent("dagster.asset_check", record.at, _check_attributes(check)) for check in record.checks),
            *exception_events(record.error, at=record.at),
        ),
    )


def build_check_span(record: CheckEnded) -> SpanData:
    """A check that is a step of its own; a warning is no error."""
    step, check = record.scope, record.check
    failed = not check.passed and check.severity == "ERROR"
    return SpanData(
        run_id=step.run.run_id,
        place=check_place(step, check.asset, check.name),
        parent_id=step_place(step).span_id,
        name=f"check {_check_key(check.asset, check.name)}",
        started_at=record.started_at,
        ended_at=record.at,
        status=SpanStatus.ERROR if failed else SpanStatus.OK,
        status_message=check.description if failed else "",
        attributes={**step_attributes(step), **_check_attributes(check)},
    )


def step_attributes(step: StepScope) -> dict[str, AttributeValue]:
    """What every span within a step has."""
    return {
        **_run_attributes(step.run),
        "dagster.step_key": step.step_key,
        "dagster.retry_number": step.attempt,
    }


def status_of(outcome: Outcome) -> SpanStatus:
    """A warning is no error; what was skipped is neither."""
    return _STATUSES[outcome]


def message_of(error: ErrorFact | None) -> str:
    """What a span's status says of *error*."""
    return error.message if error else ""


def error_attributes(error: ErrorFact | None) -> Attributes:
    """The kind of *error*, for searching."""
    return {"error.type": error.type} if error else {}


def skip_attributes(because: Sequence[str]) -> Attributes:
    """What has failed, of what was skipped for that."""
    return {"floe.skipped_because": tuple(because)} if because else {}


def exception_events(error: ErrorFact | None, *, at: int) -> Sequence[SpanEvent]:
    """*error* as OpenTelemetry records exceptions."""
    if error is None:
        return ()
    stack = {"exception.stacktrace": error.stack} if error.stack else {}
    attributes = {"exception.type": error.type, "exception.message": error.message, **stack}
    return (SpanEvent("exception", at, attributes),)


def _run_attributes(run: RunScope) -> dict[str, AttributeValue]:
    found = {
        "dagster.run_id": run.run_id,
        "dagster.job_name": run.job_name,
        "dagster.parent_run_id": run.parent_run_id,
        "dagster.backfill_id": run.backfill_id,
        "dagster.partition_key": run.partition,
    }
    return {name: value for name, value in found.items() if value}


def _links(run: RunScope) -> Iterator[SpanPlace]:
    yield from filter(None, (repeated_run_place(run), backfill_place(run)))


def _keys(name: str, keys: Sequence[str]) -> Mapping[str, AttributeValue]:
    return {name: tuple(keys)} if keys else {}


def _check_key(asset: KeyPath, name: str) -> str:
    return f"{'/'.join(asset)}:{name}"


def _check_attributes(check: CheckFact) -> Mapping[str, AttributeValue]:
    return {
        "dagster.asset_check_key": _check_key(check.asset, check.name),
        "dagster.asset_check.passed": check.passed,
        "dagster.asset_check.severity": check.severity,
        **({"dagster.asset_check.description": check.description} if check.description else {}),
    }
