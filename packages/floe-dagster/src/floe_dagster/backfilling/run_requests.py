"""The runs of a backfill as Dagster is asked for them, by a sensor or by the command line."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

import dagster as dg
from dagster._core.storage.tags import RUN_KEY_TAG, SENSOR_NAME_TAG

from floe_dagster.backfilling.decisions import RunToLaunch
from floe_dagster.backfilling.plan import BackfillPlan
from floe_dagster.partitioning.runs import PartitionRun


@dataclass(frozen=True)
class PreparedRun:
    """A run to be asked for; `assets` where it is not all of the job."""

    run_key: str
    keys: tuple[str, ...]
    tags: Mapping[str, str]
    run_config: Mapping[str, object]
    partition_key: str | None = None
    assets: Sequence[dg.AssetKey] | None = None

    @property
    def label(self) -> str:
        """Its partition or range."""
        return PartitionRun(self.keys).label

    @property
    def request(self) -> dg.RunRequest:
        """What a sensor returns for it."""
        return dg.RunRequest(
            run_key=self.run_key,
            run_config=self.run_config,
            tags=self.tags,
            partition_key=self.partition_key,
            asset_selection=self.assets,
        )


def prepare_run(plan: BackfillPlan, run: RunToLaunch, *, round_number: int) -> PreparedRun:
    """Everything that *run* is asked for with.

    Its run key says what it is for, so that two who see the same runs ask for the same run, and Dagster launches one.
    """
    partitions = PartitionRun(run.keys)
    own_tags = partitions.range_tags or plan.job.get_tags_for_partition_key(run.keys[0], None)
    assets = None if run.assets is None else list(_keys_of(run.assets, plan.job))
    return PreparedRun(
        run_key=f"{plan.identity.project}/{plan.identity.name}/{round_number}/{partitions.label}/{run.attempt}",
        keys=run.keys,
        tags={**plan.tags, **plan.identity.tags_of_round(round_number), **own_tags},
        run_config=_run_config(plan.job, run.keys[0], assets),
        partition_key=partitions.key,
        assets=assets,
    )


def tags_as_of_sensor(plan: BackfillPlan, run: PreparedRun) -> dict[str, str]:
    """The run's tags with those that Dagster gives to what the sensor asks for, so that it does not launch it too."""
    return {**run.tags, SENSOR_NAME_TAG: plan.identity.sensor_name, RUN_KEY_TAG: run.run_key}


def _keys_of(names: Collection[str], job: dg.JobDefinition) -> Iterator[dg.AssetKey]:
    """The assets of *job* with these names, in alphabetical order; a part of a key may hold slashes itself."""
    by_name = {key.to_user_string(): key for key in job.asset_layer.executable_asset_keys}
    yield from (by_name[name] for name in sorted(names))


def _run_config(job: dg.JobDefinition, key: str, assets: Sequence[dg.AssetKey] | None) -> Mapping[str, object]:
    """The job's own run config, which Dagster leaves out of ranges and does not cut down to the selected assets."""
    config = dict(job.get_run_config_for_partition_key(key))
    ops = config.get("ops")
    if assets is None or not isinstance(ops, Mapping):
        return config
    selected = {node.name for node in job.get_subset(asset_selection=set(assets)).nodes}
    return {**config, "ops": {name: value for name, value in ops.items() if name in selected}}
