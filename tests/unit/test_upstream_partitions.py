"""Partitions of assets and of the assets that they depend on."""

from collections.abc import Callable, Sequence

import dagster as dg
import pytest
from dagster._utils.warnings import disable_dagster_warnings
from inline_snapshot import snapshot

from builders import floe_yaml, fold, parse_document
from floe_core.errors import Problem, render_problems
from floe_dagster.asset_settings.patterns import AssetSettings
from floe_dagster.asset_settings.upstream_partitions import check_upstream_partitions

DAILY = dg.DailyPartitionsDefinition("2024-01-01")
EARLIER = dg.DailyPartitionsDefinition("2023-12-01")
WEEKLY = dg.WeeklyPartitionsDefinition("2024-01-07")
IN_BERLIN = dg.DailyPartitionsDefinition("2024-01-01", timezone="Europe/Berlin")
REGIONS = dg.StaticPartitionsDefinition(["eu", "us"])
FEWER = dg.StaticPartitionsDefinition(["eu"])
OTHERS = dg.StaticPartitionsDefinition(["north", "south"])
FILES = dg.DynamicPartitionsDefinition(name="files")
DAILY_REGIONS = dg.MultiPartitionsDefinition({"day": DAILY, "region": REGIONS})
YESTERDAY = dg.TimeWindowPartitionMapping(start_offset=-1, end_offset=-1)

SETTINGS = parse_document(
    floe_yaml("""
        assets:
          report: {partitions: regions}
          "orders*": {partitions: daily}
        """)
)


def check(specs: Sequence[dg.AssetSpec]) -> list[Problem]:
    settings = AssetSettings(SETTINGS.spec.orchestration.assets, source=SETTINGS.source)
    return list(check_upstream_partitions(specs, settings=settings, origins={("totals",): "shop/assets.py:12"}))


@pytest.mark.parametrize(
    ("upstream", "downstream", "mapping", "codes"),
    [
        pytest.param(DAILY, DAILY, None, [], id="the-same"),
        pytest.param(DAILY, dg.DailyPartitionsDefinition("2024-01-01"), None, [], id="equal"),
        pytest.param(None, DAILY, None, [], id="upstream-without"),
        pytest.param(DAILY, None, None, [], id="downstream-without"),
        pytest.param(DAILY, None, YESTERDAY, ["FLOE-383"], id="downstream-without-and-a-mapping-that-needs-them"),
        pytest.param(DAILY, WEEKLY, None, [], id="wider-windows"),
        pytest.param(DAILY, IN_BERLIN, None, ["FLOE-383"], id="time-zones"),
        pytest.param(DAILY, EARLIER, None, ["FLOE-384"], id="windows-before-the-start"),
        pytest.param(EARLIER, DAILY, None, [], id="windows-after-the-start"),
        pytest.param(DAILY, EARLIER, YESTERDAY, [], id="windows-before-the-start-with-an-offset"),
        pytest.param(DAILY, REGIONS, None, ["FLOE-383"], id="windows-to-keys"),
        pytest.param(DAILY, REGIONS, dg.AllPartitionMapping(), [], id="windows-to-keys-with-a-mapping"),
        pytest.param(REGIONS, DAILY, None, ["FLOE-383"], id="keys-to-windows"),
        pytest.param(REGIONS, FEWER, None, [], id="fewer-keys"),
        pytest.param(FEWER, REGIONS, None, ["FLOE-384"], id="more-keys"),
        pytest.param(REGIONS, OTHERS, None, ["FLOE-384"], id="other-keys"),
        pytest.param(REGIONS, FILES, None, ["FLOE-383"], id="fixed-to-dynamic"),
        pytest.param(DAILY_REGIONS, REGIONS, None, [], id="a-dimension"),
        pytest.param(REGIONS, DAILY_REGIONS, None, [], id="of-a-dimension"),
        pytest.param(DAILY_REGIONS, OTHERS, None, ["FLOE-383"], id="no-dimension"),
    ],
)
def test_partitions_that_do_not_lead_to_those_upstream(
    upstream: dg.PartitionsDefinition | None,
    downstream: dg.PartitionsDefinition | None,
    mapping: dg.PartitionMapping | None,
    codes: list[str],
) -> None:
    orders = dg.AssetSpec("orders", partitions_def=upstream)
    report = dg.AssetSpec("report", deps=[dg.AssetDep("orders", partition_mapping=mapping)], partitions_def=downstream)

    assert [problem.code for problem in check([orders, report])] == codes
    assert is_valid_in_dagster([orders, report]) == ("FLOE-383" not in codes)


SHOPS = dg.MultiPartitionsDefinition({"shop": REGIONS, "other": OTHERS})
MAPPINGS: dict[
    type[dg.PartitionMapping],
    tuple[dg.PartitionsDefinition, dg.PartitionsDefinition, Callable[[], dg.PartitionMapping]],
] = {
    dg.AllPartitionMapping: (DAILY, DAILY, dg.AllPartitionMapping),
    dg.IdentityPartitionMapping: (DAILY, DAILY, dg.IdentityPartitionMapping),
    dg.LastPartitionMapping: (DAILY, DAILY, dg.LastPartitionMapping),
    dg.MultiPartitionMapping: (
        SHOPS,
        SHOPS,
        lambda: dg.MultiPartitionMapping(
            {name: dg.DimensionPartitionMapping(name, dg.IdentityPartitionMapping()) for name in ("shop", "other")}
        ),
    ),
    dg.MultiToSingleDimensionPartitionMapping: (
        SHOPS,
        REGIONS,
        lambda: dg.MultiToSingleDimensionPartitionMapping("shop"),
    ),
    dg.SpecificPartitionsPartitionMapping: (
        REGIONS,
        OTHERS,
        lambda: dg.SpecificPartitionsPartitionMapping(["eu"]),
    ),
    dg.StaticPartitionMapping: (
        REGIONS,
        OTHERS,
        lambda: dg.StaticPartitionMapping({"eu": "north", "us": ["south"]}),
    ),
    dg.TimeWindowPartitionMapping: (DAILY, DAILY, lambda: dg.TimeWindowPartitionMapping(-1, -1)),
}


