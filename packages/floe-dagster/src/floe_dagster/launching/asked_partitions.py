"""The partitions that somebody asks for on the command line: a key, a range `A..B`, `latest`, `last:7`."""

from collections.abc import Mapping
from datetime import datetime

import dagster as dg

from floe_core.errors import Problem, RunError
from floe_core.names.partition_keys import check_partition_selector
from floe_core.names.rules import RuleError
from floe_core.suggestions import did_you_mean
from floe_dagster.partitioning.choice import ALL, LAST, LATEST, NO_PARTITION, choose_partitions, windows_of
from floe_dagster.partitioning.missing_keys import MissingKey, find_missing_key, why_no_keys
from floe_dagster.partitioning.ranges import partitions_between
from floe_dagster.partitioning.runs import PartitionRun, spread_over_runs
from floe_dagster.partitioning.texts import describe_partitions

_RANGE = ".."
_WORDS = (LATEST, ALL, NO_PARTITION)


class AskedPartitionsError(RunError):
    """Partitions are asked for that the job does not have, or none where it needs one."""


def find_asked_partitions(
    asked: str | None, job: dg.JobDefinition, *, at: datetime, instance: dg.DagsterInstance
) -> tuple[PartitionRun, ...]:
    """The runs of *job* for the partitions that *asked* means at the instant *at*.

    Args:
        asked: A key, `A..B` for a range with both ends, or what a `partition_selector` takes.
        job: The resolved job. Several partitions of it go into one run where the backfill policies of its assets say
            that they take ranges.
        at: Now.
        instance: Where dynamic keys are.

    Returns:
        Nothing where the job runs without a partition: it has none, or *asked* is `none`.

    Raises:
        AskedPartitionsError: There are no such partitions, the job has none at all, or it needs one and none is named.
    """
    partitions_def = job.partitions_def
    if partitions_def is None:
        if asked is not None:
            raise AskedPartitionsError(_not_partitioned(job.name, asked))
        return ()
    if asked is None:
        raise AskedPartitionsError(_names_none(job.name, partitions_def, at, instance))
    if asked == NO_PARTITION:
        return ()
    keys = _find_keys(asked, partitions_def, at, instance)
    if isinstance(keys, MissingKey):
        raise AskedPartitionsError(
            Problem(
                "FLOE-340",
                f"job '{job.name}' has no partition '{asked}'"
                if _RANGE not in asked
                else f"job '{job.name}' has no partitions '{asked}'",
                why=keys.reason,
                fix=keys.fix,
            )
        )
    return spread_over_runs(keys, partitions_def, most=most_partitions_of(job))


def tags_of(run: PartitionRun, job: dg.JobDefinition) -> Mapping[str, str]:
    """The run tags by which Dagster knows the partition or the range."""
    return run.range_tags if run.key is None else job.get_tags_for_partition_key(run.key, selected_asset_keys=None)


def config_of(run: PartitionRun, job: dg.JobDefinition) -> Mapping[str, object]:
    """The run config that the job itself has for the partition."""
    return job.get_run_config_for_partition_key(run.key) if run.key is not None else {}


def most_partitions_of(job: dg.JobDefinition) -> int | None:
    """How many partitions a run of *job* may have by the backfill policies of its assets; None for any number."""
    nodes = [job.asset_layer.get(key) for key in job.asset_layer.selected_asset_keys]
    policies = [node.backfill_policy for node in nodes if node.is_partitioned]
    numbers = [policy.max_partitions_per_run if policy else 1 for policy in policies]
    return min((number for number in numbers if number is not None), default=None) if policies else 1


def _find_keys(
    asked: str, partitions_def: dg.PartitionsDefinition, at: datetime, instance: dg.DagsterInstance
) -> tuple[str, ...] | MissingKey:
    try:
        check_partition_selector(asked)
    except RuleError as error:
        return MissingKey(str(error), error.fix)
    keys = choose_partitions(asked, partitions_def, at=at, dynamic_partitions_store=instance)
    if keys:
        return keys
    first, is_range, last = asked.partition(_RANGE)
    if is_range:
        return partitions_between(first, last, partitions_def, at=at, dynamic_partitions_store=instance)
    if asked.startswith(LAST) and windows_of(partitions_def) is None:
        return MissingKey(
            f"only time windows have an order in time, and it has {describe_partitions(partitions_def)}", ""
        )
    if asked in _WORDS or asked.startswith(LAST):
        return MissingKey(why_no_keys(asked, partitions_def, at=at, dynamic_partitions_store=instance), "")
    missing = find_missing_key(asked, partitions_def, at=at, dynamic_partitions_store=instance)
    assert missing is not None
    return MissingKey(missing.reason, did_you_mean(asked, _WORDS) or missing.fix)


def _not_partitioned(job: str, asked: str) -> Problem:
    return Problem(
        "FLOE-424",
        f"job '{job}' has no partitions, and partition '{asked}' is asked for",
        why="none of the assets that it materialises is partitioned",
        fix="leave --partition out, or give the assets partitions under orchestration.assets",
    )


def _names_none(
    job: str, partitions_def: dg.PartitionsDefinition, at: datetime, instance: dg.DagsterInstance
) -> Problem:
    keys = choose_partitions(LATEST, partitions_def, at=at, dynamic_partitions_store=instance)
    is_window = isinstance(partitions_def, dg.TimeWindowPartitionsDefinition)
    latest = f"latest ('{keys[0]}')" if is_window and keys else "latest"
    words = f"last:7 or {latest}" if windows_of(partitions_def) else "or all"
    return Problem(
        "FLOE-424",
        f"job '{job}' is partitioned, and no partition is named",
        why=f"without one its assets would run for no partition; it has {describe_partitions(partitions_def)}",
        fix=f"add --partition with a key, a range A..B, {words}",
    )
