"""What an item of a selection says, as a tree, and the tree as text."""

import re
from dataclasses import dataclass, field
from typing import Literal, TypeAlias, assert_never, get_args

Label: TypeAlias = Literal["group", "tag", "kind", "owner"]
LABELS: tuple[Label, ...] = get_args(Label)
OPERATORS = ("and", "or", "not")


@dataclass(frozen=True, slots=True)
class Named:
    """The asset of that name, or every asset whose key matches the glob.

    In `text` a backslash stands before the characters that are not meant as those of a glob, and nowhere else.
    """

    text: str
    offset: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Labelled:
    """The assets with a group, kind, owner or tag; a tag without `tag_value` may have any value."""

    label: Label
    text: str
    tag_value: str | None = None
    offset: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Traversal:
    """What the operand selects, and what is at most that many steps up and down of it; None is all the way."""

    operand: "Expression"
    up: int | None = 0
    down: int | None = 0


@dataclass(frozen=True, slots=True)
class Not:
    """Everything but what the operand selects."""

    operand: "Expression"


@dataclass(frozen=True, slots=True)
class And:
    """What every operand selects; there are at least two, and none is an And itself."""

    operands: tuple["Expression", ...]


@dataclass(frozen=True, slots=True)
class Or:
    """What any operand selects; there are at least two, and none is an Or itself."""

    operands: tuple["Expression", ...]


Expression: TypeAlias = Named | Labelled | Traversal | Not | And | Or


@dataclass(frozen=True, slots=True)
class Item:
    """One item of a list of selections; one that `removes` takes away from what the others select."""

    expression: Expression
    removes: bool = False


def item_text(item: Item) -> str:
    """The item as text that reads back to an equal item."""
    if item.removes:
        return "!" + _operand_text(item.expression, Not, And, Or)
    return expression_text(item.expression)


def expression_text(expression: Expression) -> str:
    """The expression as text that reads back to an equal expression."""
    match expression:
        case Named():
            return _name_text(expression.text)
        case Labelled():
            return labelled_text(expression)
        case Traversal(operand, up, down):
            before = "" if up == 0 else f"{'' if up is None else up}+"
            after = "" if down == 0 else f"+{'' if down is None else down}"
            return before + _operand_text(operand, Traversal, Not, And, Or) + after
        case Not(operand):
            return f"not {_operand_text(operand, And, Or)}"
        case And(operands):
            return " and ".join(_operand_text(operand, And, Or) for operand in operands)
        case Or(operands):
            return " or ".join(_operand_text(operand, Or) for operand in operands)
        case _:
            assert_never(expression)


def labelled_text(labelled: Labelled) -> str:
    """Such as `group:gold`, `tag:priority=high` or `owner:"a+b@example.com"`."""
    texts = [text for text in (labelled.text, labelled.tag_value) if text is not None]
    return f"{labelled.label}:" + "=".join(_value_text(text) for text in texts)


def _operand_text(operand: Expression, *in_parentheses: type[Expression]) -> str:
    text = expression_text(operand)
    return f"({text})" if isinstance(operand, in_parentheses) else text


def _name_text(name: str) -> str:
    is_plain = re.fullmatch(r"(?=.*[^\d])[\w./*?-]+", name) and name.lower() not in OPERATORS
    return name if is_plain else '"' + name.replace('"', '\\"') + '"'


def _value_text(value: str) -> str:
    is_plain = re.fullmatch(r"[\w./:@-]+", value)
    return value if is_plain else '"' + re.sub(r'[\\"]', r"\\\g<0>", value) + '"'
