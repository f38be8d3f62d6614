"""`floe lineage replay`."""

import click

from floe_cli.options import current_project, format_option, shared_options


@click.group()
@shared_options
def command() -> None:
    """Send lineage events that have not been sent."""


@command.command()
@click.option("--run", "run_id", metavar="RUN", help="Only events of this run: the beginning of its id.")
@format_option
@shared_options
@click.pass_context
def replay(ctx: click.Context, run_id: str | None, output_format: str) -> None:
    """Send lineage events that have not been sent.

    Events that the receiver did not take are kept in .floe/observability/spool, and those of runs without a receiver in
    .floe/observability/lineage. They are sent in their order to the receiver that OpenLineage's variables or
    platform.yaml name; what does not arrive is kept. What has arrived is not sent
    again. The exit code is 1 when events had to be kept.
    """
    from floe_cli.lineage_replay import replay_lineage  # noqa: PLC0415 - requests is imported when it is needed

    ctx.exit(replay_lineage(current_project(), run_id, as_json=output_format == "json"))
