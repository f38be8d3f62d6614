"""Running a job of a project in this process, on an instance that others see, and telling what happens meanwhile."""

import os
import signal
import socket
import sys
import threading
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias

import dagster as dg
from dagster._core.definitions.assets.graph.asset_graph import AssetGraph
from dagster._core.definitions.reconstruct import ReconstructableJob, ReconstructableRepository
from dagster._core.workspace.autodiscovery import loadable_targets_from_loaded_module

from floe_core.errors import FloeError, LoadError, Problem, RunError
from floe_core.suggestions import did_you_mean, list_names
from floe_dagster.running.code_pointer import PROJECT_DIR_VARIABLE, CodePointer
from floe_dagster.running.run_ledger import AssetResult, CheckResult, RunLedger, RunNews, RunRetried, StepFailed
from floe_dagster.user_code.import_paths import set_up_import_paths
from floe_dagster.user_code.modules import import_user_module

RunStatus: TypeAlias = Literal["success", "failure", "canceled"]
Listener: TypeAlias = Callable[[RunNews], None]

_MAX_RETRIES_TAG = "dagster/max_retries"
_MAX_RUNTIME_TAG = "dagster/max_runtime"
_RETRY_NUMBER_TAG = "dagster/retry_number"
_LAUNCH_TAG = ".floe/launch"  # tags that begin with a dot are kept and not shown
_DBT_UNIQUE_ID = "dagster_dbt/unique_id"  # such as `model.shop.stg_orders`
_DOTS_BEFORE_NAME = 2
_POLL_SECONDS = 0.2
_PAGE = 1000


@dataclass(frozen=True, slots=True)
class CodeLocation:
    """A project's definitions, loaded here and reconstructable in the processes of a run."""

    pointer: CodePointer
    repository: ReconstructableRepository

    @property
    def definition(self) -> dg.RepositoryDefinition:
        """The loaded definitions."""
        return self.repository.get_definition()

    @property
    def job_names(self) -> list[str]:
        """Every job that has a name of its own, in alphabetical order."""
        return sorted(name for name in self.definition.job_names if not name.startswith("__"))


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


class UnknownJobError(RunError):
    """The command names a job that the project does not have."""


def load_code_location(pointer: CodePointer, *, project_dir: Path) -> CodeLocation:
    """Import the module that *pointer* names and take the definitions in it, as `dagster dev` would.

    Raises:
        LoadError: The module does not import, or holds no definitions. Problems that floe's own factory finds in the
            documents are passed on as they are.
    """
    os.environ[PROJECT_DIR_VARIABLE] = str(project_dir)  # noqa: TID251 - set for child processes, not read
    set_up_import_paths(project_dir)
    if str(pointer.working_directory) not in sys.path:
        sys.path.insert(0, str(pointer.working_directory))
    if pointer.is_built_in:
        sys.modules.pop(pointer.module_name, None)  # it may hold another project of this process
    with _own_problems_first():
        module = import_user_module(pointer.module_name)
    try:
        target = loadable_targets_from_loaded_module(module)[0]
    except dg.DagsterInvariantViolationError as error:
        raise LoadError(_no_definitions(pointer, str(error))) from error
    repository = ReconstructableRepository.for_module(
        pointer.module_name, target.attribute, str(pointer.working_directory)
    )
    with _dagster_errors("the definitions cannot be loaded"):
        repository.get_definition()
    return CodeLocation(pointer, repository)


def find_job(location: CodeLocation, name: str) -> dg.JobDefinition:
    """The job of that name, resolved.

    Raises:
        UnknownJobError: There is none.
        LoadError: Dagster cannot resolve the job.
    """
    names = location.job_names
    if name not in names:
        raise UnknownJobError(
            Problem(
                "FLOE-420",
                f"there is no job '{name}'",
                why=f"the jobs are {list_names(names, limit=20)}",
                fix=did_you_mean(name, names) or "name one of them; `floe list jobs` shows them",
            )
        )
    with _dagster_errors(f"job '{name}' cannot be resolved"):
        return location.definition.get_job(name)


def check_unpartitioned(job: dg.JobDefinition) -> None:
    """Refuse a job that needs a partition.

    Raises:
        RunError: The job's assets are partitioned.
    """
    if job.partitions_def is None:
        return
    raise RunError(
        Problem(
            "FLOE-424",
            f"job '{job.name}' is partitioned, and no partition is named",
            why="without one its assets would run for no partition at all; it is started for a partition",
            fix="choose the partition in Dagster's UI: `floe dev`, then Materialize on the job's page",
        )
    )


