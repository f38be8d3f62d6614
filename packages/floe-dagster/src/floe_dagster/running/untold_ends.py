"""Runs that were marked as ended by somebody who could not tell of their ends.

Whoever marks a run may not have the definitions of its project at hand: they do not load, or are another project's. The
run keeps a tag until somebody who has them has told of its end.
"""

from collections.abc import Callable, Iterator
from pathlib import Path

import dagster as dg
from filelock import FileLock

UNTOLD_TAG = ".floe/untold_end"
"""Its value is the id of the run itself: Dagster copies tags to a run that repeats another."""

_LOCK_FILE = "ends.lock"
_MARKED = (dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.CANCELED)
_TOLD = "told"


def note_untold_end(run: dg.DagsterRun, instance: dg.DagsterInstance) -> None:
    """Note that nobody has told of the end of *run*; done before it is marked as ended."""
    instance.add_run_tags(run.run_id, {UNTOLD_TAG: run.run_id})


def has_untold_ends(instance: dg.DagsterInstance) -> bool:
    """Whether there are runs whose ends are still to be told."""
    return any(True for _ in _find_untold(instance))


def tell_untold_ends(
    instance: dg.DagsterInstance,
    tell: Callable[[dg.DagsterRun], None],
    *,
    only: Callable[[dg.DagsterRun], bool],
    floe_dir: Path,
) -> None:
    """Tell of each end that nobody has told, once, whoever else is at it.

    Args:
        instance: Where the runs are.
        tell: Given each run with the status that it had before it was marked.
        only: Which of them can be told of here.
        floe_dir: The project's folder of floe, where a lock is held meanwhile.
    """
    if not has_untold_ends(instance):
        return
    floe_dir.mkdir(parents=True, exist_ok=True)
    with FileLock(floe_dir / _LOCK_FILE):
        for run in _find_untold(instance):
            if only(run):
                tell(run)
                instance.add_run_tags(run.run_id, {UNTOLD_TAG: _TOLD})


def _find_untold(instance: dg.DagsterInstance) -> Iterator[dg.DagsterRun]:
    noted = {value for _, values in instance.get_run_tags([UNTOLD_TAG]) for value in values} - {_TOLD}
    for run in instance.get_runs(dg.RunsFilter(run_ids=sorted(noted))) if noted else ():
        if run.status in _MARKED and run.tags.get(UNTOLD_TAG) == run.run_id:
            was_canceled = run.status is dg.DagsterRunStatus.CANCELED
            yield run.with_status(dg.DagsterRunStatus.CANCELING if was_canceled else dg.DagsterRunStatus.STARTED)
