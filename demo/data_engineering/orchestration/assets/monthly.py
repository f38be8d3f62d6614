"""Orders month by month: a run reads and writes its month, and no other."""

import dagster as dg
import pyarrow as pa
import pyarrow.compute as pc

from floe_dagster import floe_asset
from orchestration.source_folder import SourceFolder


@floe_asset(
    group_name="monthly",
    description="Orders of the month, with what their shipping cost.",
    inputs=["export.orders"],
    outputs=["bronze.orders_by_month"],
    partition_column="orderDate",
    compute_kind="python",
)
def bronze_orders_by_month(context: dg.AssetExecutionContext, source_folder: SourceFolder) -> pa.Table:
    start, end = (f"{bound:%Y-%m-%d}" for bound in context.partition_time_window)
    orders = source_folder.open_csv("orders.csv", columns="orderID orderDate freight shipCountry".split())
    of_the_month = (pc.field("orderDate") >= start) & (pc.field("orderDate") < end)
    return pa.Table.from_batches([batch.filter(of_the_month) for batch in orders], orders.schema)
