"""Errors as Dagster keeps them, told as facts: the user's own error in place of what is wrapped around it."""

import re

from dagster_shared.error import SerializableErrorInfo

from floe_dagster.observability.records import ErrorFact
from floe_dagster.running.dbt_failures import find_dbt_words

_SAYS_NOTHING = {"RetryRequested": "a retry was requested"}
_WRAPPERS = ("Dagster", "RetryRequested")
_INTERRUPTIONS = frozenset({"DagsterExecutionInterruptedError", "KeyboardInterrupt"})
_ANSI = re.compile(r"\x1b\[[0-9;]*m")


def error_fact(error: SerializableErrorInfo | None, *, otherwise: str = "it ended without saying why") -> ErrorFact:
    """The innermost error that is not one of Dagster's around another; of a dbt call it tells what dbt said.

    Args:
        error: As an event of Dagster has it.
        otherwise: What is said of an error without a message.
    """
    if error is None:
        return ErrorFact("Error", otherwise)
    while error.cause is not None and str(error.cls_name).startswith(_WRAPPERS):
        error = error.cause
    kind = error.cls_name or "Error"
    said = find_dbt_words(_ANSI.sub("", error.message))
    message = said or re.sub(rf"^(?:[\w.]+\.)?{re.escape(kind)}(?::\s*|\s*$)", "", _ANSI.sub("", error.message)).strip()
    return ErrorFact(kind, message or _SAYS_NOTHING.get(kind, otherwise), "".join(error.stack).rstrip())


def is_interruption(error: SerializableErrorInfo | None) -> bool:
    """Whether the work was told to stop, and nothing else went wrong."""
    while error is not None:
        if error.cls_name in _INTERRUPTIONS:
            return True
        error = error.cause
    return False
