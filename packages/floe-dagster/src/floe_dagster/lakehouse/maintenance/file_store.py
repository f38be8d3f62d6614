"""The files below a table's location: listed, dated and deleted where they are stored."""

import os
import posixpath
import stat
import uuid
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from pyarrow.fs import FileSelector, FileSystem, FileType
from pyiceberg.io import FileIO
from pyiceberg.io.pyarrow import PyArrowFileIO

CLOCK_SUFFIX = ".floe-clock"


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A file, and when its store says it was written."""

    path: str
    bytes: int
    written_at: datetime


class FileStore(ABC):
    """The files below one folder, and nothing outside of it: links are neither followed nor deleted."""

    @abstractmethod
    def files(self) -> Iterator[StoredFile]:
        """Every file, in no order; those that go meanwhile are left out."""

    @abstractmethod
    def delete(self, file: StoredFile) -> bool:
        """Delete *file* as it was listed; False where it has gone or was written anew meanwhile."""

    @abstractmethod
    def clock(self) -> datetime:
        """What the time is for the store, by the date that it gives to a file written now."""


def open_store(location: str, io: FileIO) -> FileStore:
    """The files below *location*."""
    scheme, netloc, path = PyArrowFileIO.parse_location(location)
    if scheme == "file":
        return LocalFiles(Path(path))
    arrow = io if isinstance(io, PyArrowFileIO) else PyArrowFileIO(io.properties)
    return ArrowFiles(arrow.fs_by_scheme(scheme, netloc), path)


class LocalFiles(FileStore):
    """Files of this machine, or of a share that it has mounted."""

    def __init__(self, folder: Path) -> None:
        self._folder = os.path.realpath(folder)

    def files(self) -> Iterator[StoredFile]:
        """Every regular file."""
        for folder, _, names in os.walk(self._folder, followlinks=False, onerror=_unless_gone):
            for name in names:
                path = os.path.join(folder, name)  # noqa: PTH118  # many files
                with suppress(FileNotFoundError):
                    status = os.lstat(path)
                    if stat.S_ISREG(status.st_mode):
                        yield StoredFile(path, status.st_size, datetime.fromtimestamp(status.st_mtime, UTC))

    def delete(self, file: StoredFile) -> bool:
        """Delete *file*, if its folder is still where it was."""
        path = Path(file.path)
        if os.path.realpath(path.parent) != str(path.parent):
            return False
        with suppress(FileNotFoundError):
            status = path.lstat()
            if stat.S_ISREG(status.st_mode) and datetime.fromtimestamp(status.st_mtime, UTC) == file.written_at:
                path.unlink()
                return True
        return False

    def clock(self) -> datetime:
        """The date of a file that is written and deleted."""
        folder = Path(self._folder) / "metadata"
        probe = (folder if folder.is_dir() else Path(self._folder)) / f"{uuid.uuid4()}{CLOCK_SUFFIX}"
        probe.touch(exist_ok=False)
        try:
            return datetime.fromtimestamp(probe.stat().st_mtime, UTC)
        finally:
            probe.unlink()


class ArrowFiles(FileStore):
    """Objects of a store that Arrow reaches."""

    def __init__(self, store: FileSystem, folder: str) -> None:
        self._store, self._folder = store, folder.rstrip("/")

    def files(self) -> Iterator[StoredFile]:
        """Every object below the folder."""
        for info in self._store.get_file_info(FileSelector(self._folder, recursive=True, allow_not_found=True)):
            if info.type == FileType.File:
                yield StoredFile(info.path, info.size, _date_of(info.mtime))

    def delete(self, file: StoredFile) -> bool:
        """Delete the object, if it is still the one that was listed."""
        info = self._store.get_file_info(file.path)
        if info.type != FileType.File or _date_of(info.mtime) != file.written_at:
            return False
        self._store.delete_file(file.path)
        return True

    def clock(self) -> datetime:
        """The date of an object that is written and deleted."""
        probe = posixpath.join(self._folder, f"{uuid.uuid4()}{CLOCK_SUFFIX}")
        with self._store.open_output_stream(probe) as stream:
            stream.write(b"\n")
        try:
            return _date_of(self._store.get_file_info(probe).mtime)
        finally:
            self._store.delete_file(probe)


def _unless_gone(error: OSError) -> None:
    """A folder that cannot be listed hides files; one that has gone has none."""
    if not isinstance(error, FileNotFoundError):
        raise error


def _date_of(time: datetime | None) -> datetime:
    """A file of unknown date counts as new."""
    return datetime.max.replace(tzinfo=UTC) if time is None else time.astimezone(UTC)
