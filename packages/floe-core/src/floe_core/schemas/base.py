"""What every model of a document has in common."""

from collections import Counter
from collections.abc import Mapping
from typing import Annotated, TypeAlias, TypeVar

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    ValidationInfo,
    ValidatorFunctionWrapHandler,
)
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, core_schema

from floe_core.interpolation import EnvText, Unset
from floe_core.names.rules import RuleError
from floe_core.yaml_text.scalars import WrittenFloat, WrittenInt, plain_scalar

T = TypeVar("T")


def _let_unset_pass(schema: CoreSchema) -> None:
    """Wrap the schema of every field, in place, but that of the field that tells kinds apart."""
    inner = schema
    while inner["type"] != "model-fields":
        inner = inner["schema"]  # a model and its validators each hold one schema
    for name, field in inner["fields"].items():
        holder = field["schema"] if field["schema"]["type"] == "default" else field
        tells_kinds_apart = name == "type" and len(holder["schema"].get("expected", ())) == 1
        if not tells_kinds_apart and not _lets_unset_pass(holder["schema"]):
            holder["schema"] = core_schema.no_info_wrap_validator_function(_pass_unset, holder["schema"])


def _lets_unset_pass(schema: CoreSchema) -> bool:
    return schema["type"] == "function-wrap" and schema["function"]["function"] is _pass_unset


def _pass_unset(value: object, handler: ValidatorFunctionWrapHandler) -> object:
    return value if isinstance(value, Unset) else handler(value)


class FloeModel(BaseModel):
    """A part of a document: immutable, and strict about its keys.

    A value whose environment variable is not set stands in any field as an `Unset`, unchecked.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)

    @classmethod
    def __get_pydantic_core_schema__(cls, source: type[BaseModel], handler: GetCoreSchemaHandler) -> CoreSchema:
        # A field validator over "*" would say the same, but pydantic allows none on a field that tells kinds apart.
        schema = handler(source)
        _let_unset_pass(handler.resolve_ref_schema(schema))
        return schema


def _pass_unset_item(value: object, handler: ValidatorFunctionWrapHandler) -> object:
    if isinstance(value, Mapping) and isinstance(value.get("type"), Unset):
        return value["type"]
    return _pass_unset(value, handler)


class _MayBeUnset:
    """A value, or an `Unset` in its place; lighter than a `WrapValidator` in every list and mapping."""

    def __get_pydantic_core_schema__(self, source: object, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_wrap_validator_function(_pass_unset_item, handler(source))


def known(info: ValidationInfo, field: str) -> object:
    """The value of a field that comes before the validated one; None where it is unset, left out or refused itself."""
    value = info.data.get(field)
    return None if isinstance(value, Unset) else value


def check_unique(items: tuple[str, ...], what: str) -> tuple[str, ...]:
    """*items*, if none stands twice.

    Raises:
        RuleError: One does; the error stands at its second place.
    """
    for item, count in Counter(items).items():
        if count > 1:
            second = items.index(item, items.index(item) + 1)
            raise RuleError(
                f"every {what} stands once, and '{item}' stands {count} times", fix="delete the others", at=(second,)
            )
    return items


class _OneOrSeveral:
    """A single value where a list is meant."""

    def __get_pydantic_core_schema__(self, source: object, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_before_validator_function(self._listed, handler(source))

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        array = handler(schema)
        return {"anyOf": [array["items"], array]}

    @staticmethod
    def _listed(value: object) -> object:
        return [value] if isinstance(value, str | int | float | Mapping) else value


class Shorthand:
    """A plain value where a mapping is meant: it is the value of *field*."""

    def __init__(self, field: str, *, choices: tuple[str, ...] = ()) -> None:
        self.field = field
        self.choices = choices

    def __get_pydantic_core_schema__(self, source: object, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_before_validator_function(self._expanded, handler(source))

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        short: JsonSchemaValue = {"enum": list(self.choices)} if self.choices else {"type": "string"}
        return {"anyOf": [short, handler(schema)]}

    def _expanded(self, value: object) -> object:
        return {self.field: value} if isinstance(value, str) else value


def _read_plain(value: object) -> object:
    if isinstance(value, EnvText):
        return plain_scalar(value)
    if isinstance(value, WrittenInt | WrittenFloat):
        return plain_scalar(value.written)
    if isinstance(value, Mapping):
        return {key: _read_plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_read_plain(item) for item in value]
    return value


def _refuse_empty(items: tuple[T, ...]) -> tuple[T, ...]:
    if not items:
        raise RuleError("the list is empty", fix="name at least one, or leave the key out")
    return items


def _read_section(value: object) -> object:
    return {} if value is None else value


OrUnset = Annotated[T, _MayBeUnset()]
Several = Annotated[tuple[OrUnset[T], ...], _OneOrSeveral()]
AtLeastOne = Annotated[Several[T], AfterValidator(_refuse_empty)]
PlainValue: TypeAlias = Annotated[object, BeforeValidator(_read_plain)]
PlainMapping: TypeAlias = dict[str, PlainValue]
EmptySection = BeforeValidator(_read_section)
"""A section whose entries are all commented out is an empty one."""
