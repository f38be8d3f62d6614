"""Patterns of file watchers that are written in another language than globs, and so match nothing that is meant."""

import os.path
import re
from collections.abc import Iterator

from floe_core.errors import Problem
from floe_core.interpolation import is_unset, known_items
from floe_core.schemas.orchestration_config import OrchestrationConfig
from floe_core.schemas.sensor_definition import FileWatcherSensor
from floe_core.selection.globs import GlobError, parse_glob
from floe_core.source_map import SourceMap

_OF_A_REGEX = re.compile(r"\\\.|\\[dwsS][+*?{]|\A\^|\$\Z")
_OF_A_PATH = re.compile(r"(?<=\w)\\(?=[\w*])")
_BETWEEN = re.compile(r"\s*[,|]\s*(?![^{]*\})(?![^\[]*\])")


def check_file_patterns(orchestration: OrchestrationConfig, source: SourceMap) -> Iterator[Problem]:
    """Warnings for regular expressions, lists and paths of Windows in the place of a glob, with the glob that is meant.

    Each is a glob that may match a file of a strange name, and so no error.
    """
    for name, sensor in known_items(orchestration.sensors):
        if not isinstance(sensor, FileWatcherSensor) or is_unset(sensor.pattern):
            continue
        meant = meant_glob(sensor.pattern)
        if meant is not None:
            rule, glob = meant
            yield Problem(
                "FLOE-398",
                f"the pattern of sensor '{name}' is read as a glob, and looks like {rule}",
                source.locate("orchestration", "sensors", name, "pattern"),
                why="'*' stands for any text, '{a,b}' for either one, '/' parts folders, '[*]' is the character itself",
                fix=f"write '{glob}'",
                severity="warning",
            )


def meant_glob(text: str) -> tuple[str, str] | None:
    r"""What *text* looks like and the glob that says so; None where it looks like a glob.

    >>> [meant_glob(text) for text in (r".*\.csv$", "*.csv,*.json", r"in\*.csv", "*.{csv,json}", r"a\[1]")]
    [('a regular expression', '*.csv'), ('a list', '*.{csv,json}'), ('a path of Windows', 'in/*.csv'), None, None]
    """
    parts = _BETWEEN.split(text)
    if _OF_A_REGEX.search(text):
        found = "a regular expression", _glob_of_regex(text)
    elif _OF_A_PATH.search(text):
        found = "a path of Windows", _OF_A_PATH.sub("/", text)
    elif len(parts) > 1 and all("*" in part or "." in part for part in parts):
        found = "a list", _either(parts)
    else:
        return None
    return found if _is_glob(found[1]) else None


def _glob_of_regex(text: str) -> str:
    bare = re.sub(r"\A\^|\$\Z", "", text)
    bare = re.sub(r"\((?:\?:)?([^()]*)\)", lambda group: "{" + group[1].replace("|", ",") + "}", bare)
    bare = re.sub(r"(?:\\[dwsS]|(?<!\\)\.|\[[^\]]*\])(?:[*+]|\{[\d,]+\})\??|\\[dwsS]", "*", bare)
    return re.sub(r"\*{2,}", "*", bare.replace("\\", ""))


def _either(parts: list[str]) -> str:
    same = os.path.commonprefix(parts)  # noqa: RUF071  # of texts, whatever parts them
    first = same[: max(same.rfind("."), same.rfind("/")) + 1]
    return f"{first}{{{','.join(part.removeprefix(first) for part in parts)}}}"


def _is_glob(text: str) -> bool:
    try:
        parse_glob(text)
    except GlobError:
        return False
    return bool(text)
