"""What the shop's till exports."""

import datetime as dt
import os

import pyarrow as pa

from floe_dagster import floe_asset


@floe_asset(outputs=["bronze.orders"])
def bronze_orders():
    if os.environ.get("FAILS") == "an asset":
        raise ValueError("the till is closed")
    days = [dt.datetime(2024, 3, day, 12) for day in (1, 1, 2, 3)]
    return pa.table(
        {
            "id": pa.array([1, 2, 3, 4], pa.int64()),
            "customer_id": pa.array([1, 2, 1, None], pa.int64()),
            "ordered_at": pa.array(days, pa.timestamp("us")),
            "amount": pa.array([10.0, 20.0, 30.0, 40.0], pa.float64()),
        }
    )


@floe_asset(outputs=["bronze.raw_customers"])
def bronze_customers():
    return pa.table({"id": pa.array([1, 2], pa.int64()), "name": pa.array(["Ada", "Bo"], pa.string())})
