"""Partitions of dbt models that do not go together with what the models, or floe.yaml, ask of them."""

from collections.abc import Mapping, Sequence

import dagster as dg
import pytest
from dagster._utils.warnings import disable_dagster_warnings
from inline_snapshot import snapshot

from builders import floe_yaml, parse_document
from floe_core.errors import Location, render_problem
from floe_dagster.dbt.index import DbtCheck, DbtIndex, DbtNode, KeyPath
from floe_dagster.dbt.model_assets import create_dbt_assets_with_per_model_observability
from floe_dagster.dbt.partition_checks import check_partitions

DAILY = dg.DailyPartitionsDefinition("2024-03-01")
IN_BERLIN = dg.DailyPartitionsDefinition("2024-03-01", timezone="Europe/Berlin")
WEEKLY = dg.WeeklyPartitionsDefinition("2024-03-01")
MONTHLY = dg.MonthlyPartitionsDefinition("2024-03-01")
HOURLY = dg.HourlyPartitionsDefinition("2024-03-01-00:00", timezone="Asia/Kolkata")
REGIONS = dg.StaticPartitionsDefinition(["eu", "us"])
BOTH = dg.MultiPartitionsDefinition({"day": DAILY, "region": REGIONS})
SINGLE_RUN = dg.BackfillPolicy.single_run()
PLACE = Location("floe.yaml", 12, 7, "orchestration.assets.orders.backfill_policy")


def model(name: str, *reads: str, batch_size: str | None = None) -> DbtNode:
    return DbtNode(
        unique_id=f"model.shop.{name}",
        key=(name,),
        path=f"models/{name}.sql",
        resource_type="model",
        fqn=f"shop.{name}",
        vars=reads,
        batch_size=batch_size,
    )


def problems_of(
    partitions_def: dg.PartitionsDefinition | None,
    *nodes: DbtNode,
    policy: dg.BackfillPolicy | None = None,
    checks: Sequence[DbtCheck] = (),
    dbt_vars: str = "",
) -> list[str]:
    specs = [dg.AssetSpec(dg.AssetKey(node.key), partitions_def=partitions_def) for node in nodes]
    with disable_dagster_warnings():
        asset = create_dbt_assets_with_per_model_observability(specs, name="dbt", backfill_policy=policy)
    index = DbtIndex(settings_digest="", project_dir="dbt", manifest_path="", nodes=nodes, checks=tuple(checks))
    document = parse_document(floe_yaml(f"dbt:\n  vars: {{{dbt_vars}}}"))
    assert document.spec.orchestration.dbt is not None
    places: Mapping[KeyPath, Location] = {node.key: PLACE for node in nodes}
    found = check_partitions(
        [asset], index, document.spec.orchestration.dbt.vars, locate_policy=places.get, source=document.source
    )
    return [render_problem(problem) for problem in found]


class TestRanges:
    def test_a_model_that_needs_one_key(self) -> None:
        [problem] = problems_of(
            DAILY, model("orders", "partition_key"), model("days", "partition_end"), policy=SINGLE_RUN
        )

        assert problem == snapshot("""\
error[FLOE-342]: the dbt model 'models/orders.sql' reads the var 'partition_key', and its runs take several partitions
  --> floe.yaml:12:7  orchestration.assets.orders.backfill_policy
  why: a run of several partitions has no single key, and dbt would fail for want of the var
  fix: read partition_start and partition_end, or partition_keys, in the model and its tests; or delete backfill_policy\
""")

    @pytest.mark.parametrize(
        ("name", "dbt_vars"),
        [("partition_key_region", ""), ("of_day", "of_day: 'on {partition_key}'")],
        ids=["of a dimension", "by another name"],
    )
    def test_a_var_that_is_a_key_by_another_name(self, name: str, dbt_vars: str) -> None:
        [problem] = problems_of(BOTH, model("orders", name), policy=dg.BackfillPolicy.multi_run(3), dbt_vars=dbt_vars)

        assert problem.splitlines()[0].startswith(
            f"error[FLOE-342]: the dbt model 'models/orders.sql' reads the var '{name}', and its runs take several"
        )

    def test_a_test_of_a_model_that_needs_one_key(self) -> None:
        check = DbtCheck(unique_id="test.shop.fresh", name="fresh", key=("orders",), vars=("partition_key",))

        assert len(problems_of(DAILY, model("orders"), checks=[check], policy=SINGLE_RUN)) == 1

    @pytest.mark.parametrize(
        ("partitions_def", "policy", "reads"),
        [
            (DAILY, None, "partition_key"),
            (DAILY, dg.BackfillPolicy.multi_run(1), "partition_key"),
            (DAILY, SINGLE_RUN, "partition_keys"),
            (DAILY, SINGLE_RUN, "partition_start"),
            (DAILY, SINGLE_RUN, "currency"),
            (None, SINGLE_RUN, "partition_key"),
        ],
    )
    def test_what_goes_together(
        self, partitions_def: dg.PartitionsDefinition | None, policy: dg.BackfillPolicy | None, reads: str
    ) -> None:
        assert problems_of(partitions_def, model("orders", reads), policy=policy) == []


