"""JSON Schema of the documents, as editors use it while one types."""

from typing import Literal

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import core_schema

from floe_core.schemas.base import EmptySection
from floe_core.schemas.floe_spec import FloeSpec
from floe_core.schemas.platform_spec import PlatformSpec

_EXPRESSION = "Expression"
_ANY_EXPRESSION: JsonSchemaValue = {"$ref": f"#/$defs/{_EXPRESSION}"}
_NOT_FOR_EDITORS = ("title", "discriminator")
_BOUNDS = {"ge": "minimum", "gt": "exclusiveMinimum", "le": "maximum", "lt": "exclusiveMaximum"}
_BOUNDS_OF_LISTS = {"minLength": "minItems", "maxLength": "maxItems"}
_ANNOTATIONS = ("description", "default")


def json_schema(kind: Literal["floe", "platform"]) -> dict[str, object]:
    """The JSON Schema (draft 2020-12) of floe.yaml or platform.yaml.

    Wherever a value must be a number, true or false, or one of a few words, a text with `${…}` may stand too; keys that
    begin with `x-` are the author's own at the top level.
    """
    model: type[BaseModel] = FloeSpec if kind == "floe" else PlatformSpec
    generated = model.model_json_schema(schema_generator=_EditorSchema)
    definitions = generated.pop("$defs", {})
    for schema in (generated, *definitions.values()):
        _describe_references(schema, definitions)
    definitions = {name: _adapt(schema) for name, schema in definitions.items()}
    definitions[_EXPRESSION] = {
        "type": "string",
        "pattern": r"\$\{",
        "description": "A value from the environment: `${NAME}`, or `${NAME:default}`.",
    }
    return {
        "$schema": GenerateJsonSchema.schema_dialect,
        "title": f"{kind}.yaml",
        **_adapt(generated),
        "patternProperties": {"^x-": {"description": "A place for anchors and notes; not read by floe."}},
        "$defs": definitions,
    }


class _EditorSchema(GenerateJsonSchema):
    """What pydantic makes of the models, and that a section whose entries are all commented out is fine."""

    def function_before_schema(self, schema: core_schema.BeforeValidatorFunctionSchema) -> JsonSchemaValue:
        inner = super().function_before_schema(schema)
        is_section = schema["function"]["function"] is EmptySection.func
        return {"anyOf": [inner, {"type": "null"}]} if is_section else inner


def _describe_references(schema: JsonSchemaValue, definitions: JsonSchemaValue) -> None:
    """Give the fields of *schema* the descriptions that pydantic leaves out since the definition has the same."""
    for field in schema.get("properties", {}).values():
        if "$ref" in field and "description" not in field:
            field["description"] = definitions[field["$ref"].rpartition("/")[2]]["description"]


def _adapt(schema: JsonSchemaValue) -> JsonSchemaValue:
    """The schema of a value with what was said above, in it and in everything below it."""
    adapted = {_BOUNDS.get(key, key): value for key, value in schema.items() if key not in _NOT_FOR_EDITORS}
    if adapted.get("default", ()) is None:
        del adapted["default"]
    for key in ("properties", "patternProperties"):
        if key in adapted:
            adapted[key] = {name: _adapt(inner) for name, inner in adapted[key].items()}
    for key in ("items", "additionalProperties"):
        if isinstance(adapted.get(key), dict):
            adapted[key] = _adapt(adapted[key])
    choices = [*adapted.pop("anyOf", ()), *adapted.pop("oneOf", ())]
    if choices:
        return _adapt_choices(adapted, choices)
    if _is_restricted(adapted):
        annotations = {key: adapted.pop(key) for key in _ANNOTATIONS if key in adapted}
        return {**annotations, "anyOf": [adapted, _ANY_EXPRESSION]}
    return adapted


def _adapt_choices(around: JsonSchemaValue, choices: list[JsonSchemaValue]) -> JsonSchemaValue:
    adapted: list[JsonSchemaValue] = []
    for choice in map(_adapt, choices):
        adapted += choice["anyOf"] if set(choice) == {"anyOf"} else [choice]
    for bound, bound_of_list in _BOUNDS_OF_LISTS.items():
        if bound in around:
            value = around.pop(bound)
            adapted = [
                {**choice, bound_of_list: value} if choice.get("type") == "array" else choice for choice in adapted
            ]
    unique = [choice for index, choice in enumerate(adapted) if choice not in adapted[:index]]
    return {**around, "anyOf": unique}


def _is_restricted(schema: JsonSchemaValue) -> bool:
    """Whether *schema* is of single values, and refuses a text with an expression."""
    types = schema.get("type", ())
    types = {types} if isinstance(types, str) else set(types)
    if "enum" in schema or "const" in schema or (types and types <= {"number", "integer", "boolean"}):
        return True
    return "string" in types and ("pattern" in schema or "format" in schema)
