"""Expressions of automation conditions as text, read into trees.

```
expression  = conjunction ("|" conjunction)*
conjunction = negation ("&" negation)*
negation    = "~" negation | method
method      = atom ("." name "(" arguments ")")*
atom        = "(" expression ")" | name ["(" arguments ")"]
arguments   = [argument ("," argument)* [","]]
argument    = [name "="] (text | "True" | "False" | list | mapping | expression)
```

Operators bind as in Python. Nothing is ever evaluated as Python.
"""

from dataclasses import dataclass
from functools import lru_cache

from floe_core.automation.arguments import Given, GivenValue, Listed, bind_arguments, check_scope
from floe_core.automation.tokens import OPERATORS, Family, Token, split_tokens
from floe_core.automation.tree import And, Argument, Condition, Expression, Method, Not, Or
from floe_core.automation.unreadable import UnreadableConditionError
from floe_core.automation.vocabulary import CONDITIONS, METHODS, WORDS, Signature
from floe_core.suggestions import did_you_mean, list_names

_LONGEST = 2000
_DEEPEST = 30
_SIGNS_OF_WORDS = {"and": "&", "or": "|", "not": "~"}
_CLOSING = {"[": "]", "{": "}"}
_FLAGS = {"True": True, "False": False, "true": True, "false": False}
_OWNERS = ("dg", "dagster", "AutomationCondition")
_WITH_A_FUNCTION = "write a function that returns it: {target_function: package.module.name}"


@lru_cache(maxsize=256)
def parse_expression(text: str) -> Expression:
    """Read *text*.

    >>> parse_expression("eager & ~in_progress()").operands[1]
    Not(operand=Condition(name='in_progress', arguments=(), is_word=False, offset=9))

    Raises:
        UnreadableConditionError: It is no expression, or names what does not exist.
    """
    if len(text) > _LONGEST:
        raise UnreadableConditionError(
            f"has {len(text)} characters", offset=0, why=f"it may have {_LONGEST}", fix=_WITH_A_FUNCTION
        )
    expression = _Parser(split_tokens(text)).whole()
    check_scope(expression, "asset")
    return expression


