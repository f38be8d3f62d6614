"""`floe backfill NAME`."""

import click

from floe_cli.completions import complete_backfills
from floe_cli.options import current_project, format_option, shared_options

_ACTIONS = ("--status", "--cancel", "--dry-run")


@click.command()
@click.argument("name", shell_complete=complete_backfills)
@click.option(
    "--status", "show_status", is_flag=True, help="Show which partitions are done, in flight, failed, missing."
)
@click.option("--cancel", is_flag=True, help="Switch its sensor off and cancel the runs that are under way.")
@click.option("--dry-run", is_flag=True, help="Show what would be launched, in which runs, and launch nothing.")
@click.option("--again", is_flag=True, help="Launch every partition once more; a finished backfill starts only so.")
@click.option("-v", "--verbose", is_flag=True, help="Show what Dagster, dbt and the assets print.")
@format_option
@shared_options
@click.pass_context
def command(
    ctx: click.Context,
    name: str,
    show_status: bool,
    cancel: bool,
    dry_run: bool,
    again: bool,
    verbose: bool,
    output_format: str,
) -> None:
    """Launch a job for many partitions, batch by batch.

    NAME is one of orchestration.backfills. It starts or resumes: what is missing is launched in order, and partitions
    that failed are tried again. While `floe dev` runs, its daemon carries it out; without it this process does, a run
    after the other, and Ctrl-C cancels the run that is under way. Killed at any moment, it goes on where it was when
    it is called again. The exit code is 3 when a partition failed, 130 when the backfill was ended before it was done.
    """
    from floe_cli import backfilling  # noqa: PLC0415 - Dagster is imported when a backfill is looked at, not for --help

    if sum((show_status, cancel, dry_run)) > 1:
        raise click.UsageError(f"only one of {', '.join(_ACTIONS)} can be asked for")
    if again and (show_status or cancel):
        raise click.UsageError("--again starts a backfill; it goes with --dry-run alone")
    project, json = current_project(), output_format == "json"
    if show_status:
        ctx.exit(backfilling.show_status(project, name, json=json))
    if cancel:
        ctx.exit(backfilling.cancel_backfill(project, name, json=json))
    if dry_run:
        ctx.exit(backfilling.show_plan(project, name, again=again, json=json))
    ctx.exit(backfilling.run_backfill(project, name, again=again, verbose=verbose, json=json))
