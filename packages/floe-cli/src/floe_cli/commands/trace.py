"""`floe trace [RUN]`."""

import os
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from floe_cli.console import emit, emit_json, rich_console, say, stdout_for_machines
from floe_cli.options import current_project, format_option, shared_options
from floe_cli.output_files import check_folder, write_output
from floe_core.errors import shown_path
from floe_core.project import ProjectFolder

if TYPE_CHECKING:
    from floe_cli.trace_report import RunState


@click.command()
@click.argument("run", required=False)
@click.option(
    "--html",
    "page",
    metavar="FILE",
    type=click.Path(dir_okay=False, writable=True, allow_dash=True, path_type=Path),
    help="Write the waterfall as one page that needs nothing else, to look into each span; - for stdout.",
)
@click.option("--all", "show_all", is_flag=True, help="Show each of many tests that passed, not only their number.")
@format_option
@shared_options
def command(run: str | None, page: Path | None, show_all: bool, output_format: str) -> None:
    """Show where the time of a run went.

    RUN is the id of a run or of its trace, or the beginning of one; the newest run otherwise. Shown are its steps,
    assets, dbt nodes and their batches on one time axis, and the critical path: the chain of them that the end of the
    run waited for.
    """
    from floe_cli.trace_choice import choose_trace, describe_missing, read_chosen_trace  # noqa: PLC0415 - not for --help
    from floe_cli.trace_display import print_trace  # noqa: PLC0415
    from floe_cli.trace_page import trace_page  # noqa: PLC0415
    from floe_cli.trace_report import report_trace, trace_as_json  # noqa: PLC0415
    from floe_dagster.observability.local.trace_tree import build_tree  # noqa: PLC0415

    _check_page(page, output_format)
    project = current_project()

    file = choose_trace(project, run, environ=os.environ, ask_dagster=lambda run_id: _ask_dagster(project, run_id))
    if run is None and (missing := describe_missing(project, file, environ=os.environ)):
        say(missing)
    tree = build_tree(read_chosen_trace(file))
    state = None if tree.is_complete else _ask_dagster(project, file.run_id)
    report = report_trace(tree, written_at=datetime.fromtimestamp(file.written_at, UTC), state=state)
    if page is not None:
        text = trace_page(report)
        if str(page) == "-":
            emit(text)
            return
        write_output(page, text, "--html")
        say(f"{shown_path(page)}: the trace of run {report.run_id}")
    elif output_format == "json":
        emit_json(trace_as_json(report))
    else:
        print_trace(rich_console(stderr=False), report, show_all=show_all, now=datetime.now(UTC))


def _check_page(page: Path | None, output_format: str) -> None:
    if page is not None and output_format == "json":
        raise click.UsageError("--html writes a page and --format json prints another form of it; give one of them")
    if page is not None and str(page) != "-":
        check_folder(page, "--html")


def _ask_dagster(project: ProjectFolder, run_id: str) -> "RunState | None":
    from floe_cli.trace_state import ask_dagster  # noqa: PLC0415 - Dagster is imported for such runs alone

    with stdout_for_machines():
        return ask_dagster(project, run_id, environ=os.environ)
