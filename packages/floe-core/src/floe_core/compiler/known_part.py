"""What of a document is known while some of its values are not: the part that definitions can be built of."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from floe_core.documents import FloeDocument
from floe_core.interpolation import is_unset, known_items
from floe_core.schemas.floe_spec import FloeSpec
from floe_core.schemas.orchestration_config import OrchestrationConfig
from floe_core.schemas.platform_spec import PlatformSpec, embedded_platform

Entry = TypeVar("Entry")

_LAUNCHERS = ("schedules", "sensors", "backfills")
_PICKS = {"storage": "storage", "catalog": "catalogs", "compute": "compute"}
_DEFAULT_PROFILE = "default"
_WHOLE_OR_NOT = "args"
"""The field that says nothing once a part of it is missing."""
_ATTRIBUTES = frozenset({"group_name", "kinds", "compute_kind", "owners", "tags"})
"""Settings of assets by which selections find them."""


@dataclass(frozen=True)
class KnownPart:
    """A document without what is not known.

    Args:
        spec: In its sections stand no `Unset`. A field that is not known has its default there, and an entry that
            cannot do without is left out, with whatever launches it. Only `asset_modules` keeps what is not known of
            them, so that the others keep their places.
        jobs: Names of the jobs that were left out.
        modules: Whether all of `asset_modules` is known.
        assets: Whether it is known which assets there are, and what dbt makes of them.
        partitions: Whether the partitions of all assets are known.
        attributes: Whether everything is known by which selections find assets.
        conditions: Whether all automation conditions are known.
    """

    spec: FloeSpec
    jobs: frozenset[str] = frozenset()
    modules: bool = True
    assets: bool = True
    partitions: bool = True
    attributes: bool = True
    conditions: bool = True


def known_part(document: FloeDocument) -> KnownPart:
    """What is known of *document*; a value may be unknown for its variable that is not set, or for an error in it."""
    spec, orchestration = document.spec, document.spec.orchestration
    if is_unset(orchestration):
        return KnownPart(spec.model_copy(update={"orchestration": OrchestrationConfig()}), assets=False, modules=False)
    top = _mapping(document.values)
    values = _mapping(top["orchestration"])
    assets, jobs = (_read_section(getattr(orchestration, name), values.get(name)) for name in ("assets", "jobs"))
    kept: dict[str, object] = {"assets": assets.entries, "jobs": jobs.entries}
    kept["partitions"] = _read_section(orchestration.partitions, values.get("partitions")).entries
    kept["asset_modules"] = () if is_unset(orchestration.asset_modules) else orchestration.asset_modules
    kept["dbt"] = None if is_partly_unset(values.get("dbt")) else orchestration.dbt
    kept |= {name: _read_section(getattr(orchestration, name), values.get(name)).entries for name in _LAUNCHERS}
    left = without_launchers(orchestration.model_copy(update=kept), None if jobs.is_unknown else jobs.left_out)
    written = _mapping(values.get("partitions"))
    whole = {name for name in left.partitions if not is_partly_unset(written[name])}
    lack_partitions = {entry.partitions for entry in left.assets.values()} - {None, *whole}
    modules_are_known = not is_partly_unset(values.get("asset_modules"))
    return KnownPart(
        spec.model_copy(update={"orchestration": left, "transforms": _known_entries(spec.transforms)}),
        jobs=jobs.left_out,
        modules=modules_are_known,
        assets=modules_are_known and not (is_partly_unset(values.get("dbt")) or is_partly_unset(top.get("transforms"))),
        partitions=not (assets.lacks_fields({"partitions"}) or lack_partitions),
        attributes=not assets.lacks_fields(_ATTRIBUTES),
        conditions=not assets.lacks_fields({"automation_condition"}),
    )


def without_launchers(orchestration: OrchestrationConfig, jobs: Collection[str] | None) -> OrchestrationConfig:
    """*orchestration* without what launches or watches one of *jobs*; None stands for any job."""
    kept = {
        name: {
            launcher: entry
            for launcher, entry in getattr(orchestration, name).items()
            if not _jobs_of(entry) or (jobs is not None and _jobs_of(entry).isdisjoint(jobs))
        }
        for name in _LAUNCHERS
    }
    return orchestration.model_copy(update=kept)


def profiles_are_known(spec: FloeSpec, platform: PlatformSpec) -> bool:
    """Whether there is something where *spec* picks a profile of *platform*, and it is no error."""
    picks = ((getattr(platform, section), getattr(spec, name)) for name, section in _PICKS.items())
    return all(not is_unset(section) and isinstance(section.get(name), BaseModel) for section, name in picks)


def with_known_profiles(spec: FloeSpec, platform: PlatformSpec) -> tuple[FloeSpec, PlatformSpec]:
    """Both, with the embedded platform's profile and maintenance wherever what is picked or written is not known."""
    embedded = embedded_platform()
    picks: dict[str, str] = {}
    sections: dict[str, object] = {}
    for field_name, section_name in _PICKS.items():
        name, section = getattr(spec, field_name), getattr(platform, section_name)
        picks[field_name] = name = _DEFAULT_PROFILE if is_unset(name) else name
        known = {} if is_unset(section) else dict(section)
        if not isinstance(known.get(name), BaseModel):
            known[name] = getattr(embedded, section_name)[_DEFAULT_PROFILE]
        sections[section_name] = known
    floors = platform.maintenance
    written = () if is_unset(floors) else floors.model_fields_set
    known_floors = {name: value for name in written if not is_unset(value := getattr(floors, name))}
    sections["maintenance"] = embedded.maintenance.model_copy(update=known_floors)
    return spec.model_copy(update=picks), platform.model_copy(update=sections)


