"""What dbt is asked to build in one step: exactly what Dagster has put into it."""

from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from floe_dagster.dbt.step_selection import SelectableNodes


def node(
    unique_id: str, *parents: str, materialized: str = "table", folder: Sequence[str] = (), **fields: object
) -> tuple[str, Mapping[str, object]]:
    kind, package, name = unique_id.split(".")
    props = {
        "resource_type": kind,
        "fqn": [package, *folder, name],
        "original_file_path": f"models/{'/'.join([*folder, name])}.sql",
        "config": {"materialized": materialized},
        "depends_on": {"nodes": list(parents)},
        **fields,
    }
    return unique_id, props


def manifest_of(*nodes: tuple[str, Mapping[str, object]], **parts: object) -> dict[str, Any]:
    return {"nodes": dict(nodes), **parts}


SHOP = manifest_of(
    node("model.shop.orders", "source.shop.bronze.orders"),
    node("model.shop.totals", "model.shop.orders", materialized="ephemeral"),
    node("model.shop.revenue", "model.shop.totals"),
    node("model.shop.customers", "source.shop.bronze.customers"),
    node("test.shop.of_one", "model.shop.orders"),
    node("test.shop.of_a_column", "model.shop.orders", "model.shop.customers", attached_node="model.shop.orders"),
    node(
        "test.shop.of_meta", "model.shop.orders", "model.shop.revenue", meta={"dagster": {"ref": {"name": "revenue"}}}
    ),
    node("test.shop.of_a_line", "model.shop.orders", "model.shop.revenue"),
    node("test.shop.of_neighbours", "model.shop.revenue", "model.shop.customers"),
    node("test.shop.of_ephemeral", "model.shop.totals"),
    node("test.shop.of_a_source", "source.shop.bronze.orders"),
    unit_tests=dict([node("unit_test.shop.unit", "model.shop.revenue")]),
)


@pytest.mark.parametrize(
    ("built", "tests"),
    [
        (["orders"], ["of_a_source", "of_ephemeral"]),
        (["revenue"], ["of_a_line", "unit"]),
        (["orders", "revenue"], ["of_a_line", "of_a_source", "of_ephemeral", "unit"]),
        (["customers"], []),
        (["revenue", "customers"], ["of_a_line", "of_neighbours", "unit"]),
        ([], []),
    ],
)
def test_tests_that_are_no_checks_run_with_the_last_that_they_read(built: list[str], tests: list[str]) -> None:
    found = SelectableNodes(SHOP).tests_without_check(frozenset(f"model.shop.{name}" for name in built))

    assert sorted(unique_id.rpartition(".")[2] for unique_id in found) == tests


def test_tests_of_several_models_that_are_no_checks() -> None:
    found = {unique_id.rpartition(".")[2]: reads for unique_id, reads in SelectableNodes(SHOP).tests_of_several()}

    assert found == {
        "of_a_line": ("model.shop.orders", "model.shop.revenue"),
        "of_neighbours": ("model.shop.customers", "model.shop.revenue"),
    }


def test_a_name_that_is_a_folder_too_selects_its_own_file_alone() -> None:
    manifest = manifest_of(
        node("model.shop.orders"),
        node("model.shop.daily", folder=["orders"]),
        node("model.shop.order"),
        unit_tests=dict([node("unit_test.shop.unit", "model.shop.orders")]),
    )

    names = SelectableNodes(manifest).names_of([*manifest["nodes"], "unit_test.shop.unit"])

    assert names == ("fqn:shop.orders,file:orders.sql", "shop.order", "shop.orders.daily", "shop.unit")


def test_two_thousand_models_are_named_in_a_moment() -> None:
    models = [node(f"model.shop.m_{number:05}", folder=["area"]) for number in range(2_000)]
    tests = [node(f"test.shop.t_{number:05}", f"model.shop.m_{number:05}") for number in range(2_000)]
    manifest = manifest_of(*models, *tests)

    names = SelectableNodes(manifest).names_of(manifest["nodes"])

    assert len(names) == len(set(names)) == 4_000
