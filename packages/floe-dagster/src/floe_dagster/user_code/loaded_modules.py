"""What several modules define, put together: each object once, each key and name once."""

import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import ModuleType
from typing import Any, TypeVar

import dagster as dg
from dagster._core.definitions.assets.definition.cacheable_assets_definition import CacheableAssetsDefinition
from dagster.components.definitions import LazyDefinitions

from floe_core.errors import Location, Problem, ProblemCollector
from floe_dagster.selection.asset_index import DEFAULT_GROUP, KeyPath
from floe_dagster.user_code.module_contents import Asset, Found, Job, Schedule, find_definitions, origin_of, specs_of
from floe_dagster.user_code.modules import describe_user_error

_Name = TypeVar("_Name", str, KeyPath)
_Renames = Mapping[dg.AssetKey, dg.AssetKey]


@dataclass(frozen=True, slots=True)
class LoadedModules:
    """Everything that the asset modules define, each object once, in the order of the entries and of the modules.

    `origins` says where an asset is defined (file and line); `places` the same of `job x`, `schedule x`, `sensor x`
    and `resource x`; `group_places` which entry gives an asset its group, where its own code gives it none.
    """

    assets: tuple[Asset, ...] = ()
    cacheable_assets: tuple[CacheableAssetsDefinition, ...] = ()
    checks: tuple[dg.AssetChecksDefinition, ...] = ()
    jobs: tuple[Job, ...] = ()
    schedules: tuple[Schedule, ...] = ()
    sensors: tuple[dg.SensorDefinition, ...] = ()
    resources: Mapping[str, object] = field(default_factory=dict)
    loggers: Mapping[str, dg.LoggerDefinition] = field(default_factory=dict)
    executors: tuple[dg.ExecutorDefinition | dg.Executor, ...] = ()
    origins: Mapping[KeyPath, str] = field(default_factory=dict)
    places: Mapping[str, str] = field(default_factory=dict)
    group_places: Mapping[KeyPath, Location] = field(default_factory=dict)

    def origins_of(self, kind: str) -> dict[str, str]:
        """The places of all definitions of a kind, such as `job`, by name."""
        return {place.removeprefix(f"{kind} "): at for place, at in self.places.items() if place.startswith(f"{kind} ")}


@dataclass(frozen=True, slots=True)
class ModuleSettings:
    """What the entry that a module belongs to says about its assets."""

    location: Location
    group_name: str | None = None
    key_prefix: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Member:
    """One definition, where it was found, and the settings of that module."""

    definition: object
    found: Found
    settings: ModuleSettings

    @property
    def origin(self) -> str:
        return origin_of(self.definition, self.found)


