"""What a condition is called with, held against what it takes."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TypeAlias, assert_never

from floe_core.automation.tree import And, Argument, Condition, Expression, Method, Not, Or, Value
from floe_core.automation.unreadable import UnreadableConditionError
from floe_core.automation.vocabulary import CONDITIONS, Kind, Parameter, Scope, Signature
from floe_core.names.rules import RuleError, UnreadableTextError
from floe_core.names.selections import check_selection_item
from floe_core.names.times import check_cron, check_time_zone, parse_duration
from floe_core.suggestions import did_you_mean, list_names

_OR_BARE = ", or 'on_cron' without parentheses for the cron of the asset's time window"


@dataclass(frozen=True, slots=True)
class Listed:
    """Texts in brackets or braces; each with a second text behind a colon, or None."""

    pairs: tuple[tuple[str, str | None], ...]


GivenValue: TypeAlias = str | bool | Listed | Expression | None
"""An argument as it is written; None is a number, which nothing takes."""


@dataclass(frozen=True, slots=True)
class Given:
    """One argument as it was written; `name` is empty where it goes by its position."""

    value: GivenValue
    offset: int
    name: str = ""


def bind_arguments(called: str, signature: Signature, given: Sequence[Given], *, offset: int) -> tuple[Argument, ...]:
    """The arguments in the order of the parameters.

    Args:
        called: Name of the condition or method.
        signature: What it takes.
        given: What it is called with.
        offset: Where its name stands.

    Raises:
        UnreadableConditionError: There are too many or too few, one is unknown, or one is of another kind.
    """
    bound: dict[str, Argument] = {}
    by_position = iter([parameter for parameter in signature.parameters if not parameter.by_name_only])
    for argument in given:
        parameter = _named(called, signature, argument) if argument.name else next(by_position, None)
        if parameter is None:
            raise _too_many(called, signature, argument)
        if parameter.name in bound:
            message = f"gives '{called}' its '{parameter.name}' twice"
            raise UnreadableConditionError(message, offset=argument.offset, fix="delete one of the two")
        bound[parameter.name] = Argument(parameter.name, _read(called, parameter, argument), argument.offset)
    for parameter in signature.parameters:
        if parameter.required and parameter.name not in bound:
            raise _too_few(called, parameter, offset)
    return tuple(bound[parameter.name] for parameter in signature.parameters if parameter.name in bound)


def check_scope(expression: Expression, scope: Scope) -> None:
    """Nothing, where *expression* can be true of what *scope* says.

    Raises:
        UnreadableConditionError: A condition in it is about something else.
    """
    for condition in _about_the_same(expression):
        found = CONDITIONS[condition.name].scope
        if found not in (scope, "both"):
            of_checks = found == "check"
            raise UnreadableConditionError(
                f"asks '{condition.name}' of {'an asset' if of_checks else 'a check'}",
                offset=condition.offset,
                why=f"it can be true of {'asset checks' if of_checks else 'assets'} only",
                fix=f"write 'any_checks_match({condition.name}())'" if of_checks else "move it out of the parentheses",
            )


def _about_the_same(expression: Expression) -> Iterator[Condition]:
    """The conditions that are asked of the same asset or check as the whole, so not those about upstreams or checks."""
    match expression:
        case Condition():
            yield expression
        case Not(operand):
            yield from _about_the_same(operand)
        case And(operands) | Or(operands):
            for operand in operands:
                yield from _about_the_same(operand)
        case Method(operand, _, arguments):
            yield from _about_the_same(operand)
            for argument in arguments:
                if isinstance(argument.value, Expression):
                    yield from _about_the_same(argument.value)
        case _:
            assert_never(expression)


def _named(called: str, signature: Signature, argument: Given) -> Parameter:
    names = {parameter.name: parameter for parameter in signature.parameters}
    if argument.name not in names:
        raise UnreadableConditionError(
            f"gives '{called}' the argument '{argument.name}'",
            offset=argument.offset,
            why=f"its arguments are {list_names(names)}" if names else "it takes none",
            fix=did_you_mean(argument.name, names),
        )
    return names[argument.name]


def _too_many(called: str, signature: Signature, argument: Given) -> UnreadableConditionError:
    parameters = signature.parameters
    by_name = any(parameter.by_name_only for parameter in parameters)
    return UnreadableConditionError(
        f"gives '{called}' an argument {'without its name' if by_name else 'too many'}",
        offset=argument.offset,
        why=f"its arguments are {list_names(item.name for item in parameters)}" if parameters else "it takes none",
        fix=f"write '{parameters[0].name}=…'" if by_name else "delete it",
    )


def _too_few(called: str, parameter: Parameter, offset: int) -> UnreadableConditionError:
    return UnreadableConditionError(
        f"calls '{called}' without its '{parameter.name}'",
        offset=offset,
        why=f"that is {parameter.kind.words}",
        fix=f"write '{called}({parameter.kind.example})'" + (_OR_BARE if called == "on_cron" else ""),
    )


def _read(called: str, parameter: Parameter, given: Given) -> Value:
    message = f"gives '{called}' the wrong '{parameter.name}'"
    try:
        value = _converted(parameter.kind, given.value)
    except UnreadableConditionError:
        raise  # a condition within this one says where it is wrong
    except RuleError as error:
        why = f"the {error.kind} {error}" if isinstance(error, UnreadableTextError) else str(error)
        raise UnreadableConditionError(message, offset=given.offset, why=why, fix=error.fix) from error
    if value is None:
        why, fix = f"it is {parameter.kind.words}", f"write it like {parameter.kind.example}"
        raise UnreadableConditionError(message, offset=given.offset, why=why, fix=fix)
    return value


def _converted(kind: Kind, value: GivenValue) -> Value | None:
    """*value* as what it is meant to be; None where it is something else."""
    match kind:
        case Kind.ASSET_CONDITION | Kind.CHECK_CONDITION | Kind.CONDITION | Kind.CONDITION_OR_NAME:
            return _condition(kind, value)
        case Kind.FLAG:
            return value if isinstance(value, bool) else None
        case Kind.SELECTION | Kind.TAG_KEYS | Kind.TAG_VALUES:
            return _several(kind, value)
        case Kind.CRON | Kind.TIME_ZONE | Kind.DURATION | Kind.ASSET_KEY | Kind.LABEL:
            return _single(kind, value) if isinstance(value, str) and value.strip() else None
        case _:
            assert_never(kind)


def _condition(kind: Kind, value: GivenValue) -> Value | None:
    if isinstance(value, str) and kind is Kind.CONDITION_OR_NAME:
        return value or None
    if not isinstance(value, Expression):
        return None
    if kind is Kind.ASSET_CONDITION:
        check_scope(value, "asset")
    if kind is Kind.CHECK_CONDITION:
        check_scope(value, "check")
    return value


def _single(kind: Kind, text: str) -> Value:
    match kind:
        case Kind.CRON:
            return check_cron(text)
        case Kind.TIME_ZONE:
            return check_time_zone(text)
        case Kind.DURATION:
            return parse_duration(text)
        case _:
            return text


def _several(kind: Kind, value: GivenValue) -> Value | None:
    listed = Listed(((value, None),)) if isinstance(value, str) else value
    if not isinstance(listed, Listed) or not listed.pairs:
        return None
    texts = tuple(text for text, _ in listed.pairs)
    pairs = tuple((text, second) for text, second in listed.pairs if second is not None)
    if kind is Kind.TAG_VALUES:
        return pairs if len(pairs) == len(texts) else None
    if kind is Kind.SELECTION:
        texts = tuple(map(check_selection_item, texts))
    return None if pairs else texts
