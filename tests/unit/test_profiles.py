"""From compute profiles to the profile that dbt reads."""

from argparse import Namespace
from pathlib import Path

from dbt.config.profile import Profile
from dbt.config.renderer import ProfileRenderer
from dbt.flags import set_from_args
from dbt_common.context import set_invocation_context
from inline_snapshot import snapshot

from builders import platform_spec
from floe_core.compiler.profiles import DbtProfile, DuckDBPlugin, build_dbt_profile
from floe_core.schemas.secrets import SecretRef

SECRET = {"secret_ref": "PG_PASSWORD"}
PLUGIN = DuckDBPlugin("floe_dagster.lakehouse.duckdb_plugin", "floe", {"tables": ["bronze.orders"], "wait": 60})


def build(*plugins: DuckDBPlugin, **compute: object) -> DbtProfile:
    profile = platform_spec(compute={"default": compute}).compute["default"]
    return build_dbt_profile("shop", {"dev": profile}, target="dev", base_dir=Path("/project"), duckdb_plugins=plugins)


def output(*plugins: DuckDBPlugin, **compute: object) -> object:
    content = build(*plugins, **compute).content["shop"]
    assert isinstance(content, dict)
    return content["outputs"]["dev"]


def test_duckdb_gets_its_file_and_the_plugin() -> None:
    assert output(PLUGIN, type="duckdb", threads=2, settings={"memory_limit": "1GB"}) == snapshot(
        {
            "threads": 2,
            "type": "duckdb",
            "path": "/project/.floe/floe.duckdb",
            "schema": "main",
            "settings": {"memory_limit": "1GB"},
            "plugins": [
                {
                    "module": "floe_dagster.lakehouse.duckdb_plugin",
                    "alias": "floe",
                    "config": {"tables": ["bronze.orders"], "wait": 60},
                }
            ],
        }
    )


def test_a_file_may_stand_anywhere() -> None:
    assert output(type="duckdb", path="/srv/shop.duckdb", schema="dbt") == snapshot(
        {"threads": 4, "type": "duckdb", "path": "/srv/shop.duckdb", "schema": "dbt"}
    )


def test_every_target_has_an_output() -> None:
    compute = platform_spec().compute["default"]

    content = build_dbt_profile("shop", {"dev": compute, "prod": compute}, target="prod", base_dir=Path("/p")).content

    shop = content["shop"]
    assert isinstance(shop, dict)
    assert (shop["target"], list(shop["outputs"])) == ("prod", ["dev", "prod"])


def test_secrets_are_variables_that_dbt_masks() -> None:
    profile = build(
        type="postgres", host="db", user={"secret_ref": "PG_USER"}, password=SECRET, dbname="shop", schema="dbt"
    )

    assert profile.content == snapshot(
        {
            "shop": {
                "target": "dev",
                "outputs": {
                    "dev": {
                        "threads": 4,
                        "type": "postgres",
                        "host": "db",
                        "port": 5432,
                        "user": "{{ env_var('DBT_ENV_SECRET_PG_USER') }}",
                        "password": "{{ env_var('DBT_ENV_SECRET_PG_PASSWORD') }}",
                        "dbname": "shop",
                        "schema": "dbt",
                    }
                },
            }
        }
    )
    assert profile.secret_variables == snapshot(
        {"DBT_ENV_SECRET_PG_USER": "PG_USER", "DBT_ENV_SECRET_PG_PASSWORD": "PG_PASSWORD"}
    )


