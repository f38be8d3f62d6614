"""Running a job of a project in this process, on an instance that others see, and telling what happens meanwhile."""

import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias

import dagster as dg
from dagster._core.definitions.assets.graph.asset_graph import AssetGraph, AssetNode
from dagster._core.definitions.reconstruct import ReconstructableJob
from dagster._core.storage.tags import ASSET_PARTITION_RANGE_END_TAG, ASSET_PARTITION_RANGE_START_TAG

from floe_core.errors import Problem, RunError
from floe_dagster.running.code_locations import CodeLocation
from floe_dagster.running.interruption import Interruption
from floe_dagster.running.launches import PROJECT_TAG, Launch
from floe_dagster.running.run_ledger import RunLedger
from floe_dagster.running.run_news import (
    AssetResult,
    CheckResult,
    OpResult,
    RunInterrupted,
    RunNews,
    RunRetried,
    StepFailed,
)
from floe_dagster.running.run_watch import Listener, RunWatch

RunStatus: TypeAlias = Literal["success", "failure", "canceled"]

_MAX_RETRIES_TAG = "dagster/max_retries"
_MAX_RUNTIME_TAG = "dagster/max_runtime"
_RETRY_NUMBER_TAG = "dagster/retry_number"
_DBT_MANIFEST = "dagster_dbt/manifest"
_DBT_UNIQUE_ID = "dagster_dbt/unique_id"  # such as `model.shop.stg_orders`
_DOTS_BEFORE_NAME = 2


@dataclass(frozen=True, slots=True)
class RunReport:
    """A finished run. Assets and checks stand in the order in which they finished."""

    run_id: str
    job: str
    status: RunStatus
    seconds: float
    assets: tuple[AssetResult, ...]
    checks: tuple[CheckResult, ...]
    failures: tuple[StepFailed, ...]
    groups: Mapping[str, str]  # asset → group
    ops: tuple[OpResult, ...] = ()  # those that make neither assets nor checks


def execute_job(
    location: CodeLocation,
    job: dg.JobDefinition,
    instance: dg.DagsterInstance,
    *,
    run_config: Mapping[str, object] | None = None,
    tags: Mapping[str, str] | None = None,
    assets: Sequence[dg.AssetKey] | None = None,
    listener: Listener,
    launches_dir: Path | None = None,
    leave: Callable[[RunReport], object] | None = None,
) -> RunReport:
    """Run *job* to its end and report.

    A job with `max_retries` is run again from where it failed, and one with `max_runtime_seconds` is stopped then, as
    Dagster's daemon does with the runs that it launches. A SIGINT or SIGTERM cancels the run, a second one at once.

    Args:
        location: Where the job is from.
        job: One of its jobs.
        instance: A persistent one; its UI shows the run while it is under way.
        run_config: As Dagster takes it.
        tags: Of the run, beside the job's.
        assets: The assets of the job to materialise, where it is not all of them.
        listener: Told of each thing that happens, one at a time, mostly from another thread.
        launches_dir: Folder in which it is noted that this process carries out the run; see `end_abandoned_runs`.
        leave: Ends this process. It is called, from another thread, when a run is to end and a step does not let it.

    Raises:
        RunError: The run config does not fit the job; nothing has run.
        KeyboardInterrupt: There was an interrupt before there was a run.
    """
    execution = _Execution(location, job, instance, listener=listener, launches_dir=launches_dir, leave=leave)
    attempts = _number_tag(job, _MAX_RETRIES_TAG)
    run = execution.run(run_config=run_config, tags=tags, assets=assets)
    for attempt in range(1, attempts + 1):
        if run.status != dg.DagsterRunStatus.FAILURE or execution.is_interrupted:
            break
        execution.tell(RunRetried(run.run_id, attempt, attempts))
        run = execution.run(run_config=run_config, tags=tags, retry_of=run.run_id, attempt=attempt)
    return execution.report(run.run_id, _status(run.status))


