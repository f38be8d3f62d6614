"""Whether the partitions that a backfill names are those of its job."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

import dagster as dg

from floe_core.compiler.references import backwards_range
from floe_core.errors import Problem, YamlPath
from floe_core.schemas.backfill_definition import BackfillDefinition, PartitionRange
from floe_core.source_map import SourceMap
from floe_dagster.backfilling.keys import dimensions_of, split_key
from floe_dagster.partitioning.missing_keys import find_missing_key

NOT_A_PARTITION = "FLOE-358"


@dataclass(frozen=True)
class BackfillPlace:
    """Where a backfill stands in floe.yaml."""

    name: str
    source: SourceMap

    @property
    def subject(self) -> str:
        """The backfill as messages name it."""
        return f"backfill '{self.name}'"

    @property
    def path(self) -> YamlPath:
        """Its path in floe.yaml."""
        return ("orchestration", "backfills", self.name)


def check_keys(
    backfill: BackfillDefinition, partitions_def: dg.PartitionsDefinition, *, place: BackfillPlace, at: datetime
) -> Iterator[Problem]:
    """The problems of the partitions that *backfill* names.

    Dynamic keys are not looked at: which there are is only known where they are kept.
    """
    problems = [
        Problem(
            NOT_A_PARTITION,
            f"{place.subject} names partition '{key}', which does not exist",
            place.source.locate(*place.path, *path),
            why=missing.reason,
            fix=missing.fix,
        )
        for path, key in _named_keys(backfill)
        if (missing := find_missing_key(key, partitions_def, at=at, dynamic_partitions_store=None))
    ]
    yield from problems
    if not problems and backfill.partition_range is not None:
        yield from _check_order(backfill.partition_range, partitions_def, place)


def _named_keys(backfill: BackfillDefinition) -> Iterator[tuple[YamlPath, str]]:
    if backfill.partition_range is not None:
        yield ("partition_range", "start"), backfill.partition_range.start
        yield ("partition_range", "end"), backfill.partition_range.end
    for number, key in enumerate(backfill.partition_keys):
        yield ("partition_keys", number), key


def _check_order(
    chosen: PartitionRange, partitions_def: dg.PartitionsDefinition, place: BackfillPlace
) -> Iterator[Problem]:
    dimensions = dimensions_of(partitions_def)
    starts, ends = (split_key(key, dimensions, partitions_def) for key in (chosen.start, chosen.end))
    for dimension, start, end in zip(dimensions, starts, ends, strict=True):
        if _order(start, dimension.definition) > _order(end, dimension.definition):
            yield backwards_range(place.name, start, end, place.source, dimension=dimension.name)


def _order(key: str, definition: dg.PartitionsDefinition) -> float:
    match definition:
        case dg.TimeWindowPartitionsDefinition():
            return definition.start_time_for_partition_key(key).timestamp()
        case dg.DynamicPartitionsDefinition():
            return 0
        case _:
            return definition.get_partition_keys().index(key)
