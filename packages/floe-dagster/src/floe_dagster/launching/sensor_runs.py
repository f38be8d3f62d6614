"""What a sensor launches: runs of its jobs or of its selection, each for the partitions that it is meant for."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import cached_property

import dagster as dg
from dagster._core.definitions.unresolved_asset_job_definition import UnresolvedAssetJobDefinition

from floe_core.errors import Problem, SensorError
from floe_core.suggestions import did_you_mean, list_names
from floe_dagster.launching.launch_plan import LaunchPlan
from floe_dagster.launching.launchable import LaunchableAssets
from floe_dagster.launching.requested_partitions import KeyChanges, check_requested_partition
from floe_dagster.partitioning.choice import LATEST, NO_PARTITION, choose_partitions, is_dynamic
from floe_dagster.partitioning.missing_keys import find_missing_key, why_no_keys
from floe_dagster.partitioning.runs import PARTITION_TAGS, PartitionRun, spread_over_runs
from floe_dagster.partitioning.selectors import check_selector
from floe_dagster.selection.resolution import Keys


@dataclass(frozen=True)
class SensorTarget:
    """A job or a selection that a sensor launches, `what` as messages say it.

    Of a job of a Python module, which assets and partitions it has is known to Dagster alone before it ticks: `keys` is
    None and `partitions_known` is false.
    """

    what: str
    launched: dg.JobDefinition | UnresolvedAssetJobDefinition | dg.AssetSelection
    assets: LaunchableAssets
    partitions_def: dg.PartitionsDefinition | None = None
    partitions_known: bool = True
    keys: Keys | None = None

    @property
    def job_name(self) -> str | None:
        """The job's name; None for a selection."""
        return None if isinstance(self.launched, dg.AssetSelection) else self.launched.name

    def plan_at(self, context: dg.SensorEvaluationContext) -> LaunchPlan:
        """What of it a tick launches: all of it, assets with an automation condition too."""
        if self.keys is not None:
            return self._plan_of_keys
        assert self.job_name is not None
        assert context.repository_def is not None
        return LaunchPlan.of_job(context.repository_def.get_job(self.job_name), self._unconditioned)

    @cached_property
    def _plan_of_keys(self) -> LaunchPlan:
        return LaunchPlan.of(self.keys or frozenset(), self._unconditioned)

    @property
    def _unconditioned(self) -> LaunchableAssets:
        return replace(self.assets, conditions=frozenset())


@dataclass(frozen=True)
class FoundRuns:
    """The run requests for one event, and a sentence for each target that has no such partition."""

    requests: tuple[dg.RunRequest, ...] = ()
    missing: tuple[str, ...] = ()


