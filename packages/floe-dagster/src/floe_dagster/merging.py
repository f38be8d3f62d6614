"""Definitions that come from several places, put together under the rule that every name stands for one thing."""

import linecache
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Generic, TypeVar

import dagster as dg

from floe_core.errors import Location, Problem, ProblemCollector
from floe_core.source_map import SourceMap
from floe_core.suggestions import list_names
from floe_dagster.launching.launchable import Launchable
from floe_dagster.passed_objects import PassedObjects
from floe_dagster.selection.asset_index import KeyPath
from floe_dagster.user_code.loaded_modules import LoadedModules
from floe_dagster.user_code.module_contents import Asset, Job, Schedule, specs_of

T = TypeVar("T")

_CALL = "the call of from_compiled_artifacts"


@dataclass(frozen=True)
class _Contribution(Generic[T]):
    """Definitions of one family from one place, by name."""

    place: str
    items: Iterable[tuple[str, T]]
    places: Mapping[str, str] = field(default_factory=dict)
    locations: Mapping[str, Location] = field(default_factory=dict)

    def place_of(self, name: str) -> str:
        """Where the definition of that name comes from."""
        return self.places.get(name, self.place)


def check_asset_keys(
    modules: LoadedModules,
    dbt_assets: Sequence[Asset],
    passed: PassedObjects,
    *,
    origins: Mapping[KeyPath, str],
    problems: ProblemCollector,
) -> None:
    """Tell *problems* of two assets that have one key, and where both come from."""
    places = {"/".join(key): place for key, place in origins.items()}
    _merge(
        "asset",
        [
            _Contribution("an asset module", _by_key(modules.assets), places, _locations_in(places)),
            _Contribution(_CALL, _by_key(passed.only_assets)),
            _Contribution("the dbt project", _by_key(dbt_assets)),
        ],
        problems,
    )


def check_op_names(definitions: Iterable[dg.AssetsDefinition], *, origins: Mapping[KeyPath, str]) -> Iterator[Problem]:
    """The ops and graphs of one name that are different, of which Dagster takes one only.

    Args:
        definitions: What computes assets and what checks them.
        origins: Where the assets come from.
    """
    places = {"/".join(key): place for key, place in origins.items()}
    locations = _locations_in(places)
    firsts: dict[str, tuple[dg.AssetsDefinition, object]] = {}
    for definition in (each for each in definitions if each.is_executable):
        for node in definition.node_def.iterate_node_defs():
            first, known = firsts.setdefault(node.name, (definition, node))
            if known == node or not first.keys.isdisjoint(definition.keys):  # two assets of one key are told as such
                continue
            keys = [key.to_user_string() for one in (first, definition) for key in sorted(one.keys)]
            yield Problem(
                "FLOE-360",
                f"{_computed_by(first)} and {_computed_by(definition)} have two different ops named '{node.name}'",
                next((locations[key] for key in reversed(keys) if key in locations), None),
                detail="\n".join(f"{key}: {places[key]}" for key in keys if key in places),
                why="Dagster takes one op of a name; that of an asset is its key with '__' in place of slashes",
                fix="give one of them another key or name",
            )


def _computed_by(definition: dg.AssetsDefinition) -> str:
    if definition.keys:
        return f"asset {list_names(repr(key.to_user_string()) for key in sorted(definition.keys))}"
    return f"asset check '{min(key.name for key in definition.check_keys)}'"


def merge_jobs(
    declared: Mapping[str, Launchable],
    modules: LoadedModules,
    passed: PassedObjects,
    *,
    source: SourceMap,
    problems: ProblemCollector,
) -> dict[str, Launchable]:
    """All jobs by name, those of floe.yaml first; *problems* is told of two that have one name."""
    return _merge(
        "job",
        [
            _declared("jobs", declared, source),
            _Contribution("an asset module", _launchable(modules.jobs), modules.origins_of("job")),
            _Contribution(_CALL, _launchable(passed.jobs)),
        ],
        problems,
    )


