"""An executor that tells of the runs it carries out, around any other."""

import importlib
import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING

import dagster as dg
from dagster._core.errors import DagsterExecutionInterruptedError
from dagster._core.events import DagsterEvent, EngineEventData
from dagster._core.execution.context.system import PlanOrchestrationContext
from dagster._core.execution.plan.plan import ExecutionPlan
from dagster._core.execution.retries import RetryMode
from dagster._core.execution.step_dependency_config import StepDependencyConfig

from floe_dagster.observability.observers import Observers
from floe_dagster.observability.opening import open_observers
from floe_dagster.observability.records import ErrorFact, Outcome, Record, StepScope
from floe_dagster.observability.runs.known_assets import known_assets
from floe_dagster.observability.runs.observed_jobs import ObservedExecutorDefinition
from floe_dagster.observability.runs.run_records import PlannedStep, RunRecords
from floe_dagster.observability.scopes import run_scope
from floe_dagster.observability.settings import ObservabilitySettings
from floe_dagster.user_code.tracebacks import leave_out_floe

if TYPE_CHECKING:
    from dagster._core.executor.init import InitExecutorContext

_STOPPED = (dg.DagsterRunStatus.CANCELING, dg.DagsterRunStatus.CANCELED)


def observed_executor(inner: dg.ExecutorDefinition, settings: ObservabilitySettings) -> dg.ExecutorDefinition:
    """*inner*, of the same name, config and requirements, whose runs are observed; once, whoever asks again."""
    creation_fn = inner.executor_creation_fn
    if creation_fn is None or isinstance(inner, ObservedExecutorDefinition):
        return inner

    def build(context: "InitExecutorContext") -> dg.Executor:
        return ObservedExecutor(creation_fn(context), settings)

    return ObservedExecutorDefinition(
        name=inner.name,
        config_schema=inner.config_schema,
        requirements=inner.get_requirements,
        executor_creation_fn=build,
        description=inner.description,
        settings=settings,
    )


class ObservedExecutor(dg.Executor):
    """Carries out runs by another executor, and makes records of what that yields."""

    def __init__(self, inner: dg.Executor, settings: ObservabilitySettings) -> None:
        self._inner, self._settings = inner, settings

    @property
    def retries(self) -> RetryMode:
        """As the other has it."""
        return self._inner.retries

    @property
    def step_dependency_config(self) -> StepDependencyConfig:
        """As the other has it."""
        return self._inner.step_dependency_config

    def __getattr__(self, name: str) -> object:
        """Whatever else the other has: the executors of some libraries are asked for their settings."""
        if name.startswith("__") or name == "_inner":
            raise AttributeError(name)
        return getattr(self._inner, name)

    def execute(self, plan_context: PlanOrchestrationContext, execution_plan: ExecutionPlan) -> Iterator[DagsterEvent]:
        """The events of the other executor, after one that says how the run is observed, if it is."""
        watch = _Watch.begin(plan_context, execution_plan, self._settings)
        events = self._inner.execute(plan_context, execution_plan)
        if watch is None:
            yield from events
            return
        try:
            notice = watch.notice()
            if notice is not None:
                yield notice
            while True:
                with watch.step_span():
                    event = next(events, None)
                if event is None:
                    break
                watch.take(event)
                yield event
        except BaseException as error:
            _close(events)
            watch.end(error)
            leave_out_floe(error)
            raise
        watch.end(None)


