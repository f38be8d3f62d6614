"""Texts without credentials, for what leaves this process: error messages, SQL, addresses."""

import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from floe_dagster.observability.settings import ObservabilitySettings
from floe_dagster.secrets import SECRETS_DIR_VARIABLE

MASK = "***"
_SHORTEST_SECRET = 3
_SHORTEST_VALUE = 6  # of a variable that is only called like a secret: shorter words stand in texts anyway
_SECRET_NAME = re.compile(r"passw|secret|token|api_?key|credential|private_?key|otlp_.*headers", re.IGNORECASE)
_USERINFO = re.compile(r"(?<=://)[^/\s'\"@]+@")
_ASSIGNED = re.compile(
    r"(?i)\b(password|passwd|pwd|secret|token|api[_-]?key|motherduck_token|access[_-]?key)(\s*[=:]\s*)"
    r"('[^']*'|\"[^\"]*\"|[^\s,;&'\"()]+)"
)
_LITERAL = re.compile(r"(?i)\b((?:password|secret|token|api_?key|access_?key)\w*\s*(?:=>?|:)?\s*)'[^']*'")
_BEARER = re.compile(r"(?i)\b(bearer|basic)\s+[\w.~+/=-]{6,}")


class Masking:
    """Puts `***` in the place of every secret that this process knows of, and of what looks like one.

    Args:
        settings: Its `secret_names` are read from *environ*, else from the folder of secrets.
        environ: The environment; so are all variables that are called like secrets.
    """

    def __init__(self, settings: ObservabilitySettings, environ: Mapping[str, str]) -> None:
        self._settings, self._environ = settings, environ
        self._values: re.Pattern[str] | None = None

    def __call__(self, text: str) -> str:
        """*text* without credentials."""
        return _BEARER.sub(rf"\1 {MASK}", _ASSIGNED.sub(rf"\1\2{MASK}", self._without_values(text)))

    def sql(self, query: str) -> str:
        """*query* without credentials; what is compared with a column that is called like one stays, if no text is."""
        return _LITERAL.sub(rf"\1'{MASK}'", self._without_values(query))

    def _without_values(self, text: str) -> str:
        if self._values is None:
            values = sorted(set(self._find_values()), key=len, reverse=True)
            self._values = re.compile("|".join(map(re.escape, values)) or r"(?!)")
        masked = self._values.sub(MASK, text)
        return _USERINFO.sub(f"{MASK}@", masked) if "://" in masked else masked

    def _find_values(self) -> Iterator[str]:
        folder = self._environ.get(SECRETS_DIR_VARIABLE)
        named = _read_files(folder, self._settings.secret_names) if folder else ()
        declared = [*named, *(self._environ.get(name, "") for name in self._settings.secret_names)]
        yield from (value for value in declared if len(value) >= _SHORTEST_SECRET)
        for name, value in self._environ.items():
            if len(value) >= _SHORTEST_VALUE and _SECRET_NAME.search(name) and not Path(value).exists():
                yield value


def without_credentials(address: str) -> str:
    """*address* without user, password, query and fragment.

    >>> without_credentials("https://ada:lovelace@lake.example:8181/api?token=1")
    'https://lake.example:8181/api'
    """
    return re.split(r"[?#]", _USERINFO.sub("", address), maxsplit=1)[0]


def _read_files(folder: str, names: Iterable[str]) -> Iterator[str]:
    for name in names:
        try:
            yield Path(folder, name).read_text(encoding="utf-8").rstrip("\r\n")
        except (OSError, UnicodeDecodeError):
            continue
