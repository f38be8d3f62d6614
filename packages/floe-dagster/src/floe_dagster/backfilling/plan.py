"""A backfill with everything that its job and its partitions decide."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

import dagster as dg
from dagster._check import CheckError

from floe_core.errors import Problem, SensorError
from floe_core.schemas.backfill_definition import BackfillDefinition
from floe_core.source_map import SourceMap
from floe_dagster.backfilling.decisions import BackfillRules, Decision, Launch, Position, decide, plan_ahead
from floe_dagster.backfilling.identity import BackfillIdentity
from floe_dagster.backfilling.key_checks import NOT_A_PARTITION, BackfillPlace, check_keys
from floe_dagster.backfilling.keys import select_keys
from floe_dagster.backfilling.progress import WHOLE_JOB, Progress

NOT_PARTITIONED = "FLOE-359"


@dataclass(frozen=True)
class BackfillPlan:
    """What a backfill is going to materialise, and how.

    Args:
        identity: By which its runs are known.
        job: The resolved job.
        keys: The partitions that exist, in the order in which they are launched.
        unknown: Dynamic keys that it names and that do not exist.
        positions: Where each key stands in the partitions definition.
        assets: What the job materialises.
        units: Assets that Dagster only ever executes together.
        rules: How it goes about it.
        tags: Of all its runs.
        at: The instant as of which partitions exist.
        instance: Where dynamic keys are kept.
    """

    identity: BackfillIdentity
    job: dg.JobDefinition
    keys: tuple[str, ...]
    unknown: tuple[str, ...]
    positions: Mapping[str, Position]
    assets: frozenset[str]
    units: tuple[frozenset[str], ...]
    rules: BackfillRules
    tags: Mapping[str, str]
    at: datetime
    instance: dg.DagsterInstance

    def decide(self, progress: Progress) -> Decision:
        """What to do now."""
        return decide(progress, self.rules, assets=self.assets, positions=self.positions, unknown=self.unknown)

    def plan_ahead(self, progress: Progress) -> list[Launch]:
        """The batches that are left, if every run succeeds."""
        return list(plan_ahead(progress, self.rules, assets=self.assets, positions=self.positions))

    def keys_in_range(self, first: str, last: str) -> Iterable[str]:
        """The keys in a range of Dagster's, those that no longer belong to the backfill among them."""
        definition = self.job.partitions_def
        assert definition is not None
        try:
            with dg.partition_loading_context(self.at, self.instance):
                return definition.get_partition_keys_in_range(dg.PartitionKeyRange(first, last))
        except (dg.DagsterError, CheckError, ValueError):  # the definition is another one now
            return ()


def plan_backfill(
    identity: BackfillIdentity,
    backfill: BackfillDefinition,
    job: dg.JobDefinition,
    *,
    source: SourceMap,
    at: datetime,
    instance: dg.DagsterInstance,
) -> BackfillPlan:
    """Put together what *backfill* is going to do.

    Args:
        identity: Of the backfill.
        backfill: What floe.yaml says.
        job: Its job, resolved.
        source: Where floe.yaml stands.
        at: The instant as of which partitions exist.
        instance: Where dynamic keys are kept.

    Raises:
        SensorError: The job has no partitions, or not those that the backfill names. When definitions are loaded that
            is not known of every job that a Python module defines.
    """
    place = BackfillPlace(identity.name, source)
    if job.partitions_def is None:
        raise SensorError(not_partitioned(place, job.name))
    problems = list(check_keys(backfill, job.partitions_def, place=place, at=at))
    if problems:
        raise SensorError(*problems)
    selected = select_keys(backfill, job.partitions_def, at=at, store=instance)
    if not selected.keys and not selected.unknown:
        raise SensorError(
            Problem(
                NOT_A_PARTITION,
                f"{place.subject} has a range that holds no partition",
                source.locate(*place.path, "partition_range"),
                why="its start comes after its end: dynamic keys are in the order in which they were added",
                fix="swap start and end, or list the keys under partition_keys",
            )
        )
    nodes = [job.asset_layer.get(key) for key in job.asset_layer.executable_asset_keys]
    materialised = [node for node in nodes if node.is_materializable]
    units = {
        frozenset(key.to_user_string() for key in node.execution_set_entity_keys if isinstance(key, dg.AssetKey))
        for node in materialised
    }
    with dg.partition_loading_context(at, instance):
        per_run = _partitions_per_run(job, selected.keys)
    return BackfillPlan(
        identity,
        job,
        selected.keys,
        selected.unknown,
        selected.positions,
        frozenset(node.key.to_user_string() for node in materialised) or frozenset({WHOLE_JOB}),
        tuple(unit for unit in units if len(unit) > 1),
        BackfillRules(backfill.batch_size, per_run, backfill.on_failure),
        backfill.tags,
        at,
        instance,
    )


def not_partitioned(place: BackfillPlace, job: str) -> Problem:
    """The problem of a job without partitions."""
    return Problem(
        NOT_PARTITIONED,
        f"{place.subject} launches job '{job}', which has no partitions",
        place.source.locate(*place.path, "job"),
        why="none of the assets that the job materialises is partitioned",
        fix="name a job over partitioned assets, or give the assets partitions under orchestration.assets",
    )


def _partitions_per_run(job: dg.JobDefinition, keys: tuple[str, ...]) -> int | None:
    """How many partitions a run may take: as the smallest backfill policy says, one without any."""
    if not job.asset_layer.executable_asset_keys:
        return 1
    limit = job.backfill_policy.max_partitions_per_run
    has_config_of_its_own = limit != 1 and keys and _config(job, keys[0]) != _config(job, keys[-1])
    return 1 if has_config_of_its_own else limit


def _config(job: dg.JobDefinition, key: str) -> Mapping[str, object]:
    return job.get_run_config_for_partition_key(key)
