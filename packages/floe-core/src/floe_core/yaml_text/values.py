"""The events of PyYAML's parser → a plain value, with the line and column of every value and key in it.

PyYAML splits the text; what each plain scalar means, what a document may not hold, and where everything stands is
decided here.
"""

import re
from bisect import bisect_right
from dataclasses import dataclass, replace

import yaml  # noqa: TID251  # this module and yaml_source read YAML

from floe_core.errors import DuplicateKeyError, Location, Problem, ProblemCollector, YamlSyntaxError
from floe_core.secrets.shapes import line_holds_secret
from floe_core.source_map import Child, Position
from floe_core.suggestions import did_you_mean
from floe_core.yaml_text.mistakes import explain_mistake
from floe_core.yaml_text.scalars import Scalar, plain_scalar, written_scalar
from floe_core.yaml_text.stop import quote

_DEEPEST = 64
_MOST_ALIASED = 100_000
_TAG = "tag:yaml.org,2002:"
_TAGGED_TYPES = {"int": int, "float": float, "bool": bool, "null": type(None)}
_LINE_BREAK = re.compile(r"\r\n|\r|\n")
_QUOTED = re.compile(r"(?<!\w)'.{2,}'")
_COMMENT = re.compile(r"(?<![^\s\ufeff])#[^\r\n]*")
_READ_DIFFERENTLY = re.compile("[\t?\ufeff\x85\u2028\u2029]|[|>][+-]?[0-9]?[+-]?#|: +[],}]")
_IN_C: type | None = getattr(yaml, "CSafeLoader", None)


@dataclass(frozen=True, slots=True)
class Comment:
    """A comment from its `#` to the end of its line, and whether it has that line to itself."""

    line: int
    column: int
    text: str
    is_alone: bool


@dataclass(frozen=True, slots=True)
class BuiltValue:
    """A value with its positions, the number of values in it and how deep they are nested."""

    value: object
    position: Position
    size: int = 1
    height: int = 1


class _StopError(Exception):
    """Nothing behind this place can be read."""


def read_document(text: str, file: str) -> tuple["DocumentBuilder", BuiltValue]:
    """Read *text*, which is called *file* in problems, by libyaml where that is there and gives the same events.

    libyaml takes less than a tenth of the time of PyYAML's own parser, whose words and places tell what is wrong; so
    what libyaml refuses is read once more. What one of the two takes and the other does not, or elsewhere, is left to
    PyYAML's own.
    """
    if _IN_C is not None and not _READ_DIFFERENTLY.search(text):
        builder = DocumentBuilder(text, file, loader=_IN_C)
        try:
            return builder, builder.build_document()
        except (yaml.YAMLError, ValueError):
            pass
    builder = DocumentBuilder(text, file)
    return builder, builder.build_document()


