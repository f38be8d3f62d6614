"""Plain Dagster definitions from one floe.yaml.

Names are imported when they are first used, so that processes which need no Dagster, such as dbt's own, do not load it.
"""

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from floe_dagster.assets import floe_asset
    from floe_dagster.definitions import FloeDefinitions

__all__ = ["FloeDefinitions", "floe_asset"]

_HOMES = {"FloeDefinitions": "floe_dagster.definitions", "floe_asset": "floe_dagster.assets"}


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(_HOMES[name]), name)
