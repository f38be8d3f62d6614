"""`execution` of platform.yaml as Dagster executors."""

import importlib
from collections.abc import Mapping
from typing import assert_never, cast

import dagster as dg

from floe_core.compiler.known_part import is_partly_unset
from floe_core.errors import LoadError, Location, Problem, ProblemCollector
from floe_core.schemas.execution_profile import (
    CeleryExecution,
    DaskExecution,
    ExecutionProfile,
    InProcessExecution,
    KubernetesExecution,
    MultiprocessExecution,
)
from floe_core.source_map import SourceMap
from floe_dagster.secrets import read_text

DEFAULT_PROFILE = "default"

_LIBRARIES = {
    DaskExecution: ("dagster_dask", "dask_executor"),
    CeleryExecution: ("dagster_celery", "celery_executor"),
    KubernetesExecution: ("dagster_k8s", "k8s_job_executor"),
}
"""Dagster's own integration packages, which are installed only where they are used, and what they call the executor."""


def build_executors(
    profiles: Mapping[str, ExecutionProfile], *, source: SourceMap | None
) -> dict[str, dg.ExecutorDefinition]:
    """Build the executor of every execution profile, by the profile's name.

    `in_process` and `multiprocess` are always there, for jobs that name them without a profile.

    Args:
        profiles: `execution` of platform.yaml.
        source: Where the profiles stand; none on the embedded platform.

    Raises:
        LoadError: The library of an executor is not installed, or a secret that it needs is not set.
    """
    problems = ProblemCollector()
    executors: dict[str, dg.ExecutorDefinition] = {
        "in_process": dg.in_process_executor,
        "multiprocess": dg.multiprocess_executor,
    }
    for name, profile in profiles.items():
        location = source.locate("execution", name) if source else None
        with problems.collecting():
            library = _load_library(profile, location)
            if is_partly_unset(profile):
                executors[name] = dg.in_process_executor  # a stand-in: nothing runs on what is not known
            else:
                executors[name] = _build_executor(profile, library, location=location)
    problems.raise_if_any(LoadError)
    return executors


def _load_library(profile: ExecutionProfile, location: Location | None) -> dg.ExecutorDefinition:
    """The executor of the library that *profile* is for, also where not all of it is known."""
    if type(profile) not in _LIBRARIES:
        return dg.in_process_executor
    package, attribute = _LIBRARIES[type(profile)]
    try:
        module = importlib.import_module(package)
    except ModuleNotFoundError as error:
        if error.name != package:
            raise
        distribution = package.replace("_", "-")
        raise LoadError(
            Problem(
                code="FLOE-371",
                what=f"an execution profile of type '{profile.type}' needs {distribution}, which is not installed",
                location=location,
                fix=f"pip install {distribution}",
            )
        ) from error
    return cast("dg.ExecutorDefinition", getattr(module, attribute))


def _build_executor(
    profile: ExecutionProfile, library: dg.ExecutorDefinition, *, location: Location | None
) -> dg.ExecutorDefinition:
    match profile:
        case InProcessExecution():
            return dg.in_process_executor
        case MultiprocessExecution():
            return _build_multiprocess(profile)
        case DaskExecution():
            return library.configured({"cluster": _dask_cluster(profile)})
        case CeleryExecution():
            return library.configured(
                {
                    "broker": read_text(profile.broker, location=location),
                    "backend": read_text(profile.backend, location=location),
                    "include": list(profile.include),
                    "config_source": profile.config_source,
                }
            )
        case KubernetesExecution():
            return library.configured(_k8s_config(profile))
        case _:
            assert_never(profile)


def _build_multiprocess(profile: MultiprocessExecution) -> dg.ExecutorDefinition:
    config: dict[str, object] = {}
    if profile.max_concurrent is not None:
        config["max_concurrent"] = profile.max_concurrent
    if profile.start_method == "forkserver":
        config["start_method"] = {"forkserver": {"preload_modules": ["dagster"]}}
    elif profile.start_method == "spawn":
        config["start_method"] = {"spawn": {}}
    return dg.multiprocess_executor.configured(config)


def _dask_cluster(profile: DaskExecution) -> dict[str, object]:
    if profile.address is not None:
        return {"existing": {"address": profile.address}}
    local = {"n_workers": profile.n_workers, "threads_per_worker": profile.threads_per_worker}
    return {"local": {**{name: value for name, value in local.items() if value is not None}, "dashboard_address": None}}


def _k8s_config(profile: KubernetesExecution) -> dict[str, object]:
    config = {
        "job_image": profile.job_image,
        "job_namespace": profile.job_namespace,
        "service_account_name": profile.service_account_name,
        "image_pull_policy": profile.image_pull_policy,
        "image_pull_secrets": [{"name": name} for name in profile.image_pull_secrets],
        "env_config_maps": list(profile.env_config_maps),
        "env_secrets": list(profile.env_secrets),
        "env_vars": list(profile.env_vars),
        "labels": dict(profile.labels),
        "max_concurrent": profile.max_concurrent,
        "load_incluster_config": profile.load_incluster_config,
        "kubeconfig_file": profile.kubeconfig_file,
        "step_k8s_config": profile.step_k8s_config,
    }
    return {name: value for name, value in config.items() if value not in (None, [], {})}
