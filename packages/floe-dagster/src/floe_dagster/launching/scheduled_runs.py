"""What a schedule launches at a tick."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import dagster as dg
from dagster._core.definitions.unresolved_asset_job_definition import UnresolvedAssetJobDefinition

from floe_core.errors import Problem, SensorError
from floe_core.schemas.schedule_definition import ScheduleDefinition
from floe_dagster.launching.ticks import tick_run_key
from floe_dagster.selection.resolution import Keys

_PARTITION_TAGS = frozenset({"dagster/partition", "dagster/asset_partition_range_start"})


@dataclass(frozen=True)
class ScheduleTarget:
    """What a schedule launches, `what` as messages say it."""

    what: str
    launched: dg.JobDefinition | UnresolvedAssetJobDefinition | dg.AssetSelection
    partitions_def: dg.PartitionsDefinition | None = None
    partitions_known: bool = True
    keys: Keys | None = None

    @property
    def is_partitioned(self) -> bool:
        """Whether it is known to have partitions."""
        return self.partitions_def is not None


@dataclass(frozen=True)
class ScheduledRuns:
    """What a schedule launches at a tick: one run, or what the user's function computes."""

    subject: str
    schedule: ScheduleDefinition
    fn: Callable[..., object] | None = None
    context_name: str | None = None
    resource_keys: frozenset[str] = frozenset()

    def at(
        self, context: dg.ScheduleEvaluationContext, *, guarded: ScheduleTarget | None
    ) -> list[dg.SkipReason] | list[dg.RunRequest]:
        """The runs of one tick, or the one reason why there are none.

        Args:
            context: Of the tick.
            guarded: What must not be launched without a partition if it turns out to be partitioned.

        Raises:
            SensorError: The user's function returns something else than run requests, or forgets their partition.
        """
        requests = [dg.RunRequest()] if self.fn is None else self.compute(self.fn, context)
        if isinstance(requests, dg.SkipReason):
            return [requests]
        lacks_partition = not all(_names_partition(request) for request in requests)
        if guarded is not None and lacks_partition and _is_partitioned(guarded, context):
            if self.fn is None:
                return [dg.SkipReason(f"{guarded.what} is partitioned, and no partition is named for its run")]
            what = f"{self.subject} names no partition for a run of {guarded.what}"
            raise SensorError(Problem("FLOE-357", what, why="no partitioned job is launched without a partition"))
        moment = tick_run_key(context.scheduled_execution_time)
        if len(requests) == 1:
            return [self.completed(requests[0], moment)]
        return [
            self.completed(request, f"{moment} {request.partition_key or number}")
            for number, request in enumerate(requests, start=1)
        ]

    def compute(
        self, fn: Callable[..., object], context: dg.ScheduleEvaluationContext
    ) -> dg.SkipReason | list[dg.RunRequest]:
        """What the user's function asks for."""
        arguments: dict[str, object] = {key: getattr(context.resources, key) for key in self.resource_keys}
        if self.context_name is not None:
            arguments[self.context_name] = context
        requests: list[dg.RunRequest] = []
        skipped = dg.SkipReason(f"{self.schedule.target_function} asks for no run")
        for result in _listed(fn(**arguments)):
            match result:
                case dg.RunRequest():
                    requests.append(result)
                case dg.RunConfig() | dict():
                    requests.append(dg.RunRequest(run_config=result))
                case dg.SkipReason():
                    skipped = result
                case None:
                    pass
                case _:
                    raise SensorError(
                        Problem(
                            "FLOE-357",
                            f"{self.subject} gets '{type(result).__name__}' from {self.schedule.target_function}",
                            why="the function returns run requests, run config, a skip reason or None",
                        )
                    )
        return requests or skipped

    def completed(self, request: dg.RunRequest, run_key: str) -> dg.RunRequest:
        """The request with what the document says where the function says nothing."""
        return request.with_replaced_attrs(
            run_key=request.run_key or run_key,
            run_config=request.run_config or self.schedule.config,
            tags={**self.schedule.tags, **request.tags},
        )


def _listed(returned: object) -> list[object]:
    is_one = isinstance(returned, dg.RunRequest | dg.SkipReason | dg.RunConfig | dict)
    return list(returned) if isinstance(returned, Iterable) and not is_one else [returned]


def _names_partition(request: dg.RunRequest) -> bool:
    return request.partition_key is not None or not _PARTITION_TAGS.isdisjoint(request.tags)


def _is_partitioned(target: ScheduleTarget, context: dg.ScheduleEvaluationContext) -> bool:
    """Whether the target has partitions, which of a job of a Python module only Dagster can tell."""
    if target.partitions_known or isinstance(target.launched, dg.AssetSelection):
        return target.is_partitioned
    return context.repository_def.get_job(target.launched.name).partitions_def is not None
