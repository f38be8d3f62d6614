"""platform.yaml as a whole: where things are stored, computed and run."""

from datetime import timedelta
from typing import Annotated, Literal, Self, TypeAlias

from pydantic import Field, ValidationInfo, field_validator, model_validator

from floe_core.names.addresses import BucketName, DatasetNamespace, Url
from floe_core.names.identifiers import Identifier, ProfileName, ProfileOfTables
from floe_core.names.import_paths import FunctionReference
from floe_core.names.labels import TagKey
from floe_core.names.paths import LocalPath
from floe_core.names.rules import RuleError
from floe_core.names.scalars import Flag, Number, Text, WholeNumber
from floe_core.names.times import Duration
from floe_core.schemas.base import EmptySection, FloeModel, OrUnset, Several
from floe_core.schemas.compute_profile import ComputeProfile, DuckDBCompute
from floe_core.schemas.execution_profile import ExecutionProfile, InProcessExecution
from floe_core.schemas.floe_spec import without_notes
from floe_core.schemas.secrets import HostOrSecret, PlainOrSecret, Secret, SecretRef, TextOrSecret, UriOrSecret

SHORTEST_ORPHAN_GRACE = timedelta(hours=1)
"""Under this age no file is removed as an orphan, whatever a document or a call says."""


def check_orphan_grace(grace: timedelta) -> timedelta:
    """*grace*, if files of a write under way are safe with it."""
    if grace < SHORTEST_ORPHAN_GRACE:
        raise RuleError(
            "the files of a write that is not committed yet look like orphans, so a grace is an hour at least",
            fix="write '1h' or more",
        )
    return grace


class _AwsKeys(FloeModel):
    access_key_id: TextOrSecret | None = Field(
        default=None, description="Access key; without keys the client looks for credentials on its own."
    )
    secret_access_key: Secret | None = Field(default=None, description="Secret key that belongs to `access_key_id`.")
    session_token: Secret | None = Field(default=None, description="Session token of temporary keys.")

    @model_validator(mode="after")
    def _keys_are_a_pair(self) -> Self:
        _check_together(self, "access_key_id", "secret_access_key")
        return self


class LocalStorage(FloeModel):
    """Files of this machine."""

    type: Literal["local"] = Field(description="Files of this machine.")
    path: LocalPath = Field(
        default=".floe/warehouse", description="Folder of the tables, relative to the project folder."
    )


class S3Storage(_AwsKeys):
    """A bucket of S3, or of anything that speaks its protocol."""

    type: Literal["s3"] = Field(description="A bucket of S3, or of anything that speaks its protocol.")
    bucket: BucketName = Field(description="Bare name of the bucket.")
    prefix: Text = Field(default="", description="Path below which the tables are stored, within the bucket.")
    region: Text | None = Field(default=None, description="Region of the bucket; the client's own choice by default.")
    endpoint: Url | None = Field(default=None, description="Address of the service; https where no scheme is given.")
    path_style: Flag | None = Field(
        default=None, description="Whether the bucket stands in the path instead of the host name."
    )


StorageProfile: TypeAlias = Annotated[LocalStorage | S3Storage, Field(discriminator="type")]


class SqlCatalog(FloeModel):
    """An Iceberg catalog in a SQL database."""

    type: Literal["sql"] = Field(description="An Iceberg catalog in a SQL database.")
    uri: UriOrSecret = Field(
        default="sqlite:///.floe/catalog.db",
        description="Database address as SQLAlchemy writes it, `sqlite:///FILE` or `postgresql://USER@HOST/DATABASE`, "
        "without a password unless the whole is a secret.",
    )


class RestCatalog(FloeModel):
    """An Iceberg REST catalog, such as Polaris."""

    type: Literal["rest"] = Field(description="An Iceberg REST catalog, such as Polaris.")
    uri: Url = Field(description="Address of the catalog; https where no scheme is given.")
    warehouse: Text | None = Field(default=None, description="Warehouse, or catalog within the service.")
    client_id: TextOrSecret | None = Field(default=None, description="OAuth2 client.")
    client_secret: Secret | None = Field(default=None, description="Secret of the OAuth2 client.")
    token: Secret | None = Field(default=None, description="A bearer token, in place of the OAuth2 client.")
    oauth2_server_uri: Url | None = Field(
        default=None, description="Address that issues tokens; the catalog's own by default."
    )
    scope: Text | None = Field(default=None, description="OAuth2 scope, such as `PRINCIPAL_ROLE:ALL`.")
    access_delegation: Literal["vended-credentials", "remote-signing", "none"] | None = Field(
        default=None, description="How storage is reached: with credentials that the catalog hands out, or one's own."
    )

    @field_validator("token")
    @classmethod
    def _login_is_one(cls, token: SecretRef | None, info: ValidationInfo) -> SecretRef | None:
        if token is not None and info.data.get("client_id") is not None:
            raise RuleError("the catalog is reached by a client or by a token", fix="delete 'client_id' or 'token'")
        return token

    @model_validator(mode="after")
    def _client_is_complete(self) -> Self:
        _check_together(self, "client_id", "client_secret")
        return self


