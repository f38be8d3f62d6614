"""`floe graph` on a project without dbt."""

import json
import re
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import pytest
from inline_snapshot import snapshot

from floe_cli.main import run_command_line
from plugins.user_project import UserProject

FILES = {
    "floe.yaml": """
        name: shop
        orchestration:
          asset_modules: [assets]
        """,
    "assets.py": '''
        from floe_dagster import floe_asset

        @floe_asset(group_name="bronze", inputs=["export.orders"], outputs=["bronze.orders", "bronze.lines"])
        def orders():
            """What was ordered."""

        @floe_asset(group_name="gold", inputs=["bronze.orders"], outputs=["gold.revenue"], owners=["team:sales"])
        def revenue():
            pass

        @floe_asset(deps=["revenue"])
        def letter():
            pass
        ''',
}


@pytest.fixture(autouse=True)
def _project(user_project: UserProject, monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in ("FLOE_PROJECT_DIR", "DAGSTER_HOME"):  # set by the code under test
        monkeypatch.setenv(variable, "")
        monkeypatch.delenv(variable)
    user_project.write(FILES)


def drawn(capfd: pytest.CaptureFixture[str], *arguments: str) -> Any:
    """What `floe graph --format json` writes."""
    assert run_command_line(["graph", "--format", "json", *arguments]) == 0
    return json.loads(capfd.readouterr().out)


def arrows(graph: Any) -> list[str]:
    return [f"{edge['from']} > {edge['to']}" for edge in graph["edges"]]


def test_assets_with_what_they_depend_on(capfd: pytest.CaptureFixture[str]) -> None:
    graph = drawn(capfd)

    assert arrows(graph) == ["revenue > letter", "export/orders > orders", "orders > revenue"]
    assert {node["key"]: (node["kind"], node["group"]) for node in graph["nodes"]} == {
        "export/orders": ("external", "default"),
        "letter": ("python", "default"),
        "orders": ("python", "bronze"),
        "revenue": ("python", "gold"),
    }
    [orders] = [node for node in graph["nodes"] if node["key"] == "orders"]
    assert orders["details"] == {"description": "What was ordered.", "group": "bronze", "defined in": "assets.py:3"}


def test_tables_by_what_lineage_calls_them(capfd: pytest.CaptureFixture[str]) -> None:
    graph = drawn(capfd, "--tables")

    assert [arrow.replace(str(Path.cwd()), "") for arrow in arrows(graph)] == snapshot(
        [
            "sqlite:////.floe/catalog.db gold.revenue > floe letter",
            "floe export/orders > sqlite:////.floe/catalog.db bronze.orders",
            "floe export/orders > sqlite:////.floe/catalog.db bronze.lines",
            "sqlite:////.floe/catalog.db bronze.orders > sqlite:////.floe/catalog.db gold.revenue",
        ]
    )
    names = {node["details"]["name"]: node["details"]["asset"] for node in graph["nodes"]}
    assert names["bronze.lines"] == "orders"


def test_a_selection_takes_external_assets_along(capfd: pytest.CaptureFixture[str]) -> None:
    assert arrows(drawn(capfd, "--select", "+revenue")) == ["export/orders > orders", "orders > revenue"]
    assert [node["key"] for node in drawn(capfd, "--select", "export/*")["nodes"]] == ["export/orders"]
    assert [node["key"] for node in drawn(capfd, "--select", "group:gold", "--select", "letter")["nodes"]] == [
        "letter",
        "revenue",
    ]
    assert [node["key"] for node in drawn(capfd, "--select", "!group:bronze")["nodes"]] == [
        "export/orders",
        "letter",
        "revenue",
    ]


def test_a_selection_that_means_nothing_is_wrong_usage(capfd: pytest.CaptureFixture[str]) -> None:
    def said(item: str) -> str:
        assert run_command_line(["graph", "--select", "letter", "--select", item]) == 2
        return re.sub(r"(?s)^.*?(?=error|Error)", "", capfd.readouterr().err)

    assert said("revenu") == snapshot("""\
error[FLOE-331]: --select selects asset 'revenu', which does not exist
  --> --select:2:1  [1]
   |  revenu
  why: an asset is named by its whole key, or by the last part of it where no other key ends so
  fix: did you mean 'revenue'?
""")
    assert "--select: 'orders and' has nothing to select at the end; name an asset or a group" in said("orders and")


def test_the_suffix_of_the_file_says_the_format(capfd: pytest.CaptureFixture[str]) -> None:
    Path("pictures").mkdir()
    for name in ("graph.svg", "pictures/graph.html", "graph.mmd", "graph.json"):
        assert run_command_line(["graph", "-o", name]) == 0
        assert f"{name}: 4 assets, 3 arrows\n" in capfd.readouterr().err

    assert ET.parse("graph.svg").getroot().tag == "{http://www.w3.org/2000/svg}svg"
    assert Path("pictures/graph.html").read_text(encoding="utf-8").startswith("<!doctype html>")
    assert Path("graph.mmd").read_text(encoding="utf-8").startswith("flowchart LR\n")
    assert len(json.loads(Path("graph.json").read_text(encoding="utf-8"))["nodes"]) == 4
    assert run_command_line(["graph", "-o", "graph.png"]) == 2
    assert "the suffix of 'graph.png' says no format" in capfd.readouterr().err


def test_a_file_that_cannot_be_written_is_told(capfd: pytest.CaptureFixture[str]) -> None:
    def said(name: str) -> str:
        assert run_command_line(["graph", "-o", name]) == 2
        return re.sub(r"(?s)^.*?(?=error)", "", capfd.readouterr().err)

    assert said("absent/graph.svg") == snapshot("""\
error[FLOE-457]: --output cannot write absent/graph.svg: there is no folder absent
  why: only the file is made, not the folder that it is to lie in: a slip in its name would go unseen
  fix: mkdir -p absent
""")
    assert said("/proc/floe.svg") == snapshot("""\
error[FLOE-457]: --output cannot write /proc/floe.svg
  why: the system says: No such file or directory
  fix: name another file
""")
    assert not Path("absent").exists()


def test_tables_and_columns_are_different_pictures(capfd: pytest.CaptureFixture[str]) -> None:
    assert run_command_line(["graph", "--tables", "--columns"]) == 2
    assert "--tables and --columns draw different pictures; give one of them" in capfd.readouterr().err


def test_without_a_file_it_is_mermaid_on_stdout(capfd: pytest.CaptureFixture[str]) -> None:
    assert run_command_line(["graph"]) == 0

    captured = capfd.readouterr()
    assert captured.out.startswith("flowchart LR\n")
    assert captured.err.endswith("floe graph -o FILE.html draws it, to move about in\n")


def test_without_column_lineage_it_says_what_is_the_case(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def said() -> str:
        assert run_command_line(["graph", "--columns"]) == 1
        return re.sub(r"(?s).*(?=error\[)", "", capfd.readouterr().err)

    assert said() == snapshot("""\
error[FLOE-453]: there is no column lineage to draw
  why: it is read from the lineage events in .floe/observability/lineage: there are no events there
  fix: run the jobs that build the tables
""")
    monkeypatch.setenv("OPENLINEAGE_URL", "http://ada:lovelace@marquez:5000")
    assert said() == snapshot("""\
error[FLOE-453]: there is no column lineage to draw
  why: it is read from the lineage events in .floe/observability/lineage: there are no events there, and events are sent to http://marquez:5000
  fix: run the jobs that build the tables, with no other place set for lineage events
""")  # noqa: E501 - as it is printed

    folder = Path(".floe/observability/lineage")
    folder.mkdir(parents=True)
    (folder / "run.jsonl").write_text("{}\n", encoding="utf-8")

    assert said() == snapshot("""\
error[FLOE-453]: there is no column lineage to draw
  why: it is read from the lineage events in .floe/observability/lineage: no dbt model is among these assets, and none of the others has told what its columns come from
  fix: add dagster/column_lineage to the metadata of what the assets materialise
""")  # noqa: E501 - as it is printed


def test_columns_come_from_lineage_events_of_earlier_runs(capfd: pytest.CaptureFixture[str]) -> None:

    nodes = {node["details"]["name"]: node["details"] for node in drawn(capfd, "--tables")["nodes"]}
    [orders, revenue] = [
        {"namespace": nodes[name]["namespace"], "name": name} for name in ("bronze.orders", "gold.revenue")
    ]
    elsewhere = {"namespace": "s3://lake", "name": "rates"}
    lineage = {"amount": {"inputFields": [{**orders, "field": "price"}, {**elsewhere, "field": "rate"}]}}
    facets = {"schema": {"fields": [{"name": "day"}, {"name": "amount"}]}, "columnLineage": {"fields": lineage}}
    folder = Path(".floe/observability/lineage")
    folder.mkdir(parents=True)
    (folder / "run.jsonl").write_text(json.dumps({"outputs": [{**revenue, "facets": facets}]}), encoding="utf-8")

    graph = drawn(capfd, "--columns")

    assert [(edge["from_column"], edge["to_column"]) for edge in graph["edges"]] == [
        ("price", "amount"),
        ("rate", "amount"),
    ]
    assert {node["name"]: (node["kind"], node["columns"]) for node in graph["nodes"]} == {
        "bronze.orders": ("python", ["price"]),
        "gold.revenue": ("python", ["day", "amount"]),
        "rates": ("external", ["rate"]),
    }
    assert run_command_line(["graph", "--columns", "--select", "letter"]) == 1