class _Watch:
    """What is observed of one run; nothing that goes wrong here reaches the run."""

    def __init__(self, plan_context: PlanOrchestrationContext, observers: Observers, records: RunRecords) -> None:
        self._plan_context, self._observers, self._records = plan_context, observers, records
        self._is_traced = "trace" in observers.places(run_scope(plan_context.dagster_run))
        self._step_here: StepScope | None = None

    @classmethod
    def begin(
        cls, plan_context: PlanOrchestrationContext, plan: ExecutionPlan, settings: ObservabilitySettings
    ) -> "_Watch | None":
        """What observes the run from now on; None where nothing does."""
        try:
            observers = open_observers(
                settings,
                environ=os.environ,  # noqa: TID251 - read in the process that sends something
                warn=plan_context.log.warning,
                note=plan_context.log.warning,
                assets=lambda: known_assets(plan_context.job.get_definition()),
            )
            if not observers:
                return None
            retries = plan.known_state.get_retry_state()
            records = RunRecords(
                run_scope(plan_context.dagster_run),
                plan_context.job.get_definition(),
                plan_context.instance,
                attempts={key: retries.get_attempt_count(key) for key in plan.step_keys_to_execute},
                plan=lambda: planned_steps(plan),
            )
            watch = cls(plan_context, observers, records)
        except Exception as error:  # noqa: BLE001 - whatever it is, the run goes on
            _warn(plan_context, error)
            return None
        watch._observe(records.begin)
        return watch

    def notice(self) -> DagsterEvent | None:
        """An entry in the run's log that says where it is found again."""
        try:
            places = self._observers.places(run_scope(self._plan_context.dagster_run))
            if not places:
                return None
            named = ", ".join(f"{name} {place}" for name, place in places.items())
            metadata = {name: dg.MetadataValue.text(place) for name, place in places.items()}
            return DagsterEvent.engine_event(
                self._plan_context, f"This run is observed: {named}", EngineEventData(metadata=metadata)
            )
        except Exception as error:  # noqa: BLE001 - see above
            _warn(self._plan_context, error)
            return None

    def step_span(self) -> AbstractContextManager[None]:
        """The span of the step that goes on in this process, if one does: users' spans stand below it."""
        if self._step_here is None:
            return nullcontext()
        try:
            # By its name: OpenTelemetry is imported when a step begins, not when definitions load.
            part = importlib.import_module("floe_dagster.observability.runs.traced_steps")
            within: AbstractContextManager[None] = part.spans_below(self._step_here)
        except Exception as error:  # noqa: BLE001 - see above
            self._step_here = None
            _warn(self._plan_context, error)
            return nullcontext()
        return within

    def take(self, event: DagsterEvent) -> None:
        """Observe what *event* tells."""
        self._observe(lambda: self._records.take(event))
        if event.pid == os.getpid() and event.step_key is not None:
            self._step_here = self._records.step(event.step_key) if self._is_traced else None

    def end(self, error: BaseException | None) -> None:
        """Observe the end of the run, which *error* ended if anything, and send what is still to be sent."""
        self._observe(lambda: self._records.end(*self._outcome(error)))
        self._observers.flush()

    def _observe(self, records: Callable[[], Iterator[Record]]) -> None:
        try:
            for record in records():
                self._observers.observe(record)
        except Exception as error:  # noqa: BLE001 - see above
            _warn(self._plan_context, error)

    def _outcome(self, error: BaseException | None) -> tuple[Outcome, ErrorFact | None]:
        """How the run ends, as Dagster decides it right after this."""
        failures = self._records.failures
        if error is None and not failures:
            return Outcome.SUCCEEDED, None
        if isinstance(error, GeneratorExit) or self._was_stopped():
            return Outcome.CANCELLED, None
        if failures:
            first = next(iter(failures.values()))
            steps = ", ".join(f"'{step}'" for step in failures)
            return Outcome.FAILED, ErrorFact(first.type, f"failed: step {steps}: {first.message}")
        if isinstance(error, KeyboardInterrupt | DagsterExecutionInterruptedError):
            return Outcome.FAILED, ErrorFact(
                type(error).__name__, "the run was interrupted, and nobody had asked for it"
            )
        return Outcome.FAILED, ErrorFact(type(error).__name__, str(error))

    def _was_stopped(self) -> bool:
        run = self._plan_context.instance.get_run_by_id(self._plan_context.run_id)
        return run is not None and run.status in _STOPPED


def planned_steps(plan: ExecutionPlan) -> dict[str, PlannedStep]:
    """{key of a step: what the run holds of it}, each after those that it needs."""
    upstream = plan.get_executable_step_deps()
    return {
        step.key: PlannedStep(step.node_handle, frozenset(upstream.get(step.key, ())))
        for step in plan.get_steps_to_execute_in_topo_order()
    }


def _close(events: Iterator[DagsterEvent]) -> None:
    close = getattr(events, "close", None)
    if close is not None:
        close()


def _warn(plan_context: PlanOrchestrationContext, error: Exception) -> None:
    plan_context.log.warning("the run could not be observed: %s: %s", type(error).__name__, error)
