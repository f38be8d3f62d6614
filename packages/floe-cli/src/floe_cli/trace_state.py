"""What Dagster knows of a run whose own span is missing."""

from collections.abc import Mapping

from dagster._core.execution.stats import StepEventStatus

from floe_core.documents import load_platform_document
from floe_core.errors import FloeError
from floe_core.project import ProjectFolder
from floe_core.suggestions import list_names
from floe_dagster.running.instance import open_existing_instance


def describe_unended_run(project: ProjectFolder, run_id: str, *, environ: Mapping[str, str]) -> str:
    """The run's status in the project's Dagster instance, and its steps that have begun and not ended.

    Empty where the instance cannot be opened or does not know the run: the trace is shown all the same.
    """
    try:
        platform = load_platform_document(project.path, environ=environ)
        instance = open_existing_instance(project, platform.spec, environ=environ)
    except FloeError:
        return ""
    if instance is None:
        return ""
    with instance:
        run = instance.get_run_by_id(run_id)
        steps = instance.get_run_step_stats(run_id) if run is not None else []
    if run is None:
        return ""
    begun = [step.step_key for step in steps if step.status is StepEventStatus.IN_PROGRESS]
    under_way = f", with {list_names(begun)} begun and not ended" if begun else ""
    return f"Dagster has it as {run.status.value}{under_way}"
