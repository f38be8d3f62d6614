"""Keys as other tools call them, and what floe has for each: where one is written, its meaning is plain."""

from contextlib import suppress
from typing import NamedTuple

from floe_core.cron import CronError, parse_cron

_CRONS = ("cron", "cron_expression", "schedule_interval", "schedule")
_ON = frozenset({"true", "running", "on", "active", "enabled"})
_OFF = frozenset({"false", "stopped", "off", "inactive", "disabled", "paused"})
_SWITCHES = {
    "default_status": True,
    "status": True,
    "active": True,
    "paused": False,
    "is_paused": False,
    "disabled": False,
}
"""Whether the key says the same as `enabled`, or the opposite."""
_RETRIES = ("retries", "retry", "retry_count")

RENAMED_KEYS: dict[str, dict[str, str]] = {
    "schedule": {
        "job_name": "job",
        **dict.fromkeys(_CRONS, "cron_schedule"),
        **dict.fromkeys(("select", "assets", "target"), "selection"),
        **dict.fromkeys(("partition", "partition_key"), "partition_selector"),
        **dict.fromkeys(_SWITCHES, "enabled"),
        "tz": "timezone",
        "run_config": "config",
    },
    "sensor": {
        "job_name": "job",
        "job_names": "jobs",
        **dict.fromkeys(
            ("interval", "interval_seconds", "minimum_interval", "minimum_interval_seconds", "poll_interval"),
            "poll_interval_seconds",
        ),
        **dict.fromkeys(("asset_key", "asset_keys", "asset", "assets", "watch"), "watched_assets"),
        **dict.fromkeys(("monitored_jobs", "watched_job", "monitor"), "watched_jobs"),
        **dict.fromkeys(("directory", "folder", "dir"), "path"),
        **dict.fromkeys(("run_status", "on"), "status"),
        **dict.fromkeys(("select", "asset_selection"), "selection"),
        **dict.fromkeys(_SWITCHES, "enabled"),
        "glob": "pattern",
        "regex": "partition_pattern",
        "run_config": "config",
    },
    "job": {
        **dict.fromkeys(("select", "assets", "asset_selection"), "selection"),
        **dict.fromkeys(("timeout", "timeout_seconds", "max_runtime"), "max_runtime_seconds"),
        **dict.fromkeys(("op", "function"), "target_function"),
        **dict.fromkeys(_RETRIES, "max_retries"),
        "run_config": "config",
    },
    "ops job": dict.fromkeys((*_RETRIES, "max_retries"), "retry_policy"),
    "pattern": {
        **dict.fromkeys((*_RETRIES, "max_retries"), "retry_policy"),
        **dict.fromkeys(
            ("auto_materialize_policy", "auto_materialize", "automation", *_CRONS, "cron_schedule"),
            "automation_condition",
        ),
    },
    "partitions definition": {
        **dict.fromkeys((*_CRONS, "interval"), "cron_schedule"),
        **dict.fromkeys(("keys", "values"), "partition_keys"),
        **dict.fromkeys(("function", "target_function"), "fn"),
        "tz": "timezone",
        "format": "fmt",
        "dimensions": "partitions",
    },
    "asset module": dict.fromkeys(("name", "path", "package", "import", "module_name", "import_path"), "module"),
    "partition_range": {
        **dict.fromkeys(("from", "first", "begin", "since"), "start"),
        **dict.fromkeys(("to", "last", "until", "through"), "end"),
    },
    "retry_policy": {
        **dict.fromkeys((*_RETRIES, "count", "max"), "max_retries"),
        **dict.fromkeys(("delay_seconds", "wait", "retry_delay"), "delay"),
    },
    "freshness": {
        **dict.fromkeys(("max_age", "maximum_age", "maximum_lag", "within"), "fail_after"),
        **dict.fromkeys(("cron_schedule", "deadline_cron"), "cron"),
        **dict.fromkeys(("lower_bound_delta",), "lower_bound"),
        "tz": "timezone",
    },
    "secret": dict.fromkeys(("env", "env_var", "from_env", "variable", "ref", "secret"), "secret_ref"),
    "resource": {
        **dict.fromkeys(("class", "class_name", "factory", "function", "target_function", "type"), "target"),
        **dict.fromkeys(("config", "arguments", "params", "parameters", "kwargs", "options", "settings"), "args"),
    },
    "backfill": {"job_name": "job", "range": "partition_range", "keys": "partition_keys"},
}
"""By what the entry is, or the key of a mapping in it, and the key that was written: the field that says the same."""


class MeantKey(NamedTuple):
    """The field that was meant, if the entry itself has it, and what to write."""

    field: str
    fix: str


def find_meant_key(family: str, name: str, key: str, value: object, *, kind: str = "") -> MeantKey | None:
    """What *key* means in the entry *name*; None where that is not plain.

    Args:
        family: What the entry is, such as `job`.
        name: The entry's.
        key: What is written.
        value: The value below it, as the document has it.
        kind: The entry's `type`.

    >>> find_meant_key("schedule", "daily", "default_status", "STOPPED")
    MeantKey(field='enabled', fix="write 'enabled: false'")
    """
    if family == "job" and key in (*_CRONS, "cron_schedule", "schedules"):
        cron = f"'{value}'" if _is_cron(value) else "…"
        entry = f"{name}_schedule: {{job: {name}, cron_schedule: {cron}}}"
        return MeantKey("", f"write it under orchestration.schedules: {entry}")
    field = RENAMED_KEYS.get(f"{kind} {family}", {}).get(key, "") or RENAMED_KEYS.get(family, {}).get(key, "")
    if not field:
        return None
    if field == "enabled":
        return MeantKey(field, _switch(value, means_on=_SWITCHES[key]))
    if field == "retry_policy":
        times = value if isinstance(value, int) and not isinstance(value, bool) else "…"
        return MeantKey(field, f"write 'retry_policy: {{max_retries: {times}}}'")
    if field == "automation_condition" and (key in _CRONS or key == "cron_schedule"):
        return MeantKey(field, f"write automation_condition: \"on_cron('{value if _is_cron(value) else '…'}')\"")
    if field.endswith("_seconds") and not key.endswith("seconds"):
        return MeantKey(field, f"write '{field}', in seconds")
    return MeantKey(field, f"did you mean '{field}'?")


def _switch(value: object, *, means_on: bool) -> str:
    word = str(value).lower()
    if word not in _ON | _OFF:
        return "write 'enabled: true' or 'enabled: false'"
    return f"write 'enabled: {str((word in _ON) == means_on).lower()}'"


def _is_cron(value: object) -> bool:
    with suppress(CronError):
        return isinstance(value, str) and bool(parse_cron(value))
    return False
