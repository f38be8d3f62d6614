"""platform.yaml as a whole."""

from datetime import timedelta
from pathlib import Path

import pytest
from inline_snapshot import snapshot

from builders import platform_spec, refusal_report, refusals
from floe_core.interpolation import EnvText, Unset
from floe_core.schemas.compute_profile import ComputeProfile, DuckDBCompute, PostgresCompute
from floe_core.schemas.execution_profile import ExecutionProfile, InProcessExecution
from floe_core.schemas.platform_spec import (
    CatalogProfile,
    Instance,
    LocalStorage,
    Observability,
    PlatformSpec,
    S3Storage,
    SqlCatalog,
    StorageProfile,
    embedded_platform,
)
from floe_core.schemas.secrets import SecretRef
from floe_core.yaml_source import parse_yaml

QUICKSTART = Path(__file__).parents[1] / "golden" / "quickstart"
SECRET = {"secret_ref": "NAME"}
POSTGRES = {"type": "postgres", "host": "db", "user": "etl", "password": SECRET, "dbname": "shop", "schema": "dbt"}


def test_what_is_left_out_is_the_embedded_platform() -> None:
    platform = platform_spec()

    assert platform.storage == {"default": LocalStorage.model_validate({"type": "local", "path": ".floe/warehouse"})}
    assert platform.catalogs == {
        "default": SqlCatalog.model_validate({"type": "sql", "uri": "sqlite:///.floe/catalog.db"})
    }
    assert isinstance(platform.compute["default"], DuckDBCompute)
    assert isinstance(platform.execution["default"], InProcessExecution)
    assert (platform.instance.storage.type, platform.instance.concurrency.tag_limits) == ("sqlite", ())
    assert (platform.observability.otlp_endpoint, platform.observability.sampling) == (None, 1.0)
    assert platform.maintenance.orphan_grace == timedelta(days=3)


def test_the_snippet_of_the_quickstart_is_valid() -> None:
    text = (QUICKSTART / "two_tiers_platform.yaml").read_text()

    platform = PlatformSpec.model_validate(parse_yaml(text, file=Path("platform.yaml")).value)

    storage = platform.storage["default"]
    assert isinstance(storage, S3Storage)
    assert (storage.bucket, storage.endpoint) == ("data-lake-prod", "https://s3.amazonaws.com")
    assert platform.observability.otlp_endpoint == "http://otel-collector:4317"


def test_secrets_are_named_wherever_they_are_needed() -> None:
    platform = platform_spec(
        storage={"default": {"type": "s3", "bucket": "lake", "access_key_id": SECRET, "secret_access_key": SECRET}},
        catalogs={"default": {"type": "sql", "uri": SECRET}},
        resources={"api": {"target": "shop.api.Client", "args": {"auth": {"token": SECRET}, "keys": [SECRET], "n": 1}}},
    )

    assert platform.resources["api"].args == {
        "auth": {"token": SecretRef(secret_ref="NAME")},
        "keys": [SecretRef(secret_ref="NAME")],
        "n": 1,
    }


def test_arguments_of_resources_become_what_yaml_would_read() -> None:
    resources = platform_spec(resources={"api": {"target": "a.B", "args": {"retries": EnvText("3")}}}).resources

    assert resources["api"].args == {"retries": 3}


@pytest.mark.parametrize("word", ["dbname", "database"])
def test_words_that_dbt_takes_as_well_are_understood(word: str) -> None:
    compute = {key: value for key, value in POSTGRES.items() if key != "dbname"} | {word: "shop"}

    profile = platform_spec(compute={"pg": compute}).compute["pg"]

    assert isinstance(profile, PostgresCompute)
    assert (profile.dbname, profile.schema_name) == ("shop", "dbt")


