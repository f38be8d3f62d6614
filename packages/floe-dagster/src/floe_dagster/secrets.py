"""Secrets that platform.yaml names, read where they are used."""

import os
from collections.abc import Iterable, Mapping
from pathlib import Path

from floe_core.errors import LoadError, Location, Problem
from floe_core.schemas.secrets import SecretRef
from floe_core.secrets.known_values import KnownValues
from floe_core.secrets.texts import mask_secrets
from floe_core.secrets.variables import find_secret_values

SECRETS_DIR_VARIABLE = "FLOE_SECRETS_DIR"
_READ: set[str] = set()
"""The secrets that this process has read, to be kept out of what it shows."""
_NAMED: set[str] = set()
"""Variables that are secrets, however they are called."""
_SHORTEST_HIDDEN = 6


def read_secret(secret: SecretRef, *, location: Location | None = None) -> str:
    """The value of *secret*: of the environment variable, else of the file of that name in FLOE_SECRETS_DIR.

    A line break at the end of a file is no part of the secret.

    Raises:
        LoadError: Neither is there.
    """
    value = _find_secret(secret.secret_ref, location=location)
    _READ.add(value)
    return value


def _find_secret(name: str, *, location: Location | None) -> str:
    value = os.environ.get(name)  # noqa: TID251 - a secret is read where it is used
    if value is not None:
        return value
    folder = os.environ.get(SECRETS_DIR_VARIABLE)  # noqa: TID251 - see above
    file = Path(folder, name) if folder else None
    if file is not None and file.is_file():
        return file.read_text(encoding="utf-8").rstrip("\r\n")
    raise LoadError(
        Problem(
            code="FLOE-372",
            what=f"the secret '{name}' is not set",
            location=location,
            why=f"there is neither an environment variable {name} nor "
            + (f"a file of that name in {SECRETS_DIR_VARIABLE}" if folder else f"a folder in {SECRETS_DIR_VARIABLE}"),
            fix=f"set {name}, or put the secret into a file {name} in the folder that {SECRETS_DIR_VARIABLE} names",
        )
    )


def read_text(value: str | SecretRef, *, location: Location | None = None) -> str:
    """*value* itself, or what the secret holds that it names.

    Raises:
        LoadError: It names a secret that is not set.
    """
    return read_secret(value, location=location) if isinstance(value, SecretRef) else value


def read_secrets_in(value: object, *, location: Location | None = None) -> object:
    """*value* with every reference to a secret in it, at any depth, replaced by the secret.

    Raises:
        LoadError: A secret is not set.
    """
    if isinstance(value, SecretRef):
        return read_secret(value, location=location)
    if isinstance(value, Mapping):
        return {key: read_secrets_in(item, location=location) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [read_secrets_in(item, location=location) for item in value]
    return value


def secret_values_in(value: object) -> list[str]:
    """What the secrets hold that *value* refers to, at any depth, for keeping them out of messages; longest first."""
    if isinstance(value, SecretRef):
        return [read_secret(value)]
    items = value.values() if isinstance(value, Mapping) else value if isinstance(value, list | tuple) else ()
    return sorted((secret for item in items for secret in secret_values_in(item)), key=len, reverse=True)


def keep_hidden(variables: Iterable[str]) -> None:
    """Keep the values of *variables* out of what this process shows, however they are called."""
    _NAMED.update(variables)


def without_known_secrets(text: str) -> str:
    """*text*, which may be anybody's, with `***` for what looks like a secret and for those that this process knows.

    Known is what was read here, and what stands in a variable that is called like a secret.
    """
    read = {value for value in _READ if len(value) >= _SHORTEST_HIDDEN}
    known = KnownValues({*find_secret_values(os.environ, named=_NAMED), *read})  # noqa: TID251 - see above
    return mask_secrets(known.masked(text))


def without_secrets(text: str, secrets: list[str]) -> str:
    """*text* with `***` in the place of each of *secrets*."""
    for secret in secrets:
        text = text.replace(secret, "***") if secret else text
    return text
