"""The Dagster instance of a project: where its runs, events and schedules are kept."""

import fcntl
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from math import ceil
from pathlib import Path

import dagster as dg

from floe_core.errors import Location, Problem, RunError, shown_path
from floe_core.project import FLOE_DIR, ProjectFolder
from floe_core.schemas.execution_profile import KubernetesExecution
from floe_core.schemas.platform_spec import Concurrency, PlatformSpec, PostgresInstance, Retention
from floe_core.schemas.secrets import SecretRef
from floe_dagster.secrets import read_secret

HOME_VARIABLE = "DAGSTER_HOME"

_MARK = "# Written by floe; it is written again when platform.yaml changes."
_NOTE = f"{_MARK}\n# To keep changes of your own, delete these two lines, or set DAGSTER_HOME to a folder of yours.\n"
_MONITORING_SECONDS = 15  # Dagster's own 120 would end a run of one minute two minutes late
_IN_THREADS = {"use_threads": True, "num_workers": 4}
_HOME = "dagster_home"
_IN_A_HOME = ("dagster.yaml", "history")  # the settings, or what Dagster's own storage makes without any
_DEFAULT_PROFILE = "default"


@dataclass(frozen=True, slots=True)
class DagsterHome:
    """The folder of the instance, and whether floe writes its dagster.yaml."""

    path: Path
    is_generated: bool


def open_instance(
    project: ProjectFolder, platform: PlatformSpec, *, environ: Mapping[str, str] | None = None
) -> dg.DagsterInstance:
    """Open the project's instance and make it that of this process and of the processes it starts.

    Raises:
        RunError: DAGSTER_HOME names no folder, or the instance cannot be opened.
    """
    home = prepare_dagster_home(project, platform, environ=environ)
    os.environ[HOME_VARIABLE] = str(home.path)  # noqa: TID251 - set for child processes, not read
    if home.is_generated:
        _export_secrets(platform)
    try:
        with _alone_in(home.path):
            return dg.DagsterInstance.get()
    except Exception as error:  # whatever storage class dagster.yaml names raises its own
        raise RunError(_unopened(home, error)) from error


def open_existing_instance(
    project: ProjectFolder, platform: PlatformSpec, *, environ: Mapping[str, str] | None = None
) -> dg.DagsterInstance | None:
    """Open the project's instance if anything was ever stored in it; nothing is made or written by that.

    Raises:
        RunError: DAGSTER_HOME names no folder, or the instance cannot be opened.
    """
    path = find_dagster_home(project, environ=environ)
    if path is None or not _holds_something(path):
        return None
    _export_secrets(platform)
    try:
        return dg.DagsterInstance.from_config(str(path))
    except Exception as error:  # whatever storage class dagster.yaml names raises its own
        raise RunError(_unopened(DagsterHome(path, is_generated=False), error)) from error


def find_dagster_home(project: ProjectFolder, *, environ: Mapping[str, str] | None = None) -> Path | None:
    """The folder of the project's instance if there is an instance in it; nothing is made or written.

    Raises:
        RunError: DAGSTER_HOME is not the absolute path of a folder.
    """
    chosen = _chosen_home(project, environ)
    home = _checked_home(chosen) if chosen else project.path / FLOE_DIR / _HOME
    return home if any((home / name).exists() for name in _IN_A_HOME) else None


def prepare_dagster_home(
    project: ProjectFolder, platform: PlatformSpec, *, environ: Mapping[str, str] | None = None
) -> DagsterHome:
    """The folder of the project's instance, ready to be used.

    That is `DAGSTER_HOME`, which is left as it is, or `.floe/dagster_home` with a dagster.yaml made of platform.yaml.
    A dagster.yaml there that is not floe's own is left as it is, too.

    Raises:
        RunError: DAGSTER_HOME is not the absolute path of a folder.
    """
    chosen = _chosen_home(project, environ)
    if chosen:
        return DagsterHome(_checked_home(chosen), is_generated=False)
    home = project.make_floe_dir() / _HOME
    home.mkdir(exist_ok=True)
    file = home / "dagster.yaml"
    current = file.read_text(encoding="utf-8") if file.exists() else None
    if current is not None and _MARK not in current:
        return DagsterHome(home, is_generated=False)
    text = render_dagster_yaml(platform)
    if text != current:
        _replace(file, text)
    return DagsterHome(home, is_generated=True)