class TestPlaces:
    def test_without_any_partition(self) -> None:
        [problem] = problems_of(None, model("orders"), dbt_vars="a: 1, min_date: '{partition_start:%Y}'")

        assert problem == snapshot("""\
error[FLOE-342]: the dbt var 'min_date' is filled in with '{partition_start}', which no dbt model has
  --> floe.yaml:3:28  orchestration.dbt.vars.min_date
   |  vars: {a: 1, min_date: '{partition_start:%Y}'}
  why: no dbt model has partitions
  fix: set 'partitions' for models under orchestration.assets, or delete the var\
""")

    def test_a_dimension_that_there_is_not(self) -> None:
        [problem] = problems_of(BOTH, model("orders"), dbt_vars="r: {deep: ['{partition_key_regoin}']}")

        assert problem == snapshot("""\
error[FLOE-342]: the dbt var 'r' is filled in with '{partition_key_regoin}', which no dbt model has
  --> floe.yaml:3:15  orchestration.dbt.vars.r
   |  vars: {r: {deep: ['{partition_key_regoin}']}}
  why: the dimensions of the models' partitions are day, region
  fix: did you mean 'region'?\
""")

    def test_a_window_of_keys(self) -> None:
        [problem] = problems_of(REGIONS, model("orders"), dbt_vars="a: '{partition_key}', b: '{partition_end}'")

        assert problem == snapshot("""\
error[FLOE-342]: the dbt var 'b' is filled in with '{partition_end}', which no dbt model has
  --> floe.yaml:3:37  orchestration.dbt.vars.b
   |  vars: {a: '{partition_key}', b: '{partition_end}'}
  why: the partitions of dbt models are keys, not windows of time
  fix: fill in {partition_key}\
""")

    def test_what_is_filled_in(self) -> None:
        dbt_vars = "a: '{partition_start} {partition_end:%Y} {partition_keys}', b: '{partition_key_day}', c: 1"

        assert problems_of(BOTH, model("orders"), dbt_vars=dbt_vars) == []


class TestBatches:
    @pytest.mark.parametrize(
        ("partitions_def", "batch_size"),
        [(DAILY, "day"), (DAILY, "hour"), (MONTHLY, "month"), (MONTHLY, "day"), (IN_BERLIN, "hour"), (WEEKLY, "day")],
    )
    def test_partitions_of_whole_batches(self, partitions_def: dg.PartitionsDefinition, batch_size: str) -> None:
        assert problems_of(partitions_def, model("orders", batch_size=batch_size)) == []

    @pytest.mark.parametrize(
        ("partitions_def", "batch_size"),
        [
            (IN_BERLIN, "day"),
            (HOURLY, "hour"),
            (DAILY, "month"),
            (WEEKLY, "month"),
            (MONTHLY, "year"),
            (REGIONS, "day"),
            (BOTH, "day"),
        ],
    )
    def test_partitions_that_are_no_batches(self, partitions_def: dg.PartitionsDefinition, batch_size: str) -> None:
        [problem] = problems_of(partitions_def, model("orders", batch_size=batch_size))

        assert problem.startswith("warning[FLOE-343]: the dbt model 'models/orders.sql' is built ")

    def test_how_it_is_said(self) -> None:
        [problem] = problems_of(IN_BERLIN, model("orders", batch_size="day"))

        assert problem == snapshot("""\
warning[FLOE-343]: the dbt model 'models/orders.sql' is built day by day, and partitions meet at 2024-02-29 23:00 UTC
  why: dbt replaces whole batches, each a day in UTC: a run reaches beyond its partition
  fix: choose a batch_size and partitions that divide time alike, or another incremental strategy\
""")
