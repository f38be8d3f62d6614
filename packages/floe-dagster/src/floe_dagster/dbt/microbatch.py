"""Which batches dbt builds of its microbatch models: those of the run's partition."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import dagster as dg

START_FLAG, END_FLAG = "--event-time-start", "--event-time-end"

MICROBATCH = "microbatch"
"""The incremental strategy of dbt's that is meant."""

_COMMANDS = frozenset({"build", "run"})


def event_time_args(
    window: dg.TimeWindow | None, *, args: Sequence[str], manifest: Mapping[str, Any], unique_ids: Iterable[str]
) -> list[str]:
    """The arguments that limit the batches of microbatch models to *window*; none where dbt would not know them.

    Args:
        window: Of the run's partitions.
        args: The other arguments; what these say wins.
        manifest: dbt's.
        unique_ids: What the call builds.

    Source:
        dbt reads these times in UTC, as it does the event times of models.
    """
    given = {arg.partition("=")[0] for arg in args}
    if window is None or not given & _COMMANDS or given & {START_FLAG, END_FLAG}:
        return []
    nodes = manifest["nodes"]
    if not any(
        nodes.get(unique_id, {}).get("config", {}).get("incremental_strategy") == MICROBATCH for unique_id in unique_ids
    ):
        return []
    return [START_FLAG, _utc(window.start), END_FLAG, _utc(window.end)]


def _utc(bound: datetime) -> str:
    return bound.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S")
