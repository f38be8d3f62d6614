"""Whether the jobs of a file watcher have the partition of a file, and which dynamic keys are added for it."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime

import dagster as dg

from floe_dagster.launching.sensor_runs import SensorRuns, SensorTarget
from floe_dagster.partitioning.missing_keys import find_missing_key

_MOST_REMEMBERED = 200_000


@dataclass(frozen=True, slots=True)
class KeyVerdict:
    """Why a key is no partition of a job, empty where it is or will be one, and the dynamic keys by definition name."""

    reason: str = ""
    added: tuple[tuple[str, str], ...] = ()


@dataclass
class FilePartitions:
    """The partition keys of files. A key that was a partition once in this process is not looked for again."""

    runs: SensorRuns
    _found: dict[str, KeyVerdict] = field(default_factory=dict)

    def judge(self, context: dg.SensorEvaluationContext, key: str | None) -> KeyVerdict:
        """Whether all jobs have the partition *key*; without a key, whether there are any for them to take."""
        if key is None:
            return KeyVerdict("; ".join(self.runs.of_event(context, run_key="").missing))
        verdict = self._found.get(key)
        if verdict is None:
            verdict = _join(self._judge(target, context, key) for target in self.runs.targets)
            if not verdict.reason:
                if len(self._found) >= _MOST_REMEMBERED:
                    self._found.clear()
                self._found[key] = verdict
        return verdict

    def _judge(self, target: SensorTarget, context: dg.SensorEvaluationContext, key: str) -> KeyVerdict:
        partitions_def = target.plan_at(context).partitions_def
        if partitions_def is None:
            return KeyVerdict()
        verdict = _judge_key(key, partitions_def)
        return KeyVerdict(f"{target.what} has no partition '{key}': {verdict.reason}") if verdict.reason else verdict


def _judge_key(key: str, partitions_def: dg.PartitionsDefinition) -> KeyVerdict:
    match partitions_def:
        case dg.DynamicPartitionsDefinition():
            return KeyVerdict(added=((partitions_def.name, key),) if partitions_def.name else ())
        case dg.MultiPartitionsDefinition():
            names = partitions_def.partition_dimension_names
            parts = key.split("|")
            if len(parts) == len(names):
                dimensions = [partitions_def.get_partitions_def_for_dimension(name) for name in names]
                if any(isinstance(dimension, dg.DynamicPartitionsDefinition) for dimension in dimensions):
                    return _join(_judge_key(part, dimension) for part, dimension in zip(parts, dimensions, strict=True))
        case _:
            pass
    missing = find_missing_key(key, partitions_def, at=datetime.now(UTC), dynamic_partitions_store=None)
    return KeyVerdict(missing.reason if missing else "")


def _join(verdicts: Iterator[KeyVerdict]) -> KeyVerdict:
    found = list(verdicts)
    reasons = [verdict.reason for verdict in found if verdict.reason]
    return KeyVerdict("; ".join(reasons), tuple(dict.fromkeys(added for verdict in found for added in verdict.added)))