SMALLEST = [
    {"type": "duckdb"},
    POSTGRES,
    {"type": "redshift", "host": "h", "user": "u", "password": SECRET, "dbname": "d", "schema": "s"},
    {"type": "redshift", "host": "h", "method": "iam", "user": "u", "cluster_id": "c", "dbname": "d", "schema": "s"},
    {"type": "snowflake", "account": "a", "user": "u", "password": SECRET, "database": "d", "schema": "s"},
    {"type": "snowflake", "account": "a", "user": "u", "private_key_path": "k.p8", "database": "d", "schema": "s"},
    {"type": "bigquery", "project": "p", "dataset": "d"},
    {"type": "bigquery", "database": "p", "schema": "d", "method": "service-account", "keyfile": "k.json"},
    {"type": "databricks", "host": "h", "http_path": "/sql/1", "token": SECRET, "schema": "s"},
    {"type": "databricks", "host": "h", "http_path": SECRET, "auth_type": "oauth", "schema": "s"},
    {"type": "trino", "host": "h", "port": 443, "user": "u", "catalog": "c", "schema": "s"},
    {"type": "trino", "host": "h", "port": 443, "method": "jwt", "jwt_token": SECRET, "database": "c", "schema": "s"},
    {"type": "spark", "host": "h", "port": 10000, "user": "u", "schema": "s"},
    {"type": "spark", "method": "session", "schema": "s"},
]


@pytest.mark.parametrize("profile", SMALLEST, ids=lambda profile: f"{profile['type']}-{profile.get('method', '')}")
def test_every_engine_has_a_smallest_profile(profile: dict[str, object]) -> None:
    assert refusals(ComputeProfile, profile) == []


