"""What a project defines, as plain rows: the sections of `floe list`."""

from collections.abc import Callable, Mapping
from datetime import datetime
from types import MappingProxyType
from typing import TypeAlias, assert_never

import dagster as dg
from dagster._utils.schedules import schedule_execution_time_iterator

from floe_core.schemas.backfill_definition import BackfillDefinition
from floe_core.schemas.partition_definition import (
    DynamicPartitions,
    MultiPartitions,
    PartitionDefinition,
    StaticPartitions,
    TimeWindowPartitions,
)
from floe_core.schemas.schedule_definition import ScheduleDefinition
from floe_core.schemas.sensor_definition import AutomationSensor, SensorDefinition
from floe_core.suggestions import list_names
from floe_dagster.backfilling.identity import BackfillIdentity
from floe_dagster.backfilling.plan import plan_backfill
from floe_dagster.backfilling.state import name_state, read_state
from floe_dagster.loaders.partition_loader import build_partitions
from floe_dagster.loading import LoadedProject
from floe_dagster.partitioning.choice import is_dynamic
from floe_dagster.partitioning.summary import summarize_keys
from floe_dagster.partitioning.texts import describe_partitions
from floe_dagster.running.instance import open_instance
from floe_dagster.selection.asset_index import KeyPath
from floe_dagster.user_code.module_contents import Schedule

Row: TypeAlias = dict[str, object]


def list_assets(loaded: LoadedProject, _: datetime) -> list[Row]:
    """A row for each asset, those that nothing in the project writes included."""
    specs = {tuple(spec.key.path): spec for spec in loaded.resolve_specs()}
    return [_asset_row(key, loaded, specs.get(key)) for key in sorted(loaded.index.nodes)]


def list_jobs(loaded: LoadedProject, _: datetime) -> list[Row]:
    """A row for each job; of a job that Python defines, its assets are known to Dagster alone."""
    declared = loaded.document.spec.orchestration.jobs
    return [
        {
            "name": name,
            "assets": None if launched.keys is None else len(launched.keys),
            "function": getattr(declared.get(name), "target_function", None),
            "schedules": sorted(schedule.name for schedule in loaded.schedules.values() if _job_name(schedule) == name),
            "partitions": None if launched.partitions_def is None else describe_partitions(launched.partitions_def),
            "description": launched.job.description,
        }
        for name, launched in sorted(loaded.jobs.items())
    ]


def list_schedules(loaded: LoadedProject, now: datetime) -> list[Row]:
    """A row for each schedule of this environment, with its next tick after *now*."""
    declared = loaded.document.spec.orchestration.schedules
    return [
        {
            "name": name,
            "job": ", ".join(declared[name].selection) if _launches_selection(name, declared) else schedule.job_name,
            "cron": [schedule.cron_schedule]
            if isinstance(schedule.cron_schedule, str)
            else list(schedule.cron_schedule),
            "timezone": schedule.execution_timezone or "UTC",
            "partition_selector": loaded.partition_selectors.get(name),
            "enabled": schedule.default_status == dg.DefaultScheduleStatus.RUNNING,
            "next_tick": _next_tick(schedule, now).isoformat(timespec="minutes"),
            "description": schedule.description,
        }
        for name, schedule in sorted(loaded.schedules.items())
        if isinstance(schedule, dg.ScheduleDefinition)
    ]


def list_sensors(loaded: LoadedProject, _: datetime) -> list[Row]:
    """A row for each sensor of floe.yaml."""
    return [
        {
            "name": name,
            "type": sensor.type,
            "target": _sensor_target(sensor),
            "poll_interval_seconds": sensor.poll_interval_seconds,
            "enabled": sensor.enabled,
            "environments": list(sensor.environments),
            "description": sensor.description,
        }
        for name, sensor in loaded.document.spec.orchestration.sensors.items()
    ]


