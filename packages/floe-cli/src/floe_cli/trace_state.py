"""What Dagster knows of a run whose own span is missing."""

from collections.abc import Mapping

import dagster as dg
from dagster._core.execution.stats import StepEventStatus

from floe_cli.trace_report import Mark, RunState
from floe_core.documents import load_platform_document
from floe_core.errors import FloeError
from floe_core.project import ProjectFolder
from floe_core.suggestions import list_names
from floe_dagster.observability.scopes import run_scope
from floe_dagster.observability.tracing.run_trace import trace_id
from floe_dagster.running.instance import open_existing_instance

_ENDED: Mapping[dg.DagsterRunStatus, Mark] = {
    dg.DagsterRunStatus.SUCCESS: "ok",
    dg.DagsterRunStatus.FAILURE: "failed",
    dg.DagsterRunStatus.CANCELED: "cancelled",
}
_STEPS: Mapping[StepEventStatus, Mark] = {
    StepEventStatus.SUCCESS: "ok",
    StepEventStatus.FAILURE: "failed",
    StepEventStatus.SKIPPED: "skipped",
}


def ask_dagster(project: ProjectFolder, run_id: str, *, environ: Mapping[str, str]) -> RunState | None:
    """The run's status in the project's Dagster instance, and those of its steps.

    None where the instance cannot be opened or does not know the run: the trace is shown all the same.
    """
    try:
        platform = load_platform_document(project.path, environ=environ)
        instance = open_existing_instance(project, platform.spec, environ=environ)
    except FloeError:
        return None
    if instance is None:
        return None
    with instance:
        run = instance.get_run_by_id(run_id)
        steps = instance.get_run_step_stats(run_id) if run is not None else []
    if run is None:
        return None
    begun = [step.step_key for step in steps if step.status is StepEventStatus.IN_PROGRESS]
    under_way = f", with {list_names(begun)} begun and not ended" if begun else ""
    ended = _ENDED.get(run.status)
    marks = {step.step_key: mark for step in steps if step.status and (mark := _STEPS.get(step.status)) is not None}
    if ended is not None:
        marks |= dict.fromkeys(begun, "failed" if ended == "ok" else ended)
    sentence = f"Dagster has it as {run.status.value}{under_way}"
    return RunState(sentence, ended, marks, trace_id=f"{trace_id(run_scope(run)):032x}")
