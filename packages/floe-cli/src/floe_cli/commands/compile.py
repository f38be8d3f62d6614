"""`floe compile`."""

import os

import click

from floe_cli.console import emit_json, say, show_problems, stdout_for_machines, work_in_progress
from floe_cli.counts import count_definitions, list_counts
from floe_cli.editor_schemas import write_editor_schemas
from floe_cli.options import current_project, format_option, shared_options
from floe_core.errors import shown_path


@click.command()
@click.option("--target", metavar="NAME", help="dbt target to compile for; several may be compiled side by side.")
@format_option
@shared_options
def command(target: str | None, output_format: str) -> None:
    """Write the compiled artifacts that Dagster loads.

    Validates floe.yaml, parses the dbt project where it changed, and writes .floe/compiled_artifacts.json, which holds
    no value of the environment and nothing of platform.yaml: the same file serves every environment. Beside it are the
    JSON Schemas of both documents, for editors.
    """
    from floe_dagster.compilation import compile_project  # noqa: PLC0415 - Dagster is imported when it is needed

    project = current_project()
    with stdout_for_machines(), work_in_progress() as progress:
        result = compile_project(project, environ=os.environ, target=target, progress=progress)
        write_editor_schemas(project)
    file = shown_path(project.artifacts_file)
    counts = count_definitions(result.documents.document.spec)
    dbt = {} if result.dbt is None else {"dbt nodes": len(result.dbt.index.nodes)}
    if output_format == "json":
        warnings = [problem.to_json() for problem in result.warnings]
        emit_json({"file": file, "target": result.target, "counts": counts | dbt, "problems": warnings})
        return
    show_problems(result.warnings)
    say(f"{file}: {list_counts(counts | dbt)}" + (f" (dbt target {result.target})" if result.target else ""))
