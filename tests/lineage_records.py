"""Records of a small run, and the events that they make."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from floe_dagster.observability.assets import KnownAsset, KnownAssets
from floe_dagster.observability.datasets import DatasetResolver
from floe_dagster.observability.lineage.known_columns import KnownColumns
from floe_dagster.observability.lineage.records_to_events import LineageEvents
from floe_dagster.observability.lineage.work import Works
from floe_dagster.observability.masking import Masking
from floe_dagster.observability.records import DbtCall, Record, RunScope, StepScope
from floe_dagster.observability.settings import ObservabilitySettings
from lineage_events import Event

RUN = RunScope("7f9c1c5e-52f5-4a63-9d3a-0e8f6a0f5d11", "nightly")
STEP = StepScope(RUN, "shop_dbt", 0)
T0 = 1_767_225_600_000_000_000  # 2026-01-01


def at(seconds: float) -> int:
    """A moment of the run."""
    return T0 + int(seconds * 1_000_000_000)


def settings(folder: Path = Path("/nowhere"), **given: Any) -> ObservabilitySettings:
    """What a project with a catalog and a DuckDB file says."""
    return ObservabilitySettings(
        **{
            "pipeline": "shop",
            "namespace": "floe",
            "folder": folder,
            "catalog_namespace": "https://lake.example/api/catalog",
            "warehouse_namespace": "duckdb:///srv/shop.duckdb",
            "python_sources": {"source.shop.raw.orders": "bronze.orders"},
            "source_keys": {"source.shop.raw.orders": ("bronze_orders",), "source.shop.raw.rates": ("raw", "rates")},
            "dbt_tables": {"silver.stg_orders": ("silver", "stg_orders"), "raw.rates": ("raw", "rates")},
            "dbt_relations": {
                ("silver", "stg_orders"): ("shop", "main_silver", "stg_orders"),
                ("raw", "rates"): ("shop", "raw", "rates_v2"),
            },
            **given,
        }
    )


ASSETS: KnownAssets = {
    ("bronze_orders",): KnownAsset(("bronze_orders",), outputs=["bronze.orders"], owners=["team:till"]),
    ("report",): KnownAsset(("report",), inputs=["silver.stg_orders"], deps=[("silver", "stg_orders"), ("notes",)]),
}


def make_events(
    records: Iterable[Record],
    *,
    assets: KnownAssets = ASSETS,
    environ: Mapping[str, str] | None = None,
    columns_folder: Path | None = None,
    **given: Any,
) -> list[Event]:
    """The events that *records* make."""
    said = settings(**given)
    works = Works(
        pipeline=said.pipeline,
        resolver=DatasetResolver(said, assets=assets, environ=environ or {}),
        assets=assets,
        masking=Masking(said, environ or {}),
        known=KnownColumns(columns_folder),
    )
    events = LineageEvents(works)
    return [event for record in records for event in events.of(record)]


def node(unique_id: str, *parents: str, **given: Any) -> dict[str, Any]:
    """A node or source of a manifest."""
    kind, _, *_, name = unique_id.split(".")
    database = {"database": "shop", "schema": "raw" if kind == "source" else "main_silver"}
    identity = {"identifier": name} if kind == "source" else {"alias": name}
    return {
        "unique_id": unique_id,
        "resource_type": kind,
        "name": name,
        "package_name": "shop",
        "original_file_path": f"models/{name}.sql",
        "path": f"{name}.sql",
        "depends_on": {"nodes": list(parents)},
        "config": {"materialized": "table"},
        "columns": {},
        "tags": [],
        **database,
        **identity,
        **given,
    }


def manifest(*nodes: dict[str, Any]) -> dict[str, Any]:
    """A manifest of these."""
    return {
        "metadata": {"adapter_type": "duckdb", "dbt_version": "1.11.0", "project_name": "shop"},
        "nodes": {item["unique_id"]: item for item in nodes if item["resource_type"] != "source"},
        "sources": {item["unique_id"]: item for item in nodes if item["resource_type"] == "source"},
    }


ORDERS = node("source.shop.raw.orders", identifier="orders")
RATES = node("source.shop.raw.rates", identifier="rates_v2")
STAGED = node("model.shop.stg_orders", ORDERS["unique_id"], RATES["unique_id"], tags=["nightly"], description="Orders.")
EPHEMERAL = node("model.shop.totals", STAGED["unique_id"], config={"materialized": "ephemeral"})
MART = node("model.shop.revenue", EPHEMERAL["unique_id"])
NOT_NULL = node(
    "test.shop.not_null",
    STAGED["unique_id"],
    attached_node=STAGED["unique_id"],
    column_name="id",
    config={"severity": "ERROR"},
    test_metadata={"name": "not_null", "kwargs": {"column_name": "id"}},
)
SHOP = manifest(ORDERS, RATES, STAGED, EPHEMERAL, MART, NOT_NULL)


def dbt_call(target: Path = Path("/nowhere"), **given: Any) -> DbtCall:
    """A call of dbt in the step."""
    said = {"manifest": SHOP, "scope": STEP, **given}
    return DbtCall(
        invocation_id=said.pop("invocation_id", "call-1"),
        project_dir=Path("/nowhere"),
        target_path=target,
        command="build",
        op_name="shop_dbt",
        **said,
    )
