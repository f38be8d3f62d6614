"""A run's trace as rows to show: what each span is, how it ended, and what it adds to the critical path."""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Literal, TypeAlias

from floe_core.suggestions import list_names
from floe_dagster.observability.local.critical_path import Stretch, find_critical_path
from floe_dagster.observability.local.trace_tree import TraceTree
from floe_dagster.observability.local.traces import LocalSpan

Mark: TypeAlias = Literal["ok", "warned", "failed", "skipped", "cancelled", "open"]

KINDS = frozenset(
    "run step asset check dbt batch model seed snapshot test unit_test operation analysis saved_query function".split()
)
_NANOSECONDS = 1e9
_STEP_KEY = "dagster.step_key"
_STATUS = "dbt.node.status"
_CHECK_PASSED, _CHECK_SEVERITY = "dagster.asset_check.passed", "dagster.asset_check.severity"
_RESULTS = ("dagster.asset.status", "cicd.pipeline.task.run.result", "cicd.pipeline.result")
_ROWS = ("dagster.row_count", "dbt.rows_affected")
_FAILURES = "dbt.test.failures"
_PARTITION = "dagster.partition_key"
_BATCH = "dbt.batch.number"
_BECAUSE = "floe.skipped_because"
_MOST_REASONS = 3
_SAYS_LITTLE = re.compile(r"\bError in \w+ .*\(.*\)$|^([A-Z][\w ]*Error): \1$")
_UNTIL_FIVE_SECONDS, _UNTIL_A_MINUTE, _UNTIL_AN_HOUR = 4.995, 59.95, 3599.5


@dataclass(frozen=True, slots=True)
class RunState:
    """What Dagster knows of a run whose own span is missing.

    Args:
        sentence: Its status there.
        ended: How it ended; None where it is under way.
        steps: Step → how it ended, of those that did.
        trace_id: Of its trace, its own or the one that it continues.
    """

    sentence: str
    ended: Mark | None = None
    steps: Mapping[str, Mark] = field(default_factory=dict)
    trace_id: str = ""


@dataclass(frozen=True, slots=True)
class Moment:
    """A part of the time axis, in seconds since the run began."""

    begins: float
    ends: float


@dataclass(frozen=True, slots=True)
class SpanRow:
    """One span of the waterfall."""

    span: LocalSpan
    depth: int
    kind: str
    """The first word of its name, if that says what it is."""
    label: str
    mark: Mark
    time: Moment
    critical: tuple[Moment, ...]
    """Its own stretches of the critical path."""
    partition: str
    """The partition or range, where that is another one than its parent's."""
    is_on_path: bool
    """Whether the path goes through it or through something below it."""
    headline: str
    """What went wrong in one line; empty where something below it says so better."""
    because: tuple[str, ...] = ()
    """What has failed, where the span was skipped for that."""

    @property
    def seconds(self) -> float:
        """How long it took."""
        return self.time.ends - self.time.begins

    @property
    def critical_seconds(self) -> float:
        """How much of the critical path is its own."""
        return sum(stretch.ends - stretch.begins for stretch in self.critical)

    @property
    def note(self) -> str:
        """Partition, rows, failures and what a check found, as far as the span tells."""
        rows, failures = _number(self.span, _ROWS), _number(self.span, (_FAILURES,))
        numbers = [
            "" if rows is None else counted(rows, "row"),
            counted(failures, "failure") if failures else "",
            self.mark if self.kind == "check" and self.mark in ("failed", "warned") else "",
        ]
        return ", ".join(part for part in (self.partition, *numbers) if part)

    @property
    def reason(self) -> str:
        """Why it was skipped, in one line."""
        return f"{list_names(self.because, limit=_MOST_REASONS)} failed" if self.because else ""

    @property
    def error(self) -> str:
        """Type and message of what went wrong, in as many lines as it has."""
        return _error(self.span)


