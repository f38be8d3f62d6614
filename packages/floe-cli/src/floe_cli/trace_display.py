"""A run's trace on the terminal: a row for each span, its bar on the time axis that all share."""

import math
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import groupby

from rich.cells import cell_len, set_cell_size
from rich.console import Console
from rich.text import Text

from floe_cli.trace_report import Mark, SpanRow, TraceReport, counted, shown_seconds

_MARKS: dict[Mark, tuple[str, str, str]] = {  # with symbols, in ASCII, color
    "ok": ("✓", "+", "green"),
    "warned": ("!", "!", "yellow"),
    "failed": ("✗", "x", "red"),
    "skipped": ("–", "-", "bright_black"),
    "cancelled": ("■", "#", "yellow"),
    "open": ("…", "?", "cyan"),
}
_WORDS: dict[Mark, str] = {
    "ok": "succeeded",
    "warned": "succeeded with warnings",
    "failed": "failed",
    "skipped": "was skipped",
    "cancelled": "was canceled",
    "open": "has not ended",
}
_MANY_ROWS = 40
_WIDEST = 140
_NARROWEST_BAR = 12
_WIDE_ENOUGH_FOR_KINDS = 80
_LABEL_SHARE = 0.45
_NAMED = 6


def print_trace(console: Console, report: TraceReport, *, show_all: bool, now: datetime) -> None:
    """The waterfall of *report*, under a line about the run and over one about its critical path.

    Args:
        console: Where to.
        report: The trace.
        show_all: Whether each of many tests that passed has a row, not only their number.
        now: The present time.
    """
    waterfall = _Waterfall(report, console, show_all=show_all)
    for line in (*_head(report, now), Text(), *waterfall.lines(), Text(), *_foot(report, waterfall.fills)):
        line.plain = _writable(line.plain, console)
        console.print(line, soft_wrap=True)


class _Waterfall:
    """The rows and the widths of their columns."""

    def __init__(self, report: TraceReport, console: Console, *, show_all: bool) -> None:
        self._report = report
        self._is_plain = not _takes_symbols(console)
        self.fills = ("#", "=", ">") if self._is_plain else ("█", "░", "▏")
        collapses = not show_all and len(report.rows) > _MANY_ROWS
        self._rows = list(_collapsed(report.rows) if collapses else ((row,) for row in report.rows))
        width = min(console.width, _WIDEST)
        self._notes = max((cell_len(rows[0].note) for rows in self._rows if len(rows) == 1), default=0)
        self._times = max(len(shown_seconds(row.seconds)) for row in report.rows)
        self._shows_kinds = width >= _WIDE_ENOUGH_FOR_KINDS
        labels = max(cell_len(self._label(rows)) for rows in self._rows)
        self._label_width = max(min(labels, int(width * _LABEL_SHARE)), _NARROWEST_BAR)
        rest = width - self._label_width - self._times - 4
        if rest - self._notes - 2 < _NARROWEST_BAR:
            self._notes = 0
        self._bar_width = max(rest - (self._notes + 2 if self._notes else 0), 0)
        if self._bar_width < _NARROWEST_BAR:
            self._label_width, self._bar_width = max(width - self._times - 4, _NARROWEST_BAR), 0
        self._end = max(row.time.ends for row in report.rows) or 1.0

    def lines(self) -> Iterator[Text]:
        """A line for each row, one below a row with an error, and below what was skipped why, once for a reason."""
        if self._bar_width:
            yield self._axis()
        reason = ""
        for rows in self._rows:
            yield self._line(rows)
            row = rows[0]
            if row.headline and len(rows) == 1:
                yield self._remark(row, row.headline, style="red")
            elif row.reason and row.reason != reason:
                yield self._remark(row, f"skipped: {row.reason}", style="dim")
            reason = row.reason

    def _remark(self, row: SpanRow, text: str, *, style: str) -> Text:
        room = self._label_width + self._bar_width + self._times + self._notes
        indented = f"{'  ' * row.depth}    {_printable(text)}"
        return Text(_cut(indented, max(room, _NARROWEST_BAR)), style=style)

    def _axis(self) -> Text:
        end = shown_seconds(self._end)
        before = self._label_width + 2 + self._times + 2 + (self._notes + 2 if self._notes else 0)
        return Text(" " * before + "0" + end.rjust(self._bar_width - 1), style="dim")

    def _line(self, rows: tuple[SpanRow, ...]) -> Text:
        row = rows[0]
        symbol, plain, color = _MARKS[row.mark]
        line = Text()
        line.append(f"{plain if self._is_plain else symbol} ", style=color)
        label = _cut(self._label(rows), self._label_width, keep_end=True)
        is_on_path = any(other.is_on_path for other in rows)
        line.append(set_cell_size(label, self._label_width), style="bold" if is_on_path else "")
        seconds = max(other.time.ends for other in rows) - min(other.time.begins for other in rows)
        line.append(f" {shown_seconds(seconds):>{self._times}}", style="" if is_on_path else "dim")
        if self._notes:
            line.append("  " + set_cell_size(row.note if len(rows) == 1 else "", self._notes), style="dim")
        if self._bar_width:
            line.append(" ")
            line.append_text(self._bar(rows, color))
        line.rstrip()
        return line

    def _label(self, rows: tuple[SpanRow, ...]) -> str:
        row = rows[0]
        indent = "  " * row.depth
        if len(rows) > 1:
            return f"{indent}{counted(len(rows), row.kind)} passed"
        has_kind = row.kind != "span" and (not row.depth or self._shows_kinds)
        return _printable(f"{indent}{row.kind} {row.label}" if has_kind else f"{indent}{row.label}")

    def _bar(self, rows: tuple[SpanRow, ...], color: str) -> Text:
        critical, usual, moment = self.fills
        cells = [" "] * self._bar_width
        for row in rows:
            begin, end = self._cells(row.time.begins, row.time.ends)
            filling = usual if row.seconds else moment
            cells[begin:end] = [filling] * (end - begin)
        for stretch in (stretch for row in rows for stretch in row.critical):
            begin, end = self._cells(stretch.begins, stretch.ends)
            cells[begin:end] = [critical] * (end - begin)
        bar = Text()
        for fill, run in groupby(cells):
            bar.append("".join(run), style=color if fill != " " else "")
        return bar

    def _cells(self, begins: float, ends: float) -> tuple[int, int]:
        scale = self._bar_width / self._end
        begin = min(int(begins * scale), self._bar_width - 1)
        return begin, min(max(math.ceil(ends * scale - 0.05), begin + 1), self._bar_width)


