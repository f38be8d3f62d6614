"""A backfill of the project that a command is about, loaded and ready to be looked at or carried out."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import dagster as dg

from floe_cli.console import stdout_for_machines, work_in_progress
from floe_cli.loading import load_with_location
from floe_core.errors import Problem, RunError
from floe_core.project import ProjectFolder
from floe_core.schemas.backfill_definition import BackfillDefinition
from floe_core.source_map import SourceMap
from floe_core.suggestions import did_you_mean, list_names
from floe_dagster.backfilling.identity import BackfillIdentity, read_canceled
from floe_dagster.backfilling.plan import BackfillPlan, plan_backfill
from floe_dagster.backfilling.state import BackfillState, read_state
from floe_dagster.backfilling.switch import SensorSwitch, read_switch
from floe_dagster.backfilling.takeover import end_dead_runs
from floe_dagster.backfilling.turns import TURNS_DIR
from floe_dagster.compilation import ensure_compiled
from floe_dagster.running.code_locations import CodeLocation, find_job
from floe_dagster.running.instance import open_instance
from floe_dagster.running.launches import LAUNCHES_DIR


@dataclass(frozen=True)
class ProjectBackfill:
    """A backfill and everything around it."""

    project: ProjectFolder
    source: SourceMap
    location: CodeLocation
    instance: dg.DagsterInstance
    definition: BackfillDefinition
    identity: BackfillIdentity
    job: dg.JobDefinition

    @property
    def launches(self) -> Path:
        """The folder in which command lines note the runs that they carry out."""
        return self.project.floe_dir / LAUNCHES_DIR

    @property
    def turns(self) -> Path:
        """The folder in which command lines note the backfills that they work on."""
        return self.project.floe_dir / TURNS_DIR

    def plan(self) -> BackfillPlan:
        """What it is to materialise, as of now."""
        return plan_backfill(
            self.identity,
            self.definition,
            self.job,
            source=self.source,
            at=datetime.now(UTC),
            instance=self.instance,
        )

    def switch(self) -> SensorSwitch:
        """Its sensor."""
        return read_switch(self.identity, self.instance, pointer=self.location.pointer)

    def state(self, *, asked_at: float = 0.0) -> BackfillState:
        """Where it stands, what failed before *asked_at* (seconds since the epoch) being tried again."""
        return read_state(self.plan(), self.instance, started=max(asked_at, self.switch().started))

    def is_canceled(self, *, since: float) -> bool:
        """Whether `floe backfill --cancel` was called after *since*; seconds since the epoch."""
        return read_canceled(self.identity, self.instance) >= since

    def end_dead_runs(self) -> list[dg.DagsterRun]:
        """Mark its runs as failed whose processes were killed, and give them."""
        return end_dead_runs(self.identity, self.instance, launches=self.launches)


class UnknownBackfillError(RunError):
    """The command names a backfill that the project does not have."""

    exit_code = 2


@contextmanager
def loaded_backfill(project: ProjectFolder, name: str) -> Iterator[ProjectBackfill]:
    """Load the project with its backfill *name*; what anything prints within the block goes to stderr.

    Raises:
        UnknownBackfillError: There is none.
    """
    with stdout_for_machines():
        with work_in_progress() as progress:
            ensure_compiled(project, environ=os.environ, progress=progress)
            loaded, location = load_with_location(project, progress=progress)
            backfills = loaded.document.spec.orchestration.backfills
            if name not in backfills:
                raise UnknownBackfillError(_unknown(name, list(backfills)))
            progress("resolving the job")
            job = find_job(location, backfills[name].job)
            instance = open_instance(project, loaded.platform.spec)
        identity = BackfillIdentity(loaded.document.spec.name or project.name, name)
        yield ProjectBackfill(project, loaded.document.source, location, instance, backfills[name], identity, job)


def _unknown(name: str, known: list[str]) -> Problem:
    return Problem(
        "FLOE-430",
        f"there is no backfill '{name}'",
        why=f"the backfills are {list_names(known)}",
        fix=did_you_mean(name, known) or "name one of them; `floe list backfills` shows them",
    )
