"""How a value breaks the rule of its field, and the annotation that has a rule checked."""

from collections.abc import Callable

from pydantic import GetCoreSchemaHandler
from pydantic_core import CoreSchema, core_schema

from floe_core.errors import YamlPath


class RuleError(ValueError):
    """A value that breaks the rule of its field: the text is the rule, `fix` what to write instead (may be empty).

    `at` is the path of the value below the place where the error is raised; it is empty where that is the place.
    `offset` is the character of the text at which it breaks the rule, where one can be told.
    """

    def __init__(self, rule: str, *, fix: str = "", at: YamlPath = (), offset: int | None = None) -> None:
        super().__init__(rule)
        self.fix = fix
        self.at = at
        self.offset = offset


class UnreadableTextError(RuleError):
    """Text in a language of its own that cannot be read, such as an item of a selection.

    The text of the error goes on after the name of the item ("has a comma"); `kind` is what messages call it.
    """

    def __init__(self, message: str, *, code: str, kind: str, offset: int, why: str = "", fix: str = "") -> None:
        super().__init__(message, fix=fix, offset=offset)
        self.code = code
        self.kind = kind
        self.why = why


class OneTextError(RuleError):
    """A text with commas in it where a list is asked."""


class SecretError(RuleError):
    """A secret that stands in a document: neither the value nor its line may be shown."""


def suggest_unless_same(guess: str, text: str) -> str:
    """To write *guess* in place of *text*; nothing where there is none or it is the same."""
    return f"write '{guess}'" if guess and guess != text else ""


class Rule:
    """A check of the text; pydantic's `AfterValidator` looks at the function's signature for every field anew."""

    def __init__(self, check: Callable[[str], str]) -> None:
        self._check = check

    def __get_pydantic_core_schema__(self, source: object, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_after_validator_function(self._check, handler(source))
