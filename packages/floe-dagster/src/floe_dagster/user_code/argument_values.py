"""The value of one argument of a user's function: from what a document can hold to what the annotation asks for."""

import inspect
import json
import types
import typing
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from functools import cached_property
from inspect import Parameter
from typing import cast

import dagster as dg
from dagster._config import process_config
from dagster._config.errors import EvaluationError
from dagster._config.pythonic_config.config import infer_schema_from_config_class
from dagster._config.stack import EvaluationStackPathEntry
from pydantic import TypeAdapter, ValidationError
from pydantic.errors import PydanticUserError
from pydantic_core import ErrorDetails

from floe_core.errors import YamlPath
from floe_core.names.rules import RuleError
from floe_core.suggestions import did_you_mean, list_names
from floe_core.yaml_text.scalars import plain_scalar

IN_QUOTES = "write it in quotes"

_WRITE = {
    "int": "write a whole number",
    "float": "write a number",
    "bool": "write true or false",
    "string": "write text",
    "list": "write a list, [first, second]",
    "set": "write a list, [first, second]",
    "tuple": "write a list, [first, second]",
    "dict": "write a mapping, {key: value}",
    "date": "write it like 2024-03-01",
    "datetime": "write it like 2024-03-01T06:30:00",
    "time": "write it like 06:30:00",
}
"""By the first word of pydantic's names for what is wrong: `int_type`, `date_from_datetime_parsing`."""


class ArgumentError(Exception):
    """A value does not fit the parameter that it is for."""

    def __init__(self, path: YamlPath, reason: str, fix: str = "") -> None:
        super().__init__(reason)
        self.path = path
        self.fix = fix


@dataclass(frozen=True)
class Argument:
    """A parameter that a document may fill in: what it is annotated with, and its default."""

    name: str
    annotation: object = Parameter.empty
    default: object = Parameter.empty

    @property
    def is_required(self) -> bool:
        """Whether the function cannot be called without it."""
        return self.default is Parameter.empty

    @cached_property
    def adapter(self) -> TypeAdapter[object] | None:
        """What reads its values; None where no value of a document is of that type."""
        try:
            return type_adapter(object if self.annotation is Parameter.empty else self.annotation)
        except PydanticUserError:
            return None

    def convert(self, value: object, *, is_processed: bool = False) -> object:
        """*value*, which is out of what JSON has, as the type that the parameter is annotated with.

        Args:
            value: What a document says.
            is_processed: Whether it comes out of the run config, where Dagster has read it already.

        Raises:
            ArgumentError: It is none of that type; whole numbers are numbers, and nothing else is turned.
        """
        config_class = next((arm for arm in arms_of(self.annotation) if is_config_class(arm)), None)
        if config_class is not None and isinstance(value, Mapping):
            return _config_object(config_class, value, is_processed=is_processed)
        member = member_named(value, self.annotation)
        if member is not None:
            return member
        if self.adapter is None:
            reason = f"no value of a document is of its type, {show_annotation(self.annotation)}"
            raise ArgumentError((), reason, "give the parameter a default, or make a resource of it")
        try:
            return self.adapter.validate_json(json.dumps(value), strict=True)
        except ValidationError as error:
            raise argument_errors(error, value)[0] from None


def arms_of(annotation: object) -> Iterator[object]:
    """The alternatives of a union, or the annotation itself, without what `Annotated` adds."""
    origin = typing.get_origin(annotation)
    if origin is typing.Annotated:
        yield from arms_of(typing.get_args(annotation)[0])
    elif origin in (typing.Union, types.UnionType):
        for arm in typing.get_args(annotation):
            yield from arms_of(arm)
    else:
        yield annotation


def is_enum(annotation: object) -> typing.TypeGuard[type[Enum]]:
    """Whether the annotation is a class of named values."""
    return inspect.isclass(annotation) and issubclass(annotation, Enum)


def member_named(value: object, annotation: object) -> Enum | None:
    """The member of an annotated enum that *value* is the name of; values that are no names are read as such."""
    members = (arm.__members__ for arm in arms_of(annotation) if is_enum(arm))
    return next((named[value] for named in members if isinstance(value, str) and value in named), None)


