"""Which line decides each field of an asset."""

from collections.abc import Mapping
from dataclasses import dataclass

import dagster as dg
from dagster._core.definitions.freshness import CronFreshnessPolicy, TimeWindowFreshnessPolicy

from floe_core.errors import Problem, SelectionError
from floe_core.names.times import format_duration
from floe_core.schemas.asset_config import AssetConfig
from floe_core.suggestions import did_you_mean, list_names
from floe_dagster.asset_settings.op_fields import OP_FIELDS
from floe_dagster.asset_settings.patterns import KeySettings, SettingPlace
from floe_dagster.partitioning.texts import describe_partitions
from floe_dagster.selection.asset_index import DEFAULT_GROUP, AssetIndex, KeyPath
from floe_dagster.selection.keys import find_assets
from floe_dagster.user_code.run_partition import PARTITION_COLUMN

_KIND_TAG_PREFIX = "dagster/kind/"
_OF_TOOLS = ("dagster/", "dagster_dbt/", "dagster-dbt/", "floe/")


@dataclass(frozen=True, slots=True)
class FieldExplanation:
    """A field of an asset, its value, and what decides it.

    Args:
        name: The field; of `metadata` an entry, such as `metadata.owner`.
        value: As JSON has it; None where there is none.
        decided_by: The pattern that sets it, or where the code, dbt or floe.yaml says it; None for a default.
    """

    name: str
    value: object
    decided_by: SettingPlace | str | None


@dataclass(frozen=True, slots=True)
class AssetOrigin:
    """Where an asset comes from.

    Args:
        definition: What computes it; None for an external one.
        place: Where the code or dbt defines it.
        group_place: The entry of `asset_modules` that gives it its group, if one does.
    """

    definition: dg.AssetsDefinition | None = None
    place: str = ""
    group_place: str = ""

    def of_field(self, name: str) -> str | None:
        """Where a field stands that no pattern sets; None where nobody says anything of it."""
        if name == "group_name" and self.group_place:
            return self.group_place
        if name in OP_FIELDS and self.place.startswith("dbt "):
            return None
        return self.place or None


def find_asset(name: str, index: AssetIndex) -> KeyPath:
    """The asset that is meant by its key, or by the last part of its key where no other key ends so.

    Raises:
        SelectionError: No asset is called so, or several are.
    """
    found = find_assets(name, index)
    if len(found) == 1:
        return found[0]
    if found:
        raise SelectionError(
            Problem(
                "FLOE-332",
                f"'{name}' may be any of {len(found)} assets",
                why=f"the keys {list_names(index.nodes[key].label for key in found)} all end so",
                fix="write the whole key",
            )
        )
    names = [*(node.label for node in index.nodes.values()), *index.by_name]
    raise SelectionError(
        Problem(
            "FLOE-331",
            f"there is no asset '{name}'",
            why="an asset is named by its whole key, or by the last part of it where no other key ends so",
            fix=did_you_mean(name, names) or "run 'floe list assets' to see the assets",
        )
    )


def explain_asset(spec: dg.AssetSpec, settings: KeySettings, origin: AssetOrigin) -> list[FieldExplanation]:
    """Every field of an asset, in the order of the schema; of its metadata what no tool adds."""
    values = {**_values_of_spec(spec), **_values_of_op(origin.definition), **_values_as_set(settings)}
    if settings.config.partitions is not None:
        values["partitions"] = f"{settings.config.partitions}: {values['partitions']}"
    metadata = [name for name in values if name.startswith("metadata.")]
    names = [name for name in AssetConfig.model_fields if name in values]
    names[names.index("tags") + 1 : names.index("tags") + 1] = metadata
    return [
        FieldExplanation(name, values[name] or None, _decider(name, settings, origin) if values[name] else None)
        for name in names
    ]


def _decider(name: str, settings: KeySettings, origin: AssetOrigin) -> SettingPlace | str | None:
    if name == "kinds" and name not in settings.places:
        name = "compute_kind"  # what it adds is among them
    return settings.places.get(name) or origin.of_field(name)


def _values_of_spec(spec: dg.AssetSpec) -> dict[str, object]:
    metadata = {name: _plain(value) for name, value in spec.metadata.items()}
    condition = spec.automation_condition
    return {
        "partitions": None if spec.partitions_def is None else describe_partitions(spec.partitions_def),
        "partition_column": metadata.get(PARTITION_COLUMN),
        "automation_condition": None if condition is None else condition.get_label() or condition.name,
        "group_name": spec.group_name if spec.group_name != DEFAULT_GROUP else None,
        "kinds": sorted(spec.kinds),
        "owners": list(spec.owners),
        "tags": {tag: value for tag, value in spec.tags.items() if not tag.startswith(_KIND_TAG_PREFIX)},
        **{f"metadata.{name}": value for name, value in metadata.items() if not name.startswith(_OF_TOOLS)},
        "description": spec.description,
        "code_version": spec.code_version,
        "freshness": _describe_freshness(spec.freshness_policy),
    }


def _values_of_op(definition: dg.AssetsDefinition | None) -> dict[str, object]:
    op = definition.node_def if definition is not None and definition.is_executable else None
    return {
        "backfill_policy": _describe_backfills(None if definition is None else definition.backfill_policy),
        "pool": op.pool if isinstance(op, dg.OpDefinition) else None,
        "retry_policy": _describe_retries(op.retry_policy if isinstance(op, dg.OpDefinition) else None),
    }


def _values_as_set(settings: KeySettings) -> dict[str, object]:
    """Fields that the asset does not have as they were set."""
    config = settings.config
    values: dict[str, object] = {"config": config.config, "compute_kind": config.compute_kind}
    condition = config.automation_condition
    if condition is not None:
        values["automation_condition"] = condition if isinstance(condition, str) else condition.target_function
    return {name: value for name, value in values.items() if value is not None}


def _describe_backfills(policy: dg.BackfillPolicy | None) -> str | None:
    if policy is None:
        return None
    if policy.max_partitions_per_run is None:
        return "single_run"
    return f"multi_run, {policy.max_partitions_per_run} in a run"


def _describe_retries(policy: dg.RetryPolicy | None) -> str | None:
    if policy is None:
        return None
    parts = [f"{policy.max_retries} times"]
    if policy.delay is not None:
        parts.append(f"after {policy.delay:g} s")
    if policy.backoff is not None:
        parts.append(policy.backoff.name.lower())
    if policy.jitter is not None:
        parts.append(f"jitter {policy.jitter.name.lower()}")
    return ", ".join(parts)


def _describe_freshness(policy: dg.FreshnessPolicy | None) -> str | None:
    match policy:
        case TimeWindowFreshnessPolicy(fail_window=fail, warn_window=warn):
            warns = f", warns after {format_duration(warn.to_timedelta())}" if warn is not None else ""
            return f"fails after {format_duration(fail.to_timedelta())}{warns}"
        case CronFreshnessPolicy(deadline_cron=cron, lower_bound_delta=bound, timezone=timezone):
            return f"at '{cron}' in {timezone}, from {format_duration(bound)} before on"
        case _:
            return None


def _plain(value: object) -> object:
    """A metadata value as JSON has it."""
    plain = value.value if isinstance(value, dg.MetadataValue) else value
    return plain if isinstance(plain, str | int | float | bool | list | Mapping) or plain is None else str(plain)