def render_dagster_yaml(platform: PlatformSpec) -> str:
    """The dagster.yaml that *platform* asks for.

    Run retries and run monitoring are on: without them `max_retries` and `max_runtime_seconds` of a job do nothing.
    Sensors and schedules are evaluated in threads: in Dagster's one, a sensor that takes a minute holds up all others.
    """
    settings: dict[str, object] = {
        "run_retries": {"enabled": True},
        "run_monitoring": {"enabled": True, "poll_interval_seconds": _MONITORING_SECONDS},
        "telemetry": {"enabled": False},
        "nux": {"enabled": False},
        "sensors": _IN_THREADS,
        "schedules": _IN_THREADS,
        "storage": _storage(platform),
        "concurrency": _concurrency(platform.instance.concurrency),
        "retention": _retention(platform.instance.retention),
        "run_launcher": _run_launcher(platform),
    }
    return _NOTE + "".join(_yaml_lines({key: value for key, value in settings.items() if value}))


def check_instance(
    instance: dg.DagsterInstance, *, retried_jobs: Mapping[str, Location], limited_jobs: Mapping[str, Location]
) -> tuple[Problem, ...]:
    """What the instance lacks that jobs ask for, as warnings: one for run retries and one for run monitoring.

    Args:
        retried_jobs: {job: where its `max_retries` stands}.
        limited_jobs: {job: where its `max_runtime_seconds` stands}.
    """
    lacks = (
        ("max_retries", "run_retries", instance.run_retries_enabled, retried_jobs),
        ("max_runtime_seconds", "run_monitoring", instance.run_monitoring_enabled, limited_jobs),
    )
    return tuple(
        Problem(
            "FLOE-428",
            f"{field} does nothing on this Dagster instance ({', '.join(jobs)})",
            next(iter(jobs.values())),
            why=f"Dagster honours it only where {setting} is enabled, and dagster.yaml of the instance does not say so",
            fix=f"add to dagster.yaml: {setting}: {{enabled: true}}",
            severity="warning",
        )
        for field, setting, enabled, jobs in lacks
        if jobs and not enabled
    )


def _holds_something(home: Path) -> bool:
    """Whether opening the instance finds what it would make otherwise; a storage elsewhere may hold anything."""
    settings = home / "dagster.yaml"
    named = settings.read_text(encoding="utf-8").splitlines() if settings.exists() else []
    return (home / "history").exists() or any(line.startswith(("storage:", "run_storage:")) for line in named)


@contextmanager
def _alone_in(folder: Path) -> Iterator[None]:
    """One process at a time: Dagster makes a new instance's tables one by one, and stumbles over those of another.

    The folder itself is locked, so that nothing has to be written there. Where that is impossible, so be it.
    """
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        with suppress(OSError):
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _export_secrets(platform: PlatformSpec) -> None:
    """Set what dagster.yaml reads from the environment where it is in a file of FLOE_SECRETS_DIR."""
    storage = platform.instance.storage
    if isinstance(storage, PostgresInstance):
        for value in (storage.host, storage.user, storage.password):
            if isinstance(value, SecretRef):
                os.environ[value.secret_ref] = read_secret(value)  # noqa: TID251 - set for child processes, not read


def _chosen_home(project: ProjectFolder, environ: Mapping[str, str] | None) -> str | None:
    """What DAGSTER_HOME says, unless that is the folder that floe makes."""
    chosen = (os.environ if environ is None else environ).get(HOME_VARIABLE)  # noqa: TID251 - where Dagster's home is
    return chosen if chosen and Path(chosen) != project.path / FLOE_DIR / _HOME else None


def _checked_home(chosen: str) -> Path:
    path = Path(chosen).expanduser()
    if path.is_absolute() and path.is_dir():
        return path
    reason = "which is not a folder" if path.is_absolute() else "which is not an absolute path"
    raise RunError(
        Problem(
            "FLOE-427",
            f"DAGSTER_HOME is '{chosen}', {reason}",
            why="Dagster keeps runs, events and schedules in the folder that the variable names",
            fix=f"create the folder and name it by its absolute path ({path.absolute()}), or unset DAGSTER_HOME to use "
            ".floe/dagster_home",
        )
    )


def _replace(file: Path, text: str) -> None:
    fresh = file.with_name(f"{file.name}.{os.getpid()}")
    fresh.write_text(text, encoding="utf-8")
    fresh.replace(file)


