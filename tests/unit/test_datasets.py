"""What tables are called in lineage, held against what OpenLineage's own integration with dbt calls them."""

from pathlib import Path
from typing import Any

import pytest
from openlineage.common.provider.dbt.processor import DbtArtifactProcessor, ModelNode

from floe_dagster.observability.assets import KnownAsset, KnownAssets
from floe_dagster.observability.datasets import DatasetId, DatasetResolver, physical_name
from floe_dagster.observability.settings import OwnProfile
from floe_dagster.observability.warehouses import Warehouse, dataset_namespace, read_own_profile, warehouse_namespace
from lineage_records import ASSETS, MART, ORDERS, RATES, node, settings

HERE = Path("/project")


def openlineage(output: dict[str, Any]) -> DbtArtifactProcessor:
    processor = DbtArtifactProcessor(producer="test", job_namespace="test")
    processor.extract_adapter_type(output)
    processor.extract_dataset_namespace(output)
    return processor


@pytest.mark.parametrize(
    "output",
    [
        {"type": "duckdb", "path": "/srv/shop.duckdb"},
        {"type": "duckdb", "path": "md:shop"},
        {"type": "postgres", "host": "db", "port": 5433},
        {"type": "redshift", "host": "cluster.example", "port": 5439},
        {"type": "trino", "host": "trino", "port": 8080},
        {"type": "snowflake", "account": "org-account"},
        {"type": "snowflake", "account": "xy12345"},
        {"type": "snowflake", "account": "xy12345.eu-west-1"},
        {"type": "snowflake", "account": "xy12345.east-us-2.azure"},
        {"type": "bigquery", "project": "shop"},
        {"type": "databricks", "host": "adb.example"},
        {"type": "spark", "method": "thrift", "host": "spark"},
        {"type": "spark", "method": "http", "host": "spark"},
        {"type": "spark", "method": "odbc", "host": "spark", "port": 444},
        {"type": "sqlserver", "server": "mssql", "port": 1433},
        {"type": "clickhouse", "host": "click", "port": 8123},
    ],
    ids=lambda output: " ".join(map(str, output.values())),
)
def test_a_warehouse_is_called_as_openlineage_calls_it(output: dict[str, Any]) -> None:
    assert warehouse_namespace(output, base_dir=HERE) == openlineage(output).dataset_namespace


def test_a_relative_path_of_duckdb_is_made_absolute() -> None:
    assert warehouse_namespace({"type": "duckdb", "path": "target/a b.duckdb"}, base_dir=HERE) == (
        "duckdb:///project/target/a_b.duckdb"
    )


@pytest.mark.parametrize(
    ("text", "namespace"),
    [
        ("postgres://ada:lovelace@db:5432", "postgres://db:5432"),
        ("duckdb://md:shop?motherduck_token=abc", "duckdb://md:shop"),
        ("https://lake.example/api#x", "https://lake.example/api"),
        ("s3://lake/a%20b~c$", "s3://lake/a_20b_c_"),
        ("", "_"),
    ],
)
def test_a_namespace_has_neither_credentials_nor_what_lineage_stores_refuse(text: str, namespace: str) -> None:
    assert dataset_namespace(text) == namespace


@pytest.mark.parametrize("kind", ["model", "seed", "snapshot"])
def test_a_node_has_the_name_that_openlineage_gives_it(kind: str) -> None:
    given = node(f"{kind}.shop.revenue", meta={}, alias="revenue_v2")
    other = openlineage({"type": "duckdb", "path": "/srv/shop.duckdb"}).node_to_dataset(ModelNode(kind, given))

    assert DatasetResolver(settings(), environ={}).node(given) == DatasetId(other.namespace, other.name)


def test_a_source_is_called_by_its_table_where_openlineage_takes_its_name() -> None:
    given = {**RATES, "name": "rates"}
    other = openlineage({"type": "duckdb", "path": "/srv/shop.duckdb"}).node_to_dataset(ModelNode("source", given))

    own = DatasetResolver(settings(), environ={}).node(given)

    assert (own.name, other.name) == ("shop.raw.rates_v2", "shop.raw.rates")


