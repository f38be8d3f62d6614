"""What Dagster calls when a step of a job ends."""

import inspect
from collections.abc import Callable

import dagster as dg

from floe_core.errors import Location, Problem, TargetError
from floe_core.schemas.job_definition import Hook
from floe_dagster.targets import load_target
from floe_dagster.user_code.resource_parameters import classify_parameters
from floe_dagster.user_code.tracebacks import UsersTraceback


def load_hook(hook: Hook, *, location: Location) -> dg.HookDefinition:
    """The Dagster hook that *hook* names, or one around the plain function that it names.

    A plain function takes the hook's context, resources by name, both or nothing.

    Raises:
        TargetError: The reference leads to nothing, to what is neither a hook nor a function, or `on` does not fit it.
    """
    target = load_target(hook.target_function, location=location)
    if isinstance(target, dg.HookDefinition):
        if hook.on is not None:
            raise TargetError(_knows_by_itself(hook, location))
        return target
    if inspect.isclass(target) or inspect.iscoroutinefunction(target) or not callable(target):
        raise TargetError(_no_function(hook, target, location))
    if hook.on is None:
        raise TargetError(_success_or_failure(hook, location))
    return _build_hook(target, hook, location)


def plain_function(hook: Hook, *, location: Location) -> Callable[..., object] | None:
    """The function that `load_hook` made a hook of; None where *hook* names one of Dagster's."""
    target = load_target(hook.target_function, location=location)
    return target if callable(target) and not isinstance(target, dg.HookDefinition) else None


def _build_hook(fn: Callable[..., object], hook: Hook, location: Location) -> dg.HookDefinition:
    parameters = classify_parameters(fn)
    if parameters.config or parameters.others:
        raise TargetError(_unknown_parameters(fn, hook, location))

    def call(context: dg.HookContext) -> None:
        arguments = {key: getattr(context.resources, key) for key in parameters.resource_keys}
        if parameters.context is not None:
            arguments[parameters.context.name] = context
        with UsersTraceback():
            fn(**arguments)

    decorator = dg.success_hook if hook.on == "success" else dg.failure_hook
    name = f"{hook.target_function.rpartition('.')[2]}_on_{hook.on}"
    return decorator(name=name, required_resource_keys=set(parameters.resource_keys))(call)


def _knows_by_itself(hook: Hook, location: Location) -> Problem:
    return Problem(
        "FLOE-354",
        f"hook '{hook.target_function}' is a Dagster hook and has 'on: {hook.on}' beside it",
        location,
        why="a Dagster hook knows by itself when it is called; 'on' is for plain functions",
        fix="delete 'on'",
    )


def _success_or_failure(hook: Hook, location: Location) -> Problem:
    return Problem(
        "FLOE-354",
        f"hook '{hook.target_function}' is a plain function and does not say when it is called",
        location,
        why="Dagster calls a hook when a step of the job succeeds, or when it fails",
        fix=f"write {{target_function: {hook.target_function}, on: failure}}, or on: success",
    )


def _no_function(hook: Hook, target: object, location: Location) -> Problem:
    kind = "a coroutine function" if inspect.iscoroutinefunction(target) else f"of type {type(target).__name__}"
    return Problem(
        "FLOE-312",
        f"hook '{hook.target_function}' is {kind}",
        location,
        why="a hook is a Dagster hook (@dg.success_hook, @dg.failure_hook) or a plain function of its context",
        fix="name a function that Dagster can call when a step ends",
    )


def _unknown_parameters(fn: Callable[..., object], hook: Hook, location: Location) -> Problem:
    parameters = classify_parameters(fn)
    names = [p.name for p in (parameters.config, *parameters.others) if p is not None]
    return Problem(
        "FLOE-354",
        f"hook '{hook.target_function}' asks for {', '.join(repr(name) for name in names)}, which nothing provides",
        location,
        why="a hook's function takes 'context' and resources by name",
        fix="take them from context, such as context.op_config or context.resources",
    )
