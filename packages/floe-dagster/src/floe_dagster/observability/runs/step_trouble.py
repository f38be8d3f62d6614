"""What goes wrong while a step is observed, which the step's log says once."""

import dagster as dg

_told: set[tuple[str, str]] = set()  # of the few runs that one process carries out


def warn_once(context: dg.OpExecutionContext | dg.AssetExecutionContext, what: str, error: Exception) -> None:
    """Warn in the log of the run that *what* is so because of *error*."""
    if (context.run.run_id, what) not in _told:
        _told.add((context.run.run_id, what))
        context.log.warning("traces: %s: %s: %s", what, type(error).__name__, error)
