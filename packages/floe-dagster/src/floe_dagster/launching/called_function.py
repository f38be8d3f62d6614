"""A user's function that a schedule or sensor calls with its context and with resources."""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import TypeAlias

import dagster as dg

from floe_core.errors import Location, Problem, ProblemCollector, TargetError
from floe_core.suggestions import list_names
from floe_dagster.launching.launchable import check_asked_resources
from floe_dagster.targets import load_callable
from floe_dagster.user_code.resource_parameters import classify_parameters

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
    reference: str, *, use: str, location: Location, resources: Collection[str] | None
) -> CalledFunction:
    """The function that *reference* names, if it asks for nothing but the context and resources.

    Args:
        reference: `package.module.function`.
        use: Who uses it for what, as messages begin: `schedule 'nightly' computes its runs with`.
        location: Where the document says it.
        resources: Keys of all resources; None where they are not known.

    Raises:
        TargetError: It does not exist, asks for a resource that does not exist, or for something else.
    """
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
