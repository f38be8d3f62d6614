"""Pydantic's errors in the words of the documents: which value, which rule, how to mend it."""

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails, SchemaError, SchemaValidator

from floe_core.document_words import DocumentWords
from floe_core.errors import Problem, YamlPath, format_yaml_path
from floe_core.interpolation import Unset
from floe_core.masking import Masking
from floe_core.names.rules import OneTextError, RuleError, SecretError, UnreadableTextError
from floe_core.other_keys import MeantKey, find_meant_key
from floe_core.remedies import describe_type, format_list, split_list, suggest_expression, suggest_form, suggest_kind
from floe_core.schema_places import (
    CoreSchema,
    Place,
    SchemaWalker,
    describe_field,
    is_required,
    is_required_key,
    keys_of,
)
from floe_core.suggestions import closest_names, did_you_mean, list_names
from floe_core.validated_document import Spec, ValidatedDocument
from floe_core.wrong_levels import WrongLevel, find_wrong_level

_LISTED_KEYS = 6
_SOUNDS_SECRET = re.compile(r"passw|pwd|secret|token|credential|(api|access|private)_?key", re.IGNORECASE)
_ADDRESS = re.compile(r"[/:\\]|\.\w")
_BUCKETS = ("s3:", "s3a:", "gs:", "az:", "abfs")
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
_BOUNDS = {"greater_than_equal": ("at least", "ge", "or more"), "less_than_equal": ("at most", "le", "or less")}
_LENGTHS = {"too_short": ("at least", "min_length"), "too_long": ("at most", "max_length")}


@dataclass(frozen=True)
class Described:
    """One mistake: what to say about it, if anything, and what stands in for the values that it leaves unknown.

    In `stand_ins` the value of a path is `ABSENT` where its key counts as not written.
    """

    problem: Problem | None
    stand_ins: Mapping[YamlPath, object] = field(default_factory=dict)


ABSENT = object()


def unknown(path: YamlPath) -> Unset:
    """What stands in for the value at *path*, which is not known; no two paths have the same."""
    return Unset(f"<{format_yaml_path(path)}>")


