"""What a definitions file hands to the factory beside what floe.yaml declares."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from types import UnionType
from typing import Any, TypeAlias

import dagster as dg

from floe_core.errors import LoadError, Location, Problem
from floe_dagster.user_code.module_contents import Asset, Job, Schedule

PassedAsset: TypeAlias = Asset | dg.AssetChecksDefinition

_KINDS: Mapping[str, tuple[UnionType | type, str, str]] = {
    "assets": (PassedAsset, "assets and asset checks", "what @dg.asset and @dg.asset_check make of functions"),
    "jobs": (Job, "jobs", "what @dg.job makes of functions, or dg.define_asset_job"),
    "schedules": (Schedule, "schedules", "what @dg.schedule makes of functions, or dg.ScheduleDefinition"),
    "sensors": (dg.SensorDefinition, "sensors", "what @dg.sensor makes of functions"),
}
"""Argument → what Dagster takes there, what that is called, and what makes some."""


@dataclass(frozen=True)
class PassedObjects:
    """Definitions from the call of the factory."""

    assets: Sequence[PassedAsset] = ()
    jobs: Sequence[Job] = ()
    schedules: Sequence[Schedule] = ()
    sensors: Sequence[dg.SensorDefinition] = ()
    resources: Mapping[str, object] = field(default_factory=dict)

    @property
    def checks(self) -> list[dg.AssetChecksDefinition]:
        """The asset checks among the assets."""
        return [item for item in self.assets if isinstance(item, dg.AssetChecksDefinition)]

    @property
    def only_assets(self) -> list[Asset]:
        """The assets that are not checks."""
        return [item for item in self.assets if not isinstance(item, dg.AssetChecksDefinition)]


def pass_objects(given: Mapping[str, object], location: Location) -> PassedObjects:
    """The arguments of the call at *location* by name, None for those that are left out.

    Raises:
        LoadError: Those that are of another kind than Dagster takes there, all at once.
    """
    problems: list[Problem] = []
    passed: dict[str, Any] = {}
    for name, value in given.items():
        if value is not None:
            passed[name] = dict(value) if isinstance(value, Mapping) else value
            found = _check_resources(value) if name == "resources" else _check_list(name, value, passed)
            problems += [
                Problem("FLOE-309", f"'{name}' of from_compiled_artifacts takes {takes}", location, fix=fix)
                for takes, fix in found
            ]
    if problems:
        raise LoadError(*problems)
    return PassedObjects(**passed)


def _check_resources(value: object) -> Iterator[tuple[str, str]]:
    """What the argument takes, and how to mend it, where it is given something else."""
    if not isinstance(value, Mapping):
        yield f"a mapping of resources by key, not {_named(value)}", "pass {'api': Api()}"
        return
    for key in value:
        if not isinstance(key, str):
            yield f"text as keys, not {_named(key)}", "pass {'api': Api()}"


def _check_list(name: str, value: object, passed: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """The same for the other arguments; what can be gone through once only is kept in *passed*."""
    kind, words, example = _KINDS[name]
    if isinstance(value, kind):
        yield f"a list of {words}, not a single one", "put it in a list"
    elif isinstance(value, str | Mapping) or not isinstance(value, Iterable):
        yield f"a list of {words}, not {_named(value)}", f"pass a list of {example}"
    else:
        passed[name] = tuple(value)
        for item in passed[name]:
            if not isinstance(item, kind):
                yield f"{words}, not {_named(item)}", f"pass {example}"


def _named(value: object) -> str:
    """What it is: a value of the user's own may hold anything, so that it is not shown."""
    match value:
        case None:
            return "None"
        case str():
            return "text"
        case type():
            return f"the class {value.__name__}"
        case _ if callable(value) and hasattr(value, "__name__"):
            return f"the function {value.__name__}"
        case _:
            return f"an object of {type(value).__name__}"