@dataclass(frozen=True)
class TraceReport:
    """One run."""

    run_id: str
    trace_id: str
    job: str
    started_at: datetime
    rows: tuple[SpanRow, ...]
    is_complete: bool
    """Whether the run's own span is there."""
    written_at: datetime
    """When the last span was written."""
    state: str
    """What Dagster knows of a run whose own span is missing."""
    unreadable_lines: int

    @property
    def root(self) -> SpanRow:
        """The run."""
        return self.rows[0]

    @property
    def first_failure(self) -> SpanRow | None:
        """What went wrong first, of what says best what did."""
        return min((row for row in self.rows if row.headline), key=lambda row: row.time.ends, default=None)

    @property
    def critical(self) -> tuple[SpanRow, ...]:
        """The spans that have a part of the critical path for themselves, in the order of their parts."""
        return tuple(sorted((row for row in self.rows if row.critical), key=lambda row: row.critical[0].begins))


def report_trace(tree: TraceTree, *, written_at: datetime, state: RunState | None = None) -> TraceReport:
    """What is to be shown of *tree*: the run first, then everything below it, parents before their children."""
    begins = tree.started_at
    stretches: dict[str, list[Moment]] = defaultdict(list)
    for stretch in find_critical_path(tree):
        stretches[stretch.span_id].append(_moment(stretch, begins))
    parents = {child: parent for parent, below in tree.children.items() for child in below}
    on_path = _with_ancestors(stretches, parents)
    root = tree.spans[tree.root]
    causes = _causes(tree, parents)
    rows = tuple(
        SpanRow(
            span=span,
            depth=tree.depths[key],
            kind=_kind(span),
            label=_label(span),
            mark=_open_mark(span, state, is_root=key == tree.root) if key in tree.open else _mark(span),
            time=_moment(span, begins),
            critical=tuple(stretches.get(key, ())),
            partition=_partition(span, tree.spans.get(parents.get(key, ""))),
            is_on_path=key in on_path,
            headline=_headline(_error(span)) if key in causes else "",
            because=_because(span),
        )
        for key, span in tree.spans.items()
    )
    return TraceReport(
        run_id=tree.run_id,
        trace_id=root.trace_id,
        job=root.name.removeprefix("run").strip(),
        started_at=datetime.fromtimestamp(begins / _NANOSECONDS, UTC),
        rows=rows,
        is_complete=tree.is_complete,
        written_at=written_at,
        state=state.sentence if state is not None else "",
        unreadable_lines=tree.unreadable_lines,
    )


def trace_as_json(report: TraceReport) -> dict[str, object]:
    """The report as values of JSON; spans in the order of the waterfall, times in seconds since the run began."""
    return {
        "run_id": report.run_id,
        "trace_id": report.trace_id,
        "job": report.job,
        "status": report.root.mark,
        "is_complete": report.is_complete,
        "written_at": report.written_at.isoformat(timespec="seconds"),
        "state": report.state,
        "started_at": report.started_at.isoformat(),
        "seconds": _rounded(report.root.seconds),
        "unreadable_lines": report.unreadable_lines,
        "critical_path": [
            {"span_id": row.span.span_id, "name": row.span.name, "seconds": _rounded(row.critical_seconds)}
            for row in report.critical
        ],
        "first_failure": report.first_failure.span.span_id if report.first_failure is not None else None,
        "spans": [_row_as_json(row) for row in report.rows],
    }


def shown_seconds(seconds: float) -> str:
    """A duration in three digits or so.

    >>> [shown_seconds(seconds) for seconds in (0, 0.0123, 0.5, 4.2, 31.26, 125, 7380)]
    ['0 ms', '12 ms', '500 ms', '4.20 s', '31.3 s', '2 min 5 s', '2 h 3 min']
    """
    if seconds < 0.9995:
        return f"{seconds * 1000:.0f} ms"
    if seconds < _UNTIL_A_MINUTE:
        return f"{seconds:.2f} s" if seconds < _UNTIL_FIVE_SECONDS else f"{seconds:.1f} s"
    if seconds < _UNTIL_AN_HOUR:
        minutes, rest = divmod(round(seconds), 60)
        return f"{minutes} min {rest} s"
    hours, rest = divmod(round(seconds / 60), 60)
    return f"{hours} h {rest} min"


def counted(number: int, noun: str) -> str:
    """A number with its noun, such as `1,200 rows`."""
    ending = "" if number == 1 else "es" if noun.endswith("ch") else "s"
    return f"{number:,} {noun}{ending}"


def _kind(span: LocalSpan) -> str:
    first = span.name.partition(" ")[0]
    return first if first in KINDS else "span"


