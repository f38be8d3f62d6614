"""Keys as other tools call them: the fields that they are said to be exist, and they themselves do not."""

from collections.abc import Mapping
from pathlib import Path
from typing import get_args

import pytest
from inline_snapshot import snapshot
from pydantic import BaseModel

from builders import floe_yaml
from floe_core.documents import read_parsed_document
from floe_core.other_keys import RENAMED_KEYS, find_meant_key
from floe_core.schemas.asset_config import AssetConfig, CronFreshness, WindowFreshness
from floe_core.schemas.backfill_definition import BackfillDefinition, PartitionRange
from floe_core.schemas.job_definition import JobDefinition, OpsJob, RetryPolicy
from floe_core.schemas.orchestration_config import AssetModule
from floe_core.schemas.partition_definition import PartitionDefinition
from floe_core.schemas.platform_spec import ResourceProfile
from floe_core.schemas.schedule_definition import ScheduleDefinition
from floe_core.schemas.secrets import SecretRef
from floe_core.schemas.sensor_definition import SensorDefinition
from floe_core.yaml_source import parse_yaml


def kinds_of(union: object) -> tuple[type[BaseModel], ...]:
    return get_args(get_args(union)[0])


MODELS: Mapping[str, tuple[type[BaseModel], ...]] = {
    "schedule": (ScheduleDefinition,),
    "sensor": kinds_of(SensorDefinition),
    "job": kinds_of(JobDefinition),
    "ops job": (OpsJob,),
    "pattern": (AssetConfig,),
    "partitions definition": kinds_of(PartitionDefinition),
    "backfill": (BackfillDefinition,),
    "partition_range": (PartitionRange,),
    "retry_policy": (RetryPolicy,),
    "freshness": (WindowFreshness, CronFreshness),
    "asset module": (AssetModule,),
    "secret": (SecretRef,),
    "resource": (ResourceProfile,),
}
KEYS = [(family, key, field) for family, keys in RENAMED_KEYS.items() for key, field in keys.items()]


@pytest.mark.parametrize(("family", "key", "field"), KEYS)
def test_what_a_key_is_said_to_be_is_a_field_and_the_key_is_not(family: str, key: str, field: str) -> None:
    having = [model for model in MODELS[family] if field in model.model_fields]

    assert having
    assert any(key not in model.model_fields for model in having)


@pytest.mark.parametrize(
    ("value", "fix"),
    [
        ("RUNNING", "write 'enabled: true'"),
        ("stopped", "write 'enabled: false'"),
        (True, "write 'enabled: true'"),
        ("odd", "write 'enabled: true' or 'enabled: false'"),
    ],
)
def test_a_status_is_whether_it_is_enabled(value: object, fix: str) -> None:
    assert find_meant_key("sensor", "a", "default_status", value) == ("enabled", fix)


@pytest.mark.parametrize(("value", "fix"), [(True, "write 'enabled: false'"), (False, "write 'enabled: true'")])
def test_paused_is_the_opposite_of_enabled(value: bool, fix: str) -> None:
    assert find_meant_key("schedule", "a", "paused", value) == ("enabled", fix)


DOCUMENT = """
    partitions:
      daily: {type: time_window, start: 2024, tz: Europe/Berlin}
    assets:
      orders: {retries: 3, auto_materialize_policy: eager}
      events: {cron: "0 6 * * *"}
    jobs:
      load: {type: batch, select: "*", timeout: 60, schedule: "0 6 * * *"}
    schedules:
      nightly: {job_name: load, schedule_interval: "@daily", tz: UTC, default_status: STOPPED}
    sensors:
      files: {type: file_watcher, job_name: load, directory: incoming, glob: "*.csv", regex: "(?P<a>.*)", interval: 60}
      assets: {type: asset_sensor, job: load, asset_keys: [orders], status: RUNNING}
"""


@pytest.mark.requirement("010-FR-029")
def test_an_entry_in_the_words_of_another_tool_has_one_problem_for_each_of_its_keys() -> None:
    document = parse_yaml(floe_yaml(DOCUMENT), file=Path("floe.yaml"))
    problems = read_parsed_document(document.value, document.source, environ={}).errors

    told = [f"{problem.what}: {problem.fix}" for problem in problems]
    assert {problem.code for problem in problems} == {"FLOE-120"}
    assert told == snapshot(
        [
            "partitions definition 'daily' takes no key 'tz': did you mean 'timezone'?",
            "pattern 'orders' takes no key 'retries': write 'retry_policy: {max_retries: 3}'",
            "pattern 'orders' takes no key 'auto_materialize_policy': did you mean 'automation_condition'?",
            "pattern 'events' takes no key 'cron': write automation_condition: \"on_cron('0 6 * * *')\"",
            "job 'load' takes no key 'select': did you mean 'selection'?",
            "job 'load' takes no key 'timeout': write 'max_runtime_seconds', in seconds",
            (
                "job 'load' takes no key 'schedule': write it under orchestration.schedules: "
                "load_schedule: {job: load, cron_schedule: '0 6 * * *'}"
            ),
            "schedule 'nightly' takes no key 'job_name': did you mean 'job'?",
            "schedule 'nightly' takes no key 'schedule_interval': did you mean 'cron_schedule'?",
            "schedule 'nightly' takes no key 'tz': did you mean 'timezone'?",
            "schedule 'nightly' takes no key 'default_status': write 'enabled: false'",
            "sensor 'files' takes no key 'job_name': did you mean 'job'?",
            "sensor 'files' takes no key 'directory': did you mean 'path'?",
            "sensor 'files' takes no key 'glob': did you mean 'pattern'?",
            "sensor 'files' takes no key 'regex': did you mean 'partition_pattern'?",
            "sensor 'files' takes no key 'interval': write 'poll_interval_seconds', in seconds",
            "sensor 'assets' takes no key 'asset_keys': did you mean 'watched_assets'?",
            "sensor 'assets' takes no key 'status': write 'enabled: true'",
        ]
    )