def test_the_other_engines_get_the_words_of_their_adapters() -> None:
    outputs = [
        output(type="redshift", host="h", user="u", password=SECRET, dbname="d", schema="s", ra3_node=True),
        output(type="snowflake", account="a", user="u", private_key_path="keys/k.p8", private_key_passphrase=SECRET,
               database="d", schema="s", warehouse="w", role="r"),
        output(type="bigquery", method="service-account", keyfile="keys/k.json", project="p", dataset="d"),
        output(type="databricks", host="h", http_path="/sql/1", token=SECRET, catalog="c", schema="s"),
        output(type="trino", host="h", port=443, method="ldap", user="u", password=SECRET, catalog="c", schema="s",
               http_scheme="https", roles={"c": "etl"}),
        output(type="spark", host="h", port=10000, user="u", schema="s", server_side_parameters={"spark.a": 1}),
    ]  # fmt: skip

    assert outputs == snapshot(
        [
            {
                "threads": 4,
                "type": "redshift",
                "host": "h",
                "port": 5439,
                "dbname": "d",
                "schema": "s",
                "method": "database",
                "user": "u",
                "password": "{{ env_var('DBT_ENV_SECRET_PG_PASSWORD') }}",
                "ra3_node": True,
            },
            {
                "threads": 4,
                "type": "snowflake",
                "account": "a",
                "user": "u",
                "private_key_path": "/project/keys/k.p8",
                "private_key_passphrase": "{{ env_var('DBT_ENV_SECRET_PG_PASSWORD') }}",
                "database": "d",
                "schema": "s",
                "warehouse": "w",
                "role": "r",
            },
            {
                "threads": 4,
                "type": "bigquery",
                "method": "service-account",
                "project": "p",
                "dataset": "d",
                "keyfile": "/project/keys/k.json",
            },
            {
                "threads": 4,
                "type": "databricks",
                "host": "h",
                "http_path": "/sql/1",
                "token": "{{ env_var('DBT_ENV_SECRET_PG_PASSWORD') }}",
                "catalog": "c",
                "schema": "s",
            },
            {
                "threads": 4,
                "type": "trino",
                "host": "h",
                "port": 443,
                "method": "ldap",
                "user": "u",
                "password": "{{ env_var('DBT_ENV_SECRET_PG_PASSWORD') }}",
                "database": "c",
                "schema": "s",
                "http_scheme": "https",
                "roles": {"c": "etl"},
            },
            {
                "threads": 4,
                "type": "spark",
                "method": "thrift",
                "host": "h",
                "port": 10000,
                "user": "u",
                "schema": "s",
                "server_side_parameters": {"spark.a": 1},
            },
        ]
    )


def read_by_dbt(profile: DbtProfile, **environ: str) -> Profile:
    set_invocation_context(environ)
    set_from_args(Namespace(LOG_CACHE_EVENTS=False), None)
    return Profile.from_raw_profiles(profile.content, "shop", ProfileRenderer({}))


def test_dbt_reads_what_was_built() -> None:
    profile = build(
        PLUGIN,
        type="duckdb",
        threads=3,
        schema="{{ as_it_is }} and {% this %}",
        extensions=["json"],
        settings={"memory_limit": "1GB", "n": 2, "note": "{# no comment #}"},
    )

    read = read_by_dbt(profile)

    assert (read.target_name, read.threads) == ("dev", 3)
    assert read.credentials.to_dict()["path"] == "/project/.floe/floe.duckdb"
    assert read.credentials.schema == "{{ as_it_is }} and {% this %}"
    assert read.credentials.to_dict()["settings"] == {"memory_limit": "1GB", "n": 2, "note": "{# no comment #}"}
    assert read.credentials.to_dict()["plugins"] == [
        {"module": PLUGIN.module, "alias": "floe", "config": {"tables": ["bronze.orders"], "wait": 60}}
    ]


def test_dbt_takes_a_secret_as_it_is() -> None:
    profile = build(DuckDBPlugin("m", "floe", {"token": SecretRef(secret_ref="NAME")}), type="duckdb")

    read = read_by_dbt(profile, DBT_ENV_SECRET_NAME="12345")

    assert profile.secret_variables == {"DBT_ENV_SECRET_NAME": "NAME"}
    assert read.credentials.to_dict()["plugins"][0]["config"] == {"token": "12345"}
