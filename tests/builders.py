"""The smallest valid thing of each kind, with what a test is about on top of it."""

import textwrap
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from inspect import isclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel, TypeAdapter, ValidationError

from floe_core.errors import format_yaml_path
from floe_core.interpolation import interpolate
from floe_core.names.rules import RuleError
from floe_core.schemas.asset_config import AssetConfig
from floe_core.schemas.backfill_definition import BackfillDefinition
from floe_core.schemas.floe_spec import FloeSpec
from floe_core.schemas.job_definition import BatchJob, OpsJob
from floe_core.schemas.orchestration_config import DbtConfig, OrchestrationConfig
from floe_core.schemas.partition_definition import (
    DynamicPartitions,
    MultiPartitions,
    StaticPartitions,
    TimeWindowPartitions,
)
from floe_core.schemas.platform_spec import PlatformSpec
from floe_core.schemas.schedule_definition import ScheduleDefinition
from floe_core.schemas.sensor_definition import (
    AssetSensor,
    AutomationSensor,
    CustomSensor,
    FileWatcherSensor,
    RunStatusSensor,
)
from floe_core.source_map import SourceMap
from floe_core.yaml_source import parse_yaml

TIME_WINDOW: Mapping[str, object] = {"type": "time_window", "start": "2024-01-01"}
STATIC: Mapping[str, object] = {"type": "static", "partition_keys": ["eu", "us"]}
DYNAMIC: Mapping[str, object] = {"type": "dynamic"}
MULTI: Mapping[str, object] = {"type": "multi", "partitions": {"date": TIME_WINDOW, "region": STATIC}}
BATCH_JOB: Mapping[str, object] = {"type": "batch", "selection": ["*"]}
OPS_JOB: Mapping[str, object] = {"type": "ops", "target_function": "shop.ops.vacuum"}
SCHEDULE: Mapping[str, object] = {"job": "load", "cron_schedule": "0 6 * * *"}
FILE_WATCHER: Mapping[str, object] = {"type": "file_watcher", "job": "load", "path": "incoming"}
ASSET_SENSOR: Mapping[str, object] = {"type": "asset_sensor", "job": "load", "watched_assets": ["orders"]}
RUN_STATUS: Mapping[str, object] = {"type": "run_status", "job": "load", "status": "FAILURE"}
CUSTOM_SENSOR: Mapping[str, object] = {"type": "custom", "target_function": "shop.sensors.check"}
AUTOMATION_SENSOR: Mapping[str, object] = {"type": "automation", "selection": ["*"]}
BACKFILL: Mapping[str, object] = {"job": "load", "partition_range": {"start": "2024-01-01", "end": "2024-01-31"}}


def time_window(**fields: object) -> TimeWindowPartitions:
    return TimeWindowPartitions.model_validate({**TIME_WINDOW, **fields})


def static(**fields: object) -> StaticPartitions:
    return StaticPartitions.model_validate({**STATIC, **fields})


def dynamic(**fields: object) -> DynamicPartitions:
    return DynamicPartitions.model_validate({**DYNAMIC, **fields})


def multi(**fields: object) -> MultiPartitions:
    return MultiPartitions.model_validate({**MULTI, **fields})


def batch_job(**fields: object) -> BatchJob:
    return BatchJob.model_validate({**BATCH_JOB, **fields})


def ops_job(**fields: object) -> OpsJob:
    return OpsJob.model_validate({**OPS_JOB, **fields})


def schedule(**fields: object) -> ScheduleDefinition:
    return ScheduleDefinition.model_validate({**SCHEDULE, **fields})


def file_watcher(**fields: object) -> FileWatcherSensor:
    return FileWatcherSensor.model_validate({**FILE_WATCHER, **fields})


def asset_sensor(**fields: object) -> AssetSensor:
    return AssetSensor.model_validate({**ASSET_SENSOR, **fields})


def run_status_sensor(**fields: object) -> RunStatusSensor:
    return RunStatusSensor.model_validate({**RUN_STATUS, **fields})


def custom_sensor(**fields: object) -> CustomSensor:
    return CustomSensor.model_validate({**CUSTOM_SENSOR, **fields})


def automation_sensor(**fields: object) -> AutomationSensor:
    return AutomationSensor.model_validate({**AUTOMATION_SENSOR, **fields})


def backfill(**fields: object) -> BackfillDefinition:
    return BackfillDefinition.model_validate({**BACKFILL, **fields})


def asset_config(**fields: object) -> AssetConfig:
    return AssetConfig.model_validate(fields)


def dbt_config(**fields: object) -> DbtConfig:
    return DbtConfig.model_validate(fields)


def orchestration(**sections: object) -> OrchestrationConfig:
    return OrchestrationConfig.model_validate(sections)


def floe_spec(**sections: object) -> FloeSpec:
    """A document whose `orchestration` has *sections*."""
    return FloeSpec.model_validate({"orchestration": sections})


def platform_spec(**sections: object) -> PlatformSpec:
    return PlatformSpec.model_validate(sections)


@dataclass(frozen=True)
class ParsedDocument:
    """A document read from text: its model, where it stands, and its values as they were written."""

    spec: FloeSpec
    source: SourceMap
    raw: object


def floe_yaml(orchestration_yaml: str, *, top: str = "") -> str:
    """A whole floe.yaml: *top* as it stands, and *orchestration_yaml* below `orchestration`."""
    body = textwrap.indent(textwrap.dedent(orchestration_yaml).strip("\n"), "  ")
    return f"{textwrap.dedent(top).strip()}\norchestration:\n{body}\n".lstrip()


def parse_document(text: str, environ: Mapping[str, str] | None = None) -> ParsedDocument:
    document = parse_yaml(textwrap.dedent(text), file=Path("floe.yaml"))
    values = interpolate(document.value, environ=environ or {}, source=document.source)
    return ParsedDocument(FloeSpec.model_validate(values.value), document.source, document.value)


def parse_spec(text: str, environ: Mapping[str, str] | None = None) -> FloeSpec:
    return parse_document(text, environ).spec


def refusals(kind: Any, value: object) -> list[str]:
    """What validating *value* complains about: for each mistake its path and the rule, then how to mend it."""
    try:
        if isclass(kind) and issubclass(kind, BaseModel):
            kind.model_validate(value)
        else:
            TypeAdapter(kind).validate_python(value)
    except ValidationError as error:
        return [line for found in error.errors() for line in _refusal(dict(found))]
    return []


def refusal_report(kind: Any, cases: Mapping[str, object]) -> str:
    """What validating each value complains about, below its name."""
    return fold(line for name, value in cases.items() for line in (f"# {name}", *refusals(kind, value)))


def fold(lines: Iterable[str]) -> str:
    """The lines, those that are too long for a page gone on with below, indented."""
    wrapper = textwrap.TextWrapper(
        110, subsequent_indent="    ", break_long_words=False, break_on_hyphens=False, drop_whitespace=True
    )
    return "\n".join("\n".join(wrapper.wrap(line)) for line in lines)


def _refusal(found: dict[str, object]) -> list[str]:
    location, context = found["loc"], found.get("ctx")
    assert isinstance(location, tuple)
    broken = context.get("error") if isinstance(context, dict) else None
    rule = str(broken) if broken else str(found["msg"])
    at = broken.at if isinstance(broken, RuleError) else ()
    path = format_yaml_path((*location, *at))
    fix = getattr(broken, "fix", "")
    return [f"{path}: {rule}" if path else rule, *([f"  fix: {fix}"] if fix else [])]