def test_profiles_that_are_refused() -> None:
    storage: dict[str, object] = {
        "bucket with a scheme": {"type": "s3", "bucket": "s3://lake"},
        "no bucket": {"type": "s3"},
        "misspelt key": {"type": "s3", "bucket": "lake", "pathstyle": True},
        "half of a pair of keys": {"type": "s3", "bucket": "lake", "access_key_id": "AK"},
        "secret as text": {"type": "s3", "bucket": "lake", "access_key_id": "AK", "secret_access_key": "hunter2"},
        "secret by interpolation": {
            "type": "s3", "bucket": "lake", "access_key_id": "AK", "secret_access_key": EnvText("hunter2"),
        },
        "remote folder": {"type": "local", "path": "s3://lake"},
    }  # fmt: skip
    catalogs: dict[str, object] = {
        "file as address": {"type": "sql", "uri": "catalog.db"},
        "password in an address": {"type": "sql", "uri": "postgresql://etl:hunter2@db/catalog"},
        "password in a web address": {"type": "rest", "uri": "https://etl:hunter2@catalog"},
        "no address": {"type": "rest", "warehouse": "prod"},
        "client without a secret": {"type": "rest", "uri": "catalog:8181", "client_id": "floe"},
        "client and token": {
            "type": "rest", "uri": "catalog:8181", "client_id": "floe", "client_secret": SECRET, "token": SECRET,
        },
        "value in place of a name": {"type": "rest", "uri": "catalog:8181", "token": {"secret_ref": "p@ss"}},
    }  # fmt: skip
    compute: dict[str, object] = {
        "unknown engine": {"type": "mysql"},
        "no password": {key: value for key, value in POSTGRES.items() if key != "password"},
        "port": {**POSTGRES, "port": 70000},
        "misspelt key": {**POSTGRES, "treads": 4},
        "both words": {**POSTGRES, "database": "shop"},
        "snowflake without a login": {"type": "snowflake", "account": "a", "user": "u", "database": "d", "schema": "s"},
        "service account without a file": {
            "type": "bigquery", "project": "p", "dataset": "d", "method": "service-account",
        },
        "databricks without a login": {"type": "databricks", "host": "h", "http_path": "/sql/1", "schema": "s"},
        "trino without its token": {
            "type": "trino", "host": "h", "port": 443, "method": "jwt", "database": "c", "schema": "s",
        },
        "duckdb that does not read": {"type": "duckdb", "reads_catalog": False},
        "no threads": {"type": "duckdb", "threads": 0},
    }  # fmt: skip
    execution: dict[str, object] = {
        "no broker": {"type": "celery"},
        "workers of a running cluster": {"type": "dask", "address": "tcp://scheduler:8786", "n_workers": 2},
        "no steps at once": {"type": "multiprocess", "max_concurrent": 0},
        "misspelt key": {"type": "k8s", "job_img": "shop:1"},
    }

    assert refusal_report(StorageProfile, storage) == snapshot("""\
# bucket with a scheme
s3.bucket: a bucket is its bare name, without a scheme and without a path
  fix: write 'lake'
# no bucket
s3.bucket: Field required
# misspelt key
s3.pathstyle: Extra inputs are not permitted
# half of a pair of keys
s3.access_key_id: 'access_key_id' and 'secret_access_key' belong together
  fix: add 'secret_access_key'
# secret as text
s3.secret_access_key: a secret never stands in a document
  fix: put the value into an environment variable and write {secret_ref: NAME} with the variable's name
# secret by interpolation
s3.secret_access_key: a secret is named and read only where it is used, so that it reaches no file and no log
  fix: write {secret_ref: NAME} with the variable's name, in place of ${NAME}
# remote folder
local.path: only local paths may stand here, and s3:// is remote: that belongs into platform.yaml
  fix: name a local folder, or reach the remote place through a resource\
""")
    assert refusal_report(CatalogProfile, catalogs) == snapshot("""\
# file as address
sql.uri.text: it is a database address, which begins with the kind of database
  fix: write it like 'sqlite:///.floe/catalog.db'
# password in an address
sql.uri.text: a password never stands in a document
  fix: keep the whole address secret: uri: {secret_ref: CATALOG_URI}
# password in a web address
rest.uri: a password never stands in an address
  fix: use the fields for credentials
# no address
rest.uri: Field required
# client without a secret
rest.client_id: 'client_id' and 'client_secret' belong together
  fix: add 'client_secret'
# client and token
rest.token: the catalog is reached by a client or by a token
  fix: delete 'client_id' or 'token'
# value in place of a name
rest.token.secret_ref: it is the name of an environment variable, never the value itself
  fix: set the value in the environment and write the name here\
""")
    assert refusal_report(ComputeProfile, compute) == snapshot("""\
# unknown engine
Input tag 'mysql' found using 'type' does not match any of the expected tags: 'duckdb', 'postgres',
    'snowflake', 'bigquery', 'redshift', 'databricks', 'trino', 'spark'
# no password
postgres.password: Field required
# port
postgres.port: Input should be less than or equal to 65535
# misspelt key
postgres.treads: Extra inputs are not permitted
# both words
postgres.database: Extra inputs are not permitted
# snowflake without a login
snowflake: logging in needs one of password, private_key, private_key_path, token, authenticator
  fix: add 'password'
# service account without a file
bigquery: method 'service-account' needs 'keyfile'
  fix: add 'keyfile'
# databricks without a login
databricks: logging in needs one of token, auth_type
  fix: add 'token'
# trino without its token
trino: method 'jwt' needs 'jwt_token'
  fix: add 'jwt_token'
# duckdb that does not read
duckdb.reads_catalog: DuckDB reads the catalog in every case
  fix: delete it
# no threads
duckdb.threads: Input should be greater than or equal to 1\
""")
    assert refusal_report(ExecutionProfile, execution) == snapshot("""\
# no broker
celery.broker: Field required
# workers of a running cluster
dask.n_workers: workers of a scheduler that runs already are not started here
  fix: delete it
# no steps at once
multiprocess.max_concurrent: Input should be greater than or equal to 1
# misspelt key
k8s.job_img: Extra inputs are not permitted\
""")


