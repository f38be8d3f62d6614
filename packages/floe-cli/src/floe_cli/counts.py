"""How many definitions of each family there are."""

from collections.abc import Mapping

from floe_core.interpolation import is_unset
from floe_core.schemas.floe_spec import FloeSpec

_SINGULAR = {
    "asset modules": "asset module",
    "assets": "asset",
    "jobs": "job",
    "schedules": "schedule",
    "sensors": "sensor",
    "partitions": "partitions definition",
    "backfills": "backfill",
}


def count_definitions(spec: FloeSpec, *, assets: int | None = None) -> dict[str, int]:
    """{family: number of entries}; nothing where there is no orchestration.

    Of definitions that were loaded it is the number of *assets*, otherwise that of the modules that may hold some.
    """
    orchestration = spec.orchestration
    if is_unset(orchestration):
        return {}
    first = {"asset modules": len(orchestration.asset_modules)} if assets is None else {"assets": assets}
    families: tuple[tuple[str, Mapping[str, object]], ...] = (
        ("jobs", orchestration.jobs),
        ("schedules", orchestration.schedules),
        ("sensors", orchestration.sensors),
        ("partitions", orchestration.partitions),
        ("backfills", orchestration.backfills),
    )
    return first | {name: len(entries) for name, entries in families}


def list_counts(counts: Mapping[str, int]) -> str:
    """The families that are not empty, for a sentence.

    >>> list_counts({"assets": 12, "jobs": 1, "sensors": 0})
    '12 assets, 1 job'
    """
    shown = [_counted(number, family) for family, number in counts.items() if number]
    return ", ".join(shown) or "nothing is defined"


def _counted(number: int, family: str) -> str:
    singular = _SINGULAR.get(family, family)
    if family == "partitions":
        return f"{number} {singular}{'' if number == 1 else 's'}"
    return f"{number} {singular if number == 1 else family}"
