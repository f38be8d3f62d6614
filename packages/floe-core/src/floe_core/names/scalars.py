"""Texts and numbers as YAML gives them."""

import re
from typing import Annotated, TypeAlias

from pydantic import AllowInfNan, BeforeValidator, WithJsonSchema
from pydantic_core import PydanticKnownError

from floe_core.names.rules import Rule, RuleError
from floe_core.yaml_text.scalars import WrittenFloat, WrittenInt


def check_regex(text: str) -> str:
    """*text*, if it is a regular expression of Python."""
    try:
        re.compile(text)
    except RecursionError as error:
        raise RuleError("it is a regular expression of Python that nests less deeply", fix="make it shorter") from error
    except re.error as error:
        raise RuleError(
            f"it is a regular expression of Python: {error}",
            fix=_named_as_in_python(text) or "mend it, or put a backslash before a character meant as it is",
        ) from error
    return text


def _named_as_in_python(text: str) -> str:
    """To name groups as Python does where that is all that is wrong."""
    names = re.findall(r"\(\?<([A-Za-z_]\w*)>", text)
    try:
        re.compile(re.sub(r"\(\?<(?=[A-Za-z_]\w*>)", "(?P<", text))
    except (re.error, RecursionError):
        return ""
    return f"name the group as Python does: (?P<{names[0]}>…)" if names else ""


def read_text(value: object) -> object:
    """Numbers where text is meant, as YAML reads `start: 2024`; not those whose text would be another one."""
    if isinstance(value, WrittenInt | WrittenFloat):
        raise RuleError(f"YAML reads it as the number {value}", fix=f"put it in quotes: '{value.written}'")
    if isinstance(value, bool) or not isinstance(value, int | float):
        return value
    return str(value)


def _refuse_bool(value: object) -> object:
    if isinstance(value, bool):
        raise RuleError("it is a number, not true or false", fix="write a number")
    return value


def _refuse_words(value: object) -> object:
    """`yes`, `on` and `1`, which pydantic takes for true: YAML 1.2 has none of them. The environment's texts may."""
    if type(value) in (str, int, float, WrittenInt, WrittenFloat):
        raise PydanticKnownError("bool_type")
    return value


Text: TypeAlias = Annotated[str, BeforeValidator(read_text), WithJsonSchema({"type": ["string", "number"]})]
WholeNumber: TypeAlias = Annotated[int, BeforeValidator(_refuse_bool)]
Number: TypeAlias = Annotated[float, AllowInfNan(False), BeforeValidator(_refuse_bool)]
Flag: TypeAlias = Annotated[bool, BeforeValidator(_refuse_words)]
RegularExpression: TypeAlias = Annotated[str, Rule(check_regex)]
