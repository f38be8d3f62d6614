"""Options that commands share, accepted before the command's name as well as after it."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import click

from floe_core.project import ProjectFolder, find_project_dir

_Command = TypeVar("_Command", bound=Callable[..., object])


@dataclass
class Settings:
    """What the shared options say."""

    project: Path | None = None
    traceback: bool = False

    @property
    def start(self) -> Path:
        """The folder from which the project folder is looked for."""
        return (self.project or Path.cwd()).absolute()


def shared_options(command: _Command) -> _Command:
    """Add `--project` and `--traceback`; their values are kept in the `Settings` of the whole command line."""
    project = click.option(
        "--project",
        metavar="DIR",
        type=click.Path(exists=True, file_okay=False, path_type=Path),
        expose_value=False,
        callback=_keep_project,
        help="Project folder, or a folder inside it; the working directory otherwise.",
    )
    traceback = click.option(
        "--traceback",
        is_flag=True,
        expose_value=False,
        callback=_keep_traceback,
        help="Show Python's traceback when floe itself fails.",
    )
    return project(traceback(command))


def format_option(command: _Command) -> _Command:
    """Add `--format text|json`."""
    return click.option(
        "--format",
        "output_format",
        type=click.Choice(["text", "json"]),
        default="text",
        show_default=True,
        help="json writes one document to stdout, for a program to read.",
    )(command)


def report_format_option(command: _Command) -> _Command:
    """Add `--format text|json|github`."""
    return click.option(
        "--format",
        "output_format",
        type=click.Choice(["text", "json", "github"]),
        default="text",
        show_default=True,
        help="json writes one document to stdout, for a program to read; github also writes a workflow command for "
        "each problem, which GitHub shows at its line.",
    )(command)


def reference_format_option(*formats: str) -> Callable[[_Command], _Command]:
    """Add `--format` with the forms in which a reference is printed, the first one by default."""
    return click.option(
        "--format",
        "output_format",
        type=click.Choice(formats),
        default=formats[0],
        show_default=True,
        help="markdown is a page for people, json for a program to read.",
    )


def current_settings() -> Settings:
    """The settings of the command line that is being executed."""
    settings = click.get_current_context().find_root().ensure_object(Settings)
    assert isinstance(settings, Settings)
    return settings


def current_project() -> ProjectFolder:
    """The project that the command is about.

    Raises:
        DocumentError: There is no floe.yaml in the start folder or above it.
    """
    return ProjectFolder(find_project_dir(current_settings().start))


def _keep_project(ctx: click.Context, _: click.Parameter, value: Path | None) -> None:
    if value is not None:
        ctx.find_root().ensure_object(Settings).project = value


def _keep_traceback(ctx: click.Context, _: click.Parameter, value: bool) -> None:
    if value:
        ctx.find_root().ensure_object(Settings).traceback = True