def type_adapter(annotation: object) -> TypeAdapter[object]:
    """What reads values of the type; pydantic raises where it knows none."""
    return TypeAdapter(annotation)  # type: ignore[arg-type] # any annotation, which pydantic looks at


def show_annotation(annotation: object) -> str:
    """The annotation as its author would write it, without what `Annotated` adds to a type."""
    bare = typing._strip_annotations(annotation)  # type: ignore[attr-defined]  # noqa: SLF001  # get_type_hints has it
    return inspect.formatannotation(bare).replace("typing.", "").replace("NoneType", "None")


def is_config_class(annotation: object) -> typing.TypeGuard[type[dg.Config]]:
    """Whether the annotation is a class of Dagster's config."""
    return inspect.isclass(annotation) and issubclass(annotation, dg.Config)


def _config_object(config_class: type[dg.Config], value: Mapping[str, object], *, is_processed: bool) -> dg.Config:
    """An object of a class derived from `dagster.Config`, which Dagster itself reads less strictly than run config."""
    if not is_processed:
        result = process_config(infer_schema_from_config_class(config_class).config_type, dict(value))
        for error in result.errors or ():
            raise config_error(error, owner=config_class.__name__, known=list(config_class.model_fields))
        value = cast("Mapping[str, object]", result.value)
    try:
        return config_class(**config_class._get_non_default_public_field_values_cls(dict(value)))  # noqa: SLF001
    except ValidationError as error:
        raise argument_errors(error, value)[0] from None


def config_error(error: EvaluationError, *, owner: str, known: Collection[str]) -> ArgumentError:
    """What Dagster says of a value that *owner*, which has the fields *known*, refuses as its config."""
    path = [entry.field_name for entry in error.stack.entries if isinstance(entry, EvaluationStackPathEntry)]
    names = getattr(error.error_data, "field_names", None) or [getattr(error.error_data, "field_name", "")]
    shown = list_names(f"'{name}'" for name in names)
    match error.reason.name:
        case "MISSING_REQUIRED_FIELD" | "MISSING_REQUIRED_FIELDS":
            return ArgumentError(tuple(path), f"it lacks {shown}", f"add {shown}")
        case "FIELD_NOT_DEFINED" | "FIELDS_NOT_DEFINED":
            fix = did_you_mean(names[0], () if path else known) or "delete it"
            return ArgumentError((*path, names[0]), f"{owner} has no field {shown}", fix)
        case _:
            named = getattr(getattr(error.error_data, "config_type_snap", None), "given_name", None)
            reason = f"{owner} has {f'type {named}' if named else 'another type'} there"
            return ArgumentError(tuple(path), reason, _WRITE.get(str(named).lower(), ""))


def argument_errors(error: ValidationError, value: object) -> list[ArgumentError]:
    """Pydantic's errors, in its words; their paths lead into *value*."""
    return [_argument_error(details, value) for details in error.errors(include_url=False)]


def _argument_error(details: ErrorDetails, value: object) -> ArgumentError:
    path: list[str | int] = []
    inner = value
    for part in details["loc"]:  # names of union arms and of validators stand in it, too
        is_item = isinstance(inner, list) and isinstance(part, int) and part < len(inner)
        if is_item or (isinstance(inner, Mapping) and part in inner):
            inner = cast("dict[object, object]", inner)[part]
            path.append(part)
    message = details["msg"].replace("a valid array", "a list").replace("an object", "a mapping")
    reason = message[:1].lower() + message[1:]
    fix = _how_to_write(details["type"], inner)
    if details["type"] == "missing":
        reason = f"it lacks '{details['loc'][-1]}'"
    if details["type"] == "value_error":
        broken = details["ctx"]["error"]
        reason, fix = str(broken), broken.fix if isinstance(broken, RuleError) else ""
    return ArgumentError(tuple(path), reason, fix)


def _how_to_write(kind: str, value: object) -> str:
    """What to write in place of *value*; only its quotes where these, or that it has none, make it another type."""
    if kind == "string_type" and isinstance(value, int | float) and not isinstance(value, bool):
        return f'{IN_QUOTES}: "{value}"'
    is_number = isinstance(value, str) and bool(value.strip()) and type(plain_scalar(value)) in (int, float)
    if kind in ("int_type", "float_type") and is_number:
        return f"write it without quotes: {value}"
    return _WRITE.get(kind.partition("_")[0], "")
