"""`orchestration.partitions` as Dagster partitions definitions."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import assert_never

import dagster as dg

from floe_core.cron import CRON_ALIASES
from floe_core.errors import PartitionsError, Problem, ProblemCollector, YamlPath
from floe_core.schemas.partition_definition import (
    DynamicPartitions,
    MultiPartitions,
    PartitionDefinition,
    StaticPartitions,
    TimeWindowPartitions,
    dynamic_name,
    key_format,
    window_bounds,
)
from floe_core.source_map import SourceMap


@dataclass(frozen=True)
class BuiltPartitions:
    """The partitions definitions by name."""

    definitions: Mapping[str, dg.PartitionsDefinition] = field(default_factory=dict)


def build_partitions(partitions: Mapping[str, PartitionDefinition], *, source: SourceMap) -> BuiltPartitions:
    """Build every partitions definition.

    What says the same is equal in Dagster, also to what a Python module builds by hand.

    Args:
        partitions: `orchestration.partitions`.
        source: Where floe.yaml stands.

    Raises:
        PartitionsError: Dagster refuses a definition; all problems at once.
    """
    collector = ProblemCollector()
    definitions: dict[str, dg.PartitionsDefinition] = {}
    for name, partition in partitions.items():
        with collector.collecting():
            definitions[name] = _Builder(name, source).build(partition)
    collector.raise_if_any(PartitionsError)
    return BuiltPartitions(definitions)


@dataclass(frozen=True)
class _Builder:
    name: str
    source: SourceMap

    def build(self, partition: PartitionDefinition) -> dg.PartitionsDefinition:
        if not isinstance(partition, MultiPartitions):
            return self.build_dimension(partition, ())
        return dg.MultiPartitionsDefinition(
            {
                name: self.build_dimension(dimension, ("partitions", name))
                for name, dimension in partition.partitions.items()
            }
        )

    def build_dimension(
        self, partition: TimeWindowPartitions | StaticPartitions | DynamicPartitions, path: YamlPath
    ) -> dg.PartitionsDefinition:
        """Build a definition of its own, or the dimension of one that stands at *path* in it."""
        match partition:
            case TimeWindowPartitions():
                return self.build_time_window(partition, path)
            case StaticPartitions():
                return dg.StaticPartitionsDefinition(list(partition.partition_keys))  # a tuple equals no list
            case DynamicPartitions():
                return dg.DynamicPartitionsDefinition(name=dynamic_name(self.name, *map(str, path[1:])))
            case _:
                assert_never(partition)

    def build_time_window(self, partition: TimeWindowPartitions, path: YamlPath) -> dg.TimeWindowPartitionsDefinition:
        try:
            start, end = window_bounds(partition)
            definition = dg.TimeWindowPartitionsDefinition(
                start=start,
                end=end,
                cron_schedule=_plain_cron(partition.cron_schedule),
                timezone=partition.timezone,
                fmt=key_format(partition),
                end_offset=partition.end_offset,
            )
            definition.get_first_partition_window()
        except (dg.DagsterError, ValueError, OverflowError, OSError) as error:
            raise PartitionsError(
                Problem(
                    "FLOE-350",
                    f"Dagster refuses partitions definition '{self.name}': {error}",
                    self.source.locate("orchestration", "partitions", self.name, *path, "start"),
                    why="Dagster computes the first window from 'start', 'cron_schedule' and 'timezone'",
                    fix="write another start or end",
                )
            ) from error
        return definition


def _plain_cron(cron: str) -> str:
    """The cron expression as Dagster's own definitions have it: they compare by its text."""
    return " ".join(CRON_ALIASES.get(cron.lower(), cron).split())
