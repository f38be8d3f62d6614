"""Automation conditions that a user's function returns."""

import inspect

import dagster as dg

from floe_core.errors import Location, Problem, TargetError
from floe_core.schemas.asset_config import ConditionFunction
from floe_core.suggestions import list_names
from floe_dagster.automation.presence import AssetCondition
from floe_dagster.targets import load_target
from floe_dagster.user_code.modules import describe_user_error


def call_condition_function(setting: ConditionFunction, *, location: Location) -> AssetCondition:
    """The condition that the function returns; a reference to a condition is that condition.

    Args:
        setting: The reference to the function.
        location: Where the setting stands.

    Raises:
        TargetError: The reference leads to nothing or to something else, the function asks for arguments or raises an
            error, or it returns no condition.
    """
    reference = setting.target_function
    target = load_target(reference, location=location)
    if isinstance(target, dg.AutomationCondition):
        return target
    if not inspect.isfunction(target):
        raise TargetError(_no_condition(reference, "is", target, location))
    asked = [name for name, parameter in inspect.signature(target).parameters.items() if _is_required(parameter)]
    if asked:
        raise TargetError(_asks(reference, asked, location))
    try:
        returned = target()
    except Exception as error:  # the user's own function may raise anything
        what = f"function '{reference}', which returns an automation condition, raises {type(error).__name__}"
        raise TargetError(Problem("FLOE-347", what, location, detail=describe_user_error(error))) from error
    if not isinstance(returned, dg.AutomationCondition):
        raise TargetError(_no_condition(reference, "returns", returned, location))
    return returned


def _is_required(parameter: inspect.Parameter) -> bool:
    has_room = parameter.kind in (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
    return parameter.default is inspect.Parameter.empty and not has_room


def _no_condition(reference: str, verb: str, found: object, location: Location) -> Problem:
    kind = "None" if found is None else f"a value of type {type(found).__name__}"
    return Problem(
        "FLOE-347",
        f"'{reference}' {verb} {kind} instead of an automation condition",
        location,
        why="a function is called without arguments and returns a dagster.AutomationCondition",
        fix="return a condition, such as dg.AutomationCondition.eager()",
    )


def _asks(reference: str, asked: list[str], location: Location) -> Problem:
    return Problem(
        "FLOE-347",
        f"function '{reference}' asks for {list_names(map(repr, asked))}, which nothing provides",
        location,
        why="the function of an automation condition is called without arguments",
        fix="give these parameters a default",
    )
