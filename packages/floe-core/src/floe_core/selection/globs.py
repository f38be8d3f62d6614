"""Globs over asset keys: what selections and patterns of floe.yaml match by."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

GLOB_CHARACTERS = frozenset("*?[{")
_MOST_ALTERNATIVES = 1000


class GlobError(ValueError):
    """The text is not a glob; `offset` is where in the text it stops being one."""

    def __init__(self, message: str, *, offset: int) -> None:
        super().__init__(message)
        self.offset = offset


@dataclass(frozen=True, slots=True)
class Glob:
    """A glob that was read: it matches the whole key, its parts joined by `/`, or the last part of the key.

    >>> [parse_glob("bronze_*").matches(key) for key in (("bronze_orders",), ("raw", "bronze_orders"), ("silver",))]
    [True, True, False]
    """

    text: str
    _pattern: re.Pattern[str]

    def matches(self, key: Sequence[str]) -> bool:
        """Whether the asset key *key*, given by its parts, is one of those that the glob means."""
        return self.matches_text("/".join(key)) or (len(key) > 1 and self.matches_text(key[-1]))

    def matches_text(self, text: str) -> bool:
        """Whether the glob matches the whole of *text*."""
        return self._pattern.fullmatch(text) is not None


def is_glob(text: str) -> bool:
    r"""Whether *text* has a character with a meaning of its own in globs that no backslash takes away.

    >>> is_glob("bronze_*"), is_glob("bronze_orders"), is_glob(r"what\?")
    (True, False, False)
    """
    return not GLOB_CHARACTERS.isdisjoint(re.sub(r"\\.", "", text, flags=re.DOTALL))


def literal_text(text: str) -> str:
    r"""*text* without the backslashes that take away a character's meaning.

    >>> literal_text(r"what\?")
    'what?'
    """
    return re.sub(r"\\(.)", r"\1", text, flags=re.DOTALL)


@lru_cache(maxsize=4096)
def parse_glob(text: str) -> Glob:
    """Read *text* as a glob.

    `*` and `?` stay within one part of a key, `**` crosses `/` (`**/` is any number of leading parts, none included),
    `[abc]`, `[a-z]` and `[!a]` stand for one character but never `/`, `{a,b}` for either text, a backslash takes a
    character's meaning away. Upper and lower case differ.

    Raises:
        GlobError: A bracket or brace is not closed, a backslash stands at the end, a range runs backwards, or the
            braces spell out more than a thousand alternatives.
    """
    _check(text)
    alternatives: list[str] = []
    for alternative in _spell_out(text):
        alternatives.append(alternative)
        if len(alternatives) > _MOST_ALTERNATIVES:
            raise GlobError(f"the braces stand for more than {_MOST_ALTERNATIVES} texts", offset=text.index("{"))
    return Glob(text, re.compile("|".join(_regex(alternative) for alternative in alternatives), re.DOTALL))


def _check(text: str) -> None:
    open_braces: list[int] = []
    for start, piece in _pieces(text):
        _check_piece(piece, offset=start)
        if piece == "{":
            open_braces.append(start)
        if piece == "}" and open_braces:
            open_braces.pop()
    if open_braces:
        raise GlobError(r"the { is not closed; write \{ for a brace that is meant as it stands", offset=open_braces[0])


def _check_piece(piece: str, *, offset: int) -> None:
    if piece == "\\":
        raise GlobError("the backslash at the end has nothing to act on", offset=offset)
    if piece == "[":
        raise GlobError(r"the [ is not closed; write \[ for a bracket that is meant as it stands", offset=offset)
    for low, high in _ranges(piece):
        if literal_text(low) > literal_text(high):
            raise GlobError(f"the range {low}-{high} runs backwards", offset=offset)


def _pieces(text: str) -> Iterator[tuple[int, str]]:
    r"""Characters with their offsets; `\x`, `**`, `**/` at the start of a part, and a whole `[…]` count as one."""
    for match in re.finditer(r"\\.|\[[!^]?+\]?+(?:\\.|[^\]\\])*+\]|(?<![^/])\*\*/|\*\*+|.", text, flags=re.DOTALL):
        yield match.start(), match.group()


def _spell_out(text: str) -> Iterator[str]:
    waiting = [text]
    while waiting:
        current = waiting.pop()
        opened = next((start for start, piece in _pieces(current) if piece == "{"), None)
        if opened is None:
            yield current
        else:
            waiting.extend(reversed(_first_choices(current, opened)))


def _first_choices(text: str, opened: int) -> list[str]:
    head, tail = text[:opened], text[opened + 1 :]
    depth, begin, choices = 0, 0, []
    for start, piece in _pieces(tail):
        if piece == "{":
            depth += 1
        elif piece == "}" and depth:
            depth -= 1
        elif piece in (",", "}") and not depth:
            choices.append(tail[begin:start])
            begin = start + 1
            if piece == "}":
                break
    return [f"{head}{choice}{tail[begin:]}" for choice in choices]


def _regex(text: str) -> str:
    return "".join(_piece_regex(piece) for _, piece in _pieces(text))


def _piece_regex(piece: str) -> str:
    if piece == "*":
        return "[^/]*"
    if piece == "?":
        return "[^/]"
    if piece == "**/":
        return "(?:.*/)?"
    if piece.startswith("**"):
        return ".*"
    if piece.startswith("["):
        return _class_regex(piece)
    return re.escape(literal_text(piece))


def _class_regex(piece: str) -> str:
    negation = "^" if piece[1] in "!^" else ""
    members = "".join(
        f"{_escaped(low)}-{_escaped(high)}" if high else _escaped(single) for low, high, single in _class_members(piece)
    )
    return f"(?!/)[{negation}{members}]"


def _ranges(piece: str) -> Iterator[tuple[str, str]]:
    if piece.startswith("[") and len(piece) > 1:
        yield from ((low, high) for low, high, _ in _class_members(piece) if high)


def _class_members(piece: str) -> list[tuple[str, str, str]]:
    body = piece[2:-1] if piece[1] in "!^" else piece[1:-1]
    return re.findall(r"(\\.|.)-(\\.|.)|(\\.|.)", body, flags=re.DOTALL)


def _escaped(member: str) -> str:
    return re.escape(literal_text(member))
