import time
from collections.abc import Iterator

import dagster as dg
import pytest

from floe_dagster.selection.asset_index import AssetIndex, AssetNode, find_cycle


def index_of(**deps: list[str]) -> AssetIndex:
    return AssetIndex(
        AssetNode(key=(name,), deps=frozenset((dep,) for dep in upstream)) for name, upstream in deps.items()
    )


def keys(*names: str) -> frozenset[tuple[str, ...]]:
    return frozenset((name,) for name in names)


class TestFromAssets:
    def test_an_asset_is_found_by_everything_that_selections_name(self) -> None:
        @dg.asset(
            key=["bronze", "orders"],
            group_name="bronze",
            tags={"tier": "1"},
            kinds={"python", "iceberg"},
            owners=["team:sales"],
            deps=["raw"],
        )
        def orders() -> None: ...

        index = AssetIndex.from_assets([orders], origins={("bronze", "orders"): "shop/bronze.py:3"})

        key = ("bronze", "orders")
        assert index.nodes[key] == AssetNode(
            key=key,
            group="bronze",
            tags={"tier": "1"},
            kinds=frozenset({"python", "iceberg"}),
            owners=("team:sales",),
            deps=keys("raw"),
            origin="shop/bronze.py:3",
        )
        assert index.nodes[key].label == "bronze/orders"
        assert index.by_name == {"orders": (key,)}
        assert index.by_group == {"bronze": (key,)}
        assert index.by_kind == {"python": (key,), "iceberg": (key,)}
        assert index.by_tag == {"tier": (key,)}
        assert index.by_tag_value == {("tier", "1"): (key,)}
        assert index.by_owner == {"team:sales": (key,)}

    @pytest.mark.filterwarnings("ignore:Class `SourceAsset` is deprecated")
    def test_specs_and_source_assets_are_neither_executable_nor_materializable(self) -> None:
        index = AssetIndex.from_assets([dg.AssetSpec("spec", group_name="raw"), dg.SourceAsset("source")])

        assert [(node.executable, node.materializable) for node in index.nodes.values()] == [(False, False)] * 2
        assert index.by_group == {"raw": (("spec",),), "default": (("source",),)}

    @pytest.mark.filterwarnings("ignore:Function `observable_source_asset` is currently in beta")
    def test_an_observable_asset_is_executable_but_not_materializable(self) -> None:
        @dg.observable_source_asset
        def watched() -> dg.DataVersion:
            return dg.DataVersion("1")

        node = AssetIndex.from_assets([watched]).nodes[("watched",)]

        assert (node.executable, node.materializable) == (True, False)

    def test_every_asset_of_a_multi_asset_has_its_own_node(self) -> None:
        @dg.multi_asset(specs=[dg.AssetSpec("a"), dg.AssetSpec("b", deps=["a"])])
        def both() -> Iterator[dg.MaterializeResult[None]]:
            yield from (dg.MaterializeResult(asset_key=name) for name in "ab")

        index = AssetIndex.from_assets([both])

        assert index.upstream == {("a",): (), ("b",): (("a",),)}
        assert index.downstream == {("a",): (("b",),)}

    def test_asset_checks_are_no_assets(self) -> None:
        @dg.asset_check(asset="a")
        def check() -> dg.AssetCheckResult:
            return dg.AssetCheckResult(passed=True)

        assert not AssetIndex.from_assets([check]).nodes

    def test_a_dependency_that_nobody_defines_is_no_neighbour(self) -> None:
        index = index_of(a=["nowhere"])

        assert index.upstream == {("a",): ()}
        assert index.nodes[("a",)].deps == keys("nowhere")


class TestNeighbourhood:
    @pytest.mark.parametrize(
        ("start", "depth", "expected"),
        [
            pytest.param([], None, [], id="nothing"),
            pytest.param(["d"], 0, ["d"], id="no step"),
            pytest.param(["d"], 1, ["d", "b", "c"], id="one step"),
            pytest.param(["d"], None, ["d", "b", "c", "a"], id="everything"),
            pytest.param(["d", "b"], 1, ["d", "b", "c", "a"], id="steps count from the nearest start"),
            pytest.param(["unknown"], None, [], id="an unknown key"),
        ],
    )
    def test_ancestors(self, start: list[str], depth: int | None, expected: list[str]) -> None:
        index = index_of(a=[], b=["a"], c=["a"], d=["b", "c"], e=["d"])

        assert index.ancestors(keys(*start), depth=depth) == keys(*expected)

    def test_descendants(self) -> None:
        index = index_of(a=[], b=["a"], c=["a"], d=["b", "c"], e=["d"])

        assert index.descendants(keys("b"), depth=1) == keys("b", "d")
        assert index.descendants(keys("b")) == keys("b", "d", "e")


class TestFindCycle:
    def test_a_diamond_has_none(self) -> None:
        assert find_cycle(index_of(a=[], b=["a"], c=["a"], d=["b", "c"])) == ()

    def test_an_asset_may_depend_on_itself(self) -> None:
        assert find_cycle(index_of(a=["a"])) == ()

    def test_the_cycle_is_named_in_the_order_data_flows(self) -> None:
        index = index_of(before=[], a=["before", "c"], b=["a"], c=["b"], after=["c"])

        assert find_cycle(index) == (("a",), ("b",), ("c",), ("a",))

    def test_the_way_into_a_cycle_is_not_part_of_it(self) -> None:
        index = index_of(way=[], in_=["way"], x=["in_", "y"], y=["x"])

        assert find_cycle(index) == (("x",), ("y",), ("x",))

    def test_a_chain_longer_than_the_recursion_limit_is_no_trouble(self) -> None:
        chain = AssetIndex(
            AssetNode(key=(str(number),), deps=frozenset({(str(number - 1 if number else 4999),)}))
            for number in range(5000)
        )

        assert len(find_cycle(chain)) == 5001


def test_ten_times_the_assets_cost_about_ten_times_the_time() -> None:
    def seconds(count: int) -> float:
        nodes = [
            AssetNode(key=("layer", str(n)), group=f"g{n % 20}", deps=frozenset({("layer", str(n - 1))}))
            for n in range(count)
        ]
        started = time.process_time()
        index = AssetIndex(nodes)
        index.ancestors([("layer", str(count - 1))])
        find_cycle(index)
        return time.process_time() - started

    small = min(seconds(2_000) for _ in range(3))
    large = min(seconds(20_000) for _ in range(3))

    assert large < 30 * small
