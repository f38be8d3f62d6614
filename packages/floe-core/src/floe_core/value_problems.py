"""What is wrong with a value: its type, its size, a rule that it breaks, a secret in it."""

import re
from collections.abc import Collection, Mapping
from typing import Any

from pydantic import ValidationError
from pydantic_core import SchemaError, SchemaValidator

from floe_core.errors import Problem
from floe_core.names.rules import OneTextError, RuleError, SecretError, UnreadableTextError
from floe_core.remedies import (
    describe_type,
    format_list,
    split_list,
    suggest_expression,
    suggest_form,
    suggest_item,
    suggest_key,
    suggest_kind,
    suggest_other_quotes,
)
from floe_core.schema_places import Place, is_required, keys_of
from floe_core.suggestions import did_you_mean, list_names
from floe_core.validation_pass import ValidationPass

_ADDRESS = re.compile(r"[/:\\]|\.\w")
_BUCKETS = ("s3:", "s3a:", "gs:", "az:", "abfs")
_BOUNDS = {"greater_than_equal": ("at least", "ge", "or more"), "less_than_equal": ("at most", "le", "or less")}
_LENGTHS = {"too_short": ("at least", "min_length"), "too_long": ("at most", "max_length")}


class ValueProblems:
    """Says why values are refused, and leaves them out of what is validated next."""

    def __init__(self, validation: ValidationPass) -> None:
        self._pass = validation
        self._words = validation.words
        self._source = validation.source
        self._masking = validation.masking

    def out_of_bounds(self, place: Place, kind: str, context: Mapping[str, Any]) -> Problem:
        """That it is too small, too large, too short or too long; *kind* and *context* are pydantic's."""
        why, remedy = _bound(kind, context)
        variable = self._words.variable(place)
        fix = remedy and (f"set {variable} to {remedy}" if variable else f"write {remedy}")
        return self.refused(place, "FLOE-125", why=why, fix=fix)

    def empty(self, place: Place) -> Problem:
        """That a key or an item has no value."""
        self._pass.leave_out(place)
        return Problem(
            "FLOE-122",
            f"{self._words.name(place.path)} is empty",
            self._words.locate(place),
            fix="write its value" if is_required(place) else f"write its value, or {_deletion(place)}",
        )

    def not_a_choice(self, place: Place) -> Problem:
        """That it is none of the few values that may stand there."""
        schema, _ = self._pass.walker.unwrap(place.schema)
        choices = [str(choice).lower() if isinstance(choice, bool) else str(choice) for choice in schema["expected"]]
        one_of = f"it must be {'one of ' if len(choices) > 1 else ''}{list_names(choices)}"
        return self.refused(place, "FLOE-123", why=one_of, fix=self.one_of_them(place, choices))

    def one_of_them(self, place: Place, choices: Collection[str]) -> str:
        """To write one of *choices*, the one that was meant where that can be told."""
        variable = self._words.variable(place)
        if variable:
            return f"set {variable} to one of them"
        only = f"write '{next(iter(choices))}'" if len(choices) == 1 else "write one of them"
        return did_you_mean(str(place.value), choices) or suggest_kind(str(place.value), choices) or only

    def wrong_type(self, place: Place, expected: str, *, is_listed: bool) -> Problem:
        """That it is not what is *expected*; where `is_listed`, it stands in place of a list."""
        variable = self._words.variable(place)
        if variable and place.value == "":
            return self._nothing(place, variable)
        schema, model = self._pass.walker.unwrap(place.schema)
        if schema["type"] == "tagged-union":
            return self.no_mapping_of_a_kind(place)
        short = self._pass.walker.short_form(place.schema)
        one = describe_type(expected, keys=list(keys_of(model)), short=short)
        why = f"it must be {f'{one} or a list of texts' if is_listed and expected == 'text' else one}"
        if variable:
            is_single = expected not in ("a mapping", "a list")
            fix = f"set {variable} to {expected}" if is_single else f"write {expected}: an expression gives one value"
        else:
            fix = (
                suggest_expression(place.value)
                or suggest_other_quotes(place.value)
                or (suggest_key(place.value, list(keys_of(model))) if expected == "a mapping" else "")
                or (self._item(place) if expected == "a list" else "")
                or self._settings_elsewhere(place, expected)
                or self._other_form(place, expected, short=short, is_listed=is_listed)
            )
        return self.refused(place, "FLOE-122", why=why, fix=fix)

    def no_mapping_of_a_kind(self, place: Place) -> Problem:
        """That something else stands where a mapping with a `type` is asked."""
        why = "it must be a mapping with a 'type'"
        fix = suggest_key(place.value, ["type"]) or "write 'type: …' and the rest below it, indented"
        return self.refused(place, "FLOE-122", why=why, fix=fix)

    def _other_form(self, place: Place, expected: str, *, short: str, is_listed: bool) -> str:
        family = self._pass.families.get(place.path)
        if family and expected == "a mapping" and not short:
            without = ", without '- '" if isinstance(place.value, list) else ", indented"
            return f"write each {family} below its name, 'name: …'{without}"
        schema, _ = self._pass.walker.unwrap(place.schema)
        return suggest_form(
            expected,
            place.value,
            written=self._words.source_text(place),
            key=next((part for part in reversed(place.path) if isinstance(part, str)), ""),
            short=short,
            all_optional=not self._pass.keys_of(place.schema, only_required=True),
            is_listed=is_listed,
            bounds=(schema.get("ge"), schema.get("le")),
        )

    def _item(self, place: Place) -> str:
        """To write an item of a list with a blank behind its '-'."""
        location = self._pass.source.locate(*place.path)
        return suggest_item(place.value, location.source_line or "")

    def _settings_elsewhere(self, place: Place, expected: str) -> str:
        """Where the settings of a profile belong that stand in place of its name."""
        if expected != "text" or not isinstance(place.value, dict):
            return ""
        section = self._section_elsewhere(place)
        return f"name a profile, and write its settings under {section}" if section else ""

    def _address_elsewhere(self, place: Place) -> str:
        """The same for an address or a file that stands in place of the name of a profile."""
        if place.is_key or not isinstance(place.value, str) or not _ADDRESS.search(place.value):
            return ""
        section = self._section_elsewhere(place)
        what = "the bucket" if place.value.startswith(_BUCKETS) else "the address"
        return f"name a profile, such as 'default', and put {what} under {section}" if section else ""

    def _section_elsewhere(self, place: Place) -> str:
        """The section of the other document that has the profile which *place* names."""
        if len(place.path) != 1:
            return ""
        sections = (str(place.path[0]), f"{place.path[0]}s")
        return next(
            (
                f"'{section}' of {title}"
                for title, model in self._pass.other_documents.items()
                for section in sections
                if section in keys_of(model())
            ),
            "",
        )

    def _nothing(self, place: Place, variable: str) -> Problem:
        raw = self._pass.raw[place.path]
        fix = f"set {variable}, or write a default: ${{{variable}:value}}"
        if not is_required(place):
            fix += f"; without a value, {_deletion(place)}"
        what = f"{self._words.name(place.path)} is empty"
        return Problem("FLOE-122", what, self._words.locate(place), f"{raw} is nothing", fix)

    def broken_rule(self, place: Place, error: object, *, loc: tuple[str | int, ...]) -> Problem:
        """What the rule of a field says in *error*, which pydantic places at *loc*."""
        rule, fix = str(error), error.fix if isinstance(error, RuleError) else ""
        for part in error.at if isinstance(error, RuleError) else ():
            place = self._pass.walker.step(place, part)
        self._pass.leave_out(place)
        if isinstance(error, SecretError) or place.path[-1:] == ("secret_ref",):
            written_as = place.path[-1:] != loc[-1:] and place.path[-1:] == ("pass",)
            fix = fix.replace("{secret_ref", "password: {secret_ref") if written_as else fix
            return self._secret(place, why=rule, fix=fix)
        variable = self._words.variable(place)
        if variable and place.value == "":
            return self._nothing(place, variable)
        own = () if place.is_key else place.path
        rule = self._masking.masked(rule, own)
        is_list = isinstance(error, OneTextError) or stands_for_list(place, loc)
        as_list = (self._item(place) if _leads_into_list(place, loc) else "") or (_as_list(place) if is_list else "")
        fix = (
            ("" if "{{" in fix else suggest_expression(place.value))  # braces mean something in templates
            or suggest_other_quotes(place.value)
            or as_list
            or self._address_elsewhere(place)
            or fix
        )
        fix = f"set {variable} to another value" if variable else self._masking.masked(fix, own)
        if place.is_key:
            return Problem("FLOE-125", self._words.misnamed(place), self._words.locate(place), rule, fix)
        if isinstance(error, UnreadableTextError):
            what = f"{error.kind} {self._words.shown(place)} of {self._words.owner(place.path)[0]} {rule}"
            return Problem(
                error.code,
                what,
                self._words.locate(place, error.offset),
                self._masking.masked(error.why, own),
                fix,
            )
        if isinstance(place.value, dict | list):
            return Problem("FLOE-125", f"{self._words.name(place.path)}: {rule}", self._words.locate(place), fix=fix)
        offset = error.offset if isinstance(error, RuleError) else None
        return self.refused(place, "FLOE-125", why=rule, fix=fix, offset=offset)

    def refused(self, place: Place, code: str, *, why: str = "", fix: str = "", offset: int | None = None) -> Problem:
        """That the value cannot be what it is, for the rule *why*."""
        if place.path[-1:] == ("secret_ref",):
            return self._secret(place, why=why, fix=fix)
        what = f"{self._words.name(place.path)} cannot be {self._words.shown(place)}"
        return Problem(code, what, self._words.locate(place, offset), why, fix)

    def _secret(self, place: Place, *, why: str, fix: str) -> Problem:
        self._masking.hide(self._source.locate(*place.path))
        if isinstance(place.value, dict | list):
            what = f"{self._words.name(place.path)} cannot be {self._words.shown(place)}"
            return Problem("FLOE-122", what, self._words.locate(place), why, fix)
        what = f"{self._words.name(place.path)} holds a secret"
        return Problem("FLOE-126", what, self._words.locate(place), why, fix)


