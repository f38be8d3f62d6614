"""What `floe lineage replay` does: it sends the lineage events that a project has kept."""

import os
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from floe_cli.console import emit, emit_json, say
from floe_core.documents import load_platform_document
from floe_core.errors import Problem, RunError
from floe_core.project import FLOE_DIR, ProjectFolder
from floe_core.schemas.platform_spec import Observability
from floe_dagster.observability.lineage.connection import open_connection
from floe_dagster.observability.lineage.destination import Destination, find_destination, is_switched_off
from floe_dagster.observability.lineage.replay import (
    KeptRun,
    Replayed,
    find_kept_runs,
    leave_run,
    own_replay,
    replay_run,
)
from floe_dagster.observability.sending_errors import describe_error
from floe_dagster.observability.settings import LINEAGE_DIR, OBSERVABILITY_DIR, SPOOL_DIR

_FINDINGS = 1
_LISTED = 5


class UnknownRunError(RunError):
    """The command names a run of which nothing is kept."""

    exit_code = 2


def replay_lineage(project: ProjectFolder, asked: str | None, *, as_json: bool) -> int:
    """Send what is kept, and say what became of it.

    Args:
        project: Whose events they are.
        asked: The beginning of a run's id; all runs without it.
        as_json: Whether a machine reads it.

    Returns:
        The exit code: 0 where nothing is left, 1 where events had to be kept.

    Raises:
        RunError: There is no receiver, or nothing is kept of the run.
    """
    observability = load_platform_document(project.path, environ=os.environ).spec.observability
    folder = project.path / FLOE_DIR / OBSERVABILITY_DIR
    destination = _find_receiver(observability)
    with own_replay(folder, tell=say):
        runs = find_kept_runs(folder / SPOOL_DIR, lineage=folder / LINEAGE_DIR)
        chosen = runs if asked is None else _choose(runs, asked)
        done = _replay(chosen, destination, spool=folder / SPOOL_DIR)
    _show(done, destination, as_json=as_json)
    return _FINDINGS if any(run.kept for run in done) else 0


def _find_receiver(observability: Observability) -> Destination:
    off = is_switched_off(os.environ)
    notes: list[str] = []
    destination = None if off else find_destination(os.environ, observability, note=notes.append)
    if destination is not None:
        for note in notes:
            say(note)
        return destination
    raise RunError(
        Problem(
            "FLOE-455",
            "there is no receiver of lineage events",
            why="OPENLINEAGE_DISABLED switches lineage off"
            if off
            else notes[0]
            if notes
            else "neither OPENLINEAGE_URL nor observability.lineage_endpoint of platform.yaml names one",
            fix="unset OPENLINEAGE_DISABLED" if off else "set OPENLINEAGE_URL, such as http://marquez:5000",
        )
    )


def _choose(runs: Sequence[KeptRun], asked: str) -> Sequence[KeptRun]:
    wanted = _plain(asked)
    found = [run for run in runs if _plain(run.run_id).startswith(wanted)]
    names = dict.fromkeys(run.run_id for run in found)
    if len(names) == 1:
        return found
    listed = [*names] if names else [*dict.fromkeys(run.run_id for run in runs)]
    raise UnknownRunError(
        Problem(
            "FLOE-456",
            f"{len(names)} runs begin with '{asked}'" if names else f"no lineage event of run '{asked}' is kept",
            detail="\n".join(listed[:_LISTED]),
            why="a run is named by as much of its id as tells it from the others"
            if names
            else f"{_counted(len(listed), 'run')} left events that were not sent",
            fix="write more of the id" if names else "name one of them, or no run for all" if listed else "",
        )
    )


def _replay(runs: Sequence[KeptRun], destination: Destination, *, spool: Path) -> list[Replayed]:
    """Send run by run; once the receiver cannot be reached, the rest stays as it is."""
    if not runs:
        return []

    def describe(error: Exception) -> str:
        return describe_error(error, address=destination.label)

    send = open_connection(destination)
    done: list[Replayed] = []
    for run in runs:
        if done and done[-1].is_reachable is False:
            break
        done.append(replay_run(run, send, spool=spool, describe=describe))
    return [*done, *map(leave_run, runs[len(done) :])]


def _show(done: Sequence[Replayed], destination: Destination, *, as_json: bool) -> None:
    sent, kept = sum(run.sent for run in done), sum(run.kept for run in done)
    if as_json:
        emit_json({"receiver": destination.label, "sent": sent, "kept": kept, "runs": [asdict(run) for run in done]})
        return
    for run in done:
        parts = [f"{run.sent} sent", *([f"{run.kept} kept"] if run.kept else [])]
        parts += [f"{run.unreadable} unreadable"] if run.unreadable else []
        emit(f"run {run.run_id}: {', '.join(parts)}")
    for remark in (remark for run in done for remark in run.remarks):
        say(remark)
    if not done:
        say("no lineage events wait to be sent")
        return
    say(f"{_counted(sent, 'event')} sent to {destination.label}")
    if kept:
        tried = [run for run in done if run.is_reachable is not None]
        reason = next((run.reason for run in reversed(tried) if run.reason), "")
        say(f"{_counted(kept, 'event')} kept{f': {reason}' if reason else ''}")


def _plain(run_id: str) -> str:
    return run_id.replace("-", "").strip().lower()


def _counted(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"