class DocumentBuilder:
    """Turns the events of PyYAML's parser into a value with positions, and collects what is wrong on the way.

    Args:
        text: The document, without a byte order mark.
        file: What it is called in problems.
        loader: The class of PyYAML that reads it. Only the default one's errors become problems.
    """

    def __init__(self, text: str, file: str, *, loader: type = yaml.SafeLoader) -> None:
        self.file = file
        self.lines = _LINE_BREAK.split(text)
        self.lines_with_values: set[int] = set()
        self._scalar_starts: list[int] = []
        self._scalar_ends: list[int] = []
        self._text = text
        self._loader_type = loader
        self._line_starts = [0, *(match.end() for match in _LINE_BREAK.finditer(text))]
        self._problems = ProblemCollector()
        self._anchors: dict[str, BuiltValue | None] = {}
        self._aliased = 0

    def raise_problems(self, *, keep_duplicates: bool) -> tuple[Problem, ...]:
        """Raise what was found, or give it back if that is no more than duplicates, and these are kept."""
        problems = self._problems.problems
        only_duplicates = all(problem.code == "FLOE-102" for problem in problems)
        if not (only_duplicates and keep_duplicates):
            self._problems.raise_if_any(DuplicateKeyError if only_duplicates else YamlSyntaxError)
        return problems

    def build_document(self) -> BuiltValue:
        """The value of the document, as far as it can be read."""
        nothing = BuiltValue({}, Position(1, 1))
        try:
            self._check_characters()
            self._loader = self._loader_type(self._text)
            self._next_event()
            if isinstance(self._next_event(), yaml.StreamEndEvent):
                return nothing
            event = self._next_event()
            built = self._build(event, depth=1)
            self._next_event()
            second = self._next_event()
        except _StopError:
            return nothing
        if not isinstance(second, yaml.StreamEndEvent):
            self._add("FLOE-106", _start(second), "a second document begins here", fix="delete the line '---'")
        if isinstance(built.value, dict):
            return built
        if built.value is not None:
            kind = "a list" if isinstance(built.value, list) else "a single value"
            why = "a document is a mapping, such as 'version: 1.0.0'"
            self._add("FLOE-107", _start(event), f"the document is {kind}", why=why)
        return nothing

    def find_comments(self) -> tuple[Comment, ...]:
        """Every comment of the document that was built."""
        found: list[Comment] = []
        for match in _COMMENT.finditer(self._text) if "#" in self._text else ():
            scalar = bisect_right(self._scalar_starts, match.start()) - 1
            if scalar >= 0 and match.start() < self._scalar_ends[scalar]:
                continue
            line, column = self._line_and_column(match.start())
            is_alone = not self._text[self._line_starts[line - 1] : match.start()].strip()
            found.append(Comment(line, column, match[0], is_alone))
        return tuple(found)

    def _check_characters(self) -> None:
        found = yaml.reader.Reader.NON_PRINTABLE.search(self._text)
        if found:
            what = f"a control character (U+{ord(found[0]):04X}) stands in the text"
            self._add("FLOE-108", found.start(), what, fix="remove it, or write it as an escape in double quotes")
            raise _StopError

    def _next_event(self) -> yaml.Event:
        try:
            event: yaml.Event = self._loader.get_event()
        except yaml.MarkedYAMLError as error:
            if self._loader_type is not yaml.SafeLoader:
                raise
            marks = [mark.index for mark in (error.problem_mark, error.context_mark) if mark is not None]
            mistake = explain_mistake(
                self._text,
                context=error.context or "",
                problem=error.problem or "",
                start=error.context_mark.index if error.context_mark else None,
                at=marks[0],
                quoted=self._last_quoted(marks[0]),
            )
            self._add(mistake.code, mistake.offset, mistake.what, why=mistake.why, fix=mistake.fix)
            raise _StopError from error
        except (ValueError, OverflowError) as error:
            if self._loader_type is not yaml.SafeLoader:
                raise
            what = "an escape in double quotes names no character"
            self._add("FLOE-101", self._loader.get_mark().index, what, why="the last code point is \\U0010FFFF")
            raise _StopError from error
        return event

    def _last_quoted(self, before: int) -> tuple[int, int]:
        """Where the last scalar in quotes that begins before that offset begins and ends; (0, 0) without one.

        The scanner reads on behind what may be a key: what it has read and not given yet is told from its tokens.
        """
        scalars = list(zip(self._scalar_starts, self._scalar_ends, strict=True))
        scalars += [
            (_start(token), _end(token)) for token in self._loader.tokens if isinstance(token, yaml.ScalarToken)
        ]
        quoted = [(start, end) for start, end in scalars if start < before and self._text[start] in "'\""]
        return max(quoted, default=(0, 0))

    def _build(self, event: yaml.Event, *, depth: int) -> BuiltValue:
        if isinstance(event, yaml.AliasEvent):
            return self._repeat(event, depth=depth)
        self._check_depth(event, depth)
        anchor = getattr(event, "anchor", None)
        if anchor is not None:
            self._anchors[anchor] = None
        if isinstance(event, yaml.ScalarEvent):
            built = self._build_scalar(event)
        elif isinstance(event, yaml.SequenceStartEvent):
            built = self._build_list(event, depth=depth)
        elif isinstance(event, yaml.MappingStartEvent):
            built = self._build_mapping(event, depth=depth)
        else:
            raise TypeError(event)
        if anchor is not None:
            self._anchors[anchor] = built
        return built

    def _repeat(self, event: yaml.AliasEvent, *, depth: int) -> BuiltValue:
        start = _start(event)
        anchor = event.anchor or ""
        repeated = self._anchors.get(anchor)
        if repeated is None:
            shown = self._text[start : _end(event)]
            if anchor in self._anchors:
                what, fix = f"alias '{shown}' stands inside the value that it repeats", "move one of the two elsewhere"
            else:
                what = f"alias '{shown}' repeats nothing, since no '&{anchor}' stands before it"
                fix = did_you_mean(anchor, self._anchors) or f"put text that begins with '*' in quotes: '{shown}'"
            self._add("FLOE-105", start, what, fix=fix)
            return BuiltValue(None, self._position(event))
        self._check_depth(event, depth + repeated.height - 1)
        self._aliased += repeated.size
        if self._aliased > _MOST_ALIASED:
            what = f"the aliases of the document repeat more than {_MOST_ALIASED:,} values"
            self._add("FLOE-105", start, what, fix="repeat smaller values, or repeat them less often")
            raise _StopError
        return repeated

    def _check_depth(self, event: yaml.Event, depth: int) -> None:
        if depth > _DEEPEST:
            self._add("FLOE-105", _start(event), f"values are nested more than {_DEEPEST} deep")
            raise _StopError

    def _build_scalar(self, event: yaml.ScalarEvent) -> BuiltValue:
        position = self._position(event)
        self.lines_with_values.update(range(position.line, self._line_and_column(_end(event))[0] + 1))
        is_block = event.style in ("|", ">")  # behind its mark a comment may stand
        next_line = [*self._line_starts[position.line : position.line + 1], len(self._text)][0]
        self._scalar_starts.append(next_line if is_block else _start(event))
        self._scalar_ends.append(_end(event))
        if not _is_text(event.value):
            what = "an escape in double quotes names half a character"
            self._add("FLOE-108", _start(event), what, fix="write the character itself, or its \\U escape")
        if event.tag is None:
            return BuiltValue(written_scalar(event.value) if event.implicit[0] else event.value, position)
        return BuiltValue(self._tagged_scalar(event, event.tag.removeprefix(_TAG)), position)

    def _tagged_scalar(self, event: yaml.ScalarEvent, tag: str) -> Scalar:
        text: str = event.value
        if tag in ("!", "str"):
            return text
        value = plain_scalar(text)
        if tag == "float" and type(value) is int:
            return float(value)
        if type(value) is _TAGGED_TYPES.get(tag):
            return value
        if tag in _TAGGED_TYPES:
            self._add("FLOE-103", _start(event), f"{quote(text)} is not what its tag '!!{tag}' says")
        else:
            self._refuse_tag(event)
        return text

    def _build_list(self, event: yaml.SequenceStartEvent, *, depth: int) -> BuiltValue:
        if event.tag not in (None, "!", f"{_TAG}seq"):
            self._refuse_tag(event)
        items: list[BuiltValue] = []
        children: dict[str | int, Child] = {}
        while not isinstance(item := self._next_event(), yaml.SequenceEndEvent):
            built = self._build(item, depth=depth + 1)
            children[len(items)] = Child(*self._line_and_column(_start(item)), built.position)
            items.append(built)
        return self._collect(event, [item.value for item in items], children, items)

    def _build_mapping(self, event: yaml.MappingStartEvent, *, depth: int) -> BuiltValue:
        if event.tag not in (None, "!", f"{_TAG}map"):
            self._refuse_tag(event)
        values: dict[str, object] = {}
        merged: dict[str, object] = {}
        children: dict[str | int, Child] = {}
        merged_children: dict[str | int, Child] = {}
        everything: list[BuiltValue] = []
        lines: dict[str, int] = {}
        while not isinstance(key := self._next_event(), yaml.MappingEndEvent):
            name = self._key_name(key, self._build(key, depth=depth + 1))
            value_event = self._next_event()
            built = self._build(value_event, depth=depth + 1)
            everything.append(built)
            begins = self._line_and_column(_start(key))
            if name is None:
                continue
            is_merge = name == "<<" and isinstance(key, yaml.ScalarEvent) and key.implicit[0]
            if is_merge:
                more, more_children = self._merge(value_event, built)
                merged, merged_children = {**more, **merged}, {**more_children, **merged_children}
            if name in lines:
                self._refuse_duplicate(key, name, lines[name])
                continue
            lines[name] = begins[0]
            if not is_merge:
                values[name], children[name] = built.value, Child(*begins, built.position)
        return self._collect(event, {**merged, **values}, {**merged_children, **children}, everything)

    def _key_name(self, event: yaml.Event, key: BuiltValue) -> str | None:
        if isinstance(key.value, str):
            return key.value
        start, end = _start(event), _end(event)
        if isinstance(event, yaml.ScalarEvent) and event.value:
            written = self._text[start:end]
            kind = {bool: "a boolean", int: "a number", float: "a number"}.get(type(key.value), "null")
            what, fix = f"key {written} is {kind}, not text", f"put the key in quotes: {quote(written)}"
        elif isinstance(event, yaml.ScalarEvent):
            what, fix = "a key is empty", "write the key before the ':'"
        else:
            what, fix = (
                "a key is a list or a mapping",
                "write a name, or put text that begins with '[' or '{' in quotes",
            )
        self._add("FLOE-104", start, what, why="every key of a document is text", fix=fix)
        return None

    def _merge(self, event: yaml.Event, built: BuiltValue) -> tuple[dict[str, object], dict[str | int, Child]]:
        if isinstance(built.value, list):
            mappings = [(value, built.position.children[index].value) for index, value in enumerate(built.value)]
        else:
            mappings = [(built.value, built.position)]
        values: dict[str, object] = {}
        children: dict[str | int, Child] = {}
        for value, position in reversed(mappings):
            if isinstance(value, dict):
                values |= value
                children |= position.children
            else:
                what = "'<<' merges something that is not a mapping"
                fix = "name mappings only: '<<: *name' or '<<: [*one, *two]'"
                self._add("FLOE-105", _start(event), what, fix=fix)
        return values, children

    def _collect(
        self, event: yaml.Event, value: object, children: dict[str | int, Child], parts: list[BuiltValue]
    ) -> BuiltValue:
        line, column = self._line_and_column(_start(event))
        self.lines_with_values.add(line)
        self.lines_with_values.update(child.line for child in children.values())
        size = 1 + sum(part.size for part in parts)
        height = 1 + max((part.height for part in parts), default=0)
        return BuiltValue(value, Position(line, column, children), size, height)

    def _refuse_tag(self, event: yaml.ScalarEvent | yaml.CollectionStartEvent) -> None:
        tag = event.tag or ""
        shown = f"!!{tag.removeprefix(_TAG)}" if tag.startswith(_TAG) else tag
        fix = (
            "remove the tag" if shown.startswith("!!") else "put text that begins with '!' in quotes, or remove the tag"
        )
        why = "documents hold plain text, numbers, true, false, null, lists and mappings"
        self._add("FLOE-103", _start(event), f"the tag '{shown}' is not allowed", why=why, fix=fix)

    def _refuse_duplicate(self, event: yaml.Event, name: str, first_line: int) -> None:
        why = f"it stands in line {first_line} already, and only one of the two could count"
        fix = "write '<<: [*one, *two]'" if name == "<<" else "keep one of the two, or rename one"
        self._add("FLOE-102", _start(event), f"key '{name}' is written twice", why=why, fix=fix)

    def _position(self, event: yaml.Event) -> Position:
        return Position(*self._line_and_column(_start(event)))

    def _line_and_column(self, offset: int) -> tuple[int, int]:
        line = bisect_right(self._line_starts, offset)
        return line, offset - self._line_starts[line - 1] + 1

    def _add(self, code: str, offset: int, what: str, *, why: str = "", fix: str = "") -> None:
        line, column = self._line_and_column(min(offset, len(self._text)))
        location = Location(self.file, line, column, source_line=self.lines[line - 1])
        problem = Problem(code, what, location, why, fix)
        self._problems.add(_without_quotes(problem) if line_holds_secret(self.lines[line - 1]) else problem)


def _without_quotes(problem: Problem) -> Problem:
    """The problem without the words of the line that it is about."""
    what, fix = (_QUOTED.sub("'…'", text) for text in (problem.what, problem.fix))
    location = replace(problem.location, source_line=None) if problem.location else None
    return replace(problem, what=what, fix=fix, location=location)


def _is_text(value: str) -> bool:
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


def _start(event: yaml.Event | yaml.Token) -> int:
    return event.start_mark.index if event.start_mark else 0


def _end(event: yaml.Event | yaml.Token) -> int:
    return event.end_mark.index if event.end_mark else 0
