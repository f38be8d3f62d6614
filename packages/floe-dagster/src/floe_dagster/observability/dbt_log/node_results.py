"""What an event of dbt says about the end of a node."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from floe_dagster.observability.records import ErrorFact, Outcome

_OUTCOMES = {
    "success": Outcome.SUCCEEDED,
    "pass": Outcome.SUCCEEDED,
    "warn": Outcome.WARNED,
    "error": Outcome.FAILED,
    "fail": Outcome.FAILED,
    "runtime error": Outcome.FAILED,
    "partial success": Outcome.FAILED,
    "skipped": Outcome.SKIPPED,
    "no-op": Outcome.SKIPPED,
    "reused": Outcome.SKIPPED,
}
_TESTS = ("test", "unit_test")
_KIND = re.compile(r"^\s*([A-Z]\w*(?: \w+)? Error)\b")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class NodeResult:
    """How a node, or a batch of it, ended."""

    status: str
    outcome: Outcome
    error: ErrorFact | None = None
    thread: str = ""
    rows: int | None = None
    failures: int | None = None
    adapter_response: Mapping[str, Any] = field(default_factory=dict)
    compile_seconds: float | None = None
    execute_seconds: float | None = None


def read_result(resource_type: str, result: Mapping[str, Any]) -> NodeResult:
    """What `run_result` of a NodeFinished says: `node_info` calls nodes that were skipped `started`."""
    status = str(result.get("status") or "")
    response = result.get("adapter_response")
    response = response if isinstance(response, Mapping) else {}
    is_test, outcome = resource_type in _TESTS, outcome_of(status)
    return NodeResult(
        status=status,
        outcome=outcome,
        error=error_of(status, str(result.get("message") or "")),
        thread=str(result.get("thread") or ""),
        rows=None if is_test else _count(response.get("rows_affected")),
        failures=_count(result.get("num_failures")) if is_test and outcome is not Outcome.SKIPPED else None,
        adapter_response=response,
        compile_seconds=_seconds(result, "compile"),
        execute_seconds=_seconds(result, "execute"),
    )


def outcome_of(status: str) -> Outcome:
    """What dbt's word means; one that nobody knows is no success."""
    return _OUTCOMES.get(status, Outcome.FAILED)


def error_of(status: str, message: str) -> ErrorFact | None:
    """Why a node failed, in dbt's words and those of the database; None where it did not.

    >>> error_of("error", "Runtime Error in model m (models/m.sql)\\n  Binder Error: no column x").type
    'Runtime Error'
    """
    if outcome_of(status) is not Outcome.FAILED:
        return None
    kind = _KIND.match(message)
    return ErrorFact(kind[1] if kind else f"dbt {status}", message or f"dbt says: {status}")


def parse_time(text: object) -> int | None:
    """Nanoseconds since 1970 of a time as dbt writes it; one without a zone is UTC.

    >>> parse_time("2026-11-22T03:48:20.884530") == parse_time("2026-11-22T03:48:20.884530Z")
    True
    """
    try:
        moment = datetime.fromisoformat(str(text))
    except ValueError:
        return None
    moment = moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
    return (moment - _EPOCH) // _MICROSECOND * 1000


def _count(value: object) -> int | None:
    """A number of rows; adapters say -1 of what they do not know."""
    try:
        count = int(float(str(value)))
    except (ValueError, OverflowError):
        return None
    return count if count >= 0 else None


def _seconds(result: Mapping[str, Any], phase: str) -> float | None:
    for timing in result.get("timing_info") or ():
        if timing.get("name") == phase:
            start, end = parse_time(timing.get("started_at")), parse_time(timing.get("completed_at"))
            return (end - start) / 1e9 if start is not None and end is not None else None
    return None