def _unopened(home: DagsterHome, error: Exception) -> Problem:
    lines = str(error).strip().splitlines()[:10]
    return Problem(
        "FLOE-429",
        f"the Dagster instance in {shown_path(home.path)} cannot be opened",
        why="runs are recorded there",
        fix="mend the `instance` section of platform.yaml" if home.is_generated else "mend its dagster.yaml",
        detail="\n".join([f"{type(error).__name__}: {lines[0] if lines else ''}", *lines[1:]]),
    )


def _storage(platform: PlatformSpec) -> dict[str, object]:
    storage = platform.instance.storage
    if not isinstance(storage, PostgresInstance):
        return {}
    return {
        "postgres": {
            "postgres_db": {
                "hostname": _text_or_variable(storage.host),
                "port": storage.port,
                "username": _text_or_variable(storage.user),
                "password": _text_or_variable(storage.password),
                "db_name": storage.dbname,
            }
        }
    }


def _text_or_variable(value: str | SecretRef) -> object:
    return {"env": value.secret_ref} if isinstance(value, SecretRef) else value


def _concurrency(concurrency: Concurrency) -> dict[str, object]:
    limits = [
        {"key": limit.key, "limit": limit.limit}
        | ({"value": {"applyLimitPerUniqueValue": True}} if limit.per_value else {})
        | ({"value": limit.value} if limit.value is not None else {})
        for limit in concurrency.tag_limits
    ]
    runs: dict[str, object] = {}
    if concurrency.max_concurrent_runs is not None:
        runs["max_concurrent_runs"] = concurrency.max_concurrent_runs
    if limits:
        runs["tag_concurrency_limits"] = limits
    pools: dict[str, object] = {}
    if concurrency.pools.default_limit is not None:
        pools["default_limit"] = concurrency.pools.default_limit
    if concurrency.pools.model_fields_set:
        pools["granularity"] = concurrency.pools.granularity
    return {key: value for key, value in {"runs": runs, "pools": pools}.items() if value}


def _retention(retention: Retention) -> dict[str, object]:
    kept = {"schedule": retention.schedule_ticks, "sensor": retention.sensor_ticks}
    settings: dict[str, object] = {}
    for kind, age in kept.items():
        days = {} if age is None else dict.fromkeys(("skipped", "success", "failure", "started"), _days(age))
        if retention.skipped_ticks is not None:
            days["skipped"] = _days(retention.skipped_ticks)
        if days:
            settings[kind] = {"purge_after_days": days}
    return settings


def _days(age: timedelta) -> int:
    return max(1, ceil(age / timedelta(days=1)))


def _run_launcher(platform: PlatformSpec) -> dict[str, object]:
    execution = platform.execution.get(_DEFAULT_PROFILE)
    if not isinstance(execution, KubernetesExecution):
        return {}
    config = {
        "job_image": execution.job_image,
        "job_namespace": execution.job_namespace,
        "service_account_name": execution.service_account_name,
        "image_pull_policy": execution.image_pull_policy,
        "image_pull_secrets": [{"name": name} for name in execution.image_pull_secrets],
        "env_config_maps": list(execution.env_config_maps),
        "env_secrets": list(execution.env_secrets),
        "env_vars": list(execution.env_vars),
        "labels": dict(execution.labels),
        "instance_config_map": execution.instance_config_map,
        "dagster_home": execution.dagster_home,
        "postgres_password_secret": execution.postgres_password_secret,
        "load_incluster_config": execution.load_incluster_config,
        "kubeconfig_file": execution.kubeconfig_file,
        "run_k8s_config": dict(execution.run_k8s_config),
    }
    set_values = {key: value for key, value in config.items() if value not in (None, [], {})}
    return {"module": "dagster_k8s", "class": "K8sRunLauncher", "config": set_values}


def _yaml_lines(value: Mapping[str, object], indent: str = "") -> list[str]:
    lines: list[str] = []
    for key, item in value.items():
        if isinstance(item, Mapping) and item:
            lines += [f"{indent}{_plain(key)}:\n", *_yaml_lines(item, f"{indent}  ")]
        else:
            lines.append(f"{indent}{_plain(key)}: {json.dumps(item)}\n")  # JSON is YAML
    return lines


def _plain(key: str) -> str:
    return key if key.isidentifier() else json.dumps(key)