def execute_job(
    location: CodeLocation,
    job: dg.JobDefinition,
    instance: dg.DagsterInstance,
    *,
    run_config: Mapping[str, object] | None = None,
    tags: Mapping[str, str] | None = None,
    listener: Listener,
) -> RunReport:
    """Run *job* to its end and report.

    A job with `max_retries` is run again from where it failed, and one with `max_runtime_seconds` is stopped then, as
    Dagster's daemon does with the runs that it launches.

    Args:
        instance: A persistent one; its UI shows the run while it is under way.
        listener: Told of each thing that happens, one at a time, mostly from another thread.

    Raises:
        RunError: The run config does not fit the job; nothing has run.
    """
    started = time.monotonic()
    graph = location.definition.asset_graph
    ledger = RunLedger(dbt_names=dict(_dbt_names(graph)))
    attempts = _number_tag(job, _MAX_RETRIES_TAG)
    execution = _Execution(
        location.repository.get_reconstructable_job(job.name),
        instance,
        ledger,
        listener,
        max_runtime=_number_tag(job, _MAX_RUNTIME_TAG),
    )
    run = execution.run(run_config=run_config, tags=tags)
    for attempt in range(1, attempts + 1):
        if run.status != dg.DagsterRunStatus.FAILURE:
            break
        listener(RunRetried(run.run_id, attempt, attempts))
        run = execution.run(run_config=run_config, tags=tags, retry_of=run.run_id, attempt=attempt)
    nodes = {key: graph.get(dg.AssetKey.from_user_string(key)) for key in ledger.planned_assets}
    ledger.close({key: [parent.to_user_string() for parent in node.parent_keys] for key, node in nodes.items()})
    return RunReport(
        run_id=run.run_id,
        job=job.name,
        status=_status(run.status),
        seconds=time.monotonic() - started,
        assets=tuple(ledger.assets.values()),
        checks=tuple(ledger.checks.values()),
        failures=tuple(ledger.failures),
        groups={key: node.group_name for key, node in nodes.items()},
    )


@dataclass(frozen=True, slots=True)
class _Execution:
    """Runs of one job that belong together: the first and its retries."""

    job: ReconstructableJob
    instance: dg.DagsterInstance
    ledger: RunLedger
    listener: Listener
    max_runtime: int  # seconds; 0 is no limit

    def run(
        self,
        *,
        run_config: Mapping[str, object] | None,
        tags: Mapping[str, str] | None,
        retry_of: str | None = None,
        attempt: int = 0,
    ) -> dg.DagsterRun:
        options = None
        retry_tags: dict[str, str] = {}
        if retry_of is not None:
            self.ledger.begin_retry()
            options = dg.ReexecutionOptions.from_failure(retry_of, self.instance)
            retry_tags = {_RETRY_NUMBER_TAG: str(attempt)}
        launch = uuid.uuid4().hex
        interruption = _Interruption(self.instance)
        watch = _RunWatch(self.instance, launch, self.ledger, self.listener, interruption)
        with interruption.watching(), interruption.after(self.max_runtime), watch.watching():
            try:
                result = dg.execute_job(
                    self.job,
                    self.instance,
                    run_config=dict(run_config or {}),
                    tags={**(tags or {}), **retry_tags, _LAUNCH_TAG: launch},
                    reexecution_options=options,
                )
            except dg.DagsterInvalidConfigError as error:
                raise RunError(_config_problem(self.job.job_name, error)) from error
        run = self.instance.get_run_by_id(result.run_id)
        assert run is not None
        if interruption.is_overdue:
            self.listener(
                self.ledger.fail_run(f"the run took longer than its max_runtime_seconds ({self.max_runtime})")
            )
        return run


class _RunWatch:
    """Follows the event log of one run: the only place where every executor's events arrive."""

    def __init__(
        self,
        instance: dg.DagsterInstance,
        launch: str,
        ledger: RunLedger,
        listener: Listener,
        interruption: "_Interruption",
    ) -> None:
        self._instance = instance
        self._launch = launch
        self._ledger = ledger
        self._listener = listener
        self._interruption = interruption
        self._stop = threading.Event()
        self._run_id: str | None = None
        self._cursor: str | None = None

    @contextmanager
    def watching(self) -> Iterator[None]:
        thread = threading.Thread(target=self._follow, name="floe-run-watch", daemon=True)
        thread.start()
        try:
            yield
        finally:
            self._stop.set()
            thread.join()
            self._read()

    def _follow(self) -> None:
        while not self._stop.wait(_POLL_SECONDS):
            self._read()

    def _read(self) -> None:
        if self._run_id is None:
            runs = self._instance.get_runs(dg.RunsFilter(tags={_LAUNCH_TAG: self._launch}), limit=1)
            if not runs:
                return
            self._run_id = self._ledger.run_id = runs[0].run_id
            self._interruption.cover(self._run_id)
        while True:
            page = self._instance.get_records_for_run(self._run_id, cursor=self._cursor, limit=_PAGE)
            self._cursor = page.cursor
            for record in page.records:
                event = record.event_log_entry.dagster_event
                if event is not None:
                    for news in self._ledger.record(event, record.event_log_entry.timestamp):
                        self._listener(news)
            if not page.has_more:
                return


