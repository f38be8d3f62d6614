"""What the instance has materialised of a backfill's job, whoever did it."""

import dagster as dg

from floe_dagster.backfilling.progress import Materialised


def read_materialised(job: dg.JobDefinition, instance: dg.DagsterInstance) -> Materialised:
    """Ask *instance* once for each partitioned asset of *job*, and once for all the others."""
    nodes = [job.asset_layer.get(key) for key in job.asset_layer.executable_asset_keys]
    materialised = [node for node in nodes if node.is_materializable]
    whole = [node.key for node in materialised if not node.is_partitioned]
    return Materialised(
        partitions={
            node.key.to_user_string(): frozenset(instance.get_materialized_partitions(node.key))
            for node in materialised
            if node.is_partitioned
        },
        latest={
            key.to_user_string(): event.timestamp
            for key, event in instance.get_latest_materialization_events(whole).items()
            if event is not None
        },
        unpartitioned=frozenset(key.to_user_string() for key in whole),
    )
