"""Settings as fields of Dagster's asset specs."""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias, assert_never, cast

import dagster as dg
from dagster._core.definitions.metadata import CodeReferencesMetadataSet, TableMetadataSet
from dagster._core.definitions.metadata.metadata_set import UriMetadataSet
from pydantic import ValidationError

from floe_core.errors import Problem, ProblemCollector
from floe_core.schemas.asset_config import CronFreshness, Freshness, WindowFreshness
from floe_core.suggestions import list_names
from floe_dagster.asset_settings.patterns import NOTHING_SET, AssetSettings, KeySettings
from floe_dagster.automation.conditions import build_condition, names_assets
from floe_dagster.selection.asset_index import KeyPath
from floe_dagster.user_code.run_partition import PARTITION_COLUMN

SpecFields: TypeAlias = dict[str, object]
CurrentField: TypeAlias = Callable[[str], object]

_MOST_KINDS = 10
_KIND_TAG_PREFIX = "dagster/kind/"
_NAMES_TABLES = ("floe/inputs", "floe/outputs")
_DAGSTERS_OWN = (TableMetadataSet, UriMetadataSet, CodeReferencesMetadataSet)
_WANTED = {str(int | None): "a whole number", str(str | None): "a text"}


@dataclass(frozen=True)
class SpecSettings:
    """Sets fields of specs, of Python assets and of dbt models alike.

    What is wrong with a value goes to `problems`, and its field stays as it was.

    Args:
        settings: What floe.yaml says.
        partitions: The partitions definitions by name.
        problems: Where problems are noted.
    """

    settings: AssetSettings
    partitions: Mapping[str, dg.PartitionsDefinition]
    problems: ProblemCollector
    _shared: dict[KeySettings, SpecFields] = field(default_factory=dict)
    _conditions: dict[tuple[object, ...], SpecFields] = field(default_factory=dict)

    def apply(self, spec: dg.AssetSpec) -> dg.AssetSpec:
        """*spec* with what is set for its key."""
        settings = self.settings.of(tuple(spec.key.path))
        if settings is NOTHING_SET:
            return spec
        changes = self._changes(settings, lambda name: getattr(spec, name))
        return spec.replace_attributes(**changes)  # type: ignore[arg-type]  # fields of AssetSpec

    def refine(self, key: KeyPath, fields: SpecFields) -> SpecFields:
        """The fields of a spec that is about to be made, with what is set for *key*."""
        settings = self.settings.of(key)
        if settings is NOTHING_SET:
            return fields
        changes = self._changes(settings, fields.get)
        if "kinds" in changes:  # tags may hold the kinds that are replaced
            tags = cast("Mapping[str, str]", changes.get("tags", fields.get("tags")) or {})
            changes["tags"] = {tag: value for tag, value in tags.items() if not tag.startswith(_KIND_TAG_PREFIX)}
        return {**fields, **changes}

    def _changes(self, settings: KeySettings, current: CurrentField) -> SpecFields:
        shared = self._shared.get(settings)
        if shared is None:
            shared = self._shared[settings] = self._build_shared(settings)
        changes = dict(shared)
        if "metadata" in shared:
            changes["metadata"] = {**_mapping(current("metadata")), **_mapping(shared["metadata"])}
        if settings.config.compute_kind is not None:
            kinds = cast("Iterable[str]", changes.get("kinds", current("kinds")) or ())
            changes["kinds"] = {*kinds, settings.config.compute_kind}
        changes |= self._condition(settings, changes.get("partitions_def", current("partitions_def")))
        return self._checked(changes, settings)

    def _build_shared(self, settings: KeySettings) -> SpecFields:
        """What is the same for all assets with these settings."""
        config = settings.config
        fields: SpecFields = {
            "group_name": config.group_name,
            "description": config.description,
            "code_version": config.code_version,
            "owners": None if config.owners is None else list(config.owners),
            "tags": config.tags,
            "kinds": None if config.kinds is None else set(config.kinds),
            "partitions_def": None if config.partitions is None else self.partitions.get(config.partitions),
            "freshness_policy": None if config.freshness is None else build_freshness(config.freshness),
            "metadata": self._build_metadata(settings),
        }
        return {name: value for name, value in fields.items() if value is not None}

    def _build_metadata(self, settings: KeySettings) -> dict[str, object] | None:
        metadata = dict(settings.config.metadata or {})
        for name in _NAMES_TABLES:
            if metadata.pop(name, None) is not None:
                self.problems.add(_names_tables(name, settings))
        for name, value in list(metadata.items()):
            if problem := _check_dagsters_own(name, value, settings):
                self.problems.add(problem)
                del metadata[name]
        if settings.config.partition_column is not None:
            metadata[PARTITION_COLUMN] = settings.config.partition_column
        return metadata or None

    def _condition(self, settings: KeySettings, partitions_def: object) -> SpecFields:
        setting = settings.config.automation_condition
        if setting is None or names_assets(setting):  # those are built when all assets are known
            return {}
        asked = (settings, id(partitions_def))
        known = self._conditions.get(asked)
        if known is None:
            known = self._conditions[asked] = {}
            with self.problems.collecting():
                known["automation_condition"] = build_condition(
                    setting,
                    partitions_def=cast("dg.PartitionsDefinition | None", partitions_def),
                    location=settings.locate("automation_condition"),
                )
        return known

    def _checked(self, changes: SpecFields, settings: KeySettings) -> SpecFields:
        kinds = cast("set[str]", changes.get("kinds", ()))
        if len(kinds) > _MOST_KINDS:
            self.problems.add(_too_many_kinds(kinds, settings))
            return {name: value for name, value in changes.items() if name != "kinds"}
        return changes


