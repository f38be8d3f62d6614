"""The chain of spans that determined when a run ended."""

from collections.abc import Iterator
from dataclasses import dataclass

from floe_dagster.observability.local.trace_tree import TraceTree
from floe_dagster.observability.local.traces import LocalSpan

_OF_GRAPH = "floe.asset.of_graph"
_SLACK = 1_000_000  # a millisecond: clocks of two threads or machines


@dataclass(frozen=True, slots=True)
class Stretch:
    """A part of the run's time in which one span, and nothing below it, was what the rest waited for."""

    span_id: str
    started_at: int
    ended_at: int


def find_critical_path(tree: TraceTree) -> tuple[Stretch, ...]:
    """The critical path of *tree*, as stretches that follow one another from the run's start to its end.

    Read backwards from the end of a span: the child that ended last had to end for the span to end, so the path goes
    through it. Before that child began, the path goes through the child that ended last until then, for it is what was
    waited for, and so on to the start of the span; within each child in the same way. Time in which no such child was
    under way is the span's own. A child that was under way when the next one on the path began did not hold that up, so
    it is not on the path, however long it took. What lies outside of its parent's time does not count, nor does an
    asset that several steps compute, which stands beside them; and a millisecond is no difference.
    """
    root = tree.spans[tree.root]
    stretches: list[Stretch] = []
    open_spans = [_Backwards(tree, tree.root, root.started_at, root.ended_at)]
    while open_spans:
        current = open_spans[-1]
        until = current.cursor
        child = current.step_back()
        own_since = current.started_at if child is None else child.ended_at
        if until > own_since:
            stretches.append(Stretch(current.span_id, own_since, until))
        if child is None:
            open_spans.pop()
        else:
            open_spans.append(_Backwards(tree, child.span_id, child.started_at, child.ended_at))
    return tuple(reversed(stretches))


class _Backwards:
    """One span, from its end to its start: `cursor` is how far that has come."""

    def __init__(self, tree: TraceTree, span_id: str, started_at: int, ended_at: int) -> None:
        self.span_id = span_id
        self.started_at = started_at
        self.cursor = ended_at
        children = [tree.spans[child] for child in tree.children.get(span_id, ())]
        below = [child for child in children if not child.attributes.get(_OF_GRAPH)]
        self._waiting: Iterator[LocalSpan] = iter(
            sorted(below, key=lambda span: (-min(span.ended_at, ended_at), span.started_at, span.span_id))
        )
        self._ended_at = ended_at

    def step_back(self) -> Stretch | None:
        """The child before the cursor, with the time in which it is on the path; the cursor goes to its start."""
        for span in self._waiting:
            started_at = max(span.started_at, self.started_at)
            ended_at = min(span.ended_at, self._ended_at)
            if ended_at <= self.cursor + _SLACK and min(ended_at, self.cursor) > started_at:
                child = Stretch(span.span_id, started_at, min(ended_at, self.cursor))
                self.cursor = started_at
                return child
        return None
