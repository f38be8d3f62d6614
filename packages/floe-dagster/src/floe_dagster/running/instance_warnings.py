"""What the Dagster instance of this process lacks that floe.yaml asks for."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

import dagster as dg
from dagster._utils.env import using_dagster_dev

from floe_core.errors import Location, Problem
from floe_core.schemas.job_definition import BatchJob
from floe_core.schemas.orchestration_config import OrchestrationConfig
from floe_core.source_map import SourceMap
from floe_dagster.running.instance import HOME_VARIABLE, check_instance


def check_own_instance(orchestration: OrchestrationConfig, source: SourceMap) -> tuple[Problem, ...]:
    """Warnings for fields of jobs that do nothing on the instance that this process runs on.

    Without DAGSTER_HOME only `dagster dev` has an instance, a temporary one with Dagster's own settings.
    """
    retried = _places(orchestration, source, "max_retries")
    limited = _places(orchestration, source, "max_runtime_seconds")
    if not retried and not limited:
        return ()
    with _own_instance() as instance:
        return () if instance is None else check_instance(instance, retried_jobs=retried, limited_jobs=limited)


def _places(orchestration: OrchestrationConfig, source: SourceMap, field: str) -> dict[str, Location]:
    return {
        name: source.locate("orchestration", "jobs", name, field)
        for name, job in orchestration.jobs.items()
        if isinstance(job, BatchJob) and getattr(job, field)
    }


@contextmanager
def _own_instance() -> Iterator[dg.DagsterInstance | None]:
    if os.environ.get(HOME_VARIABLE):  # noqa: TID251 - where Dagster itself looks
        with dg.DagsterInstance.get() as instance:
            yield instance
    elif using_dagster_dev():
        with dg.DagsterInstance.ephemeral() as instance:
            yield instance
    else:
        yield None
