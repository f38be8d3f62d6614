"""The steps whose dbt calls are observed. Imports dagster-dbt, as whoever calls dbt does."""

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import TypeAlias

import dagster as dg
from dagster._core.execution.context.invocation import BaseDirectExecutionContext

from floe_dagster.dbt.call_selection import Context
from floe_dagster.dbt.invocation import FloeDbtInvocation
from floe_dagster.observability.dbt_log.call_tap import CallTap
from floe_dagster.observability.dbt_log.log_tail import LogTail
from floe_dagster.observability.observers import Observers
from floe_dagster.observability.opening import open_observers
from floe_dagster.observability.records import DbtCall, StepScope
from floe_dagster.observability.runs.observed_jobs import observed_settings
from floe_dagster.observability.runs.step_contents import OBSERVABILITY_TAG
from floe_dagster.observability.scopes import step_scope
from floe_dagster.observability.settings import ObservabilitySettings

Window: TypeAlias = dg.TimeWindow | None

LOG_FILE = "dbt.log"
LOG_VARIABLES: Mapping[str, str] = {
    "DBT_LOG_FORMAT_FILE": "json",
    "DBT_LOG_LEVEL_FILE": "debug",
    "DBT_LOG_FILE_MAX_BYTES": "0",  # one file, however much dbt writes
}
"""What makes dbt's log one that can be observed; what it prints stays as it is."""

_BUILDING = frozenset({"build", "run", "seed", "snapshot", "test", "retry", "clone"})


@dataclass(frozen=True)
class ObservedStep:
    """A step in which dbt is called."""

    observers: Observers
    scope: StepScope
    op_name: str
    per_node: bool

    def open_tap(
        self, invocation: FloeDbtInvocation, *, args: Sequence[str], log_size: int | None, window: Window
    ) -> CallTap:
        """What observes a call that was just started.

        Args:
            invocation: The call.
            args: What dbt was called with.
            log_size: Bytes that were in its log before; None where the log is this call's alone.
            window: What the run computes, where that is a window of time.
        """

        def describe(invocation_id: str) -> DbtCall:
            return DbtCall(
                scope=self.scope,
                invocation_id=invocation_id,
                manifest=invocation.manifest,
                project_dir=invocation.project_dir,
                target_path=invocation.target_path,
                command=" ".join(args),
                per_node=self.per_node,
                op_name=self.op_name,
                partition=self.scope.run.partition,
                window=(window.start, window.end) if window is not None else None,
            )

        return CallTap(
            self.observers,
            tail=LogTail(invocation.target_path / LOG_FILE, offset=log_size or 0),
            describe=describe,
            has_nodes=any(arg in _BUILDING for arg in args),
            makes_plain=log_size is None and not _asks_for_json(),
            warn=dg.get_dagster_logger().warning,
        )


class ObservedSteps:
    """The steps of this process, which share their observers."""

    def __init__(self) -> None:
        self._observers: dict[str, Observers] = {}

    def find(self, context: Context | None) -> ObservedStep | None:
        """The step of *context*, or the one that is being carried out; None where it is not observed."""
        try:
            return next(self._find(context), None)
        except Exception as error:  # noqa: BLE001 - whatever it is, the run goes on
            dg.get_dagster_logger().warning("a dbt call is not observed: %s: %s", type(error).__name__, error)
            return None

    def _find(self, context: Context | None) -> Iterator[ObservedStep]:
        op_context = context.op_execution_context if context is not None else _current_context()
        if op_context is None or isinstance(op_context, BaseDirectExecutionContext):
            return  # called by nobody, or directly by a test: there is no run
        settings = observed_settings(op_context.job_def)
        observers = self._open(settings) if settings is not None else None
        if observers:
            op = op_context.op
            level = op.tags.get(OBSERVABILITY_TAG, "per_model")
            yield ObservedStep(observers, step_scope(op_context), op.name, per_node=level == "per_model")

    def _open(self, settings: ObservabilitySettings) -> Observers:
        key = str(settings.folder)
        if key not in self._observers:
            self._observers[key] = open_observers(
                settings,
                environ=os.environ,  # noqa: TID251 - read in the process that sends something
                warn=dg.get_dagster_logger().warning,
            )
        return self._observers[key]


def _asks_for_json() -> bool:
    """Whether the user wants dbt's log in JSON."""
    return os.environ.get("DBT_LOG_FORMAT_FILE") == "json"  # noqa: TID251 - dbt's own variable


def _current_context() -> dg.OpExecutionContext | None:
    with suppress(dg.DagsterInvariantViolationError):
        return dg.OpExecutionContext.get()
    return None