class TestResolver:
    def resolver(self, **given: Any) -> DatasetResolver:
        return DatasetResolver(settings(**given), assets=ASSETS, environ={})

    def test_one_table_has_one_id_from_every_side(self) -> None:
        resolver = self.resolver()
        lake = DatasetId("https://lake.example/api/catalog", "bronze.orders")

        assert resolver.asset(("bronze_orders",)) == (lake,)
        assert resolver.node(ORDERS) == lake
        assert resolver.table("bronze.orders") == lake

    def test_an_asset_that_is_not_in_the_run_is_known_by_the_source_it_writes(self) -> None:
        resolver = DatasetResolver(settings(), environ={})

        assert resolver.asset(("bronze_orders",)) == (DatasetId("https://lake.example/api/catalog", "bronze.orders"),)

    @pytest.mark.parametrize("name", ["silver.stg_orders", "Silver.STG_Orders"])
    def test_what_dbt_builds_is_found_by_the_name_that_projects_use(self, name: str) -> None:
        assert self.resolver().table(name) == DatasetId("duckdb:///srv/shop.duckdb", "shop.main_silver.stg_orders")

    def test_any_other_name_is_a_table_of_the_catalog(self) -> None:
        prefixed = self.resolver(catalog_prefix="prod.")

        assert prefixed.table("bronze.other") == DatasetId("https://lake.example/api/catalog", "prod.bronze.other")

    def test_an_input_means_the_asset_of_that_name_where_its_table_is_not_known(self) -> None:
        assets: KnownAssets = {("raw", "notes"): KnownAsset(("raw", "notes"))}
        reader = KnownAsset(("reader",), inputs=["Raw.Notes"], deps=[("raw", "notes")])
        resolver = DatasetResolver(settings(), assets=assets, environ={})

        assert resolver.inputs_of(reader) == resolver.asset(("raw", "notes")) == (DatasetId("floe", "raw/notes"),)

    def test_an_input_that_nobody_writes_is_one_table_of_the_catalog(self) -> None:
        key = ("export", "orders")
        external = KnownAsset(key, external_table="export.orders", is_external=True)
        reader = KnownAsset(("reader",), inputs=["export.orders"], deps=[key])
        resolver = DatasetResolver(settings(), assets={key: external}, environ={})

        assert resolver.inputs_of(reader) == (DatasetId("https://lake.example/api/catalog", "export.orders"),)


class TestOwnProfile:
    PROFILES = """
        config: {send_anonymous_usage_stats: false}
        shop:
          target: "{{ env_var('TARGET', 'dev') }}"
          outputs:
            dev:
              type: duckdb
              path: "{{ env_var('SHOP_DB') }}"
              attach:
                - {path: /srv/other.duckdb, alias: other}
                - {path: "host=pg password=hunter22", type: postgres, alias: pg}
                - {path: warehouse, type: iceberg, alias: lake, options: {endpoint: "https://ada:pw@lake.example"}}
            prod: {type: postgres, host: "{{ env_var('HOST') }}", port: 5432, password: "{{ env_var('PW') }}"}
            odd: {type: oracle, host: db}
    """

    def read(self, folder: Path, **environ: str) -> Warehouse:
        file = folder / "profiles.yml"
        file.write_text(self.PROFILES)
        return read_own_profile(OwnProfile(file, folder, profile="shop"), environ)

    def test_templates_of_the_profile_are_filled(self, tmp_path: Path) -> None:
        assert self.read(tmp_path, TARGET="prod", HOST="db").namespace == "postgres://db:5432"

    def test_attached_databases_are_their_own(self, tmp_path: Path) -> None:
        warehouse = self.read(tmp_path, SHOP_DB="shop.duckdb")

        assert warehouse.namespace == f"duckdb://{tmp_path}/shop.duckdb"
        assert warehouse.attached == {
            "other": ("duckdb:///srv/other.duckdb", True),
            "pg": ("postgres://pg", False),
            "lake": ("https://lake.example", False),
        }

    def test_tables_of_attached_databases_are_called_as_there(self, tmp_path: Path) -> None:
        self.read(tmp_path, SHOP_DB="shop.duckdb")
        own = OwnProfile(tmp_path / "profiles.yml", tmp_path, profile="shop")
        resolver = DatasetResolver(settings(warehouse_namespace=None, own_profile=own), environ={"SHOP_DB": "s.db"})

        assert resolver.node({**MART, "database": "lake"}) == DatasetId("https://lake.example", "main_silver.revenue")
        assert resolver.node({**MART, "database": "other"}).name == "other.main_silver.revenue"
        assert resolver.node(MART).namespace == f"duckdb://{tmp_path}/s.db"

    @pytest.mark.parametrize("target", ["odd", "nowhere"])
    def test_what_cannot_be_told_is_called_by_the_profile(self, tmp_path: Path, target: str) -> None:
        assert self.read(tmp_path, TARGET=target).namespace == "dbt://shop"

    def test_a_file_that_is_gone_is_no_failure(self, tmp_path: Path) -> None:
        own = OwnProfile(tmp_path / "none.yml", tmp_path, profile="shop")

        assert read_own_profile(own, {}).namespace == "dbt://shop"


@pytest.mark.parametrize(
    ("location", "name"),
    [
        ("s3://lake/bronze/orders/", ("s3://lake", "bronze/orders")),
        ("abfss://lake@account.example/orders", ("abfss://lake@account.example", "orders")),
        ("file:///srv/lake/orders", ("file", "/srv/lake/orders")),
        ("/srv/lake/orders", ("file", "/srv/lake/orders")),
        ("s3://ada:lovelace@lake/orders", ("s3://lake", "orders")),
        ("s3://lake", None),
        ("relative", None),
        ("", None),
    ],
)
def test_a_folder_is_called_as_spark_calls_it(location: str, name: tuple[str, str] | None) -> None:
    assert physical_name(location) == name