class GlueCatalog(_AwsKeys):
    """The AWS Glue data catalog."""

    type: Literal["glue"] = Field(description="The AWS Glue data catalog.")
    region: Text | None = Field(default=None, description="Region of the catalog; the client's own choice by default.")
    catalog_id: Text | None = Field(default=None, description="Account id of the catalog; the caller's by default.")
    endpoint: Url | None = Field(default=None, description="Address of the service, where it is not AWS's own.")


CatalogProfile: TypeAlias = Annotated[SqlCatalog | RestCatalog | GlueCatalog, Field(discriminator="type")]


class Observability(FloeModel):
    """Where traces and lineage events are sent; local files by default."""

    otlp_endpoint: Url | None = Field(default=None, description="Address of the OpenTelemetry collector.")
    otlp_protocol: Literal["grpc", "http/protobuf"] | None = Field(
        default=None, description="Protocol of the collector; grpc for port 4317, else http/protobuf."
    )
    otlp_headers: dict[str, OrUnset[TextOrSecret]] = Field(
        default={}, description="Headers of every request to the collector."
    )
    lineage_endpoint: Url | None = Field(default=None, description="Address of the OpenLineage receiver.")
    lineage_api_key: Secret | None = Field(default=None, description="API key of the OpenLineage receiver.")
    dataset_namespaces: dict[ProfileOfTables, OrUnset[DatasetNamespace]] = Field(
        default={},
        description="Namespace in lineage events of the tables of a profile, such as `catalogs.default` or "
        "`compute.default`; where the tables are by default, which for local files differs between machines.",
    )
    sampling: Number = Field(default=1.0, ge=0, le=1, description="Share of runs that are traced, from 0 to 1.")


def _check_together(model: FloeModel, first: str, second: str) -> None:
    for given, missing in ((first, second), (second, first)):
        if getattr(model, given) is not None and getattr(model, missing) is None:
            raise RuleError(f"'{first}' and '{second}' belong together", fix=f"add '{missing}'", at=(given,))


class SqliteInstance(FloeModel):
    """Dagster's runs and events in SQLite files of its home."""

    type: Literal["sqlite"] = Field(description="SQLite files in Dagster's home.")


class PostgresInstance(FloeModel):
    """Dagster's runs and events in a PostgreSQL database."""

    type: Literal["postgres"] = Field(description="A PostgreSQL database.")
    host: HostOrSecret = Field(description="Host of the database.")
    port: WholeNumber = Field(default=5432, ge=1, le=65535, description="Port of the database.")
    user: TextOrSecret = Field(description="User of the database.")
    password: Secret = Field(description="Password of the user.")
    dbname: Text = Field(default="dagster", description="Name of the database.")


InstanceStorage: TypeAlias = Annotated[SqliteInstance | PostgresInstance, Field(discriminator="type")]


class TagLimit(FloeModel):
    """How many runs with a tag go at once."""

    key: TagKey = Field(description="Key of the tag.")
    value: Text | None = Field(default=None, description="Value of the tag; any by default.")
    limit: WholeNumber = Field(ge=0, description="How many such runs go at once.")
    per_value: Flag = Field(default=False, description="Whether each value of the tag has the limit for itself.")


class PoolLimits(FloeModel):
    """How many steps of a pool go at once, where the pool itself says nothing."""

    default_limit: WholeNumber | None = Field(default=None, ge=0, description="Slots of every pool; none by default.")
    granularity: Literal["op", "run"] = Field(default="op", description="Whether a step or a whole run takes a slot.")