class ModuleContents:
    """Collects the contents of modules, then builds what they come to."""

    def __init__(self) -> None:
        self._members: dict[int, list[tuple[int, _Member]]] = {}
        self._position = itertools.count()
        self._wholes: list[tuple[dg.Definitions, _Member]] = []
        self._built: dict[int, dg.Definitions | None] = {}

    def add(self, module: ModuleType, settings: ModuleSettings, problems: ProblemCollector) -> None:
        """Note what *module* holds; a function that builds Definitions is called, and may fail."""
        for found in find_definitions(module):
            member = _Member(found.definition, found, settings)
            match found.definition:
                case LazyDefinitions():
                    lazy = found.definition
                    if id(lazy) not in self._built:
                        self._built[id(lazy)] = _built(lazy, member, problems)
                    whole = self._built[id(lazy)]
                    if whole is not None:
                        self._note_whole(whole, member)
                case dg.Definitions():
                    self._note_whole(found.definition, member)
                case _:
                    self._note(member)

    def _note_whole(self, whole: dg.Definitions, member: _Member) -> None:
        known = next((number for number, (other, _) in enumerate(self._wholes) if other is whole), None)
        if known is None:
            self._wholes.append((whole, member))
        elif self._wholes[known][1].found.is_imported:
            self._wholes[known] = (whole, member)
        for part in _parts(whole):
            self._note(replace(member, definition=part))

    def build(self, problems: ProblemCollector) -> LoadedModules:
        """Everything noted, with the settings of its module; what is defined twice goes to *problems*."""
        homes = sorted((_home(occurrences) for occurrences in self._members.values()), key=lambda home: home[0])
        written = self._without_own_specs([member for _, member in homes])
        renaming = _Renaming(written)
        members = [renaming.apply(_grouped(member)) for member in written]
        checks = [m for m in members if _is_checks_only(m.definition)]
        assets = [m for m in members if isinstance(m.definition, Asset) and not _is_checks_only(m.definition)]
        named = {
            "job": [m for m in members if isinstance(m.definition, Job)],
            "schedule": [m for m in members if isinstance(m.definition, Schedule)],
            "sensor": [m for m in members if isinstance(m.definition, dg.SensorDefinition)],
        }
        origins = _unique("asset", [(tuple(key.path), m) for m in assets for key in _keys_of(m.definition)], problems)
        check_names = [(_check_name(key), m) for m in (*assets, *checks) for key in _check_keys_of(m.definition)]
        _unique("asset check", check_names, problems)
        places = {
            f"{kind} {name}": origin
            for kind, found in named.items()
            for name, origin in _unique(kind, [(_name_of(m.definition), m) for m in found], problems).items()
        }
        resources = self._resources(problems)
        return LoadedModules(
            assets=_definitions(assets),
            cacheable_assets=_definitions([m for m in members if isinstance(m.definition, CacheableAssetsDefinition)]),
            checks=_definitions(checks),
            jobs=_definitions(named["job"]),
            schedules=_definitions(named["schedule"]),
            sensors=_definitions(named["sensor"]),
            resources={key: m.definition for key, m in resources.items()},
            loggers={key: logger for whole, _ in self._wholes for key, logger in (whole.loggers or {}).items()},
            executors=tuple(whole.executor for whole, _ in self._wholes if whole.executor is not None),
            origins=origins,
            places={**places, **{f"resource {key}": m.origin for key, m in resources.items()}},
            group_places=dict(_group_places(written, members)),
        )

    def _note(self, member: _Member) -> None:
        self._members.setdefault(id(member.definition), []).append((next(self._position), member))

    def _without_own_specs(self, members: list[_Member]) -> list[_Member]:
        """*members* without the specs that multi-assets of the same module were made of: those are not external."""
        made = {
            (spec.key, member.found.module.__name__): spec
            for member in members
            if isinstance(member.definition, dg.AssetsDefinition) and member.definition.is_executable
            for spec in member.definition.specs
        }

        def is_made_of(definition: object) -> bool:
            if not isinstance(definition, dg.AssetSpec):
                return False
            modules = [member.found.module.__name__ for _, member in self._members[id(definition)]]
            made_here = [made[definition.key, module] for module in modules if (definition.key, module) in made]
            return any(definition.replace_attributes(group_name=own.group_name) == own for own in made_here)

        return [member for member in members if not is_made_of(member.definition)]

    def _resources(self, problems: ProblemCollector) -> dict[str, _Member]:
        given = [
            (key, replace(member, definition=resource))
            for whole, member in self._wholes
            for key, resource in (whole.resources or {}).items()
        ]
        distinct = {(key, id(member.definition)): (key, member) for key, member in given}
        _unique("resource", list(distinct.values()), problems)
        return dict(distinct.values())


class _Renaming:
    """The keys that a `key_prefix` changes, and where else they are referred to."""

    def __init__(self, members: Sequence[_Member]) -> None:
        self._of_entry: dict[ModuleSettings, dict[dg.AssetKey, dg.AssetKey]] = {}
        kept: set[dg.AssetKey] = set()
        for member in members:
            keys = _keys_of(member.definition)
            if member.settings.key_prefix:
                own = self._of_entry.setdefault(member.settings, {})
                own.update({key: key.with_prefix(member.settings.key_prefix) for key in keys})
            else:
                kept |= keys
        new: dict[dg.AssetKey, set[dg.AssetKey]] = {}
        for renames in self._of_entry.values():
            for old, renamed in renames.items():
                new.setdefault(old, set()).add(renamed)
        self._of_all = {old: next(iter(keys)) for old, keys in new.items() if len(keys) == 1 and old not in kept}

    def apply(self, member: _Member) -> _Member:
        """*member* with its keys, and those of what it depends on, as they are called now."""
        if not self._of_entry or not isinstance(member.definition, dg.AssetsDefinition | dg.AssetSpec | dg.SourceAsset):
            return member
        renames = {**self._of_all, **self._of_entry.get(member.settings, {})}
        return replace(member, definition=_renamed(member.definition, renames))


def _built(lazy: LazyDefinitions[dg.Definitions], member: _Member, problems: ProblemCollector) -> dg.Definitions | None:
    """What a function under `@dg.definitions` returns."""
    try:
        return lazy()
    except Exception as error:  # noqa: BLE001 - whatever the user's function raises is part of the report
        problems.add(
            Problem(
                code="FLOE-303",
                what=f"'{member.found.module.__name__}.{member.found.name}' raises {type(error).__name__} when it "
                "builds its Definitions",
                location=member.settings.location,
                detail=describe_user_error(error),
            )
        )
        return None


