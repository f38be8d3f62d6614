"""Keys of a section that stand one level too high or too low."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from floe_core.errors import YamlPath
from floe_core.interpolation import Unset
from floe_core.suggestions import list_names
from floe_core.validated_document import Families


@dataclass(frozen=True)
class WrongLevel:
    """Keys that stand on the wrong level of a section: what to say, and what is not known for them.

    `keys` are left out of the section, `unknown` are the places that hold what they were meant to say.
    """

    keys: tuple[str, ...]
    what: str
    why: str
    fix: str
    unknown: tuple[YamlPath, ...]


def find_wrong_level(
    section: YamlPath, entries: Mapping[str, object], key: str, *, fields: Collection[str], families: Families
) -> WrongLevel | None:
    """Whether *key* of the section is no name of an entry: a field of one, the name above such fields, or a section.

    Args:
        section: Where the section stands.
        entries: What it holds.
        key: One of its keys.
        fields: Those that an entry may have.
        families: What the entries of each section are called.
    """
    if (*section[:-1], key) in families and key != section[-1] and _holds_entries(entries[key]):
        beside = (*section[:-1], key)
        what, why = f"'{key}' stands below '{section[-1]}'", "both are sections, which stand beside each other"
        return WrongLevel((key,), what, why, f"indent '{key}' like '{section[-1]}'", (beside,))
    misplaced = _fields_among(entries, fields)
    above = _name_above(entries, misplaced)
    if not misplaced or key not in (*misplaced, above):
        return None
    family, shown = families[section], list_names(f"'{field}'" for field in misplaced)
    what = (
        f"'{section[-1]}' holds {shown}, which {'are fields' if len(misplaced) > 1 else 'is a field'} of one {family}"
    )
    name = """a pattern, such as '"*":',""" if family == "pattern" else "a name, such as 'default:',"
    fix = f"indent these lines below '{above}:'" if above else f"write {name} above these lines, and indent them"
    return WrongLevel(
        misplaced, what, f"each {family} stands below its name", fix, ((*section, above) if above else section,)
    )


def _holds_entries(value: object) -> bool:
    return isinstance(value, Mapping) and bool(value) and all(isinstance(entry, Mapping) for entry in value.values())


def _fields_among(entries: Mapping[str, object], fields: Collection[str]) -> tuple[str, ...]:
    """The fields of an entry that stand among the names of entries, if a value shows that they are no names."""
    found = [key for key in entries if key in fields and not _holds_fields(entries[key], fields)]
    is_certain = any(not isinstance(entries[key], Mapping | Unset) and entries[key] is not None for key in found)
    return tuple(found) if is_certain else ()


def _holds_fields(value: object, fields: Collection[str]) -> bool:
    return isinstance(value, Mapping) and any(key in fields for key in value)


def _name_above(entries: Mapping[str, object], misplaced: Collection[str]) -> str:
    """The name without anything below it that the first of the fields follows."""
    before = ""
    for key, value in entries.items():
        if key in misplaced:
            return before
        before = key if value is None else ""
    return ""
