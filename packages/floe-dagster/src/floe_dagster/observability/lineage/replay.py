"""Sending events again that were kept: those that did not arrive, and those of runs without a receiver."""

import json
import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias

from filelock import FileLock, Timeout

from floe_core.errors import shown_path
from floe_dagster.observability.lineage.connection import SendEvent, is_refusal
from floe_dagster.observability.lineage.events import Event
from floe_dagster.observability.local.files import MARK_SUFFIX, SUFFIX, RunFiles

Origin: TypeAlias = Literal["spool", "local"]

_LOCK_FILE = "replay.lock"
_TAKEN = ".replaying"
_DAMAGED = ".damaged"
_SECONDS_TO_END_A_LINE = 10.0


@dataclass(frozen=True, slots=True)
class KeptRun:
    """The events of a run that wait to be sent."""

    run_id: str
    origin: Origin
    file: Path
    began: str
    """Time of the first of them, as the event has it."""


@dataclass(frozen=True, slots=True)
class Replayed:
    """What became of the events of a run."""

    run_id: str
    origin: Origin
    sent: int = 0
    kept: int = 0
    unreadable: int = 0
    """Lines that are no event: written by half, or by something else."""
    reason: str = ""
    """Why some were kept."""
    is_reachable: bool | None = True
    """Whether the receiver answered; None where nothing was tried."""
    remarks: tuple[str, ...] = ()
    """What is wrong with the files, as sentences that name the file and the line."""


@contextmanager
def own_replay(folder: Path, *, tell: Callable[[str], None]) -> Iterator[None]:
    """Let nobody else send what is kept for as long as the block lasts; an event would be sent twice.

    Args:
        folder: `.floe/observability`.
        tell: Told whom it waits for, if it does.
    """
    folder.mkdir(parents=True, exist_ok=True)
    lock = FileLock(folder / _LOCK_FILE)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        tell("another `floe lineage replay` is sending events of this project: waiting for its end")
        lock.acquire()
    try:
        yield
    finally:
        lock.release()


def find_kept_runs(folder: Path, *, lineage: Path) -> tuple[KeptRun, ...]:
    """Every run with events that were not sent, the oldest first; within `own_replay`, as what is done with them.

    Args:
        folder: The spool.
        lineage: The local files.
    """
    names = {file.name.removesuffix(_TAKEN).removesuffix(SUFFIX) for file in _files(folder, (SUFFIX, _TAKEN))}
    spooled = [KeptRun(name, "spool", folder / f"{name}{SUFFIX}", _began(folder, name)) for name in names]
    local = [
        KeptRun(file.stem, "local", file, _began(lineage, file.stem))
        for file in _files(lineage, (SUFFIX,))
        if file.stat().st_size > (_read_mark(file) or 0)
    ]
    return tuple(sorted([*spooled, *local], key=lambda run: (run.began, run.origin, run.run_id)))


def replay_run(run: KeptRun, send: SendEvent, *, spool: Path, describe: Callable[[Exception], str]) -> Replayed:
    """Send the events of *run* in their order, and keep what does not arrive.

    A receiver that cannot be reached ends it; one that refuses an event is given the next.

    Args:
        run: As `find_kept_runs` gives it.
        send: What sends one event.
        spool: Where events go that are refused.
        describe: An error in a few words, without credentials.
    """
    if run.origin == "spool":
        return _replay_spool(run, send, describe)
    return _replay_local(run, send, describe, spool=RunFiles(spool))


def leave_run(run: KeptRun) -> Replayed:
    """*run*, of which nothing was tried."""
    files = [run.file, run.file.with_name(run.file.name + _TAKEN)]
    lines = sum(len(file.read_bytes()[_start(run, file) :].splitlines()) for file in files if file.exists())
    return Replayed(run.run_id, run.origin, kept=lines, reason="not tried", is_reachable=None)


def _start(run: KeptRun, file: Path) -> int:
    return (_read_mark(file) or 0) if run.origin == "local" else 0


def _replay_spool(run: KeptRun, send: SendEvent, describe: Callable[[Exception], str]) -> Replayed:
    taken = _take(run.file)
    lines = taken.read_bytes().splitlines(keepends=True)
    kept: list[bytes] = []
    remaining = iter(lines)
    progress = _Progress(run)
    try:
        for line in remaining:
            kept.append(line)  # until it is sent: an interrupt loses nothing
            if _read_event(line) is None:
                progress.note_damage(_set_aside(run.file, line))
                kept.pop()
            elif progress.send(line, send, describe):
                kept.pop()
            if not progress.is_reachable:
                break
    finally:
        kept.extend(remaining)
        _give_back(taken, run.file, kept)
    return progress.result(kept=len(kept))


