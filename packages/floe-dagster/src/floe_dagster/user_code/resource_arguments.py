"""What is wrong with the arguments of a resource, where that can be told of the arguments themselves."""

import inspect
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import dagster as dg
from dagster._config import Permissive, Shape, validate_config
from pydantic import BaseModel, ValidationError

from floe_core.errors import YamlPath
from floe_core.suggestions import closest_names, did_you_mean, list_names
from floe_dagster.user_code.argument_values import ArgumentError, argument_errors, config_error

_REFERENCE = "secret_ref"
_CONFIG_SCHEMA = "its config schema"


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
    misspelt = list(_misspelt(_arguments_of(target), args))
    if not isinstance(error, ValidationError) or error.title != getattr(target, "__name__", ""):
        return misspelt
    lacking = {str(details["loc"][0]) for details in error.errors() if details["loc"]} - args.keys()
    told = {wrong.path[0] for wrong in misspelt}
    wrong = [_wrong(each) for each in argument_errors(error, dict(args)) if each.path and each.path[0] not in told]
    return [*misspelt, *wrong, *_lacking(lacking, misspelt)]


def find_wrong_config(
    resource: dg.ResourceDefinition, args: Mapping[str, object], *, unknown: Collection[str] = ()
) -> list[WrongArgument]:
    """What of *args* the config schema of *resource* refuses: Dagster would refuse it in the run that asks for it.

    Args:
        resource: What `@dagster.resource` made.
        args: Those whose values are known.
        unknown: Names of the others.
    """
    config_type = resource.config_schema.as_field().config_type
    if not isinstance(config_type, Shape | Permissive):
        errors = () if unknown else validate_config(config_type, dict(args)).errors or ()
        read = (config_error(error, owner=_CONFIG_SCHEMA, known=()) for error in errors)
        return [*_misspelt(None, args), *map(_wrong, read)]
    fields = config_type.fields
    names = list(fields) if isinstance(config_type, Shape) else None
    misspelt = list(_misspelt(names, {**args, **dict.fromkeys(unknown)}))
    told = {wrong.path[0] for wrong in misspelt}
    found: list[WrongArgument] = []
    for name, value in args.items():
        if name in fields and name not in told:
            errors = validate_config(fields[name].config_type, value).errors or ()
            read = (config_error(error, owner=_CONFIG_SCHEMA, known=()) for error in errors)
            found += [replace(_wrong(each), path=(name, *each.path)) for each in read]
    needed = {name for name, field in fields.items() if field.is_required}
    return [*misspelt, *found, *_lacking(needed - args.keys() - set(unknown), misspelt)]


def find_wrong_known(
    target: Callable[..., object], args: Mapping[str, object], *, unknown: Collection[str]
) -> list[WrongArgument]:
    """What is wrong with the arguments of *target*, for all that the values of *unknown* may be.

    A class of pydantic's is called with the others, since it looks at each of its fields by itself; nothing else is.
    """
    if isinstance(target, dg.ResourceDefinition):
        return find_wrong_config(target, args, unknown=unknown)
    names = {**args, **dict.fromkeys(unknown)}
    if inspect.isclass(target) and issubclass(target, BaseModel):
        try:
            target(**args)
        except ValidationError as error:
            taken = {*(_arguments_of(target) or names)}
            wrong = find_wrong_arguments(target, names, error)
            return [each for each in wrong if not each.path or each.path[0] not in taken.intersection(unknown)]
        except Exception:  # noqa: BLE001  # the user's own class may raise anything, here for what it is not given
            return list(_misspelt(_arguments_of(target), names))
    misspelt = list(_misspelt(_arguments_of(target), names))
    return [*misspelt, *_lacking(_required_of(target) - names.keys(), misspelt)]


def _lacking(names: Iterable[str], misspelt: Sequence[WrongArgument]) -> Iterator[WrongArgument]:
    """That *names* are not given, but for those that are meant by a misspelt one."""
    for name in sorted(names):
        if not any(f"'{name}'" in wrong.fix for wrong in misspelt):
            yield WrongArgument((), f"it lacks '{name}'", f"add '{name}'", says_all=True)


def _wrong(error: ArgumentError) -> WrongArgument:
    return WrongArgument(error.path, str(error), error.fix, says_all=True)


def _misspelt(known: Sequence[str] | None, args: Mapping[str, object]) -> Iterator[WrongArgument]:
    """The keys of *args* that are none of the *known* ones or that were meant for `secret_ref`."""
    for path in _keys_like_secret_ref(args):
        yield WrongArgument(path, "a secret is named by {secret_ref: NAME}", f"did you mean '{_REFERENCE}'?", True)
    for name in args:
        if known is not None and name not in known:
            fix = did_you_mean(name, [other for other in known if other not in args])
            why = f"there is no argument '{name}'; it takes {list_names(known)}"
            yield WrongArgument((name,), why, fix or "delete it", says_all=True)


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


def _required_of(target: Callable[..., object]) -> set[str]:
    """The names of the arguments that *target* cannot be called without."""
    try:
        parameters = inspect.signature(target).parameters.values()
    except (TypeError, ValueError):
        return set()
    named = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
    return {each.name for each in parameters if each.kind in named and each.default is inspect.Parameter.empty}
