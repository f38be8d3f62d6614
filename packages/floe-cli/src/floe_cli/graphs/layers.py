"""Boxes in layers from left to right, in an order in which few arrows cross.

The method of Sugiyama, Tagawa and Toda: layers by the longest way to a box, then in each layer the boxes in the order
of the average place of their neighbours, to and fro, as long as that helps.
"""

from bisect import bisect_right, insort
from collections import defaultdict
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TypeAlias

Node: TypeAlias = Hashable
_ROUNDS = 24
_PATIENCE = 6


@dataclass(frozen=True)
class Layers:
    """Boxes and the bends of long arrows, layer by layer, each layer from top to bottom.

    Args:
        nodes: A box is its key, a bend is a `Bend`.
        links: What is joined to what in the next layer.
        chains: For each arrow the nodes from its left to its right end; it points left where `is_reversed`.
    """

    nodes: Sequence[Sequence[Node]]
    links: Sequence[tuple[Node, Node]]
    chains: Mapping[tuple[str, str], Sequence[Node]]
    is_reversed: Mapping[tuple[str, str], bool]


@dataclass(frozen=True, slots=True)
class Bend:
    """Where an arrow passes through a layer."""

    source: str
    target: str
    layer: int


def arrange(keys: Sequence[str], pairs: Iterable[tuple[str, str]]) -> Layers:
    """Layers of *keys*, whose arrows are *pairs* of other keys than themselves; the same for the same input.

    Arrows that would close a circle point to the left.
    """
    wanted = dict.fromkeys(pairs)
    forward = _without_circles(keys, wanted)
    layer_of = _layers(keys, {pair if ahead else (pair[1], pair[0]) for pair, ahead in forward.items()})
    chains: dict[tuple[str, str], list[Node]] = {}
    layers: dict[int, dict[Node, None]] = defaultdict(dict)
    for key in keys:
        layers[layer_of[key]][key] = None
    for (source, target), ahead in forward.items():
        left, right = (source, target) if ahead else (target, source)
        bends = [Bend(left, right, layer) for layer in range(layer_of[left] + 1, layer_of[right])]
        for bend in bends:
            layers[bend.layer][bend] = None
        chains[source, target] = [left, *bends, right]
    links = list(dict.fromkeys(pair for chain in chains.values() for pair in pairwise(chain)))
    nodes = _ordered([list(layers[number]) for number in sorted(layers)], links)
    return Layers(nodes, links, chains, {pair: not ahead for pair, ahead in forward.items()})


def _without_circles(keys: Sequence[str], pairs: Iterable[tuple[str, str]]) -> dict[tuple[str, str], bool]:
    """Which arrows point to the right when each closes no circle with those before it, found depth first."""
    following: dict[str, list[str]] = defaultdict(list)
    forward = dict.fromkeys(pairs, True)
    for source, target in forward:
        following[source].append(target)
    done: set[str] = set()
    for start in keys:
        path = {start: iter(following[start])} if start not in done else {}
        while path:
            key, rest = next(reversed(path.items()))
            for target in rest:
                if target in path:
                    forward[key, target] = False
                elif target not in done:
                    path[target] = iter(following[target])
                    break
            else:
                done.add(key)
                path.popitem()
    return forward


def _layers(keys: Sequence[str], pairs: Iterable[tuple[str, str]]) -> dict[str, int]:
    """The layer of each key: one right of the rightmost that it is made of; of nothing: close to its use."""
    before: dict[str, list[str]] = defaultdict(list)
    after: dict[str, list[str]] = defaultdict(list)
    for source, target in sorted(pairs):
        before[target].append(source)
        after[source].append(target)
    waiting = {key: len(before[key]) for key in keys}
    ready = [key for key in keys if not waiting[key]]
    layer_of = dict.fromkeys(keys, 0)
    for key in ready:  # grows while it is read
        for target in after[key]:
            layer_of[target] = max(layer_of[target], layer_of[key] + 1)
            waiting[target] -= 1
            if not waiting[target]:
                ready.append(target)
    for key in keys:
        if not before[key] and after[key]:
            layer_of[key] = min(layer_of[target] for target in after[key]) - 1
    return layer_of


def _ordered(layers: Sequence[Sequence[Node]], links: Sequence[tuple[Node, Node]]) -> list[list[Node]]:
    before: dict[Node, list[Node]] = defaultdict(list)
    after: dict[Node, list[Node]] = defaultdict(list)
    for left, right in links:
        before[right].append(left)
        after[left].append(right)
    current = [list(layer) for layer in layers]
    best, fewest = [list(layer) for layer in current], _crossings(current, after)
    patience = _PATIENCE
    for turn in range(_ROUNDS):
        if not fewest or not patience:
            break
        if turn % 2:
            for number in range(len(current) - 2, -1, -1):
                current[number] = _by_average(current[number], current[number + 1], after)
        else:
            for number in range(1, len(current)):
                current[number] = _by_average(current[number], current[number - 1], before)
        crossings = _crossings(current, after)
        patience -= 1
        if crossings < fewest:
            best, fewest, patience = [list(layer) for layer in current], crossings, _PATIENCE
    return best


def _by_average(layer: Sequence[Node], fixed: Sequence[Node], neighbours: Mapping[Node, Sequence[Node]]) -> list[Node]:
    """*layer* by the average places of neighbours in *fixed*; what has none keeps its place between the others."""
    places = {node: place for place, node in enumerate(fixed)}
    averages: dict[Node, float] = {}
    for node in layer:
        found = [places[other] for other in neighbours.get(node, ()) if other in places]
        if found:
            averages[node] = sum(found) / len(found)
    moved = iter(sorted(averages, key=averages.__getitem__))
    return [next(moved) if node in averages else node for node in layer]


def _crossings(layers: Sequence[Sequence[Node]], after: Mapping[Node, Sequence[Node]]) -> int:
    total = 0
    for left, right in pairwise(layers):
        places = {node: place for place, node in enumerate(right)}
        seen: list[int] = []
        for node in left:
            ends = sorted(places[other] for other in after.get(node, ()))
            total += sum(len(seen) - bisect_right(seen, end) for end in ends)
            for end in ends:
                insort(seen, end)
    return total
