"""`floe graph`."""

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from floe_cli.completions import complete_selection
from floe_cli.console import emit, say, show_problems, stdout_for_machines, work_in_progress
from floe_cli.options import current_project, shared_options
from floe_cli.output_files import check_folder, write_output
from floe_core.errors import SelectionError, shown_path

if TYPE_CHECKING:
    from floe_cli.graphs.graph import Graph

_EXIT_USAGE = 2
_FORMATS = {".svg": "svg", ".html": "html", ".htm": "html", ".mmd": "mermaid", ".mermaid": "mermaid", ".json": "json"}


@click.command()
@click.option("--tables", is_flag=True, help="Draw tables, by what lineage calls them, not assets.")
@click.option(
    "--columns",
    is_flag=True,
    help="Draw tables with their columns, and what each column comes from, as the lineage events of earlier runs tell.",
)
@click.option(
    "--select",
    "items",
    multiple=True,
    metavar="SELECTION",
    shell_complete=complete_selection,
    help="Draw these assets only, in the language of a job's selection: group:gold, +orders, 'tag:x and not raw/*'; "
    "external assets count. May be given several times.",
)
@click.option(
    "--format",
    "output_format",
    type=click.Choice(["svg", "html", "mermaid", "json"]),
    help="Of the output; by default what the suffix of FILE says, mermaid without a file.",
)
@click.option(
    "-o",
    "--output",
    metavar="FILE",
    type=click.Path(dir_okay=False, writable=True, path_type=Path),
    help="Write into FILE instead of printing: .svg, .html, .mmd or .json.",
)
@shared_options
def command(
    *, tables: bool, columns: bool, items: tuple[str, ...], output_format: str | None, output: Path | None
) -> int | None:
    """Draw what depends on what: assets, tables or columns.

    An HTML page needs nothing else; it is there to move about in, to search, and to see what a box is made of and what
    is made from it. SVG is a picture; Mermaid is text that GitHub, GitLab and many editors draw.
    """
    if tables and columns:
        raise click.UsageError("--tables and --columns draw different pictures; give one of them")
    chosen = output_format or _format_of(output)
    if output is not None:
        check_folder(output, "--output")
    try:
        graph = _load_graph("columns" if columns else "tables" if tables else "assets", items)
    except SelectionError as error:
        show_problems(error.problems)
        return _EXIT_USAGE
    text = _rendered(graph, chosen)
    if output is None:
        emit(text.rstrip("\n"))
        if output_format is None:
            say("floe graph -o FILE.html draws it, to move about in")
        return None
    write_output(output, text, "--output")
    say(f"{shown_path(output)}: {_counted(len(graph.boxes), graph.noun)}, {_counted(len(graph.arrows), 'arrow')}")
    return None


def _format_of(output: Path | None) -> str:
    if output is None:
        return "mermaid"
    known = _FORMATS.get(output.suffix.lower())
    if known is None:
        raise click.UsageError(
            f"the suffix of '{output}' says no format; name it {', '.join(_FORMATS)}, or use --format"
        )
    return known


def _load_graph(what: str, items: tuple[str, ...]) -> "Graph":
    from floe_cli.graphs.assets import build_asset_graph  # noqa: PLC0415 - Dagster is imported when it is needed
    from floe_cli.graphs.columns import build_column_graph  # noqa: PLC0415
    from floe_cli.graphs.selected import select_assets  # noqa: PLC0415
    from floe_cli.graphs.tables import build_table_graph  # noqa: PLC0415
    from floe_cli.loading import load_definitions  # noqa: PLC0415
    from floe_core.selection.parser import SelectionSyntaxError  # noqa: PLC0415
    from floe_dagster.compilation import ensure_compiled  # noqa: PLC0415

    project = current_project()
    with stdout_for_machines(), work_in_progress() as progress:
        ensure_compiled(project, environ=os.environ, progress=progress)
        loaded = load_definitions(project, progress=progress)
        try:
            keys = select_assets(items, loaded.index)
        except SelectionSyntaxError as error:
            said = "; ".join(part for part in (str(error), error.fix) if part)
            raise click.BadParameter(said, param_hint="--select") from error
        if what == "assets":
            return build_asset_graph(loaded, keys)
        build = build_table_graph if what == "tables" else build_column_graph
        return build(loaded, keys, environ=os.environ)


def _rendered(graph: "Graph", output_format: str) -> str:
    from floe_cli.graphs.layout import lay_out  # noqa: PLC0415 - see above
    from floe_cli.graphs.mermaid import draw_mermaid  # noqa: PLC0415
    from floe_cli.graphs.page import graph_as_json, graph_page  # noqa: PLC0415
    from floe_cli.graphs.svg import draw_svg  # noqa: PLC0415

    match output_format:
        case "svg":
            return draw_svg(graph, lay_out(graph))
        case "html":
            return graph_page(graph, lay_out(graph))
        case "json":
            return json.dumps(graph_as_json(graph), indent=2, ensure_ascii=False) + "\n"
        case _:
            return draw_mermaid(graph)


def _counted(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
