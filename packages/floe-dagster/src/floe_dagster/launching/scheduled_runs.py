"""What a schedule launches at a tick."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import dagster as dg
from dagster._core.definitions.unresolved_asset_job_definition import UnresolvedAssetJobDefinition

from floe_core.errors import Location, Problem, SensorError
from floe_core.schemas.schedule_definition import ScheduleDefinition
from floe_dagster.launching.called_function import CalledFunction
from floe_dagster.launching.launch_plan import LaunchPlan
from floe_dagster.launching.launchable import LaunchableAssets
from floe_dagster.launching.ticks import tick_run_key
from floe_dagster.partitioning.choice import LATEST, NO_PARTITION, choose_partitions, is_dynamic
from floe_dagster.partitioning.missing_keys import why_no_keys
from floe_dagster.partitioning.runs import PARTITION_TAGS, RANGE_START_TAG, spread_over_runs
from floe_dagster.partitioning.selectors import check_selector


@dataclass(frozen=True)
class ScheduleTarget:
    """What a schedule launches, `what` as messages say it.

    Of a job of a Python module, which assets it has is known to Dagster alone: there is no `plan` before it ticks.
    """

    what: str
    launched: dg.JobDefinition | UnresolvedAssetJobDefinition | dg.AssetSelection
    assets: LaunchableAssets
    partitions_def: dg.PartitionsDefinition | None = None
    partitions_known: bool = True
    plan: LaunchPlan | None = None

    def plan_at(self, context: dg.ScheduleEvaluationContext) -> LaunchPlan:
        """What of it is launched at a tick.

        Raises:
            SensorError: It cannot be launched in part.
        """
        if self.plan is not None:
            return self.plan
        assert not isinstance(self.launched, dg.AssetSelection)
        plan = LaunchPlan.of_job(context.repository_def.get_job(self.launched.name), self.assets)
        problem = self.check_config(plan)
        if problem is not None:
            raise SensorError(problem)
        return plan

    def check_config(self, plan: LaunchPlan, location: Location | None = None) -> Problem | None:
        """What keeps a part of a job from being launched.

        Source:
            Dagster 1.13 refuses what the config of a job says of ops that a run leaves out.
        """
        has_config = (
            self.launched.config is not None
            if isinstance(self.launched, UnresolvedAssetJobDefinition)
            else isinstance(self.launched, dg.JobDefinition) and self.launched.config_mapping is not None
        )
        if not plan.left_out or plan.has_nothing_left or not has_config:
            return None
        return Problem(
            "FLOE-353",
            f"{self.what} has run config and cannot be launched without {plan.left_out_names}",
            location,
            why="an automation condition materialises what is left out, and Dagster applies the config of a job whole",
            fix="move the config to the schedule, or to the assets under orchestration.assets",
        )


@dataclass(frozen=True)
class ScheduledRuns:
    """What a schedule launches at a tick: its partitions, one run, or what the user's function computes."""

    subject: str
    schedule: ScheduleDefinition
    target: ScheduleTarget
    function: CalledFunction | None = None

    @property
    def selector(self) -> str:
        """Which partitions of a partitioned job a tick launches."""
        return self.schedule.partition_selector or LATEST

    @property
    def selects_partitions(self) -> bool:
        """Whether the selector counts, as far as that is known before a tick."""
        plan, target = self.target.plan, self.target
        partitions_def = target.partitions_def if plan is None else plan.partitions_def
        is_open = not target.partitions_known and self.schedule.partition_selector is not None
        return self.function is None and (partitions_def is not None or is_open)

    def at(self, context: dg.ScheduleEvaluationContext) -> list[dg.SkipReason] | list[dg.RunRequest]:
        """The runs of one tick, or the one reason why there are none.

        Raises:
            SensorError: The user's function returns something else than run requests, or forgets their partition; the
                partition selector does not fit the job.
        """
        plan = self.target.plan_at(context)
        if plan.has_nothing_left:
            return [dg.SkipReason(f"automation conditions materialise every asset of {self.target.what}")]
        requests = self.chosen(plan, context) if self.function is None else self.compute(self.function, plan, context)
        if isinstance(requests, dg.SkipReason):
            return [requests]
        moment = tick_run_key(context.scheduled_execution_time)
        completed = [self.completed(request, run_key) for request, run_key in _keyed(requests, moment)]
        return [plan.reduce(request) for request in completed]

    def chosen(self, plan: LaunchPlan, context: dg.ScheduleEvaluationContext) -> dg.SkipReason | list[dg.RunRequest]:
        """What the partition selector asks for; one run where nothing is partitioned.

        Several partitions of a tick go into runs for ranges where the assets' backfill policies say that they take
        ranges, as in Dagster's own backfills and automation.
        """
        if self.selector == NO_PARTITION:
            return [dg.RunRequest()]
        partitions_def, at = plan.partitions_def, context.scheduled_execution_time
        if not self.target.partitions_known:
            problems = check_selector(
                self.schedule.partition_selector, partitions_def, who=self.subject, what=self.target.what
            )
            if problems:
                raise SensorError(*problems)
        if partitions_def is None:
            return [dg.RunRequest()]
        store = context.instance if is_dynamic(partitions_def) else None
        keys = choose_partitions(self.selector, partitions_def, at=at, dynamic_partitions_store=store)
        if not keys:
            reason = why_no_keys(self.selector, partitions_def, at=at, dynamic_partitions_store=store)
            return dg.SkipReason(f"{self.target.what} has no partition for '{self.selector}': {reason}")
        runs = spread_over_runs(keys, partitions_def, most=plan.most_partitions)
        return [dg.RunRequest(partition_key=run.key, tags=run.range_tags) for run in runs]

    def compute(
        self, function: CalledFunction, plan: LaunchPlan, context: dg.ScheduleEvaluationContext
    ) -> dg.SkipReason | list[dg.RunRequest]:
        """What the user's function asks for."""
        requests: list[dg.RunRequest] = []
        skipped = dg.SkipReason(f"{function.reference} asks for no run")
        for result in _listed(function.call(context)):
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
                            f"{self.subject} gets '{type(result).__name__}' from {function.reference}",
                            why="the function returns run requests, run config, a skip reason or None",
                        )
                    )
        needs_partition = [request for request in requests if self.is_partitioned(request, plan)]
        if self.selector != NO_PARTITION and not all(map(_names_partition, needs_partition)):
            what = f"{self.subject} names no partition for a run of {self.target.what}"
            raise SensorError(Problem("FLOE-357", what, why="no partitioned job is launched without a partition"))
        return requests or skipped

    def is_partitioned(self, request: dg.RunRequest, plan: LaunchPlan) -> bool:
        """Whether anything that the request launches has partitions."""
        if request.asset_selection is None:
            return plan.partitions_def is not None
        return any(tuple(key.path) in self.target.assets.partitions for key in request.asset_selection)

    def completed(self, request: dg.RunRequest, run_key: str) -> dg.RunRequest:
        """The request with what the document says where the function says nothing."""
        return request.with_replaced_attrs(
            run_key=request.run_key or run_key,
            run_config=request.run_config or self.schedule.config,
            tags={**self.schedule.tags, **request.tags},
        )


def _keyed(requests: list[dg.RunRequest], moment: str) -> Iterable[tuple[dg.RunRequest, str]]:
    """Each request with the run key that is its own within the tick, whatever happened at other ticks."""
    for number, request in enumerate(requests, start=1):
        partition = request.partition_key or _range_of(request.tags)
        if partition or len(requests) > 1:
            yield request, f"{moment} {partition or number}"
        else:
            yield request, moment


def _range_of(tags: Mapping[str, str]) -> str:
    return tags.get(RANGE_START_TAG, "")


def _listed(returned: object) -> list[object]:
    is_one = isinstance(returned, dg.RunRequest | dg.SkipReason | dg.RunConfig | dict)
    return list(returned) if isinstance(returned, Iterable) and not is_one else [returned]


def _names_partition(request: dg.RunRequest) -> bool:
    return request.partition_key is not None or not PARTITION_TAGS.isdisjoint(request.tags)
