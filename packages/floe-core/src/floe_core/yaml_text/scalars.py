"""Plain scalars of YAML 1.2's core schema: what text without quotes is."""

import re
from typing import TypeAlias

Scalar: TypeAlias = str | int | float | bool | None


class WrittenInt(int):
    """A whole number with the text that stands for it, where that is another one than Python's: `007`, `0x1F`."""

    written: str


class WrittenFloat(float):
    """The same of a number such as `1.10`."""

    written: str


_MOST_DIGITS = 4_000
_CONSTANTS: dict[str, bool | None] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_INT = re.compile(r"[-+]?[0-9]+")
_OCTAL_OR_HEXADECIMAL = re.compile(r"0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_INFINITE = re.compile(r"([-+]?)\.(inf|Inf|INF)")
_NOT_A_NUMBER = frozenset((".nan", ".NaN", ".NAN"))


def plain_scalar(text: str) -> Scalar:
    """What *text* is as a plain scalar of the YAML 1.2 core schema.

    >>> [plain_scalar(text) for text in ("010", "0x1F", "1e3", "true", "~", "no", "12:30:00", "2024-01-01")]
    [10, 31, 1000.0, True, None, 'no', '12:30:00', '2024-01-01']
    """
    plain = text.strip(" ")
    if plain in _CONSTANTS:
        return _CONSTANTS[plain]
    if plain[0] not in "+-.0123456789" or len(plain) > _MOST_DIGITS:
        return text
    if _INT.fullmatch(plain):
        return int(plain)
    if _OCTAL_OR_HEXADECIMAL.fullmatch(plain):
        return int(plain, 0)
    if _FLOAT.fullmatch(plain):
        return float(plain)
    if infinite := _INFINITE.fullmatch(plain):
        return float(f"{infinite[1]}inf")
    return float("nan") if plain in _NOT_A_NUMBER else text


def written_scalar(text: str) -> Scalar:
    """The same, where a number that does not give back its text keeps it.

    >>> written_scalar("1.10"), written_scalar("1.10").written, type(written_scalar("1.5"))
    (1.1, '1.10', <class 'float'>)
    """
    value = plain_scalar(text)
    if isinstance(value, str | bool | None) or str(value) == text:
        return value
    number = WrittenInt(value) if isinstance(value, int) else WrittenFloat(value)
    number.written = text.strip(" ")
    return number