def list_partitions(loaded: LoadedProject, now: datetime) -> list[Row]:
    """A row for each partitions definition of floe.yaml: the keys that it has at *now*, how many assets use it."""
    partitions, source = loaded.document.spec.orchestration.partitions, loaded.document.source
    definitions = build_partitions(partitions, source=source).definitions
    keeps_keys = any(is_dynamic(definition) for definition in definitions.values())
    instance = open_instance(loaded.project, loaded.platform.spec) if keeps_keys else None
    used = [spec.partitions_def for spec in loaded.resolve_specs()] if partitions else []
    rows = []
    for name, partition in partitions.items():
        keys = summarize_keys(definitions[name], at=now, dynamic_partitions_store=instance)
        rows.append(
            {
                "name": name,
                "type": partition.type,
                "partitions": _describe(partition),
                "keys": keys.number,
                "first": keys.first,
                "last": keys.last,
                "assets": sum(1 for other in used if other is not None and other == definitions[name]),
            }
        )
    return rows


def list_backfills(loaded: LoadedProject, now: datetime) -> list[Row]:
    """A row for each backfill, with where it stands in the project's Dagster instance."""
    backfills = loaded.document.spec.orchestration.backfills
    if not backfills:
        return []
    instance = open_instance(loaded.project, loaded.platform.spec)
    rows = []
    for name, backfill in backfills.items():
        identity = BackfillIdentity(loaded.document.spec.name or loaded.project.name, name)
        job = loaded.definitions.resolve_job_def(backfill.job)
        source = loaded.document.source
        plan = plan_backfill(identity, backfill, job, source=source, at=now, instance=instance)
        state = read_state(plan, instance)
        rows.append(
            {
                "name": name,
                "job": backfill.job,
                "partitions": _backfilled(backfill),
                "number": len(state.progress.states),
                "batch_size": backfill.batch_size,
                "on_failure": backfill.on_failure,
                "state": name_state(state),
                "done": state.progress.counts["done"],
                "materialised_already": state.progress.by_others,
                "description": backfill.description,
            }
        )
    return rows


SECTIONS: Mapping[str, Callable[[LoadedProject, datetime], list[Row]]] = MappingProxyType(
    {
        "assets": list_assets,
        "jobs": list_jobs,
        "schedules": list_schedules,
        "sensors": list_sensors,
        "partitions": list_partitions,
        "backfills": list_backfills,
    }
)


def _asset_row(key: KeyPath, loaded: LoadedProject, spec: dg.AssetSpec | None) -> Row:
    node = loaded.index.nodes[key]
    partitions = spec.partitions_def if spec else None
    condition = spec.automation_condition if spec else None
    return {
        "key": node.label,
        "group": node.group,
        "kinds": sorted(node.kinds),
        "owners": list(node.owners),
        "tags": dict(node.tags),
        "deps": sorted("/".join(dep) for dep in node.deps),
        "partitions": None if partitions is None else describe_partitions(partitions),
        "automation": None if condition is None else condition.get_label() or condition.name,
        "external": not node.executable,
        "origin": node.origin,
    }


def _job_name(schedule: Schedule) -> str:
    return schedule.job_name if isinstance(schedule, dg.ScheduleDefinition) else schedule.job.name


def _launches_selection(name: str, declared: Mapping[str, ScheduleDefinition]) -> bool:
    return name in declared and bool(declared[name].selection)


def _next_tick(schedule: dg.ScheduleDefinition, now: datetime) -> datetime:
    return next(schedule_execution_time_iterator(now.timestamp(), schedule.cron_schedule, schedule.execution_timezone))


def _sensor_target(sensor: SensorDefinition) -> str:
    if isinstance(sensor, AutomationSensor):
        return ", ".join(sensor.selection)
    targets = [*([sensor.job] if sensor.job else []), *sensor.jobs, *sensor.selection]
    return ", ".join(targets) or str(getattr(sensor, "target_function", None) or "")


def _describe(partition: PartitionDefinition) -> str:
    match partition:
        case TimeWindowPartitions():
            until = f" to {partition.end}" if partition.end else ""
            return f"{partition.cron_schedule} from {partition.start}{until} in {partition.timezone}"
        case StaticPartitions():
            return list_names(partition.partition_keys, limit=6)
        case MultiPartitions():
            return " × ".join(f"{name} ({_describe(keys)})" for name, keys in partition.partitions.items())
        case DynamicPartitions():
            return f"what {partition.fn} returns" if partition.fn else "keys that are added while it runs"
        case _:
            assert_never(partition)


def _backfilled(backfill: BackfillDefinition) -> str:
    if backfill.partition_range is not None:
        return f"{backfill.partition_range.start} to {backfill.partition_range.end}"
    return list_names(backfill.partition_keys, limit=6)
