"""`compute` of platform.yaml: what dbt runs on, with the words of the dbt adapters."""

from collections.abc import Mapping
from typing import Annotated, ClassVar, Literal, Self, TypeAlias

from pydantic import Field, field_validator, model_validator

from floe_core.interpolation import is_unset
from floe_core.names.addresses import Url
from floe_core.names.paths import DatabaseFile
from floe_core.names.rules import RuleError
from floe_core.names.scalars import Flag, Text, WholeNumber
from floe_core.schemas.base import FloeModel, OrUnset, PlainMapping, Several
from floe_core.schemas.secrets import HostOrSecret, Secret, SecretRef, TextOrSecret
from floe_core.suggestions import list_names


class _Compute(FloeModel):
    threads: WholeNumber = Field(default=4, ge=1, description="How many models dbt runs at once.")


class _Warehouse(_Compute):
    _other_words: ClassVar[dict[str, str]] = {}
    """Words that dbt takes as well, and the word for each that is used here."""
    _logins: ClassVar[dict[str, tuple[str, ...]]] = {}
    """The fields that each `method` needs; those of the empty method are alternatives where no method says more."""
    _methods: ClassVar[dict[str, str]] = {}
    """Credentials that dbt leaves unread with any other `method`."""

    reads_catalog: Flag = Field(
        default=False,
        description="Whether the engine was set up to read the Iceberg catalog, and so what Python assets write.",
    )

    @model_validator(mode="before")
    @classmethod
    def _read_other_words(cls, value: object) -> object:
        if not isinstance(value, Mapping):
            return value
        return {key if (word := cls._other_words.get(key, key)) in value else word: item for key, item in value.items()}

    @model_validator(mode="after")
    def _login_is_complete(self) -> Self:
        method = getattr(self, "method", "")
        method = "" if is_unset(method) else method
        missing = [f"'{field}'" for field in self._needed(method) if getattr(self, field) is None] if method else []
        if missing:
            raise RuleError(f"method '{method}' needs {' and '.join(missing)}", fix=f"add {' and '.join(missing)}")
        for field, other in self._methods.items():
            if method and method != other and getattr(self, field) is not None:
                raise RuleError(
                    f"'{field}' is read with method '{other}' only, and the method is '{method}'",
                    fix=f"write method: {other}, or delete '{field}'",
                    at=(field,),
                )
        alternatives = self._logins.get("", ())
        if alternatives and all(getattr(self, field) is None for field in alternatives):
            raise RuleError(f"logging in needs one of {list_names(alternatives)}", fix=f"add '{alternatives[0]}'")
        return self

    @classmethod
    def other_word(cls, field: str) -> str | None:
        """The word of dbt's that *field* may be written as."""
        return next((word for word, meant in cls._other_words.items() if meant == field), None)

    def _needed(self, method: str) -> tuple[str, ...]:
        return self._logins.get(method, ())


class DuckDBCompute(_Compute):
    """DuckDB in this process, on one file; reads every kind of catalog."""

    type: Literal["duckdb"] = Field(description="DuckDB in this process, on one file.")
    path: DatabaseFile = Field(
        default=".floe/floe.duckdb", description="The database file, relative to the project folder."
    )
    schema_name: Text = Field(default="main", alias="schema", description="Schema of models that name none.")
    extensions: Several[str] = Field(default=(), description="DuckDB extensions that are loaded.")
    settings: PlainMapping = Field(default={}, description="DuckDB settings by name, such as `memory_limit`.")
    reads_catalog: Flag = Field(default=True, description="Always true: DuckDB reads every kind of catalog.")

    @field_validator("reads_catalog")
    @classmethod
    def _catalog_is_read(cls, reads_catalog: bool) -> bool:
        if not reads_catalog:
            raise RuleError("DuckDB reads the catalog in every case", fix="delete it")
        return reads_catalog


