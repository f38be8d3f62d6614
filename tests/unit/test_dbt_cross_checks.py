"""dbt tests between assets that different ops build."""

from collections.abc import Sequence

import dagster as dg
import pytest
from inline_snapshot import snapshot

from floe_core.errors import render_problem
from floe_dagster.dbt.cross_checks import OpGraph, find_lost_tests, separate_cross_checks
from floe_dagster.dbt.index import DbtTest


def spec(name: str, *parents: str) -> dg.AssetSpec:
    return dg.AssetSpec(name, deps=list(parents))


#  bronze → orders → per_day → changes, and customers beside them
DAILY = [spec("orders", "bronze"), spec("changes", "per_day"), spec("returns", "elsewhere")]
PLAIN = [spec("per_day", "orders"), spec("customers", "bronze_too"), spec("regions")]
PYTHON = [(dg.AssetKey(key), list[dg.AssetKey]()) for key in ("bronze", "bronze_too")]


@pytest.mark.parametrize(
    ("asset", "reads", "is_separate"),
    [
        ("orders", [], False),
        ("per_day", ["orders"], False),
        ("changes", ["orders", "per_day"], False),
        ("changes", ["bronze"], False),
        ("orders", ["elsewhere"], False),
        ("orders", ["per_day"], True),
        ("orders", ["changes"], True),
        ("orders", ["customers"], True),
        ("orders", ["bronze_too"], True),
        ("customers", ["regions"], False),
        ("regions", ["customers"], True),
        ("changes", ["returns"], False),
    ],
)
def test_a_check_stays_with_its_asset_where_all_that_it_reads_is_built_by_then(
    asset: str, reads: Sequence[str], is_separate: bool
) -> None:
    check = dg.AssetCheckSpec("check", asset=asset, additional_deps=list(reads), blocking=True)

    kept, crossing = separate_cross_checks([check], OpGraph.of([DAILY, PLAIN], PYTHON))

    assert (len(kept), len(crossing)) == ((0, 1) if is_separate else (1, 0))
    assert [each.blocking for each in (*kept, *crossing)] == [not is_separate]


@pytest.mark.parametrize(
    ("reads", "is_lost"),
    [
        (["orders", "per_day"], False),
        (["orders", "per_day", "changes"], False),
        (["customers", "regions"], False),
        (["orders", "customers"], True),
        (["changes", "per_day", "customers"], True),
        (["orders", "not_an_asset"], False),
    ],
)
def test_a_test_that_is_no_check_runs_with_the_last_that_it_reads(reads: Sequence[str], is_lost: bool) -> None:
    keys = {f"model.shop.{spec.key.path[-1]}": spec.key for spec in (*DAILY, *PLAIN)}
    test = DbtTest(unique_id="test.shop.t", path="tests/t.sql", reads=tuple(f"model.shop.{name}" for name in reads))

    lost = list(find_lost_tests([test], OpGraph.of([DAILY, PLAIN], PYTHON), keys))

    assert len(lost) == is_lost


def test_a_test_that_no_step_runs_is_told() -> None:
    keys = {f"model.shop.{spec.key.path[-1]}": spec.key for spec in (*DAILY, *PLAIN)}
    reads = ("model.shop.customers", "model.shop.orders")
    test = DbtTest(unique_id="test.shop.everybody_ordered", path="tests/everybody_ordered.sql", reads=reads)

    [problem] = find_lost_tests([test], OpGraph.of([DAILY, PLAIN], PYTHON), keys)

    assert render_problem(problem) == snapshot("""\
warning[FLOE-335]: no step runs the dbt test 'everybody_ordered', tests/everybody_ordered.sql
  why: different steps build customers, orders, and none of them comes after all others
  fix: say which model it checks: config(meta={'dagster': {'ref': {'name': 'customers'}}})\
""")
