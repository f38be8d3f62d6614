"""The columns of tables as they were told last, so that what reads a table is read alike, whatever else is built."""

import hashlib
import json
import os
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from floe_dagster.observability.datasets import DatasetId

_LARGEST_FILE = 256 * 1024
_MOST_FILES = 20_000


@dataclass(frozen=True, slots=True)
class TableColumns:
    """What was known of a table when it was written.

    Args:
        names: Its columns, in their order where they are all.
        are_all: Whether it had no others.
        made_of: The checksum of the dbt node that wrote it; nothing where a Python asset did.
    """

    names: tuple[str, ...]
    are_all: bool = False
    made_of: str = ""


class KnownColumns:
    """Keeps columns for later calls: a small file for each table, which is replaced at one stroke.

    Where files cannot be written or read, this process knows what it has written itself.

    Args:
        folder: Where they are; made when the first is written. None keeps nothing.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = folder
        self._own: dict[DatasetId, TableColumns] = {}

    def find(self, table: DatasetId, *, made_of: str = "") -> TableColumns | None:
        """What *table* had when it was written last, unless something else wrote it than would now."""
        found = self._read(table) or self._own.get(table)
        return found if found is not None and found.made_of == made_of else None

    def note(self, table: DatasetId, columns: TableColumns) -> None:
        """*table* was written."""
        is_first = not self._own
        self._own[table] = columns
        if self._folder is None:
            return
        content = {"table": [table.namespace, table.name], "columns": columns.names, "all": columns.are_all}
        text = json.dumps({**content, "made_of": columns.made_of}, ensure_ascii=False)
        text = text if len(text) <= _LARGEST_FILE else "{}"
        file = self._file(self._folder, table)
        with suppress(OSError, UnicodeEncodeError):
            if _holds(file, text):
                os.utime(file)  # it is not the oldest
            else:
                self._folder.mkdir(parents=True, exist_ok=True)
                _replace(file, text)
            if is_first:
                _make_room(self._folder)

    def forget(self, table: DatasetId) -> None:
        """*table* was written, with columns that nobody knows."""
        self._own.pop(table, None)
        if self._folder is not None:
            with suppress(OSError):
                self._file(self._folder, table).unlink(missing_ok=True)

    def _read(self, table: DatasetId) -> TableColumns | None:
        if self._folder is None:
            return None
        try:
            found: dict[str, Any] = json.loads(self._file(self._folder, table).read_bytes())
            if found["table"] != [table.namespace, table.name]:
                return None
            names = tuple(str(name) for name in found["columns"])
            return TableColumns(names, are_all=found["all"] is True, made_of=str(found["made_of"]))
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def _file(self, folder: Path, table: DatasetId) -> Path:
        digest = hashlib.sha256(f"{table.namespace}\n{table.name}".encode(errors="replace")).hexdigest()
        return folder / f"{digest[:32]}.json"


def _holds(file: Path, text: str) -> bool:
    try:
        return file.read_bytes() == text.encode()
    except FileNotFoundError:
        return False


def _replace(file: Path, text: str) -> None:
    unfinished = file.with_name(f".{file.name}.{os.getpid()}")
    try:
        unfinished.write_text(text, encoding="utf-8")
        unfinished.replace(file)
    except BaseException:
        unfinished.unlink(missing_ok=True)
        raise


def _make_room(folder: Path) -> None:
    """Delete the oldest files beyond those that are kept."""
    files = list(folder.iterdir())
    if len(files) > _MOST_FILES:
        for file in sorted(files, key=lambda each: each.stat().st_mtime)[:-_MOST_FILES]:
            file.unlink(missing_ok=True)