class PostgresCompute(_Warehouse):
    """PostgreSQL."""

    _other_words: ClassVar[dict[str, str]] = {"database": "dbname", "pass": "password"}

    type: Literal["postgres"] = Field(description="PostgreSQL.")
    host: HostOrSecret = Field(description="Host of the database.")
    port: WholeNumber = Field(default=5432, ge=1, le=65535, description="Port of the database.")
    user: TextOrSecret = Field(description="User of the database.")
    password: Secret = Field(description="Password of the user; dbt's other word `pass` is taken, too.")
    dbname: Text = Field(description="Name of the database; dbt's other word `database` is taken, too.")
    schema_name: Text = Field(alias="schema", description="Schema of models that name none.")
    role: Text | None = Field(default=None, description="Role that is taken after connecting.")
    search_path: Text | None = Field(default=None, description="Search path of the connection.")
    sslmode: Literal["disable", "allow", "prefer", "require", "verify-ca", "verify-full"] | None = Field(
        default=None, description="How far the connection is encrypted and checked."
    )
    sslrootcert: Text | None = Field(default=None, description="File of the certificate authority.")
    sslcert: Text | None = Field(default=None, description="File of the client's certificate.")
    sslkey: Text | None = Field(default=None, description="File of the client's key.")
    connect_timeout: WholeNumber | None = Field(default=None, ge=1, description="Seconds to wait for a connection.")
    keepalives_idle: WholeNumber | None = Field(default=None, ge=0, description="Seconds between keepalive packets.")
    retries: WholeNumber | None = Field(default=None, ge=0, description="How many times connecting is tried again.")


class RedshiftCompute(_Warehouse):
    """Amazon Redshift."""

    _other_words: ClassVar[dict[str, str]] = {"database": "dbname", "pass": "password"}
    _logins: ClassVar[dict[str, tuple[str, ...]]] = {"database": ("user", "password"), "iam": ("user",)}

    type: Literal["redshift"] = Field(description="Amazon Redshift.")
    host: HostOrSecret = Field(description="Host of the cluster or workgroup.")
    port: WholeNumber = Field(default=5439, ge=1, le=65535, description="Port of the database.")
    dbname: Text = Field(description="Name of the database; dbt's other word `database` is taken, too.")
    schema_name: Text = Field(alias="schema", description="Schema of models that name none.")
    method: Literal["database", "iam", "iam_role"] = Field(default="database", description="How to log in.")
    user: TextOrSecret | None = Field(default=None, description="User of the database.")
    password: Secret | None = Field(
        default=None, description="Password of the user, with method `database`; dbt's other word `pass` is taken, too."
    )
    cluster_id: Text | None = Field(default=None, description="Provisioned cluster, with method `iam` or `iam_role`.")
    iam_profile: Text | None = Field(default=None, description="AWS profile, with method `iam`.")
    region: Text | None = Field(default=None, description="Region of the cluster.")
    autocreate: Flag | None = Field(default=None, description="Whether a missing user is created, with method `iam`.")
    db_groups: Several[str] = Field(default=(), description="Groups that the user joins, with method `iam`.")
    role: Text | None = Field(default=None, description="Role that is taken after connecting.")
    sslmode: Literal["disable", "allow", "prefer", "require", "verify-ca", "verify-full"] | None = Field(
        default=None, description="How far the connection is encrypted and checked."
    )
    ra3_node: Flag | None = Field(default=None, description="Whether the nodes are RA3, for reads across databases.")
    connect_timeout: WholeNumber | None = Field(default=None, ge=1, description="Seconds to wait for a connection.")
    retries: WholeNumber | None = Field(default=None, ge=0, description="How many times connecting is tried again.")

    def _needed(self, method: str) -> tuple[str, ...]:
        """A provisioned cluster is named, too, where AWS logs in; a serverless workgroup is told by its host."""
        named_by_host = isinstance(self.host, SecretRef) or is_unset(self.host) or "serverless" in self.host
        cluster = () if method == "database" or named_by_host else ("cluster_id",)
        return (*super()._needed(method), *cluster)


class SnowflakeCompute(_Warehouse):
    """Snowflake."""

    _logins: ClassVar[dict[str, tuple[str, ...]]] = {
        "": ("password", "private_key", "private_key_path", "token", "authenticator")
    }

    type: Literal["snowflake"] = Field(description="Snowflake.")
    account: TextOrSecret = Field(description="Account identifier.")
    user: TextOrSecret | None = Field(default=None, description="User of the account.")
    password: Secret | None = Field(default=None, description="Password of the user.")
    private_key: Secret | None = Field(
        default=None, description="Private key in PEM or base64, in place of a password."
    )
    private_key_path: Text | None = Field(default=None, description="File of the private key, in place of a password.")
    private_key_passphrase: Secret | None = Field(default=None, description="Passphrase of the private key.")
    authenticator: Text | None = Field(default=None, description="Another way to log in, such as `oauth`.")
    token: Secret | None = Field(default=None, description="Token of the authenticator.")
    oauth_client_id: TextOrSecret | None = Field(default=None, description="OAuth client of the authenticator.")
    oauth_client_secret: Secret | None = Field(default=None, description="Secret of the OAuth client.")
    database: Text = Field(description="Database of models that name none.")
    schema_name: Text = Field(alias="schema", description="Schema of models that name none.")
    warehouse: Text | None = Field(default=None, description="Warehouse that computes.")
    role: Text | None = Field(default=None, description="Role that is taken after connecting.")
    query_tag: Text | None = Field(default=None, description="Tag of every query.")
    client_session_keep_alive: Flag | None = Field(default=None, description="Whether sessions never time out.")
    reuse_connections: Flag | None = Field(default=None, description="Whether connections are used again.")
    connect_retries: WholeNumber | None = Field(
        default=None, ge=0, description="How many times connecting is tried again."
    )
    connect_timeout: WholeNumber | None = Field(default=None, ge=1, description="Seconds to wait for a connection.")


