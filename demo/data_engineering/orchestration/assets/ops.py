"""Ops: what the tables cost to keep."""

import dagster as dg

from floe_dagster import floe_asset
from floe_dagster.resources import CatalogResource

TABLES = ["bronze.customers", "bronze.order_items", "bronze.orders", "bronze.products"]


@floe_asset(
    group_name="ops",
    description="Rows, files, bytes and snapshots of each bronze table; every refresh adds to the snapshots.",
    inputs=TABLES,
    compute_kind="python",
)
def table_inspection(catalog: CatalogResource) -> dg.MaterializeResult:
    records = []
    for name in TABLES:
        table = catalog.load_table(name)
        files = table.inspect.files()
        records.append(
            dg.TableRecord(
                {
                    "table": name,
                    "rows": sum(files["record_count"].to_pylist()),
                    "files": files.num_rows,
                    "bytes": sum(files["file_size_in_bytes"].to_pylist()),
                    "snapshots": len(table.snapshots()),
                }
            )
        )
    return dg.MaterializeResult(metadata={"tables": dg.MetadataValue.table(records)})