class _Interruption:
    """Makes a canceled run of one that is interrupted from outside, and interrupts one that takes too long.

    Dagster calls an interrupt a failure unless the run is marked as about to be canceled, and looks only after it has
    recorded what the interrupt broke. Python notes every signal in a pipe as soon as it arrives; so the first event
    after an interrupt finds the note, and marks the run.
    """

    def __init__(self, instance: dg.DagsterInstance) -> None:
        self._instance = instance
        self._note, self._pipe = socket.socketpair()
        self._is_marked = False
        self.is_overdue = False

    @contextmanager
    def watching(self) -> Iterator[None]:
        with self._note, self._pipe:
            if threading.current_thread() is not threading.main_thread():
                yield  # signals reach the main thread alone
                return
            self._note.setblocking(False)
            self._pipe.setblocking(False)
            before = signal.set_wakeup_fd(self._pipe.fileno(), warn_on_full_buffer=False)
            try:
                yield
            finally:
                signal.set_wakeup_fd(before)

    @contextmanager
    def after(self, seconds: int) -> Iterator[None]:
        """Interrupt the main thread, in which the run is, when the block takes longer; 0 is no limit."""
        if not seconds or threading.current_thread() is not threading.main_thread():
            yield
            return
        timer = threading.Timer(seconds, self._interrupt)
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()

    def _interrupt(self) -> None:
        self.is_overdue = self._is_marked = True  # a run that took too long has failed
        signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)

    def cover(self, run_id: str) -> None:
        """Mark this run when an interrupt arrives."""
        self._instance.add_event_listener(run_id, lambda _: self._mark(run_id))

    def _mark(self, run_id: str) -> None:
        if self._is_marked or not self._is_interrupted():
            return
        self._is_marked = True
        run = self._instance.get_run_by_id(run_id)
        if run is not None and not run.is_finished:
            self._instance.report_run_canceling(run, message="Interrupted from the terminal.")

    def _is_interrupted(self) -> bool:
        try:
            signals = self._note.recv(_PAGE)
        except BlockingIOError:
            return False
        return not {signal.SIGINT, signal.SIGTERM}.isdisjoint(signals)


@contextmanager
def _own_problems_first() -> Iterator[None]:
    """Let problems that floe found while the user's module was importing stand for the failed import."""
    try:
        yield
    except FloeError as error:
        cause: BaseException | None = error.__cause__
        while cause is not None and not isinstance(cause, FloeError):
            cause = cause.__cause__ or cause.__context__
        if cause is not None:
            raise cause from error
        raise


@contextmanager
def _dagster_errors(what: str) -> Iterator[None]:
    """Show what Dagster says about definitions that do not fit together as a problem."""
    try:
        yield
    except dg.DagsterError as error:
        reasons = [str(reason).strip() for reason in _causes(error)]
        raise LoadError(
            Problem(
                "FLOE-425",
                what,
                why="Dagster refuses it for the reason above",
                fix="mend the assets or jobs that the reason names",
                detail="\n".join(dict.fromkeys(reason for reason in reasons if reason)),
            )
        ) from error


def _causes(error: BaseException) -> Iterator[BaseException]:
    seen: BaseException | None = error
    while seen is not None:
        yield seen
        seen = seen.__cause__


def _no_definitions(pointer: CodePointer, reason: str) -> Problem:
    return Problem(
        "FLOE-423",
        f"module '{pointer.module_name}' holds no definitions",
        why=f"it is the project's code location by {pointer.source}",
        fix="assign them at its top level: defs = FloeDefinitions.from_compiled_artifacts()",
        detail=reason,
    )


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


def _number_tag(job: dg.JobDefinition, tag: str) -> int:
    value = str(job.tags.get(tag, ""))
    return int(value) if value.isdigit() else 0
