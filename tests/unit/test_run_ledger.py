import dagster as dg
import pytest

from floe_dagster.running.run_ledger import RunLedger


@pytest.mark.filterwarnings("ignore::dagster.BetaWarning")
def test_an_asset_of_several_partitions_has_those_of_its_run_in_whatever_order_they_come() -> None:
    days, regions = dg.DailyPartitionsDefinition("2024-01-01"), dg.StaticPartitionsDefinition(["eu", "ap", "us"])
    both = dg.MultiPartitionsDefinition({"day": days, "region": regions})
    first, last = "2024-01-02|eu", "2024-01-04|us"

    @dg.asset(partitions_def=both, backfill_policy=dg.BackfillPolicy.single_run())
    def sales() -> None: ...

    definitions = dg.Definitions(assets=[sales], jobs=[dg.define_asset_job("load", selection=[sales])])
    result = definitions.resolve_job_def("load").execute_in_process(
        tags={"dagster/asset_partition_range_start": first, "dagster/asset_partition_range_end": last}
    )
    ledger = RunLedger(partition_range=f"{first}..{last}")
    for event in reversed(result.all_events):
        ledger.record(event, 0.0)

    assert ledger.assets["sales"].partition == f"{first}..{last}"
