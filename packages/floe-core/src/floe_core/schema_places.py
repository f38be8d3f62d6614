"""Where in a document, and in its schema, pydantic's `loc` of an error leads."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

from pydantic import AliasChoices, BaseModel

from floe_core.errors import YamlPath
from floe_core.schemas.base import Shorthand

CoreSchema: TypeAlias = Mapping[str, Any]


@dataclass(frozen=True)
class Place:
    """A value of the document: its path, its schema and the value itself, and how it was come by.

    `tag` is its own `type:`, and `kinds` all that there are.
    """

    path: YamlPath
    schema: CoreSchema
    value: object
    model: type[BaseModel] | None = None
    is_key: bool = False
    tag: str = ""
    kinds: Mapping[str, CoreSchema] | None = None


class SchemaWalker:
    """Follows a document and the schema of its model at the same time."""

    def __init__(self, model: type[BaseModel], value: object) -> None:
        self._schema: CoreSchema = model.__pydantic_core_schema__
        self._definitions = {definition["ref"]: definition for definition in self._schema.get("definitions", ())}
        self._value = value

    def walk(self, loc: tuple[str | int, ...]) -> Place:
        """The value of the document that *loc* means; tags of unions and the insides of short forms are left out."""
        place = Place((), self._schema, self._value)
        for index, part in enumerate(loc):
            if part == "[key]" and index == len(loc) - 1:
                return replace(place, is_key=True, value=place.path[-1])
            place = self.step(place, part)
        return place

    def step(self, place: Place, part: str | int) -> Place:
        """The place that *part* of a `loc` leads to from *place*."""
        schema, model = self.unwrap(place.schema)
        match schema["type"]:
            case "tagged-union" if part in schema["choices"]:
                inner = schema["choices"][part]
                if schema["discriminator"] != "type":
                    return replace(place, schema=inner, tag="", kinds=None)
                return replace(place, schema=inner, tag=str(part), kinds=schema["choices"])
            case "model-fields":
                inner = schema["fields"][field_name(model, part)]["schema"]
            case "dict":
                inner = schema["values_schema"]
            case "tuple":
                inner = schema["items_schema"][0]
            case _:
                inner = {"type": "any"}
        value = place.value
        if isinstance(value, dict) and (written := _written_key(model, part, value)) is not None:
            return Place((*place.path, written), inner, value[written], model)
        if isinstance(value, list) and isinstance(part, int):
            return Place((*place.path, part), inner, value[part], model)
        return replace(place, schema=inner, model=model, tag="", kinds=None)

    def unwrap(self, schema: CoreSchema) -> tuple[CoreSchema, type[BaseModel] | None]:
        """The schema that says what the value is made of, and the model around it if it is one."""
        model: type[BaseModel] | None = None
        while True:
            if schema["type"] == "definition-ref":
                schema = self._definitions[schema["schema_ref"]]
            elif schema["type"] == "model":
                model, schema = schema["cls"], schema["schema"]
            elif "schema" in schema:
                schema = schema["schema"]
            else:
                return schema, model

    def short_form(self, schema: CoreSchema) -> str:
        """The key whose value may stand alone for the mapping that *schema* is about; empty where none may."""
        while "schema" in schema:
            shorthand = getattr(schema.get("function", {}).get("function"), "__self__", None)
            if isinstance(shorthand, Shorthand):
                return shorthand.field
            schema = schema["schema"]
        return ""


def _written_key(model: type[BaseModel] | None, key: str | int, value: Mapping[str | int, object]) -> str | int | None:
    """The word of *value* that *key* is written as: the key, or another that *model* takes for it; None without one."""
    if key in value:
        return key
    other_words: Mapping[str, str] = getattr(model, "_other_words", {})
    return next((word for word, meant in other_words.items() if meant == key and word in value), None)


def keys_of(model: type[BaseModel] | None) -> Iterator[str]:
    """The keys that a mapping for *model* may have, each field's preferred one; those it must have come first."""
    fields = model.model_fields if model else {}
    for name, field in sorted(fields.items(), key=lambda item: not item[1].is_required()):
        yield _aliases(name, field.validation_alias)[0]


def field_name(model: type[BaseModel] | None, key: str | int) -> str:
    """The field that *key* of the document fills."""
    for name, field in (model.model_fields if model else {}).items():
        if key in _aliases(name, field.validation_alias):
            return name
    raise KeyError(key)


def _aliases(name: str, alias: object) -> list[str]:
    if isinstance(alias, AliasChoices):
        return [str(choice) for choice in alias.choices]
    return [alias if isinstance(alias, str) else name]


def describe_field(model: type[BaseModel] | None, key: str) -> str:
    """The first clause of what the field is for."""
    description = (model.model_fields[field_name(model, key)].description if model else "") or ""
    clause = re.split(r"[:;,.](?:\s|\Z)", description, maxsplit=1)[0]
    return clause[:1].lower() + clause[1:]


def is_required(place: Place) -> bool:
    """Whether the document must have something at *place*."""
    return bool(place.path) and is_required_key(place.model, place.path[-1])


def is_required_key(model: type[BaseModel] | None, key: str | int) -> bool:
    """Whether a mapping for *model* must have *key*."""
    fields = model.model_fields.items() if model else ()
    return any(key in _aliases(name, field.validation_alias) and field.is_required() for name, field in fields)
