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
    starter = os.environ.get(PARENT_VARIABLE, "")  # noqa: TID251 - how a process is told who started it
    if starter == str(os.getppid()):
        threading.Thread(target=_watch, args=(os.getppid(),), name="floe-parent-watch", daemon=True).start()
    elif starter.isdigit() and not _is_alive(int(starter)):
        os._exit(1)


def _is_alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:  # it is there, and somebody else's
        return True
    return True


def _watch(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(_SECONDS_BETWEEN_LOOKS)
    os._exit(1)
