"""Where an error of dbt's stands in the user's files: databases count the lines of the SQL that dbt made of a model."""

import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from floe_core.errors import shown_path

_FAILURE = re.compile(r"Failure in \w+ (?P<name>\S+) \((?P<path>[^()]+)\)")
_LINE = re.compile(r"^\s*LINE (?P<number>\d+):(?P<text>.*)$", re.MULTILINE)
_CUT = "..."  # DuckDB and PostgreSQL show a part of a long line


def add_places(messages: Sequence[str], *, project_dir: Path, target_path: Path) -> list[str]:
    """What dbt said of one call, each failure with its line in the user's file and the SQL that the database was given.

    Args:
        messages: The errors in dbt's log: a heading with the name and the file of a node, then what is wrong with it.
        project_dir: The dbt project.
        target_path: Where the call wrote what it made.

    Source:
        The events RunResultFailure and RunResultError of dbt-core 1.11. Before the SQL it sends a comment of one line.
    """
    return list(_with_places(messages, project_dir, target_path))


def _with_places(messages: Sequence[str], project_dir: Path, target_path: Path) -> Iterator[str]:
    failure: re.Match[str] | None = None
    for message in messages:
        sql = _find_sql(failure, target_path) if failure is not None else None
        if failure is not None and sql is not None:
            model = (project_dir / failure["path"]).resolve()
            yield "\n".join([message.rstrip(), *(f"  {line}" for line in _places(message, sql=sql, model=model)), ""])
        else:
            yield message
        failure = _FAILURE.search(message)


def _find_sql(failure: re.Match[str], target_path: Path) -> Path | None:
    """The file with the SQL that was sent, else that with the query alone."""
    path = Path(failure["path"])
    inside = path if path.suffix == ".sql" else path / f"{failure['name']}.sql"
    found = (file for kind in ("run", "compiled") for file in sorted(target_path.glob(f"{kind}/*/{inside}")))
    return next(found, None)


def _places(message: str, *, sql: Path, model: Path) -> Iterator[str]:
    line = _LINE.search(message)
    if line is None:
        yield f"the SQL that dbt made of it: {shown_path(sql)}"
        return
    text = line["text"].strip().removeprefix(_CUT).removesuffix(_CUT).strip()
    same = list(_lines_with(text, model)) if text and model.suffix == ".sql" else []
    if len(same) == 1:
        yield f"this is line {same[0]} of {shown_path(model)}"
    number = min(_lines_with(text, sql), key=lambda other: abs(other + 1 - int(line["number"])), default="")
    yield f"line {line['number']} counts in the SQL that dbt made of it: {shown_path(sql)}{number and f':{number}'}"


def _lines_with(text: str, file: Path) -> Iterable[int]:
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except (OSError, ValueError):
        return []
    return [number for number, line in enumerate(lines, start=1) if text in line]
