"""Cursors as texts: short ones as JSON that can be read, long ones compressed."""

import base64
import json
import zlib
from collections.abc import Mapping

MOST_CHARACTERS = 65_536
"""How long a cursor may become."""

_READABLE = 4_000
_COMPRESSED = "zlib:"


def write_cursor(value: Mapping[str, object]) -> str:
    """The text of *value*.

    >>> write_cursor({"version": 1, "settled": 7})
    '{"version":1,"settled":7}'
    """
    text = json.dumps(value, separators=(",", ":"))
    if len(text) <= _READABLE:
        return text
    return _COMPRESSED + base64.b85encode(zlib.compress(text.encode(), 9)).decode()


def read_cursor(text: str, *, version: int) -> Mapping[str, object]:
    """The value whose text `write_cursor` gave.

    Raises:
        ValueError: It is something else, or of another version.
    """
    try:
        if text.startswith(_COMPRESSED):
            text = zlib.decompress(base64.b85decode(text.removeprefix(_COMPRESSED))).decode()
        value: object = json.loads(text)
    except (ValueError, zlib.error) as error:
        raise ValueError("it is no text that a sensor wrote") from error
    match value:
        case {"version": found, **rest} if found == version:
            return {str(key): part for key, part in rest.items()}
        case {"version": found}:
            raise ValueError(f"it is of version {found}, and this floe writes version {version}")
        case _:
            raise ValueError("it is no text that a sensor wrote")
