"""A graph as SVG: a picture of its own, or the part of a page that its script makes alive."""

import html
import re
from collections.abc import Iterator
from importlib.resources import files
from itertools import pairwise
from string import Template

from floe_cli.graphs.graph import Graph, Kind
from floe_cli.graphs.layout import Layout
from floe_cli.graphs.placed import (
    CAPTION_SIZE,
    HEAD_HEIGHT,
    MARGIN,
    PADDING,
    ROW_HEIGHT,
    PlacedArrow,
    PlacedBox,
)
from floe_cli.graphs.text_width import fit_text, text_width

_COLORS = 10
_FILLS = ("", " second", " third")  # what tells those apart that share a color
BADGES: dict[Kind, str] = {"python": "py", "dbt": "dbt", "external": "ext"}
_KINDS: dict[Kind, str] = {"python": "Python", "dbt": "dbt", "external": "from elsewhere"}
_HEAD = 7.0
_LEGEND_LINE = 26.0
_NARROWEST = 320.0
_NOT_IN_XML = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff\ufffe\uffff]")


def draw_svg(graph: Graph, layout: Layout) -> str:
    """A picture that stands alone, with a legend."""
    width = max(layout.width, _NARROWEST)
    legend, top = _draw_legend(graph, width)
    height = layout.height + top
    style = (files("floe_cli") / "templates" / "pages" / "picture.css").read_text(encoding="utf-8")
    inside = [
        f"<title>{_escaped(graph.title)}</title><style>{style}</style>",
        f'<rect class="page" width="{width:g}" height="{height:g}"/>',
        legend,
        f'<g transform="translate(0 {top:g})">{draw_inside(graph, layout)}</g>',
    ]
    return Template(
        '<svg xmlns="http://www.w3.org/2000/svg" class="picture" role="img" width="$width" height="$height" '
        'viewBox="0 0 $width $height">$inside</svg>\n'
    ).substitute(width=f"{width:g}", height=f"{height:g}", inside="".join(inside))


def draw_inside(graph: Graph, layout: Layout) -> str:
    """Arrows, then boxes above them; `data-n` numbers both in the order of *graph*."""
    numbers = {arrow: number for number, arrow in enumerate(graph.arrows)}
    arrows = "".join(_draw_arrow(arrow, numbers[arrow.arrow]) for arrow in layout.arrows)
    boxes = "".join(_draw_box(box, number, graph) for number, box in enumerate(layout.boxes))
    return f'<g class="arrows">{arrows}</g><g class="boxes">{boxes}</g>'


def _draw_legend(graph: Graph, width: float) -> tuple[str, float]:
    """Groups with their colors, then the kinds that there are, in as many lines as they take; and its height."""
    x, y, drawn = MARGIN, _LEGEND_LINE, ""
    for mark, mark_width, text in _legend_entries(graph):
        shown = fit_text(text, CAPTION_SIZE, width - 2 * MARGIN - mark_width)
        taken = mark_width + text_width(shown, CAPTION_SIZE) + 14
        if x > MARGIN and x + taken > width:
            x, y = MARGIN, y + _LEGEND_LINE
        label = f'<text class="legend" x="{mark_width:g}" y="0">{_escaped(shown)}</text>'
        drawn += f'<g transform="translate({x:g} {y:g})">{mark}{label}</g>'
        x += taken
    return drawn, y + 8 if drawn else 0.0


def _legend_entries(graph: Graph) -> Iterator[tuple[str, float, str]]:
    """What stands in front of a text, how wide that is, and the text."""
    for group, number in graph.groups.items():
        yield (
            f'<rect class="stripe {_color(number)}" y="-9" width="10" height="10" rx="3"/>',
            16.0,
            group or "no group",
        )
    for kind in (kind for kind in BADGES if any(box.kind == kind for box in graph.boxes)):
        yield f'<g class="{kind}" transform="translate(0 -20)">{_badge(kind, 36.0)}</g>', 34.0, _KINDS[kind]


def _draw_box(placed: PlacedBox, number: int, graph: Graph) -> str:
    box = placed.box
    color = _color(graph.groups[box.group])
    parts = [
        f"<title>{_escaped(box.key)}</title>",
        f'<rect class="body" width="{placed.width:g}" height="{placed.height:g}" rx="8"/>',
        f'<rect class="stripe {color}" x="6" y="9" width="4" height="{HEAD_HEIGHT - 18:g}" rx="2"/>',
        f'<text class="name" x="{PADDING + 2:g}" y="20">{_escaped(placed.name)}</text>',
        f'<text class="caption" x="{PADDING + 2:g}" y="36">{_escaped(placed.caption)}</text>',
        _badge(box.kind, placed.width),
        *_draw_rows(placed),
    ]
    place = f"translate({placed.x:g} {placed.y:g})"
    return f'<g class="box {box.kind}" data-n="{number}" transform="{place}">{"".join(parts)}</g>'


def _color(number: int) -> str:
    return f"g{number % _COLORS}{_FILLS[number // _COLORS % len(_FILLS)]}"


def _draw_rows(placed: PlacedBox) -> Iterator[str]:
    for number, row in enumerate(placed.rows):
        y = HEAD_HEIGHT + number * ROW_HEIGHT
        text = f'<text class="row-name" x="{PADDING + 2:g}" y="{y + 14:g}">{_escaped(row)}</text>'
        field = f'<rect class="field" x="1" y="{y:g}" width="{placed.width - 2:g}" height="{ROW_HEIGHT:g}"/>'
        yield f'<g class="row" data-row="{number}"><title>{_escaped(placed.box.rows[number])}</title>{field}{text}</g>'


def _badge(kind: Kind, right: float) -> str:
    return (
        f'<rect class="badge" x="{right - 36:g}" y="8" width="28" height="16" rx="8"/>'
        f'<text class="badge-text" x="{right - 22:g}" y="19.5">{BADGES[kind]}</text>'
    )


def _draw_arrow(placed: PlacedArrow, number: int) -> str:
    points = list(placed.points)
    (before_x, _), (x, y) = points[-2:]
    towards = 1 if x >= before_x else -1
    points[-1] = (x - towards * (_HEAD - 1), y)
    line = f"M{points[0][0]:g} {points[0][1]:g}"
    for place, (start, end) in enumerate(pairwise(points)):
        middle = (start[0] + end[0]) / 2
        line += f"H{end[0]:g}" if place % 2 else f"C{middle:g} {start[1]:g} {middle:g} {end[1]:g} {end[0]:g} {end[1]:g}"
    head = f"M{x:g} {y:g}l{-towards * _HEAD:g} {-_HEAD / 2:g}v{_HEAD:g}z"
    return f'<g class="arrow" data-n="{number}"><path class="line" d="{line}"/><path class="head" d="{head}"/></g>'


def _escaped(text: str) -> str:
    return html.escape(_NOT_IN_XML.sub("�", text))
