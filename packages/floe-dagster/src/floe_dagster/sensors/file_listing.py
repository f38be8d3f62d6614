"""What is in a watched folder: the regular files that match, as they stand at one moment."""

import os
import re
import stat
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from hashlib import blake2b
from pathlib import Path
from typing import NamedTuple

from floe_core.selection.globs import Glob, GlobError, parse_glob

_HIDDEN = re.compile(r"(?:^|[/{,\[])\.")


class FoundFile(NamedTuple):
    """A file, with what the file system says of it without reading it.

    Args:
        path: Below the watched folder, with `/` between its parts. Bytes that are no UTF-8 are Python's surrogates,
            so that `open` takes it.
        key: A number for the path, by its bytes.
        size: Bytes.
        modified: What programs say when the content was changed, in nanoseconds since 1970; anybody may set it.
        changed: When the file system last changed anything of the file, its name included, in nanoseconds; nobody can
            set it.
        inode: Of the file itself, where the path is a symbolic link.
        folder: The index of its folder among the folders of the listing.
    """

    path: str
    key: int
    size: int
    modified: int
    changed: int
    inode: int
    folder: int


class FoundFolder(NamedTuple):
    """A folder that was looked into: a number for its path and inode, when it changed, and the index of its parent."""

    key: int
    changed: int
    parent: int


@dataclass(frozen=True)
class Listing:
    """The files that match, the folders that may hold such, and what could not be read, in words."""

    files: list[FoundFile] = field(default_factory=list)
    folders: list[FoundFolder] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)


class FolderUnavailableError(Exception):
    """The watched folder cannot be read now; the text is the reason."""

    @property
    def is_missing(self) -> bool:
        """Whether there is no such folder, so that nothing is in it."""
        return isinstance(self.__cause__, FileNotFoundError)


@dataclass(frozen=True)
class FilePattern:
    """A glob over paths below a folder, or over names alone where any folder will do.

    As in a shell, a name that begins with a dot is matched only by a pattern in which a name does: programs that copy
    files keep unfinished ones under such names.
    """

    matches: Callable[[str], bool]
    is_of_name: bool
    sees_hidden: bool
    most_parents: int | None
    parents: tuple[Glob, ...]

    @classmethod
    def of(cls, text: str) -> "FilePattern":
        """Read *text*, a glob as `floe_core` checked it."""
        text = text.removeprefix("./")
        most = None if "**" in text else text.count("/")
        inner = text.removeprefix("**/")
        is_of_name = most is None and "/" not in inner and "**" not in inner
        matches = parse_glob(inner if is_of_name else text).matches_text
        return cls(
            matches,
            is_of_name,
            sees_hidden=bool(_HIDDEN.search(text)),
            most_parents=most,
            parents=(*_leading_parts(text),),
        )

    def enters(self, path: str) -> bool:
        """Whether a file that matches may lie below the folder *path*."""
        parts = path.split("/")
        if self.most_parents is not None and len(parts) > self.most_parents:
            return False
        return all(glob.matches_text(part) for glob, part in zip(self.parents, parts, strict=False))


def list_folder(root: Path, pattern: FilePattern) -> Listing:
    """The files below *root* that match, at any depth that the pattern reaches.

    Symbolic links are followed, to folders only where they do not lead back to a folder that they are in. What is no
    regular file in the end (a folder, a broken link, a pipe, a device) is no file here.

    Raises:
        FolderUnavailableError: *root* is missing, no folder, or cannot be read.
    """
    try:
        info = root.stat()
        if not stat.S_ISDIR(info.st_mode):
            raise FolderUnavailableError(f"'{show_path(str(root))}' is no folder")
        found = Listing()
        walk = _Walk(root, pattern, found)
        walk.look_into("", info, -1, frozenset())
    except OSError as error:
        raise FolderUnavailableError(_why_unavailable(root, error)) from error
    walk.look_below()
    return found


def show_path(path: str) -> str:
    r"""*path* as text that can be shown and stored: bytes that are no UTF-8 as `\xff`."""
    return path.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


class _Place(NamedTuple):
    path: str
    parent: int
    above: frozenset[tuple[int, int]]


@dataclass
class _Walk:
    root: Path
    pattern: FilePattern
    found: Listing
    waiting: list[_Place] = field(default_factory=list)

    def look_below(self) -> None:
        """Look into every folder that was found on the way."""
        while self.waiting:
            place = self.waiting.pop()
            try:
                info = Path(self.root, place.path).stat()
                if (info.st_dev, info.st_ino) not in place.above:
                    self.look_into(place.path, info, place.parent, place.above)
            except FileNotFoundError:
                continue  # it was removed since its parent was read
            except OSError as error:
                self.found.problems.append(f"'{show_path(place.path)}' cannot be read: {error.strerror}")

    def look_into(self, path: str, info: os.stat_result, parent: int, above: frozenset[tuple[int, int]]) -> None:
        matches, sees_hidden, is_regular = self.pattern.matches, self.pattern.sees_hidden, stat.S_ISREG
        is_of_name = self.pattern.is_of_name
        add = self.found.files.append
        index = len(self.found.folders)
        # before its entries are read: what cannot be read just now is still there
        self.found.folders.append(FoundFolder(number_of(f"{info.st_ino}/{path}"), info.st_ctime_ns, parent))
        inside = above | {(info.st_dev, info.st_ino)}
        prefix = f"{path}/" if path else ""
        with os.scandir(Path(self.root, path)) as entries:
            for entry in entries:
                name = entry.name
                if name[0] == "." and not sees_hidden:
                    continue
                inner = prefix + name
                try:
                    if entry.is_dir():
                        if self.pattern.enters(inner):
                            self.waiting.append(_Place(inner, index, inside))
                    elif matches(name if is_of_name else inner):
                        found = entry.stat()
                        if is_regular(found.st_mode):
                            times = (found.st_size, found.st_mtime_ns, found.st_ctime_ns, found.st_ino)
                            add(FoundFile(inner, number_of(inner), *times, index))
                except OSError as error:
                    self._note(inner, entry, error)

    def _note(self, path: str, entry: "os.DirEntry[str]", error: OSError) -> None:
        """A link that leads nowhere, or in circles, is no file; nor is one that was just removed."""
        if isinstance(error, FileNotFoundError) or (entry.is_symlink() and not isinstance(error, PermissionError)):
            return
        if self.pattern.matches(entry.name if self.pattern.is_of_name else path):
            self.found.problems.append(f"'{show_path(path)}' cannot be read: {error.strerror}")


@lru_cache(maxsize=2**17)  # the next tick sees the same paths
def number_of(path: str) -> int:
    """A number below 2**64 for a path, by its bytes."""
    digest = blake2b(path.encode("utf-8", "surrogateescape"), digest_size=8).digest()
    return int.from_bytes(digest, "big")


def _leading_parts(text: str) -> Iterator[Glob]:
    """The globs of the folders above what *text* matches, as far as each stands for one folder."""
    if "{" in text:
        return
    for part in text.split("/")[:-1]:
        if "**" in part:
            return
        try:
            yield parse_glob(part)
        except GlobError:
            return


def _why_unavailable(root: Path, error: OSError) -> str:
    shown = show_path(str(root))
    match error:
        case FileNotFoundError():
            return f"folder '{shown}' does not exist"
        case NotADirectoryError():
            return f"'{shown}' is no folder"
        case _:
            return f"folder '{shown}' cannot be read: {error.strerror}"
