"""`floe run JOB`."""

from pathlib import Path

import click

from floe_cli.completions import complete_jobs
from floe_cli.options import current_project, format_option, shared_options
from floe_core.errors import DocumentError, Location, Problem, shown_path
from floe_core.yaml_source import parse_yaml


@click.command()
@click.argument("job", shell_complete=complete_jobs)
@click.option(
    "--partition",
    metavar="KEY",
    help="The partition of a partitioned job: a key, a range A..B, or latest, last:N, all or none. Partitions go into "
    "one run each, or into one run together where the backfill policies of the assets say so.",
)
@click.option("--tag", "tags", multiple=True, metavar="KEY=VALUE", help="A tag of the run; may be given several times.")
@click.option(
    "--config",
    "config_file",
    metavar="FILE",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Run config in YAML, in the form that Dagster's Launchpad shows.",
)
@click.option("-v", "--verbose", is_flag=True, help="Show what Dagster, dbt and the assets print.")
@format_option
@shared_options
@click.pass_context
def command(
    ctx: click.Context,
    job: str,
    partition: str | None,
    tags: tuple[str, ...],
    config_file: Path | None,
    verbose: bool,
    output_format: str,
) -> None:
    """Run a job and show what it built.

    The run goes to the Dagster instance that `floe dev` uses, so that its UI shows it. Artifacts that are stale are
    compiled first. A job whose assets are partitioned needs --partition; the first failed run is the last one. The exit
    code is 3 when a run failed.
    """
    from floe_cli.running import run_job  # noqa: PLC0415 - Dagster is imported when a run starts, not for --help

    ctx.exit(
        run_job(
            current_project(),
            job,
            partition=partition,
            run_config=_read_config(config_file) if config_file else {},
            tags=dict(_read_tag(tag) for tag in tags),
            verbose=verbose,
            as_json=output_format == "json",
        )
    )


def _read_tag(text: str) -> tuple[str, str]:
    key, separator, value = text.partition("=")
    if not key or not separator:
        raise click.BadParameter(f"'{text}' is not KEY=VALUE", param_hint="--tag")
    return key, value


def _read_config(file: Path) -> dict[str, object]:
    value = parse_yaml(file.read_text(encoding="utf-8"), file=file).value
    if not isinstance(value, dict):
        raise DocumentError(
            Problem(
                "FLOE-107",
                f"{shown_path(file)} is not a mapping",
                Location(shown_path(file)),
                why="run config is a mapping of ops, resources and the like to their values",
                fix="copy it from the Launchpad of Dagster's UI",
            )
        )
    return value