def test_other_sections_that_are_refused() -> None:
    assert refusal_report(
        PlatformSpec,
        {
            "section of floe.yaml": {"orchestration": {}},
            "resource without a target": {"resources": {"api": {}}},
            "no grace": {"maintenance": {"orphan_grace": "0d"}},
            "a grace that endangers writes": {"maintenance": {"orphan_grace": "59m"}},
            "no snapshot": {"maintenance": {"retain_last": 0}},
        },
    ) == snapshot("""\
# section of floe.yaml
orchestration: Extra inputs are not permitted
# resource without a target
resources.api.target: Field required
# no grace
maintenance.orphan_grace: a length of time is longer than zero
  fix: write a number above 0
# a grace that endangers writes
maintenance.orphan_grace: the files of a write that is not committed yet look like orphans, so a grace is an
    hour at least
  fix: write '1h' or more
# no snapshot
maintenance.retain_last: Input should be greater than or equal to 1\
""")
    assert refusal_report(
        Observability,
        {
            "sampling": {"sampling": 1.5},
            "protocol": {"otlp_protocol": "http"},
            "key as text": {"lineage_api_key": "abc"},
            "address": {"otlp_endpoint": "collector port 4317"},
        },
    ) == snapshot("""\
# sampling
sampling: Input should be less than or equal to 1
# protocol
otlp_protocol: Input should be 'grpc' or 'http/protobuf'
# key as text
lineage_api_key: a secret never stands in a document
  fix: put the value into an environment variable and write {secret_ref: NAME} with the variable's name
# address
otlp_endpoint: it is the address of a web service
  fix: write it like 'https://host:8181/path'\
""")
    assert refusal_report(
        Instance,
        {
            "postgres without a password": {"storage": {"type": "postgres", "host": "db", "user": "dagster"}},
            "limit": {"concurrency": {"tag_limits": [{"key": "team", "limit": -1}]}},
            "retention": {"retention": {"schedule_ticks": 7}},
        },
    ) == snapshot("""\
# postgres without a password
storage.postgres.password: Field required
# limit
concurrency.tag_limits[0].limit: Input should be greater than or equal to 0
# retention
retention.schedule_ticks: a length of time has a unit (s, m, h, d, w), such as '30m', '24h' or '1d12h'
  fix: write '7s', '7m', '7h' or '7d'\
""")


def test_values_that_wait_for_a_variable_are_left_unchecked() -> None:
    waiting = Unset("${MISSING}")

    platform = platform_spec(
        storage={
            "default": {"type": "s3", "bucket": waiting, "access_key_id": waiting, "secret_access_key": SECRET},
            "other": {"type": waiting},
        },
        compute={"default": {**POSTGRES, "port": waiting, "password": waiting}},
        catalogs=waiting,
    )

    assert isinstance(platform.storage["other"], Unset)


def test_the_embedded_platform_is_what_an_empty_platform_yaml_says() -> None:
    assert embedded_platform() == PlatformSpec.model_validate({})
    assert embedded_platform().model_dump() == PlatformSpec.model_validate({}).model_dump()


def test_namespaces_of_tables_are_what_lineage_stores_take() -> None:
    namespaces: dict[str, object] = {
        "bare profile": {"dataset_namespaces": {"default": "lake"}},
        "storage has no tables": {"dataset_namespaces": {"storage.default": "lake"}},
        "singular": {"dataset_namespaces": {"catalog.prod": "lake"}},
        "space": {"dataset_namespaces": {"catalogs.default": "my lake"}},
        "empty": {"dataset_namespaces": {"catalogs.default": ""}},
        "password": {"dataset_namespaces": {"compute.default": "postgres://ada:lovelace@db:5432"}},
        "fine": {"dataset_namespaces": {"compute.default": "postgres://db:5432", "catalogs.default": "lake"}},
    }

    assert refusal_report(Observability, namespaces) == snapshot("""\
# bare profile
dataset_namespaces.default["[key]"]: tables belong to a profile of 'catalogs' or 'compute', named with its
    section
  fix: write 'compute.default'
# storage has no tables
dataset_namespaces["storage.default"]["[key]"]: tables belong to a profile of 'catalogs' or 'compute', named
    with its section
  fix: write 'compute.default'
# singular
dataset_namespaces["catalog.prod"]["[key]"]: tables belong to a profile of 'catalogs' or 'compute', named with
    its section
  fix: write 'catalogs.prod'
# space
dataset_namespaces["catalogs.default"]: a namespace of datasets has letters, digits and any of : ; = / _ - . @
    +
  fix: write it like 'lake' or 'duckdb://shop'
# empty
dataset_namespaces["catalogs.default"]: a namespace of datasets has letters, digits and any of : ; = / _ - . @
    +
  fix: write it like 'lake' or 'duckdb://shop'
# password
dataset_namespaces["compute.default"]: a namespace of datasets is sent in clear, and holds no user or password
  fix: leave them out
# fine\
""")
