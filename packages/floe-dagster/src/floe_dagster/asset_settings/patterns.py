"""Which patterns of `orchestration.assets` match an asset, and what they come to."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from floe_core.errors import Location, Problem
from floe_core.schemas.asset_config import AssetConfig
from floe_core.selection.globs import Glob, parse_glob
from floe_core.source_map import SourceMap
from floe_core.suggestions import closest_names, did_you_mean, list_names
from floe_dagster.selection.asset_index import AssetIndex, KeyPath

METADATA = "metadata"
_SELECTION = re.compile(
    r"(?:[+!]|not )*(group|tag|kind|owner|asset|key):([^\s+]*)\+?(?:\s.*)?|\+.*|.*\+|.*\s(?:and|or)\s.*", re.DOTALL
)


@dataclass(frozen=True, slots=True)
class SettingPlace:
    """Which pattern sets a field, and where."""

    pattern: str
    location: Location

    def __str__(self) -> str:
        return f"{self.location} '{self.pattern}'"


@dataclass(frozen=True, slots=True, eq=False)
class KeySettings:
    """What is set for all assets that the same patterns match; one object for them, so compared by identity.

    Args:
        config: What the patterns come to. Fields that none sets are None.
        places: Field → where its value stands; each entry of `metadata` by itself, as `metadata.owner`.
    """

    config: AssetConfig = field(default_factory=AssetConfig)
    places: Mapping[str, SettingPlace] = field(default_factory=dict)

    @property
    def fields(self) -> frozenset[str]:
        """The fields that are set."""
        return frozenset(name.partition(".")[0] for name in self.places)

    def locate(self, name: str) -> Location:
        """Where a field that is set stands."""
        return next(place.location for field_name, place in self.places.items() if _is_of(name, field_name))


NOTHING_SET = KeySettings()


class AssetSettings:
    """The settings of any asset by its key.

    Patterns apply in the order of the document, later ones override field by field, `metadata` entry by entry; `null`
    takes back what an earlier pattern sets.

    Args:
        patterns: `orchestration.assets`.
        source: Where floe.yaml stands.
    """

    def __init__(self, patterns: Mapping[str, AssetConfig], *, source: SourceMap) -> None:
        self._patterns = tuple(_read_pattern(text, config, source) for text, config in patterns.items())
        self._matchers = [pattern.glob.matches_text for pattern in self._patterns]
        self._by_key: dict[KeyPath, tuple[int, ...]] = {}
        self._by_matches: dict[tuple[int, ...], KeySettings] = {(): NOTHING_SET}

    def __bool__(self) -> bool:
        return bool(self._patterns)

    def of(self, key: KeyPath) -> KeySettings:
        """What is set for the asset *key*."""
        matches = self._matches(key)
        known = self._by_matches.get(matches)
        if known is None:
            known = self._by_matches[matches] = _merge(self._patterns[number] for number in matches)
        return known

    def check(self, index: AssetIndex) -> Iterator[Problem]:
        """The patterns that set nothing, for lack of an asset that is not external."""
        matched: set[int] = set()
        for key, node in index.nodes.items():
            if node.executable:
                matched.update(self._matches(key))
        for number, pattern in enumerate(self._patterns):
            if number not in matched:
                yield _matches_nothing(pattern, index)

    def _matches(self, key: KeyPath) -> tuple[int, ...]:
        """The numbers of the patterns that match."""
        known = self._by_key.get(key)
        if known is None:
            texts = {"/".join(key), key[-1]}
            numbers = {number for text in texts for number, matches in enumerate(self._matchers) if matches(text)}
            known = self._by_key[key] = tuple(sorted(numbers))
        return known


@dataclass(frozen=True, slots=True)
class _Pattern:
    text: str
    glob: Glob
    config: AssetConfig
    location: Location
    places: Mapping[str, SettingPlace]


def _read_pattern(text: str, config: AssetConfig, source: SourceMap) -> _Pattern:
    path = ("orchestration", "assets", text)
    places = {".".join(names): SettingPlace(text, source.locate(*path, *names)) for names in _paths_of_fields(config)}
    return _Pattern(text, parse_glob(text), config, source.locate(*path, key=True), places)


def _paths_of_fields(config: AssetConfig) -> Iterator[tuple[str, ...]]:
    """The fields that the document names, in its order; of `metadata` the entries."""
    for name in config.model_fields_set:
        if name == METADATA and config.metadata is not None:
            yield from ((METADATA, entry) for entry in config.metadata)
        else:
            yield (name,)


def _merge(patterns: Iterable[_Pattern]) -> KeySettings:
    values: dict[str, object] = {}
    places: dict[str, SettingPlace] = {}
    for pattern in patterns:
        for name in pattern.config.model_fields_set:
            value = getattr(pattern.config, name)
            if value is None:
                values.pop(name, None)
                places = {path: place for path, place in places.items() if not _is_of(name, path)}
            elif name == METADATA:
                values[name] = {**(values.get(name) or {}), **value}  # type: ignore[dict-item]  # its type is that of value
            else:
                values[name] = value
        places |= {
            path: place for path, place in pattern.places.items() if values.get(path.partition(".")[0]) is not None
        }
    return KeySettings(AssetConfig.model_construct(**values), places)  # type: ignore[arg-type]  # validated one by one


def _is_of(name: str, path: str) -> bool:
    return path == name or path.startswith(f"{name}.")


def _matches_nothing(pattern: _Pattern, index: AssetIndex) -> Problem:
    external = [node.label for key, node in index.nodes.items() if pattern.glob.matches(key)]
    if external:
        return Problem(
            "FLOE-380",
            f"asset pattern '{pattern.text}' matches external assets only",
            pattern.location,
            why=f"nothing in the project makes {list_names(external)}, so there is nothing to set",
            fix="match assets that the project makes, or delete the pattern",
        )
    return Problem(
        "FLOE-380",
        f"asset pattern '{pattern.text}' matches no asset",
        pattern.location,
        why="a pattern is matched against the whole key and against the last part of it; "
        "'*' stays between two slashes, '**' crosses them",
        fix=_without_selection(pattern.text)
        or _suggest(pattern.text, [key for key, node in index.nodes.items() if node.executable])
        or "run 'floe list assets' to see the keys",
    )


def _without_selection(text: str) -> str:
    """What to write for a selection in place of a pattern; empty where it is none."""
    found = _SELECTION.fullmatch(text.strip())
    if found is None:
        return ""
    if found[1] in ("asset", "key") and found[2]:
        return f"write the key alone: '{found[2]}'"
    return "write asset keys, such as 'bronze/*': a pattern is no selection, which jobs, schedules and sensors take"


def _suggest(text: str, keys: Sequence[KeyPath]) -> str:
    """The same pattern with what is written out in it put right, else the closest keys."""
    wider = re.sub(r"\*+", "**", text)
    if any(parse_glob(wider).matches(key) for key in keys):
        return f"write '{wider}'"
    names = list(dict.fromkeys(["/".join(key) for key in keys] + [key[-1] for key in keys]))
    written = re.split(r"[*?\[{]", text, maxsplit=1)[0]
    rest = text[len(written) :]
    if not written or not rest:
        return did_you_mean(text, names)
    lengths = range(max(1, len(written) - 1), len(written) + 2)
    beginnings = {name[:length] for name in names for length in lengths}
    closest = sorted(closest_names(written, beginnings, limit=20), key=lambda beginning: beginning[-1] != written[-1])
    mended = (f"{beginning}{rest}" for beginning in closest)
    matching = [glob for glob in mended if any(parse_glob(glob).matches(key) for key in keys)]
    return f"did you mean '{matching[0]}'?" if matching else did_you_mean(text, names)
