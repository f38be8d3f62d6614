"""A run event of OpenLineage 2-0-2, as plain data."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal, TypeAlias

from floe_dagster.observability.datasets import DatasetId
from floe_dagster.observability.lineage import facets
from floe_dagster.observability.lineage.facets import Facets
from floe_dagster.observability.records import Outcome

Event: TypeAlias = dict[str, Any]
EventType: TypeAlias = Literal["START", "COMPLETE", "FAIL", "ABORT"]

_BILLION = 1_000_000_000
_TERMINAL: Mapping[Outcome, EventType] = {
    Outcome.SUCCEEDED: "COMPLETE",
    Outcome.WARNED: "COMPLETE",
    Outcome.FAILED: "FAIL",
    Outcome.SKIPPED: "ABORT",
    Outcome.CANCELLED: "ABORT",
}


@dataclass(frozen=True, slots=True)
class Table:
    """A dataset of an event, with what the event says about it."""

    id: DatasetId
    facets: Facets = field(default_factory=dict)
    of_role: Facets = field(default_factory=dict)
    """What it is to this run: its input facets or its output facets."""


@dataclass(frozen=True, slots=True)
class Work:
    """One run of a lineage job: what all of its events say.

    Lineage stores take the inputs and outputs of a job from its last event, so each has all of them.
    """

    run_id: str
    namespace: str
    job: str
    run_facets: Facets = field(default_factory=dict)
    job_facets: Facets = field(default_factory=dict)
    inputs: Sequence[Table] = ()
    outputs: Sequence[Table] = ()


def start_event(work: Work, at: int) -> Event:
    """Its first event; *at* is nanoseconds since 1970."""
    return _event("START", work, at)


def end_event(work: Work, at: int, outcome: Outcome) -> Event:
    """Its last event."""
    return _event(_TERMINAL[outcome], work, at)


def event_line(event: Event) -> bytes:
    """The event as a line of a file, or as what is sent."""
    return json.dumps(event, ensure_ascii=False, separators=(",", ":")).encode()


def _event(kind: EventType, work: Work, at: int) -> Event:
    return {
        "eventType": kind,
        "eventTime": _time(at),
        "producer": facets.producer(),
        "schemaURL": f"{facets.SPEC}#/$defs/RunEvent",
        "run": {"runId": work.run_id, "facets": work.run_facets},
        "job": {"namespace": work.namespace, "name": work.job, "facets": work.job_facets},
        "inputs": [_dataset(table, "inputFacets") for table in work.inputs],
        "outputs": [_dataset(table, "outputFacets") for table in work.outputs],
    }


def _dataset(table: Table, role: str) -> dict[str, Any]:
    found = dict(table.facets)
    if ":" in table.id.namespace:
        found["dataSource"] = facets.data_source(table.id.namespace)
    dataset: dict[str, Any] = {"namespace": table.id.namespace, "name": table.id.name, "facets": found}
    return {**dataset, role: table.of_role} if table.of_role else dataset


def _time(at: int) -> str:
    seconds, rest = divmod(at, _BILLION)
    moment = datetime.fromtimestamp(seconds, UTC).replace(microsecond=rest // 1000)
    return moment.isoformat(timespec="microseconds").replace("+00:00", "Z")
