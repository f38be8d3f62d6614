"""The resources that floe builds, `catalog` and `dbt`, and what they take and return.

Each is imported when it is first used.
"""

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from floe_dagster.lakehouse.maintenance.report import MaintenanceReport, UnfinishedError
    from floe_dagster.lakehouse.tables import PartitionDimensions, PartitionKeys, PartitionWindow, Snapshot
    from floe_dagster.resources.catalog import CatalogResource
    from floe_dagster.resources.dbt import DbtResource

__all__ = [
    "CatalogResource",
    "DbtResource",
    "MaintenanceReport",
    "PartitionDimensions",
    "PartitionKeys",
    "PartitionWindow",
    "Snapshot",
    "UnfinishedError",
]

_HOMES = {
    "CatalogResource": "floe_dagster.resources.catalog",
    "DbtResource": "floe_dagster.resources.dbt",
    "MaintenanceReport": "floe_dagster.lakehouse.maintenance.report",
    "PartitionDimensions": "floe_dagster.lakehouse.tables",
    "PartitionKeys": "floe_dagster.lakehouse.tables",
    "PartitionWindow": "floe_dagster.lakehouse.tables",
    "Snapshot": "floe_dagster.lakehouse.tables",
    "UnfinishedError": "floe_dagster.lakehouse.maintenance.report",
}


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(_HOMES[name]), name)
