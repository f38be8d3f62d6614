"""A run on the terminal: a line for each thing that happens, and a table at the end."""

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Protocol, TextIO, assert_never

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Column
from rich.text import Text

from floe_cli.console import color_choice, table
from floe_core.suggestions import list_names
from floe_dagster.running.run_news import (
    AssetResult,
    CheckResult,
    CheckStatus,
    RunInterrupted,
    RunNews,
    RunRetried,
    RunStarted,
    StepFailed,
    StepFinished,
    StepRetried,
    StepStarted,
)
from floe_dagster.running.runs import RunReport

_COLORS = {
    "built": "green",
    "observed": "green",
    "passed": "green",
    "done": "green",
    "warned": "yellow",
    "retry": "yellow",
    "cancel": "yellow",
    "failed": "red",
    "skipped": "yellow",
}
_CHECK_STATUSES: tuple[CheckStatus, ...] = ("passed", "warned", "failed", "skipped")
_TROUBLE = frozenset({"warned", "failed"})
_MANY = 4
_MOST_ROWS = 20
_WIDEST_VALUE = 160
_MOST_REASONS = 3
_BAR_WIDTH = 50  # of all that stands beside the description
_DBT_STARTS = "dbt is starting"


class RunDisplay(Protocol):
    """Shows what a run does while it does it."""

    def show(self, news: RunNews) -> None:
        """Show one thing that happened."""

    def begin(self, partition: str, number: int, total: int) -> None:
        """Show that the next of several runs begins, and for which partition."""


@contextmanager
def open_display(stream: TextIO, *, live: bool) -> Iterator[RunDisplay]:
    """A display on *stream*: with a progress bar if *live*, else lines alone."""
    if not live:
        yield _Lines(stream)
        return
    console = Console(file=stream, highlight=False, no_color=color_choice() is False)
    with Progress(
        SpinnerColumn("line"),
        TextColumn("{task.description}", markup=False, table_column=_one_line(console.width - _BAR_WIDTH)),
        BarColumn(bar_width=24),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=console,
        transient=True,
        redirect_stdout=False,  # what Dagster, dbt and the assets print goes elsewhere
        redirect_stderr=False,
    ) as progress:
        yield _Live(progress, stream)


def _one_line(width: int) -> Column:
    return Column(no_wrap=True, overflow="ellipsis", max_width=max(width, _MANY))


