"""`execution` of platform.yaml: where the steps of a run are executed."""

from typing import Annotated, Literal, TypeAlias

from pydantic import Field, ValidationInfo, field_validator

from floe_core.names.paths import LocalPath
from floe_core.names.rules import RuleError
from floe_core.names.scalars import Flag, Text, WholeNumber
from floe_core.schemas.base import FloeModel, OrUnset, PlainMapping, Several
from floe_core.schemas.secrets import TextOrSecret


class InProcessExecution(FloeModel):
    """One step after the other in the process of the run."""

    type: Literal["in_process"] = Field(description="One step after the other in the process of the run.")


class MultiprocessExecution(FloeModel):
    """A process for each step, on the machine of the run."""

    type: Literal["multiprocess"] = Field(description="A process for each step, on the machine of the run.")
    max_concurrent: WholeNumber | None = Field(
        default=None, ge=1, description="How many steps go at once; the number of processors by default."
    )
    start_method: Literal["spawn", "forkserver"] | None = Field(
        default=None, description="How Python starts the processes; Dagster's own choice by default."
    )


class DaskExecution(FloeModel):
    """Steps on Dask workers: a cluster of this machine, or one that runs already."""

    type: Literal["dask"] = Field(description="Steps on Dask workers.")
    address: Text | None = Field(
        default=None, description="Address of a scheduler that runs already; without it workers start on this machine."
    )
    n_workers: WholeNumber | None = Field(default=None, ge=1, description="How many workers start on this machine.")
    threads_per_worker: WholeNumber | None = Field(default=None, ge=1, description="How many threads a worker has.")

    @field_validator("n_workers", "threads_per_worker")
    @classmethod
    def _workers_start_here(cls, value: int | None, info: ValidationInfo) -> int | None:
        if value is not None and info.data.get("address") is not None:
            raise RuleError("workers of a scheduler that runs already are not started here", fix="delete it")
        return value


class CeleryExecution(FloeModel):
    """Steps on Celery workers, reached through a broker."""

    type: Literal["celery"] = Field(description="Steps on Celery workers.")
    broker: TextOrSecret = Field(description="Address of the message broker.")
    backend: TextOrSecret = Field(default="rpc://", description="Address of the result backend.")
    include: Several[str] = Field(default=(), description="Modules that every worker imports.")
    config_source: PlainMapping = Field(default={}, description="Further settings of the Celery app, by name.")


class KubernetesExecution(FloeModel):
    """Runs and steps as Kubernetes jobs."""

    type: Literal["k8s"] = Field(description="Runs and steps as Kubernetes jobs.")
    job_image: Text | None = Field(default=None, description="Image of the jobs; that of the code location by default.")
    job_namespace: Text = Field(default="default", description="Namespace of the jobs.")
    service_account_name: Text | None = Field(default=None, description="Service account of the jobs.")
    image_pull_policy: Literal["Always", "IfNotPresent", "Never"] | None = Field(
        default=None, description="When the image is pulled."
    )
    image_pull_secrets: Several[str] = Field(default=(), description="Kubernetes secrets that pulling the image needs.")
    env_config_maps: Several[str] = Field(default=(), description="Config maps whose entries are set as variables.")
    env_secrets: Several[str] = Field(default=(), description="Kubernetes secrets whose entries are set as variables.")
    env_vars: Several[str] = Field(default=(), description="Variables, as `NAME=value` or `NAME` to pass one on.")
    labels: dict[str, OrUnset[Text]] = Field(default={}, description="Labels of the jobs.")
    instance_config_map: Text = Field(
        default="dagster-instance", description="Config map that holds dagster.yaml for the jobs."
    )
    dagster_home: Text = Field(default="/opt/dagster/dagster_home", description="Dagster's home inside the jobs.")
    postgres_password_secret: Text | None = Field(
        default=None, description="Kubernetes secret that holds the password of the run storage."
    )
    max_concurrent: WholeNumber | None = Field(default=None, ge=1, description="How many steps of a run go at once.")
    load_incluster_config: Flag = Field(default=True, description="Whether the launcher itself runs in the cluster.")
    kubeconfig_file: LocalPath | None = Field(default=None, description="Kubeconfig of a launcher outside the cluster.")
    run_k8s_config: PlainMapping = Field(
        default={}, description="Raw Kubernetes settings of runs, as Dagster takes them."
    )
    step_k8s_config: PlainMapping = Field(
        default={}, description="Raw Kubernetes settings of steps, as Dagster takes them."
    )


ExecutionProfile: TypeAlias = Annotated[
    InProcessExecution | MultiprocessExecution | DaskExecution | CeleryExecution | KubernetesExecution,
    Field(discriminator="type"),
]
