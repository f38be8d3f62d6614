"""An expression as words, texts and signs."""

import re
from dataclasses import dataclass
from typing import Literal, TypeAlias, cast

from floe_core.automation.unreadable import UnreadableConditionError

Family: TypeAlias = Literal["name", "text", "number", "sign", "end"]

_TOKEN = re.compile(
    r"""\s*(?:
        (?P<name>[^\W\d]\w*)
      | (?P<text>'(?:\\.|[^'\\])*' | "(?:\\.|[^"\\])*")
      | (?P<number>-?\d[\w.]*)
      | (?P<sign>[()\[\]{}.,:=&|~])
      | (?P<end>\Z)
    )""",
    re.VERBOSE | re.DOTALL,
)
_ESCAPED = re.compile(r"""\\(['"\\])""")
OPERATORS = "'&' is and, '|' is or, '~' is not; parentheses group"


@dataclass(frozen=True, slots=True)
class Token:
    """A part of an expression; the content of a text stands without its quotes."""

    family: Family
    content: str
    offset: int


def split_tokens(text: str) -> list[Token]:
    """The parts of *text* in order, closed by one of the family `end`.

    Raises:
        UnreadableConditionError: A character means nothing, or a quote is not closed.
    """
    tokens: list[Token] = []
    at = 0
    while not tokens or tokens[-1].family != "end":
        match = _TOKEN.match(text, at)
        if match is None:
            raise _meaningless(text, at)
        family = cast("Family", match.lastgroup)  # every group of the pattern is named like a family
        content = match[family]
        if family == "text":
            content = _ESCAPED.sub(r"\1", content[1:-1])
        tokens.append(Token(family, content, match.start(family)))
        at = match.end()
    return tokens


def _meaningless(text: str, at: int) -> UnreadableConditionError:
    offset = at + len(text[at:]) - len(text[at:].lstrip())
    character = text[offset]
    if character in "'\"":
        return UnreadableConditionError("has a quote that is not closed", offset=offset, fix=f"add a {character}")
    return UnreadableConditionError(
        f"has the sign '{character}'",
        offset=offset,
        why=OPERATORS,
        fix="write '~' in its place" if character in "!-" else "delete it, or put the text around it in quotes",
    )
