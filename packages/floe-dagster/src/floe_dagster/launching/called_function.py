"""A user's function that a schedule or sensor calls with its context and with resources."""

import inspect
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import TypeAlias

import dagster as dg
from dagster._core.definitions.unresolved_asset_job_definition import UnresolvedAssetJobDefinition

from floe_core.errors import Location, Problem, ProblemCollector, TargetError
from floe_core.suggestions import list_names
from floe_dagster.launching.launchable import check_asked_resources
from floe_dagster.targets import load_callable, load_target
from floe_dagster.user_code.resource_parameters import classify_parameters

_OBJECTS: Mapping[str, tuple[type, ...]] = {
    "a sensor of its own": (dg.SensorDefinition,),
    "a schedule": (dg.ScheduleDefinition,),
    "a job": (dg.JobDefinition, UnresolvedAssetJobDefinition),
    "an asset": (dg.AssetsDefinition,),
    "an op or graph": (dg.OpDefinition, dg.GraphDefinition),
    "a class": (type,),
}

CallContext: TypeAlias = dg.ScheduleEvaluationContext | dg.SensorEvaluationContext | dg.RunStatusSensorContext


@dataclass(frozen=True)
class CalledFunction:
    """A function, the parameter that takes the context, if there is one, and the resources that it asks for."""

    reference: str
    fn: Callable[..., object]
    context_name: str | None = None
    resource_keys: frozenset[str] = frozenset()

    def call(self, context: CallContext) -> object:
        """What the function returns; its own errors are passed on as they are."""
        arguments: dict[str, object] = {key: getattr(context.resources, key) for key in self.resource_keys}
        if self.context_name is not None:
            arguments[self.context_name] = context
        return self.fn(**arguments)


def load_called_function(
    reference: str, *, use: str, location: Location, resources: Collection[str] | None, awaited: bool = False
) -> CalledFunction:
    """The function that *reference* names, if it asks for nothing but the context and resources.

    Args:
        reference: `package.module.function`.
        use: Who uses it for what, as messages begin: `schedule 'nightly' computes its runs with`.
        location: Where the document says it.
        resources: Keys of all resources; None where they are not known.
        awaited: Whether who uses it runs a coroutine to its end.

    Raises:
        TargetError: It does not exist, is no plain function, or asks for a resource that does not exist or for
            something else.
    """
    target = load_target(reference, location=location)
    is_left = not awaited and _is_async(target)
    kind = "an async function, which a tick does not wait for" if is_left else kind_of_object(target)
    if kind is not None:
        what = f"{use} '{reference}', which is {kind}"
        why = "a tick calls the function with its context and resources, and goes on with what it returns"
        raise TargetError(Problem("FLOE-312", what, location, why=why, fix="name a plain function"))
    fn = load_callable(reference, location=location)
    parameters = classify_parameters(fn)
    unknown = [parameter.name for parameter in (parameters.config, *parameters.others) if parameter is not None]
    if unknown:
        raise TargetError(
            Problem(
                "FLOE-312",
                f"{use} '{reference}', which asks for {list_names(map(repr, unknown))}",
                location,
                why="the function takes 'context' and resources by name",
                fix="give these parameters a default, or read them from the context",
            )
        )
    who = f"function '{reference}'"
    problems = check_asked_resources(parameters.resource_keys, who=who, resources=resources, location=location, fn=fn)
    ProblemCollector(problems).raise_if_any(TargetError)
    context = parameters.context.name if parameters.context else None
    return CalledFunction(reference, fn, context, parameters.resource_keys)


def kind_of_object(target: object) -> str | None:
    """What *target* is, as messages say it, if it is an object of Dagster or a class and no function."""
    return next((kind for kind, classes in _OBJECTS.items() if isinstance(target, classes)), None)


def _is_async(target: object) -> bool:
    return inspect.iscoroutinefunction(target) or inspect.isasyncgenfunction(target)