class _Execution:
    """Runs of one job that belong together: the first and its retries."""

    def __init__(
        self,
        location: CodeLocation,
        job: dg.JobDefinition,
        instance: dg.DagsterInstance,
        *,
        listener: Listener,
        launches_dir: Path | None,
        leave: Callable[[RunReport], object] | None,
    ) -> None:
        self.is_interrupted = False
        self._started = time.monotonic()
        self._project_tags = _project_tags(location)
        self._job: ReconstructableJob = location.repository.get_reconstructable_job(job.name)
        self._instance = instance
        self._listener = listener
        self._launches_dir = launches_dir
        self._leave = leave
        self._max_runtime = _number_tag(job, _MAX_RUNTIME_TAG)  # seconds; 0 is no limit
        self._graph = location.definition.asset_graph
        self._ledger = RunLedger(dbt_names=dict(_dbt_names(self._graph)))
        self._telling = threading.Lock()

    def run(
        self,
        *,
        run_config: Mapping[str, object] | None,
        tags: Mapping[str, str] | None,
        assets: Sequence[dg.AssetKey] | None = None,
        retry_of: str | None = None,
        attempt: int = 0,
    ) -> dg.DagsterRun:
        options = None
        retry_tags: dict[str, str] = {}
        if retry_of is not None:
            self._ledger.begin_retry()
            options = dg.ReexecutionOptions.from_failure(retry_of, self._instance)
            retry_tags = {_RETRY_NUMBER_TAG: str(attempt)}
        self._ledger.partition_range = _range_of(tags or {})
        launch = Launch.begin()
        interruption = Interruption(self._instance, launch, tell=self._note_interruption)
        watch = RunWatch(self._instance, launch, self._ledger, self.tell, begin=interruption.cover)
        with ExitStack() as stack:
            if self._launches_dir is not None:
                stack.enter_context(launch.held(self._launches_dir))
            stack.enter_context(interruption.watching(self._leaving(interruption)))
            stack.enter_context(interruption.after(self._max_runtime))
            stack.enter_context(watch.watching())
            run = self._execute(
                launch,
                interruption,
                run_config=run_config,
                tags={**self._project_tags, **(tags or {}), **retry_tags, **launch.tags},
                assets=assets,
                options=options,
            )
        if interruption.is_overdue:
            self.tell(self._ledger.fail_run(self._overdue))
        return run

    def tell(self, news: RunNews) -> None:
        with self._telling:
            self._listener(news)

    def report(self, run_id: str, status: RunStatus) -> RunReport:
        by_name = {
            node.key.to_user_string(): node for node in self._graph.asset_nodes
        }  # a part may hold slashes itself
        nodes = {name: by_name[name] for name in self._ledger.planned_assets}
        if status == "canceled" or self.is_interrupted:
            self._cancel_what_is_under_way()
        self._ledger.close(
            {key: [parent.to_user_string() for parent in node.parent_keys] for key, node in nodes.items()},
            _unit_tests(nodes) if self._ledger.failed_unit_tests else {},
        )
        return RunReport(
            run_id=run_id,
            job=self._job.job_name,
            status=status,
            seconds=time.monotonic() - self._started,
            assets=tuple(self._ledger.assets.values()),
            checks=tuple(self._ledger.checks.values()),
            failures=tuple(self._ledger.failures),
            groups={key: node.group_name for key, node in nodes.items()},
            ops=tuple(self._ledger.ops.values()),
        )

    def _cancel_what_is_under_way(self) -> None:
        """Say so of assets whose steps did not come to say it: they wait to be tried again, or would not end."""
        ledger = self._ledger
        left = [key for key, step in ledger.planned_assets.items() if ledger.has_begun(step)]
        ledger.assets |= {key: AssetResult(key, "canceled") for key in left if key not in ledger.assets}

    def _execute(
        self,
        launch: Launch,
        interruption: Interruption,
        *,
        run_config: Mapping[str, object] | None,
        tags: Mapping[str, str],
        assets: Sequence[dg.AssetKey] | None,
        options: dg.ReexecutionOptions | None,
    ) -> dg.DagsterRun:
        try:
            dg.execute_job(
                self._job,
                self._instance,
                run_config=dict(run_config or {}),
                tags=tags,
                asset_selection=assets,
                reexecution_options=options,
            )
            run = launch.find_run(self._instance)
        except dg.DagsterInvalidConfigError as error:
            raise RunError(_config_problem(self._job.job_name, error)) from error
        except (KeyboardInterrupt, dg.DagsterExecutionInterruptedError) as interrupt:
            self.is_interrupted = True
            run = interruption.settle()
            if run is None:
                raise KeyboardInterrupt from interrupt
        assert run is not None
        return run

    def _note_interruption(self) -> None:
        self.is_interrupted = True
        self.tell(RunInterrupted())

    def _leaving(self, interruption: Interruption) -> Callable[[], object] | None:
        leave = self._leave
        if leave is None:
            return None

        def report_and_leave() -> object:
            self.is_interrupted = True
            if interruption.is_overdue:
                self._ledger.fail_run(self._overdue)
            return leave(self.report(self._ledger.run_id, "failure" if interruption.is_overdue else "canceled"))

        return report_and_leave

    @property
    def _overdue(self) -> str:
        return f"the run took longer than its max_runtime_seconds ({self._max_runtime})"


