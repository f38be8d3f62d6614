"""What annotations of assets promise and no run can keep, as `floe validate` tells it."""

import json

import pytest
from inline_snapshot import snapshot

from floe_cli.main import run_command_line
from plugins.user_project import UserProject

IMPORTS = """\
from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import dagster as dg
import duckdb
import pandas as pd
import polars as pl
import pyarrow as pa

from floe_dagster import floe_asset


"""
FLOE_YAML = """
orchestration:
  asset_modules: [shop.assets]
  partitions:
    daily: {type: time_window, start: 2024-01-01}
    regional:
      type: multi
      partitions: {day: {type: time_window, start: 2024-01-01}, region: {type: static, partition_keys: [eu]}}
  assets:
    "by_day*": {partitions: daily}
    "by_day_of_column": {partition_column: day}
    "by_two": {partitions: regional}
"""


def warnings_of(project: UserProject, code: str, capsys: pytest.CaptureFixture[str]) -> list[dict[str, object]]:
    project.write({"shop/__init__.py": "", ".git/HEAD": "", "floe.yaml": FLOE_YAML})
    needed = '@floe_asset(outputs="b.{0}")\ndef {0}(): ...\n\n\n'
    names = ("by_day_of_column", "by_two", "by_day")
    code = "".join(needed.format(name) for name in names if f"def {name}(" not in code) + code
    (project.path / "shop" / "assets.py").write_text(f"{IMPORTS}{code}\n")

    assert run_command_line(["validate", "--format=json"]) == 0

    problems: list[dict[str, object]] = json.loads(capsys.readouterr().out)["problems"]
    assert {problem["severity"] for problem in problems} <= {"warning"}
    return problems


@pytest.mark.parametrize("kind", ["pa.Table", "pa.RecordBatchReader", "pl.DataFrame", "pl.LazyFrame", "pd.DataFrame"])
@pytest.mark.parametrize("keyword", ["def", "async def"])
def test_rows_without_an_output_table(
    kind: str, keyword: str, user_project: UserProject, capsys: pytest.CaptureFixture[str]
) -> None:
    [problem] = warnings_of(user_project, f"@floe_asset()\n{keyword} lost() -> {kind}: ...", capsys)

    assert problem["code"] == "FLOE-410"
    assert str(problem["what"]).startswith("asset 'lost' returns a value of type ")
    assert str(problem["what"]).endswith(" but names no output table")
    text = (user_project.path / "shop" / "assets.py").read_text().splitlines()
    assert problem["file"] == "shop/assets.py"
    assert isinstance(problem["line"], int)
    assert text[problem["line"] - 1].startswith(f"{keyword} lost")


def test_what_cannot_be_kept(user_project: UserProject, capsys: pytest.CaptureFixture[str]) -> None:
    code = """
@floe_asset(outputs=["b.one", "b.two"])
def two() -> duckdb.DuckDBPyRelation: ...


@floe_asset(outputs="b.by_day")
def by_day() -> pa.Table: ...


@floe_asset(outputs="b.by_two", partition_column="day")
def by_two() -> pa.Table: ...


@floe_asset(outputs="b.own", partitions_def=dg.DailyPartitionsDefinition("2024-01-01"))
def own() -> pa.Table: ...


@floe_asset(outputs="b.clicks")
def clicks() -> pa.Table: ...


@floe_asset
def counts() -> dict[str, int]: ...


@floe_asset
def shown(clicks: pa.Table): ...


@dg.asset
def plain(counts): ...
"""
    problems = warnings_of(user_project, code, capsys)

    lines = [f"{p['code']} {p['what']}\n  --> {p['file']} {p['yaml_path']}\n  fix: {p['fix']}" for p in problems]
    assert "\n".join(lines) == snapshot("""\
FLOE-411 asset 'by_day' is partitioned and returns rows, but no column tells which partition a row belongs to
  --> floe.yaml orchestration.assets.by_day*.partitions
  fix: name the column: partition_column under orchestration.assets in floe.yaml, or @floe_asset(partition_column='…')
FLOE-411 asset 'by_two' has partitions of two dimensions and names no column for day, region
  --> floe.yaml orchestration.assets.by_two.partitions
  fix: write partition_column: {day: …, region: …}
FLOE-410 asset 'two' returns a value of type duckdb.DuckDBPyRelation but names 2 output tables (b.one, b.two)
  --> shop/assets.py \n\
  fix: write each with the 'catalog' resource, catalog.write_table(name, rows), and return a dict
FLOE-411 asset 'own' is partitioned and returns rows, but no column tells which partition a row belongs to
  --> shop/assets.py \n\
  fix: name the column: partition_column under orchestration.assets in floe.yaml, or @floe_asset(partition_column='…')
FLOE-410 asset 'shown' takes the value of asset 'clicks' as 'clicks', and that asset stores none
  --> shop/assets.py \n\
  fix: name the asset in 'deps', or its table in 'inputs', and read it: catalog.read_table('b.clicks')
FLOE-410 asset 'plain' takes the value of asset 'counts' as 'counts', and that asset stores none
  --> shop/assets.py \n\
  fix: name the asset in 'deps', or its table in 'inputs', and read it: catalog.read_table('…')\
""")


def test_what_may_be_right_is_no_warning(user_project: UserProject, capsys: pytest.CaptureFixture[str]) -> None:
    code = """
@floe_asset(outputs="b.by_day_of_column")
def by_day_of_column() -> pa.Table: ...


@floe_asset
def optional() -> pa.Table | None: ...


@floe_asset
def several() -> Iterator[pa.Table]: ...


@floe_asset
def tables() -> list[pa.Table]: ...


@floe_asset
def nothing() -> None: ...


@floe_asset
def any_value() -> Any: ...


@floe_asset
def unknown() -> pa.NoSuchTable: ...


@floe_asset
def result() -> dg.MaterializeResult: ...


@floe_asset
def typed_result() -> dg.MaterializeResult[pa.Table]: ...


@dg.asset
def of_results(result, typed_result, any_value): ...


@floe_asset(io_manager_key="io_manager")
def stored() -> pa.Table: ...


@dg.asset
def of_stored(stored: pa.Table) -> pa.Table: ...


@dg.asset(deps=[nothing], ins={"optional": dg.AssetIn(dagster_type=dg.Nothing)})
def after(): ...


@dg.asset(ins={"clicks": dg.AssetIn(key="nothing", input_manager_key="reader")})
def read(clicks): ...


@dg.input_manager
def reader(): ...


whole = dg.Definitions(resources={"reader": reader})
"""

    assert warnings_of(user_project, code, capsys) == []


@pytest.mark.parametrize(
    ("resources", "codes"),
    [("{}", ["FLOE-410"]), ("{'io_manager': dg.mem_io_manager}", [])],
    ids=["Dagster's", "the project's"],
)
def test_only_an_io_manager_of_the_project_may_load_what_it_did_not_store(
    resources: str, codes: list[str], user_project: UserProject, capsys: pytest.CaptureFixture[str]
) -> None:
    code = f"""
@floe_asset(outputs="b.clicks")
def clicks() -> pa.Table: ...


@floe_asset
def shown(clicks: pa.Table): ...


whole = dg.Definitions(resources={resources})
"""

    assert [problem["code"] for problem in warnings_of(user_project, code, capsys)] == codes