def _parts(whole: dg.Definitions) -> Iterator[object]:
    for part in (whole.assets, whole.asset_checks, whole.jobs, whole.schedules, whole.sensors):
        yield from part or ()


def _home(occurrences: Sequence[tuple[int, _Member]]) -> tuple[int, _Member]:
    """The occurrence in the module that defines the object, where several modules hold it."""
    if len(occurrences) == 1:
        return occurrences[0]
    return next((pair for pair in occurrences if not pair[1].found.is_imported), occurrences[0])


def _grouped(member: _Member) -> _Member:
    """*member*, its assets that name no group in the group of the entry."""
    group = member.settings.group_name
    definition = member.definition

    def with_group(spec: dg.AssetSpec) -> dg.AssetSpec:
        return spec.replace_attributes(group_name=group) if spec.group_name in (None, DEFAULT_GROUP) else spec

    if group is None:
        return member
    if isinstance(definition, dg.AssetsDefinition) and definition.keys:
        return replace(member, definition=definition.map_asset_specs(with_group))
    if isinstance(definition, dg.AssetSpec):
        return replace(member, definition=with_group(definition))
    if isinstance(definition, dg.SourceAsset) and definition.group_name == DEFAULT_GROUP:
        return replace(member, definition=definition.with_attributes(group_name=group))
    return member


def _group_places(written: Sequence[_Member], members: Sequence[_Member]) -> Iterator[tuple[KeyPath, Location]]:
    """The keys of the assets that have the group of their entry, with the place of the entry."""
    for before, after in zip(written, members, strict=True):
        if before.settings.group_name is None:
            continue
        for old, new in zip(_specs_in(before), _specs_in(after), strict=True):
            if old.group_name in (None, DEFAULT_GROUP):
                yield tuple(new.key.path), before.settings.location


def _specs_in(member: _Member) -> list[dg.AssetSpec]:
    return list(specs_of([member.definition])) if isinstance(member.definition, Asset) else []


def _renamed(
    definition: dg.AssetsDefinition | dg.AssetSpec | dg.SourceAsset, renames: _Renames
) -> dg.AssetsDefinition | dg.AssetSpec | dg.SourceAsset:
    match definition:
        case dg.AssetSpec():
            deps = [dep._replace(asset_key=renames.get(dep.asset_key, dep.asset_key)) for dep in definition.deps]
            return definition.replace_attributes(key=renames.get(definition.key, definition.key), deps=deps)
        case dg.SourceAsset():
            return definition.with_attributes(key=renames.get(definition.key, definition.key))
        case dg.AssetsDefinition():
            return definition.with_attributes(asset_key_replacements=renames)


def _unique(kind: str, named: Sequence[tuple[_Name, _Member]], problems: ProblemCollector) -> dict[_Name, str]:
    """Where each is defined; names that are defined twice go to *problems*, with both places."""
    first: dict[_Name, _Member] = {}
    for name, member in named:
        other = first.setdefault(name, member)
        if other is not member:
            problems.add(
                Problem(
                    code="FLOE-360",
                    what=f"{kind} '{_shown(name)}' is defined twice",
                    location=member.settings.location,
                    why=f"in {other.origin} ({other.found.module.__name__}) and in {member.origin} "
                    f"({member.found.module.__name__})",
                    fix="rename one of them" + (", or give its module a key_prefix" if kind == "asset" else ""),
                )
            )
    return {name: member.origin for name, member in first.items()}


def _shown(name: str | KeyPath) -> str:
    return name if isinstance(name, str) else "/".join(name)


def _is_checks_only(definition: object) -> bool:
    return isinstance(definition, dg.AssetsDefinition) and not definition.keys


def _keys_of(definition: object) -> frozenset[dg.AssetKey]:
    match definition:
        case dg.AssetsDefinition():
            return frozenset(definition.keys)
        case dg.AssetSpec() | dg.SourceAsset():
            return frozenset({definition.key})
        case _:
            return frozenset()


def _check_keys_of(definition: object) -> Iterable[dg.AssetCheckKey]:
    return definition.check_keys if isinstance(definition, dg.AssetsDefinition) else ()


def _check_name(key: dg.AssetCheckKey) -> str:
    return f"{key.asset_key.to_user_string()}:{key.name}"


def _name_of(definition: object) -> str:
    return str(getattr(definition, "name", ""))


def _definitions(members: Sequence[_Member]) -> tuple[Any, ...]:
    return tuple(member.definition for member in members)
