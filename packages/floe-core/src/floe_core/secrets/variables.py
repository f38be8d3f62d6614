"""Values of the environment that are secrets."""

import re
from collections.abc import Collection, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from urllib.parse import unquote

from floe_core.secrets.assignments import is_secret_name

_SECRET = re.compile(
    r"(?i)passw|passphrase|pwd|(?:^|_)(?:pass|pw)\d*$|secret|token|api_?key|access_?key|private_?key|credential|"
    r"connection_?string|authorization"
)
_HEADERS = re.compile(r"(?i)otlp_.*headers")
_ABOUT_SECRET = re.compile(
    r"(?i)_(?:file|dir|path|name|type|id|store|helper|ttl|seconds|policy|length|hash|count|url|uri)$"
)
_KEY = re.compile(r"(?i)(?:^|_)(?:key|auth|dsn|salt|pat)\d*$")
_FOLDERS = frozenset({"PWD", "OLDPWD"})
_WORDS = frozenset(
    "postgres postgresql password passwd secret secrets token changeme default dagster duckdb public private enabled "
    "disabled required bearer kubernetes production staging development admin administrator username".split()
)
"""Values that stand in texts without telling anything."""

_PLAIN = re.compile(r"[A-Za-z]*(?:[_. -][A-Za-z]+)*[_-]?\d{0,4}|\d{4}-\d\d-\d\d.*|[\d.,:]+|\w+://[^@]*")
_EXPRESSION = re.compile(r"(?<!\$)\$\{([A-Za-z_]\w*)")
_PASSWORD_OF_ADDRESS = re.compile(r"://[^\s/:@]*:(.+)@")
_PATHS = ("/", ".", "~")
_SHORTEST = 6
_SHORTEST_UNLIKELY = 10
_LONGEST_PATH = 1024


def is_secret_variable(name: str) -> bool:
    """Whether a variable of that name holds a secret.

    >>> is_secret_variable("SHOP_PWD2"), is_secret_variable("PWD"), is_secret_variable("PARTITION_KEY")
    (True, False, False)
    """
    return name.upper() not in _FOLDERS and bool(_SECRET.search(name)) and not _ABOUT_SECRET.search(name)


def find_secret_values(environ: Mapping[str, str], *, named: Collection[str] = ()) -> Iterator[str]:
    """The values of variables that are called like secrets, and passwords of addresses in all others.

    A value that may well stand in a text for itself is left out: a word, a date, a file that is there. How unlikely it
    has to be depends on the name: `DB_PASSWORD` says more than `SORT_KEY`.

    Args:
        environ: The environment.
        named: Variables that are secrets, however they are called.
    """
    for name, value in environ.items():
        if _HEADERS.search(name):
            yield from (part for part in (value, *re.split(r"[=,]", value)) if len(part) >= _SHORTEST)
        elif name in named or is_secret_variable(name):
            if len(value) >= _SHORTEST and value.lower() not in _WORDS and not _is_file(value):
                yield value
        elif (_KEY.search(name) or _SECRET.search(name)) and _is_unlikely(value):
            yield value
        password = _PASSWORD_OF_ADDRESS.search(value) if "@" in value and "://" in value else None
        if password is not None and len(password[1]) >= _SHORTEST and password[1].lower() not in _WORDS:
            yield from {password[1], unquote(password[1])}


def find_variables_of_secrets(raw: object, *, key: str = "") -> Iterator[str]:
    """The variables that a document, as it is written, puts under the names of secrets, however they are called.

    >>> list(find_variables_of_secrets({"vars": {"db_password": "${SHOP_ONE:-x}", "day": "${DAY}"}}))
    ['SHOP_ONE']
    """
    if isinstance(raw, str):
        yield from _EXPRESSION.findall(raw) if "${" in raw and is_secret_name(key) else ()
    elif isinstance(raw, Mapping):
        for name, item in raw.items():
            yield from find_variables_of_secrets(item, key=str(name))
    elif isinstance(raw, list | tuple):
        for item in raw:
            yield from find_variables_of_secrets(item, key=key)


def _is_unlikely(value: str) -> bool:
    return len(value) >= _SHORTEST_UNLIKELY and not _PLAIN.fullmatch(value) and not value.startswith(_PATHS)


def _is_file(value: str) -> bool:
    if not value.startswith(_PATHS) or len(value) > _LONGEST_PATH:
        return False
    with suppress(OSError, ValueError, RuntimeError):
        return Path(value).expanduser().exists()
    return False
