"""What floe prints: asked-for output on stdout, everything said about the work on stderr."""

import json
import os
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, redirect_stdout
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

import click

from floe_core.errors import Problem, count_problems, render_problem

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

EXIT_NOT_READ = 141  # as of a process that SIGPIPE ends

_SEVERITY_COLOR = {"error": "red", "warning": "yellow"}
_WIDE = 240
_QUIET_SECONDS = 0.8
_FRAMES = "-\\|/"


def say(text: str) -> None:
    """One line about the work, for a person."""
    click.echo(text, err=True, color=color_choice())


def emit(text: str) -> None:
    """What the command was asked for, for a pipe as well as for a person.

    Raises:
        SystemExit: Nobody reads on; rich leaves so, too.
    """
    try:
        click.echo(text, color=color_choice())
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # takes what Python writes as it ends
        raise SystemExit(EXIT_NOT_READ) from None


def emit_json(value: object) -> None:
    """A value for a machine."""
    emit(json.dumps(value, indent=2, ensure_ascii=False))


def color_choice() -> bool | None:
    """False where the user wants no colors; None lets the stream decide."""
    return False if os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb" else None


def show_problems(problems: Sequence[Problem]) -> None:
    """Problems on stderr with an empty line between them, and their number when there are several."""
    for number, problem in enumerate(problems):
        if number:
            say("")
        say(_colored(problem))
    if len(problems) > 1:
        say("")
        say(count_problems(problems))


def _colored(problem: Problem) -> str:
    head, separator, rest = render_problem(problem).partition("]: ")
    return click.style(head + "]", fg=_SEVERITY_COLOR[problem.severity], bold=True) + separator[1:] + rest


def is_terminal() -> bool:
    """Whether stderr is a terminal on which lines may be redrawn."""
    return sys.stderr.isatty() and os.environ.get("TERM") != "dumb"


@contextmanager
def work_in_progress() -> Iterator[Callable[[str], None]]:
    """Give a function that says what is being done.

    A terminal shows it, with the seconds it takes, on one line that is gone in the end. Anything else gets a line for
    each piece of work that takes longer than a second, so that quick work is silent.
    """
    activity = _Activity(redraw=is_terminal())
    ticker = threading.Thread(target=activity.tick, name="floe-progress", daemon=True)
    ticker.start()
    try:
        yield activity.begin
    finally:
        activity.stop()
        ticker.join()


class _Activity:
    """The piece of work that is under way, shown once it takes its time."""

    def __init__(self, *, redraw: bool) -> None:
        self._redraw = redraw
        self._lock = threading.Lock()
        self._stopped = threading.Event()
        self._text = ""
        self._since = 0.0
        self._said = False

    def begin(self, text: str) -> None:
        with self._lock:
            self._text, self._since, self._said = text, time.monotonic(), False

    def tick(self) -> None:
        frame = 0
        while not self._stopped.wait(0.1):
            frame += 1
            with self._lock:
                self._show(_FRAMES[frame % len(_FRAMES)])
        if self._redraw and self._said:
            click.echo("\r\033[K", nl=False, err=True, color=True)

    def stop(self) -> None:
        self._stopped.set()

    def _show(self, frame: str) -> None:
        seconds = time.monotonic() - self._since
        if not self._text or seconds < _QUIET_SECONDS:
            return
        if self._redraw:
            click.echo(f"\r\033[K{frame} {self._text} … {seconds:.0f} s", nl=False, err=True, color=True)
        elif not self._said:
            say(f"{self._text} …")
        self._said = True


@contextmanager
def stdout_for_machines() -> Iterator[None]:
    """Send what the user's code, dbt and Dagster print to stderr, so that stdout holds nothing but floe's output."""
    with output_into(None), redirect_stdout(sys.stderr):
        yield


@contextmanager
def output_into(log: Path | None) -> Iterator[TextIO]:
    """Send everything that this process and its children print into *log*; give a stream to the real stderr.

    Without a log everything goes to stderr.
    """
    _flush()
    kept = os.dup(1), os.dup(2)
    with ExitStack() as stack:
        target = 2 if log is None else stack.enter_context(log.open("ab")).fileno()
        terminal = stack.enter_context(os.fdopen(os.dup(2), "w", encoding="utf-8", errors="replace"))
        os.dup2(target, 1)
        os.dup2(target, 2)
        try:
            yield terminal
        finally:
            _flush()
            for number, original in zip((1, 2), kept, strict=True):
                os.dup2(original, number)
                os.close(original)


def _flush() -> None:
    sys.stdout.flush()
    sys.stderr.flush()


def rich_console(*, stderr: bool) -> "Console":
    """A rich console on one of the two streams; wide where nobody's screen is the limit, so that nothing is cut."""
    from rich.console import Console  # noqa: PLC0415 - most commands draw nothing

    stream = sys.stderr if stderr else sys.stdout
    width = None if stream.isatty() else _WIDE
    return Console(stderr=stderr, width=width, highlight=False, no_color=color_choice() is False)


def table(*headers: str, rows: Iterable[Sequence[str]], right: frozenset[str] = frozenset()) -> "Table":
    """A plain table; columns named in *right* hold numbers."""
    from rich import box  # noqa: PLC0415 - most commands draw nothing
    from rich.table import Table  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    drawn = Table(box=box.SIMPLE_HEAD, pad_edge=False, header_style="bold")
    for header in headers:
        drawn.add_column(header, justify="right" if header in right else "left", overflow="fold")
    for row in rows:
        drawn.add_row(*(Text(cell) for cell in row))
    return drawn
