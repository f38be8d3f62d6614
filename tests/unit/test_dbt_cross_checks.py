"""dbt tests between assets that different ops build."""

from collections.abc import Sequence

import dagster as dg
import pytest

from floe_dagster.dbt.cross_checks import OpGraph, separate_cross_checks


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
