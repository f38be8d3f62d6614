"""The arguments of a user's function as config fields of Dagster, which the Launchpad shows and edits."""

import json
import typing
from collections import abc
from collections.abc import Mapping
from inspect import Parameter

import dagster as dg
from dagster._config import Array, ConfigType
from dagster._config.pythonic_config.config import infer_schema_from_config_class
from pydantic.errors import PydanticUserError
from pydantic_core import PydanticSerializationError

from floe_dagster.user_code.argument_values import (
    Argument,
    arms_of,
    is_config_class,
    is_enum,
    member_named,
    type_adapter,
)
from floe_dagster.user_code.arguments import FunctionArguments

_ANYTHING = dg.Field(dg.Any).config_type
_SCALARS: Mapping[object, object] = {str: dg.String, int: dg.Int, float: dg.Float, bool: dg.Bool}
_LISTS = (list, tuple, set, frozenset, abc.Sequence, abc.Iterable, abc.Collection, abc.Set)
_MAPPINGS = (dict, abc.Mapping, abc.MutableMapping)
_ONE_ITEM_TYPE = 1


def config_schema_of(function: FunctionArguments, args: Mapping[str, object]) -> ConfigType:
    """The config of an op that calls *function*: a field for each argument, with the value of *args* as its default.

    What Dagster has no type for, or no type that JSON has, is a field for any value; the function's own annotation
    decides when it is called.
    """
    fields = {name: _field_of(argument, args) for name, argument in function.arguments.items()}
    if function.config_class is not None:
        whole = infer_schema_from_config_class(function.config_class).config_type
        fields |= {
            name: _with_default(field, args[name]) if name in args else field
            for name, field in getattr(whole, "fields", {}).items()
            if name not in fields
        }
    if not function.takes_any:
        return dg.Shape(fields)  # type: ignore[no-untyped-call] # has no annotations
    more = {name: dg.Field(dg.Any, default_value=value) for name, value in args.items() if name not in fields}
    return dg.Permissive({**fields, **more})  # type: ignore[no-untyped-call] # has no annotations


def _field_of(argument: Argument, args: Mapping[str, object]) -> dg.Field:
    config_type = _config_type(argument.annotation)
    if argument.name in args:
        return _field(config_type, _shown(argument, args[argument.name]))
    if argument.is_required:
        return dg.Field(config_type)
    try:
        return _field(config_type, _plain(argument))
    except (PydanticUserError, PydanticSerializationError, TypeError, ValueError):
        return dg.Field(config_type, is_required=False)  # a default that cannot be shown is left to the function


def _shown(argument: Argument, value: object) -> object:
    """The name of an enum's member as the value that it stands for."""
    member = member_named(value, argument.annotation)
    return value if member is None else member.value


def _with_default(field: dg.Field, value: object) -> dg.Field:
    return dg.Field(field.config_type, default_value=value, is_required=False, description=field.description)


def _field(config_type: ConfigType, default: object) -> dg.Field:
    if default is None and not _takes_nothing(config_type):
        config_type = dg.Noneable(config_type)
    return dg.Field(config_type, default_value=default, is_required=False)


def _takes_nothing(config_type: ConfigType) -> bool:
    return config_type is _ANYTHING or config_type.kind.name == "NONEABLE"


def _plain(argument: Argument) -> object:
    """The default out of what JSON has."""
    adapter = argument.adapter or type_adapter(object)
    value = adapter.dump_python(argument.default, mode="json", warnings="error")
    json.dumps(value, allow_nan=False)
    return value


def _config_type(annotation: object) -> ConfigType:
    if annotation is Parameter.empty:
        return _ANYTHING
    arms = list(arms_of(annotation))
    known = [arm for arm in arms if arm is not type(None)]
    if len(known) != 1:
        return _ANYTHING
    config_type = _single_type(known[0])
    return config_type if len(arms) == 1 or _takes_nothing(config_type) else dg.Noneable(config_type)


def _single_type(annotation: object) -> ConfigType:
    origin, inner = typing.get_origin(annotation) or annotation, typing.get_args(annotation)
    if annotation in _SCALARS:
        return dg.Field(_SCALARS[annotation]).config_type
    if origin is typing.Literal:
        return _enum(inner)
    if is_enum(annotation):
        return _enum([member.value for member in annotation])
    if origin in _LISTS:
        items = [item for item in inner if item is not Ellipsis]
        return Array(_config_type(items[0]) if len(items) == _ONE_ITEM_TYPE else _ANYTHING)
    if origin in _MAPPINGS:
        if inner and inner[0] is str:
            return dg.Map(str, _config_type(inner[1]))  # type: ignore[no-untyped-call] # has no annotations
        return dg.Field(dict).config_type
    if is_config_class(annotation):
        return infer_schema_from_config_class(annotation).config_type
    return _by_json(annotation)


def _by_json(annotation: object) -> ConfigType:
    """What a type is in a document: dates and paths are texts, models and dataclasses mappings."""
    try:
        kind = type_adapter(annotation).json_schema().get("type")
    except PydanticUserError:
        return _ANYTHING
    return dg.Field({"string": dg.String, "object": dict, "array": list}.get(str(kind), dg.Any)).config_type


def _enum(values: typing.Sequence[object]) -> ConfigType:
    if not all(isinstance(value, str) for value in values):
        return _ANYTHING
    name = " or ".join(map(str, values))
    return dg.Enum(name, [dg.EnumValue(str(value)) for value in values])
