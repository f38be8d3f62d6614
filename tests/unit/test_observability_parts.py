"""What observers are told of a project: where to write, and what its tables are called."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from builders import platform_spec
from floe_core.project import ProjectFolder
from floe_core.schemas.floe_spec import FloeSpec
from floe_core.secrets.variables import find_variables_of_secrets
from floe_dagster import floe_asset
from floe_dagster.dbt.index import DbtIndex, DbtNode, DbtSource, RelationNames
from floe_dagster.dbt_parts import DbtParts
from floe_dagster.observability.settings import ObservabilitySettings, OwnProfile
from floe_dagster.observability_parts import build_observability_settings
from floe_dagster.profiles import resolve_profiles

SECRET = {"secret_ref": "NAME"}
REST = {"type": "rest", "uri": "https://ada@lake.example/api/catalog?x=1", "client_id": "c", "client_secret": SECRET}
POSTGRES = {"type": "postgres", "host": "db", "user": "etl", "password": SECRET, "dbname": "shop", "schema": "dbt"}


def build(
    folder: Path,
    *,
    dbt: DbtParts | None = None,
    assets: Any = (),
    secret_variables: Iterable[str] = (),
    **platform: Any,
) -> ObservabilitySettings:
    spec = FloeSpec.model_validate({"name": "shop", "orchestration": {}})
    whole = platform_spec(**platform)
    return build_observability_settings(
        spec,
        whole,
        project=ProjectFolder(folder),
        profiles=resolve_profiles(spec, whole),
        namespace="floe",
        dbt=dbt or DbtParts(),
        python_assets=assets,
        secret_variables=secret_variables,
    )


def test_variables_under_the_names_of_secrets_are_secrets(tmp_path: Path) -> None:
    raw = {"dbt": {"vars": {"db_password": "${ONE}", "login": [{"token": "x${TWO:-1}", "name": "${THREE}"}]}}}

    said = build(tmp_path, secret_variables=find_variables_of_secrets(raw), catalogs={"default": REST})

    assert (said.secret_names, said.secret_variables) == (["NAME"], ["ONE", "TWO"])


def test_the_embedded_platform_is_called_by_its_files(tmp_path: Path) -> None:
    said = build(tmp_path)

    assert (said.pipeline, said.namespace, said.folder) == ("shop", "floe", tmp_path / ".floe" / "observability")
    assert said.catalog_namespace == f"sqlite:///{tmp_path}/.floe/catalog.db"
    assert said.warehouse_namespace == f"duckdb://{tmp_path}/.floe/floe.duckdb"


@pytest.mark.parametrize(
    ("catalog", "namespace"),
    [
        (REST, "https://lake.example/api/catalog"),
        ({"type": "sql", "uri": "postgresql+psycopg2://etl@db:5432/lake?x=1"}, "postgresql://db:5432/lake"),
        ({"type": "sql", "uri": SECRET}, "iceberg://default"),
        ({"type": "glue", "region": "eu-west-1", "catalog_id": "123"}, "arn:aws:glue:eu-west-1:123"),
        ({"type": "glue"}, "iceberg://default"),
    ],
    ids=["rest", "sql", "secret address", "glue", "glue by its defaults"],
)
def test_a_catalog_is_called_by_its_address(tmp_path: Path, catalog: dict[str, object], namespace: str) -> None:
    assert build(tmp_path, catalogs={"default": catalog}).catalog_namespace == namespace


@pytest.mark.parametrize(
    ("compute", "namespace"),
    [
        (POSTGRES, "postgres://db:5432"),
        ({**POSTGRES, "host": SECRET}, "postgres://default"),
        (
            {
                "type": "snowflake",
                "account": "org-shop",
                "user": "etl",
                "password": SECRET,
                "database": "d",
                "schema": "s",
            },
            "snowflake://org-shop",
        ),
        ({"type": "bigquery", "project": "shop", "dataset": "dbt"}, "bigquery"),
    ],
    ids=["postgres", "secret host", "snowflake", "bigquery"],
)
def test_a_warehouse_is_called_by_its_address(tmp_path: Path, compute: dict[str, object], namespace: str) -> None:
    assert build(tmp_path, compute={"default": compute}).warehouse_namespace == namespace


def test_two_machines_may_call_their_files_alike(tmp_path: Path) -> None:
    given = {"dataset_namespaces": {"catalogs.default": "lake", "compute.default": "duckdb://shop"}}

    here, there = (build(tmp_path / name, observability=given) for name in ("a", "b"))

    assert (here.catalog_namespace, here.warehouse_namespace) == ("lake", "duckdb://shop")
    assert (there.catalog_namespace, there.warehouse_namespace) == ("lake", "duckdb://shop")


def test_every_secret_of_the_platform_is_named(tmp_path: Path) -> None:
    said = build(
        tmp_path,
        compute={"default": {**POSTGRES, "password": {"secret_ref": "PG"}}},
        observability={
            "otlp_headers": {"authorization": {"secret_ref": "OTLP"}},
            "lineage_api_key": {"secret_ref": "KEY"},
        },
        resources={"api": {"target": "shop.Api", "args": {"auth": [{"secret_ref": "API"}]}}},
    )

    assert said.secret_names == ["API", "KEY", "OTLP", "PG"]


class TestDbt:
    INDEX = DbtIndex(
        settings_digest="",
        project_dir=None,
        manifest_path="manifest.json",
        nodes=(
            DbtNode(
                unique_id="model.shop.stg", key=("silver", "stg"), path="", database="{database}",
                schema="{schema}_silver", alias="stg", resource_type="model", fqn="shop.stg",
            ),
        ),
        sources=(
            DbtSource(
                unique_id="source.shop.raw.orders", key=("raw", "orders"), path="", schema="bronze", alias="Orders"
            ),
            DbtSource(
                unique_id="source.shop.raw.own", key=("own",), path="", schema="x", alias="y", has_own_key=True
            ),
            DbtSource(unique_id="source.shop.raw.rates", key=("raw", "rates"), path="", schema="raw", alias="rates"),
        ),
    )  # fmt: skip

    def build(self, folder: Path, **given: Any) -> ObservabilitySettings:
        @floe_asset(outputs=["bronze.orders"])
        def bronze_orders() -> None: ...

        @floe_asset(name="own", outputs=["bronze.own"])
        def own() -> None: ...

        dbt = DbtParts(
            index=self.INDEX,
            names=RelationNames("shop", "main", "duckdb"),
            tables={"silver.stg": dg.AssetKey(["silver", "stg"])},
            source_keys={"source.shop.raw.orders": dg.AssetKey("bronze_orders")},
            **given,
        )
        return build(folder, dbt=dbt, assets=[bronze_orders, own])

    def test_sources_that_python_assets_write_are_known_by_table_or_by_key(self, tmp_path: Path) -> None:
        said = self.build(tmp_path)

        assert said.python_sources == {
            "source.shop.raw.orders": "bronze.orders",
            "source.shop.raw.own": "bronze.own",
        }
        assert said.source_keys["source.shop.raw.orders"] == ("bronze_orders",)
        assert said.dbt_relations == {
            ("silver", "stg"): ("shop", "main_silver", "stg"),
            ("raw", "rates"): ("", "raw", "rates"),
        }
        assert said.dbt_tables == {"silver.stg": ("silver", "stg")}

    def test_a_users_own_profile_is_asked_later(self, tmp_path: Path) -> None:
        own = OwnProfile(tmp_path / "profiles.yml", tmp_path)

        said = self.build(tmp_path, own_profile=own)

        assert (said.warehouse_namespace, said.own_profile) == (None, own)
