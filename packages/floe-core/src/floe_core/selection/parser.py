r"""Items of selections as text, read into trees; nothing of Dagster and of the assets in it.

```
item        = "!" negation | disjunction            "!" takes the item away from the others
disjunction = conjunction ("or" conjunction)*
conjunction = negation ("and" negation)*
negation    = "not" negation | traversal
traversal   = [[depth] "+"] atom ["+" [depth]]      without blanks; no depth is all the way
atom        = "(" disjunction ")" | label ":" text ["=" text] | [("asset" | "key") ":"] text
```

A text is a bare word or stands in quotes; a backslash takes away what the next character means.
"""

import re
from collections.abc import Iterable, Iterator
from functools import lru_cache

from floe_core.selection.globs import GlobError, is_glob, literal_text, parse_glob
from floe_core.selection.tree import (
    LABELS,
    OPERATORS,
    And,
    Expression,
    Item,
    Label,
    Labelled,
    Named,
    Not,
    Or,
    Traversal,
)
from floe_core.suggestions import did_you_mean

_DEEPEST = 40
_MEANT_IN_GLOBS = frozenset("*?[]{}\\,!^-")
_ENDS_WORD = frozenset("()\"'+,=|&")
_QUOTED = re.compile(r"\"((?:\\.|[^\"\\])*)\"|'((?:\\.|[^'\\])*)'", re.DOTALL)
_LABEL = re.compile(r"(\w+):")
_METHODS_OF_DBT = frozenset(
    "access config exposure file fqn metric package path resource_type result saved_query selector semantic_model "
    "source source_status state test_name test_type unit_test version".split()
)
_UP = re.compile(r"(\d*)\+")
_DOWN = re.compile(r"\+(\d*)")
_JOINING = "the items of a list are united; inside one item stand 'and', 'or' and 'not'"


class SelectionSyntaxError(ValueError):
    """The text is no item of a selection; `offset` is where in the text it stops being one."""

    def __init__(self, message: str, *, offset: int, why: str = "", fix: str = "") -> None:
        super().__init__(message)
        self.offset = offset
        self.why = why
        self.fix = fix


@lru_cache(maxsize=4096)
def parse_item(text: str) -> Item:
    """Read one item of a selection.

    >>> parse_item("+orders and not tag:slow").expression.operands[0]
    Traversal(operand=Named(text='orders', offset=1), up=None, down=0)

    Raises:
        SelectionSyntaxError: The text does not follow the language.
    """
    return _Parser(text).item()


def canonical_name(text: str) -> str:
    r"""*text* without the backslashes before characters that mean nothing in globs.

    >>> canonical_name(r"a\ b\*")
    'a b\\*'
    """
    return re.sub(r"\\(.)", lambda pair: pair[0] if pair[1] in _MEANT_IN_GLOBS else pair[1], text, flags=re.DOTALL)


