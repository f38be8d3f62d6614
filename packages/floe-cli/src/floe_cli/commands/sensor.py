"""`floe sensor test NAME`."""

import click

from floe_cli.completions import complete_sensors
from floe_cli.options import current_project, format_option, shared_options


@click.group()
@shared_options
def command() -> None:
    """Evaluate a sensor once and show what it would do."""


@command.command("test")
@click.argument("name", shell_complete=complete_sensors)
@click.option(
    "--cursor",
    metavar="TEXT",
    help="What the sensor remembers of earlier ticks, as its page in Dagster's UI shows it; nothing by default.",
)
@format_option
@shared_options
@click.pass_context
def evaluate(ctx: click.Context, name: str, cursor: str | None, output_format: str) -> None:
    """Evaluate a sensor once and show what it would do.

    NAME is any sensor: of floe.yaml, of a Python module, of a backfill or of dynamic partitions. It sees the runs and
    events of the project's Dagster instance; nothing is launched, and nothing is stored, its cursor included. Without
    --cursor it is evaluated as a new sensor would be. Its function is really called, whatever that does elsewhere. The
    exit code is 1 when the tick fails.
    """
    from floe_cli.sensor_trials import show_trial  # noqa: PLC0415 - Dagster is imported when it is needed

    ctx.exit(show_trial(current_project(), name, cursor=cursor, as_json=output_format == "json"))
