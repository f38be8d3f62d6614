"""YAML text → plain value, with the line and column of every value and key.

Documents are read as YAML 1.2 (core schema) with one restriction and one extension: every key is text, and `<<` merges.
"""

import errno
import stat
from dataclasses import dataclass
from pathlib import Path

import yaml  # noqa: TID251  # this module and yaml_text read YAML

from floe_core.errors import DocumentError, Location, Problem, YamlSyntaxError, shown_path
from floe_core.source_map import SourceMap
from floe_core.yaml_text.values import Comment, read_document

_MEBIBYTE = 1024 * 1024
_LARGEST = 2  # MiB, read in some ten seconds


@dataclass(frozen=True)
class YamlDocument:
    """A parsed document: plain dicts, lists and scalars, where everything stands, and the text itself.

    Of keys that are written twice, which `duplicates` tells, the first counts.
    """

    value: object
    source: SourceMap
    text: str
    duplicates: tuple[Problem, ...] = ()
    comments: tuple[Comment, ...] = ()


def load_yaml(path: Path, *, keep_duplicates: bool = False) -> YamlDocument:
    """Read and parse the file at *path*, which is UTF-8 with or without a byte order mark.

    Args:
        path: The file.
        keep_duplicates: See `parse_yaml`.

    Raises:
        DocumentError: The file is not there or cannot be read.
        YamlSyntaxError: It is not UTF-8, it is far too large, or see `parse_yaml`.
    """
    try:
        content = _read_limited(path)
    except OSError as error:
        reason = "does not exist" if isinstance(error, FileNotFoundError) else f"cannot be read: {error.strerror}"
        problem = Problem("FLOE-130", f"the file {reason}", Location(shown_path(path)))
        raise DocumentError(problem) from error
    try:
        return parse_yaml(content.decode("utf-8"), file=path, keep_duplicates=keep_duplicates)
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        encoding = "UTF-16" if content[:2] in (b"\xff\xfe", b"\xfe\xff") else "another encoding"
        problem = Problem(
            "FLOE-108",
            f"the file is not UTF-8 but {encoding}",
            Location(shown_path(path), line),
            why=f"byte {error.start + 1} of the file begins no character of UTF-8",
            fix="save the file as UTF-8",
        )
        raise YamlSyntaxError(problem) from error


def _read_limited(path: Path) -> bytes:
    if stat.S_ISFIFO(path.stat().st_mode):  # reading would wait for a writer
        raise OSError(errno.EINVAL, "it is a pipe")
    with path.open("rb") as file:
        content = file.read(_LARGEST * _MEBIBYTE + 1)
    if len(content) > _LARGEST * _MEBIBYTE:
        problem = Problem(
            "FLOE-105",
            f"the file is larger than {_LARGEST} MiB",
            Location(shown_path(path)),
            why="documents are written by people, and what is far larger is something else",
            fix="keep data in files of their own, which asset modules or dbt read",
        )
        raise YamlSyntaxError(problem)
    return content


def parse_yaml(text: str, *, file: Path, keep_duplicates: bool = False) -> YamlDocument:
    """Parse one document; an empty one is an empty mapping.

    Args:
        text: The document.
        file: Where it stands.
        keep_duplicates: Whether keys that are written twice stand in the document's `duplicates`, where nothing else is
            wrong, so that the rest of it can be checked.

    Raises:
        DuplicateKeyError: Keys are written twice, and nothing else is wrong; every one of them is named.
        YamlSyntaxError: The text is not YAML, or uses what documents may not use: tabs between values, other tags than
            those of the core schema, keys that are not text, aliases that expand without end, a second document, a top
            level that is not a mapping.
    """
    text = text.removeprefix("\ufeff")
    builder, built = read_document(text, shown_path(file))
    duplicates = builder.raise_problems(keep_duplicates=keep_duplicates)
    needed = builder.lines_with_values
    lines = tuple(line if number in needed else "" for number, line in enumerate(builder.lines, start=1))
    source = SourceMap(builder.file, lines, built.position)
    return YamlDocument(built.value, source, text, duplicates, builder.find_comments())


def load_foreign_yaml(path: Path) -> object:
    """The content of another tool's file, read as PyYAML reads it; None without such a file or YAML in it."""
    try:
        return yaml.load(path.read_bytes(), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506  # safe
    except (OSError, yaml.YAMLError, ValueError):
        return None