class ErrorDescriber:
    """Turns the errors of validating a document into problems."""

    def __init__(self, document: ValidatedDocument[Spec]) -> None:
        self._document = document
        self._source = document.source
        self._raw = document.interpolation.raw
        self._walker = SchemaWalker(document.model, document.interpolation.value)
        self._suggested: set[tuple[YamlPath, str]] = set()
        self._stand_ins: dict[YamlPath, object] = {}
        self._told: set[Problem] = set()
        self._words = DocumentWords(document)
        self._masking = Masking(document.interpolation)

    def describe(self, error: ValidationError, value: object) -> list[Described]:
        """Every mistake that validating *value* met, which is the document, or the document with stand-ins in it.

        Texts from the environment are shown as the document has them (`${NAME}`).
        """
        self._walker = SchemaWalker(self._document.model, value)
        order = sorted(error.errors(include_url=False), key=lambda error: error["type"] == "missing")
        described: list[Described] = []
        for details in order:
            self._stand_ins = {}
            wrong_level = self._wrong_level(details["loc"])
            problem = self._on_wrong_level(*wrong_level) if wrong_level else self._describe(details)
            described.append(Described(problem, self._stand_ins))
        return described

    def without_secrets(self, problems: Iterable[Problem]) -> tuple[Problem, ...]:
        """*problems*, with nothing of the secrets that were met in what they quote."""
        return tuple(map(self._masking.without_secrets, problems))

    def _describe(self, error: ErrorDetails) -> Problem | None:
        kind, context = error["type"], error.get("ctx", {})
        if kind == "extra_forbidden":
            return self._unknown_key(error["loc"])
        if kind == "missing":
            return self._missing_key(error["loc"])
        place = self._walker.walk(error["loc"])
        if place.value is None and not place.is_key:
            return self._empty(place)
        if kind in ("union_tag_invalid", "union_tag_not_found"):
            return self._unknown_kind(place)
        if kind == "value_error":
            return self._broken_rule(place, context["error"], loc=error["loc"])
        self._leave_out(place)
        if kind == "literal_error":
            return self._not_a_choice(place)
        if (wrong_type := _TYPE_ERROR.match(kind)) is not None:
            is_listed = _stands_for_list(place, error["loc"])
            return self._wrong_type(place, _EXPECTED[wrong_type[1]], is_listed=is_listed)
        why, remedy = _bound(kind, context)
        variable = self._words.variable(place)
        fix = remedy and (f"set {variable} to {remedy}" if variable else f"write {remedy}")
        return self._refused(place, "FLOE-125", why=why, fix=fix)

    def _leave_out(self, place: Place) -> None:
        """Go on without the value at *place*; an entry whose name is refused cannot stay, and others can."""
        if place.is_key and place.path[:-1] in self._document.families:
            self._stand_ins[place.path] = ABSENT
        else:
            path = place.path[:-1] if place.is_key else place.path
            self._stand_ins[path] = unknown(path)

    def _wrong_level(self, loc: tuple[str | int, ...]) -> tuple[YamlPath, WrongLevel] | None:
        """The section that *loc* leads into and what stands on the wrong level there, if that is what is wrong."""
        section = next((loc[:length] for length in range(1, len(loc)) if loc[:length] in self._document.families), None)
        if section is None:
            return None
        place, key = self._walker.walk(section), loc[len(section)]
        if not isinstance(place.value, dict) or key not in place.value:
            return None
        entry = self._walker.unwrap(place.schema)[0].get("values_schema", {"type": "any"})
        if self._walker.short_form(entry):
            return None
        kinds = self._walker.unwrap(entry)[0].get("choices", {"": entry})
        fields = {"type", *(field for kind in kinds.values() for field in self._keys_of(kind))}
        families = self._document.families
        wrong = find_wrong_level(section, place.value, str(key), fields=fields, families=families)
        return None if wrong is None else (section, wrong)

    def _on_wrong_level(self, section: YamlPath, wrong: WrongLevel) -> Problem | None:
        self._stand_ins = {(*section, key): ABSENT for key in wrong.keys}
        for path in wrong.unknown:
            self._expect(path, anyhow=path[: len(section)] == section)
        location = self._source.locate(*section, wrong.keys[0], key=True)
        problem = Problem("FLOE-122", wrong.what, location, why=wrong.why, fix=wrong.fix)
        is_new = problem not in self._told
        self._told.add(problem)
        return problem if is_new else None

    # ---- what

    def _unknown_key(self, loc: tuple[str | int, ...]) -> Problem:
        parent, key = self._walker.walk(loc[:-1]), str(loc[-1])
        _, model = self._walker.unwrap(parent.schema)
        keys = [key for key in keys_of(model) if not (parent.tag and key == "type")]
        present = set(parent.value) if isinstance(parent.value, dict) else set()
        free = [other for other in keys if other not in present]
        meant = self._meant_key(parent, key, free)
        fix = self._other_document(parent, key) or (meant.fix if meant else "") or did_you_mean(key, free)
        suggested = {(parent.path, other) for other in keys if f"'{other}'" in fix}
        self._suggested |= suggested
        path = (*parent.path, key)
        self._stand_ins = {path: ABSENT, **{(*path, other): unknown((*path, other)) for path, other in suggested}}
        if _SOUNDS_SECRET.search(f"{key} {fix}"):
            self._masking.hide(self._source.locate(*path))
        return Problem(
            "FLOE-120",
            f"{self._words.name(parent.path)} takes no key '{key}'",
            self._source.locate(*path, key=True),
            why=f"{f'type {parent.tag}' if parent.tag else 'it'} takes {list_names(keys, limit=_LISTED_KEYS)}",
            fix=fix or self._other_place(parent, key) or "delete it",
        )

    def _meant_key(self, parent: Place, key: str, free: Collection[str]) -> MeantKey | None:
        """The one of the *free* keys that *key* is called elsewhere."""
        family = self._document.families.get(parent.path[:-1], "")
        if not family or not isinstance(parent.value, dict):
            return None
        value = self._raw.get((*parent.path, key), parent.value[key])
        meant = find_meant_key(family, str(parent.path[-1]), key, value, kind=parent.tag)
        return meant if meant and (not meant.field or meant.field in free) else None

    def _other_place(self, parent: Place, key: str) -> str:
        """Where *key* would be right, if it is nowhere near a key of the place where it stands."""
        schema, _ = self._walker.unwrap(parent.schema)
        kinds = [tag for tag, kind in (parent.kinds or {}).items() if self._takes(kind, key)]
        if kinds:
            return f"'{key}' belongs to type{'s' if len(kinds) > 1 else ''} {list_names(kinds)}"
        for name, inner in schema.get("fields", {}).items():
            if self._takes(inner["schema"], key):
                self._expect((*parent.path, name, key))
                return f"move it below '{name}'"
        if key in keys_of(self._document.model):
            self._expect((key,))
            return "move it to the top level of the document"
        return ""

    def _other_document(self, parent: Place, key: str) -> str:
        """That *key* is one of the other document."""
        for title, model in self._document.other_documents.items() if not parent.path else ():
            if key in keys_of(model()):
                return f"it belongs into {title}"
        return ""

    def _takes(self, schema: CoreSchema, key: str) -> bool:
        return key in self._keys_of(schema)

    def _expect(self, path: YamlPath, *, anyhow: bool = False) -> None:
        """Take the value at *path* for known to be written, though not there; *anyhow*, in place of what is there."""
        if anyhow or path not in self._source:
            self._stand_ins[path] = unknown(path)

    def _missing_key(self, loc: tuple[str | int, ...]) -> Problem | None:
        parent, key = self._walker.walk(loc[:-1]), str(loc[-1])
        path = (*parent.path, key)
        self._stand_ins[path] = unknown(path)
        if (parent.path, key) in self._suggested:
            return None
        _, model = self._walker.unwrap(parent.schema)
        if isinstance(parent.value, str):
            self._stand_ins = {parent.path: unknown(parent.path)}
            return self._refused(parent, "FLOE-122", why=f"it must be a mapping with '{key}'")
        return Problem(
            "FLOE-121",
            f"{self._words.name(parent.path)} has no '{key}'",
            self._source.locate(*parent.path, key=True),
            why=f"'{key}' is required: {describe_field(model, key)}",
            fix=f"add '{key}: …'",
        )

    def _empty(self, place: Place) -> Problem:
        self._leave_out(place)
        return Problem(
            "FLOE-122",
            f"{self._words.name(place.path)} is empty",
            self._words.locate(place),
            fix="write its value" if is_required(place) else f"write its value, or {_deletion(place)}",
        )

    def _unknown_kind(self, place: Place) -> Problem:
        schema, _ = self._walker.unwrap(place.schema)
        kinds: Mapping[str, CoreSchema] = schema["choices"]
        self._leave_out(place)
        owner = self._words.name(place.path)
        listed = list_names(kinds)
        if not isinstance(place.value, dict):
            return self._no_mapping_of_a_kind(place)
        if "type" in place.value:
            tag = Place((*place.path, "type"), {"type": "str"}, place.value["type"])
            what = f"{owner} is of type {self._words.shown(tag)}, which does not exist"
            self._take_for_kind(place, closest_names(str(tag.value), kinds), kinds)
            fix = self._one_of_them(tag, kinds)
            return Problem("FLOE-124", what, self._words.locate(tag), why=f"the types are {listed}", fix=fix)
        keys = [key for key in place.value if isinstance(key, str)]
        misspelt = next((key for key in keys if did_you_mean(key, ["type"])), None)
        if misspelt is not None:
            location = self._source.locate(*place.path, misspelt, key=True)
            what = f"{owner} takes no key '{misspelt}'"
            if str(place.value[misspelt]) in kinds:
                self._stand_ins = {(*place.path, misspelt): ABSENT, (*place.path, "type"): place.value[misspelt]}
            return Problem("FLOE-120", what, location, why="it has a 'type'", fix="did you mean 'type'?")
        fitting = [tag for tag, kind in kinds.items() if set(keys) <= self._keys_of(kind)]
        self._take_for_kind(place, fitting if keys else [], kinds)
        fix = f"add 'type: {fitting[0]}'" if len(fitting) == 1 and keys else "add 'type: …' with one of them"
        why = f"the type says what it is: {listed}"
        return Problem("FLOE-124", f"{owner} has no 'type'", self._source.locate(*place.path, key=True), why, fix)

    def _no_mapping_of_a_kind(self, place: Place) -> Problem:
        why, fix = "it must be a mapping with a 'type'", "write 'type: …' and the rest below it, indented"
        return self._refused(place, "FLOE-122", why=why, fix=fix)

    def _take_for_kind(self, place: Place, tags: Sequence[str], kinds: Mapping[str, CoreSchema]) -> None:
        """Go on as if the value at *place* were of the only kind that it may have been meant to be, if it fits."""
        assert isinstance(place.value, dict)
        keys = {"type", *place.value}
        if len(tags) == 1 and self._keys_of(kinds[tags[0]], only_required=True) <= keys <= self._keys_of(
            kinds[tags[0]]
        ):
            self._stand_ins = {(*place.path, "type"): tags[0]}

    def _keys_of(self, schema: CoreSchema, *, only_required: bool = False) -> set[str]:
        _, model = self._walker.unwrap(schema)
        return {key for key in keys_of(model) if not only_required or is_required_key(model, key)}

    def _not_a_choice(self, place: Place) -> Problem:
        schema, _ = self._walker.unwrap(place.schema)
        choices = [str(choice).lower() if isinstance(choice, bool) else str(choice) for choice in schema["expected"]]
        one_of = f"it must be {'one of ' if len(choices) > 1 else ''}{list_names(choices)}"
        return self._refused(place, "FLOE-123", why=one_of, fix=self._one_of_them(place, choices))

    def _one_of_them(self, place: Place, choices: Collection[str]) -> str:
        variable = self._words.variable(place)
        if variable:
            return f"set {variable} to one of them"
        only = f"write '{next(iter(choices))}'" if len(choices) == 1 else "write one of them"
        return did_you_mean(str(place.value), choices) or suggest_kind(str(place.value), choices) or only

    def _wrong_type(self, place: Place, expected: str, *, is_listed: bool) -> Problem:
        variable = self._words.variable(place)
        if variable and place.value == "":
            return self._nothing(place, variable)
        schema, model = self._walker.unwrap(place.schema)
        if schema["type"] == "tagged-union":
            return self._no_mapping_of_a_kind(place)
        short = self._walker.short_form(place.schema)
        one = describe_type(expected, keys=list(keys_of(model)), short=short)
        why = f"it must be {f'{one} or a list of texts' if is_listed and expected == 'text' else one}"
        if variable:
            is_single = expected not in ("a mapping", "a list")
            fix = f"set {variable} to {expected}" if is_single else f"write {expected}: an expression gives one value"
        else:
            fix = (
                suggest_expression(place.value)
                or self._settings_elsewhere(place, expected)
                or self._other_form(place, expected, short=short, is_listed=is_listed)
            )
        return self._refused(place, "FLOE-122", why=why, fix=fix)

    def _other_form(self, place: Place, expected: str, *, short: str, is_listed: bool) -> str:
        family = self._document.families.get(place.path)
        if family and expected == "a mapping" and not short:
            without = ", without '- '" if isinstance(place.value, list) else ", indented"
            return f"write each {family} below its name, 'name: …'{without}"
        schema, _ = self._walker.unwrap(place.schema)
        return suggest_form(
            expected,
            place.value,
            written=self._words.source_text(place),
            key=next((part for part in reversed(place.path) if isinstance(part, str)), ""),
            short=short,
            all_optional=not self._keys_of(place.schema, only_required=True),
            is_listed=is_listed,
            bounds=(schema.get("ge"), schema.get("le")),
        )

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
                for title, model in self._document.other_documents.items()
                for section in sections
                if section in keys_of(model())
            ),
            "",
        )

    def _nothing(self, place: Place, variable: str) -> Problem:
        raw = self._raw[place.path]
        fix = f"set {variable}, or write a default: ${{{variable}:value}}"
        if not is_required(place):
            fix += f"; without a value, {_deletion(place)}"
        what = f"{self._words.name(place.path)} is empty"
        return Problem("FLOE-122", what, self._words.locate(place), f"{raw} is nothing", fix)

    def _broken_rule(self, place: Place, error: object, *, loc: tuple[str | int, ...]) -> Problem | None:
        if isinstance(error, ValidationError):
            inner = error.errors(include_url=False)[0]
            return self._describe({**inner, "loc": (*loc, *inner["loc"])})
        rule, fix = str(error), error.fix if isinstance(error, RuleError) else ""
        for part in error.at if isinstance(error, RuleError) else ():
            place = self._walker.step(place, part)
        self._leave_out(place)
        if isinstance(error, SecretError) or place.path[-1:] == ("secret_ref",):
            written_as = place.path[-1:] != loc[-1:] and place.path[-1:] == ("pass",)
            fix = fix.replace("{secret_ref", "password: {secret_ref") if written_as else fix
            return self._secret(place, why=rule, fix=fix)
        variable = self._words.variable(place)
        if variable and place.value == "":
            return self._nothing(place, variable)
        own = () if place.is_key else place.path
        rule = self._masking.masked(rule, own)
        is_list = isinstance(error, OneTextError) or _stands_for_list(place, loc)
        as_list = _as_list(place) if is_list else ""
        fix = suggest_expression(place.value) or as_list or self._address_elsewhere(place) or fix
        fix = f"set {variable} to another value" if variable else self._masking.masked(fix, own)
        if place.is_key:
            return Problem("FLOE-125", self._words.misnamed(place), self._words.locate(place), rule, fix)
        if isinstance(error, UnreadableTextError):
            what = f"{error.kind} {self._words.shown(place)} of {self._words.owner(place.path)[0]} {rule}"
            return Problem(
                error.code, what, self._words.locate(place, error.offset), self._masking.masked(error.why, own), fix
            )
        if isinstance(place.value, dict | list):
            return Problem("FLOE-125", f"{self._words.name(place.path)}: {rule}", self._words.locate(place), fix=fix)
        offset = error.offset if isinstance(error, RuleError) else None
        return self._refused(place, "FLOE-125", why=rule, fix=fix, offset=offset)

    def _refused(self, place: Place, code: str, *, why: str = "", fix: str = "", offset: int | None = None) -> Problem:
        if place.path[-1:] == ("secret_ref",):
            return self._secret(place, why=why, fix=fix)
        what = f"{self._words.name(place.path)} cannot be {self._words.shown(place)}"
        return Problem(code, what, self._words.locate(place, offset), why, fix)

    # ---- what may not be shown

    def _secret(self, place: Place, *, why: str, fix: str) -> Problem:
        self._masking.hide(self._source.locate(*place.path))
        if isinstance(place.value, dict | list):
            what = f"{self._words.name(place.path)} cannot be {self._words.shown(place)}"
            return Problem("FLOE-122", what, self._words.locate(place), why, fix)
        what = f"{self._words.name(place.path)} holds a secret"
        return Problem("FLOE-126", what, self._words.locate(place), why, fix)


def _deletion(place: Place) -> str:
    return f"delete the {'entry' if isinstance(place.path[-1], int) else 'key'}"


def _stands_for_list(place: Place, loc: tuple[str | int, ...]) -> bool:
    """Whether the value at *place* stands alone where a list is taken, too; *loc* leads into that list."""
    return bool(loc) and isinstance(loc[-1], int) and place.path[-1:] != loc[-1:]


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
