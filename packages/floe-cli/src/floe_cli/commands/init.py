"""`floe init [NAME]`."""

import re
from pathlib import Path

import click

from floe_cli.console import say
from floe_cli.editor_schemas import write_editor_schemas
from floe_cli.options import current_settings, shared_options
from floe_cli.scaffold import TEMPLATES, project_files
from floe_core.errors import shown_path
from floe_core.project import ProjectFolder
from floe_core.suggestions import list_names

_NAME = re.compile(r"[A-Za-z0-9_-]+")
_WRITTEN = frozenset({".gitignore", ".floe"})
_HARMLESS = re.compile(r"\..*|(README|LICENSE|LICENCE|NOTICE)(\..*)?", re.IGNORECASE)
_FIRST_RUN = {
    "dbt": ["floe run full_pipeline    # build everything"],
    "minimal": ["floe run full_pipeline    # build everything"],
    "partitioned": ["floe backfill all_days    # build every day"],
}


@click.command()
@click.argument("name", required=False)
@click.option(
    "--template",
    type=click.Choice(TEMPLATES),
    default=TEMPLATES[0],
    show_default=True,
    help="dbt: a Python asset and two dbt models on top of it. minimal: two Python assets. partitioned: an asset and "
    "an incremental dbt model that are built day by day, with a backfill.",
)
@shared_options
def command(name: str | None, template: str) -> None:
    """Write a project that runs at once.

    NAME is the folder to make; without it the project goes into the working directory, which must be empty. It has
    assets, a job, a schedule, and what `dagster dev` needs. Nothing is overwritten.
    """
    start = current_settings().start
    folder = start / name if name else start
    _refuse_what_is_there(folder)
    if not _NAME.fullmatch(folder.name):
        raise click.UsageError(f"'{folder.name}' cannot be a project's name; use letters, digits, '-' and '_'")
    ProjectFolder(folder).check_path()
    files = project_files(folder.name, template)
    for path, text in files.items():
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")
    write_editor_schemas(ProjectFolder(folder))
    shown = shown_path(folder)
    say(f"wrote {len(files)} files into {shown}")
    say("")
    say("next:")
    if folder != Path.cwd():
        say(f"  cd {shown}")
    for line in _FIRST_RUN[template]:
        say(f"  {line}")
    say("  floe dev                  # look at it in Dagster's UI")


def _refuse_what_is_there(folder: Path) -> None:
    if folder.exists() and not folder.is_dir():
        raise click.UsageError(f"{shown_path(folder)} is a file")
    found = sorted(entry.name for entry in folder.iterdir() if _is_in_the_way(entry)) if folder.exists() else []
    if found:
        raise click.UsageError(
            f"{shown_path(folder)} is not empty (it has {list_names(found, limit=3)}), and nothing is overwritten; "
            "name a folder that does not exist: floe init NAME"
        )


def _is_in_the_way(entry: Path) -> bool:
    return entry.name in _WRITTEN or not _HARMLESS.fullmatch(entry.name)