class Concurrency(FloeModel):
    """How much Dagster does at once."""

    max_concurrent_runs: WholeNumber | None = Field(default=None, ge=0, description="How many runs go at once.")
    tag_limits: Several[TagLimit] = Field(default=(), description="Limits for runs with certain tags.")
    pools: PoolLimits = Field(default={}, validate_default=True, description="Limits for the steps of pools.")


class Retention(FloeModel):
    """How long Dagster keeps the ticks of schedules and sensors."""

    schedule_ticks: Duration | None = Field(default=None, description="Age at which ticks of schedules are deleted.")
    sensor_ticks: Duration | None = Field(default=None, description="Age at which ticks of sensors are deleted.")
    skipped_ticks: Duration | None = Field(
        default=None, description="Age at which ticks that launched nothing are deleted, where it is less."
    )


class Instance(FloeModel):
    """Settings of the Dagster instance that floe generates."""

    storage: OrUnset[InstanceStorage] = Field(
        default={"type": "sqlite"}, validate_default=True, description="Where Dagster keeps runs, events and schedules."
    )
    concurrency: Concurrency = Field(default={}, validate_default=True, description="How much Dagster does at once.")
    retention: Retention = Field(default={}, validate_default=True, description="How long Dagster keeps ticks.")


class ResourceProfile(FloeModel):
    """A Dagster resource that assets, ops and sensors ask for by its key."""

    target: FunctionReference = Field(description="Class or function that builds the resource, by its import path.")
    args: dict[str, PlainOrSecret] = Field(
        default={}, description="Arguments by name; `{secret_ref: NAME}` anywhere among them is replaced by the secret."
    )


class Maintenance(FloeModel):
    """Defaults of vacuum and compaction; no call goes below what is written here."""

    orphan_grace: Duration = Field(
        default="3d",
        validate_default=True,
        description="Age that a file must have to be removed as an orphan, an hour at least. Written here, no call may "
        "ask for less.",
    )
    snapshot_retention: Duration = Field(
        default="5d",
        validate_default=True,
        description="How long the state of a table can still be read after it was replaced. Written here, no call may "
        "ask for less.",
    )
    retain_last: WholeNumber = Field(
        default=1,
        ge=1,
        description="How many snapshots of each branch of a table stay in any case. Written here, no call may ask for "
        "less.",
    )
    target_file_size_mb: WholeNumber = Field(default=512, ge=1, description="Size in MiB that compaction aims at.")

    @field_validator("orphan_grace")
    @classmethod
    def _grace_protects_writes(cls, grace: timedelta) -> timedelta:
        return check_orphan_grace(grace)


class PlatformSpec(FloeModel):
    """Everything that platform.yaml says; what it leaves out is the embedded platform."""

    storage: dict[ProfileName, OrUnset[StorageProfile]] = Field(
        default={"default": {"type": "local"}}, validate_default=True, description="Storage profiles by name."
    )
    catalogs: dict[ProfileName, OrUnset[CatalogProfile]] = Field(
        default={"default": {"type": "sql"}}, validate_default=True, description="Catalog profiles by name."
    )
    compute: dict[ProfileName, OrUnset[ComputeProfile]] = Field(
        default={"default": {"type": "duckdb"}}, validate_default=True, description="Compute profiles for dbt by name."
    )
    execution: dict[ProfileName, OrUnset[ExecutionProfile]] = Field(
        default={"default": {"type": "in_process"}}, validate_default=True, description="Execution profiles by name."
    )
    observability: Observability = Field(
        default={}, validate_default=True, description="Where traces and lineage are sent."
    )
    instance: Instance = Field(default={}, validate_default=True, description="Settings of the Dagster instance.")
    resources: Annotated[dict[Identifier, OrUnset[ResourceProfile]], EmptySection] = Field(
        default={}, description="Dagster resources by key."
    )
    maintenance: Maintenance = Field(
        default={}, validate_default=True, description="Defaults and floors of table maintenance."
    )

    @model_validator(mode="before")
    @classmethod
    def _leave_out_notes(cls, value: object) -> object:
        return without_notes(value)


def embedded_platform() -> PlatformSpec:
    """What `PlatformSpec()` gives, without building what validates all the kinds of profile that it does not have."""
    return PlatformSpec.model_construct(
        storage={"default": LocalStorage(type="local")},
        catalogs={"default": SqlCatalog(type="sql")},
        compute={"default": DuckDBCompute(type="duckdb")},
        execution={"default": InProcessExecution(type="in_process")},
        observability=Observability(),
        instance=Instance(),
        maintenance=Maintenance(),
    )
