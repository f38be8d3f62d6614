"""Upkeep of the tables."""

from typing import Any


def vacuum_old_snapshots(retention_days: int) -> dict[str, Any]:
    """Tell how far back snapshots are kept, in days."""
    return {"retention_days": retention_days}
