"""Pydantic's errors in the words of the documents: which value, which rule, how to mend it."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from floe_core.errors import Problem, YamlPath
from floe_core.key_problems import KeyProblems
from floe_core.schema_places import Place
from floe_core.validated_document import Spec, ValidatedDocument
from floe_core.validation_pass import ValidationPass
from floe_core.value_problems import ValueProblems, stands_for_list

_TYPE_ERROR = re.compile(r"(string|int|float|finite|bool|list|tuple|dict|model)_(type|parsing|from_|number|attributes)")
_EXPECTED = {
    "string": "text",
    "int": "a whole number",
    "float": "a number",
    "finite": "a finite number",
    "bool": "true or false",
    "list": "a list",
    "tuple": "a list",
    "dict": "a mapping",
    "model": "a mapping",
}


@dataclass(frozen=True)
class Described:
    """One mistake: what to say about it, if anything, and what stands in for the values that it leaves unknown.

    In `stand_ins` the value of a path is `ABSENT` where its key counts as not written.
    """

    problem: Problem | None
    stand_ins: Mapping[YamlPath, object] = field(default_factory=dict)


class ErrorDescriber:
    """Turns the errors of validating a document into problems."""

    def __init__(self, document: ValidatedDocument[Spec]) -> None:
        self._pass = ValidationPass(document)
        self._values = ValueProblems(self._pass)
        self._keys = KeyProblems(self._pass, self._values)

    def describe(self, error: ValidationError, value: object) -> list[Described]:
        """Every mistake that validating *value* met, which is the document, or the document with stand-ins in it.

        Texts from the environment are shown as the document has them (`${NAME}`).
        """
        self._pass.begin(value)
        order = sorted(error.errors(include_url=False), key=lambda error: error["type"] == "missing")
        described: list[Described] = []
        for details in order:
            self._pass.stand_ins, self._pass.beside = {}, []
            wrong_level = self._keys.wrong_level(details["loc"])
            problem = self._keys.on_wrong_level(*wrong_level) if wrong_level else self._describe(details)
            described += [Described(told, self._pass.stand_ins) for told in (problem, *self._pass.beside)]
        return described

    def without_secrets(self, problems: Iterable[Problem]) -> tuple[Problem, ...]:
        """*problems*, with nothing of the secrets that were met in what they quote."""
        return tuple(map(self._pass.masking.without_secrets, problems))

    def _describe(self, error: ErrorDetails) -> Problem | None:
        kind, loc, context = error["type"], error["loc"], error.get("ctx", {})
        if kind == "extra_forbidden":
            return self._keys.unknown_key(loc)
        if kind == "missing":
            return self._keys.missing_key(loc)
        place = self._pass.walker.walk(loc)
        if place.value is None and not place.is_key:
            return self._values.empty(place)
        if kind in ("union_tag_invalid", "union_tag_not_found"):
            return self._keys.unknown_kind(place)
        if kind == "value_error":
            return self._describe_rule(place, context["error"], loc)
        self._pass.leave_out(place)
        if kind == "literal_error":
            return self._values.not_a_choice(place)
        if (wrong_type := _TYPE_ERROR.match(kind)) is not None:
            return self._values.wrong_type(place, _EXPECTED[wrong_type[1]], is_listed=stands_for_list(place, loc))
        return self._values.out_of_bounds(place, kind, context)

    def _describe_rule(self, place: Place, error: object, loc: tuple[str | int, ...]) -> Problem | None:
        if isinstance(error, ValidationError):
            inner = error.errors(include_url=False)[0]
            return self._describe({**inner, "loc": (*loc, *inner["loc"])})
        return self._values.broken_rule(place, error, loc=loc)
