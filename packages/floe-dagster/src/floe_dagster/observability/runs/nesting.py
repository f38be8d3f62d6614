"""Functions of assets and ops that are called within the span of their step, and fail without floe's frames.

This is done in the processes that carry out steps, whose definitions are of this process alone: each op gets another
function of the same shape in the place of its own. Everywhere else the ops stay as their authors made them.
"""

import functools
import importlib
import inspect
from collections.abc import AsyncGenerator, Callable, Generator, Iterator
from contextlib import AbstractContextManager, nullcontext
from typing import Any, TypeAlias

import dagster as dg
from dagster._core.definitions.decorators.op_decorator import DecoratedOpFunction
from dagster._core.definitions.node_definition import NodeDefinition
from dagster._core.execution.context.invocation import BaseDirectExecutionContext

from floe_dagster.observability.runs.step_trouble import warn_once
from floe_dagster.user_code.tracebacks import UsersTraceback

Compute: TypeAlias = Callable[..., Any]

_MARK = "__floe_nested__"


def nest_user_spans(definitions: dg.Definitions) -> None:
    """Let the function of every op in *definitions* be called within the span of its step."""
    for node in _nodes(definitions):
        for inner in node.iterate_node_defs():
            if isinstance(inner, dg.OpDefinition) and isinstance(inner.compute_fn, DecoratedOpFunction):
                _nest(inner, inner.compute_fn)


def _nodes(definitions: dg.Definitions) -> Iterator[NodeDefinition]:
    for definition in (*(definitions.assets or ()), *(definitions.asset_checks or ())):
        if isinstance(definition, dg.AssetsDefinition) and definition.is_executable:
            yield definition.node_def
    for job in definitions.jobs or ():
        if isinstance(job, dg.JobDefinition):
            yield job.graph


def _nest(op: dg.OpDefinition, compute: DecoratedOpFunction) -> None:
    if not hasattr(compute.decorated_fn, _MARK):
        nested = _nested(compute.decorated_fn)
        setattr(nested, _MARK, True)
        vars(op)["_compute_fn"] = compute._replace(decorated_fn=nested)


def _nested(fn: Compute) -> Compute:
    """A function of the same shape: Dagster looks whether it is a generator, a coroutine or both."""
    if inspect.isasyncgenfunction(fn):
        return functools.wraps(fn)(_async_generator(fn))
    if inspect.iscoroutinefunction(fn):
        return functools.wraps(fn)(_coroutine(fn))
    if inspect.isgeneratorfunction(fn):
        return functools.wraps(fn)(_generator(fn))
    return functools.wraps(fn)(_function(fn))


def _function(fn: Compute) -> Compute:
    def compute(*args: object, **kwargs: object) -> object:
        with UsersTraceback(), _within_step():
            result = fn(*args, **kwargs)
        return _resumed(result) if inspect.isgenerator(result) else result

    return compute


def _generator(fn: Compute) -> Compute:
    def compute(*args: object, **kwargs: object) -> Generator[object, None, object]:
        with UsersTraceback():
            return (yield from _resumed(fn(*args, **kwargs)))

    return compute


def _coroutine(fn: Compute) -> Compute:
    async def compute(*args: object, **kwargs: object) -> object:
        with UsersTraceback(), _within_step():
            return await fn(*args, **kwargs)

    return compute


def _async_generator(fn: Compute) -> Compute:
    async def compute(*args: object, **kwargs: object) -> AsyncGenerator[object, None]:
        events = fn(*args, **kwargs)
        try:
            while True:
                with UsersTraceback(), _within_step():
                    try:
                        event = await anext(events)
                    except StopAsyncIteration:
                        return
                yield event
        finally:
            await events.aclose()

    return compute


def _resumed(events: Generator[object, None, object]) -> Generator[object, None, object]:
    """*events*, whose function is within the step while it goes on, and not while others look at what it yields."""
    try:
        while True:
            with UsersTraceback(), _within_step():
                try:
                    event = next(events)
                except StopIteration as stop:
                    return stop.value
            yield event
    finally:
        with _within_step():
            events.close()


def _within_step() -> AbstractContextManager[None]:
    try:
        context = dg.OpExecutionContext.get()
    except dg.DagsterInvariantViolationError:  # called directly, as tests do
        return nullcontext()
    if isinstance(context, BaseDirectExecutionContext):
        return nullcontext()
    try:
        # By its name: OpenTelemetry is imported when a step begins, not when definitions load.
        part = importlib.import_module("floe_dagster.observability.runs.traced_steps")
        within: AbstractContextManager[None] = part.user_spans_nested(context)
    except Exception as error:  # noqa: BLE001 - whatever it is, the step goes on
        warn_once(context, "spans that the step begins do not stand below it", error)
        return nullcontext()
    return within
