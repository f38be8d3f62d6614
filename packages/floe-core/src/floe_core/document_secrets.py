"""Secrets in platform.yaml: where they stand, how they are named instead, and the document's lines without them."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from floe_core.allowances import apply_allowances
from floe_core.document_words import DocumentWords
from floe_core.errors import Location, Problem, YamlPath, format_yaml_path
from floe_core.interpolation import defaults_in
from floe_core.schema_places import SchemaWalker
from floe_core.secrets.names import is_secret_number
from floe_core.secrets.shapes import find_secret, windows_of
from floe_core.secrets.yaml_lines import MASK, mask_value
from floe_core.source_map import SourceMap
from floe_core.validated_document import Spec, ValidatedDocument
from floe_core.yaml_text.values import Comment

_CODE = "FLOE-126"
_UNKNOWN_KEY = "FLOE-120"
_IN_VARIABLE = "put the value into an environment variable and write"
_WHY = "a secret never stands in a document, which is stored and shown"
_FIX_IN_COMMENT = "delete it, and change the secret where it was issued"
_HALF_A_SECRET = re.compile(r"access_key_id$", re.IGNORECASE)
"""The key's name: worth nothing without the secret that belongs to it, and written in the clear by many."""
_ASSIGNED = re.compile(r"([A-Za-z_][A-Za-z0-9_]*)=(.*)", re.DOTALL)
_QUOTED = re.compile(r"\"(?:[^\"\\]|\\.)*\"|'(?:[^']|'')*'")
_LONGEST_SHOWN = 60  # as in document_words


@dataclass(frozen=True)
class WithoutSecrets:
    """What is told of a document, and where it stands, without the secrets that were found in it."""

    problems: tuple[Problem, ...]
    source: SourceMap


def tell_secrets(
    document: ValidatedDocument[Spec], raw: object, told: Iterable[Problem], *, comments: Iterable[Comment] = ()
) -> WithoutSecrets:
    """A problem for each secret in *raw* beside those that were *told*, and none of them with the secret in it.

    Args:
        document: What *raw* was validated as.
        raw: Its values with their `${…}` unresolved, so that defaults are looked at as well.
        told: What else is wrong; where that is about the secret already, nothing is added.
        comments: The document's; they are searched, too, and may allow what only looks like a secret.
    """
    problems, comments = list(told), tuple(comments)
    secrets = _by_place(document.source, _secrets_in(raw))
    spoken_of = {problem.location.yaml_path for problem in problems if problem.location and _is_about_it(problem)}
    new = [found[0] for found in secrets.values() if not any(_is_below(each.path, spoken_of) for each in found)]
    found = [*(_problem(document, secret) for secret in new), *_find_in_comments(comments, document.source)]
    shown = apply_allowances(found, comments, document.source, codes={_CODE: "what looks like a secret"})
    allowed = _lines(found) - _lines(shown)
    secrets = {place: each for place, each in secrets.items() if place[0] not in allowed}
    in_comments = _lines(problem for problem in shown if problem.location and not problem.location.yaml_path)
    masks = _Masks(document.source.without_lines(sorted(in_comments)), secrets)
    unquoted = (_without_line(problem, in_comments) for problem in (*problems, *shown))
    return WithoutSecrets(tuple(map(masks.apply, unquoted)), masks.source)


@dataclass(frozen=True, slots=True)
class _Secret:
    """A value that is one, with the names that make it one."""

    path: YamlPath
    value: str | int
    key: str
    above: str


def _secrets_in(value: object, path: YamlPath = (), *, name: str = "") -> Iterator[_Secret]:
    if isinstance(value, Mapping):
        named = value.get("name")  # as Kubernetes writes variables: {name: NAME, value: …}
        for key, item in value.items():
            if key != "secret_ref":
                is_variable = key == "value" and isinstance(named, str)
                yield from _secrets_in(item, (*path, key), name=str(named) if is_variable else "")
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _secrets_in(item, (*path, index))
    elif isinstance(value, str | int) and not isinstance(value, bool):
        key, above = [*(part for part in reversed(path) if isinstance(part, str)), "", ""][:2]
        if _is_secret(name or key, value, above=above):
            yield _Secret(path, value, name or key, above)


def _is_secret(key: str, value: str | int, *, above: str) -> bool:
    if isinstance(value, int):
        return is_secret_number(key, value)
    if _HALF_A_SECRET.search(key):
        return False
    texts = [(key, text) for text in (value, *defaults_in(value))]
    texts += [(found[1], found[2]) for _, text in texts if (found := _ASSIGNED.fullmatch(text)) is not None]
    return any(find_secret(key, window, above=above) for key, text in texts for window in windows_of(text))


def _by_place(source: SourceMap, secrets: Iterable[_Secret]) -> dict[tuple[int, int], list[_Secret]]:
    """The secrets by line and column: what an alias repeats stands in one place, where it is no note first."""
    found: dict[tuple[int, int], list[_Secret]] = {}
    for secret in sorted(secrets, key=lambda each: str(each.path[0]).startswith("x-")):
        location = source.locate(*secret.path)
        found.setdefault((location.line or 1, location.column or 1), []).append(secret)
    return found