@dataclass(frozen=True)
class SensorRuns:
    """What a sensor launches, with what floe.yaml says of all its runs.

    Args:
        subject: The sensor as messages say it: `sensor 'arrival'`.
        targets: Its jobs, or its selection.
        partition_selector: As floe.yaml has it; None where it says nothing.
        tags: Of every run.
        config: Run config of every run.
    """

    subject: str
    targets: tuple[SensorTarget, ...] = ()
    partition_selector: str | None = None
    tags: Mapping[str, str] = field(default_factory=dict)
    config: Mapping[str, object] = field(default_factory=dict)

    def of_event(
        self,
        context: dg.SensorEvaluationContext,
        *,
        run_key: str,
        partition_key: str | None = None,
        new_keys: frozenset[str] = frozenset(),
        tags: Mapping[str, str] | None = None,
        config: Mapping[str, object] | None = None,
    ) -> FoundRuns:
        """The runs that one event launches: one for each target, or several where the selector means several.

        Args:
            context: Of the tick.
            run_key: Names the event. Each run key begins with it, and the same event gives the same run keys.
            partition_key: The partition that the event is for; without it, what the selector means now. Targets without
                partitions do not look at it.
            new_keys: Dynamic partition keys that are added before the runs are launched.
            tags: Those of this event; they win over those of the sensor.
            config: Run config of this event, in place of the sensor's.

        Raises:
            SensorError: The partition selector does not fit a job of a Python module.
        """
        requests: list[dg.RunRequest] = []
        missing: list[str] = []
        for target in self.targets:
            try:
                runs = self._partition_runs(target, context, partition_key, new_keys)
            except _NoPartitionError as error:
                missing.append(str(error))
                continue
            for key, run in self._keyed(target, runs, run_key):
                requests.append(
                    dg.RunRequest(
                        run_key=key,
                        job_name=target.job_name,
                        partition_key=run.key if run else None,
                        run_config=dict(self.config if config is None else config),
                        tags={**self.tags, **(tags or {}), **(run.range_tags if run else {})},
                    )
                )
        return FoundRuns(tuple(requests), tuple(missing))

    def of_request(
        self, request: dg.RunRequest, context: dg.SensorEvaluationContext, *, changes: KeyChanges = ()
    ) -> FoundRuns:
        """The runs that a request of a user's function means, with what floe.yaml says where the function says nothing.

        A request without a partition for what has partitions becomes those that the selector means now.

        Args:
            request: As the function made it.
            context: Of the tick.
            changes: The dynamic partition keys that are added and removed before the run is launched.

        Raises:
            SensorError: It names none of the sensor's jobs or a partition that is not there, or the partition selector
                does not fit a job of a Python module.
        """
        target = self._target_of(request)
        if request.partition_key is not None:
            partitions_def = target.plan_at(context).partitions_def
            check_requested_partition(
                request, partitions_def, context, subject=self.subject, what=target.what, changes=changes
            )
        completed = request.with_replaced_attrs(
            job_name=request.job_name or target.job_name,
            run_config=request.run_config or dict(self.config),
            tags={**self.tags, **request.tags},
        )
        if _names_partition(request) or not _may_have_partitions(request, target):
            return FoundRuns((completed,))
        try:
            runs = self._partition_runs(target, context, None, frozenset())
        except _NoPartitionError as error:
            return FoundRuns(missing=(str(error),))
        if runs is None:
            return FoundRuns((completed,))
        several = len(runs) > 1 and request.run_key is not None
        return FoundRuns(
            tuple(
                completed.with_replaced_attrs(
                    run_key=f"{request.run_key} {run.label}" if several else request.run_key,
                    partition_key=run.key,
                    tags={**completed.tags, **run.range_tags},
                )
                for run in runs
            )
        )

    def _target_of(self, request: dg.RunRequest) -> SensorTarget:
        """What the request launches; its job may be left out where there is only one."""
        names = [target.job_name for target in self.targets if target.job_name is not None]
        named = [target for target in self.targets if request.job_name in (None, target.job_name)]
        if len(named) == 1:
            return named[0]
        if not self.targets:
            what, fix = "asks for a run, and has no job", "write job: NAME, or return no run requests"
        elif request.job_name is None:
            what = "asks for a run and does not say of which job"
            fix = f"RunRequest(job_name={names[0]!r})"
        else:
            what = f"asks for a run of job '{request.job_name}', which is none of its jobs"
            fix = did_you_mean(request.job_name, names) or "name it under 'jobs' of the sensor"
        why = f"the sensor launches {list_names(target.what for target in self.targets)}"
        raise SensorError(Problem("FLOE-357", f"{self.subject} {what}", why=why if self.targets else "", fix=fix))

    def _partition_runs(
        self,
        target: SensorTarget,
        context: dg.SensorEvaluationContext,
        partition_key: str | None,
        new_keys: frozenset[str],
    ) -> tuple[PartitionRun, ...] | None:
        """The partitions of the target's runs; None for one run without a partition."""
        plan = target.plan_at(context)
        if not target.partitions_known:
            problems = check_selector(self.partition_selector, plan.partitions_def, who=self.subject, what=target.what)
            if problems:
                raise SensorError(*problems)
        if plan.partitions_def is None:
            return None
        if partition_key is not None and partition_key in new_keys:
            return (PartitionRun((partition_key,)),)
        selector = partition_key or self.partition_selector or LATEST
        if selector == NO_PARTITION and partition_key is None:
            return None
        return _choose_runs(selector, plan, target.what, context, is_key=partition_key is not None)

    def _keyed(
        self, target: SensorTarget, runs: tuple[PartitionRun, ...] | None, run_key: str
    ) -> Iterator[tuple[str, PartitionRun | None]]:
        """Each run with a run key of its own; Dagster compares them over all jobs of a sensor."""
        of_target = f"{run_key} {target.job_name}" if len(self.targets) > 1 else run_key
        if runs is None:
            yield of_target, None
        elif len(runs) == 1:
            yield of_target, runs[0]
        else:
            yield from ((f"{of_target} {run.label}", run) for run in runs)


def _names_partition(request: dg.RunRequest) -> bool:
    return request.partition_key is not None or not PARTITION_TAGS.isdisjoint(request.tags)


def _may_have_partitions(request: dg.RunRequest, target: SensorTarget) -> bool:
    """Whether anything that the request launches may have partitions that it does not name."""
    if request.asset_graph_subset is not None:
        return False
    if request.asset_selection is None:
        return True
    return any(tuple(key.path) in target.assets.partitions for key in request.asset_selection)


def _choose_runs(
    selector: str, plan: LaunchPlan, what: str, context: dg.SensorEvaluationContext, *, is_key: bool
) -> tuple[PartitionRun, ...]:
    partitions_def, at = plan.partitions_def, datetime.now(UTC)
    assert partitions_def is not None
    store = context.instance if is_dynamic(partitions_def) else None
    if is_key:
        missing = find_missing_key(selector, partitions_def, at=at, dynamic_partitions_store=store)
        if missing is not None:
            raise _NoPartitionError(f"{what} has no partition '{selector}': {missing.reason}")
        return (PartitionRun((selector,)),)
    keys = choose_partitions(selector, partitions_def, at=at, dynamic_partitions_store=store)
    if not keys:
        reason = why_no_keys(selector, partitions_def, at=at, dynamic_partitions_store=store)
        raise _NoPartitionError(f"{what} has no partition for '{selector}': {reason}")
    return spread_over_runs(keys, partitions_def, most=plan.most_partitions)


class _NoPartitionError(Exception):
    """A target has no partition to launch; the text is the reason."""
