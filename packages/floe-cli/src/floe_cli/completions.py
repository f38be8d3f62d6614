"""What a shell offers where a name is typed, read without Dagster; nothing where there is no project."""

import re
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Literal, TypeAlias

import click
from click.shell_completion import CompletionItem

from floe_cli.options import Settings
from floe_core.errors import FloeError
from floe_core.project import ProjectFolder, find_project_dir

if TYPE_CHECKING:
    from floe_cli.known_names import KnownNames

Complete: TypeAlias = Callable[[click.Context, click.Parameter, str], Sequence[str]]

_BEFORE_A_NAME = re.compile(r"!?\d*\+?")


def _names_of(family: Literal["jobs", "backfills", "sensors", "assets"]) -> Complete:
    """What offers the names of *family* that begin with what is typed."""

    def complete(ctx: click.Context, _: click.Parameter, incomplete: str) -> Sequence[str]:
        known = _known_names(ctx)
        names: Sequence[str] = getattr(known, family) if known else ()
        return [name for name in names if name.startswith(incomplete)]

    return complete


complete_jobs = _names_of("jobs")
complete_backfills = _names_of("backfills")
complete_sensors = _names_of("sensors")
complete_assets = _names_of("assets")


def complete_selection(ctx: click.Context, parameter: click.Parameter, incomplete: str) -> Sequence[str]:
    """Asset keys behind the signs that an item of a selection may begin with."""
    sign = _BEFORE_A_NAME.match(incomplete)
    before = sign[0] if sign else ""
    return [f"{before}{key}" for key in complete_assets(ctx, parameter, incomplete.removeprefix(before))]


def complete_error_codes(_ctx: click.Context, _: click.Parameter, incomplete: str) -> Sequence[CompletionItem]:
    """Error codes with what they mean."""
    from floe_core.error_codes.registry import ERROR_CODES  # noqa: PLC0415 - one command completes them

    typed = incomplete.upper()
    return [CompletionItem(code, help=entry.title) for code, entry in ERROR_CODES.items() if code.startswith(typed)]


def _known_names(ctx: click.Context) -> "KnownNames | None":
    from floe_cli.known_names import KnownNames  # noqa: PLC0415 - a third of the time in which codes are completed

    try:
        return KnownNames(ProjectFolder(find_project_dir(ctx.find_root().ensure_object(Settings).start)))
    except FloeError:
        return None
