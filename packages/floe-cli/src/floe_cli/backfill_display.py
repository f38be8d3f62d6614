"""A backfill on the terminal while it goes on: a line for each run, and a bar over all partitions."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol, TextIO

import click
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from floe_cli.backfill_report import STATUS_COLORS, STATUS_WORDS, error_of, line_of_begin
from floe_cli.console import color_choice
from floe_core.suggestions import list_names
from floe_dagster.backfilling.execution import BackfillListener
from floe_dagster.backfilling.progress import PartitionStatus
from floe_dagster.backfilling.run_requests import PreparedRun
from floe_dagster.backfilling.state import BackfillState
from floe_dagster.running.runs import RunReport

_MANY = 2


class BackfillDisplay(BackfillListener, Protocol):
    """Shows a backfill while it goes on."""

    def say(self, text: str) -> None:
        """A line of its own."""


@contextmanager
def open_backfill_display(stream: TextIO, *, live: bool) -> Iterator[BackfillDisplay]:
    """A display on *stream*: with a progress bar if *live*, else lines alone."""
    if not live:
        yield _Lines(stream)
        return
    with Progress(
        SpinnerColumn("line"),
        TextColumn("{task.description}", markup=False),
        BarColumn(bar_width=30),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        console=Console(file=stream, highlight=False, no_color=color_choice() is False),
        transient=True,
        redirect_stdout=False,  # what Dagster, dbt and the assets print goes elsewhere
        redirect_stderr=False,
    ) as progress:
        yield _Live(progress)


class _Account:
    """What has been told of, so that each thing is told once."""

    def __init__(self) -> None:
        self._statuses: dict[str, PartitionStatus] | None = None
        self._told: set[str] = set()

    def lines_of_state(self, state: BackfillState) -> Iterator[str]:
        """Where it stands at first, then what was done or failed in runs of others."""
        before = self._statuses
        self._statuses = {key: one.status for key, one in state.progress.states.items()}
        if before is None:
            yield line_of_begin(state)
            return
        for key, status in self._statuses.items():
            if status in ("done", "failed") and before.get(key) != status and key not in self._told:
                yield _line(status, f"{key}  {error_of(state, key) if status == 'failed' else ''}".rstrip())

    def lines_of_run(self, run: PreparedRun, report: RunReport) -> Iterator[str]:
        """How a run of this process ended, with the user's own errors."""
        self._told.update(run.keys)
        seconds = f"{report.seconds:.1f} s"
        match report.status:
            case "success":
                yield _line("done", f"{run.label}  {seconds}")
            case "canceled":
                yield _line("missing", run.label, word="canceled")
            case "failure":
                yield _line("failed", f"{run.label}  {seconds}  run {report.run_id}")
                for failure in report.failures:
                    yield from (f"            {line}".rstrip() for line in failure.error.splitlines())


class _Lines:
    """One line after another; for files, pipes and terminals that cannot redraw."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._account = _Account()

    def show_state(self, state: BackfillState) -> None:
        for line in self._account.lines_of_state(state):
            self.say(line)

    def begin_run(self, run: PreparedRun) -> None:
        """Nothing: a line tells of it when it is over."""

    def end_run(self, run: PreparedRun, report: RunReport) -> None:
        for line in self._account.lines_of_run(run, report):
            self.say(line)

    def say(self, text: str) -> None:
        click.echo(text, file=self._stream, color=color_choice())


class _Live:
    """The same lines above a bar that says what is in flight."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._task = progress.add_task("starting", total=None)
        self._account = _Account()

    def show_state(self, state: BackfillState) -> None:
        for line in self._account.lines_of_state(state):
            self.say(line)
        counts, in_flight = state.progress.counts, state.progress.having("in_flight")
        self._progress.update(
            self._task,
            total=len(state.progress.states),
            completed=counts["done"] + counts["failed"],
            description=list_names(in_flight, limit=_MANY) if in_flight else state.plan.identity.name,
        )

    def begin_run(self, run: PreparedRun) -> None:
        self._progress.update(self._task, description=run.label)

    def end_run(self, run: PreparedRun, report: RunReport) -> None:
        for line in self._account.lines_of_run(run, report):
            self.say(line)
        self._progress.advance(self._task, len(run.keys))

    def say(self, text: str) -> None:
        self._progress.console.print(text, markup=False, soft_wrap=True)


def _line(status: PartitionStatus, text: str, *, word: str = "") -> str:
    return f"  {click.style(f'{word or STATUS_WORDS[status]:<10}', fg=STATUS_COLORS[status])}{text}"