def is_partly_unset(value: object) -> bool:
    """Whether something in *value* is not known: a model, or what documents are made of."""
    if isinstance(value, BaseModel):
        return is_partly_unset(dict(value))
    if isinstance(value, Mapping):
        return any(map(is_partly_unset, value.values()))
    return any(map(is_partly_unset, value)) if isinstance(value, list | tuple) else is_unset(value)


@dataclass(frozen=True)
class _Section:
    """The entries of a section that can be made, the names of the others, and the fields that are not known."""

    entries: Mapping[str, BaseModel] = field(default_factory=dict)
    left_out: frozenset[str] = frozenset()
    unknown_fields: frozenset[str] = frozenset()
    is_unknown: bool = False

    def lacks_fields(self, names: Collection[str]) -> bool:
        """Whether one of the fields *names* is not known of any entry."""
        return self.is_unknown or bool(self.left_out) or not self.unknown_fields.isdisjoint(names)


def _read_section(entries: Mapping[str, BaseModel], values: object) -> _Section:
    if is_unset(entries):
        return _Section(is_unknown=True)
    known: dict[str, BaseModel] = {}
    unknown_fields: set[str] = set()
    for name, entry in known_items(entries):
        given = _mapping(_mapping(values)[name])
        unknown = {key for key, value in given.items() if is_partly_unset(value)}
        complete = _without(entry, unknown, given=given) if unknown else entry
        if complete is not None:
            known[name] = complete
            unknown_fields |= unknown
    return _Section(known, frozenset(entries.keys() - known.keys()), frozenset(unknown_fields))


def _without(entry: BaseModel, unknown: Collection[str], *, given: Mapping[str, object]) -> BaseModel | None:
    """The entry without the fields that are not known, if it can do without them."""
    if _WHOLE_OR_NOT in unknown:
        return None
    try:
        return type(entry).model_validate({key: value for key, value in given.items() if key not in unknown})
    except ValidationError:
        return None


def _jobs_of(launcher: BaseModel) -> set[str]:
    named = (getattr(launcher, name, ()) or () for name in ("job", "jobs", "watched_jobs"))
    return {job for names in named for job in ((names,) if isinstance(names, str) else names)}


def _known_entries(entries: Iterable[Entry]) -> tuple[Entry, ...]:
    return () if is_unset(entries) else tuple(entry for entry in entries if not is_partly_unset(entry))


def _mapping(value: object) -> Mapping[str, object]:
    return value if isinstance(value, Mapping) else {}
