import json

import pytest

from floe_dagster.dbt.index import DbtCheck, DbtDep, DbtIndex, DbtNode, DbtSource, RelationNames

NODE = DbtNode(
    unique_id="model.shop.stg_orders",
    key=("silver", "stg_orders"),
    path="models/staging/stg_orders.sql",
    database="{database}",
    schema="{schema}_silver",
    alias="stg_orders",
    group="silver",
    tags={"nightly": ""},
    kinds=("dbt", "{adapter}"),
    owners=("team:bi",),
    code_version="1",
    resource_type="model",
    fqn="shop.staging.stg_orders",
    materialized="view",
    custom_schema="silver",
    deps=(DbtDep(("bronze", "orders"), "source.shop.bronze.orders"), DbtDep(("seeds", "countries"))),
)
SOURCE = DbtSource(
    unique_id="source.shop.bronze.orders", key=("bronze", "orders"), path="models/sources.yml", alias="orders"
)
CHECK = DbtCheck(unique_id="test.shop.unique_id", name="unique_id", key=("silver", "stg_orders"), blocking=False)
INDEX = DbtIndex(
    settings_digest="d",
    project_dir="dbt",
    manifest_path=".floe/dbt/dev/manifest.json",
    nodes=(NODE,),
    sources=(SOURCE,),
    checks=(CHECK,),
    details=json.dumps({"model.shop.stg_orders": {"description": "Orders."}}),
)


def test_an_index_survives_json() -> None:
    as_text = json.dumps(INDEX.to_json())

    assert DbtIndex.from_json(json.loads(as_text)) == INDEX


def test_what_has_its_default_value_is_not_written() -> None:
    written = INDEX.to_json()

    assert written["sources"] == [
        {
            "unique_id": "source.shop.bronze.orders",
            "key": ["bronze", "orders"],
            "path": "models/sources.yml",
            "alias": "orders",
        }
    ]


def test_details_are_read_apart() -> None:
    assert INDEX.load_details() == {"model.shop.stg_orders": {"description": "Orders."}}


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (None, "not a dbt index of this format"),
        ([], "not a dbt index of this format"),
        ({}, "not a dbt index of this format"),
        ({**INDEX.to_json(), "format": 0}, "not a dbt index of this format"),
        ({**INDEX.to_json(), "colour": "red"}, "not a dbt index: Unexpected keyword argument at ('colour',)"),
        (
            {**INDEX.to_json(), "nodes": [{"key": 1}]},
            "not a dbt index: Field required at ('nodes', 0, 'unique_id')",
        ),
    ],
    ids=["nothing", "list", "empty", "format", "key", "node"],
)
def test_what_is_not_an_index_is_refused(data: object, message: str) -> None:
    with pytest.raises(ValueError) as error:
        DbtIndex.from_json(data)

    assert str(error.value) == message


@pytest.mark.parametrize(
    ("text", "filled"),
    [("", ""), ("{schema}_silver", "main_silver"), ("bronze", "bronze"), ("{database}.{schema}.x", "db.main.x")],
)
def test_names_of_the_profile_are_filled_in(text: str, filled: str) -> None:
    assert RelationNames("db", "main", "duckdb").fill(text) == filled
