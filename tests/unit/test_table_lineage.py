from collections.abc import Iterator, Sequence
from typing import Any, cast

import dagster as dg
import pytest
from inline_snapshot import snapshot

from floe_core.errors import AssetModuleError, LoadError
from floe_dagster.assets import floe_asset
from floe_dagster.selection.asset_index import AssetIndex, KeyPath
from floe_dagster.table_lineage import JoinedAssets, check_no_cycle, join_tables


def table_asset(
    name: str, *, reads: Sequence[str] = (), writes: Sequence[str] = (), **arguments: Any
) -> dg.AssetsDefinition:
    @floe_asset(name=name, inputs=reads, outputs=writes, **arguments)
    def asset() -> None: ...

    return asset


def edges(joined: JoinedAssets) -> dict[str, list[str]]:
    index = AssetIndex.from_assets([*joined.assets, *joined.external])
    return {node.label: sorted("/".join(key) for key in node.deps) for node in index.nodes.values()}


class TestJoinTables:
    def test_an_asset_depends_on_whatever_writes_its_inputs(self) -> None:
        bronze = table_asset("load_customers", writes=["bronze.customers"], key_prefix="py")
        gold = table_asset("revenue", reads=["bronze.customers"])

        assert edges(join_tables([gold, bronze])) == {"revenue": ["py/load_customers"], "py/load_customers": []}

    def test_several_outputs_and_inputs(self) -> None:
        both = table_asset("both", writes=["a.one", "a.two"])
        reader = table_asset("reader", reads=["a.two", "a.one", "b.three"])

        assert edges(join_tables([both, reader])) == {"both": [], "reader": ["b/three", "both"], "b/three": []}

    def test_a_dependency_that_is_named_twice_is_one(self) -> None:
        bronze = table_asset("bronze", writes=["a.b"])
        gold = table_asset("gold", reads=["a.b"], deps=[bronze])

        joined = join_tables([bronze, gold])

        assert joined.assets == (bronze, gold)
        assert edges(joined)["gold"] == ["bronze"]

    def test_an_asset_that_reads_what_it_writes_does_not_wait_for_itself(self) -> None:
        assert edges(join_tables([table_asset("a", reads=["t.t", "r.r"], writes=["t.t"])])) == {"a": ["r/r"], "r/r": []}

    def test_a_table_that_nobody_writes_is_one_external_asset(self) -> None:
        joined = join_tables([table_asset("a", reads=["raw.x"]), table_asset("b", reads=["raw.x"])])

        [external] = joined.external
        assert external.key == dg.AssetKey(["raw", "x"])
        assert external.metadata == {"dagster/table_name": "raw.x"}

    def test_an_asset_that_is_called_like_the_table_is_the_table(self) -> None:
        joined = join_tables([table_asset("a", reads=["raw.x"]), dg.AssetSpec(["raw", "x"], description="theirs")])

        assert joined.external == ()
        assert edges(joined)["a"] == ["raw/x"]

    def test_tables_of_dbt(self) -> None:
        model = dg.AssetSpec(["silver", "stg_orders"])
        joined = join_tables(
            [table_asset("a", reads=["silver.orders"]), model], other_tables={"silver.orders": model.key}
        )

        assert edges(joined) == {"a": ["silver/stg_orders"], "silver/stg_orders": []}

    def test_tables_of_a_multi_asset_and_of_an_external_asset(self) -> None:
        @dg.multi_asset(
            specs=[
                dg.AssetSpec("one", metadata={"floe/outputs": ["t.one"]}),
                dg.AssetSpec("two", metadata={"floe/inputs": ["t.one", "raw.x"]}),
            ]
        )
        def both() -> Iterator[dg.MaterializeResult[None]]:
            yield from (dg.MaterializeResult(asset_key=key) for key in ["one", "two"])

        view = dg.AssetSpec("view", metadata={"floe/inputs": ["t.one"]})

        assert edges(join_tables([both, view])) == {"one": [], "two": ["one", "raw/x"], "view": ["one"], "raw/x": []}

    def test_inputs_that_carry_values_still_do(self) -> None:
        seen = []

        @dg.asset
        def numbers() -> list[int]:
            return [1, 2]

        @floe_asset(inputs=["raw.x", "t.t"])
        def total(numbers: list[int]) -> None:
            seen.append(sum(numbers))

        joined = join_tables([numbers, total, table_asset("writer", writes=["t.t"])])

        assert edges(joined)["total"] == ["numbers", "raw/x", "writer"]
        assert dg.materialize([*joined.assets, *joined.external], resources={"catalog": None}).success
        assert seen == [3]

    def test_the_order_of_a_run_follows_the_tables(self) -> None:
        order: list[str] = []
        assets = []
        for name, reads, writes in [("c", ["t.b"], []), ("b", ["t.a"], ["t.b"]), ("a", ["raw.a"], ["t.a"])]:

            @floe_asset(name=name, inputs=reads, outputs=writes)
            def asset(context: dg.AssetExecutionContext) -> None:
                order.append(context.asset_key.path[-1])

            assets.append(asset)

        joined = join_tables(assets)
        dg.materialize([*joined.assets, *joined.external], resources={"catalog": None})

        assert order == ["a", "b", "c"]

    def test_everything_else_of_the_asset_stays(self) -> None:
        asset = table_asset(
            "a",
            reads=["raw.x"],
            group_name="bronze",
            pool="files",
            retry_policy=dg.RetryPolicy(max_retries=2),
            check_specs=[dg.AssetCheckSpec("fine", asset="a")],
            partitions_def=dg.StaticPartitionsDefinition(["p"]),
        )

        [joined] = join_tables([asset]).assets

        assert isinstance(joined, dg.AssetsDefinition)
        assert (joined.op.pool, joined.op.retry_policy) == ("files", dg.RetryPolicy(max_retries=2))
        assert joined.check_keys == asset.check_keys
        assert joined.partitions_def == asset.partitions_def
        assert joined.get_asset_spec().group_name == "bronze"

    def test_two_assets_that_write_one_table(self) -> None:
        assets = [table_asset("a", writes=["t.t"]), table_asset("b", writes=["t.t"])]

        with pytest.raises(AssetModuleError) as caught:
            join_tables(assets, origins={("a",): "shop/a.py:3", ("b",): "shop/b.py:7"})

        assert f"\n{caught.value}\n" == snapshot("""\

error[FLOE-361]: table 't.t' is written by two assets
      a: shop/a.py:3
      b: shop/b.py:7
  why: whatever reads a table depends on the one asset that writes it; names that differ in case only are one
  fix: give one of them another table in 'outputs'
""")

    def test_a_table_that_dbt_builds_too(self) -> None:
        with pytest.raises(AssetModuleError) as caught:
            join_tables(
                [table_asset("a", writes=["t.t"])],
                other_tables={"t.t": dg.AssetKey(["silver", "t"])},
                origins={("a",): "shop/a.py:3", ("silver", "t"): "models/t.sql"},
            )

        assert f"\n{caught.value}\n" == snapshot("""\

error[FLOE-361]: table 't.t' is written by two assets
      a: shop/a.py:3
      silver/t: models/t.sql
  why: whatever reads a table depends on the one asset that writes it; names that differ in case only are one
  fix: give one of them another table in 'outputs'
""")

    def test_an_input_in_another_case_than_its_writer_names_it(self) -> None:
        assets = [table_asset("a", writes=["Bronze.Orders"]), table_asset("b", reads=["bronze.orders"])]

        with pytest.raises(AssetModuleError) as caught:
            join_tables(assets, origins={("a",): "shop/a.py:3", ("b",): "shop/b.py:7"})

        assert f"\n{caught.value}\n" == snapshot("""\

error[FLOE-364]: asset 'b' reads table 'bronze.orders', which is written as 'Bronze.Orders'
      b: shop/b.py:7
      a: shop/a.py:3
  why: the catalog tells upper from lower case and would not find it; dbt would
  fix: write 'Bronze.Orders' in 'inputs', and where the function reads it
""")

    def test_tables_whose_names_differ_in_case_only_are_one(self) -> None:
        assets = [table_asset("a", writes=["Bronze.Orders"]), table_asset("b", writes=["bronze.orders"])]

        with pytest.raises(AssetModuleError, match=r"table 'bronze\.orders' is written by two assets"):
            join_tables(assets)

    @pytest.mark.parametrize("table", ["silver.orders", "Silver.Orders", "SILVER.ORDERS"])
    def test_tables_of_dbt_and_assets_called_like_a_table_are_found_in_any_case(self, table: str) -> None:
        model = dg.AssetSpec(["silver", "stg_orders"])

        joined = join_tables(
            [table_asset("a", reads=[table, "RAW.x"]), model, dg.AssetSpec(["raw", "X"])],
            other_tables={"Silver.orders": model.key},
        )

        assert edges(joined)["a"] == ["raw/X", "silver/stg_orders"]

    def test_a_source_of_dbt_and_a_python_input_are_one_external_table_in_any_case(self) -> None:
        joined = join_tables(
            [table_asset("a", reads=["Vendor.Rates"])], other_tables={"vendor.rates": dg.AssetKey(["vendor", "rates"])}
        )

        assert (edges(joined), joined.external) == ({"a": ["vendor/rates"]}, ())

    def test_a_graph_cannot_name_tables(self) -> None:
        @dg.op
        def one() -> int:
            return 1

        @dg.graph_asset(metadata={"floe/inputs": ["raw.x"]})
        def graph() -> int:
            return cast("int", one())

        with pytest.raises(AssetModuleError) as caught:
            join_tables([graph], origins={("graph",): "shop/a.py:3"})

        assert f"\n{caught.value}\n" == snapshot("""\

error[FLOE-363]: asset 'graph' is a graph of ops, so it cannot name tables as 'floe/inputs'
      graph: shop/a.py:3
  why: a graph takes its dependencies from its parameters
  fix: name the upstream assets as parameters of the graph
""")


class TestCycles:
    def test_none(self) -> None:
        check_no_cycle(AssetIndex.from_assets([table_asset("a", writes=["t.a"])]))

    def test_one_by_way_of_tables(self) -> None:
        assets = [
            table_asset("a", reads=["t.c"], writes=["t.a"]),
            table_asset("b", reads=["t.a"], writes=["t.b"]),
            table_asset("c", reads=["t.b"], writes=["t.c"]),
        ]
        origins: dict[KeyPath, str] = {("a",): "shop/a.py:1", ("b",): "shop/b.py:2", ("c",): "shop/c.py:3"}

        with pytest.raises(LoadError) as caught:
            check_no_cycle(AssetIndex.from_assets(join_tables(assets).assets, origins=origins))

        assert f"\n{caught.value}\n" == snapshot("""\

error[FLOE-362]: assets depend on one another in a circle: a → b → c → a
      a: shop/a.py:1
      b: shop/b.py:2
      c: shop/c.py:3
  why: each of them waits for the one before it, so none could ever run
  fix: take one of the dependencies out of 'deps', 'inputs' or the dbt model
""")
