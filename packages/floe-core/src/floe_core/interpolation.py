"""Values from the environment: `${VAR}`, `${VAR:default}` and `${VAR:-default}` in the text of parsed scalars.

`${VAR:default}` takes its default where VAR is not set, `${VAR:-default}` also where it is set to nothing, as a shell
does. `$${` stands for a literal `${`. A default may hold colons, spaces, further expressions, and braces in pairs.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias, TypeVar

from floe_core.errors import Location, Problem, YamlPath
from floe_core.source_map import SourceMap
from floe_core.yaml_text.scalars import plain_scalar

Entry = TypeVar("Entry")

_DEEPEST = 32
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_IN_KEY = re.compile(r"(?<!\$)\$\{")
_MARK = re.compile(r"\$?\$\{|[{}]")
_SHELL_FORM = re.compile(r"[?=]|\+(?!\d)")
_INNERMOST = re.compile(r"\$\{\w+:-?([^{}]*)\}")


class EnvText(str):
    """The value of a scalar that was exactly one expression: the field it stands in decides its type."""

    __slots__ = ()


class Unset(str):
    """The raw text of a scalar whose value is not known: a variable it needs is not set, or it is malformed."""

    __slots__ = ()


def is_unset(value: object) -> bool:
    """Whether *value* is not known."""
    return isinstance(value, Unset)


def known_items(entries: Mapping[str, Entry]) -> Iterator[tuple[str, Entry]]:
    """The entries that are known; none where all of *entries* is not."""
    if not is_unset(entries):
        yield from ((name, entry) for name, entry in entries.items() if not is_unset(entry))


def defaults_in(text: str) -> Iterator[str]:
    """The defaults of the expressions in *text*, and the text with them filled in, from the innermost on.

    >>> list(defaults_in("${HOST:db}:${PORT:5432}"))
    ['db', '5432', 'db:5432']
    """
    for _ in range(_DEEPEST):
        defaults = _INNERMOST.findall(text)
        if not defaults:
            return
        yield from defaults
        text = _INNERMOST.sub(r"\1", text)
        yield text


@dataclass(frozen=True, slots=True)
class UnsetVariable:
    """A variable that is needed and not set, with every place that needs it in the order of the document."""

    name: str
    locations: tuple[Location, ...]


@dataclass(frozen=True, slots=True)
class Interpolation:
    """A tree of values with its expressions replaced, and what there is to say about them.

    `raw` holds the text of every scalar that has an expression, as the document has it. In `left_out` stands what is
    below keys with an expression, which are no part of `value`, those inside of others first.
    """

    value: object
    unset: tuple[UnsetVariable, ...] = ()
    raw: Mapping[YamlPath, str] = field(default_factory=dict)
    errors: tuple[Problem, ...] = ()
    warnings: tuple[Problem, ...] = ()
    left_out: Mapping[YamlPath, "LeftOut"] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class LeftOut:
    """What stands below a key with an expression, its own expressions replaced, and their text."""

    value: object
    raw: Mapping[YamlPath, str]


def interpolate(value: object, *, environ: Mapping[str, str], source: SourceMap) -> Interpolation:
    """Replace the expressions in every text of *value*, a tree as YAML gives it; keys with one are left out, an error.

    Args:
        value: Mappings, lists and scalars. Texts become `EnvText` where they were one expression, and `Unset` where
            they cannot be replaced.
        environ: The variables.
        source: Where *value* stands.
    """
    interpolator = _Interpolator(environ, source)
    replaced = interpolator.replace(value, ())
    unset = tuple(UnsetVariable(name, tuple(places)) for name, places in interpolator.unset.items())
    errors, warnings = tuple(interpolator.errors), tuple(interpolator.warnings)
    return Interpolation(replaced, unset, interpolator.raw, errors, warnings, interpolator.left_out)


@dataclass(frozen=True, slots=True)
class _Expression:
    """`${name}` at the offset `start`; `default` is None where there is none."""

    start: int
    name: str
    default: "_Parts | None" = None
    is_shell: bool = False


_Parts: TypeAlias = tuple[str | _Expression, ...]


class _MalformedError(Exception):
    """An expression cannot be understood: the offset, what is wrong and how to mend it."""

    def __init__(self, offset: int, what: str, fix: str) -> None:
        super().__init__(what)
        self.offset = offset
        self.what = what
        self.fix = fix


class _UnsetError(Exception):
    """A variable that is needed is not set."""

    def __init__(self, expression: _Expression) -> None:
        super().__init__(expression.name)
        self.expression = expression


class _Interpolator:
    """Replaces expressions and remembers what it met."""

    def __init__(self, environ: Mapping[str, str], source: SourceMap) -> None:
        self.unset: dict[str, list[Location]] = {}
        self.raw: dict[YamlPath, str] = {}
        self.left_out: dict[YamlPath, LeftOut] = {}
        self.errors: list[Problem] = []
        self.warnings: list[Problem] = []
        self._environ = environ
        self._source = source

    def replace(self, value: object, path: YamlPath) -> object:
        if isinstance(value, dict):
            for key in filter(_IN_KEY.search, value):
                self.errors.append(self._expression_in_key(key, path))
                self._leave_out(value[key], (*path, key))
            return {key: self.replace(item, (*path, key)) for key, item in value.items() if not _IN_KEY.search(key)}
        if isinstance(value, list):
            return [self.replace(item, (*path, index)) for index, item in enumerate(value)]
        if isinstance(value, str) and "${" in value:
            return self._replace_text(value, path)
        return value

    def _leave_out(self, value: object, path: YamlPath) -> None:
        raw, self.raw = self.raw, {}
        self.left_out[path] = LeftOut(self.replace(value, path), self.raw)
        self.raw = raw

    def _expression_in_key(self, key: str, path: YamlPath) -> Problem:
        location = self._source.locate(*path, key, key=True)
        why = "what comes from the environment stands in values, never in keys"
        return Problem("FLOE-113", f"key '{key}' holds an expression", location, why, "write the name itself")

    def _replace_text(self, text: str, path: YamlPath) -> str:
        parts, malformed = _parse_text(text)
        for error in malformed:
            location = self._locate(text, path, error.offset)
            why = "an expression is ${NAME}, ${NAME:default} or ${NAME:-default}, and $${ stands for a plain ${"
            self.errors.append(Problem("FLOE-110", error.what, location, why, error.fix))
        if malformed:
            return Unset(text)
        expressions = list(_expressions(parts))
        if not expressions:
            return "".join(map(str, parts))
        self.raw[path] = text
        for expression in expressions:
            self._warn_of_number(expression, text, path)
            self._warn_of_shell_form(expression, text, path)
        needed = list(self._needed(parts))
        for expression in needed:
            places = self.unset.setdefault(expression.name, [])
            places.append(self._locate(text, path, expression.start))
        if needed:
            return Unset(text)
        replaced = self._join(parts)
        return EnvText(replaced) if len(parts) == 1 else replaced

    def _needed(self, parts: _Parts) -> Iterator[_Expression]:
        """The expressions whose variable is not set and whose default, if any, is not known either."""
        for part in parts:
            if isinstance(part, _Expression) and self._variable(part) is None:
                if part.default is None:
                    yield part
                else:
                    yield from self._needed(part.default)

    def _join(self, parts: _Parts) -> str:
        return "".join(part if isinstance(part, str) else self._value(part) for part in parts)

    def _value(self, expression: _Expression) -> str:
        value = self._variable(expression)
        return value if value is not None else self._join(expression.default or ())

    def _variable(self, expression: _Expression) -> str | None:
        value = self._environ.get(expression.name)
        return None if expression.is_shell and not value else value

    def _warn_of_shell_form(self, expression: _Expression, text: str, path: YamlPath) -> None:
        """That `:?`, `:+` and `:=` mean in a shell what they do not mean here; a number such as `+5` is a default."""
        match expression:
            case _Expression(name=name, default=(str(default), *_), is_shell=False) if _SHELL_FORM.match(default):
                sign = default[0]
                instead = f"${{{name}:…}}" if sign == "=" else f"${{{name}}}"
                self.warnings.append(
                    Problem(
                        "FLOE-112",
                        f"the default in ${{{name}:{sign}…}} begins with '{sign}'",
                        self._locate(text, path, expression.start),
                        why=f"':{sign}' is a form of the shell, which is not taken here",
                        fix=f"write {instead}, or ${{{name}:-{sign}…}} for a default that does begin with '{sign}'",
                        severity="warning",
                    )
                )

    def _warn_of_number(self, expression: _Expression, text: str, path: YamlPath) -> None:
        match expression:
            case _Expression(name=name, default=(str(default),), is_shell=True) if not default.startswith("-"):
                if isinstance(plain_scalar(default), int | float) and not isinstance(plain_scalar(default), bool):
                    self.warnings.append(
                        Problem(
                            "FLOE-112",
                            f"the default of ${{{name}:-{default}}} is {default}, not minus {default}",
                            self._locate(text, path, expression.start),
                            why="':-' is the shell's way to begin a default",
                            fix=f"write ${{{name}:{default}}}, or ${{{name}:--{default}}} for minus {default}",
                            severity="warning",
                        )
                    )

    def _locate(self, text: str, path: YamlPath, offset: int) -> Location:
        return self._source.locate_text(path, text[offset:], ordinal=text.count("${", 0, offset))


def _parse_text(text: str) -> tuple[_Parts, list[_MalformedError]]:
    """The parts of *text*, or every expression in it that cannot be understood."""
    malformed: list[_MalformedError] = []
    start = 0
    while True:
        try:
            parts, _ = _parse_parts(text, start, end=None, depth=0)
        except _MalformedError as error:
            malformed.append(error)
            closing = text.find("}", error.offset)
            if closing < 0:
                return (), malformed
            start = closing + 1
        else:
            return parts, malformed


def _parse_parts(text: str, start: int, *, end: int | None, depth: int) -> tuple[_Parts, int]:
    """The parts of *text* from *start* on, and where they end.

    Without *end* they go on to the end of the text; else to the brace that closes the expression opened at *end*.
    """
    parts: list[str | _Expression] = []
    literal, position, braces = "", start, 0
    while (mark := _MARK.search(text, position)) is not None:
        literal += text[position : mark.start()]
        position = mark.end()
        match mark[0]:
            case "${":
                expression, position = _parse_expression(text, mark.start(), depth=depth + 1)
                parts += [literal, expression] if literal else [expression]
                literal = ""
                continue
            case "}" if end is not None and not braces:
                return (*parts, *([literal] if literal else [])), position
            case "}":
                braces -= 1
            case _:
                braces += 1
        literal += mark[0].removeprefix("$") if mark[0] == "$${" else mark[0]
    if end is not None:
        name = _NAME.match(text, end + 2)
        shown = f"${{{name[0] if name else ''}"
        raise _MalformedError(end, f"expression '{shown}' is never closed", f"add the closing brace: {shown}…}}")
    literal += text[position:]
    return (*parts, *([literal] if literal else [])), len(text)


def _parse_expression(text: str, start: int, *, depth: int) -> tuple[_Expression, int]:
    if depth > _DEEPEST:
        raise _MalformedError(start, f"defaults are nested more than {_DEEPEST} deep", "name fewer variables")
    name = _NAME.match(text, start + 2)
    position = name.end() if name else start + 2
    following = text[position : position + 1]
    if name and following == "}":
        return _Expression(start, name[0]), position + 1
    if name and following == ":":
        is_shell = text[position + 1 : position + 2] == "-"
        default, end = _parse_parts(text, position + 1 + is_shell, end=start, depth=depth)
        return _Expression(start, name[0], default, is_shell), end
    raise _malformed_name(text, start, name[0] if name else "")


def _malformed_name(text: str, start: int, name: str) -> _MalformedError:
    closing = text.find("}", start)
    if closing < 0:
        return _MalformedError(
            start, f"expression '${{{name}' is never closed", f"add the closing brace: ${{{name or 'NAME'}}}"
        )
    inside = text[start + 2 : closing]
    what = f"expression '${{{inside}}}' names no variable" if inside.strip() else "expression '${}' has no name"
    shell_default = re.fullmatch(r"([A-Za-z_][A-Za-z0-9_]*)-(.*)", inside)
    if shell_default:
        fix = f"write ${{{shell_default[1]}:-{shell_default[2]}}}"
    elif _NAME.fullmatch(inside.strip()):
        fix = f"write ${{{inside.strip()}}}"
    else:
        fix = "name a variable by letters, digits and '_', not beginning with a digit; write $${ for a plain ${"
    return _MalformedError(start, what, fix)


def _expressions(parts: _Parts) -> Iterator[_Expression]:
    for part in parts:
        if isinstance(part, _Expression):
            yield part
            yield from _expressions(part.default or ())