def build_freshness(freshness: Freshness) -> dg.FreshnessPolicy:
    """The policy that *freshness* describes."""
    match freshness:
        case WindowFreshness(fail_after=fail_after, warn_after=warn_after):
            return dg.FreshnessPolicy.time_window(fail_window=fail_after, warn_window=warn_after)
        case CronFreshness(cron=cron, lower_bound=lower_bound, timezone=timezone):
            return dg.FreshnessPolicy.cron(deadline_cron=cron, lower_bound_delta=lower_bound, timezone=timezone)
        case _:
            assert_never(freshness)


def _mapping(value: object) -> Mapping[str, object]:
    return cast("Mapping[str, object]", value or {})


def _names_tables(name: str, settings: KeySettings) -> Problem:
    place = settings.places[f"metadata.{name}"]
    return Problem(
        "FLOE-382",
        f"asset pattern '{place.pattern}' sets metadata '{name}', which only the code of an asset sets",
        place.location,
        why="assets are joined by the tables that they read and write, and that is done when the settings apply",
        fix=f"write it where the asset is defined: @floe_asset({name.removeprefix('floe/')}=…)",
    )


def _check_dagsters_own(name: str, value: object, settings: KeySettings) -> Problem | None:
    """What is wrong with an entry that Dagster reads itself, which it would stop at when it builds the asset graph."""
    namespace, _, entry = name.rpartition("/")
    for known in _DAGSTERS_OWN:
        current = known.current_key_by_legacy_key().get(entry, entry)
        if namespace != known.namespace() or current not in known.model_fields:
            continue
        try:
            known.extract({name: value})
        except ValidationError:
            place = settings.places[f"metadata.{name}"]
            wanted = _WANTED.get(str(known.model_fields[current].annotation))
            return Problem(
                "FLOE-382",
                f"asset pattern '{place.pattern}' sets metadata '{name}' to what Dagster cannot read",
                place.location,
                why=f"Dagster reads that entry itself, and wants {wanted or 'an object that only Python can make'}",
                fix="" if wanted else "set it where the asset is defined, or call the entry something else",
            )
    return None


def _too_many_kinds(kinds: Collection[str], settings: KeySettings) -> Problem:
    name = "compute_kind" if settings.config.compute_kind is not None else "kinds"
    return Problem(
        "FLOE-382",
        f"asset pattern '{settings.places[name].pattern}' gives an asset {len(kinds)} kinds",
        settings.places[name].location,
        why=f"Dagster takes at most {_MOST_KINDS}; these would be {list_names(sorted(kinds), limit=len(kinds))}",
        fix="set 'kinds' to those that matter",
    )
