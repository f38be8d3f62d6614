"""What is wrong with the keys of a mapping: unknown, missing, on the wrong level, or a `type` that there is not."""

import re
from collections.abc import Collection, Iterator, Mapping, Sequence

from floe_core.errors import Problem, YamlPath
from floe_core.other_keys import MeantKey, find_meant_key
from floe_core.schema_places import CoreSchema, Place, describe_field, keys_of
from floe_core.suggestions import closest_names, did_you_mean, list_names
from floe_core.validation_pass import ABSENT, ValidationPass, unknown
from floe_core.value_problems import ValueProblems
from floe_core.wrong_levels import WrongLevel, find_wrong_level

_LISTED_KEYS = 6
_SOUNDS_SECRET = re.compile(r"passw|pwd|secret|token|credential|(api|access|private)_?key", re.IGNORECASE)


class KeyProblems:
    """Says what is wrong with keys, and takes those for written that were meant."""

    def __init__(self, validation: ValidationPass, values: ValueProblems) -> None:
        self._pass = validation
        self._words = validation.words
        self._source = validation.source
        self._masking = validation.masking
        self._values = values
        self._suggested: set[tuple[YamlPath, str]] = set()
        self._told: set[Problem] = set()

    def wrong_level(self, loc: tuple[str | int, ...]) -> tuple[YamlPath, WrongLevel] | None:
        """The section that *loc* leads into and what stands on the wrong level there, if that is what is wrong."""
        section = next((loc[:length] for length in range(1, len(loc)) if loc[:length] in self._pass.families), None)
        if section is None:
            return None
        place, key = self._pass.walker.walk(section), loc[len(section)]
        if not isinstance(place.value, dict) or key not in place.value:
            return None
        entry = self._pass.walker.unwrap(place.schema)[0].get("values_schema", {"type": "any"})
        if self._pass.walker.short_form(entry):
            return None
        kinds = self._pass.walker.unwrap(entry)[0].get("choices", {"": entry})
        fields = {"type", *(field for kind in kinds.values() for field in self._pass.keys_of(kind))}
        families = self._pass.families
        wrong = find_wrong_level(section, place.value, str(key), fields=fields, families=families)
        return None if wrong is None else (section, wrong)

    def on_wrong_level(self, section: YamlPath, wrong: WrongLevel) -> Problem | None:
        """That *wrong* stands in *section*; nothing where that was told before."""
        self._pass.stand_ins = {(*section, key): ABSENT for key in wrong.keys}
        for path in wrong.unknown:
            self._pass.expect(path, anyhow=path[: len(section)] == section)
        location = self._source.locate(*section, wrong.keys[0], key=True)
        problem = Problem("FLOE-122", wrong.what, location, why=wrong.why, fix=wrong.fix)
        is_new = problem not in self._told
        self._told.add(problem)
        return problem if is_new else None

    def unknown_key(self, loc: tuple[str | int, ...]) -> Problem:
        """That a mapping does not take the key at *loc*, and what was meant by it."""
        parent, key = self._pass.walker.walk(loc[:-1]), str(loc[-1])
        _, model = self._pass.walker.unwrap(parent.schema)
        keys = [key for key in keys_of(model) if not (parent.tag and key == "type")]
        present = set(parent.value) if isinstance(parent.value, dict) else set()
        free = [other for other in keys if other not in present]
        meant = self._meant_key(parent, key, free)
        fix = self._other_document(parent, key) or (meant.fix if meant else "") or did_you_mean(key, free)
        suggested = {(parent.path, other) for other in keys if f"'{other}'" in fix}
        self._suggested |= suggested
        path = (*parent.path, key)
        self._pass.stand_ins = {path: ABSENT, **{(*path, other): unknown((*path, other)) for path, other in suggested}}
        if _SOUNDS_SECRET.search(f"{key} {fix}") or keys == ["secret_ref"]:
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
        below = "secret" if list(free) == ["secret_ref"] else str(parent.path[-1]) if parent.path else ""
        family = self._pass.families.get(parent.path[:-1]) or below
        if not family or not isinstance(parent.value, dict):
            return None
        value = self._pass.raw.get((*parent.path, key), parent.value[key])
        meant = find_meant_key(family, str(parent.path[-1]), key, value, kind=parent.tag)
        return meant if meant and (not meant.field or meant.field in free) else None

    def _other_place(self, parent: Place, key: str) -> str:
        """Where *key* would be right, if it is nowhere near a key of the place where it stands."""
        schema, _ = self._pass.walker.unwrap(parent.schema)
        kinds = [tag for tag, kind in (parent.kinds or {}).items() if key in self._pass.keys_of(kind)]
        if kinds:
            return f"'{key}' belongs to type{'s' if len(kinds) > 1 else ''} {list_names(kinds)}"
        for name, inner in schema.get("fields", {}).items():
            if key in self._pass.keys_of(inner["schema"]):
                self._pass.expect((*parent.path, name, key))
                return f"move it below '{name}'"
        if key in keys_of(self._pass.model):
            self._pass.expect((key,))
            return "move it to the top level of the document"
        return ""

    def _other_document(self, parent: Place, key: str) -> str:
        """That *key* is one of the other document."""
        for title, model in self._pass.other_documents.items() if not parent.path else ():
            if key in keys_of(model()):
                return f"it belongs into {title}"
        return ""

    def missing_key(self, loc: tuple[str | int, ...]) -> Problem | None:
        """That a mapping lacks the key at *loc*; nothing where one of its keys was told to be that."""
        parent, key = self._pass.walker.walk(loc[:-1]), str(loc[-1])
        path = (*parent.path, key)
        self._pass.stand_ins[path] = unknown(path)
        if (parent.path, key) in self._suggested:
            return None
        _, model = self._pass.walker.unwrap(parent.schema)
        if isinstance(parent.value, str):
            self._pass.stand_ins = {parent.path: unknown(parent.path)}
            return self._values.refused(parent, "FLOE-122", why=f"it must be a mapping with '{key}'")
        return Problem(
            "FLOE-121",
            f"{self._words.name(parent.path)} has no '{key}'",
            self._source.locate(*parent.path, key=True),
            why=f"'{key}' is required: {describe_field(model, key)}",
            fix=f"add '{key}: …'",
        )

    def unknown_kind(self, place: Place) -> Problem:
        """That the `type` of a mapping is missing or is none of those that there are."""
        schema, _ = self._pass.walker.unwrap(place.schema)
        kinds: Mapping[str, CoreSchema] = schema["choices"]
        self._pass.leave_out(place)
        owner = self._words.name(place.path)
        listed = list_names(kinds)
        if not isinstance(place.value, dict):
            return self._values.no_mapping_of_a_kind(place)
        self._pass.beside += self._keys_of_no_kind(place, kinds)
        if "type" in place.value:
            tag = Place((*place.path, "type"), {"type": "str"}, place.value["type"])
            what = f"{owner} is of type {self._words.shown(tag)}, which does not exist"
            self._take_for_kind(place, closest_names(str(tag.value), kinds), kinds)
            fix = self._values.one_of_them(tag, kinds)
            return Problem("FLOE-124", what, self._words.locate(tag), why=f"the types are {listed}", fix=fix)
        keys = [key for key in place.value if isinstance(key, str)]
        misspelt = next((key for key in keys if did_you_mean(key, ["type"])), None)
        if misspelt is not None:
            location = self._source.locate(*place.path, misspelt, key=True)
            what = f"{owner} takes no key '{misspelt}'"
            if str(place.value[misspelt]) in kinds:
                self._pass.stand_ins = {(*place.path, misspelt): ABSENT, (*place.path, "type"): place.value[misspelt]}
            return Problem("FLOE-120", what, location, why="it has a 'type'", fix="did you mean 'type'?")
        fitting = [tag for tag, kind in kinds.items() if set(keys) <= self._pass.keys_of(kind)]
        self._take_for_kind(place, fitting if keys else [], kinds)
        fix = f"add 'type: {fitting[0]}'" if len(fitting) == 1 and keys else "add 'type: …' with one of them"
        why = f"the type says what it is: {listed}"
        return Problem("FLOE-124", f"{owner} has no 'type'", self._source.locate(*place.path, key=True), why, fix)

    def _keys_of_no_kind(self, place: Place, kinds: Mapping[str, CoreSchema]) -> Iterator[Problem]:
        """Every key of the mapping at *place* that it takes with none of the types; one that is close to 'type' may."""
        assert isinstance(place.value, dict)
        if place.path[:-1] not in self._pass.families:
            return  # a dimension may be written as a type that only whole definitions have
        known = {key for kind in kinds.values() for key in self._pass.keys_of(kind)} | {"type"}
        free = known - place.value.keys()
        for key in place.value:
            if key in known or ("type" in free and did_you_mean(key, ["type"])):
                continue
            meant = self._meant_key(place, key, free)
            if _SOUNDS_SECRET.search(key):
                self._pass.masking.hide(self._pass.source.locate(*place.path, key))
            yield Problem(
                "FLOE-120",
                f"{self._pass.words.name(place.path)} takes no key '{key}'",
                self._pass.source.locate(*place.path, key, key=True),
                why="none of the types takes it",
                fix=(meant.fix if meant else "") or did_you_mean(key, sorted(free - {"type"})) or "delete it",
            )

    def _take_for_kind(self, place: Place, tags: Sequence[str], kinds: Mapping[str, CoreSchema]) -> None:
        """Go on as if the value at *place* were of the only kind that it may have been meant to be, if it fits."""
        assert isinstance(place.value, dict)
        keys = {"type", *place.value}
        if len(tags) == 1 and self._pass.keys_of(kinds[tags[0]], only_required=True) <= keys <= self._pass.keys_of(
            kinds[tags[0]]
        ):
            self._pass.stand_ins = {(*place.path, "type"): tags[0]}
