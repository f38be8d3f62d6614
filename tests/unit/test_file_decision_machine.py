"""Whatever happens to files between ticks: each settled version starts exactly once, listed or sketched."""

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from floe_dagster.sensors.file_decision import FileLimits
from floe_dagster.sensors.file_listing import FoundFile
from plain_folder import SECOND, PlainFolder, key_of

NAMES = st.sampled_from([f"{folder}{name}" for folder in ("", "sub/") for name in "abcdefgh"])
Version = tuple[str, int, int, int]


class FileMachine(RuleBasedStateMachine):
    """Files that appear, change and go; a daemon that is killed; clocks that are set."""

    listed = 1000

    def __init__(self) -> None:
        super().__init__()
        self.folder = PlainFolder(limits=FileLimits(settle=5 * SECOND, started=3, listed=self.listed))
        self.folder.add_folder("sub", number=2)
        self.started: list[Version] = []
        self.away: tuple[dict[str, FoundFile], dict[str, int]] | None = None
        self.inode = 100

    def version_of(self, path: str) -> Version:
        file = self.folder.files[path]
        return (path, file.size, file.modified, self.folder.contents[path])

    @rule(
        name=NAMES, content=st.integers(1, 3), size=st.integers(1, 2), age=st.sampled_from([None, 0, 10**15, -(10**15)])
    )
    def write(self, name: str, content: int, size: int, age: int | None) -> None:
        self.pass_time(1)
        self.folder.write(name, content=content, size=size, modified=None if age is None else self.folder.now - age)

    @rule(name=NAMES, content=st.integers(1, 3), replaces=st.booleans())
    def rewrite_alike(self, name: str, content: int, replaces: bool) -> None:
        """Another content of the same size and modification time, in place or in a file that takes its place."""
        if name in self.folder.files:
            self.pass_time(1)
            self.inode += replaces
            file = self.folder.files[name]
            inode = self.inode if replaces else file.inode
            self.folder.files[name] = file._replace(changed=self.folder.now, inode=inode)
            self.folder.contents[name] = content

    @rule(name=NAMES, other=NAMES, copies=st.booleans())
    def move(self, name: str, other: str, copies: bool) -> None:
        """Rename or copy, with the modification time of old."""
        if name in self.folder.files and name != other:
            self.pass_time(1)
            file = self.folder.files[name]
            self.inode += copies
            index = 1 if other.startswith("sub/") else 0
            self.folder.files[other] = file._replace(
                path=other,
                key=key_of(other),
                changed=self.folder.now,
                inode=self.inode if copies else file.inode,
                folder=index,
            )
            self.folder.contents[other] = self.folder.contents[name]
            if not copies:
                self.folder.remove([name])

    @rule(name=NAMES)
    def touch(self, name: str) -> None:
        if name in self.folder.files:
            self.pass_time(1)
            self.folder.touch([name])

    @rule(name=NAMES)
    def delete(self, name: str) -> None:
        if name in self.folder.files:
            self.folder.remove([name])

    @precondition(lambda self: self.away is None)
    @rule()
    def empty(self) -> None:
        self.away = (self.folder.files, self.folder.contents)
        self.folder.files, self.folder.contents = {}, {}

    @precondition(lambda self: self.away is not None)
    @rule()
    def restore(self) -> None:
        assert self.away is not None
        self.folder.files, self.folder.contents = self.away
        self.away = None

    @rule()
    def new_sub_folder(self) -> None:
        """Another folder takes the place of one, with the files in it and their times."""
        self.pass_time(1)
        self.inode += 1
        del self.folder.folders["sub"]
        self.folder.add_folder("sub", number=self.inode)

    @rule(seconds=st.sampled_from([1, 6, 3600]))
    def pass_time(self, seconds: int) -> None:
        self.folder.now += seconds * SECOND

    @rule(launches=st.integers(0, 3), stores=st.booleans())
    def tick(self, launches: int, stores: bool) -> None:
        """A tick; the daemon may be killed after some of its runs, or before it stores the cursor."""
        before, runs = self.folder.cursor, set(self.folder.runs)
        paths = self.folder.tick()
        if not stores:
            self.folder.cursor = before
            paths = paths[:launches]
            self.folder.runs = runs | {self.folder.ids[path] for path in paths}
        # Dagster passes over requests whose run keys have runs
        self.started += [self.version_of(path) for path in paths if self.folder.ids[path] not in runs]

    @invariant()
    def nothing_starts_twice(self) -> None:
        assert len(set(self.started)) == len(self.started), self.started

    def teardown(self) -> None:
        self.pass_time(3600)
        for _ in range(20):
            self.tick(launches=0, stores=True)
        assert {self.version_of(path) for path in self.folder.files} <= set(self.started)
        self.nothing_starts_twice()


class SketchMachine(FileMachine):
    """The same with a sketch from the fourth file on."""

    listed = 3


@pytest.mark.requirement("010-FR-030")
@pytest.mark.parametrize("machine", [FileMachine, SketchMachine])
def test_each_settled_version_starts_once(machine: type[FileMachine]) -> None:
    examples = settings().max_examples * 2 // 5
    run_state_machine_as_test(machine, settings=settings(max_examples=examples, stateful_step_count=40))
