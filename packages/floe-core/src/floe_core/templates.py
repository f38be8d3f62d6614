"""Texts with places to fill in: `{file.name}`, `{partition_start:%Y-%m-%d}`, and `{{` for a brace."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from floe_core.errors import YamlPath
from floe_core.suggestions import did_you_mean, list_names

_TOKEN = re.compile(r"\{\{|\}\}|\{([^{}]*)\}|[{}]")


@dataclass(frozen=True, slots=True)
class Placeholder:
    """A place to fill in: the name between the braces, and the format after a colon (may be empty)."""

    name: str
    format: str = ""


Template: TypeAlias = tuple[str | Placeholder, ...]


class TemplateError(ValueError):
    """A text whose braces do not say what to fill in."""

    def __init__(self, rule: str, *, fix: str = "") -> None:
        super().__init__(rule)
        self.fix = fix


def parse_template(text: str, names: Iterable[str]) -> Template:
    """The literal parts and the places of *text*, whose braces may only hold *names*.

    >>> parse_template("{file.stem} in {{braces}}", ["file.stem"])
    (Placeholder(name='file.stem', format=''), ' in {braces}')

    Raises:
        TemplateError: A brace is left open, or holds another name.
    """
    parts: list[str | Placeholder] = []
    literal, position = "", 0
    for token in _TOKEN.finditer(text):
        literal += text[position : token.start()]
        position = token.end()
        if token[0] in ("{{", "}}"):
            literal += token[0][0]
            continue
        parts += [literal] if literal else []
        parts.append(_parse_placeholder(token, tuple(names)))
        literal = ""
    literal += text[position:]
    return (*parts, *([literal] if literal else []))


def texts_in(value: object, path: YamlPath = ()) -> Iterator[tuple[YamlPath, str]]:
    """Every text in a tree of mappings and lists, with its path."""
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, Mapping):
        for key, item in value.items():
            yield from texts_in(item, (*path, key))
    elif isinstance(value, list | tuple):
        for index, item in enumerate(value):
            yield from texts_in(item, (*path, index))


def _parse_placeholder(token: re.Match[str], names: tuple[str, ...]) -> Placeholder:
    if token[1] is None:
        plain = f"write '{token[0] * 2}' for a plain brace"
        raise TemplateError(
            "every '{' that is filled in has its '}'", fix=f"add the '}}', or {plain}" if token[0] == "{" else plain
        )
    name, _, form = token[1].partition(":")
    if name not in names:
        raise TemplateError(
            f"'{{{token[1]}}}' cannot be filled in: there is {list_names([f'{{{known}}}' for known in names])}",
            fix=did_you_mean(name, names) or f"write '{{{{{token[1]}}}}}' for plain braces",
        )
    return Placeholder(name, form)
