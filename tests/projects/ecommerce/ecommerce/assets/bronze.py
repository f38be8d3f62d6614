"""Raw tables of the shop."""

from typing import Any

import dagster as dg
import pyarrow as pa
import pyarrow.compute as pc
from floe_dagster import floe_asset
from floe_dagster.resources import CatalogResource


@floe_asset(
    group_name="bronze",
    description="Load customer data from external source",
    inputs=["external.customers"],
    outputs=["bronze.customers"],
    compute_kind="python",
)
def bronze_customers(context: dg.AssetExecutionContext, catalog: CatalogResource) -> dict[str, Any]:
    raw = catalog.read_table("external.customers")
    valid = raw.filter(pc.and_(pc.is_valid(raw["customer_id"]), pc.match_substring(raw["email"], "@")))
    snapshot = catalog.write_table("bronze.customers", valid)
    context.log.info(f"loaded {valid.num_rows} of {raw.num_rows} customers")
    return {"raw_rows": raw.num_rows, "rows": valid.num_rows, "table_location": snapshot.location}


@floe_asset(
    group_name="bronze",
    outputs=["bronze.orders"],
    compute_kind="python",
    deps=["bronze_customers"],
    partition_column="ordered_on",
)
def bronze_orders(context: dg.AssetExecutionContext) -> pa.Table:
    """Load the orders of one day from raw to bronze layer."""
    day = context.partition_time_window.start
    first = 3 * day.toordinal()
    return pa.table(
        {
            "order_id": [first, first + 1, first + 2],
            "ordered_on": [day.date()] * 3,
            "customer_id": [1, 1, 2],
            "amount": [10.0, 20.0, 5.5],
        }
    )
