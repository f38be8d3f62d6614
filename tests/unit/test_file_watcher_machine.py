"""Each settled version of each file starts exactly once: real files, Dagster's sensor, an instance, a killed daemon."""

import os
import shutil
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import time_machine
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from file_watching import Watched, files_of

NAMES = st.sampled_from([b"a", b"b.csv", b"sub/c", b"sub/d\xff", b"line\nbreak", "ünï☃".encode()])
TEXTS = st.sampled_from(["one", "two", "longer"])
Version = tuple[str, int, int, str]


class FolderMachine(RuleBasedStateMachine):
    """A folder in which anything happens, and a daemon that is killed now and then.

    The clock of the file system cannot be set. A tick at the time that it is finds all files unsettled, one at ten
    seconds later finds them settled; between the two the clock is set back.
    """

    fields = "job: load, pattern: '**', max_files_per_tick: 3, settle_seconds: 5"

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp())
        self.watched = Watched(self.folder, self.fields)
        self.path = self.watched.path
        self.started: list[Version] = []

    @initialize()
    def begin(self) -> None:
        (self.path / "sub").mkdir()

    def at(self, name: bytes) -> Path:
        return self.path / os.fsdecode(name)

    @property
    def is_away(self) -> bool:
        return not self.path.exists()

    @rule(name=NAMES, text=TEXTS, modified=st.sampled_from([None, 1, 10**18, 4 * 10**18]))
    def write(self, name: bytes, text: str, modified: int | None) -> None:
        if not self.is_away:
            self.watched.write(name, text, modified=modified)

    @rule(name=NAMES, text=TEXTS)
    def append(self, name: bytes, text: str) -> None:
        if self.at(name).exists():
            with self.at(name).open("a") as file:
                file.write(text)

    @rule(name=NAMES, replaces=st.booleans())
    def rewrite_alike(self, name: bytes, replaces: bool) -> None:
        """Other content of the same size and modification time, in place or in a file that takes its place."""
        path = self.at(name)
        if not path.exists():
            return
        before = path.stat()
        text = path.read_text()[::-1].swapcase()
        target = self.folder / "beside" if replaces else path

        def change() -> None:
            target.write_text(text)
            os.utime(target, ns=(before.st_atime_ns, before.st_mtime_ns))

        _until_it_shows(target, change, before.st_ctime_ns)
        target.replace(path)

    @rule(name=NAMES, other=NAMES, copies=st.booleans())
    def move(self, name: bytes, other: bytes, copies: bool) -> None:
        """Rename or copy, with the modification time of old."""
        if self.at(name).exists() and name != other:
            if copies:
                shutil.copy2(self.at(name), self.at(other))
            else:
                self.at(name).rename(self.at(other))

    @rule(name=NAMES)
    def change_mode(self, name: bytes) -> None:
        if self.at(name).exists():
            self.at(name).chmod(0o640)
            self.at(name).chmod(0o644)

    @rule(name=NAMES)
    def delete(self, name: bytes) -> None:
        self.at(name).unlink(missing_ok=True)

    @precondition(lambda self: not self.is_away)
    @rule()
    def take_away(self) -> None:
        self.path.rename(self.folder / "away")

    @precondition(lambda self: self.is_away)
    @rule()
    def bring_back(self) -> None:
        (self.folder / "away").rename(self.path)

    @precondition(lambda self: not self.is_away)
    @rule()
    def rename_sub_folder(self) -> None:
        (self.path / "sub").rename(self.path / f"sub{time.monotonic_ns()}")
        (self.path / "sub").mkdir()

    @rule()
    def reload(self) -> None:
        self.watched.reload()

    @rule()
    def tick_too_early(self) -> None:
        assert self.watched.tick() == []

    @rule(launches=st.integers(0, 3), stores=st.booleans())
    def tick(self, launches: int, stores: bool) -> None:
        """A tick; the daemon may be killed after some of its runs, or before it stores the cursor."""
        with time_machine.travel(time.time() + 10):
            launched = self.watched.tick(launches=None if stores else launches, stores=stores)
        for request in launched:
            self.started += [self.version_of(Path(path)) for path in files_of(request)]

    def version_of(self, path: Path) -> Version:
        status = path.stat()
        return (str(path), status.st_size, status.st_mtime_ns, path.read_text())

    @invariant()
    def nothing_starts_twice(self) -> None:
        assert len(set(self.started)) == len(self.started), self.started

    def teardown(self) -> None:
        if self.is_away:
            self.bring_back()
        for _ in range(12):
            self.tick(launches=0, stores=True)
        files = [path for path in self.path.rglob("*") if path.is_file()]
        assert {self.version_of(path) for path in files} <= set(self.started)
        self.nothing_starts_twice()
        self.watched.instance.dispose()
        shutil.rmtree(self.folder)


class BatchMachine(FolderMachine):
    """The same with one run for all files of a tick, whatever composition a second evaluation finds."""

    fields = "job: load, pattern: '**', max_files_per_tick: 3, settle_seconds: 5, batch: all"


@pytest.mark.requirement("010-FR-030")
@pytest.mark.parametrize("machine", [FolderMachine, BatchMachine])
def test_each_settled_version_starts_once(machine: type[FolderMachine]) -> None:
    examples = settings().max_examples // 10
    run_state_machine_as_test(machine, settings=settings(max_examples=examples, stateful_step_count=30))


def _until_it_shows(path: Path, change: Callable[[], None], changed: int) -> None:
    """Do it until the file system's clock has gone on: two changes at one instant cannot be told apart."""
    change()
    while path.stat().st_ctime_ns == changed:
        change()
