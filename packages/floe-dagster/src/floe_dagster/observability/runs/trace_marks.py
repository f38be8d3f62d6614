"""What the materialisations of a traced run say of their trace."""

import os
from collections.abc import Callable, Generator, Iterator, Mapping
from dataclasses import dataclass
from typing import Protocol, TypeAlias, TypeVar, cast

import dagster as dg
from dagster._core.execution.context.invocation import BaseDirectExecutionContext

from floe_dagster.observability.runs.observed_jobs import observed_settings
from floe_dagster.observability.runs.step_trouble import warn_once
from floe_dagster.observability.scopes import run_scope
from floe_dagster.observability.tracing.otlp_target import is_switched_off
from floe_dagster.observability.tracing.run_trace import trace_id
from floe_dagster.observability.tracing.sampling import Sampling

TRACE_ID = "floe/trace_id"
"""Metadata of materialisations: the trace that tells of them."""

StepContext: TypeAlias = dg.OpExecutionContext | dg.AssetExecutionContext
T = TypeVar("T")


class Conversion(Protocol):
    """Turns what a user's function gives into what Dagster gets."""

    def to_result(self, value: object) -> object:
        """One value."""

    def to_results(self, values: Generator[object, None, object]) -> Iterator[object]:
        """What a generator yields and returns."""


@dataclass(frozen=True, slots=True)
class MarkedResults:
    """The results of another conversion, each with the trace of the run that *context* tells of."""

    inner: Conversion
    metadata: Mapping[str, str]

    @classmethod
    def of(cls, build: Callable[[], Conversion]) -> Conversion:
        """What *build* gives for the asset that is being computed at the moment, marked where its run is traced."""
        conversion = build()
        metadata = trace_metadata(dg.AssetExecutionContext.get())
        return cls(conversion, metadata) if metadata else conversion

    def to_result(self, value: object) -> object:
        """One result, or several at once."""
        return self._marked(self.inner.to_result(value))

    def to_results(self, values: Generator[object, None, object]) -> Iterator[object]:
        """The results of a generator."""
        yield from marked_events(self.inner.to_results(values), self.metadata)

    def _marked(self, result: object) -> object:
        if type(result) is tuple:
            return tuple(with_trace_id(item, self.metadata) for item in result)
        return with_trace_id(result, self.metadata)


def trace_metadata(context: StepContext) -> Mapping[str, str]:
    """What a materialisation in the step of *context* says of its trace; nothing where there is none."""
    return {TRACE_ID: f"{trace_id(run_scope(context.run)):032x}"} if is_traced(context) else {}


def marked_events(events: Iterator[T], metadata: Mapping[str, str]) -> Iterator[T]:
    """*events*, each with *metadata* where it is one that has some; they end with whoever reads them."""
    try:
        for event in events:
            yield with_trace_id(event, metadata)
    finally:
        close = getattr(events, "close", None)
        if close is not None:
            close()


def with_trace_id(result: T, metadata: Mapping[str, str]) -> T:
    """*result* with *metadata*, where it is one that has some."""
    match result:
        case dg.MaterializeResult():
            return result._replace(metadata={**metadata, **(result.metadata or {})})
        case dg.Output() | dg.AssetMaterialization():
            return cast("T", result.with_metadata({**metadata, **result.metadata}))
        case _:
            return result


def is_traced(context: StepContext) -> bool:
    """Whether the run of *context* is traced; where that cannot be found out, it is not."""
    if isinstance(context, BaseDirectExecutionContext):  # called by a test: there is no run
        return False
    try:
        settings = observed_settings(context.job_def)
        if settings is None:
            return False
        environ = os.environ  # noqa: TID251 - read in the process that carries out the step
        sampling = Sampling.of(environ, share=settings.platform.sampling)
        return not is_switched_off(environ) and sampling.takes(run_scope(context.run))
    except Exception as error:  # noqa: BLE001 - whatever it is, the step goes on
        warn_once(context, "what the step makes does not name its trace", error)
        return False
