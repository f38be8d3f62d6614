"""The runs of a backfill as the instance has them."""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence

import dagster as dg
from dagster._core.events import RunFailureReason
from dagster._core.execution.plan.objects import ErrorSource
from dagster._core.storage.dagster_run import NOT_FINISHED_STATUSES
from dagster._core.storage.tags import (
    AUTO_RETRY_RUN_ID_TAG,
    MAX_RETRIES_TAG,
    MAX_RUNTIME_SECONDS_TAG,
    PARTITION_NAME_TAG,
    RUN_KEY_TAG,
    WILL_RETRY_TAG,
)

from floe_dagster.backfilling.identity import BackfillIdentity
from floe_dagster.backfilling.progress import RunOutcome, SeenRun
from floe_dagster.partitioning.runs import RANGE_END_TAG, RANGE_START_TAG, PartitionRun
from floe_dagster.running.described_errors import describe_error

KeysInRange = Callable[[str, str], Iterable[str]]
"""The keys from one to another, both included."""

WITHDRAWN_TAG = "floe/withdrawn"
"""The tag of a run that never began, because somebody else took its partitions over."""

_TOLD_REASONS = frozenset({RunFailureReason.RUN_EXCEPTION, RunFailureReason.JOB_INITIALIZATION_FAILURE})
_READ_EVENTS = {
    dg.DagsterEventType.ASSET_MATERIALIZATION,
    dg.DagsterEventType.STEP_FAILURE,
    dg.DagsterEventType.RUN_FAILURE,
}
_FLOE_ERROR = "error[FLOE-"  # the first of five lines says what is wrong; of other errors it is the last
_ATTEMPT = re.compile(r"/(\d+)$")


def read_runs(
    identity: BackfillIdentity, round_number: int, instance: dg.DagsterInstance, *, keys_in_range: KeysInRange
) -> list[SeenRun]:
    """The runs of one round, the oldest first."""
    records = instance.get_run_records(dg.RunsFilter(tags=identity.tags_of_round(round_number)), ascending=True)
    return [_read_run(record, instance, keys_in_range) for record in records]


def read_unfinished(identity: BackfillIdentity, instance: dg.DagsterInstance) -> list[str]:
    """The partitions and ranges of runs that have not ended, the oldest first; costs little however many have."""
    runs = instance.get_runs(dg.RunsFilter(tags=identity.tags, statuses=NOT_FINISHED_STATUSES))
    return [PartitionRun(tuple(dict.fromkeys(_ends_of(run)))).label for run in reversed(runs)]


def _read_run(record: dg.RunRecord, instance: dg.DagsterInstance, keys_in_range: KeysInRange) -> SeenRun:
    run = record.dagster_run
    keys = frozenset(_keys_of(run, keys_in_range))
    assets = None if run.asset_selection is None else frozenset(key.to_user_string() for key in run.asset_selection)
    attempt = _ATTEMPT.search(run.tags.get(RUN_KEY_TAG, ""))
    events = _events(run, instance) if run.is_finished and not run.is_success else ()
    return SeenRun(
        run.run_id,
        _outcome(record, events, instance),
        keys,
        assets,
        built=frozenset(_built(events, keys)),
        ended=record.end_time or record.update_timestamp.timestamp() if run.is_finished else 0.0,
        attempt=int(attempt[1]) if attempt else 1,
        error=next(_errors(events), ""),
    )


def _ends_of(run: dg.DagsterRun) -> tuple[str, str]:
    """Its first and its last partition."""
    key = run.tags.get(PARTITION_NAME_TAG, "")
    return run.tags.get(RANGE_START_TAG, key), run.tags.get(RANGE_END_TAG, key)


def _keys_of(run: dg.DagsterRun, keys_in_range: KeysInRange) -> Iterable[str]:
    first, last = _ends_of(run)
    return (first,) if first == last else keys_in_range(first, last)


def _events(run: dg.DagsterRun, instance: dg.DagsterInstance) -> Sequence[dg.DagsterEvent]:
    entries = instance.all_logs(run.run_id, of_type=_READ_EVENTS)
    return [entry.dagster_event for entry in entries if entry.dagster_event is not None]


def _built(events: Iterable[dg.DagsterEvent], keys: frozenset[str]) -> Iterator[tuple[str, str]]:
    """What was materialised; an asset without partitions counts for each of the run's."""
    for event in events:
        if event.event_type is dg.DagsterEventType.ASSET_MATERIALIZATION:
            materialization = event.step_materialization_data.materialization
            asset = materialization.asset_key.to_user_string()
            partition = materialization.partition
            yield from ((asset, key) for key in (keys if partition is None else (str(partition),)))


def _outcome(record: dg.RunRecord, events: Iterable[dg.DagsterEvent], instance: dg.DagsterInstance) -> RunOutcome:
    match record.dagster_run.status:
        case dg.DagsterRunStatus.SUCCESS:
            return "succeeded"
        case dg.DagsterRunStatus.CANCELED:
            return "lost" if WITHDRAWN_TAG in record.dagster_run.tags else "canceled"
        case dg.DagsterRunStatus.FAILURE if is_to_be_retried(record.dagster_run, instance):
            return "in_flight"
        case dg.DagsterRunStatus.FAILURE:
            return "failed" if _is_overdue(record) or any(map(_tells_why, events)) else "lost"
        case _:
            return "in_flight"


def is_to_be_retried(run: dg.DagsterRun, instance: dg.DagsterInstance) -> bool:
    """Whether Dagster's daemon, which launched it, is about to run it again as `max_retries` asks for."""
    if run.remote_job_origin is None or AUTO_RETRY_RUN_ID_TAG in run.tags or not instance.run_retries_enabled:
        return False
    is_undecided = WILL_RETRY_TAG not in run.tags and MAX_RETRIES_TAG in run.tags  # the tag follows the failure
    return is_undecided or run.tags.get(WILL_RETRY_TAG) == "true"


def _is_overdue(record: dg.RunRecord) -> bool:
    limit = record.dagster_run.tags.get(MAX_RUNTIME_SECONDS_TAG, "")
    if not limit.isdigit() or record.start_time is None or record.end_time is None:
        return False
    return record.end_time - record.start_time >= int(limit)


def _tells_why(event: dg.DagsterEvent) -> bool:
    """Whether it says that the user's code, or what it was given, is at fault."""
    if event.event_type is dg.DagsterEventType.STEP_FAILURE:
        return event.step_failure_data.error_source is not ErrorSource.INTERRUPT
    if event.event_type is dg.DagsterEventType.RUN_FAILURE and event.event_specific_data is not None:
        data = event.job_failure_data
        return data.failure_reason in _TOLD_REASONS and not _is_interrupt(data.error)
    return False


def _is_interrupt(error: object) -> bool:
    return getattr(error, "cls_name", "") == dg.DagsterExecutionInterruptedError.__name__


def _errors(events: Iterable[dg.DagsterEvent]) -> Iterator[str]:
    """What went wrong, in a line each, the first first."""
    for event in events:
        if event.event_type is dg.DagsterEventType.STEP_FAILURE and _tells_why(event):
            lines = describe_error(event.step_failure_data.error).strip().splitlines()
            yield next((line for line in lines if line.startswith(_FLOE_ERROR)), lines[-1] if lines else "")