class _Lines:
    """One line after another; for files, pipes and terminals that cannot redraw."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def show(self, news: RunNews) -> None:
        for line in lines_of(news):
            click.echo(line, file=self._stream, color=color_choice())

    def begin(self, partition: str, number: int, total: int) -> None:
        click.echo(_partition_line(partition, number, total), file=self._stream, color=color_choice())


class _Live:
    """The same lines above a bar that says what is running."""

    def __init__(self, progress: Progress, stream: TextIO) -> None:
        self._progress = progress
        self._stream = stream
        self._task = progress.add_task("starting", total=None)
        self._running: dict[str, StepStarted] = {}
        self._heard_of: set[str] = set()
        self._partition = ""

    def show(self, news: RunNews) -> None:  # noqa: C901 - a case for each kind of news
        match news:
            case RunStarted():
                self._progress.update(self._task, total=news.assets + news.checks or None)
            case StepStarted():
                self._running[news.step] = news
                self._heard_of -= set(news.assets)
            case AssetResult(key=asset) | CheckResult(asset=asset):
                self._progress.advance(self._task)
                self._heard_of.add(asset)
            case StepFinished() | StepFailed() | StepRetried():
                self._running.pop(news.step, None)
            case RunRetried():
                self._running.clear()
            case RunInterrupted():
                pass
            case _:
                assert_never(news)
        self._running = {step: begun for step, begun in self._running.items() if not _is_over(news, begun)}
        self._progress.update(self._task, description=self._description())
        if not isinstance(news, StepStarted):
            for line in lines_of(news):
                self._progress.console.print(line, markup=False, soft_wrap=True)

    def begin(self, partition: str, number: int, total: int) -> None:
        self._running.clear()
        self._heard_of.clear()
        self._partition = f"{number}/{total} {partition}: "
        self._progress.reset(self._task, total=None, description=f"{self._partition}starting")
        self._progress.console.print(_partition_line(partition, number, total), markup=False, soft_wrap=True)

    def _description(self) -> str:
        starts = [begun.is_dbt and self._heard_of.isdisjoint(begun.assets) for begun in self._running.values()]
        shown = [
            _DBT_STARTS if start else _named(begun) for start, begun in zip(starts, self._running.values(), strict=True)
        ]
        return self._partition + (", ".join(shown) or "running")


def _is_over(news: RunNews, begun: StepStarted) -> bool:
    return isinstance(news, AssetResult) and begun.assets == (news.key,)


def lines_of(news: RunNews) -> list[str]:  # noqa: C901 - a case for each kind of news
    """What is shown of one thing that happened."""
    match news:
        case RunStarted():
            planned = f": {_counted(news.assets, 'asset')}, {_counted(news.checks, 'check')}"
            return [f"run {news.run_id}{planned if news.assets or news.checks else ''}"]
        case RunRetried():
            return [_line("retry", f"the run, from where it failed (retry {news.attempt} of {news.attempts})")]
        case RunInterrupted():
            return [_line("cancel", "the run; interrupt it once more to end it at once")]
        case StepStarted():
            return [_line("start", _named(news)), *(_indented(_DBT_STARTS) if news.is_dbt else [])]
        case StepRetried():
            return [_line("retry", news.step), *_indented(news.error)]
        case StepFinished():
            return [_line("done", news.step, f"{'':14} {_seconds(news.seconds):>10}"), *_indented(_said(news.metadata))]
        case StepFailed():
            return [_line("failed", ", ".join(news.assets) or news.step or "the run"), *_indented(news.error)]
        case AssetResult():
            word = "built" if news.status == "materialized" else news.status
            key = f"{news.key} [{news.partition}]" if news.partition else news.key
            return [_line(word, key, f"{_rows(news.rows):>14} {_seconds(news.seconds):>10}")]
        case CheckResult():
            return [_line(news.status, f"check {news.label}"), *_indented(_unless_passed(news))]
        case _:
            assert_never(news)


def print_report(console: Console, report: RunReport, *, url: str, ui_is_up: bool, log: str) -> None:
    """The closing table and lines of a run."""
    if report.assets:
        rows = [_row(result, report.groups.get(result.key, "")) for result in report.assets]
        right = frozenset({"rows", "time"})
        console.print(table("asset", "group", "status", "rows", "time", rows=rows, right=right))
    elif report.ops:
        cells = [(op.step, op.status, _seconds(op.seconds)) for op in report.ops]
        console.print(table("op", "status", "time", rows=cells, right=frozenset({"time"})))
    for line in _closing_lines(report, url=url, ui_is_up=ui_is_up, log=log):
        console.print(Text.from_ansi(line), soft_wrap=True)


def _row(result: AssetResult, group: str) -> tuple[str, str, str, str, str]:
    status = "built" if result.status == "materialized" else result.status
    if result.because:
        status += f": {list_names(result.because, limit=_MOST_REASONS)} failed"
    rows = "" if result.rows is None else f"{result.rows:,}"
    return result.key, group, status, rows, _seconds(result.seconds)


def _closing_lines(report: RunReport, *, url: str, ui_is_up: bool, log: str) -> Iterator[str]:
    if report.checks:
        counts = Counter(check.status for check in report.checks)
        yield f"{_counted(len(report.checks), 'check')}: " + ", ".join(
            f"{counts[status]} {status}" for status in _CHECK_STATUSES if counts[status]
        )
        yield from (f"  {check.status}: {check.label}" for check in report.checks if check.status in _TROUBLE)
    word, color = {
        "success": ("succeeded", "green"),
        "failure": ("failed", "red"),
        "canceled": ("was canceled", "yellow"),
    }[report.status]
    yield f"{report.job} {click.style(word, fg=color, bold=True)} in {_seconds(report.seconds)}{_done(report)}"
    if report.status == "failure" and log:
        yield f"what it printed: {log}"
    yield f"in Dagster's UI: {url}" if ui_is_up else f"in Dagster's UI: floe dev, then {url}"


def _done(report: RunReport) -> str:
    """How many assets were built of those that are, and how many observed."""
    counts = Counter(asset.status for asset in report.assets)
    observed, others = counts["observed"], len(report.assets) - counts["observed"]
    built = f", {counts['materialized']} of {_counted(others, 'asset')} built" if others else ""
    return built + (f", {_counted(observed, 'asset')} observed" if observed else "")


def print_partition_reports(
    console: Console, reports: Mapping[str, RunReport | None], *, urls: Mapping[str, str], ui_is_up: bool, log: str
) -> None:
    """The closing table and lines of runs for partitions; those without a report were not started."""
    rows = [_partition_row(partition, report) for partition, report in reports.items()]
    console.print(table("partition", "status", "assets", "time", rows=rows, right=frozenset({"assets", "time"})))
    for partition, report in reports.items():
        if report is not None and report.status == "failure":
            for line in _trouble_of(partition, report):
                console.print(Text.from_ansi(line), soft_wrap=True)
    done = [report for report in reports.values() if report is not None]
    good = sum(1 for report in done if report.status == "success")
    word = click.style("succeeded", fg="green", bold=True)
    seconds = _seconds(sum(report.seconds for report in done))
    lines = [f"{done[0].job}: {good} of {_counted(len(reports), 'run')} {word} in {seconds}"]
    lines += [f"what they printed: {log}"] if log and any(report.status == "failure" for report in done) else []
    url = urls[done[-1].run_id]
    lines.append(f"the last one in Dagster's UI: {url if ui_is_up else f'floe dev, then {url}'}")
    for line in lines:
        console.print(Text.from_ansi(line), soft_wrap=True)


def _partition_row(partition: str, report: RunReport | None) -> tuple[str, str, str, str]:
    if report is None:
        return partition, "not started", "", ""
    built = sum(1 for asset in report.assets if asset.status in ("materialized", "observed"))
    status = {"success": "succeeded", "failure": "failed", "canceled": "canceled"}[report.status]
    return partition, status, f"{built} of {len(report.assets)}" if report.assets else "", _seconds(report.seconds)


def _trouble_of(partition: str, report: RunReport) -> Iterator[str]:
    for failure in report.failures:
        yield f"  {partition} failed: {', '.join(failure.assets) or failure.step or 'the run'}"
        yield from _indented(failure.error)


def _partition_line(partition: str, number: int, total: int) -> str:
    return f"{partition} ({number} of {total})"


def _line(word: str, subject: str, numbers: str = "") -> str:
    shown = click.style(f"{word:<7} ", fg=_COLORS.get(word))
    return f"  {shown}{subject:<44} {numbers}" if numbers else f"  {shown}{subject}"


def _named(news: StepStarted) -> str:
    if not news.assets:
        return news.step
    if len(news.assets) == 1:
        return news.assets[0]
    more = ", …" if len(news.assets) > _MANY else ""
    return f"{news.step}: {len(news.assets)} assets ({', '.join(news.assets[:_MANY])}{more})"


def _unless_passed(check: CheckResult) -> str:
    return "" if check.status == "passed" else check.description


def _indented(text: str) -> list[str]:
    return [f"          {line}".rstrip() for line in text.splitlines()]


def _said(metadata: Mapping[str, object]) -> str:
    """Metadata, a line for each entry, and one for each row of a table."""
    return "\n".join(line for name, value in metadata.items() for line in _entry_lines(name, value))


def _entry_lines(name: str, value: object) -> list[str]:
    if not (isinstance(value, list) and value and all(isinstance(row, dict) for row in value)):
        return [f"{name}: {_shortened(value)}"]
    rows = [", ".join(f"{column} {_shortened(cell)}" for column, cell in row.items()) for row in value]
    left_out = [f"  and {len(rows) - _MOST_ROWS} more"] if len(rows) > _MOST_ROWS else []
    return [f"{name}:", *(f"  {_shortened(row)}" for row in rows[:_MOST_ROWS]), *left_out]


def _shortened(value: object) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    line = " ".join(text.split())
    return line if len(line) <= _WIDEST_VALUE else f"{line[:_WIDEST_VALUE]}…"


def _rows(rows: int | None) -> str:
    return "" if rows is None else _counted(rows, "row")


def _counted(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def _seconds(seconds: float | None) -> str:
    if seconds is None:
        return ""
    if seconds < 59.95:
        return f"{seconds:.2f} s" if seconds < 9.995 else f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s"
