"""Where each box and each arrow of a graph is drawn, in pixels; boxes and their texts never overlap."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace

from floe_cli.graphs.graph import Arrow, Box, Graph
from floe_cli.graphs.placed import (
    BADGE_WIDTH,
    BETWEEN,
    CAPTION_SIZE,
    HEAD_HEIGHT,
    MARGIN,
    NAME_SIZE,
    PADDING,
    ROW_HEIGHT,
    ROW_SIZE,
    PlacedArrow,
    PlacedBox,
)
from floe_cli.graphs.placement import Part
from floe_cli.graphs.text_width import fit_text, text_width

_NARROWEST, _WIDEST = 110.0, 330.0
_BETWEEN_PARTS = 36.0
_SHAPE = 1.8  # width to height of what boxes without arrows fill


@dataclass(frozen=True)
class Layout:
    """The whole picture."""

    boxes: Sequence[PlacedBox]
    arrows: Sequence[PlacedArrow]
    width: float
    height: float


def lay_out(graph: Graph) -> Layout:
    """Layers from left to right, parts that no arrow joins below one another; the same for the same graph."""
    boxes = {box.key: _sized(box) for box in graph.boxes}
    arrows = [arrow for arrow in graph.arrows if arrow.source != arrow.target]
    placed: dict[str, PlacedBox] = {}
    routes: list[PlacedArrow] = []
    top = MARGIN
    parts = _parts(list(boxes), arrows)
    for keys in (part for part in parts if len(part) > 1):
        inside = {key: boxes[key] for key in keys}
        part = Part(inside, [arrow for arrow in arrows if arrow.source in inside])
        placed |= part.boxes(top)
        routes += part.arrows(placed, top)
        top += part.height + _BETWEEN_PARTS
    alone = [boxes[key] for part in parts if len(part) == 1 for key in part]
    placed |= _grid(alone, top)
    everything = [placed[key] for key in boxes]
    bottoms = [box.y + box.height for box in everything] + [y for route in routes for _, y in route.points]
    return Layout(
        boxes=everything,
        arrows=routes,
        width=max((box.x + box.width for box in everything), default=0.0) + MARGIN,
        height=max(bottoms, default=0.0) + MARGIN,
    )


def _sized(box: Box) -> PlacedBox:
    around = 2 * PADDING
    widths = [
        text_width(box.name, NAME_SIZE) + BADGE_WIDTH + around,
        text_width(box.caption, CAPTION_SIZE) + around,
        *(text_width(row, ROW_SIZE) + around for row in box.rows),
    ]
    width = min(max(_NARROWEST, *widths), _WIDEST)
    return PlacedBox(
        box,
        x=0.0,
        y=0.0,
        width=width,
        height=HEAD_HEIGHT + len(box.rows) * ROW_HEIGHT + (6.0 if box.rows else 0.0),
        name=fit_text(box.name, NAME_SIZE, width - around - BADGE_WIDTH),
        caption=fit_text(box.caption, CAPTION_SIZE, width - around),
        rows=tuple(fit_text(row, ROW_SIZE, width - around) for row in box.rows),
    )


def _parts(keys: Sequence[str], arrows: Sequence[Arrow]) -> list[list[str]]:
    """Keys that arrows join, directly or not, together; the largest part first."""
    joined: dict[str, list[str]] = defaultdict(list)
    for arrow in arrows:
        joined[arrow.source].append(arrow.target)
        joined[arrow.target].append(arrow.source)
    found: dict[str, int] = {}
    parts: list[set[str]] = []
    for start in keys:
        waiting = [start] if start not in found else []
        if waiting:
            parts.append(set())
        while waiting:
            key = waiting.pop()
            if key not in found:
                found[key] = len(parts) - 1
                parts[-1].add(key)
                waiting += joined[key]
    return sorted(([key for key in keys if key in part] for part in parts), key=lambda part: -len(part))


def _grid(boxes: Sequence[PlacedBox], top: float) -> dict[str, PlacedBox]:
    """Boxes that no arrow meets, row by row."""
    area = sum((box.width + BETWEEN) * (box.height + BETWEEN) for box in boxes)
    widest = max((area * _SHAPE) ** 0.5, 3 * _WIDEST)
    found: dict[str, PlacedBox] = {}
    x, y, tallest = MARGIN, top, 0.0
    for box in boxes:
        if x > MARGIN and x + box.width > widest:
            x, y, tallest = MARGIN, y + tallest + BETWEEN, 0.0
        found[box.box.key] = replace(box, x=x, y=y)
        x, tallest = x + box.width + BETWEEN, max(tallest, box.height)
    return found
