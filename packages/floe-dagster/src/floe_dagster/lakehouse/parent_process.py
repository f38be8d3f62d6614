"""Ending a dbt process whose starter was killed: it would build on for nobody, and keep others waiting for its file."""

import os
import threading
import time

PARENT_VARIABLE = "FLOE_PARENT_PROCESS"
"""Environment variable in which a process that starts dbt says its own id."""

_SECONDS_BETWEEN_LOOKS = 0.5


def end_with_parent() -> None:
    """End this process at once when the one that started it is gone, unless that one asked for nothing of the kind.

    What DuckDB has not committed is undone by whoever opens the file next.
    """
    parent = os.getppid()
    if os.environ.get(PARENT_VARIABLE) == str(parent):  # noqa: TID251 - how a process is told who started it
        threading.Thread(target=_watch, args=(parent,), name="floe-parent-watch", daemon=True).start()


def _watch(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(_SECONDS_BETWEEN_LOOKS)
    os._exit(1)