def merge_schedules(
    declared: Mapping[str, Schedule],
    modules: LoadedModules,
    passed: PassedObjects,
    *,
    source: SourceMap,
    problems: ProblemCollector,
) -> dict[str, Schedule]:
    """All schedules by name, those of floe.yaml first; *problems* is told of two that have one name."""
    return _merge(
        "schedule",
        [
            _declared("schedules", declared, source),
            _Contribution("an asset module", _named(modules.schedules), modules.origins_of("schedule")),
            _Contribution(_CALL, _named(passed.schedules)),
        ],
        problems,
    )


def merge_sensors(
    modules: LoadedModules,
    passed: PassedObjects,
    *,
    problems: ProblemCollector,
    declared: Mapping[str, dg.SensorDefinition] = MappingProxyType({}),
    locations: Mapping[str, Location] = MappingProxyType({}),
) -> dict[str, dg.SensorDefinition]:
    """All sensors by name, those of floe.yaml first.

    Args:
        modules: What the asset modules define.
        passed: What the definitions file adds.
        declared: What floe.yaml makes sensors of.
        locations: Where in floe.yaml that stands.
        problems: Told of two that have one name.
    """
    places = {name: str(location) for name, location in locations.items()}
    return _merge(
        "sensor",
        [
            _Contribution("floe.yaml", declared.items(), places, locations),
            _Contribution("an asset module", _named(modules.sensors), modules.origins_of("sensor")),
            _Contribution(_CALL, _named(passed.sensors)),
        ],
        problems,
    )


def _merge(family: str, contributions: Iterable[_Contribution[T]], problems: ProblemCollector) -> dict[str, T]:
    """{name: definition} in the order of the contributions; one object that is contributed twice counts once.

    Of two that have one name the first is there, and *problems* says so.
    """
    merged: dict[str, T] = {}
    firsts: dict[str, _Contribution[T]] = {}
    for contribution in contributions:
        for name, item in contribution.items:
            first = firsts.setdefault(name, contribution)
            if merged.setdefault(name, item) is not item:
                location = first.locations.get(name) or contribution.locations.get(name)
                problems.add(_defined_twice(family, name, first.place_of(name), contribution.place_of(name), location))
    return merged


def _defined_twice(family: str, name: str, one: str, other: str, location: Location | None) -> Problem:
    return Problem(
        code="FLOE-360",
        what=f"there are two {family}s {'with the key' if family == 'asset' else 'named'} '{name}'",
        location=location,
        why=f"one comes from {one}, the other from {other}",
        fix=f"give one of them another {'key' if family == 'asset' else 'name'}, or leave one out",
    )


def _declared(section: str, items: Mapping[str, T], source: SourceMap) -> _Contribution[T]:
    locations = {name: source.locate("orchestration", section, name, key=True) for name in items}
    places = {name: str(location) for name, location in locations.items()}
    return _Contribution("floe.yaml", items.items(), places, locations)


def _launchable(jobs: Iterable[Job]) -> Iterator[tuple[str, Launchable]]:
    return ((job.name, Launchable.of_python(job)) for job in jobs)


def _named(definitions: Iterable[T]) -> Iterator[tuple[str, T]]:
    return ((str(getattr(definition, "name", "")), definition) for definition in definitions)


def _by_key(assets: Iterable[Asset]) -> Iterator[tuple[str, dg.AssetSpec]]:
    return (("/".join(spec.key.path), spec) for spec in specs_of(assets))


def _locations_in(places: Mapping[str, str]) -> dict[str, Location]:
    """The *places* that name a line of a file."""
    parts = ((name, *place.rpartition(":")) for name, place in places.items())
    return {name: _line_of(file, int(line)) for name, file, _, line in parts if file and line.isdigit()}


def _line_of(file: str, number: int) -> Location:
    linecache.checkcache(file)
    return Location(file, number, source_line=linecache.getline(file, number).rstrip() or None)
