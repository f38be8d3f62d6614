"""Statements as sqlglot reads them, but for those that would take too long or end the process."""

import logging
from collections.abc import Sequence

from sqlglot import Token, TokenType, exp
from sqlglot.dialects.dialect import Dialect

_OPENING = frozenset({TokenType.L_PAREN, TokenType.L_BRACKET, TokenType.L_BRACE, TokenType.CASE})
_CLOSING = frozenset({TokenType.R_PAREN, TokenType.R_BRACKET, TokenType.R_BRACE, TokenType.END})
_DEEPEST = 64
_MOST_TOKENS = 20_000
_OPERATORS = frozenset({
    TokenType.AND, TokenType.OR, TokenType.NOT, TokenType.UNION, TokenType.EXCEPT, TokenType.INTERSECT,
    TokenType.SELECT, TokenType.JOIN, TokenType.DASH, TokenType.PLUS, TokenType.STAR, TokenType.SLASH, TokenType.MOD,
    TokenType.DPIPE, TokenType.PIPE, TokenType.AMP, TokenType.EQ, TokenType.LT, TokenType.GT, TokenType.TILDE,
    TokenType.ARROW, TokenType.DCOLON, TokenType.DOT,
})  # fmt: skip
_MOST_OPERATORS = 4_000
_MOST_SUBSCRIPTS = 100
_FIRST = frozenset({TokenType.SELECT, TokenType.WITH, TokenType.FROM, TokenType.L_PAREN, TokenType.VALUES})

# Without one, what sqlglot says of a JSON path that it cannot read stands in the output of the run.
logging.getLogger("sqlglot").addHandler(logging.NullHandler())


class UnreadableError(ValueError):
    """No select, or one that is too large."""


def parse_select(query: str, *, dialect: str) -> exp.Expr:
    """The one statement in *query*.

    Args:
        query: The statement.
        dialect: sqlglot's word for the database, or another.

    Raises:
        UnreadableError: It is no select, or too large.

    Source:
        sqlglot 30 is compiled: brackets of a thousand levels end the process in a thread with a stack of 1 MB, and its
        time for subscripts grows with the square of their number. What it cannot read of
        other statements it logs, whole.
    """
    known = (Dialect.get(dialect) or Dialect)()
    tokens = known.tokenize(query)
    while tokens and tokens[-1].token_type is TokenType.SEMICOLON:
        tokens.pop()
    _check(tokens)
    (statement,) = known.parser().parse(tokens, query)
    if statement is None:
        raise UnreadableError
    return statement


def _check(tokens: Sequence[Token]) -> None:
    if not tokens or tokens[0].token_type not in _FIRST or len(tokens) > _MOST_TOKENS:
        raise UnreadableError
    depth = operators = subscripts = 0
    for token in tokens:
        kind = token.token_type
        if kind in _OPENING:
            depth += 1
            subscripts += kind is TokenType.L_BRACKET
        elif kind in _CLOSING:
            depth = max(depth - 1, 0)
        elif kind in _OPERATORS:
            operators += 1
        elif kind is TokenType.SEMICOLON:
            raise UnreadableError
        if depth > _DEEPEST or operators > _MOST_OPERATORS or subscripts > _MOST_SUBSCRIPTS:
            raise UnreadableError
