"""What a daemon that is gone left behind, cleared away by who goes on with its backfill."""

from pathlib import Path

import dagster as dg
from dagster._core.storage.tags import WILL_RETRY_TAG

from floe_dagster.backfilling.identity import BackfillIdentity
from floe_dagster.backfilling.seen_runs import WITHDRAWN_TAG, is_to_be_retried
from floe_dagster.running.launches import end_abandoned_runs
from floe_dagster.running.run_workers import end_runs_of_killed_workers

_WAITING = (dg.DagsterRunStatus.QUEUED, dg.DagsterRunStatus.NOT_STARTED)
_UNDER_WAY = (dg.DagsterRunStatus.STARTING, dg.DagsterRunStatus.STARTED, dg.DagsterRunStatus.CANCELING)


def end_dead_runs(identity: BackfillIdentity, instance: dg.DagsterInstance, *, launches: Path) -> list[dg.DagsterRun]:
    """Mark the backfill's runs as failed whose processes on this machine were killed, and give them.

    Args:
        identity: Of the backfill.
        instance: Where its runs are.
        launches: Folder in which command lines note the runs that they carry out.
    """
    started = instance.get_runs(dg.RunsFilter(tags=identity.tags, statuses=_UNDER_WAY))
    if not started:
        return []
    names = {run.run_id for run in started}
    abandoned = [run for run in end_abandoned_runs(launches, instance) if run.run_id in names]
    return [*abandoned, *end_runs_of_killed_workers(started, instance)]


def withdraw_waiting_runs(identity: BackfillIdentity, instance: dg.DagsterInstance) -> list[dg.DagsterRun]:
    """Cancel the backfill's runs that wait for a daemon, those that it would retry included, and give the former."""
    waiting = instance.get_runs(dg.RunsFilter(tags=identity.tags, statuses=_WAITING))
    for run in waiting:
        instance.add_run_tags(run.run_id, {WITHDRAWN_TAG: "true"})
        instance.report_run_canceled(run, message="No daemon is there to start it; floe backfill starts another run.")
    for run in instance.get_runs(dg.RunsFilter(tags=identity.tags, statuses=[dg.DagsterRunStatus.FAILURE])):
        if is_to_be_retried(run, instance):
            instance.add_run_tags(run.run_id, {WILL_RETRY_TAG: "false"})
    return list(waiting)
