"""`floe validate`."""

import os
from collections.abc import Mapping

import click

from floe_cli.console import emit_json, say, show_problems, stdout_for_machines, work_in_progress
from floe_cli.counts import count_definitions, list_counts
from floe_cli.options import current_project, format_option, shared_options
from floe_core.compiler.checks import check_documents
from floe_core.errors import ProblemCollector, shown_path

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
    counts: Mapping[str, int] = {}
    document = ""
    with problems.collecting():
        project = current_project()
        document = shown_path(project.floe_yaml)
        if schema_only:
            checked = check_documents(project, environ=os.environ, strict_env=strict_env)
            problems.extend(checked.warnings)
            counts = count_definitions(checked.document.spec)
        else:
            from floe_cli.loading import load_definitions  # noqa: PLC0415 - --schema-only does without Dagster
            from floe_dagster.compilation import compile_project  # noqa: PLC0415

            with stdout_for_machines(), work_in_progress() as progress:
                compiled = compile_project(project, environ=os.environ, strict_env=strict_env, progress=progress)
                problems.extend(compiled.warnings)
                loaded = load_definitions(project, progress=progress)
            problems.extend(loaded.warnings)
            counts = count_definitions(loaded.document.spec, assets=len(loaded.index.nodes))
    valid = not problems.errors
    if output_format == "json":
        shown = [problem.to_json() for problem in problems.problems]
        emit_json({"valid": valid, "counts": dict(counts) if valid else {}, "problems": shown})
    else:
        show_problems(problems.problems)
        if valid:
            say(_verdict(document, counts, warned=bool(problems.warnings), schema_only=schema_only))
    ctx.exit(0 if valid else EXIT_FINDINGS)


def _verdict(document: str, counts: Mapping[str, int], *, warned: bool, schema_only: bool) -> str:
    separator = "\n" if warned else ""
    return f"{separator}{document} is valid{' by itself' if schema_only else ''}: {list_counts(counts)}"
