"""Texts without credentials, for what leaves this process: error messages, SQL, addresses."""

import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from floe_core.secrets.known_values import KnownValues
from floe_core.secrets.texts import mask_secrets, without_user
from floe_core.secrets.variables import find_secret_values
from floe_dagster.observability.settings import ObservabilitySettings
from floe_dagster.secrets import SECRETS_DIR_VARIABLE

_SHORTEST_SECRET = 3


class Masking:
    """Puts `***` in the place of every secret that this process knows of, and of what looks like one.

    Args:
        settings: Its `secret_names` are read from *environ*, else from the folder of secrets.
        environ: The environment; so are all variables that are called like secrets.
    """

    def __init__(self, settings: ObservabilitySettings, environ: Mapping[str, str]) -> None:
        self._settings, self._environ = settings, environ
        self._values: KnownValues | None = None

    def __call__(self, text: str) -> str:
        """*text* without credentials."""
        return mask_secrets(self._without_values(text))

    def sql(self, query: str) -> str:
        """*query* without credentials; what is compared with a column that is called like one stays, if no text is."""
        return mask_secrets(self._without_values(query), is_sql=True)

    def _without_values(self, text: str) -> str:
        if self._values is None:
            self._values = KnownValues(self._find_values())
        return self._values.masked(text)

    def _find_values(self) -> Iterator[str]:
        folder = self._environ.get(SECRETS_DIR_VARIABLE)
        named = _read_files(folder, self._settings.secret_names) if folder else ()
        declared = [*named, *(self._environ.get(name, "") for name in self._settings.secret_names)]
        yield from (value for value in declared if len(value) >= _SHORTEST_SECRET)
        yield from find_secret_values(self._environ, named=self._settings.secret_variables)


def without_credentials(address: str) -> str:
    """*address* without user, password, query and fragment.

    >>> without_credentials("https://ada:lovelace@lake.example:8181/api?token=1")
    'https://lake.example:8181/api'
    """
    return re.split(r"[?#]", without_user(address), maxsplit=1)[0]


def _read_files(folder: str, names: Iterable[str]) -> Iterator[str]:
    for name in names:
        try:
            yield Path(folder, name).read_text(encoding="utf-8").rstrip("\r\n")
        except (OSError, UnicodeDecodeError):
            continue
