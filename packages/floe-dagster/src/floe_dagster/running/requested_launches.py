"""Whether Dagster would launch what a sensor asks for."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import dagster as dg

from floe_core.errors import Problem


def check_launches(
    requests: Sequence[dg.RunRequest], sensor: dg.SensorDefinition, repository: dg.RepositoryDefinition
) -> tuple[Problem, ...]:
    """What Dagster's daemon would say of the run requests that it refuses; each thing once.

    Args:
        requests: As the tick of *sensor* gives them.
        sensor: Whose job they are for where they name none.
        repository: Where the jobs are.
    """
    check = _Check(sensor, repository)
    return tuple(problem for request in requests for problem in check.problems(request))


@dataclass(frozen=True)
class _Check:
    sensor: dg.SensorDefinition
    repository: dg.RepositoryDefinition
    seen: set[str] = field(default_factory=set)

    def problems(self, request: dg.RunRequest) -> Iterator[Problem]:
        job = request.job_name
        if job is None and len(self.sensor.targets) == 1:
            job = self.sensor.targets[0].job_name
        asked = repr((job, request.asset_selection, request.asset_check_keys, request.run_config))
        if job is None or not self.repository.has_job(job) or asked in self.seen:
            return
        self.seen.add(asked)
        try:
            dg.validate_run_config(self._job(job, request), dict(request.run_config))
        except dg.DagsterError as error:
            yield self._refusal(job, request, error)

    def _job(self, name: str, request: dg.RunRequest) -> dg.JobDefinition:
        checks = None if request.asset_check_keys is None else frozenset(request.asset_check_keys)
        assets = frozenset(request.asset_selection or ())
        return self.repository.get_job(name).get_subset(asset_selection=assets, asset_check_selection=checks)

    def _refusal(self, job: str, request: dg.RunRequest, error: dg.DagsterError) -> Problem:
        run = f"run '{request.run_key}'" if request.run_key else "a run"
        of_job = "" if job.startswith("__") else f" of job '{job}'"
        if isinstance(error, dg.DagsterInvalidConfigError):
            lines = [line.strip() for reason in error.errors for line in reason.message.splitlines()]
            fix = "give the run config in the form that the Launchpad shows"
        else:
            lines, fix = str(error).splitlines(), "ask for assets of the job"
        return Problem(
            "FLOE-436",
            f"sensor '{self.sensor.name}' asks for {run}{of_job}, which Dagster refuses",
            why="the daemon refuses it at every tick, and launches nothing",
            fix=fix,
            detail="\n".join(lines),
        )
