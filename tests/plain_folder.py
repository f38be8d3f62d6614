"""A watched folder without a disk: files as a listing has them, and what ticks over them decide."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from hashlib import blake2b

from floe_dagster.sensors.file_comparison import compare_files
from floe_dagster.sensors.file_cursor import FileCursor, parse_cursor
from floe_dagster.sensors.file_decision import FileLimits, choose_files, decide_files
from floe_dagster.sensors.file_listing import FoundFile, FoundFolder
from floe_dagster.sensors.file_versions import FileVersion

SECOND = 10**9
START = 1_700_000_000 * SECOND
_LIMITS = FileLimits(settle=5 * SECOND, started=100)


@dataclass
class PlainFolder:
    """Files in folders, and a sensor that looks at them; the instance keeps the ids of all versions that started."""

    limits: FileLimits = _LIMITS
    now: int = START
    files: dict[str, FoundFile] = field(default_factory=dict)
    contents: dict[str, int] = field(default_factory=dict)
    folders: dict[str, FoundFolder] = field(default_factory=lambda: {"": FoundFolder(1, START - 10**15, -1)})
    cursor: FileCursor | None = None
    started: list[str] = field(default_factory=list)
    runs: set[str] = field(default_factory=set)
    ids: dict[str, str] = field(default_factory=dict)
    asked: int = 0

    def write(self, path: str, *, content: int = 1, size: int = 10, modified: int | None = None) -> None:
        parent = path.rpartition("/")[0]
        inode = self.files[path].inode if path in self.files else len(self.contents) + 1
        index = list(self.folders).index(parent)
        self.files[path] = FoundFile(path, key_of(path), size, modified or self.now, self.now, inode, index)
        self.contents[path] = content

    def add_folder(self, path: str, *, number: int) -> None:
        self.folders[path] = FoundFolder(number, self.now, 0)

    def touch(self, paths: Iterable[str]) -> None:
        """What `chmod` does."""
        for path in paths:
            self.files[path] = self.files[path]._replace(changed=self.now)

    def remove(self, paths: Iterable[str]) -> None:
        for path in list(paths):
            del self.files[path], self.contents[path]

    def tick(self, *, watched: str = "w", refused: int = 0) -> list[str]:
        """The paths that one tick starts, a minute later."""
        self.now += 60 * SECOND
        cursor = self.cursor or FileCursor(
            self.now, self.now, watched, folders={f.key: 0 for f in self.folders.values()}
        )
        files = list(self.files.values())
        comparison = compare_files(cursor, files, list(self.folders.values()), watched=watched, now=self.now)
        choice = choose_files(comparison, now=self.now, limits=self.limits)
        versions = {each.file.key: FileVersion(each.file, self.contents[each.file.path]) for each in choice.examined}
        known = {version.id for version in versions.values()} & self.runs
        self.asked += sum(each.doubt.name == "RUNS" for each in choice.examined)
        decision = decide_files(choice, versions, known=known, limits=self.limits, watched=watched, refused=refused)
        text = decision.cursor.to_text()
        assert len(text) <= 64 * 1024
        self.cursor = parse_cursor(text)
        assert self.cursor == decision.cursor
        paths = [version.file.path for version in decision.started]
        self.ids |= {version.file.path: version.id for version in decision.started}
        self.runs |= {version.id for version in decision.started}
        self.started += paths
        return paths

    def ticks(self) -> list[str]:
        """What the next ticks start, until one starts nothing."""
        found: list[str] = []
        while paths := self.tick():
            found += paths
        return found


def key_of(path: str) -> int:
    return int.from_bytes(blake2b(path.encode(), digest_size=8).digest(), "big")