class _Parser:
    """Reads one item from left to right: `at` is the offset of what comes next, `level` how deep that is nested."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.level = 0

    def item(self) -> Item:
        self.skip_blanks()
        if self.is_at_end():
            raise SelectionSyntaxError(
                "is empty", offset=0, fix="name an asset or a group, or write '*' for everything"
            )
        if self.next_character() != "!":
            expression = self.disjunction()
            self.expect_end()
            return Item(expression)
        start = self.at
        self.at += 1
        expression = self.negation()
        if self.operator() in ("and", "or"):
            raise SelectionSyntaxError(
                "has '!' beside 'and' or 'or'",
                offset=start,
                why="'!' takes a whole item away, 'not' turns one part of it round",
                fix=f"write '!({self.text[start + 1 :].strip()})', or 'not' before the part that is meant",
            )
        self.expect_end()
        return Item(expression, removes=True)

    def disjunction(self) -> Expression:
        operands = [self.conjunction()]
        while self.takes("or"):
            operands.append(self.conjunction())
        return operands[0] if len(operands) == 1 else Or(tuple(_flattened(operands, Or)))

    def conjunction(self) -> Expression:
        operands = [self.negation()]
        while self.takes("and"):
            operands.append(self.negation())
        return operands[0] if len(operands) == 1 else And(tuple(_flattened(operands, And)))

    def negation(self) -> Expression:
        if not self.takes("not"):
            return self.traversal()
        self.descend()
        operand = self.negation()
        self.level -= 1
        return Not(operand)

    def traversal(self) -> Expression:
        self.skip_blanks()
        up = self.up()
        atom = self.atom()
        down = self.down()
        self.skip_blanks()
        return atom if up == 0 and down == 0 else Traversal(atom, up, down)

    def up(self) -> int | None:
        sign = _UP.match(self.text, self.at)
        if sign is None:
            return 0
        if self.text.startswith("+", sign.end()):
            raise SelectionSyntaxError(
                "has one '+' after another",
                offset=sign.end(),
                why="'+x' is everything upstream of x; a number of levels stands before the sign",
                fix="write '2+x' for two levels",
            )
        if self.starts_atom(sign.end()):
            self.at = sign.end()
            return int(sign[1]) if sign[1] else None
        if not sign[1]:
            raise self.stray_plus(self.at)
        return 0  # digits and a sign that ends the word: what is downstream of an asset with digits for a name

    def down(self) -> int | None:
        sign = _DOWN.match(self.text, self.at)
        if sign is None:
            return 0
        if self.starts_atom(sign.end()) or self.text.startswith("+", sign.end()):
            raise self.stray_plus(self.at)
        self.at = sign.end()
        return int(sign[1]) if sign[1] else None

    def atom(self) -> Expression:
        start = self.at
        if self.next_character() == "(":
            return self.parenthesised()
        prefix = _LABEL.match(self.text, start)
        if prefix is None:
            return self.named(start, after="")
        self.at = prefix.end()
        if prefix[1] in ("asset", "key"):
            return self.named(start, after=prefix[0])
        for label in LABELS:
            if prefix[1] == label:
                return self.labelled(label, start)
        by_dbt = prefix[1] in _METHODS_OF_DBT
        raise SelectionSyntaxError(
            f"selects by '{prefix[0]}', which {'is a method of dbt' if by_dbt else 'is not known'}",
            offset=start,
            why="one selects by group:, tag:, kind:, owner:, asset: or key:",
            fix=("name the assets, or select by one of these" if by_dbt else "")
            or did_you_mean(prefix[1], (*LABELS, "asset", "key"))
            or "put quotes around a name that has a colon in it",
        )

    def named(self, start: int, *, after: str) -> Named:
        begin = self.at
        text = canonical_name(self.word(after))
        if is_glob(text):
            try:
                parse_glob(text)
            except GlobError as error:
                raise SelectionSyntaxError(
                    f"has the wildcard '{text}', which cannot be read",
                    offset=begin,
                    why=str(error),
                    fix="mend the wildcard",
                ) from error
        return Named(text, start)

    def labelled(self, label: Label, start: int) -> Labelled:
        begin = self.at
        text = literal_text(self.word(f"{label}:"))
        if label == "tag" and ":" in text and self.text[begin] not in "'\"":
            raise SelectionSyntaxError(
                f"has a second ':' in '{self.text[start : self.at]}'",
                offset=begin + self.text[begin : self.at].index(":"),
                why="a tag and its value are joined by '='",
                fix=f"write 'tag:{text.replace(':', '=', 1)}'",
            )
        if label != "tag" or self.next_character() != "=":
            return Labelled(label, text, offset=start)
        self.at += 1
        has_value = self.word_end() > self.at or self.next_character() in ("'", '"')
        return Labelled(label, text, literal_text(self.word("=", may_be_empty=True)) if has_value else "", offset=start)

    def parenthesised(self) -> Expression:
        opened = self.at
        self.descend()
        self.at += 1
        expression = self.disjunction()
        if self.is_at_end():
            raise self.unclosed("parenthesis", opened)
        if self.next_character() != ")":
            raise self.unexpected()
        self.at += 1
        self.level -= 1
        return expression

    def word(self, after: str, *, may_be_empty: bool = False) -> str:
        """The text that comes next, bare or in quotes, its backslashes still in it."""
        if self.next_character() in ("'", '"'):
            return self.quoted(may_be_empty=may_be_empty)
        start, end = self.at, self.word_end()
        if start == end or (not after and (self.operator() or self.next_character() == "!")):
            raise self.missing(after)
        self.at = end
        word = self.text[start:end]
        if self.next_character() == "(":
            raise SelectionSyntaxError(
                f"has '{word}(…)', which is not part of the language",
                offset=start,
                why="there are no functions such as sinks() or roots() in a selection",
                fix="name the assets, or select by group:, tag:, kind: or owner:",
            )
        if word.endswith("\\") and literal_text(word).endswith("\\") and not literal_text(word + "x").endswith("\\x"):
            raise SelectionSyntaxError("ends with a backslash", offset=end - 1, fix="delete the backslash")
        return word

    def quoted(self, *, may_be_empty: bool) -> str:
        match = _QUOTED.match(self.text, self.at)
        if match is None:
            raise self.unclosed("quote", self.at)
        if not match[0][1:-1] and not may_be_empty:
            raise SelectionSyntaxError(
                "has nothing between the quotes", offset=self.at, fix="name an asset or a group between the quotes"
            )
        self.at = match.end()
        return match[0][1:-1]

    def word_end(self) -> int:
        """Where the bare word that begins here ends; commas and signs in the brackets of a glob belong to it."""
        end, brackets = self.at, 0
        while end < len(self.text) and not self.text[end].isspace():
            character = self.text[end]
            if character in _ENDS_WORD and not brackets:
                break
            brackets += (character in "[{") - (character in "]}" and brackets > 0)
            end += 2 if character == "\\" else 1
        return min(end, len(self.text))

    def operator(self) -> str:
        """The operator that comes next, or nothing."""
        word = self.text[self.at : self.word_end()].lower()
        return word if word in OPERATORS else ""

    def takes(self, operator: str) -> bool:
        self.skip_blanks()
        is_next = self.operator() == operator
        self.at += len(operator) if is_next else 0
        return is_next

    def starts_atom(self, offset: int) -> bool:
        return offset < len(self.text) and (self.text[offset] in "(\"'" or not self.ends_word(offset))

    def ends_word(self, offset: int) -> bool:
        return self.text[offset] in _ENDS_WORD or self.text[offset].isspace()

    def next_character(self) -> str:
        return self.text[self.at : self.at + 1]

    def is_at_end(self) -> bool:
        return self.at >= len(self.text)

    def skip_blanks(self) -> None:
        while self.next_character().isspace():
            self.at += 1

    def descend(self) -> None:
        self.level += 1
        if self.level > _DEEPEST:
            raise SelectionSyntaxError(
                f"is nested more than {_DEEPEST} levels deep", offset=self.at, fix="make several items of it"
            )

    def expect_end(self) -> None:
        if not self.is_at_end():
            raise self.unexpected()

    def unclosed(self, what: str, opened: int) -> SelectionSyntaxError:
        return SelectionSyntaxError(f"has a {what} that is not closed", offset=opened, fix=f"close the {what}")

    def stray_plus(self, offset: int) -> SelectionSyntaxError:
        return SelectionSyntaxError(
            "has a '+' that belongs to nothing",
            offset=offset,
            why="'+x' is everything upstream of x, 'x+' everything downstream, '2+x' and 'x+2' two levels of it",
            fix="write it without blanks; put quotes around a name that has a '+' in it",
        )

    def missing(self, after: str) -> SelectionSyntaxError:
        following = self.text[self.at : max(self.word_end(), self.at + 1)]
        if following.startswith("!"):
            return SelectionSyntaxError(
                "has a '!' inside",
                offset=self.at,
                why="'!' stands at the start of an item and takes the whole of it away",
                fix="write 'not' in its place",
            )
        place = f"after '{after}'" if after else f"before '{following}'" if following else "at the end"
        return SelectionSyntaxError(
            f"has nothing to select {place}",
            offset=min(self.at, max(len(self.text) - 1, 0)),
            fix="name an asset or a group; put quotes around an odd name",
        )

    def unexpected(self) -> SelectionSyntaxError:
        match self.next_character():
            case ",":
                message, why = "has a comma", _JOINING
                fix = "make two items of it, or write 'and' for what dbt means by a comma"
            case "|" | "&" as sign:
                message, why = f"has the sign '{sign}'", _JOINING
                fix = f"write '{'or' if sign == '|' else 'and'}' in its place"
            case ")":
                message, why, fix = "closes a parenthesis that was never opened", "", "delete the parenthesis"
            case "=":
                message, why = "has a '=' that belongs to nothing", "only a tag has a value: 'tag:priority=high'"
                fix = "put quotes around a name that has a '=' in it"
            case "+":
                return self.stray_plus(self.at)
            case "'" | '"' as mark if self.text.count(mark, self.at) % 2:
                message, why, fix = f"has a quote {mark} that opens nothing", "", f"delete the {mark}"
            case _:
                message, why = "has two parts side by side", _JOINING
                fix = "write 'and' or 'or' between them, or make two items of them"
        return SelectionSyntaxError(message, offset=self.at, why=why, fix=fix)


def _flattened(operands: Iterable[Expression], kind: type[And] | type[Or]) -> Iterator[Expression]:
    for operand in operands:
        if isinstance(operand, And | Or) and isinstance(operand, kind):
            yield from operand.operands
        else:
            yield operand
