"""Versions of files: what tells two states of a file apart, with its content where size and times cannot."""

import os
import stat
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path

from floe_dagster.sensors.file_listing import FoundFile, show_path

MOST_READ = 64 * 2**20
"""Bytes. To read a larger file would take a tick too long: its inode and the time when the file system last changed it
stand for its content. So `chmod` makes another version of such a file, and of no smaller one."""
_PIECE = 2**20
_MASK = 2**64 - 1


@dataclass(frozen=True, slots=True)
class FileVersion:
    """A file as it stands, with a number for its content, which is never 0."""

    file: FoundFile
    content: int

    @property
    def id(self) -> str:
        """The same text for the same path, size, modification time and content."""
        file = self.file
        named = f"{file.size} {file.modified} {self.content} ".encode() + os.fsencode(file.path)
        return blake2b(named, digest_size=12).hexdigest()


class UnreadableError(Exception):
    """A file is there and cannot be read; the text is the reason."""


def stamp_of(file: FoundFile) -> int:
    """A number below 2**48 for size and modification time."""
    mixed = (file.size * 0x9E3779B97F4A7C15 + file.modified * 0xC2B2AE3D27D4EB4F) & _MASK
    return (mixed ^ mixed >> 29) * 0xBF58476D1CE4E5B9 >> 16 & 2**48 - 1


def touch_of(file: FoundFile) -> int:
    """A number below 2**32 for what changes with everything that happens to a file: its inode and its last change."""
    mixed = (file.inode * 0x9E3779B97F4A7C15 + file.changed * 0xC2B2AE3D27D4EB4F) & _MASK
    return (mixed ^ mixed >> 29) * 0xBF58476D1CE4E5B9 >> 32 & 2**32 - 1


def is_read(file: FoundFile) -> bool:
    """Whether the bytes of *file* are read to tell its versions apart."""
    return file.size <= MOST_READ


def read_version(root: Path, file: FoundFile) -> FileVersion | None:
    """The version of a file that was found; None where it is not the same file any more, or was written meanwhile.

    Raises:
        UnreadableError: The file cannot be read.
    """
    if not is_read(file):
        noted = f"{file.inode} {file.changed}".encode()
        return FileVersion(file, _number(blake2b(noted, digest_size=16)))
    try:
        # a pipe that took the place of the file would keep `open` waiting
        descriptor = os.open(root / file.path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise UnreadableError(f"'{show_path(file.path)}' cannot be read: {error.strerror}") from error
    try:
        if not _is_same(os.fstat(descriptor), file):
            return None
        digest = blake2b(digest_size=16)
        while piece := os.read(descriptor, _PIECE):
            digest.update(piece)
        return FileVersion(file, _number(digest)) if _is_same(os.fstat(descriptor), file) else None
    except OSError as error:
        raise UnreadableError(f"'{show_path(file.path)}' cannot be read: {error.strerror}") from error
    finally:
        os.close(descriptor)


def _is_same(status: os.stat_result, file: FoundFile) -> bool:
    now = (status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino)
    return stat.S_ISREG(status.st_mode) and now == (file.size, file.modified, file.changed, file.inode)


def _number(digest: blake2b) -> int:
    return int.from_bytes(digest.digest(), "big") or 1
