"""`floe validate`."""

import gc
import os

import click

from floe_cli.console import emit_json, say, show_problems, stdout_for_machines, work_in_progress
from floe_cli.counts import count_definitions, list_counts
from floe_cli.options import current_project, format_option, shared_options
from floe_core.compiler.checks import check_documents
from floe_core.errors import ProblemCollector, shown_path
from floe_core.project import ProjectFolder
from floe_core.suggestions import list_names

EXIT_FINDINGS = 1


@click.command()
@click.option(
    "--schema-only", is_flag=True, help="Read the documents alone: no dbt, no Python modules, in half a second."
)
@click.option("--strict-env", is_flag=True, help="Make a required variable that is not set an error.")
@format_option
@shared_options
@click.pass_context
def command(ctx: click.Context, schema_only: bool, strict_env: bool, output_format: str) -> None:
    """Check floe.yaml and everything it refers to.

    Reads floe.yaml and platform.yaml, compiles, imports the asset modules and builds every definition, and shows all
    problems in one report. Nothing is run.
    """
    problems = ProblemCollector()
    verdict = ""
    counts: dict[str, int] = {}
    selectors: dict[str, str] = {}
    with problems.collecting():
        project = current_project()
        check = _check_documents if schema_only else _check_everything
        verdict, counts, selectors = check(project, strict_env=strict_env, problems=problems)
    valid = not problems.errors
    if output_format == "json":
        shown = [problem.to_json() for problem in problems.problems]
        known = (
            {"counts": counts, "partition_selectors": selectors} if valid else {"counts": {}, "partition_selectors": {}}
        )
        emit_json({"valid": valid, **known, "problems": shown})
    else:
        show_problems(problems.problems)
        if valid:
            say("\n" * bool(problems.warnings) + f"{shown_path(project.floe_yaml)} {verdict}: {list_counts(counts)}")
            if selectors:
                say("partitions that a tick launches: " + ", ".join(f"{name} {one}" for name, one in selectors.items()))
    ctx.exit(0 if valid else EXIT_FINDINGS)


def _check_documents(
    project: ProjectFolder, *, strict_env: bool, problems: ProblemCollector
) -> tuple[str, dict[str, int], dict[str, str]]:
    checked = check_documents(project, environ=os.environ, strict_env=strict_env)
    problems.extend(checked.warnings)
    return "is valid by itself", count_definitions(checked.document.spec), {}


def _check_everything(
    project: ProjectFolder, *, strict_env: bool, problems: ProblemCollector
) -> tuple[str, dict[str, int], dict[str, str]]:
    gc.enable()
    from floe_cli.checking import check_project  # noqa: PLC0415 - --schema-only does without Dagster

    with stdout_for_machines(), work_in_progress() as progress:
        found = check_project(project, environ=os.environ, strict_env=strict_env, problems=problems, progress=progress)
    loaded = found.loaded
    counts = count_definitions(found.documents.document.spec, assets=len(loaded.index.nodes) if loaded else None)
    unset = list_names(found.unset)
    verdict = f"is valid as far as can be told without {unset}" if found.unset else "is valid"
    return verdict, counts, dict(loaded.partition_selectors) if loaded else {}
