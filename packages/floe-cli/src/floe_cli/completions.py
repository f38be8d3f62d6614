"""What a shell offers where a name is typed, read without Dagster; nothing where there is no project."""

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

import click
from click.shell_completion import CompletionItem

from floe_cli.options import Settings
from floe_core.errors import FloeError
from floe_core.project import ProjectFolder, find_project_dir

if TYPE_CHECKING:
    from floe_cli.known_names import KnownNames

_BEFORE_A_NAME = re.compile(r"!?\d*\+?")


def complete_jobs(ctx: click.Context, _: click.Parameter, incomplete: str) -> Sequence[str]:
    """Jobs that begin with *incomplete*."""
    names = _known_names(ctx)
    return [name for name in names.jobs if name.startswith(incomplete)] if names else []


def complete_backfills(ctx: click.Context, _: click.Parameter, incomplete: str) -> Sequence[str]:
    """Backfills that begin with *incomplete*."""
    names = _known_names(ctx)
    return [name for name in names.backfills if name.startswith(incomplete)] if names else []


def complete_sensors(ctx: click.Context, _: click.Parameter, incomplete: str) -> Sequence[str]:
    """Sensors that begin with *incomplete*."""
    names = _known_names(ctx)
    return [name for name in names.sensors if name.startswith(incomplete)] if names else []


def complete_assets(ctx: click.Context, _: click.Parameter, incomplete: str) -> Sequence[str]:
    """Asset keys that begin with *incomplete*."""
    names = _known_names(ctx)
    return [name for name in names.assets if name.startswith(incomplete)] if names else []


def complete_selection(ctx: click.Context, parameter: click.Parameter, incomplete: str) -> Sequence[str]:
    """Asset keys behind the signs that an item of a selection may begin with."""
    sign = _BEFORE_A_NAME.match(incomplete)
    before = sign[0] if sign else ""
    return [f"{before}{key}" for key in complete_assets(ctx, parameter, incomplete.removeprefix(before))]


def complete_error_codes(_ctx: click.Context, _: click.Parameter, incomplete: str) -> Sequence[CompletionItem]:
    """Error codes with what they mean."""
    from floe_core.error_codes import ERROR_CODES  # noqa: PLC0415 - one command completes them

    typed = incomplete.upper()
    return [CompletionItem(code, help=entry.title) for code, entry in ERROR_CODES.items() if code.startswith(typed)]


def _known_names(ctx: click.Context) -> "KnownNames | None":
    from floe_cli.known_names import KnownNames  # noqa: PLC0415 - a third of the time in which codes are completed

    try:
        return KnownNames(ProjectFolder(find_project_dir(ctx.find_root().ensure_object(Settings).start)))
    except FloeError:
        return None
