"""Partitions of dbt models that do not go together with what the models, or floe.yaml, ask of them."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime

import dagster as dg

from floe_core.errors import Location, Problem
from floe_core.partition_places import PARTITION_END, PARTITION_START, dimension_of, find_places
from floe_core.source_map import SourceMap
from floe_core.suggestions import did_you_mean, list_names
from floe_dagster.dbt.index import DbtIndex, DbtNode, KeyPath
from floe_dagster.dbt.project import locate_setting
from floe_dagster.dbt.run_vars import ProjectVars

LocatePolicy = Callable[[KeyPath], Location | None]

_WINDOWS_LOOKED_AT = 40
_BY_BATCH = {"hour": "hour by hour", "day": "day by day", "month": "month by month", "year": "year by year"}
_ONE_WINDOW = (PARTITION_START, PARTITION_END)


def check_partitions(
    assets: Sequence[dg.AssetsDefinition],
    index: DbtIndex,
    dbt_vars: Mapping[str, object],
    *,
    locate_policy: LocatePolicy,
    source: SourceMap | None,
) -> Iterator[Problem]:
    """What is wrong, and what is probably not meant.

    Args:
        assets: The assets that dbt builds.
        index: The project.
        dbt_vars: `orchestration.dbt.vars`.
        locate_policy: Where floe.yaml sets the backfill policy of an asset.
        source: Where floe.yaml stands.
    """
    project_vars = ProjectVars.of(dbt_vars)
    partitions = [found for asset in assets for found in [_partitions_of(asset)] if found is not None]
    yield from _check_places(project_vars, partitions, source)
    nodes = {node.key: node for node in index.nodes}
    test_vars: dict[KeyPath, set[str]] = {}
    for check in index.checks:
        test_vars.setdefault(check.key, set()).update(check.vars)
    for asset in assets:
        partitions_def = _partitions_of(asset)
        if partitions_def is None:
            continue
        built = [nodes[key] for key in sorted(tuple(key.path) for key in asset.keys) if key in nodes]
        if _takes_ranges(asset.backfill_policy):
            read = {node.key: test_vars.get(node.key, set()).union(node.vars) for node in built}
            yield from _check_ranges(built, read, project_vars, locate_policy)
        for node in built:
            if node.batch_size is not None:
                yield from _check_batches(node, node.batch_size, partitions_def)


def _partitions_of(asset: dg.AssetsDefinition) -> dg.PartitionsDefinition | None:
    return next((spec.partitions_def for spec in asset.specs), None)


def _takes_ranges(policy: dg.BackfillPolicy | None) -> bool:
    return policy is not None and policy.max_partitions_per_run != 1


def _check_ranges(
    nodes: Iterable[DbtNode], read: Mapping[KeyPath, set[str]], project_vars: ProjectVars, locate_policy: LocatePolicy
) -> Iterator[Problem]:
    for node in nodes:
        names = sorted(filter(project_vars.needs_one_key, read[node.key]))
        if names:
            yield Problem(
                "FLOE-342",
                f"the dbt model '{node.path}' reads the var '{names[0]}', and its runs take several partitions",
                locate_policy(node.key),
                why="a run of several partitions has no single key, and dbt would fail for want of the var",
                fix="read partition_start and partition_end, or partition_keys, in the model and its tests; or delete "
                "backfill_policy",
            )


def _check_places(
    project_vars: ProjectVars, partitions: Sequence[dg.PartitionsDefinition], source: SourceMap | None
) -> Iterator[Problem]:
    dimensions = sorted({name for each in partitions for name in _dimensions_of(each)})
    has_windows = any(_windows_of(each) is not None for each in partitions)
    for name, value in project_vars.filled_in.items():
        location = locate_setting(source, "vars", name)
        for place in find_places(value):
            dimension = dimension_of(place.name)
            what = f"the dbt var '{name}' is filled in with '{{{place.name}}}', which no dbt model has"
            if not partitions:
                fix = "set 'partitions' for models under orchestration.assets, or delete the var"
                yield Problem("FLOE-342", what, location, "no dbt model has partitions", fix)
            elif dimension is not None and dimension not in dimensions:
                known = f"the dimensions of the models' partitions are {list_names(dimensions)}"
                yield Problem("FLOE-342", what, location, known, did_you_mean(dimension, dimensions))
            elif place.name in _ONE_WINDOW and not has_windows:
                why = "the partitions of dbt models are keys, not windows of time"
                yield Problem("FLOE-342", what, location, why, "fill in {partition_key}")
            else:
                continue
            break


def _check_batches(node: DbtNode, batch_size: str, partitions_def: dg.PartitionsDefinition) -> Iterator[Problem]:
    what = f"the dbt model '{node.path}' is built {_BY_BATCH[batch_size]}, "
    windows = _windows_of(partitions_def)
    if windows is None:
        yield _of_batches(what + "and its partitions are no windows of time", "dbt builds the batches up to now")
    elif isinstance(partitions_def, dg.MultiPartitionsDefinition):
        yield _of_batches(
            what + "and its partitions have a second dimension",
            "dbt replaces a batch whole, also the rows of the dimension's other keys",
        )
    elif (bound := _first_misfit(windows, batch_size)) is not None:
        yield _of_batches(
            what + f"and partitions meet at {bound:%Y-%m-%d %H:%M} UTC",
            f"dbt replaces whole batches, each a {batch_size} in UTC: a run reaches beyond its partition",
        )


def _of_batches(what: str, why: str) -> Problem:
    fix = "choose a batch_size and partitions that divide time alike, or another incremental strategy"
    return Problem("FLOE-343", what, why=why, fix=fix, severity="warning")


def _first_misfit(windows: dg.TimeWindowPartitionsDefinition, batch_size: str) -> datetime | None:
    """The first bound of the first windows that is not one of batches, in UTC."""
    bound = windows.start
    for _ in range(_WINDOWS_LOOKED_AT):
        window = windows.get_next_partition_window(bound, respect_bounds=False)
        if window is None:
            break
        for each in (window.start.astimezone(UTC), window.end.astimezone(UTC)):
            if each != _batch_start(each, batch_size):
                return each
        bound = window.end
    return None


def _batch_start(moment: datetime, batch_size: str) -> datetime:
    start = moment.replace(minute=0, second=0, microsecond=0)
    if batch_size != "hour":
        start = start.replace(hour=0)
    if batch_size in ("month", "year"):
        start = start.replace(day=1)
    return start.replace(month=1) if batch_size == "year" else start


def _windows_of(partitions_def: dg.PartitionsDefinition) -> dg.TimeWindowPartitionsDefinition | None:
    if isinstance(partitions_def, dg.MultiPartitionsDefinition):
        found = (dimension.partitions_def for dimension in partitions_def.partitions_defs)
        return next((each for each in found if isinstance(each, dg.TimeWindowPartitionsDefinition)), None)
    return partitions_def if isinstance(partitions_def, dg.TimeWindowPartitionsDefinition) else None


def _dimensions_of(partitions_def: dg.PartitionsDefinition) -> list[str]:
    if isinstance(partitions_def, dg.MultiPartitionsDefinition):
        return [dimension.name for dimension in partitions_def.partitions_defs]
    return []
