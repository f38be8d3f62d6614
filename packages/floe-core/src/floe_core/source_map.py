"""Where every value and key of a document stands."""

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from floe_core.errors import Location, YamlPath, format_yaml_path, shown_path

_COMPARED = 4
_EXPRESSION = re.compile(r"\$\{")


@dataclass(frozen=True, slots=True)
class Position:
    """Where a value begins, and the same for everything in it; lines and columns count from 1."""

    line: int
    column: int
    children: "Mapping[str | int, Child]" = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Child:
    """Where a key and its value begin; in a list, where the item begins."""

    line: int
    column: int
    value: Position


@dataclass(frozen=True)
class SourceMap:
    """The file behind a value: where each YAML path stands, and the lines to quote.

    Lines that hold no part of a value (comments, empty lines) are kept as empty text.
    """

    file: str
    lines: tuple[str, ...]
    root: Position

    def locate(self, *path: str | int, key: bool = False) -> Location:
        """Where the value at *path* begins, or its key.

        Where the document has no such path, the key of the nearest place above it that the document has.
        """
        position, begins = self.root, (self.root.line, self.root.column)
        for depth, part in enumerate(path):
            child = position.children.get(part)
            if child is None:
                return self._location(begins, path[:depth])
            position, begins = child.value, (child.line, child.column)
        return self._location(begins if key else (position.line, position.column), path)

    def locate_text(self, path: YamlPath, text: str, *, ordinal: int) -> Location:
        """Where *text*, a part of the scalar at *path* that begins with `${`, stands.

        Args:
            path: The scalar.
            text: From the `${` to the end of the scalar.
            ordinal: How many other `${` come before it in the scalar.

        Returns:
            The scalar's own place where the part cannot be found, as with a `$` written as an escape.
        """
        whole = self.locate(*path)
        line, column = whole.line or 1, (whole.column or 1) - 1
        begins = text.split("\n", maxsplit=1)[0][:_COMPARED]
        for number in range(line, len(self.lines) + 1):
            for match in _EXPRESSION.finditer(self.lines[number - 1], column if number == line else 0):
                if ordinal:
                    ordinal -= 1
                    continue
                found = self.lines[number - 1].startswith(begins, match.start())
                return self._location((number, match.start() + 1), path) if found else whole
        return whole

    def locate_within(self, path: YamlPath, text: str, *, offset: int) -> Location:
        """Where the character at *offset* of *text*, the scalar at *path*, stands."""
        return self.locate(*path).within(text, offset=offset)

    def __contains__(self, path: object) -> bool:
        """Whether the document itself has something at *path*."""
        position = self.root
        for part in path if isinstance(path, tuple) else (path,):
            child = position.children.get(part)
            if child is None:
                return False
            position = child.value
        return True

    def without_lines(self, numbers: Iterable[int]) -> "SourceMap":
        """The same, which quotes nothing of what begins on the lines *numbers*, to the last line of each."""
        begins = sorted({1, *_lines_in(self.root), len(self.lines) + 1})
        hidden = {line for number in numbers for line in range(number, begins[bisect_right(begins, number)])}
        lines = tuple("" if number in hidden else line for number, line in enumerate(self.lines, start=1))
        return replace(self, lines=lines)

    def lines_of(self, key: str) -> set[int]:
        """The lines on which the top-level *key* and anything in it begins."""
        child = self.root.children[key]
        return {child.line, *_lines_in(child.value)}

    def paths(self) -> Iterator[YamlPath]:
        """Every path of the document, in its order, from the root `()` on."""
        open_positions: list[tuple[YamlPath, Position]] = [((), self.root)]
        while open_positions:
            path, position = open_positions.pop()
            yield path
            open_positions += reversed([((*path, part), child.value) for part, child in position.children.items()])

    def to_json(self) -> dict[str, object]:
        """Positions and quotable lines as JSON values."""
        return {"lines": list(self.lines), "root": _position_to_json(self.root)}

    @classmethod
    def from_json(cls, data: object, *, file: Path) -> "SourceMap":
        """Rebuild what `to_json` gave, for the document that now stands at *file*.

        Raises:
            ValueError: *data* has another shape.
        """
        match data:
            case {"lines": list(lines), "root": list(root)} if all(isinstance(line, str) for line in lines):
                return cls(shown_path(file), tuple(lines), _position_from_json(root))
            case _:
                raise ValueError("not a source map")

    def _location(self, begins: tuple[int, int], path: YamlPath) -> Location:
        line, column = begins
        quoted = self.lines[line - 1] if line <= len(self.lines) else None
        return Location(self.file, line, column, format_yaml_path(path), quoted)


def _lines_in(position: Position) -> Iterator[int]:
    yield position.line
    for child in position.children.values():
        yield child.line
        yield from _lines_in(child.value)


def _position_to_json(position: Position) -> list[object]:
    if not position.children:
        return [position.line, position.column]
    children = [
        [key, child.line, child.column, *_position_to_json(child.value)] for key, child in position.children.items()
    ]
    return [position.line, position.column, children]


def _position_from_json(data: object) -> Position:
    match data:
        case [int(line), int(column)]:
            return Position(line, column)
        case [int(line), int(column), list(children)]:
            return Position(line, column, dict(map(_child_from_json, children)))
        case _:
            raise ValueError("not a position")


def _child_from_json(data: object) -> tuple[str | int, Child]:
    match data:
        case [str() | int() as key, int(line), int(column), *value]:
            return key, Child(line, column, _position_from_json(value))
        case _:
            raise ValueError("not a position")
