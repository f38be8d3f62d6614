"""The project folder: where floe.yaml is, and what lies around it."""

import errno
import os
import re
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from floe_core.errors import DocumentError, Location, Problem, shown_path

FLOE_YAML = "floe.yaml"
FLOE_DIR = ".floe"
ARTIFACTS_FILE = "compiled_artifacts.json"
_OTHER_IN_URLS = re.compile(r"[#?]|%[0-9A-Fa-f]{2}")
MAKE_ROOM = "make room on the disk"
_MAKE_WRITABLE = "make the project folder writable; Dagster can load it from what 'floe compile' wrote elsewhere"
_GITIGNORE = "# Made by floe; everything in this folder can be made again.\n*\n"


def find_project_dir(start: Path) -> Path:
    """The folder that holds floe.yaml: *start* (a folder, or a file in it) or the nearest one above it.

    Raises:
        DocumentError: There is none, or what the nearest one holds by that name is no file.
    """
    folder = _absolute(start)
    folders = list(folder_and_parents(folder if folder.is_dir() else folder.parent))
    for candidate in folders:
        if holds_floe_yaml(candidate):
            _check_is_file(candidate / FLOE_YAML)
            return candidate
    other = next((name for name in ("floe.yml", "Floe.yaml") if (folders[0] / name).is_file()), "")
    raise DocumentError(
        Problem(
            "FLOE-130",
            "there is no floe.yaml",
            Location(shown_path(folders[0])),
            why=f"looked in {shown_path(folders[0])} and in every folder above it",
            fix=f"rename {other} to floe.yaml" if other else "run 'floe init', or name the folder with --project DIR",
        )
    )


def holds_floe_yaml(folder: Path) -> bool:
    """Whether there is anything called floe.yaml in *folder*: whoever wrote a broken one means no other folder's."""
    return os.path.lexists(folder / FLOE_YAML)


def _check_is_file(path: Path) -> None:
    what, fix = _other_than_file(path)
    if what:
        raise DocumentError(Problem("FLOE-130", f"floe.yaml {what}", Location(shown_path(path)), fix=fix))


def _other_than_file(path: Path) -> tuple[str, str]:
    """What *path* is that cannot be read as a document, and what to do about it; nothing where it is a file."""
    replace_it = "put a file in its place, such as 'floe init' makes"
    try:
        mode = path.stat().st_mode
    except FileNotFoundError:
        return f"is a link to '{path.readlink()}', which does not exist", "make that file, or link to another one"
    except OSError as error:
        if error.errno == errno.ELOOP:
            return "is a link that leads back to itself", "link to a file, or put a file in its place"
        return f"cannot be read: {error.strerror}", "let it be read, or link to another file"
    kinds = {
        stat.S_ISREG: "",
        stat.S_ISDIR: "is a folder",
        stat.S_ISFIFO: "is a pipe",
        stat.S_ISSOCK: "is a socket",
    }
    what = next((what for is_one, what in kinds.items() if is_one(mode)), "is a device")
    return what, replace_it if what else ""


def write_whole(file: Path, content: bytes) -> None:
    """Write *content* so that a reader finds the old file or the new one, whole, however many write at once.

    Raises:
        OSError: The file cannot be written; then it is as it was.
    """
    unfinished = file.with_name(f".{file.name}.{os.getpid()}-{os.urandom(4).hex()}")
    try:
        unfinished.write_bytes(content)
        unfinished.replace(file)
    finally:
        unfinished.unlink(missing_ok=True)


def is_disk_full(error: OSError) -> bool:
    """Whether a file could not be written for want of room."""
    return error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


def folder_and_parents(folder: Path) -> Iterator[Path]:
    """*folder* and every folder above it, nearest first."""
    yield folder
    yield from folder.parents


@dataclass(frozen=True)
class ProjectFolder:
    """A folder with a floe.yaml, to which every relative path in that file refers."""

    path: Path

    @property
    def name(self) -> str:
        """Name of the project where floe.yaml gives none: the folder's, in the letters that a name may have."""
        name = re.sub(r"[^A-Za-z0-9_-]+", "-", _absolute(self.path).name)
        return name.strip("-_") or "floe"

    @property
    def floe_yaml(self) -> Path:
        """The document."""
        return self.path / FLOE_YAML

    @property
    def artifacts_file(self) -> Path:
        """Where `floe compile` writes what Dagster loads."""
        return self.path / FLOE_DIR / ARTIFACTS_FILE

    @property
    def floe_dir(self) -> Path:
        """The folder of everything that floe generates, made where that is possible.

        A project that cannot be written still loads from what was compiled before; see `make_floe_dir`.
        """
        try:
            return self.make_floe_dir()
        except DocumentError:
            return self.path / FLOE_DIR

    def can_be_written(self) -> bool:
        """Whether `make_floe_dir` makes it, which is tried."""
        try:
            return self.make_floe_dir().is_dir()
        except DocumentError:
            return False

    def make_floe_dir(self) -> Path:
        """The same folder, which then exists, can be written and is ignored by git.

        Raises:
            DocumentError: It cannot be made or written, or not be named in a URL.
        """
        folder = self.path / FLOE_DIR
        self.check_path()
        ignore = folder / ".gitignore"
        is_full = False
        try:
            folder.mkdir(exist_ok=True)
            if not ignore.exists():
                write_whole(ignore, _GITIGNORE.encode())
            reason = "" if os.access(folder, os.W_OK) else "Permission denied"
        except OSError as error:
            reason, is_full = error.strerror or str(error), is_disk_full(error)
        if reason:
            raise DocumentError(
                Problem(
                    "FLOE-131",
                    f"{shown_path(folder)} cannot be written: {reason}",
                    why="floe keeps compiled artifacts, caches and the embedded warehouse there",
                    fix=MAKE_ROOM if is_full else _MAKE_WRITABLE,
                )
            )
        return folder

    def check_path(self) -> None:
        """See that the project can be where it is.

        Raises:
            DocumentError: Its path means something else in URLs.
        """
        other = _OTHER_IN_URLS.search(str(_absolute(self.path)))
        if other is None:
            return
        raise DocumentError(
            Problem(
                "FLOE-132",
                f"the path of the project folder holds '{other[0]}'",
                Location(shown_path(_absolute(self.path))),
                why="Dagster, dbt and the catalog name files below it by URLs, in which that means something else",
                fix="rename the folder, or move the project elsewhere",
            )
        )

    @property
    def repository_root(self) -> Path | None:
        """The nearest folder with a `.git`, from the project folder upwards; None outside of a repository."""
        folders = folder_and_parents(_absolute(self.path))
        return next((folder for folder in folders if (folder / ".git").exists()), None)

    @property
    def topmost_package_parent(self) -> Path:
        """The folder from which the project folder's modules are imported by their full names.

        A project folder that is not itself a package is that folder.
        """
        folder = _absolute(self.path)
        while (folder / "__init__.py").is_file() and folder.parent != folder:
            folder = folder.parent
        return folder


def _absolute(path: Path) -> Path:
    return Path(os.path.abspath(path))  # noqa: PTH100  # symbolic links stay as the user named them