def _collapsed(rows: Sequence[SpanRow]) -> Iterator[tuple[SpanRow, ...]]:
    """Each row by itself, tests or checks that passed and follow one another together."""
    numbers = range(len(rows))
    for _, numbered in groupby(numbers, lambda number: _like(rows[number]) if _is_quiet(rows[number]) else number):
        yield tuple(rows[number] for number in numbered)


def _like(row: SpanRow) -> tuple[str, int]:
    return row.kind, row.depth


def _is_quiet(row: SpanRow) -> bool:
    return row.kind in ("test", "check") and row.mark == "ok"


def _head(report: TraceReport, now: datetime) -> Iterator[Text]:
    mark = report.root.mark
    line = Text("run ")
    line.append(report.run_id, style="bold")
    line.append(f" {_printable(report.job)} " if report.job else " ")
    line.append(_WORDS[mark], style=_MARKS[mark][2])
    took = shown_seconds(report.root.seconds)
    so_far = f": {took} so far" if mark == "open" else f"; its trace is incomplete, {took} of it are there"
    line.append(f" in {took}" if report.is_complete else so_far)
    yield line
    counts = Counter(row.kind for row in report.rows[1:])
    spans = ", ".join(counted(number, kind) for kind, number in counts.items())
    yield Text(f"started {report.started_at:%Y-%m-%d %H:%M:%S} UTC{f': {spans}' if spans else ''}", style="dim")
    if not report.is_complete:
        ago = shown_seconds(max((now - report.written_at).total_seconds(), 0.0))
        why = f"{report.state or 'it is under way, or its process was killed'}; the last span was written {ago} ago"
        yield Text(f"the run's own span is missing: {why}", style="yellow")
    if report.unreadable_lines:
        yield Text(f"{counted(report.unreadable_lines, 'line')} of the file could not be read", style="yellow")


def _foot(report: TraceReport, fills: tuple[str, str, str]) -> Iterator[Text]:
    longest = sorted(report.critical, key=lambda row: -row.critical_seconds)[:_NAMED]
    whole = report.root.seconds or 1.0
    yield Text(f"critical path {fills[0]} what the end of the run waited for")
    for row in (row for row in report.critical if row in longest):
        line = Text(f"  {shown_seconds(row.critical_seconds):>9} {row.critical_seconds / whole:>5.0%}  ")
        yield line.append(_printable(_path_name(row)))
    rest = [row for row in report.critical if row not in longest]
    if rest:
        seconds = sum(row.critical_seconds for row in rest)
        yield Text(f"  {shown_seconds(seconds):>9} {seconds / whole:>5.0%}  {_kinds(rest)}")


def _kinds(rows: Sequence[SpanRow]) -> str:
    """How many of each kind, and how long they took, the longest first."""
    seconds: dict[str, float] = defaultdict(float)
    for row in rows:
        seconds[row.kind] += row.critical_seconds
    numbers = Counter(row.kind for row in rows)
    if len(numbers) == 1:
        return f"{len(rows)} more {counted(len(rows), rows[0].kind).partition(' ')[2]}"
    longest = sorted(seconds, key=lambda kind: -seconds[kind])
    listed = ", ".join(f"{counted(numbers[kind], kind)} {shown_seconds(seconds[kind])}" for kind in longest)
    return f"{len(rows)} more: {listed}"


def _path_name(row: SpanRow) -> str:
    if row.kind in ("run", "step", "dbt"):
        return f"{row.kind} itself" if row.kind == "run" else f"{row.kind} {row.label} itself"
    return row.label


def _cut(text: str, width: int, *, keep_end: bool = False) -> str:
    if cell_len(text) <= width:
        return text
    indent = len(text) - len(text.lstrip())
    if not keep_end or width < indent + 8:
        return set_cell_size(text, max(width - 1, 0)).rstrip() + "…"
    room = width - 1
    begin = indent + (room - indent) // 2
    tail = text[-(room - begin) :]
    while cell_len(tail) > room - begin:
        tail = tail[1:]
    return set_cell_size(text, begin) + "…" + tail


def _printable(text: str) -> str:
    return "".join(character if character.isprintable() else "�" for character in text)


def _writable(text: str, console: Console) -> str:
    """*text* in characters that the terminal has, as many as it had."""
    if _takes_symbols(console):
        return text
    return text.replace("…", "~").encode(console.encoding, "replace").decode(console.encoding)


def _takes_symbols(console: Console) -> bool:
    return console.encoding.lower().replace("-", "").startswith("utf")
