"""Whether the partitions that a backfill names are those of its job."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

import dagster as dg

from floe_core.errors import Problem, YamlPath
from floe_core.schemas.backfill_definition import BackfillDefinition
from floe_core.source_map import SourceMap
from floe_core.suggestions import did_you_mean, list_names
from floe_dagster.backfilling.keys import Dimension, dimensions_of, loading_partitions, split_key

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
    with loading_partitions(at, None):
        dimensions = dimensions_of(partitions_def)
        problems = [
            problem
            for path, key in _named(backfill)
            for problem in _check_key(key, dimensions, partitions_def, place, path)
        ]
        yield from problems
        if not problems and backfill.partition_range is not None:
            yield from _check_order(backfill, dimensions, partitions_def, place)


def _named(backfill: BackfillDefinition) -> Iterator[tuple[YamlPath, str]]:
    if backfill.partition_range is not None:
        yield ("partition_range", "start"), backfill.partition_range.start
        yield ("partition_range", "end"), backfill.partition_range.end
    for number, key in enumerate(backfill.partition_keys):
        yield ("partition_keys", number), key


def _check_key(
    key: str,
    dimensions: Sequence[Dimension],
    partitions_def: dg.PartitionsDefinition,
    place: BackfillPlace,
    path: YamlPath,
) -> Iterator[Problem]:
    if isinstance(partitions_def, dg.MultiPartitionsDefinition) and key.count("|") + 1 != len(dimensions):
        names = [dimension.name for dimension in partitions_def.partitions_defs]
        example = "|".join(_example(dimension.partitions_def) for dimension in partitions_def.partitions_defs)
        yield Problem(
            NOT_A_PARTITION,
            f"{place.subject} names partition '{key}', which is not one of its job",
            place.source.locate(*place.path, *path),
            why=f"its partitions have the dimensions {' and '.join(names)}, in this order, joined by '|'",
            fix=f"write a key such as '{example}'",
        )
        return
    for dimension, part in zip(dimensions, split_key(key, dimensions, partitions_def), strict=True):
        definition = dimension.definition
        if isinstance(definition, dg.DynamicPartitionsDefinition) or definition.has_partition_key(part):
            continue
        of = f"{dimension.name} of " if dimension.name else ""
        yield Problem(
            NOT_A_PARTITION,
            f"{place.subject} names partition '{key}', and '{part}' is not a {dimension.name} of its job"
            if of
            else f"{place.subject} names partition '{key}', which is not one of its job",
            place.source.locate(*place.path, *path),
            why=_known(definition),
            fix=_suggest(part, definition, is_end=path[-1] == "end"),
        )


def _check_order(
    backfill: BackfillDefinition,
    dimensions: Sequence[Dimension],
    partitions_def: dg.PartitionsDefinition,
    place: BackfillPlace,
) -> Iterator[Problem]:
    chosen = backfill.partition_range
    assert chosen is not None
    starts, ends = (split_key(key, dimensions, partitions_def) for key in (chosen.start, chosen.end))
    for dimension, start, end in zip(dimensions, starts, ends, strict=True):
        if isinstance(dimension.definition, dg.DynamicPartitionsDefinition):
            continue
        if _order(start, dimension.definition) > _order(end, dimension.definition):
            of = f" of {dimension.name}" if dimension.name else ""
            yield Problem(
                NOT_A_PARTITION,
                f"{place.subject} has a range{of} from '{start}' to '{end}', which is backwards",
                place.source.locate(*place.path, "partition_range"),
                why="partitions are in the order of their definition"
                if isinstance(dimension.definition, dg.StaticPartitionsDefinition)
                else "partitions are in the order of time",
                fix="swap start and end, or list the keys under partition_keys in the order you want",
            )


def _order(key: str, definition: dg.PartitionsDefinition) -> float:
    if isinstance(definition, dg.TimeWindowPartitionsDefinition):
        return definition.start_time_for_partition_key(key).timestamp()
    return definition.get_partition_keys().index(key)


def _known(definition: dg.PartitionsDefinition) -> str:
    """Which keys there are, for a sentence."""
    if isinstance(definition, dg.TimeWindowPartitionsDefinition):
        first, last = definition.get_first_partition_key(), definition.get_last_partition_key()
        return "there are no partitions yet" if first is None else f"they go from '{first}' to '{last}' now"
    return f"the keys are {list_names(definition.get_partition_keys())}"


def _suggest(key: str, definition: dg.PartitionsDefinition, *, is_end: bool) -> str:
    if not isinstance(definition, dg.TimeWindowPartitionsDefinition):
        keys = definition.get_partition_keys()
        return did_you_mean(key, keys) or f"name one of the keys, such as '{_example(definition)}'"
    instant = _read_instant(key, definition)
    first, last = definition.get_first_partition_window(), definition.get_last_partition_window()
    if instant is None or first is None or last is None:
        return f"write a key such as '{_example(definition)}'"
    if instant >= last.end:
        later = "; what comes later is for a schedule" if is_end else ""
        return f"write '{definition.get_last_partition_key()}'{later}"
    if instant < first.start:
        return f"write '{definition.get_first_partition_key()}', or let the partitions start earlier"
    return f"did you mean '{definition.get_partition_key_for_timestamp(instant.timestamp())}'?"


def _read_instant(key: str, definition: dg.TimeWindowPartitionsDefinition) -> datetime | None:
    """The instant that *key* may stand for, whatever form it has."""
    try:
        return definition.start_time_for_partition_key(key)
    except ValueError:
        pass
    try:
        instant = datetime.fromisoformat(key)
    except ValueError:
        return None
    return instant if instant.tzinfo else instant.replace(tzinfo=definition.start.tzinfo)


def _example(definition: dg.PartitionsDefinition) -> str:
    if isinstance(definition, dg.DynamicPartitionsDefinition):
        return "key"
    return definition.get_first_partition_key() or definition.get_partition_keys()[0]
