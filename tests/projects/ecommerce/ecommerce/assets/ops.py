"""What the operators of the shop look at."""

import dagster as dg
from floe_dagster import floe_asset
from floe_dagster.resources import CatalogResource


@floe_asset(group_name="ops", compute_kind="python", deps=["gold_customer_summary"])
def table_inventory(catalog: CatalogResource) -> dg.MaterializeResult:
    return dg.MaterializeResult(metadata={"tables": len(catalog.list_tables())})
