"""The mark of an observed job: the definition of its executor, which every process of a run loads with the job."""

from typing import Any

import dagster as dg

from floe_dagster.observability.settings import ObservabilitySettings


class ObservedExecutorDefinition(dg.ExecutorDefinition):
    """An executor that tells of the runs it carries out, and what the project says about that."""

    def __init__(self, *args: Any, settings: ObservabilitySettings, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.settings = settings

    def copy_for_configured(self, name: str, description: str | None, config_schema: Any) -> Any:
        """The same executor with config of its own, as observed as this one."""
        plain = super().copy_for_configured(name, description, config_schema)
        return ObservedExecutorDefinition(
            plain.name,
            plain.config_schema,
            plain.get_requirements,
            plain.executor_creation_fn,
            plain.description,
            settings=self.settings,
        )


def observed_settings(job: dg.JobDefinition) -> ObservabilitySettings | None:
    """What the project says about observing a run of *job*; None where nothing is observed.

    That is so in `execute_in_process`, which puts another executor in the place of the job's.
    """
    executor = job.executor_def
    return executor.settings if isinstance(executor, ObservedExecutorDefinition) else None
