"""The reference of a document in Markdown: every key with its values, its default and what it means."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias, cast

from floe_core.json_schemas import json_schema

Schema: TypeAlias = Mapping[str, object]

_INTRODUCTION = """\
In every value `${NAME}` or `${NAME:default}` may stand, which is read from the environment. Where a list is taken, a
single value is a list of one. `NAME` and `PATTERN` in a heading stand for keys of your own. Top-level keys that begin
with `x-` are not read."""
_REFERENCE = "#/$defs/"
_EXPRESSION = f"{_REFERENCE}Expression"
_TITLES = {"SecretRef": "Secrets"}
_NAMES_OF_KEYS = {"assets": "PATTERN"}
_SCALARS = {"integer": "whole number", "number": "number", "boolean": "`true` or `false`"}


def schema_reference(kind: Literal["floe", "platform"]) -> str:
    """The reference of floe.yaml or platform.yaml: a section for each kind of mapping, in the order of the document."""
    schema = json_schema(kind)
    sections = _Sections(cast("dict[str, Schema]", schema["$defs"]))
    sections.collect("", schema)
    lines = [
        f"# {kind}.yaml",
        "",
        f"{schema['description']} `floe schema {kind} --format markdown` prints this page.",
        "",
        _INTRODUCTION,
        "",
        *_table(schema, sections),
    ]
    for section in sections.found.values():
        also = f" The same stands at {_joined(section.other_places, 'and')}." if section.other_places else ""
        lines += ["", f"## {section.title}", "", f"{section.schema['description']}{also}", ""]
        lines += _table(section.schema, sections)
    return "\n".join(lines) + "\n"


@dataclass(frozen=True)
class _Section:
    """A kind of mapping; `label` is what tables call it."""

    title: str
    label: str
    schema: Schema
    other_places: list[str]

    @property
    def link(self) -> str:
        """A link to the section, by the anchor that GitHub makes of its heading."""
        anchor = re.sub(r"[^\w\- ]", "", self.title.lower()).replace(" ", "-")
        return f"[{self.label}](#{anchor})"


class _Sections:
    """Every kind of mapping below a document, in the order in which one comes upon them."""

    def __init__(self, definitions: Mapping[str, Schema]) -> None:
        self.found: dict[str, _Section] = {}
        self._definitions = definitions

    def collect(self, path: str, schema: Schema) -> None:
        """Find what stands below the mapping at *path*."""
        for key, inner in _fields(schema).items():
            named = dict.fromkeys(_references(f"{path}.{key}".lstrip("."), inner, _NAMES_OF_KEYS.get(key, "NAME")))
            new = [(place, name) for place, name in named if name not in self.found]
            for place, name in named:
                if (place, name) in new:
                    self.found[name] = self._section(place, name)
                elif name not in _TITLES:
                    self.found[name].other_places.append(f"`{place}`")
            for place, name in new:
                self.collect(place, self._definitions[name])

    def _section(self, place: str, name: str) -> _Section:
        schema = self._definitions[name]
        if name in _TITLES:
            return _Section(_TITLES[name], f"`{{{', '.join(_fields(schema))}: NAME}}`", schema, [])
        kind = _constant(_fields(schema).get("type", {}))
        if kind:
            return _Section(f"{place} of type {kind}", f"`{kind}`", schema, [])
        is_second = place in {section.title for section in self.found.values()}
        which = f" with {next(iter(_fields(schema)))}" if is_second else ""
        return _Section(f"{place}{which}", f"mapping{which}", schema, [])


def _references(path: str, schema: Schema, name_of_keys: str) -> Iterator[tuple[str, str]]:
    """(Place, definition) of what *schema*, of the value at *path*, refers to."""
    reference = str(schema.get("$ref", _EXPRESSION))
    if reference != _EXPRESSION:
        yield path, reference.removeprefix(_REFERENCE)
    for inner in [*_schemas(schema.get("anyOf")), *_schemas([schema.get("items")])]:
        yield from _references(path, inner, name_of_keys)
    for inner in _schemas([schema.get("additionalProperties")]):
        yield from _references(f"{path}.{name_of_keys}", inner, name_of_keys)


def _table(schema: Schema, sections: _Sections) -> Iterator[str]:
    yield "| key | value | default | meaning |"
    yield "|---|---|---|---|"
    required = cast("list[str]", schema.get("required", []))
    for key, inner in sorted(_fields(schema).items(), key=lambda field: field[0] != "type"):
        default = "required" if key in required else _default(inner.get("default"))
        value = _joined(list(dict.fromkeys(_values(inner, sections))), "or")
        cells = (f"`{key}`", value, default, str(inner.get("description", "")))
        yield "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _values(schema: Schema, sections: _Sections) -> Iterator[str]:
    """What may stand there, in words; an expression, null and other spellings of a word go without saying."""
    choices = [choice for choice in _schemas(schema.get("anyOf")) if choice.get("$ref") != _EXPRESSION]
    if any("enum" in choice for choice in choices):
        choices = [choice for choice in choices if "pattern" not in choice]
    lists = [choice for choice in choices if choice.get("type") == "array"]
    if "$ref" in schema:
        yield sections.found[str(schema["$ref"]).removeprefix(_REFERENCE)].link
    elif choices:
        for choice in lists or choices:
            yield from _values(choice, sections)
    elif "enum" in schema or "const" in schema:
        yield from (f"`{word}`" for word in cast("list[object]", schema.get("enum", [schema.get("const")])))
    elif schema.get("type") != "null":
        yield _plain_value(schema, sections)


def _plain_value(schema: Schema, sections: _Sections) -> str:
    match schema.get("type"):
        case "array":
            [items] = _schemas([schema["items"]])
            most = f", at most {schema['maxItems']}" if "maxItems" in schema else ""
            return f"list of {_joined(list(_values(items, sections)), 'or')}{most}"
        case "object":
            values = [
                value for item in _schemas([schema.get("additionalProperties")]) for value in _values(item, sections)
            ]
            return f"mapping of names to {_joined(values, 'or')}" if values else "mapping"
        case str(name) if name in _SCALARS:
            return f"{_SCALARS[name]}{_bounds(schema)}"
        case _:
            return "text"


def _bounds(schema: Schema) -> str:
    words = {"minimum": "from", "exclusiveMinimum": "more than", "maximum": "to"}
    return "".join(f" {word} {schema[key]:g}" for key, word in words.items() if key in schema)


def _default(value: object) -> str:
    if value in (None, [], {}, ""):
        return ""
    text = value if isinstance(value, str) else re.sub(r'"(\w+)"', r"\1", json.dumps(value))
    return f"`{text}`"


def _constant(schema: Schema) -> str:
    return next((str(choice["const"]) for choice in _schemas(schema.get("anyOf")) if "const" in choice), "")


def _fields(schema: Schema) -> Mapping[str, Schema]:
    return cast("Mapping[str, Schema]", schema.get("properties", {}))


def _schemas(values: object) -> list[Schema]:
    return [value for value in values if isinstance(value, Mapping)] if isinstance(values, list) else []


def _joined(words: list[str], last: str) -> str:
    return f" {last} ".join(filter(None, [", ".join(words[:-1]), words[-1]]))
