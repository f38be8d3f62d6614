"""The spans of a run as a tree, also where some are missing.

A span is written when it ends. So of a run that is under way, or whose process was killed, the run's own span and those
of its open steps are missing while spans below them are there: stand-ins take their places. What a check found that an
asset carries out itself is an event of the asset's span: it gets a span of no length below that.
"""

from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from floe_dagster.observability.ids import span_id
from floe_dagster.observability.local.traces import LocalSpan, LocalTrace

_JOB_NAME = "dagster.job_name"
_STEP_KEY = "dagster.step_key"
_RETRY_NUMBER = "dagster.retry_number"
_CHECK = "dagster.asset_check"


@dataclass(frozen=True)
class TraceTree:
    """The spans of a run, parents before their children, children in the order in which they began.

    Args:
        run_id: The run.
        root: Id of the run's span, or of its stand-in.
        spans: By id; stand-ins last from the first to the last moment known of what is below them.
        children: Ids by the parent's id.
        depths: How far below the root each is.
        open: Ids of stand-ins: spans that have not ended, or whose end nobody wrote.
        unreadable_lines: How many lines of the file could not be read.
    """

    run_id: str
    root: str
    spans: Mapping[str, LocalSpan]
    children: Mapping[str, tuple[str, ...]]
    depths: Mapping[str, int]
    open: frozenset[str]
    unreadable_lines: int = 0

    @property
    def started_at(self) -> int:
        """The first moment of any span; clocks of several machines may differ."""
        return min(span.started_at for span in self.spans.values())

    @property
    def ended_at(self) -> int:
        """The last moment of any span."""
        return max(span.ended_at for span in self.spans.values())

    @property
    def is_complete(self) -> bool:
        """Whether the run's own span is there: the run has ended and said so."""
        return self.root not in self.open


def build_tree(trace: LocalTrace) -> TraceTree:
    """The tree of *trace*, which has at least one span."""
    run = _hexadecimal("run", trace.run_id)
    known = {span.span_id: span for span in (*trace.spans, *_found_by_checks(trace.spans))}
    stand_ins = _stand_ins(trace, known, run)
    spans = known | stand_ins
    parents = {key: _parent(span, spans, root=run) for key, span in spans.items()}
    children = _children(spans, parents)
    order = _below(run, children)
    lost = [key for key in spans if key not in order]  # spans that are one another's parents
    if lost:
        parents |= dict.fromkeys(lost, run)
        children = _children(spans, parents)
        order = _below(run, children)
    for key in reversed(order):
        if key in stand_ins and children.get(key):
            spans[key] = _around(spans[key], [spans[child] for child in children[key]])
    return TraceTree(
        run_id=trace.run_id,
        root=run,
        spans={key: spans[key] for key in order},
        children=children,
        depths=order,
        open=frozenset(stand_ins),
        unreadable_lines=trace.unreadable_lines,
    )


def _found_by_checks(spans: Iterable[LocalSpan]) -> Iterator[LocalSpan]:
    """What checks found that assets carried out themselves."""
    for span in spans:
        for number, event in enumerate(event for event in span.events if event.name == _CHECK):
            found = event.attributes
            failed = found.get(f"{_CHECK}.passed") is False and found.get(f"{_CHECK}.severity") != "WARN"
            at = min(max(event.at, span.started_at), span.ended_at)
            yield LocalSpan(
                span_id=_hexadecimal("found", span.span_id, number),
                parent_id=span.span_id,
                name=f"check {found.get(f'{_CHECK}_key', '')}",
                started_at=at,
                ended_at=at,
                trace_id=span.trace_id,
                status="error" if failed else "ok",
                message=str(found.get(f"{_CHECK}.description") or "") if failed else "",
                attributes=found,
            )


def _stand_ins(trace: LocalTrace, known: Mapping[str, LocalSpan], run: str) -> dict[str, LocalSpan]:
    """For each parent that is missing, and for the steps and the run above it."""
    orphans = [span for span in trace.spans if span.parent_id and span.parent_id not in known and span.span_id != run]
    made: dict[str, LocalSpan] = {}
    for span in orphans:
        step = _step_above(span, trace.run_id)
        if span.name.startswith("batch ") and span.parent_id != step:
            name = span.name.replace("batch", "model", 1)
            made[span.parent_id] = _stand_in(span, span.parent_id, name, parent=step or run)
        if step and step not in known and (span.parent_id == step or span.parent_id in made):
            made[step] = _stand_in(span, step, f"step {span.attributes[_STEP_KEY]}", parent=run)
    if run not in known:
        named = (str(span.attributes[_JOB_NAME]) for span in trace.spans if _JOB_NAME in span.attributes)
        made[run] = _stand_in(trace.spans[0], run, f"run {next(named, '')}".rstrip(), parent="")
    return made


def _step_above(span: LocalSpan, run_id: str) -> str:
    """Id of the span of the step that *span* says it belongs to."""
    step = span.attributes.get(_STEP_KEY)
    own = "" if step is None else _hexadecimal("step", run_id, step, span.attributes.get(_RETRY_NUMBER, 0))
    return "" if own == span.span_id else own


def _stand_in(span: LocalSpan, key: str, name: str, *, parent: str) -> LocalSpan:
    kept = {name: span.attributes[name] for name in (_STEP_KEY, _RETRY_NUMBER) if name in span.attributes}
    return LocalSpan(
        key, parent, name, span.started_at, span.ended_at, span.trace_id, attributes={} if not parent else kept
    )


def _parent(span: LocalSpan, spans: Mapping[str, LocalSpan], *, root: str) -> str:
    if span.span_id == root:
        return ""
    return span.parent_id if span.parent_id in spans else root


def _children(spans: Mapping[str, LocalSpan], parents: Mapping[str, str]) -> dict[str, tuple[str, ...]]:
    found: dict[str, list[str]] = {}
    for key in sorted(spans, key=lambda key: (spans[key].started_at, spans[key].ended_at, key)):
        if parents[key]:
            found.setdefault(parents[key], []).append(key)
    return {key: tuple(below) for key, below in found.items()}


def _below(root: str, children: Mapping[str, Iterable[str]]) -> dict[str, int]:
    """*root* and all below it with their depths, parents before their children."""
    order: dict[str, int] = {}
    waiting = deque([(root, 0)])
    while waiting:
        key, depth = waiting.popleft()
        order[key] = depth
        waiting.extendleft((child, depth + 1) for child in reversed(list(children.get(key, ()))))
    return order


def _around(stand_in: LocalSpan, below: Iterable[LocalSpan]) -> LocalSpan:
    inner = list(below)
    return replace(
        stand_in,
        started_at=min(span.started_at for span in inner),
        ended_at=max(span.ended_at for span in inner),
    )


def _hexadecimal(kind: str, *parts: object) -> str:
    return f"{span_id(kind, *parts):016x}"