def _deletion(place: Place) -> str:
    return f"delete the {'entry' if isinstance(place.path[-1], int) else 'key'}"


def stands_for_list(place: Place, loc: tuple[str | int, ...]) -> bool:
    """Whether the value at *place* stands alone where a list is taken, too; *loc* leads into that list."""
    return bool(loc) and isinstance(loc[-1], int) and place.path[-1:] != loc[-1:]


def _leads_into_list(place: Place, loc: tuple[str | int, ...]) -> bool:
    """The same, also where *loc* goes on inside of the item."""
    return sum(isinstance(part, int) for part in loc) > sum(isinstance(part, int) for part in place.path)


def _as_list(place: Place) -> str:
    """How to write the list that a text with commas in it was meant to be, if each part of it is an item by itself."""
    if not isinstance(place.value, str) or "," not in place.value:
        return ""
    items = [item for item in split_list(place.value) if item]
    try:
        item_validator = SchemaValidator(place.schema)
        for item in items:
            item_validator.validate_python(item)
    except (SchemaError, ValidationError):
        return ""
    return f"write it as a list: {format_list(items)}" if items else ""


def _bound(kind: str, context: Mapping[str, Any]) -> tuple[str, str]:
    """Rule and remedy where a value is too small, too large, too short or too long."""
    if kind in _BOUNDS:
        words, key, other = _BOUNDS[kind]
        bound = f"{context[key]:.15g}"
        return f"it must be {words} {bound}", f"{bound} {other}"
    if kind in _LENGTHS:
        words, key = _LENGTHS[kind]
        return f"it must have {words} {context[key]} entries", ""
    return "", ""
