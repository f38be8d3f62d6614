"""Logs that dbt 1.11 wrote of the observed shop, in tests/golden/dbt_log, without what nobody reads."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from floe_dagster.observability.dbt_log.lifecycle import NodeLifecycle
from floe_dagster.observability.dbt_log.log_tail import LogTail
from floe_dagster.observability.records import DbtCall, NodeEnded, Record, RunScope, StepScope

GOLDEN = Path(__file__).parent / "golden" / "dbt_log"


def golden_log(name: str) -> Path:
    return GOLDEN / f"{name}.jsonl"


def events_in(log: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in log.read_text().splitlines()]


def invocation_of(log: Path) -> str:
    return str(events_in(log)[0]["info"]["invocation_id"])


def call_of(log: Path) -> DbtCall:
    scope = StepScope(RunScope("run", "everything"), "observed_dbt_assets")
    return DbtCall(scope, invocation_of(log), {}, Path(), Path(), "build")


def lifecycle_of(log: Path) -> tuple[NodeLifecycle, list[Record]]:
    """All that the log tells, and the state after it."""
    lifecycle = NodeLifecycle(call_of(log))
    return lifecycle, list(_records(lifecycle, log))


def ends_by_name(records: list[Record]) -> dict[str, NodeEnded]:
    """Name of a node → how it ended; each has ended once."""
    ends = [record for record in records if isinstance(record, NodeEnded)]
    by_name = {end.unique_id.split(".")[2]: end for end in ends}
    assert len(by_name) == len(ends)
    return by_name


def _records(lifecycle: NodeLifecycle, log: Path) -> Iterator[Record]:
    for event in LogTail(log).read(invocation_of(log)):
        yield from lifecycle.take(event)
