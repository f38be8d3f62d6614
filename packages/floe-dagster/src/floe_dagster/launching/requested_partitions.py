"""Whether the partition that a user's run request names is one of what it launches."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TypeAlias

import dagster as dg
from dagster._core.definitions.dynamic_partitions_request import (
    AddDynamicPartitionsRequest,
    DeleteDynamicPartitionsRequest,
)
from dagster._core.instance.types import DynamicPartitionsStoreAfterRequests

from floe_core.errors import Problem, SensorError
from floe_dagster.partitioning.choice import is_dynamic
from floe_dagster.partitioning.missing_keys import find_missing_key
from floe_dagster.partitioning.texts import describe_partitions

KeyChanges: TypeAlias = Sequence[AddDynamicPartitionsRequest | DeleteDynamicPartitionsRequest]


def check_requested_partition(
    request: dg.RunRequest,
    partitions_def: dg.PartitionsDefinition | None,
    context: dg.SensorEvaluationContext,
    *,
    subject: str,
    what: str,
    changes: KeyChanges = (),
) -> None:
    """Refuse a request for a partition that there is not, before Dagster does so with lines of its own.

    Args:
        request: As the user's function made it.
        partitions_def: The partitions of the job or selection that it is for.
        context: Of the tick.
        subject: The sensor, as messages say it.
        what: The job or selection, as messages say it.
        changes: The dynamic partition keys that are added and removed before the run is launched.

    Raises:
        SensorError: There is no such partition.
    """
    key = request.partition_key
    if key is None or request.has_resolved_partition():
        return
    if request.asset_selection is not None:
        found = _partitions_of(request.asset_selection, context)
        if found is None or len(found) > 1:
            return  # Dagster refuses it for another reason
        partitions_def = found[0] if found else None
    asked = f"{subject} asks for partition '{key}' of {what}"
    if partitions_def is None:
        why, fix = "nothing that the run launches is partitioned", "leave partition_key out of the run request"
        raise SensorError(Problem("FLOE-340", f"{asked}, which has no partitions", why=why, fix=fix))
    store = (
        DynamicPartitionsStoreAfterRequests.from_requests(context.instance, changes)
        if is_dynamic(partitions_def)
        else None
    )
    missing = find_missing_key(key, partitions_def, at=datetime.now(UTC), dynamic_partitions_store=store)
    if missing is not None:
        why = f"it has {describe_partitions(partitions_def)}; {missing.reason}"
        raise SensorError(Problem("FLOE-340", f"{asked}, which it does not have", why=why, fix=missing.fix))


def _partitions_of(
    keys: Sequence[dg.AssetKey], context: dg.SensorEvaluationContext
) -> list[dg.PartitionsDefinition] | None:
    """The different partitions of these assets; None where one of them does not exist."""
    assert context.repository_def is not None
    graph = context.repository_def.asset_graph
    if not all(graph.has(key) for key in keys):
        return None
    every = {graph.get(key).partitions_def for key in keys}
    return [each for each in every if each is not None]
