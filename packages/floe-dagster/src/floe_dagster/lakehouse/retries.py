"""How long and how often something is tried that other processes may be doing too."""

import random
import sys
import time
from typing import TypeAlias

from pyiceberg.exceptions import (
    CommitFailedException,
    NamespaceAlreadyExistsError,
    NoSuchTableError,
    NotInstalledError,
    RESTError,
    TableAlreadyExistsError,
    ValidationException,
)

_FIRST_PAUSE = 0.05
_LONGEST_PAUSE = 2.0

_LOST_RACES = (
    CommitFailedException,
    ValidationException,
    NamespaceAlreadyExistsError,
    NoSuchTableError,
    TableAlreadyExistsError,
)


Errors: TypeAlias = tuple[type[Exception], ...]


class Patience:
    """Pauses that grow and never coincide with those of others, until *seconds* are used up."""

    def __init__(self, seconds: float) -> None:
        self._deadline = time.monotonic() + seconds
        self.attempts = 1

    def wait(self) -> bool:
        """Pause before another attempt; False at once when there is no time left for one."""
        if time.monotonic() >= self._deadline:
            return False
        longest = min(_FIRST_PAUSE * 2**self.attempts, _LONGEST_PAUSE)
        time.sleep(random.uniform(0, longest))  # noqa: S311  # spreads attempts, guards no secret
        self.attempts += 1
        return True


def lost_races() -> Errors:
    """What a write raises when another process was quicker."""
    return (*_LOST_RACES, *busy_database())


def busy_database() -> Errors:
    """What a SQL catalog raises when another process holds its database, or is just making its tables."""
    return _loaded("sqlalchemy.exc", "IntegrityError", "OperationalError", "ProgrammingError")


def unusable_catalog() -> Errors:
    """What clients raise that cannot reach their catalog, or were told nonsense about it."""
    return (
        OSError,
        ValueError,
        ModuleNotFoundError,
        NotInstalledError,
        RESTError,
        *_loaded("sqlalchemy.exc", "SQLAlchemyError"),
        *_loaded("botocore.exceptions", "BotoCoreError", "ClientError"),
    )


def _loaded(module: str, *names: str) -> Errors:
    """Errors of a library that some catalogs need; who did not load it cannot have raised them."""
    loaded = sys.modules.get(module)
    return () if loaded is None else tuple(getattr(loaded, name) for name in names)
