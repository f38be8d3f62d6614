"""Places in dbt vars that each run fills in with its partition: `{partition_key}`, `{partition_start:%Y-%m-%d}`.

Other braces stay as they are, so that a var may hold Jinja or JSON.
"""

import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import TypeAlias

from floe_core.names.rules import RuleError
from floe_core.suggestions import closest_names, did_you_mean, list_names
from floe_core.templates import Placeholder, texts_in

PARTITION_KEY, PARTITION_KEYS = "partition_key", "partition_keys"
PARTITION_START, PARTITION_END = "partition_start", "partition_end"
PARTITION_NAMES = (PARTITION_KEY, PARTITION_KEYS, PARTITION_START, PARTITION_END)

PlaceValue: TypeAlias = str | tuple[str, ...] | datetime

_PLACE = re.compile(r"(?<!\{)\{(\w+)(?::([^{}]*))?\}(?!\})")
_OF_DIMENSION = re.compile(r"partition_keys?_(\w+)")
_DIRECTIVE = re.compile(r"%[A-Za-z%]")


def check_places(value: object) -> None:
    """See that every place in the texts of *value* can be filled in.

    Raises:
        RuleError: There is no such name, or a format stands where none can.
    """
    for path, text in texts_in(value):
        for place in _places_in(text):
            rule, fix = _problem_of(place)
            if rule:
                raise RuleError(rule, fix=fix, at=path)


def find_places(value: object) -> Iterator[Placeholder]:
    """The places in the texts of *value*."""
    for _, text in texts_in(value):
        yield from _places_in(text)


def dimension_of(name: str) -> str | None:
    """The dimension whose key *name* is: `region` for `partition_key_region`; None for the other names."""
    found = _OF_DIMENSION.fullmatch(name)
    return found[1] if found else None


def fill_in(value: object, values: Mapping[str, PlaceValue]) -> object:
    """*value* with all places filled in; a text that is one place of several keys becomes a list.

    >>> fill_in({"days": "{partition_keys}", "text": "{partition_keys}."}, {"partition_keys": ("a", "b")})
    {'days': ['a', 'b'], 'text': 'a,b.'}

    Raises:
        KeyError: There is no value for one of them.
    """
    if isinstance(value, Mapping):
        return {key: fill_in(item, values) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [fill_in(item, values) for item in value]
    if not isinstance(value, str):
        return value
    whole = _PLACE.fullmatch(value)
    several = values.get(whole[1]) if whole else None
    return list(several) if isinstance(several, tuple) else _PLACE.sub(lambda found: _shown(found, values), value)


def _places_in(text: str) -> Iterator[Placeholder]:
    for found in _PLACE.finditer(text):
        if _is_meant(found[1]):
            yield Placeholder(found[1], found[2] or "")


def _is_meant(name: str) -> bool:
    """Whether *name* is one of the names, or was meant to be; anything else in braces is text."""
    return name.startswith("partition_") or (name.startswith("p") and bool(closest_names(name, PARTITION_NAMES)))


def _problem_of(place: Placeholder) -> tuple[str, str]:
    """The rule that *place* breaks, and what to write instead; empty where it breaks none."""
    if place.name not in PARTITION_NAMES and dimension_of(place.name) is None:
        names = list_names([f"{{{known}}}" for known in PARTITION_NAMES])
        return f"'{{{place.name}}}' cannot be filled in: there is {names}", did_you_mean(place.name, PARTITION_NAMES)
    if place.format and place.name not in (PARTITION_START, PARTITION_END):
        return (
            f"'{{{place.name}}}' is filled in as it is: only the bounds of time windows have a format",
            f"write '{{{place.name}}}', or '{{partition_start:{place.format}}}'",
        )
    if place.format and not _DIRECTIVE.search(place.format):
        return (
            f"'{place.format}' is no format of dates and times, which has parts such as %Y, %m and %d",
            f"write '{{{place.name}:%Y-%m-%d}}'",
        )
    return "", ""


def _shown(found: re.Match[str], values: Mapping[str, PlaceValue]) -> str:
    if not _is_meant(found[1]):
        return found[0]
    value = values[found[1]]
    if isinstance(value, datetime):
        return value.strftime(found[2]) if found[2] else value.isoformat()
    return value if isinstance(value, str) else ",".join(value)
