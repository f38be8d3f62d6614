"""Summaries for analytics."""

import pyarrow as pa
from floe_dagster import floe_asset
from floe_dagster.resources import CatalogResource


@floe_asset(
    group_name="gold",
    description="Customer order summary for analytics",
    inputs=["silver.stg_customers", "silver.stg_orders"],
    outputs=["gold.customer_summary"],
    compute_kind="python",
)
def gold_customer_summary(catalog: CatalogResource) -> pa.Table:
    customers = catalog.read_table("silver.stg_customers")
    orders = catalog.read_table("silver.stg_orders")
    joined = customers.join(orders, "customer_id", join_type="left outer")
    return joined.group_by("customer_id").aggregate([("amount", "sum")])
