"""What Dagster refuses in a project's jobs, which it resolves only when somebody asks for them."""

from collections.abc import Iterator, Mapping
from dataclasses import replace

from floe_core.errors import LoadError, Location, Problem
from floe_dagster.running.code_locations import CodeLocation, resolved_job


def check_jobs(
    location: CodeLocation, *, places: Mapping[str, Location], origins: Mapping[str, str]
) -> Iterator[Problem]:
    """Resolve every job of *location*, that of all assets and those of schedules and sensors among them.

    Args:
        location: The loaded definitions.
        places: Where the jobs of floe.yaml stand, by name.
        origins: Where those of Python modules are defined, by name.

    Yields:
        What Dagster refuses, and what is raised when it asks the user's code. What is said of several jobs in the same
        words is told once.
    """
    told: set[str] = set()
    for name in sorted(location.definition.job_names, key=lambda name: (not name.startswith("__"), name)):
        try:
            resolved_job(location, name, at=places.get(name))
        except LoadError as error:
            new = [problem for problem in error.problems if problem.detail not in told]
            told.update(problem.detail for problem in new)
            for problem in new:
                yield replace(problem, detail="\n".join(filter(None, (origins.get(name), problem.detail))))
