"""What is wrong with the arguments of a resource, where that can be told of the arguments themselves."""

import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import dagster as dg
from dagster._config import validate_config
from pydantic import BaseModel, ValidationError

from floe_core.errors import YamlPath
from floe_core.suggestions import closest_names, did_you_mean, list_names
from floe_dagster.user_code.argument_values import ArgumentError, argument_errors, config_error

_REFERENCE = "secret_ref"


@dataclass(frozen=True)
class WrongArgument:
    """One mistake: where it stands below `args`, the rule, and what to do.

    Where `says_all`, there is nothing more to learn from the error that the resource raised.
    """

    path: YamlPath
    why: str
    fix: str
    says_all: bool = False


def find_wrong_arguments(
    target: Callable[..., object], args: Mapping[str, object], error: Exception
) -> list[WrongArgument]:
    """What of *args*, as the document has them, made *target* raise *error*; nothing where it is not them."""
    misspelt = _misspelt(_arguments_of(target), args)
    if misspelt is not None:
        return [misspelt]
    if not isinstance(error, ValidationError) or error.title != getattr(target, "__name__", ""):
        return []
    lacking = {str(details["loc"][0]) for details in error.errors() if details["loc"]} - args.keys()
    wrong = [_wrong(each) for each in argument_errors(error, dict(args)) if each.path]
    return [*wrong, *(WrongArgument((), f"it lacks '{name}'", f"add '{name}'", True) for name in sorted(lacking))]


def find_wrong_config(resource: dg.ResourceDefinition, args: Mapping[str, object]) -> list[WrongArgument]:
    """What of *args* the config schema of *resource* refuses: Dagster would refuse it in the run that asks for it."""
    config_type = resource.config_schema.as_field().config_type
    known = list(getattr(config_type, "fields", {}))
    misspelt = _misspelt(known or None, args)
    if misspelt is not None:
        return [misspelt]
    errors = validate_config(config_type, dict(args)).errors or ()
    return [_wrong(config_error(error, owner="its config schema", known=known)) for error in errors]


def _wrong(error: ArgumentError) -> WrongArgument:
    return WrongArgument(error.path, str(error), error.fix, says_all=True)


def _misspelt(known: Sequence[str] | None, args: Mapping[str, object]) -> WrongArgument | None:
    """The first key of *args* that is none of the *known* ones or that was meant for `secret_ref`."""
    for path in _keys_like_secret_ref(args):
        return WrongArgument(path, "a secret is named by {secret_ref: NAME}", f"did you mean '{_REFERENCE}'?")
    for name in args:
        if known is not None and name not in known:
            fix = did_you_mean(name, [other for other in known if other not in args])
            why = f"there is no argument '{name}'; it takes {list_names(known)}"
            return WrongArgument((name,), why, fix or "delete it")
    return None


def _keys_like_secret_ref(value: object, path: YamlPath = ()) -> Iterator[YamlPath]:
    if isinstance(value, Mapping):
        for key, item in value.items():
            if path and len(value) == 1 and closest_names(str(key), [_REFERENCE]):
                yield (*path, key)
            yield from _keys_like_secret_ref(item, (*path, key))


def _arguments_of(target: Callable[..., object]) -> list[str] | None:
    """The names of the arguments that *target* takes; None where that may be any."""
    if inspect.isclass(target) and issubclass(target, BaseModel):
        fields = target.model_fields.items()
        return None if target.model_config.get("extra") == "allow" else [field.alias or name for name, field in fields]
    try:
        parameters = inspect.signature(target).parameters.values()
    except (TypeError, ValueError):
        return None  # of a class that is written in C, for one
    if any(parameter.kind is inspect.Parameter.VAR_KEYWORD for parameter in parameters):
        return None
    return [parameter.name for parameter in parameters]
