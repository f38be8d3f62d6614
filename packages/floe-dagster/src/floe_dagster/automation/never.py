"""Automation conditions that never ask for anything, so that nobody waits for them."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

import dagster as dg

from floe_core.automation.parser import parse_expression
from floe_core.automation.tree import Condition, Expression, Or
from floe_core.errors import Location, Problem
from floe_core.suggestions import list_names
from floe_dagster.selection.asset_index import AssetIndex, KeyPath


@dataclass(frozen=True)
class WrittenCondition:
    """The expression that is set for an asset, and where it stands."""

    key: KeyPath
    text: str
    location: Location


def check_eager(
    written: Iterable[WrittenCondition],
    *,
    index: AssetIndex,
    partitions: Mapping[KeyPath, dg.PartitionsDefinition],
    now: datetime,
) -> Iterator[Problem]:
    """Warnings of what is `eager` and has neither upstreams that are updated nor new partitions.

    Args:
        written: The expressions of floe.yaml.
        index: All assets.
        partitions: The partitioned assets with their partitions definitions.
        now: Windows that end before have no new partitions.
    """
    found: dict[Location, list[KeyPath]] = {}
    for condition in written:
        if (
            _is_eager(parse_expression(condition.text))
            and not _has_new_partitions(partitions.get(condition.key), now)
            and not any(_can_be_updated(dep, index) for dep in index.nodes[condition.key].deps)
        ):
            found.setdefault(condition.location, []).append(condition.key)
    for location, keys in found.items():
        yield _never_asks(keys, index, location)


def _is_eager(expression: Expression) -> bool:
    match expression:
        case Or(operands):
            return any(map(_is_eager, operands))
        case Condition("eager"):
            return True
        case _:
            return False


def _has_new_partitions(partitions_def: dg.PartitionsDefinition | None, now: datetime) -> bool:
    match partitions_def:
        case dg.TimeWindowPartitionsDefinition():
            return partitions_def.end is None or partitions_def.end > now
        case dg.MultiPartitionsDefinition():
            dimensions = partitions_def.partitions_defs
            return any(_has_new_partitions(dimension.partitions_def, now) for dimension in dimensions)
        case _:
            return isinstance(partitions_def, dg.DynamicPartitionsDefinition)


def _can_be_updated(key: KeyPath, index: AssetIndex) -> bool:
    return key in index.nodes and index.nodes[key].executable


def _never_asks(keys: list[KeyPath], index: AssetIndex, location: Location) -> Problem:
    labels = ["/".join(key) for key in keys]
    external = sorted({"/".join(dep) for key in keys for dep in index.nodes[key].deps})
    followed = (
        f"the assets that it follows are external ({list_names(external)})" if external else "it follows no asset"
    )
    if len(keys) > 1:
        followed = followed.replace("it follows", "they follow")
    return Problem(
        "FLOE-348",
        f"'eager' never launches asset{'' if len(labels) == 1 else 's'} {list_names(map(repr, labels), limit=4)}",
        location,
        why=f"'eager' waits for assets upstream to be updated, and for new partitions; {followed}",
        fix="write 'on_missing' to launch once, or 'on_cron('0 6 * * *')' to launch every day",
        severity="warning",
    )