class BigQueryCompute(_Warehouse):
    """Google BigQuery."""

    _other_words: ClassVar[dict[str, str]] = {"database": "project", "schema": "dataset"}
    _logins: ClassVar[dict[str, tuple[str, ...]]] = {"service-account": ("keyfile",)}
    _methods: ClassVar[dict[str, str]] = {"keyfile": "service-account"}

    type: Literal["bigquery"] = Field(description="Google BigQuery.")
    method: Literal["oauth", "service-account", "oauth-secrets"] = Field(
        default="oauth", description="How to log in: the machine's own credentials, a key file, or OAuth tokens."
    )
    project: Text = Field(description="Project of models that name none; dbt's other word `database` is taken, too.")
    dataset: Text = Field(description="Dataset of models that name none; dbt's other word `schema` is taken, too.")
    location: Text | None = Field(default=None, description="Location of the data, such as `EU`.")
    keyfile: Text | None = Field(default=None, description="Key file, with method `service-account`.")
    token: Secret | None = Field(default=None, description="Access token, with method `oauth-secrets`.")
    refresh_token: Secret | None = Field(default=None, description="Refresh token, with method `oauth-secrets`.")
    client_id: TextOrSecret | None = Field(default=None, description="OAuth client, with method `oauth-secrets`.")
    client_secret: Secret | None = Field(default=None, description="Secret of the OAuth client.")
    token_uri: Url | None = Field(default=None, description="Address that issues tokens, with method `oauth-secrets`.")
    impersonate_service_account: Text | None = Field(default=None, description="Service account to act as.")
    execution_project: Text | None = Field(default=None, description="Project that pays for queries.")
    priority: Literal["interactive", "batch"] | None = Field(default=None, description="Priority of queries.")
    maximum_bytes_billed: WholeNumber | None = Field(
        default=None, ge=0, description="Bytes one query may cost at most."
    )
    job_execution_timeout_seconds: WholeNumber | None = Field(
        default=None, ge=1, description="Seconds one query may take."
    )
    job_retries: WholeNumber | None = Field(default=None, ge=0, description="How many times a query is tried again.")


class DatabricksCompute(_Warehouse):
    """Databricks."""

    _other_words: ClassVar[dict[str, str]] = {"database": "catalog"}
    _logins: ClassVar[dict[str, tuple[str, ...]]] = {"": ("token", "auth_type")}

    type: Literal["databricks"] = Field(description="Databricks.")
    host: TextOrSecret = Field(description="Host of the workspace.")
    http_path: TextOrSecret = Field(description="HTTP path of the SQL warehouse or cluster.")
    token: Secret | None = Field(default=None, description="Personal access token.")
    auth_type: Literal["oauth"] | None = Field(default=None, description="`oauth` to log in as a client without token.")
    client_id: TextOrSecret | None = Field(default=None, description="OAuth client.")
    client_secret: Secret | None = Field(default=None, description="Secret of the OAuth client.")
    catalog: Text | None = Field(
        default=None, description="Unity catalog of models that name none; dbt's other word `database` is taken, too."
    )
    schema_name: Text = Field(alias="schema", description="Schema of models that name none.")
    connect_retries: WholeNumber | None = Field(
        default=None, ge=0, description="How many times connecting is tried again."
    )
    connect_timeout: WholeNumber | None = Field(default=None, ge=1, description="Seconds to wait for a connection.")
    session_properties: PlainMapping = Field(default={}, description="Spark settings of the session, by name.")