def _find_in_comments(comments: Iterable[Comment], source: SourceMap) -> Iterator[Problem]:
    for comment in comments:
        windows = windows_of(comment.text.lstrip("# "))
        if any(find_secret("", window, is_for_people=True) for window in windows):
            location = Location(source.file, comment.line, comment.column)
            yield Problem(_CODE, "a comment holds a secret", location, why=_WHY, fix=_FIX_IN_COMMENT)


def _lines(problems: Iterable[Problem]) -> set[int]:
    """The lines that *problems* find secrets on."""
    found = [problem.location for problem in problems if problem.code == _CODE]
    return {location.line for location in found if location is not None and location.line is not None}


def _without_line(problem: Problem, lines: set[int]) -> Problem:
    """The problem, which quotes none of these lines."""
    if problem.location is None or problem.location.line not in lines:
        return problem
    return replace(problem, location=replace(problem.location, source_line=None))


def _is_about_it(problem: Problem) -> bool:
    return problem.code in (_CODE, _UNKNOWN_KEY)


def _is_below(path: YamlPath, spoken_of: set[str]) -> bool:
    return any(format_yaml_path(path[:length]) in spoken_of for length in range(1, len(path) + 1))


def _problem(document: ValidatedDocument[Spec], secret: _Secret) -> Problem:
    return Problem(
        _CODE,
        f"{DocumentWords(document).name(secret.path)} holds a secret",
        document.source.locate(*secret.path),
        why=_WHY,
        fix=_fix(document, secret),
    )


def _fix(document: ValidatedDocument[Spec], secret: _Secret) -> str:
    if _takes_reference(document, secret.path):
        return f"{_IN_VARIABLE} {{secret_ref: NAME}} with the variable's name"
    variable = _ASSIGNED.fullmatch(str(secret.value))
    if variable and "env_vars" in secret.path:
        return f"write '{variable[1]}' alone to pass the variable on, or name a Kubernetes secret under 'env_secrets'"
    return f"{_IN_VARIABLE} ${{NAME}} in its place, with the variable's name"


def _takes_reference(document: ValidatedDocument[Spec], path: YamlPath) -> bool:
    """Whether `{secret_ref: NAME}` may stand at *path*."""
    if path[0] == "resources":
        return "args" in path
    walker = SchemaWalker(document.model, document.interpolation.value)
    place = walker.walk(())
    try:
        for part in path:
            schema, _ = walker.unwrap(place.schema)
            if schema["type"] == "tagged-union" and isinstance(place.value, dict):
                place = walker.step(place, str(place.value.get("type")))
            place = walker.step(place, part)
    except KeyError:  # a key that there is not
        return False
    schema, _ = walker.unwrap(place.schema)
    return schema["type"] == "tagged-union" and "secret" in schema["choices"]


class _Masks:
    """What is shown in place of the secrets of a document."""

    def __init__(self, source: SourceMap, secrets: Mapping[tuple[int, int], list[_Secret]]) -> None:
        self._file, self._lines = source.file, source.lines
        self._values = {format_yaml_path(each.path): str(each.value) for found in secrets.values() for each in found}
        self._on_line: dict[int, list[tuple[int, int, str]]] = {}
        hidden: list[int] = []
        for (line, column), found in secrets.items():
            rest = source.lines[line - 1][column - 1 :]
            written = _written(rest, str(found[0].value))
            shown = MASK if written is None else mask_value(found[0].key, written, above=found[0].above)
            shown = f"{written[0]}{MASK}{written[0]}" if written and shown == written and written[0] in "\"'" else shown
            end = column - 1 + len(rest if written is None else written)
            self._on_line.setdefault(line, []).append((column - 1, end, MASK if shown == written else shown))
            hidden += [line] if written is None else []
        lines = tuple(self._masked(line, number) for number, line in enumerate(source.lines, start=1))
        self.source = replace(source, lines=lines).without_lines(hidden)
        self._hidden = {
            number for number, line in enumerate(self.source.lines, start=1) if lines[number - 1] and not line
        }

    def apply(self, problem: Problem) -> Problem:
        """*problem* without what is masked."""
        location = problem.location
        if location is None or location.file != self._file:
            return problem
        value = self._values.get(location.yaml_path)
        if value:
            what, why, fix = (_without(value, text) for text in (problem.what, problem.why, problem.fix))
            problem = replace(problem, what=what, why=why, fix=fix)
        return replace(problem, location=self._relocated(location))

    def _relocated(self, location: Location) -> Location:
        if location.source_line is None or location.line is None:
            return location
        if location.line in self._hidden:
            return replace(location, source_line=None)
        if location.source_line == self._lines[location.line - 1]:
            return replace(location, source_line=self._masked(location.source_line, location.line))
        cut = location.source_line.removesuffix(MASK)  # before another secret on the line
        ending = location.source_line[len(cut) :]
        return replace(location, source_line=self._masked(cut, location.line) + ending)

    def _masked(self, line: str, number: int) -> str:
        for start, end, shown in sorted(self._on_line.get(number, ()), reverse=True):
            line = line[:start] + shown + line[end:] if end <= len(line) else line
        return line


def _written(rest: str, value: str) -> str | None:
    """The scalar that *rest*, the end of a line, begins with; None where it goes on below, or is written otherwise."""
    quoted = _QUOTED.match(rest)
    if quoted is not None:
        return quoted[0]
    return value if rest.startswith(value) else None


def _without(value: str, text: str) -> str:
    return text.replace(value, MASK).replace(value[:_LONGEST_SHOWN], MASK)