@dataclass
class _Parser:
    """Reads tokens from left to right: `at` is the number of the next one, `level` how deep that is nested."""

    tokens: list[Token]
    at: int = 0
    level: int = 0

    def whole(self) -> Expression:
        expression = self.expression()
        if self.token.family != "end":
            raise self.unexpected()
        return expression

    def expression(self) -> Expression:
        self.descend()
        operands = [self.conjunction()]
        while self.takes("|"):
            operands.append(self.conjunction())
        self.level -= 1
        return operands[0] if len(operands) == 1 else Or(tuple(operands))

    def conjunction(self) -> Expression:
        operands = [self.negation()]
        while self.takes("&"):
            operands.append(self.negation())
        return operands[0] if len(operands) == 1 else And(tuple(operands))

    def negation(self) -> Expression:
        if not self.takes("~"):
            return self.method()
        self.descend()
        found = Not(self.negation())
        self.level -= 1
        return found

    def method(self) -> Expression:
        found, outside = self.atom(), self.level
        while self.takes("."):
            self.descend()
            name = self.take("name")
            signature = METHODS.get(name.content)
            if signature is None:
                raise _unknown_method(name)
            if not self.is_next("("):
                raise _not_called(name, signature)
            found = Method(found, name.content, self.arguments(name, signature), name.offset)
        self.level = outside
        return found

    def atom(self) -> Expression:
        opened = self.token
        if self.takes("("):
            found = self.expression()
            self.close(opened)
            return found
        name = self.take("name")
        signature = CONDITIONS.get(name.content)
        if signature is None:
            raise self.unknown_condition(name)
        if self.is_next("("):
            return Condition(name.content, self.arguments(name, signature), offset=name.offset)
        if name.content not in WORDS:
            raise _not_called(name, signature)
        return Condition(name.content, is_word=True, offset=name.offset)

    def arguments(self, name: Token, signature: Signature) -> tuple[Argument, ...]:
        opened = self.take("sign")
        given: list[Given] = []
        while not self.is_next(")") and self.token.family != "end":
            given.append(self.argument())
            if not self.takes(","):
                break
        self.close(opened)
        return bind_arguments(name.content, signature, given, offset=name.offset)

    def argument(self) -> Given:
        name = self.token
        if name.family == "name" and self.tokens[self.at + 1].content == "=":
            self.at += 2
            return Given(self.value(), name.offset, name.content)
        return Given(self.value(), name.offset)

    def value(self) -> GivenValue:
        start = self.token
        if start.family == "name" and start.content in _FLAGS:
            self.at += 1
            return _FLAGS[start.content]
        if start.family in ("text", "number"):
            self.at += 1
            return start.content if start.family == "text" else None
        return self.listed() if self.is_next(*_CLOSING) else self.expression()

    def listed(self) -> Listed:
        opened = self.take("sign")
        closing = _CLOSING[opened.content]
        pairs: list[tuple[str, str | None]] = []
        while not self.is_next(closing) and self.token.family != "end":
            first = self.take("text").content
            pairs.append((first, self.take("text").content if self.takes(":") else None))
            if not self.takes(","):
                break
        self.close(opened, closing)
        return Listed(tuple(pairs))

    @property
    def token(self) -> Token:
        return self.tokens[self.at]

    def is_next(self, *signs: str) -> bool:
        return self.token.family == "sign" and self.token.content in signs

    def takes(self, sign: str) -> bool:
        is_next = self.is_next(sign)
        self.at += is_next
        return is_next

    def take(self, family: Family) -> Token:
        token = self.token
        if token.family != family:
            raise _missing(family, token)
        self.at += 1
        return token

    def close(self, opened: Token, closing: str = ")") -> None:
        if self.token.family == "end":
            message = f"has a '{opened.content}' that is not closed"
            raise UnreadableConditionError(message, offset=opened.offset, fix=f"add a '{closing}'")
        if not self.takes(closing):
            raise self.unexpected()

    def descend(self) -> None:
        self.level += 1
        if self.level > _DEEPEST:
            raise UnreadableConditionError(
                f"is nested more than {_DEEPEST} levels deep", offset=self.token.offset, fix=_WITH_A_FUNCTION
            )

    def unknown_condition(self, name: Token) -> UnreadableConditionError:
        if name.content in _SIGNS_OF_WORDS:
            return _operator_as_word(name)
        if name.content in METHODS:
            return UnreadableConditionError(
                f"calls '{name.content}' on nothing",
                offset=name.offset,
                why="it is asked of a condition",
                fix=f"write it behind one: 'missing().{name.content}(…)'",
            )
        if name.content in _OWNERS and self.is_next("."):
            meant = next((token.content for token in self.tokens[self.at :] if token.content in CONDITIONS), "eager")
            return UnreadableConditionError(
                f"has the prefix '{name.content}'",
                offset=name.offset,
                why="conditions go by their bare names",
                fix=f"write '{meant}(…)' without it",
            )
        return UnreadableConditionError(
            f"names '{name.content}', which does not exist",
            offset=name.offset,
            why=f"the conditions are {list_names(CONDITIONS, limit=6)}",
            fix=did_you_mean(name.content, CONDITIONS)
            or "write one of the conditions of Dagster's AutomationCondition",
        )

    def unexpected(self) -> UnreadableConditionError:
        token = self.token
        if token.family == "name" and token.content in _SIGNS_OF_WORDS:
            return _operator_as_word(token)
        if self.is_next(")", "]", "}"):
            message = f"closes with '{token.content}' what was not opened so"
            return UnreadableConditionError(message, offset=token.offset, fix="delete it")
        return UnreadableConditionError(
            "has two parts side by side", offset=token.offset, why=OPERATORS, fix="write '&' or '|' between them"
        )


def _operator_as_word(token: Token) -> UnreadableConditionError:
    return UnreadableConditionError(
        f"has the word '{token.content}'",
        offset=token.offset,
        why=OPERATORS,
        fix=f"write '{_SIGNS_OF_WORDS[token.content]}' in its place",
    )


def _unknown_method(name: Token) -> UnreadableConditionError:
    fix = did_you_mean(name.content, METHODS)
    return UnreadableConditionError(
        f"calls the method '{name.content}', which no condition has",
        offset=name.offset,
        why=f"the methods are {list_names(METHODS, limit=6)}",
        fix=f"write '& {name.content}'" if name.content in CONDITIONS else fix or "delete it",
    )


def _not_called(name: Token, signature: Signature) -> UnreadableConditionError:
    inside = "…" if any(parameter.required for parameter in signature.parameters) else ""
    return UnreadableConditionError(
        f"has '{name.content}' without parentheses",
        offset=name.offset,
        why=f"only {list_names(WORDS)} stand without them",
        fix=f"write '{name.content}({inside})'",
    )


def _missing(family: Family, token: Token) -> UnreadableConditionError:
    if family == "name" and token.family == "text":
        message = f"has the text '{token.content}' in place of a condition"
        return UnreadableConditionError(message, offset=token.offset, fix="write it without the quotes")
    what, fix = ("condition", "write one, such as 'missing()'") if family == "name" else ("text", "put it in quotes")
    place = "at the end" if token.family == "end" else f"before '{token.content}'"
    return UnreadableConditionError(f"lacks a {what} {place}", offset=token.offset, fix=fix)