def _label(span: LocalSpan) -> str:
    label = span.name.removeprefix(f"{_kind(span)} ")
    number = _number(span, (_BATCH,))
    return label if number is None else f"{label} {number + 1}"


def _partition(span: LocalSpan, parent: LocalSpan | None) -> str:
    own = span.attributes.get(_PARTITION)
    return "" if own is None or (parent is not None and parent.attributes.get(_PARTITION) == own) else str(own)


def _because(span: LocalSpan) -> tuple[str, ...]:
    found = span.attributes.get(_BECAUSE)
    return tuple(map(str, found)) if isinstance(found, list) else ()


def _open_mark(span: LocalSpan, state: RunState | None, *, is_root: bool) -> Mark:
    """How a run or a step ended whose span is missing, as Dagster has it."""
    ended = None
    if state is not None:
        ended = state.ended if is_root else state.steps.get(str(span.attributes.get(_STEP_KEY)))
    return ended or "open"


def _mark(span: LocalSpan) -> Mark:
    if span.attributes.get(_CHECK_PASSED) is False:
        return "warned" if span.attributes.get(_CHECK_SEVERITY) == "WARN" else "failed"
    said = str(next((span.attributes[name] for name in (_STATUS, *_RESULTS) if name in span.attributes), "")).lower()
    if said.startswith("cancel"):
        return "cancelled"
    if span.status == "error":
        return "failed"
    if said == "warn":
        return "warned"
    return "skipped" if said in ("skipped", "skip", "no-op") else "ok"


def _moment(part: LocalSpan | Stretch, begins: int) -> Moment:
    return Moment((part.started_at - begins) / _NANOSECONDS, (part.ended_at - begins) / _NANOSECONDS)


def _error(span: LocalSpan) -> str:
    raised = next((event for event in reversed(span.events) if event.name == "exception"), None)
    if raised is None:
        return span.message if span.status == "error" else ""
    parts = (raised.attributes.get("exception.type"), raised.attributes.get("exception.message"))
    return ": ".join(str(part) for part in parts if part)


def _headline(error: str) -> str:
    """The first line of an error; of dbt's, which begin with the name of the node or with none, the one after that."""
    lines = [line.strip() for line in error.splitlines() if line.strip()]
    while len(lines) > 1 and _SAYS_LITTLE.search(lines[0]):
        lines.pop(0)
    return lines[0] if lines else ""


def _causes(tree: TraceTree, parents: Mapping[str, str]) -> frozenset[str]:
    """Spans with an error that have none below them with one."""
    wrong = [key for key, span in tree.spans.items() if _error(span)]
    above = _with_ancestors([parents[key] for key in wrong if key in parents], parents)
    return frozenset(wrong) - above


def _with_ancestors(keys: Iterable[str], parents: Mapping[str, str]) -> frozenset[str]:
    found: set[str] = set()
    for key in keys:
        above: str | None = key
        while above is not None and above not in found:
            found.add(above)
            above = parents.get(above)
    return frozenset(found)


def _number(span: LocalSpan, names: tuple[str, ...]) -> int | None:
    value = next((span.attributes[name] for name in names if name in span.attributes), None)
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None


def _row_as_json(row: SpanRow) -> dict[str, object]:
    return {
        "span_id": row.span.span_id,
        "parent_id": row.span.parent_id or None,
        "depth": row.depth,
        "name": row.span.name,
        "kind": row.kind,
        "label": row.label,
        "status": row.mark,
        "begins": _rounded(row.time.begins),
        "seconds": _rounded(row.seconds),
        "is_on_critical_path": row.is_on_path,
        "critical_seconds": _rounded(row.critical_seconds),
        "critical": [[_rounded(stretch.begins), _rounded(stretch.ends)] for stretch in row.critical],
        "note": row.note,
        "headline": row.headline,
        "reason": row.reason,
        "because": list(row.because),
        "error": row.error,
        "attributes": dict(row.span.attributes),
        "events": [
            {"name": event.name, "at": event.at, "attributes": dict(event.attributes)} for event in row.span.events
        ],
        "links": list(row.span.links),
    }


def _rounded(seconds: float) -> float:
    return round(seconds, 6)
