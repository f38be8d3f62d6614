"""Jobs of Python code that bring executors of their own, observed, with the schedules and sensors that start them.

Jobs without an executor have that of the definitions, which is observed already.
"""

import copy
from collections.abc import Sequence
from typing import TypeVar

import dagster as dg
from dagster._core.definitions.partitions.partitioned_schedule import UnresolvedPartitionedAssetScheduleDefinition
from dagster._core.definitions.target import AutomationTarget
from dagster_shared.record import replace

from floe_dagster.observability.runs.executor import observed_executor
from floe_dagster.observability.settings import ObservabilitySettings
from floe_dagster.user_code.module_contents import Job, Schedule

_Launcher = TypeVar("_Launcher", dg.ScheduleDefinition, dg.SensorDefinition)


class ObservedLaunchers:
    """Gives the observed one of a job, the same for each use of it, and what starts that in place of the job itself.

    A schedule or sensor that holds a job of its own object would bring back the one that is not observed.
    """

    def __init__(self, settings: ObservabilitySettings) -> None:
        self._settings = settings
        self._jobs: dict[int, tuple[Job, Job]] = {}  # the job itself is kept, so that its id stays its own

    def job(self, job: Job) -> Job:
        """*job* with an executor that is observed, where it has its own."""
        if id(job) not in self._jobs:
            self._jobs[id(job)] = (job, self._observed(job))
        return self._jobs[id(job)][1]

    def schedule(self, schedule: Schedule) -> Schedule:
        """*schedule*, which starts the observed job."""
        if isinstance(schedule, UnresolvedPartitionedAssetScheduleDefinition):
            job = self.job(schedule.job)
            return schedule if job is schedule.job else replace(schedule, job=job)
        return self._retargeted(schedule, [schedule.target], single=True)

    def sensor(self, sensor: dg.SensorDefinition) -> dg.SensorDefinition:
        """*sensor*, which starts the observed jobs."""
        return self._retargeted(sensor, sensor.targets)

    def _observed(self, job: Job) -> Job:
        if isinstance(job, dg.JobDefinition):
            if not job.has_specified_executor:
                return job
            return job.with_executor_def(observed_executor(job.executor_def, self._settings))
        if job.executor_def is None:
            return job
        return replace(job, executor_def=observed_executor(job.executor_def, self._settings))

    def _retargeted(
        self, launcher: _Launcher, targets: Sequence[AutomationTarget], *, single: bool = False
    ) -> _Launcher:
        observed = [
            target._replace(resolvable_to_job=self.job(target.job_def)) if target.has_job_def else target
            for target in targets
        ]
        if all(new.resolvable_to_job is old.resolvable_to_job for new, old in zip(observed, targets, strict=True)):
            return launcher
        altered = copy.copy(launcher)
        fields: dict[str, object] = {"_target": observed[0]} if single else {"_targets": observed}
        vars(altered).update(fields)
        return altered
