"""What an expression of automation conditions says, as a tree."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TypeAlias, assert_never


@dataclass(frozen=True, slots=True)
class Argument:
    """The value that a parameter is given."""

    parameter: str
    value: "Value"
    offset: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Condition:
    """A condition by its name; `is_word` is one without parentheses, such as the bare `on_cron`."""

    name: str
    arguments: tuple[Argument, ...] = ()
    is_word: bool = False
    offset: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Method:
    """What a method gives, such as `operand.since(…)`."""

    operand: "Expression"
    name: str
    arguments: tuple[Argument, ...] = ()
    offset: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Not:
    """True where the operand is not."""

    operand: "Expression"


@dataclass(frozen=True, slots=True)
class And:
    """True where every operand is; there are at least two."""

    operands: tuple["Expression", ...]


@dataclass(frozen=True, slots=True)
class Or:
    """True where any operand is; there are at least two."""

    operands: tuple["Expression", ...]


Expression: TypeAlias = Condition | Method | Not | And | Or
Value: TypeAlias = str | bool | timedelta | tuple[str, ...] | tuple[tuple[str, str], ...] | Expression


def expressions_in(expression: Expression) -> Iterator[Expression]:
    """*expression* and every one inside of it, arguments too."""
    waiting: list[Expression] = [expression]
    while waiting:
        found = waiting.pop()
        yield found
        match found:
            case And(operands) | Or(operands):
                waiting += reversed(operands)
            case Not(operand):
                waiting.append(operand)
            case Condition(arguments=arguments):
                waiting += _conditions_among(arguments)
            case Method(operand=operand, arguments=arguments):
                waiting += (*_conditions_among(arguments), operand)
            case _:
                assert_never(found)


def _conditions_among(arguments: tuple[Argument, ...]) -> list[Expression]:
    return [argument.value for argument in arguments if isinstance(argument.value, Expression)]
