"""Run-status sensors that would start what starts them."""

from collections.abc import Iterator, Mapping

from floe_core.errors import Problem
from floe_core.interpolation import is_unset, known_items
from floe_core.schemas.orchestration_config import OrchestrationConfig
from floe_core.schemas.sensor_definition import RunStatusSensor
from floe_core.source_map import SourceMap


def check_run_status_circles(orchestration: OrchestrationConfig, source: SourceMap) -> Iterator[Problem]:
    """The sensors that watch a job which they start themselves, and a warning of those that start one another."""
    sensors = {name: sensor for name, sensor in known_items(orchestration.sensors) if _is_known(sensor)}
    watching = {name: sensor for name, sensor in sensors.items() if isinstance(sensor, RunStatusSensor)}
    for name, sensor in watching.items():
        yield from _check_own_jobs(name, sensor, source)
    for circle in _circles(watching):
        first, *others = circle
        through = ", ".join(f"'{other}'" for other in others)
        yield Problem(
            "FLOE-393",
            f"sensor '{first}' starts itself by way of {through}",
            source.locate("orchestration", "sensors", first, "watched_jobs"),
            why="each watches a job that the one before it starts; no run triggers a sensor that led to it, so it ends",
            fix="name in watched_jobs only what none of them starts",
            severity="warning",
        )


def _is_known(sensor: object) -> bool:
    return not any(is_unset(getattr(sensor, field, None)) for field in ("job", "jobs", "watched_jobs", "status"))


def _check_own_jobs(name: str, sensor: RunStatusSensor, source: SourceMap) -> Iterator[Problem]:
    path = ("orchestration", "sensors", name, "watched_jobs")
    for number, job in enumerate(sensor.watched_jobs):
        if job in _launched(sensor):
            yield Problem(
                "FLOE-392",
                f"sensor '{name}' watches job '{job}', which it starts itself",
                source.locate(*((*path, number) if (*path, number) in source else path)),
                why="its own runs do not trigger it, so it would react to some runs of the job and not to others",
                fix="start another job, or give the job max_retries if it is to run again after a failure",
            )


def _circles(sensors: Mapping[str, RunStatusSensor]) -> Iterator[tuple[str, ...]]:
    """Sensors of which each starts a job that the next one watches, and the last one one that the first watches.

    One that watches every run is taken for watching the jobs of those that wait for the same status.
    """
    following = {
        name: [other for other in sensors if other != name and _starts(sensors[name], sensors[other])]
        for name in sensors
    }
    told: set[frozenset[str]] = set()
    for name in sensors:
        circle = _way_back(name, following)
        if circle and frozenset(circle) not in told:
            told.add(frozenset(circle))
            yield circle


def _starts(sensor: RunStatusSensor, other: RunStatusSensor) -> bool:
    if other.watched_jobs:
        return not _launched(sensor).isdisjoint(other.watched_jobs)
    return bool(_launched(sensor)) and sensor.status == other.status


def _way_back(name: str, following: Mapping[str, list[str]]) -> tuple[str, ...]:
    """The shortest way from *name* to itself; none where there is no way."""
    ways: list[tuple[str, ...]] = [(name,)]
    reached = {name}
    for way in ways:  # it grows on the way
        for other in following[way[-1]]:
            if other == name:
                return way
            if other not in reached:
                reached.add(other)
                ways.append((*way, other))
    return ()


def _launched(sensor: RunStatusSensor) -> set[str]:
    return {job for job in (sensor.job, *sensor.jobs) if job is not None}
