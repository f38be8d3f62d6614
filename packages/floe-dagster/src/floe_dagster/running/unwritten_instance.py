"""A Dagster instance that reads as it is and keeps nothing of what is written to it."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any, TypeAlias

import dagster as dg

from floe_core.errors import Problem, RunError

_WRITES = (
    "add_",
    "claim_",
    "create_",
    "delete_",
    "free_",
    "handle_",
    "initialize_",
    "migrate",
    "optimize",
    "purge_",
    "reindex_",
    "replace_",
    "set_",
    "store_",
    "update_",
    "upgrade",
    "wipe",
)
_SILENT = frozenset({"update_asset_cached_status_data", "wipe_asset_cached_status", "optimize_for_webserver"})
"""What Dagster writes while it reads."""
_REFUSED = frozenset(
    {
        "add_run",
        "add_historical_run",
        "add_snapshot",
        "add_job_snapshot",
        "add_execution_plan_snapshot",
        "add_backfill",
        "claim_concurrency_slot",
        "create_tick",
    }
)
"""What whoever writes it goes on with."""
_Held: TypeAlias = tuple[object, str, Callable[..., object]]
"""What a method belongs to, its name, and what stands in for it."""
_LAUNCHES = ("launch_run", "resume_run", "terminate", "submit_run", "cancel_run")


@dataclass
class UnwrittenChanges:
    """What was written to an instance and not kept, as of now."""

    added: dict[str, list[str]] = field(default_factory=dict)  # dynamic partitions → keys
    removed: dict[str, list[str]] = field(default_factory=dict)
    writes: list[str] = field(default_factory=list)  # what else, by the names of Dagster's methods


@contextmanager
def unwritten(instance: dg.DagsterInstance) -> Iterator[UnwrittenChanges]:
    """Keep from *instance* whatever is written to it within the block.

    Dynamic partition keys that are added or removed count as such within the block; other writes do nothing. Runs,
    backfills and ticks are refused, and so is whatever would start or end a run.
    """
    changes = UnwrittenChanges()
    storages = (instance.event_log_storage, instance.run_storage, instance.schedule_storage)
    launchers = (instance.run_launcher, instance.run_coordinator)
    held: list[_Held] = [
        *((storage, name, _instead_of(name, changes)) for storage in storages for name in _writing_methods(storage)),
        *_dynamic_partitions(instance.event_log_storage, changes),
        *((each, name, partial(_refuse, name)) for each in launchers for name in _LAUNCHES if hasattr(each, name)),
    ]
    for owner, name, method in held:
        setattr(owner, name, method)
    try:
        yield changes
    finally:
        for owner, name, _ in held:
            vars(owner).pop(name, None)


def _writing_methods(storage: object) -> list[str]:
    return [name for name in dir(type(storage)) if name.startswith(_WRITES) and callable(getattr(type(storage), name))]


def _instead_of(name: str, changes: UnwrittenChanges) -> Callable[..., object]:
    if name in _REFUSED:
        return partial(_refuse, name)

    def note(*_: object, **__: object) -> None:
        if name not in _SILENT and name not in changes.writes:
            changes.writes.append(name)

    return note


def _refuse(name: str, *_: object, **__: object) -> object:
    raise RunError(
        Problem(
            "FLOE-435",
            f"the sensor launches or stores something by itself, with '{name}'",
            why="a test of a sensor reads the Dagster instance and stores nothing in it",
            fix="return run requests, which a test shows, in place of launching runs",
        )
    )


def _dynamic_partitions(storage: Any, changes: UnwrittenChanges) -> list[_Held]:
    """The methods about dynamic partitions, as if what was changed were stored."""
    stored_keys, stored_has = storage.get_dynamic_partitions, storage.has_dynamic_partition

    def keys(partitions_def_name: str) -> list[str]:
        removed = changes.removed.get(partitions_def_name, [])
        left = [key for key in stored_keys(partitions_def_name) if key not in removed]
        return [*left, *(key for key in changes.added.get(partitions_def_name, []) if key not in left)]

    def has(partitions_def_name: str, partition_key: str) -> bool:
        if partition_key in changes.removed.get(partitions_def_name, []):
            return False
        is_added = partition_key in changes.added.get(partitions_def_name, [])
        return is_added or bool(stored_has(partitions_def_name, partition_key))

    def add(partitions_def_name: str, partition_keys: list[str]) -> None:
        known = keys(partitions_def_name)
        changes.removed[partitions_def_name] = [
            key for key in changes.removed.get(partitions_def_name, []) if key not in partition_keys
        ]
        new = [key for key in partition_keys if key not in known]
        changes.added.setdefault(partitions_def_name, []).extend(new)

    def delete(partitions_def_name: str, partition_key: str) -> None:
        added = changes.added.get(partitions_def_name, [])
        if partition_key in added:
            added.remove(partition_key)
        else:
            changes.removed.setdefault(partitions_def_name, []).append(partition_key)

    return [
        (storage, "get_dynamic_partitions", keys),
        (storage, "has_dynamic_partition", has),
        (storage, "add_dynamic_partitions", add),
        (storage, "delete_dynamic_partition", delete),
    ]
