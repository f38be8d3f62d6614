"""Orders as a file of the day they were made says them."""

import csv
import datetime as dt
from pathlib import Path

import pyarrow as pa

from floe_dagster import floe_asset

EXPORT = Path(__file__).parents[1] / "export"


@floe_asset(outputs=["bronze.orders"])
def bronze_orders(context):
    days = [dt.date.fromisoformat(key) for key in context.partition_keys]
    with (EXPORT / "orders.csv").open() as file:
        rows = [row for row in csv.DictReader(file) if dt.date.fromisoformat(row["ordered_on"]) in days]
    return pa.table(
        {
            "id": pa.array([int(row["id"]) for row in rows], pa.int64()),
            "ordered_on": pa.array([dt.date.fromisoformat(row["ordered_on"]) for row in rows], pa.date32()),
            "amount": pa.array([float(row["amount"]) for row in rows], pa.float64()),
        }
    )


@floe_asset(outputs=["bronze.returns"])
def bronze_returns(context):
    key_range = context.partition_key_range
    first, last = (key.keys_by_dimension for key in key_range)
    with (EXPORT / "returns.csv").open() as file:
        rows = [
            row
            for row in csv.DictReader(file)
            if first["day"] <= row["returned_at"][:10] <= last["day"]
            and row["region"] in {key.keys_by_dimension["region"] for key in context.partition_keys}
        ]
    return pa.table(
        {
            "id": pa.array([int(row["id"]) for row in rows], pa.int64()),
            "returned_at": pa.array(
                [dt.datetime.fromisoformat(row["returned_at"]) for row in rows], pa.timestamp("us")
            ),
            "region": pa.array([row["region"] for row in rows], pa.string()),
        }
    )