def test_every_mapping_of_dagsters_is_here() -> None:
    own = {value for value in vars(dg).values() if isinstance(value, type) and issubclass(value, dg.PartitionMapping)}

    assert MAPPINGS.keys() == own - {dg.PartitionMapping}


@pytest.mark.parametrize("kind", MAPPINGS)
def test_an_asset_may_have_any_mapping(kind: type[dg.PartitionMapping]) -> None:
    upstream, downstream, build = MAPPINGS[kind]
    orders = dg.AssetSpec("orders", partitions_def=upstream)
    with disable_dagster_warnings():
        downstreams = [
            dg.AssetSpec(name, deps=[dg.AssetDep("orders", partition_mapping=build())], partitions_def=downstream)
            for name in ("report", "totals")
        ]

    assert check([orders, *downstreams]) == []
    assert is_valid_in_dagster([orders, *downstreams])


def test_mappings_that_hold_nothing_are_not_one() -> None:
    orders = dg.AssetSpec("orders", partitions_def=FEWER)
    mappings: dict[str, dg.PartitionMapping] = {"all": dg.AllPartitionMapping(), "same": dg.IdentityPartitionMapping()}
    downstreams = [
        dg.AssetSpec(name, deps=[dg.AssetDep("orders", partition_mapping=mapping)], partitions_def=REGIONS)
        for name, mapping in mappings.items()
    ]

    assert [problem.what for problem in check([orders, *downstreams])] == [
        "asset 'same' has partitions that upstream asset 'orders' does not have"
    ]


def is_valid_in_dagster(specs: Sequence[dg.AssetSpec]) -> bool:
    def materialize(spec: dg.AssetSpec) -> dg.AssetsDefinition:
        @dg.multi_asset(name=spec.key.path[-1], specs=[spec])
        def body() -> None: ...

        return body

    graph = dg.Definitions(assets=[materialize(spec) for spec in specs]).resolve_asset_graph()
    try:
        with disable_dagster_warnings():
            graph.validate_partitions()  # type: ignore[no-untyped-call]  # has no annotations
    except dg.DagsterInvalidDefinitionError:
        return False
    return True


def test_an_external_upstream_and_one_that_is_not_known_are_passed_over() -> None:
    assert check([dg.AssetSpec("report", deps=["elsewhere"], partitions_def=DAILY)]) == []


@pytest.mark.requirement("010-FR-047")
def test_the_report_names_both_definitions_and_the_lines_that_set_them() -> None:
    problems = check(
        [
            dg.AssetSpec("orders", partitions_def=DAILY),
            dg.AssetSpec("report", deps=["orders"], partitions_def=REGIONS),
            dg.AssetSpec("totals", deps=["orders"], partitions_def=REGIONS),
            dg.AssetSpec("orders_by_shop", deps=["totals"], partitions_def=OTHERS),
            dg.AssetSpec("orders_in_berlin", deps=["orders"], partitions_def=IN_BERLIN),
        ]
    )

    assert fold(render_problems(problems).splitlines()) == snapshot("""\
error[FLOE-383]: the partitions of asset 'report' do not lead to those of upstream asset 'orders'
  --> floe.yaml:3:26  orchestration.assets.report.partitions
   |  report: {partitions: regions}
      report: the keys eu, us (floe.yaml:3:26 'report')
      orders: a time window of '0 0 * * *' from 2024-01-01 in UTC (floe.yaml:4:29 'orders*')
      likewise: totals on orders
  why: fixed keys depend on time windows, and Dagster cannot tell by itself which of them belong together
  fix: give both the same partitions, or write a partition mapping in the asset's 'deps'

warning[FLOE-384]: asset 'orders_by_shop' has partitions that upstream asset 'totals' does not have
  --> floe.yaml:4:29  orchestration.assets.orders*.partitions
   |  "orders*": {partitions: daily}
      orders_by_shop: the keys north, south (floe.yaml:4:29 'orders*')
      totals: the keys eu, us (shop/assets.py:12)
  why: there is none for north, south: Dagster's backfills refuse these, and an asset that loads the other
    one's value fails
  fix: give both the same partitions, or write a partition mapping in the asset's 'deps'

error[FLOE-383]: the partitions of asset 'orders_in_berlin' do not lead to those of upstream asset 'orders'
  --> floe.yaml:4:29  orchestration.assets.orders*.partitions
   |  "orders*": {partitions: daily}
      orders_in_berlin: a time window of '0 0 * * *' from 2024-01-01 in Europe/Berlin (floe.yaml:4:29
    'orders*')
      orders: a time window of '0 0 * * *' from 2024-01-01 in UTC (floe.yaml:4:29 'orders*')
  why: Dagster refuses it: Timezones UTC and Europe/Berlin don't match
  fix: give both the same partitions, or write a partition mapping in the asset's 'deps'

2 errors, 1 warning\
""")
