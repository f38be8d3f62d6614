"""Bronze: the shop's export as it is, one table for each file."""

from floe_dagster import floe_asset
from floe_dagster.resources import CatalogResource
from orchestration.source_folder import SourceFolder


@floe_asset(
    group_name="bronze",
    description="Everybody who has an account in the shop.",
    inputs=["export.customers"],
    outputs=["bronze.customers"],
    compute_kind="python",
)
def bronze_customers(catalog: CatalogResource, source_folder: SourceFolder) -> dict[str, object]:
    columns = "customerID companyName contactName contactTitle address city region postalCode country phone fax"
    file = source_folder.open_csv("customers.csv", columns=columns.split())
    snapshot = catalog.write_table("bronze.customers", file)
    return {"rows": snapshot.rows, "snapshot_id": str(snapshot.snapshot_id)}


@floe_asset(
    group_name="bronze",
    description="Orders, with where and when they were shipped.",
    inputs=["export.orders"],
    outputs=["bronze.orders"],
    compute_kind="python",
)
def bronze_orders(catalog: CatalogResource, source_folder: SourceFolder) -> dict[str, object]:
    columns = (
        "orderID customerID employeeID orderDate requiredDate shippedDate shipVia freight "
        "shipName shipAddress shipCity shipRegion shipPostalCode shipCountry"
    )
    file = source_folder.open_csv("orders.csv", columns=columns.split())
    snapshot = catalog.write_table("bronze.orders", file)
    return {"rows": snapshot.rows, "snapshot_id": str(snapshot.snapshot_id)}


@floe_asset(
    group_name="bronze",
    description="What the shop sells, and what it no longer sells.",
    inputs=["export.products"],
    outputs=["bronze.products"],
    compute_kind="python",
)
def bronze_products(catalog: CatalogResource, source_folder: SourceFolder) -> dict[str, object]:
    columns = (
        "productID productName supplierID categoryID quantityPerUnit unitPrice "
        "unitsInStock unitsOnOrder reorderLevel discontinued"
    )
    file = source_folder.open_csv("products.csv", columns=columns.split())
    snapshot = catalog.write_table("bronze.products", file)
    return {"rows": snapshot.rows, "snapshot_id": str(snapshot.snapshot_id)}


@floe_asset(
    group_name="bronze",
    description="The lines of the orders: product, price, quantity, discount.",
    inputs=["export.order_details"],
    outputs=["bronze.order_items"],
    compute_kind="python",
)
def bronze_order_items(catalog: CatalogResource, source_folder: SourceFolder) -> dict[str, object]:
    columns = "orderID productID unitPrice quantity discount"
    file = source_folder.open_csv("order_details.csv", columns=columns.split())
    snapshot = catalog.write_table("bronze.order_items", file)
    return {"rows": snapshot.rows, "snapshot_id": str(snapshot.snapshot_id)}
