"""What of an error its reader can mend: the lines of the user's own files, and what dbt said."""

import re
from pathlib import Path

from dagster_shared.error import SerializableErrorInfo

from floe_core.errors import shown_path
from floe_dagster.running.dbt_failures import find_dbt_words
from floe_dagster.secrets import without_known_secrets
from floe_dagster.user_code.tracebacks import is_floe, is_library

_WRAPPERS = ("Dagster", "RetryRequested")  # exceptions of Dagster's around one of the user's
_CLASS_PATHS = re.compile(
    r"^(?:floe_core\.errors\.\w+|dagster\._core\.definitions\.events\.Failure): (?=error\[)"  # a problem of floe's
    r"|^dagster\._core\.definitions\.events\.(?=Failure)"
)
_ANSI = re.compile(r"\x1b\[[0-9;]*m")
_FRAME = re.compile(r'^\s*File "(?P<file>[^"]+)", line (?P<line>\d+), in (?P<function>[^\n]+)\n(?P<code>[^\n]*)')
_SHOWN_FRAMES = 5


def describe_error(error: SerializableErrorInfo | None) -> str:
    """The user's part of an error: the lines of their own files that led there, then what it says, without secrets.

    Frames of Dagster, of libraries and of floe are left out. Of a dbt failure it is what dbt said.
    """
    return without_known_secrets(_describe_error(error))


def _describe_error(error: SerializableErrorInfo | None) -> str:
    if error is None:
        return "no error was recorded"
    while error.cause is not None and str(error.cls_name).startswith(_WRAPPERS):
        error = error.cause
    message = _CLASS_PATHS.sub("", _ANSI.sub("", error.message).strip())
    said = find_dbt_words(message)
    if said is not None:
        return said
    frames = [frame for entry in error.stack if (frame := _user_frame(entry))]
    return "\n".join([*frames[-_SHOWN_FRAMES:], message])


def _user_frame(entry: str) -> str:
    match = _FRAME.match(entry)
    if match is None or is_floe(match["file"]) or is_library(match["file"]):
        return ""
    place = f"{shown_path(Path(match['file']))}:{match['line']} in {match['function'].strip()}"
    code = match["code"].strip()
    return f"{place}\n    {code}" if code else place
