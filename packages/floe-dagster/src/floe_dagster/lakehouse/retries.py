"""How long and how often something is tried that other processes may be doing too."""

import random
import sys
import time

from pyiceberg.exceptions import (
    CommitFailedException,
    NamespaceAlreadyExistsError,
    NoSuchTableError,
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


def lost_races() -> tuple[type[Exception], ...]:
    """What a write raises when another process was quicker."""
    return (*_LOST_RACES, *busy_database())


def busy_database() -> tuple[type[Exception], ...]:
    """What a SQL catalog raises when another process holds its database, or is just making its tables.

    SQLAlchemy is loaded by the catalogs that need it and by no others.
    """
    errors = sys.modules.get("sqlalchemy.exc")
    return () if errors is None else (errors.IntegrityError, errors.OperationalError, errors.ProgrammingError)
