"""Bronze: the shop's export as it is, one table for each file.

What an asset returns is written to the table in its `outputs`, piece by piece.
"""

import pyarrow as pa

from floe_dagster import floe_asset
from orchestration.source_folder import SourceFolder


@floe_asset(
    group_name="bronze",
    description="Everybody who has an account in the shop.",
    inputs=["export.customers"],
    outputs=["bronze.customers"],
    compute_kind="python",
)
def bronze_customers(source_folder: SourceFolder) -> pa.RecordBatchReader:
    columns = "customerID companyName contactName contactTitle address city region postalCode country phone fax"
    return source_folder.open_csv("customers.csv", columns=columns.split())


@floe_asset(
    group_name="bronze",
    description="Orders, with where and when they were shipped.",
    inputs=["export.orders"],
    outputs=["bronze.orders"],
    compute_kind="python",
)
def bronze_orders(source_folder: SourceFolder) -> pa.RecordBatchReader:
    columns = (
        "orderID customerID employeeID orderDate requiredDate shippedDate shipVia freight "
        "shipName shipAddress shipCity shipRegion shipPostalCode shipCountry"
    )
    return source_folder.open_csv("orders.csv", columns=columns.split())


@floe_asset(
    group_name="bronze",
    description="What the shop sells, and what it no longer sells.",
    inputs=["export.products"],
    outputs=["bronze.products"],
    compute_kind="python",
)
def bronze_products(source_folder: SourceFolder) -> pa.RecordBatchReader:
    columns = (
        "productID productName supplierID categoryID quantityPerUnit unitPrice "
        "unitsInStock unitsOnOrder reorderLevel discontinued"
    )
    return source_folder.open_csv("products.csv", columns=columns.split())


@floe_asset(
    group_name="bronze",
    description="The lines of the orders: product, price, quantity, discount.",
    inputs=["export.order_details"],
    outputs=["bronze.order_items"],
    compute_kind="python",
)
def bronze_order_items(source_folder: SourceFolder) -> pa.RecordBatchReader:
    columns = "orderID productID unitPrice quantity discount"
    return source_folder.open_csv("order_details.csv", columns=columns.split())
