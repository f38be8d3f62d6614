"""A sensor of floe.yaml as Dagster has it."""

from collections.abc import Sequence

import dagster as dg
from dagster._core.definitions.target import ExecutableDefinition
from dagster._utils.warnings import disable_dagster_warnings


class DeclaredSensor(dg.SensorDefinition):
    """A sensor that loads without a warning.

    Source:
        Dagster 1.13 copies a sensor whose job is given its resources, and warns of a beta field of its own copy.
    """

    def with_updated_jobs(self, new_jobs: Sequence[ExecutableDefinition]) -> dg.SensorDefinition:
        """The sensor over the same jobs with their resources."""
        with disable_dagster_warnings():
            return super().with_updated_jobs(new_jobs)