def _config_problem(job: str, error: dg.DagsterInvalidConfigError) -> Problem:
    lines = [line.strip() for reason in error.errors for line in reason.message.splitlines()]
    return Problem(
        "FLOE-426",
        f"the run config does not fit job '{job}'",
        why="Dagster checks the config of every op, asset and resource before a run starts",
        fix="give the values with `--config FILE`, in the form that the Launchpad shows",
        detail="\n".join(lines),
    )


def _status(status: dg.DagsterRunStatus) -> RunStatus:
    match status:
        case dg.DagsterRunStatus.SUCCESS:
            return "success"
        case dg.DagsterRunStatus.CANCELED | dg.DagsterRunStatus.CANCELING:
            return "canceled"
        case _:
            return "failure"


def _dbt_names(graph: AssetGraph) -> Iterator[tuple[str, str]]:
    """The assets that dbt builds, with the names that they have in dbt."""
    for node in graph.asset_nodes:
        unique_id = str(node.metadata.get(_DBT_UNIQUE_ID, ""))
        if node.is_executable and unique_id.count(".") >= _DOTS_BEFORE_NAME:
            yield node.key.to_user_string(), unique_id.split(".")[_DOTS_BEFORE_NAME]


def _unit_tests(nodes: Mapping[str, AssetNode]) -> dict[str, list[str]]:
    """Asset → names of the unit tests that dbt has of it, which only the manifest knows."""
    assets = {str(node.metadata.get(_DBT_UNIQUE_ID, "")): key for key, node in nodes.items()}
    wrapped = (getattr(node.metadata.get(_DBT_MANIFEST), "manifest", None) for node in nodes.values())
    manifest = next((found for found in wrapped if isinstance(found, Mapping)), {})
    found: dict[str, list[str]] = {}
    for test in (manifest.get("unit_tests") or {}).values():
        for tested in (test.get("depends_on") or {}).get("nodes") or ():
            if tested in assets:
                found.setdefault(assets[tested], []).append(str(test["name"]))
    return found


def _project_tags(location: CodeLocation) -> dict[str, str]:
    """The tag by which sensors tell the run from those of other projects: it has no code location of its own."""
    project = (location.definition.metadata or {}).get(PROJECT_TAG)
    return {} if project is None else {PROJECT_TAG: str(project.value)}


def _number_tag(job: dg.JobDefinition, tag: str) -> int:
    value = str(job.tags.get(tag, ""))
    return int(value) if value.isdigit() else 0


def _range_of(tags: Mapping[str, str]) -> str:
    ends = (tags.get(ASSET_PARTITION_RANGE_START_TAG), tags.get(ASSET_PARTITION_RANGE_END_TAG))
    return "..".join(end for end in ends if end)