class TrinoCompute(_Warehouse):
    """Trino or Starburst."""

    _other_words: ClassVar[dict[str, str]] = {"catalog": "database"}
    _logins: ClassVar[dict[str, tuple[str, ...]]] = {
        "none": ("user",),
        "ldap": ("user", "password"),
        "jwt": ("jwt_token",),
        "certificate": ("client_certificate", "client_private_key"),
        "kerberos": ("user",),
    }
    _methods: ClassVar[dict[str, str]] = {"password": "ldap"}

    type: Literal["trino"] = Field(description="Trino or Starburst.")
    host: HostOrSecret = Field(description="Host of the coordinator.")
    port: WholeNumber = Field(ge=1, le=65535, description="Port of the coordinator.")
    method: Literal["none", "ldap", "jwt", "certificate", "kerberos", "oauth", "oauth_console"] = Field(
        default="none", description="How to log in."
    )
    user: TextOrSecret | None = Field(default=None, description="User of the cluster.")
    password: Secret | None = Field(default=None, description="Password of the user, with method `ldap`.")
    jwt_token: Secret | None = Field(default=None, description="Token, with method `jwt`.")
    client_certificate: Text | None = Field(
        default=None, description="File of the certificate, with method `certificate`."
    )
    client_private_key: Text | None = Field(default=None, description="File of the key, with method `certificate`.")
    keytab: Text | None = Field(default=None, description="Keytab file, with method `kerberos`.")
    krb5_config: Text | None = Field(default=None, description="Kerberos configuration file, with method `kerberos`.")
    principal: Text | None = Field(default=None, description="Principal, with method `kerberos`.")
    database: Text = Field(description="Catalog of models that name none; dbt's other word `catalog` is taken, too.")
    schema_name: Text = Field(alias="schema", description="Schema of models that name none.")
    http_scheme: Literal["http", "https"] | None = Field(default=None, description="Scheme of the coordinator.")
    cert: Text | None = Field(default=None, description="File of the certificate authority.")
    roles: dict[str, OrUnset[Text]] = Field(default={}, description="Role per catalog.")
    session_properties: PlainMapping = Field(default={}, description="Session properties by name.")
    retries: WholeNumber | None = Field(default=None, ge=0, description="How many times a query is tried again.")


class SparkCompute(_Warehouse):
    """Apache Spark."""

    _logins: ClassVar[dict[str, tuple[str, ...]]] = {
        "thrift": ("host", "port", "user"),
        "http": ("host", "token", "cluster"),
        "odbc": ("host", "driver", "token"),
    }

    type: Literal["spark"] = Field(description="Apache Spark.")
    method: Literal["thrift", "http", "odbc", "session"] = Field(default="thrift", description="How to connect.")
    host: TextOrSecret | None = Field(default=None, description="Host of the Thrift server or workspace.")
    port: WholeNumber | None = Field(default=None, ge=1, le=65535, description="Port of the server.")
    user: TextOrSecret | None = Field(default=None, description="User of the server.")
    token: Secret | None = Field(default=None, description="Token, with method `http` or `odbc`.")
    cluster: Text | None = Field(default=None, description="Cluster, with method `http` or `odbc`.")
    endpoint: Text | None = Field(default=None, description="SQL endpoint, with method `odbc`.")
    driver: Text | None = Field(default=None, description="File of the driver, with method `odbc`.")
    organization: Text | None = Field(default=None, description="Organization of the workspace, with method `http`.")
    schema_name: Text = Field(alias="schema", description="Schema of models that name none.")
    auth: Text | None = Field(default=None, description="How to log in with method `thrift`, such as `KERBEROS`.")
    kerberos_service_name: Text | None = Field(default=None, description="Kerberos service of the Thrift server.")
    use_ssl: Flag | None = Field(default=None, description="Whether the connection is encrypted.")
    connect_retries: WholeNumber | None = Field(
        default=None, ge=0, description="How many times connecting is tried again."
    )
    connect_timeout: WholeNumber | None = Field(default=None, ge=1, description="Seconds to wait for a connection.")
    server_side_parameters: PlainMapping = Field(default={}, description="Spark settings of the session, by name.")


ComputeProfile: TypeAlias = Annotated[
    DuckDBCompute
    | PostgresCompute
    | SnowflakeCompute
    | BigQueryCompute
    | RedshiftCompute
    | DatabricksCompute
    | TrinoCompute
    | SparkCompute,
    Field(discriminator="type"),
]
