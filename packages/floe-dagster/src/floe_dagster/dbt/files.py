"""Where floe keeps what dbt reads and writes: one folder below `.floe/dbt` for each target."""

import hashlib
import json
import os
import re
import shutil
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

_UNNAMED_TARGET = "default"
_KEPT = 10
_IDLE_SECONDS = 3600


@dataclass(frozen=True)
class DbtFolder:
    """The files of one target.

    `compiled` is what `floe compile` wrote; `state` is where runs write, the same folder where that is writable.
    """

    compiled: Path
    state: Path

    @property
    def manifest(self) -> Path:
        """The manifest that `floe compile` had made."""
        return self.compiled / "manifest.json"

    @property
    def partial_parse(self) -> Path:
        """The parsed project as dbt keeps it."""
        return self.compiled / "partial_parse.msgpack"


def dbt_folder(floe_dir: Path, target: str | None) -> DbtFolder:
    """The folder of *target*; where `.floe` is read-only, runs write to a private temporary folder."""
    compiled = floe_dir / "dbt" / re.sub(r"[^A-Za-z0-9_.-]", "_", target or _UNNAMED_TARGET)
    return DbtFolder(compiled=compiled, state=writable_folder(compiled))


def writable_folder(folder: Path) -> Path:
    """*folder*, made if need be; if that cannot be written, a private temporary one that is the same every time."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        return _private_folder(folder)
    return folder if os.access(folder, os.W_OK) else _private_folder(folder)


def write_profile(profiles: Mapping[str, object], *, floe_dir: Path) -> Path:
    """Write a generated profile; gives the folder to use as dbt's profiles directory.

    The folder is named by the digest of its content, so that processes of two environments never see each other's.
    A copy, for people, stands in `.floe/dbt/profiles.yml`.

    Args:
        profiles: Profile name → `target` and `outputs`, as in a profiles.yml; secrets as `{{ env_var(…) }}`.
        floe_dir: The project's `.floe`.
    """
    text = json.dumps(profiles, indent=2, ensure_ascii=False) + "\n"  # JSON is YAML
    root = writable_folder(floe_dir / "dbt")
    folder = root / "profiles" / hashlib.sha256(text.encode()).hexdigest()[:12]
    replace_text(folder / "profiles.yml", text)
    replace_text(root / "profiles.yml", text)
    return folder


def replace_text(file: Path, text: str) -> None:
    """Make *text* the content of *file*; a file that holds it already is left alone."""
    try:
        if file.read_text(encoding="utf-8") == text:
            return
    except (OSError, UnicodeDecodeError):
        pass  # it is not there, or not ours: written now
    replace_file(file, lambda unfinished: unfinished.write_text(text, encoding="utf-8"))


def replace_file(file: Path, write: Callable[[Path], object]) -> None:
    """Let *write* make a file and put it in the place of *file* at one stroke, so that nobody reads half of it."""
    file.parent.mkdir(parents=True, exist_ok=True)
    unfinished = file.with_name(f".{file.name}.{os.getpid()}")
    try:
        write(unfinished)
        unfinished.replace(file)
    finally:
        unfinished.unlink(missing_ok=True)


def copy_file(source: Path, destination: Path) -> None:
    """Make *destination* a copy of *source*; where that is not there, neither is *destination* afterwards."""
    if source.is_file():
        replace_file(destination, lambda unfinished: shutil.copyfile(source, unfinished))
    else:
        destination.unlink(missing_ok=True)


def prune(folder: Path, *, keep: int = _KEPT, idle_seconds: float = _IDLE_SECONDS) -> None:
    """Remove all but the newest *keep* entries of *folder*, and none that was written to in the last *idle_seconds*."""
    entries = sorted(folder.iterdir(), key=_last_written, reverse=True) if folder.is_dir() else []
    for entry in entries[keep:]:
        if time.time() - _last_written(entry) > idle_seconds:
            if entry.is_dir():
                shutil.rmtree(entry, ignore_errors=True)
            else:
                entry.unlink(missing_ok=True)


def _last_written(path: Path) -> float:
    """Of a folder, the time of its newest file: dbt's log goes on while dbt runs."""
    try:
        return max([path.stat().st_mtime, *(child.stat().st_mtime for child in path.iterdir())])
    except NotADirectoryError:
        return path.stat().st_mtime
    except OSError:
        return 0.0  # another process removed it


def _private_folder(folder: Path) -> Path:
    private = (
        Path(tempfile.gettempdir()) / f"floe-{os.getuid()}" / hashlib.sha256(str(folder).encode()).hexdigest()[:16]
    )
    private.parent.mkdir(mode=0o700, exist_ok=True)
    if private.parent.stat().st_uid != os.getuid():  # somebody else made it first, to read along
        return Path(tempfile.mkdtemp(prefix="floe-"))
    private.mkdir(mode=0o700, exist_ok=True)
    return private
