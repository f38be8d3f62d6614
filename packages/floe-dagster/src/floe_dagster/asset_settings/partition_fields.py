"""Whether what floe.yaml says about partitions finds partitions to be about."""

from collections.abc import Iterable, Iterator
from dataclasses import replace

import dagster as dg

from floe_core.errors import Problem
from floe_core.suggestions import list_names
from floe_dagster.asset_settings.patterns import AssetSettings, SettingPlace
from floe_dagster.user_code.run_partition import check_partition_columns, read_partition_columns

_FIELDS = ("partition_column", "backfill_policy")


def check_partition_fields(specs: Iterable[dg.AssetSpec], settings: AssetSettings) -> Iterator[Problem]:
    """Columns that are not those of the asset's dimensions, and fields that no asset has a use for.

    Args:
        specs: All assets that Dagster can materialize, with their settings.
        settings: What floe.yaml sets.
    """
    without: dict[tuple[str, SettingPlace], list[str]] = {}
    of_use: set[tuple[str, SettingPlace]] = set()
    for spec in specs:
        places = settings.of(tuple(spec.key.path)).places
        for name in _FIELDS:
            if name in places and spec.partitions_def is None:
                without.setdefault((name, places[name]), []).append(spec.key.to_user_string())
            elif name in places:
                of_use.add((name, places[name]))
        if "partition_column" in places and spec.partitions_def is not None:
            yield from _check_columns(spec, spec.partitions_def, places["partition_column"])
    for name, place in without.keys() - of_use:
        yield _of_no_use(name, place, without[name, place])


def _check_columns(
    spec: dg.AssetSpec, partitions_def: dg.PartitionsDefinition, place: SettingPlace
) -> Iterator[Problem]:
    problem = check_partition_columns(read_partition_columns(spec), partitions_def)
    if problem is not None:
        yield replace(problem, what=f"asset '{spec.key.to_user_string()}' {problem.what}", location=place.location)


def _of_no_use(name: str, place: SettingPlace, keys: list[str]) -> Problem:
    return Problem(
        "FLOE-385",
        f"asset pattern '{place.pattern}' sets '{name}' for assets without partitions",
        place.location,
        why=f"it says something of partitions only, and {list_names(keys)} {'has' if len(keys) == 1 else 'have'} none",
        fix="set 'partitions' as well, or delete it",
        severity="warning",
    )
