"""What local lineage events tell about columns."""

import json
import os
from pathlib import Path

from floe_dagster.observability.local.lineage import ColumnSource, TableColumns, read_columns

SILVER, BRONZE = ("duckdb:///w.duckdb", "w.silver.orders"), ("sqlite:///c.db", "bronze.orders")


def event(*, column: str | None = "id", source: str = "orderID", kind: str = "BIGINT") -> dict[str, object]:
    """An event of a model with one column; without *column* it tells of none."""
    schema = {"fields": [{"name": "id", "type": kind}, {"name": "paid"}]}
    inputs = [{"namespace": BRONZE[0], "name": BRONZE[1], "field": source}]
    lineage = {"columnLineage": {"fields": {column: {"inputFields": inputs}}}} if column else {}
    return {
        "inputs": [{"namespace": BRONZE[0], "name": BRONZE[1], "facets": {"schema": {"fields": [{"name": source}]}}}],
        "outputs": [{"namespace": SILVER[0], "name": SILVER[1], "facets": {"schema": schema, **lineage}}],
    }


def write(folder: Path, name: str, *events: object, at: int = 0) -> None:
    path = folder / f"{name}.jsonl"
    path.write_text("".join(f"{json.dumps(event)}\n" for event in events), encoding="utf-8")
    os.utime(path, (at, at))


def test_columns_with_their_types_and_where_they_come_from(tmp_path: Path) -> None:
    write(tmp_path, "run", event())

    assert read_columns(tmp_path) == {
        SILVER: TableColumns({"id": "BIGINT", "paid": ""}, {"id": (ColumnSource(BRONZE, "orderID"),)}),
        BRONZE: TableColumns({"orderID": ""}),
    }
    assert read_columns(tmp_path / "missing") == {}


def test_the_newest_event_that_tells_something_counts(tmp_path: Path) -> None:
    write(tmp_path, "older", event(source="old", kind="TEXT"), at=1)
    write(tmp_path, "newer", event(source="first"), event(source="second"), event(column=None), at=2)
    write(tmp_path, "newest", event(column=None, kind="INT"), at=3)

    found = read_columns(tmp_path)[SILVER]

    assert found.types["id"] == "INT"
    assert found.sources == {"id": (ColumnSource(BRONZE, "second"),)}


def test_nothing_is_told_of_a_table_from_before_it_was_written_last(tmp_path: Path) -> None:
    table = {"namespace": SILVER[0], "name": SILVER[1]}
    told = {**event(), "eventType": "COMPLETE"}
    write(tmp_path, "older", told, at=1)
    for kind in ("START", "FAIL", "ABORT"):
        write(tmp_path, kind, {"eventType": kind, "outputs": [table]}, at=2)
    assert read_columns(tmp_path)[SILVER].sources == {"id": (ColumnSource(BRONZE, "orderID"),)}

    write(tmp_path, "newest", {"eventType": "COMPLETE", "outputs": [table]}, {"eventType": "COMPLETE"}, at=3)
    found = read_columns(tmp_path)

    assert (found[SILVER], found[BRONZE].types) == (TableColumns(), {"orderID": ""})
    write(tmp_path, "again", told, at=4)
    assert read_columns(tmp_path)[SILVER].types == {"id": "BIGINT", "paid": ""}


def test_what_is_no_event_is_passed_over(tmp_path: Path) -> None:
    write(tmp_path, "run", event(), {"outputs": [3, {"facets": {"schema": [], "columnLineage": {"fields": 1}}}]}, [1])
    path = tmp_path / "run.jsonl"
    path.write_bytes(path.read_bytes() + b'{"outputs": [{"facets": {"schema"\n\xff"schema"\n')

    assert read_columns(tmp_path)[SILVER].sources == {"id": (ColumnSource(BRONZE, "orderID"),)}
