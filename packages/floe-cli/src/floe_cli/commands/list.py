"""`floe list [SECTION]`."""

import os
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import cast

import click

from floe_cli.completions import complete_assets
from floe_cli.console import emit, emit_json, rich_console, stdout_for_machines, table, work_in_progress
from floe_cli.options import current_project, format_option, shared_options

_SECTIONS = ("assets", "jobs", "schedules", "sensors", "partitions", "backfills")
_DETAILS = frozenset({"description", "tags", "materialised_already"})  # for machines and the UI; a table is narrow
_NUMBERS = frozenset({"assets", "deps", "keys", "number", "batch size", "done", "poll interval seconds"})


@click.command()
@click.argument("section", type=click.Choice(_SECTIONS), required=False)
@click.option(
    "--explain",
    "explained",
    metavar="KEY",
    shell_complete=complete_assets,
    help="Show what decides each field of one asset: which line of floe.yaml.",
)
@format_option
@shared_options
def command(section: str | None, explained: str | None, output_format: str) -> None:
    """Show assets, jobs, schedules and what else is defined.

    SECTION is one of assets, jobs, schedules, sensors, partitions and backfills; all that have entries otherwise. Shown
    is what is in effect here: values of this environment, and only what exists in it.
    """
    from floe_cli.explaining import explain_asset_fields  # noqa: PLC0415 - Dagster is imported when it is needed
    from floe_cli.listing import SECTIONS  # noqa: PLC0415
    from floe_cli.loading import load_definitions  # noqa: PLC0415
    from floe_dagster.compilation import ensure_compiled  # noqa: PLC0415

    if explained is not None and section not in (None, "assets"):
        raise click.UsageError(f"--explain takes the key of an asset, which are not among the {section}")
    project = current_project()
    with stdout_for_machines(), work_in_progress() as progress:
        ensure_compiled(project, environ=os.environ, progress=progress)
        loaded = load_definitions(project, progress=progress)
        now = datetime.now(UTC)
        asset = explain_asset_fields(loaded, explained) if explained is not None else {}
        names = [] if asset else [section] if section else _SECTIONS
        sections = {name: SECTIONS[name](loaded, now) for name in names}
    if output_format == "json":
        emit_json(asset or sections)
    elif asset:
        _show_asset(asset)
    else:
        _show_sections(sections, title_each=section is None)


def _show_asset(asset: Mapping[str, object]) -> None:
    emit(f"{asset['key']}{' (external)' if asset['external'] else ''}  {asset['origin'] or ''}".rstrip())
    fields = cast("Iterable[Mapping[str, object]]", asset["fields"])
    cells = [
        [str(field["field"]), _cell("", field["value"]), str(field["decided_by"] or "")]
        for field in fields
        if field["value"] is not None
    ]
    if cells:
        rich_console(stderr=False).print(table("field", "value", "decided by", rows=cells))
    left = [str(field["field"]) for field in fields if field["value"] is None]
    emit(f"not set: {', '.join(left)}")


def _show_sections(sections: Mapping[str, Sequence[Mapping[str, object]]], *, title_each: bool) -> None:
    console = rich_console(stderr=False)
    for name, rows in sections.items():
        if not rows:
            if not title_each:
                emit(f"no {name} are defined")
            continue
        if title_each:
            emit(f"\n{name}" if name != next(iter(sections)) else name)
        shown = [{key.replace("_", " "): value for key, value in row.items() if key not in _DETAILS} for row in rows]
        headers = [key for key in shown[0] if any(_says_something(key, row[key]) for row in shown)]
        cells = [[_cell(key, row[key]) for key in headers] for row in shown]
        console.print(table(*headers, rows=cells, right=_NUMBERS))


def _says_something(key: str, value: object) -> bool:
    return value not in (None, [], "") and (key != "external" or bool(value))


def _cell(key: str, value: object) -> str:
    match value:
        case None:
            return ""
        case bool():
            return "yes" if value else "no"
        case list():
            return str(len(value)) if key == "deps" else ", ".join(map(str, value))
        case dict():
            return ", ".join(f"{name}: {item}" for name, item in value.items())
        case _:
            return str(value)