def _replay_local(run: KeptRun, send: SendEvent, describe: Callable[[Exception], str], *, spool: RunFiles) -> Replayed:
    """The file stays, with a mark beside it of how much of it was sent; what is refused is kept in the spool."""
    progress = _Progress(run)
    mark = _read_mark(run.file)
    if mark is None:
        file = shown_path(run.file.with_suffix(MARK_SUFFIX))
        progress.remarks.append(f"{file} does not say how much was sent: all of the run's events are sent again")
    sent_bytes = mark or 0
    content = run.file.read_bytes()
    lines = content[sent_bytes:].splitlines(keepends=True)
    number = content[:sent_bytes].count(b"\n")
    done = 0
    try:
        for line in lines:
            number += 1
            if _read_event(line) is None:
                if _may_go_on(run.file, line):
                    progress.reason = f"line {number} of {shown_path(run.file)} is being written"
                    break
                progress.note_damage(f"line {number} of {shown_path(run.file)} holds no lineage event")
                is_sent = True
            else:
                is_sent = progress.send(line, send, describe)
            if not progress.is_reachable:
                break
            if not is_sent and not spool.append(run.run_id, line.rstrip(b"\n")):
                progress.reason = spool.trouble
                break
            done += is_sent
            sent_bytes += len(line)
    finally:
        _write_mark(run.file, sent_bytes)
    return progress.result(kept=len(lines) - done)


class _Progress:
    """What has become of a run's events so far."""

    def __init__(self, run: KeptRun) -> None:
        self._run = run
        self._sent = self._unreadable = 0
        self.reason = ""
        self.is_reachable = True
        self.remarks: list[str] = []

    def send(self, line: bytes, send: SendEvent, describe: Callable[[Exception], str]) -> bool:
        """Send the event in *line*; False where it has to be kept."""
        try:
            send(json.loads(line))
        except Exception as error:  # noqa: BLE001 - any transport's: the event has not arrived
            self.reason = describe(error)
            self.is_reachable = is_refusal(error)
            return False
        self._sent += 1
        return True

    def note_damage(self, remark: str) -> None:
        """Count a line that is no event."""
        self._unreadable += 1
        self.remarks.append(remark)

    def result(self, *, kept: int) -> Replayed:
        """The whole of it."""
        run, counts = self._run, (self._sent, kept, self._unreadable)
        return Replayed(run.run_id, run.origin, *counts, self.reason, self.is_reachable, tuple(self.remarks))


def _read_event(line: bytes) -> Event | None:
    """The event in *line*; None where it is none: half of one, or something else."""
    try:
        event: Event = json.loads(line)
        event["run"]["runId"], event["job"]["name"]
    except (ValueError, KeyError, TypeError):
        return None
    return event


def _may_go_on(file: Path, line: bytes) -> bool:
    """Whether *line*, the last one of *file*, may be one that a run is writing at this moment."""
    return not line.endswith(b"\n") and time.time() - file.stat().st_mtime < _SECONDS_TO_END_A_LINE


def _set_aside(file: Path, line: bytes) -> str:
    """Put a damaged line of the spool beside it; a sentence that says where."""
    aside = file.with_suffix(_DAMAGED)
    with aside.open("a+b") as target:
        target.seek(0)
        number = target.read().count(b"\n") + 1
        target.write(line.rstrip(b"\n") + b"\n")
    return f"a line that holds no lineage event was set aside: line {number} of {shown_path(aside)}"


def _take(file: Path) -> Path:
    """Move the file out of the way of runs that add to it; what an earlier replay has left comes first."""
    taken = file.with_name(file.name + _TAKEN)
    if not file.exists():
        return taken
    if taken.exists():
        with taken.open("ab") as target:
            target.write(file.read_bytes())
        file.unlink()
    else:
        file.rename(taken)
    return taken


def _give_back(taken: Path, file: Path, kept: Sequence[bytes]) -> None:
    """Put back what was kept, before what was added in the meantime."""
    if not kept:
        taken.unlink(missing_ok=True)
        return
    fresh = taken.with_name(taken.name + ".new")
    with fresh.open("wb") as target:
        target.writelines(kept)
        target.flush()
        os.fsync(target.fileno())
    fresh.replace(taken)
    if not file.exists():
        taken.rename(file)


def _files(folder: Path, suffixes: Sequence[str]) -> Iterator[Path]:
    if folder.is_dir():
        yield from (file for file in sorted(folder.iterdir()) if file.name.endswith(tuple(suffixes)))


def _read_mark(file: Path) -> int | None:
    """How many bytes of *file* were sent; None where its mark says nothing that can be."""
    mark = file.with_suffix(MARK_SUFFIX)
    try:
        number = int(mark.read_text())
    except FileNotFoundError:
        return 0
    except (OSError, ValueError):
        return None
    return number if 0 <= number <= file.stat().st_size else None


def _write_mark(file: Path, number: int) -> None:
    fresh = file.with_suffix(f"{MARK_SUFFIX}.new")
    fresh.write_text(str(number))
    fresh.replace(file.with_suffix(MARK_SUFFIX))


def _began(folder: Path, name: str) -> str:
    for suffix in (f"{SUFFIX}{_TAKEN}", SUFFIX):
        try:
            with (folder / f"{name}{suffix}").open("rb") as file:
                return str(json.loads(file.readline())["eventTime"])
        except (OSError, ValueError, KeyError, TypeError):
            continue
    return ""
