"""What lineage is told of a job's assets."""

import dagster as dg

from floe_dagster import floe_asset
from floe_dagster.observability.runs.known_assets import known_assets
from floe_dagster.table_lineage import join_tables


@floe_asset(
    outputs=["bronze.orders"], owners=["team:till"], tags={"tier": "1"}, compute_kind="python", description="Orders."
)
def bronze_orders() -> None: ...


@floe_asset(inputs=["bronze.orders", "export.rates"], deps=["notes"])
def report() -> None: ...


def test_assets_tell_their_tables_and_what_is_said_about_them() -> None:
    joined = join_tables([bronze_orders, report])
    job = dg.define_asset_job("everything")
    definitions = dg.Definitions(assets=[*joined.assets, *joined.external], jobs=[job], resources={"catalog": object()})

    found = known_assets(definitions.resolve_job_def("everything"))

    orders, made = found["bronze_orders",], found["report",]
    assert (orders.outputs, orders.owners, orders.tags, orders.kinds, orders.description) == (
        ("bronze.orders",), ("team:till",), {"tier": "1"}, ("python",), "Orders.",
    )  # fmt: skip
    assert orders.code is not None
    assert orders.code[0] == __file__
    assert made.inputs == ("bronze.orders", "export.rates")
    assert made.deps == (("bronze_orders",), ("export", "rates"), ("notes",))
    assert (found["export", "rates"].external_table, found["export", "rates"].is_external) == ("export.rates", True)
    assert (found["notes",].external_table, found["notes",].is_external) == (None, True)
