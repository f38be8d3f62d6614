"""Definitions that come from several places, put together under the rule that every name stands for one thing."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Generic, TypeAlias, TypeVar

import dagster as dg

from floe_core.errors import LoadError, Location, Problem
from floe_core.source_map import SourceMap
from floe_dagster.launching.launchable import Launchable
from floe_dagster.selection.asset_index import KeyPath
from floe_dagster.user_code.loaded_modules import LoadedModules
from floe_dagster.user_code.module_contents import Asset, Job, Schedule, specs_of

PassedAsset: TypeAlias = Asset | dg.AssetChecksDefinition
T = TypeVar("T")

_CALL = "the call of from_compiled_artifacts"


@dataclass(frozen=True)
class PassedObjects:
    """What a definitions file hands to the factory beside what floe.yaml declares."""

    assets: Sequence[PassedAsset] = ()
    jobs: Sequence[Job] = ()
    schedules: Sequence[Schedule] = ()
    sensors: Sequence[dg.SensorDefinition] = ()
    resources: Mapping[str, object] = field(default_factory=dict)

    @property
    def checks(self) -> list[dg.AssetChecksDefinition]:
        """The asset checks among the assets."""
        return [item for item in self.assets if isinstance(item, dg.AssetChecksDefinition)]

    @property
    def only_assets(self) -> list[Asset]:
        """The assets that are not checks."""
        return [item for item in self.assets if not isinstance(item, dg.AssetChecksDefinition)]


@dataclass(frozen=True)
class _Contribution(Generic[T]):
    """Definitions of one family from one place, by name."""

    place: str
    items: Iterable[tuple[str, T]]
    places: Mapping[str, str] = field(default_factory=dict)
    locations: Mapping[str, Location] = field(default_factory=dict)


def check_asset_keys(
    modules: LoadedModules, dbt_assets: Sequence[Asset], passed: PassedObjects, *, origins: Mapping[KeyPath, str]
) -> None:
    """Nothing, where every asset key stands for one asset.

    Raises:
        LoadError: Two assets have one key; the message names where both come from.
    """
    places = {"/".join(key): place for key, place in origins.items()}
    _merge(
        "asset",
        [
            _Contribution("an asset module", _by_key(modules.assets), places),
            _Contribution(_CALL, _by_key(passed.only_assets)),
            _Contribution("the dbt project", _by_key(dbt_assets)),
        ],
    )


def merge_jobs(
    declared: Mapping[str, Launchable], modules: LoadedModules, passed: PassedObjects, *, source: SourceMap
) -> dict[str, Launchable]:
    """All jobs by name, those of floe.yaml first.

    Raises:
        LoadError: Two jobs have one name.
    """
    return _merge(
        "job",
        [
            _declared("jobs", declared, source),
            _Contribution("an asset module", _launchable(modules.jobs), _places("job", modules)),
            _Contribution(_CALL, _launchable(passed.jobs)),
        ],
    )


def merge_schedules(
    declared: Mapping[str, Schedule], modules: LoadedModules, passed: PassedObjects, *, source: SourceMap
) -> dict[str, Schedule]:
    """All schedules by name, those of floe.yaml first.

    Raises:
        LoadError: Two schedules have one name.
    """
    return _merge(
        "schedule",
        [
            _declared("schedules", declared, source),
            _Contribution("an asset module", _named(modules.schedules), _places("schedule", modules)),
            _Contribution(_CALL, _named(passed.schedules)),
        ],
    )


def merge_sensors(
    modules: LoadedModules,
    passed: PassedObjects,
    *,
    declared: Mapping[str, dg.SensorDefinition] = MappingProxyType({}),
    locations: Mapping[str, Location] = MappingProxyType({}),
) -> dict[str, dg.SensorDefinition]:
    """All sensors by name, those of floe.yaml first.

    Args:
        modules: What the asset modules define.
        passed: What the definitions file adds.
        declared: What floe.yaml makes sensors of.
        locations: Where in floe.yaml that stands.

    Raises:
        LoadError: Two sensors have one name.
    """
    places = {name: str(location) for name, location in locations.items()}
    return _merge(
        "sensor",
        [
            _Contribution("floe.yaml", declared.items(), places, locations),
            _Contribution("an asset module", _named(modules.sensors), _places("sensor", modules)),
            _Contribution(_CALL, _named(passed.sensors)),
        ],
    )


def _merge(family: str, contributions: Iterable[_Contribution[T]]) -> dict[str, T]:
    """{name: definition} in the order of the contributions; one object that is contributed twice counts once."""
    merged: dict[str, T] = {}
    places: dict[str, str] = {}
    problems: list[Problem] = []
    for contribution in contributions:
        for name, item in contribution.items:
            place = contribution.places.get(name, contribution.place)
            if name in merged and merged[name] is not item:
                problems.append(_defined_twice(family, name, places[name], place, contribution.locations.get(name)))
            else:
                merged[name], places[name] = item, place
    if problems:
        raise LoadError(*problems)
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


def _places(family: str, modules: LoadedModules) -> dict[str, str]:
    prefix = f"{family} "
    return {name.removeprefix(prefix): place for name, place in modules.places.items() if name.startswith(prefix)}
