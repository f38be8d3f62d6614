"""The places of boxes that arrows join, and the ways of those arrows."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import pairwise

from floe_cli.graphs.graph import Arrow
from floe_cli.graphs.layers import Layers, Node, arrange
from floe_cli.graphs.placed import BETWEEN, MARGIN, PlacedArrow, PlacedBox

_BEND_HEIGHT, _BETWEEN_BENDS, _BETWEEN_BEND_AND_BOX = 6.0, 8.0, 14.0
_GAP, _WIDEST_GAP, _GAP_PER_ARROW = 60.0, 190.0, 2.2
_ROUNDS = 10
_STRAIGHT = 6.0  # how much more a bend minds a corner than a box does


class Part:
    """Boxes that arrows join: places from top to bottom in each layer, then from left to right."""

    def __init__(self, boxes: Mapping[str, PlacedBox], arrows: Sequence[Arrow]) -> None:
        self._boxes = boxes
        self._arrows = arrows
        self._layers: Layers = arrange(list(boxes), [(arrow.source, arrow.target) for arrow in arrows])
        self._widths = [max((self._width(node) for node in layer), default=0.0) for layer in self._layers.nodes]
        self._layer_of = {node: number for number, layer in enumerate(self._layers.nodes) for node in layer}
        self._lefts = self._left_edges()
        self._middles = self._place_vertically()
        self._top = min(middle - self._height(node) / 2 for node, middle in self._middles.items())
        self.height = max(middle + self._height(node) / 2 for node, middle in self._middles.items()) - self._top

    def boxes(self, top: float) -> dict[str, PlacedBox]:
        """The boxes at their places, below *top*."""
        found: dict[str, PlacedBox] = {}
        for number, layer in enumerate(self._layers.nodes):
            for node in layer:
                box = self._boxes.get(node) if isinstance(node, str) else None
                if box is not None:
                    y = round(self._middles[node] - box.height / 2 - self._top + top, 1)
                    found[box.box.key] = replace(box, x=self._lefts[number], y=y, width=self._widths[number])
        return found

    def arrows(self, placed: Mapping[str, PlacedBox], top: float) -> list[PlacedArrow]:
        """The arrows between boxes that are *placed*."""
        return [PlacedArrow(arrow, tuple(self._points(arrow, placed, top))) for arrow in self._arrows]

    def _points(self, arrow: Arrow, placed: Mapping[str, PlacedBox], top: float) -> list[tuple[float, float]]:
        pair = (arrow.source, arrow.target)
        is_reversed = self._layers.is_reversed[pair]
        left, right = (placed[key] for key in (pair[::-1] if is_reversed else pair))
        rows = (arrow.source_row, arrow.target_row)
        left_row, right_row = rows[::-1] if is_reversed else rows
        points = [(left.x + left.width, left.row_y(left_row))]
        first = self._layer_of[left.box.key]
        for number, bend in enumerate(self._layers.chains[pair][1:-1], start=first + 1):
            y = round(self._middles[bend] - self._top + top, 1)
            points += [(self._lefts[number], y), (self._lefts[number] + self._widths[number], y)]
        points.append((right.x, right.row_y(right_row)))
        return points[::-1] if is_reversed else points

    def _left_edges(self) -> list[float]:
        """Each layer's left edge: the more arrows pass between two layers, the wider the gap."""
        passing = [0] * len(self._layers.nodes)
        for left, _ in self._layers.links:
            passing[self._layer_of[left]] += 1
        edges = [MARGIN]
        for number, width in enumerate(self._widths[:-1]):
            edges.append(edges[-1] + width + min(_GAP + passing[number] * _GAP_PER_ARROW, _WIDEST_GAP))
        return edges

    def _place_vertically(self) -> dict[Node, float]:
        """The middle of each node, as close to its neighbours' as the order within its layer allows."""
        wishes = self._wishes()
        middles: dict[Node, float] = {}
        for layer in self._layers.nodes:
            top = 0.0
            for node, following in zip(layer, [*layer[1:], None], strict=True):
                middles[node] = top + self._height(node) / 2
                top += self._height(node) + (self._between(node, following) if following is not None else 0.0)
        numbers = range(len(self._layers.nodes))
        for turn in range(_ROUNDS):
            sides = ["after" if turn % 2 else "before"] if turn < _ROUNDS - 2 else ["before", "after"]
            for number in numbers if turn % 2 == 0 else reversed(numbers):
                self._place_layer(self._layers.nodes[number], middles, wishes, sides)
        return middles

    def _wishes(self) -> dict[tuple[Node, str], list[tuple[Node, float, float]]]:
        """For each node and side its neighbours there: which, how much further down this one wants to be, how much."""
        offsets: dict[tuple[Node, Node], list[float]] = defaultdict(list)
        for arrow in self._arrows:
            chain = self._layers.chains[arrow.source, arrow.target]
            rows = (arrow.source_row, arrow.target_row)
            left_row, right_row = rows[::-1] if self._layers.is_reversed[arrow.source, arrow.target] else rows
            for left, right in pairwise(chain):
                offsets[left, right].append(self._port(left, left_row) - self._port(right, right_row))
        wishes: dict[tuple[Node, str], list[tuple[Node, float, float]]] = defaultdict(list)
        for (left, right), found in offsets.items():
            offset = sum(found) / len(found)
            weight = 1.0 if isinstance(left, str) and isinstance(right, str) else _STRAIGHT / 2
            weight = _STRAIGHT if not isinstance(left, str) and not isinstance(right, str) else weight
            wishes[right, "before"].append((left, offset, weight))
            wishes[left, "after"].append((right, -offset, weight))
        return wishes

    def _port(self, node: Node, row: str | None) -> float:
        """How far below the middle of *node* an arrow meets it."""
        box = self._boxes.get(node) if isinstance(node, str) else None
        return box.row_y(row) - box.height / 2 if box is not None else 0.0

    def _place_layer(
        self,
        layer: Sequence[Node],
        middles: dict[Node, float],
        wishes: Mapping[tuple[Node, str], Sequence[tuple[Node, float, float]]],
        sides: Sequence[str],
    ) -> None:
        """Move the nodes of a layer to where they are wanted, their order and distances kept.

        What is nearest to all wishes together: neighbouring nodes that would come too close are moved as one block.
        """
        blocks: list[tuple[float, float, int]] = []  # place of the first node, weight, number of nodes
        distances = [0.0]
        for node, following in pairwise(layer):
            between = (self._height(node) + self._height(following)) / 2 + self._between(node, following)
            distances.append(distances[-1] + between)
        for node, distance in zip(layer, distances, strict=True):
            found = [wish for side in sides for wish in wishes.get((node, side), ())]
            weight = sum(wish[2] for wish in found)
            wanted = (
                sum((middles[other] + offset) * how for other, offset, how in found) / weight
                if found
                else middles[node]
            )
            block = (wanted - distance, weight or 0.05, 1)
            while blocks and blocks[-1][0] > block[0]:
                place, other, number = blocks.pop()
                both = other + block[1]
                block = ((place * other + block[0] * block[1]) / both, both, number + block[2])
            blocks.append(block)
        places = [place for place, _, number in blocks for _ in range(number)]
        for node, place, distance in zip(layer, places, distances, strict=True):
            middles[node] = place + distance

    def _height(self, node: Node) -> float:
        return self._boxes[node].height if isinstance(node, str) else _BEND_HEIGHT

    def _width(self, node: Node) -> float:
        return self._boxes[node].width if isinstance(node, str) else 0.0

    def _between(self, node: Node, following: Node) -> float:
        boxes = isinstance(node, str) + isinstance(following, str)
        return (_BETWEEN_BENDS, _BETWEEN_BEND_AND_BOX, BETWEEN)[boxes]
