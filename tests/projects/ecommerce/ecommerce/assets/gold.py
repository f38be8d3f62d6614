"""Summaries for analytics."""

import dagster as dg
import pyarrow as pa
from floe_dagster import floe_asset
from floe_dagster.resources import CatalogResource


@floe_asset(
    group_name="gold",
    description="Customer order summary for analytics",
    inputs=["silver.stg_customers", "silver.stg_orders"],
    outputs=["gold.customer_summary"],
    compute_kind="python",
    partition_column="as_of",
)
def gold_customer_summary(context: dg.AssetExecutionContext, catalog: CatalogResource) -> pa.Table:
    customers = catalog.read_table("silver.stg_customers")
    orders = catalog.read_table("silver.stg_orders")
    joined = customers.join(orders, "customer_id", join_type="left outer")
    summary = joined.group_by("customer_id").aggregate([("amount", "sum")])
    day = context.partition_time_window.start.date()
    return summary.append_column("as_of", pa.array([day] * summary.num_rows))
