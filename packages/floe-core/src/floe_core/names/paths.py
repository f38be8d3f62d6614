"""Paths of the local file system, and globs over the files below one."""

import re
from typing import Annotated, TypeAlias

from floe_core.names.rules import Rule, RuleError
from floe_core.selection.globs import GlobError, parse_glob

_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+):/")
_BEFORE_COLON = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*):")


def check_local_path(text: str) -> str:
    """*text*, if it is a path of the local file system."""
    scheme = _SCHEME.match(text)
    if scheme and scheme.group(1).lower() == "file":
        raise RuleError("a local path is written without a scheme", fix=f"write '{re.sub('(?i)^file:/+', '/', text)}'")
    if scheme:
        raise RuleError(
            f"only local paths may stand here, and {scheme.group(1)}:// is remote: that belongs into platform.yaml",
            fix="name a local folder, or reach the remote place through a resource",
        )
    if not text.strip():
        raise RuleError("a path is not empty", fix="write '.' for the project folder")
    return _without_nul(text)


def check_database_file(text: str) -> str:
    """*text*, if it is a file of this machine that DuckDB keeps a database in.

    Source:
        DuckDB keeps `:memory:` and `:memory:NAME` in the process; `md:` is a service and other schemes are remote.
    """
    if text.startswith(":memory:"):
        raise RuleError(
            "a database in memory is gone with its process, and the next run or step needs what dbt built",
            fix="name a file, or delete the line for .floe/floe.duckdb",
        )
    scheme = _BEFORE_COLON.match(text)
    if scheme and not text.lower().startswith("file:/"):
        raise RuleError(
            f"the database is a file of this machine, and '{scheme.group(1)}:' names something else",
            fix="name a file, such as '.floe/floe.duckdb'",
        )
    return check_local_path(text)


def check_file_pattern(text: str) -> str:
    """*text*, if it is a glob over names below a folder."""
    if text.startswith(("/", "~")) or ".." in re.split(r"[/\\]", text):
        raise RuleError("a pattern names files below the folder in 'path'", fix="put the folder into 'path'")
    if text.endswith("/"):
        raise RuleError("a pattern names files, and this one a folder", fix=f"write '{text}**' for all files below it")
    return _check_glob(text)


def _check_glob(text: str) -> str:
    if not text.strip():
        raise RuleError("a pattern is not empty", fix="write '*' for everything")
    if re.search(r"\[[^\]]*\Z", text):
        raise RuleError("every '[' of a pattern has its ']'", fix="add the ']', or write [[] for the character")
    try:
        parse_glob(text)
    except GlobError as error:
        raise RuleError(f"'{text}' is not a glob: {error}", fix="put a backslash before a character itself") from error
    return _without_nul(text)


def _without_nul(text: str) -> str:
    if "\0" in text:
        raise RuleError("no file name has a NUL in it", fix="delete the character")
    return text


LocalPath: TypeAlias = Annotated[str, Rule(check_local_path)]
DatabaseFile: TypeAlias = Annotated[str, Rule(check_database_file)]
GlobPattern: TypeAlias = Annotated[str, Rule(check_file_pattern)]
