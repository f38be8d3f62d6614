from typing import Any

import dagster as dg
import pytest
from inline_snapshot import snapshot

from floe_core.errors import LoadError
from floe_dagster.assets import floe_asset
from floe_dagster.selection.asset_index import AssetIndex
from floe_dagster.user_code.resource_checks import check_resource_keys


@floe_asset(outputs=["bronze.orders"])
def orders(catalog): ...  # type: ignore[no-untyped-def] # as users write


@floe_asset
def misspelt(catlog): ...  # type: ignore[no-untyped-def] # as users write


@floe_asset
def reads_value(orders): ...  # type: ignore[no-untyped-def] # as users write


@floe_asset
def unknown(context, weather_api): ...  # type: ignore[no-untyped-def] # as users write


@dg.asset_check(asset=orders)
def fine(clock: dg.ResourceParam[Any]) -> dg.AssetCheckResult:
    return dg.AssetCheckResult(passed=True)


ALL = [orders, misspelt, reads_value, unknown, fine, dg.AssetSpec("external")]


@pytest.mark.filterwarnings("ignore:Parameter `resource_defs` of function `asset` is currently in beta")
def test_what_is_there_is_fine() -> None:
    @dg.asset(resource_defs={"own": dg.ResourceDefinition.none_resource()}, required_resource_keys={"own"})
    def with_its_own() -> None: ...

    check_resource_keys([orders, with_its_own, *ALL[-1:]], resources={"catalog"}, index=AssetIndex([]))


def test_all_that_is_missing_is_told_with_a_way_out() -> None:
    index = AssetIndex.from_assets([asset for asset in ALL if isinstance(asset, dg.AssetsDefinition | dg.AssetSpec)])

    with pytest.raises(LoadError) as caught:
        check_resource_keys(
            ALL, resources={"catalog", "dbt"}, index=index, origins={("misspelt",): "shop/assets/bronze.py:12"}
        )

    assert f"\n{caught.value}\n" == snapshot("""\

error[FLOE-374]: asset 'misspelt' asks for the resource 'catlog', which does not exist
      shop/assets/bronze.py:12
  why: a parameter without annotation is the resource of its name; there are catalog, dbt
  fix: did you mean 'catalog'?

error[FLOE-374]: asset 'reads_value' asks for the resource 'orders', which does not exist
  why: a parameter without annotation is the resource of its name; there are catalog, dbt
  fix: annotate the parameter with the type of its value, or name it in 'deps', if the asset 'orders' is meant

error[FLOE-374]: asset 'unknown' asks for the resource 'weather_api', which does not exist
  why: a parameter without annotation is the resource of its name; there are catalog, dbt
  fix: define it under 'resources' in platform.yaml

error[FLOE-374]: asset check 'orders_fine' asks for the resource 'clock', which does not exist
  why: the parameter 'clock' is annotated as a resource; there are catalog, dbt
  fix: define it under 'resources' in platform.yaml

4 errors
""")


def test_the_value_of_an_asset_that_does_not_exist() -> None:
    @floe_asset
    def totals(ordres: list[int], countries: list[str], orders: list[int]) -> None: ...

    @floe_asset(deps=["elsewhere"])
    def later() -> None: ...

    with pytest.raises(LoadError) as caught:
        check_resource_keys(
            [totals, later], resources={"catalog"}, index=AssetIndex.from_assets([orders, totals, later])
        )

    assert f"\n{caught.value}\n" == snapshot("""\

error[FLOE-374]: asset 'totals' takes the value of the asset 'countries', which does not exist
  why: a parameter with an annotation that is no resource's is an upstream asset
  fix: delete the annotation if a resource is meant; a table is read by the resource 'catalog'

error[FLOE-374]: asset 'totals' takes the value of the asset 'ordres', which does not exist
  why: a parameter with an annotation that is no resource's is an upstream asset
  fix: did you mean 'orders'?

2 errors
""")
