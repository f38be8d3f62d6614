"""Which runs a sensor started: itself, by way of other sensors, or as a retry of one that it started."""

from collections.abc import Iterable
from dataclasses import dataclass, field

import dagster as dg

SENSOR_TAG = "dagster/sensor_name"
CHAIN_TAG = "floe/sensor_chain"
"""The asset sensors and run-status sensors by whose launches a run came about, the last one last."""

_AT_ONCE = 200


@dataclass(frozen=True)
class RunLookup:
    """Runs by id, each read once; those that were deleted are not there.

    Args:
        instance: Where the runs are.
        location: Name of the sensor's code location, where that is known: others may have sensors of the same name.
    """

    instance: dg.DagsterInstance
    location: str | None = None
    _found: dict[str, dg.DagsterRun | None] = field(default_factory=dict)

    @classmethod
    def at_tick(cls, context: dg.SensorEvaluationContext) -> "RunLookup":
        """For the tick of a sensor."""
        origin = context.code_location_origin
        return cls(context.instance, origin.location_name if origin else None)

    def read(self, run_ids: Iterable[str]) -> None:
        """Read the runs, and those of which they are retries."""
        self._read(run_ids)
        self._read(run.root_run_id for run in self._found.values() if run is not None and run.root_run_id)

    def find(self, run_id: str) -> dg.DagsterRun | None:
        """The run, if it was read and is there."""
        return self._found.get(run_id)

    def is_from(self, run_id: str, sensor: str) -> bool:
        """Whether the sensor of that name started the run, or the one of which it is a retry.

        Source:
            A retry by Dagster 1.13 keeps the tags of its run; a re-execution in the UI need not, and names the first
            run as its root.
        """
        return any(sensor in self._starters(run) for run in self._with_root(run_id))

    def chain_to(self, run_id: str) -> tuple[str, ...]:
        """The sensors that led to the run, or to the one of which it is a retry."""
        return next(filter(None, map(chain_of, self._with_root(run_id))), ())

    def _with_root(self, run_id: str) -> list[dg.DagsterRun]:
        run = self.find(run_id)
        root = None if run is None or run.root_run_id is None else self.find(run.root_run_id)
        return [found for found in (run, root) if found is not None]

    def _starters(self, run: dg.DagsterRun) -> set[str]:
        location = location_of(run)
        if location is not None and self.location is not None and location != self.location:
            return set()
        return {run.tags.get(SENSOR_TAG, ""), *chain_of(run)}

    def _read(self, run_ids: Iterable[str]) -> None:
        wanted = sorted({run_id for run_id in run_ids if run_id} - self._found.keys())
        for start in range(0, len(wanted), _AT_ONCE):
            part = wanted[start : start + _AT_ONCE]
            runs = self.instance.get_runs(dg.RunsFilter(run_ids=part))
            self._found.update(dict.fromkeys(part))
            self._found.update({run.run_id: run for run in runs})


def chain_of(run: dg.DagsterRun) -> tuple[str, ...]:
    """The asset sensors and run-status sensors that led to the run."""
    return tuple(filter(None, run.tags.get(CHAIN_TAG, "").split(",")))


def location_of(run: dg.DagsterRun) -> str | None:
    """Name of the code location that the run was launched from; None where it was not launched from one."""
    origin = run.remote_job_origin
    return origin.repository_origin.code_location_origin.location_name if origin else None
