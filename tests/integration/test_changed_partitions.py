"""Partitions that were materialised before floe.yaml gave their assets others: `floe validate --instance`."""

import json
import os
import subprocess
import sys
from pathlib import Path
from textwrap import dedent
from typing import Any

import dagster as dg
import pytest
from inline_snapshot import snapshot

from plugins.command_line import CommandLine

FLOE = (sys.executable, "-c", "from floe_cli.main import main; main()")
FLOE_YAML = """\
name: shop
orchestration:
  asset_modules: [assets]
  partitions:
    daily: {type: time_window, start: 2024-03-01, end: 2024-03-06}
    regions: {type: static, partition_keys: [eu, us, asia]}
    files: {type: dynamic}
    inbox: {type: dynamic, fn: assets.list_inbox, remove_missing: true}
    sales: {type: multi, partitions: {day: {type: time_window, start: 2024-03-01}, region: {type: dynamic}}}
  assets:
    "{orders,returns}": {partitions: daily}
    stores: {partitions: regions}
    imports: {partitions: files}
    mails: {partitions: inbox}
    totals: {partitions: sales}
    loose: {partitions: daily}
"""
ASSETS = """\
import dagster as dg

@dg.asset
def orders() -> None: ...

@dg.asset
def returns() -> None: ...

@dg.asset
def stores() -> None: ...

@dg.asset
def imports() -> None: ...

@dg.asset
def mails() -> None: ...

@dg.asset
def totals() -> None: ...

@dg.asset
def loose() -> None: ...

@dg.asset
def whole() -> None: ...

@dg.asset(partitions_def=dg.StaticPartitionsDefinition(["a", "b"]))
def by_code() -> None: ...

def list_inbox() -> list[str]:
    return []
"""
MATERIALISED = {
    "orders": ["2024-03-01", "2024-03-02", "2024-03-05"],
    "returns": ["2024-03-02"],
    "stores": ["eu", "us"],
    "imports": ["a.csv", "b.csv"],
    "mails": ["1"],
    "totals": ["2024-03-01|eu", "2024-03-02|us"],
    "loose": ["2024-03-04"],
    "by_code": ["a", "b"],
    "whole": [None],
}


@pytest.fixture(scope="module")
def run_shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project whose assets were all materialised for some partitions, in Dagster's own runs."""
    folder = tmp_path_factory.mktemp("shop")
    for name, text in {"floe.yaml": FLOE_YAML, "assets.py": ASSETS, "pyproject.toml": ""}.items():
        (folder / name).write_text(text)
    run_process(*FLOE, "compile", folder=folder)
    program = f"""
        import os
        from pathlib import Path

        import dagster as dg
        from floe_core.project import ProjectFolder
        from floe_core.schemas.platform_spec import PlatformSpec
        from floe_dagster import FloeDefinitions
        from floe_dagster.running.instance import open_instance

        definitions = FloeDefinitions.from_compiled_artifacts()
        with open_instance(ProjectFolder(Path.cwd()), PlatformSpec()) as instance:
            instance.add_dynamic_partitions("files", ["a.csv", "b.csv"])
            instance.add_dynamic_partitions("inbox", ["1"])
            instance.add_dynamic_partitions("sales_region", ["eu", "us"])
            for name, keys in {MATERIALISED!r}.items():
                asset = definitions.resolve_assets_def(name)
                for key in keys:
                    assert dg.materialize([asset], partition_key=key, instance=instance).success
            instance.delete_dynamic_partition("inbox", "1")
            instance.delete_dynamic_partition("files", "b.csv")
        """
    (folder / "materialise.py").write_text(dedent(program))
    run_process(sys.executable, "materialise.py", folder=folder)
    return folder


@pytest.fixture
def shop(run_shop: Path, command_line: CommandLine, monkeypatch: pytest.MonkeyPatch) -> Path:
    """That project, which is the working directory too."""
    (run_shop / "floe.yaml").write_text(FLOE_YAML)
    (run_shop / "assets.py").write_text(ASSETS)
    monkeypatch.chdir(run_shop)
    return run_shop


def run_process(*command: str, folder: Path) -> None:
    env = {name: value for name, value in os.environ.items() if not name.startswith(("DAGSTER_", "FLOE_"))}
    done = subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def change(folder: Path, *replacements: tuple[str, str], file: str = "floe.yaml") -> None:
    text = (folder / file).read_text()
    for old, new in replacements:
        assert old in text
        text = text.replace(old, new)
    (folder / file).write_text(text)


def warnings(floe: CommandLine) -> list[dict[str, Any]]:
    finished = floe("validate", "--instance", "--format", "json")
    assert finished.returncode == 0, finished.stderr + finished.stdout
    report: dict[str, Any] = json.loads(finished.stdout)
    assert {problem["severity"] for problem in report["problems"]} <= {"warning"}
    return [problem for problem in report["problems"] if problem["code"] == "FLOE-386"]


def found(floe: CommandLine) -> list[tuple[int | None, str, str]]:
    return [(problem["line"], problem["detail"], problem["why"]) for problem in warnings(floe)]


def test_what_was_materialised_under_the_definitions_that_there_are_is_fine(
    command_line: CommandLine, shop: Path
) -> None:
    report = json.loads(command_line("validate", "--instance", "--format", "json").stdout)

    assert (report["valid"], report["problems"]) == (True, [])
    assert report["instance"] == str(shop / ".floe" / "dagster_home")


@pytest.mark.requirement("010-FR-011", "010-FR-015")
def test_assets_of_one_pattern_are_one_warning(command_line: CommandLine, shop: Path) -> None:
    change(shop, ("end: 2024-03-06}", "end: 2024-03-06, fmt: '%Y%m%d'}"))

    finished = command_line("validate", "--instance")

    assert finished.returncode == 0
    assert finished.stderr[finished.stderr.index("warning[") :].split("\n\n")[0] == snapshot("""\
warning[FLOE-386]: 2 assets have 4 materialised partitions that their definition does not have
  --> floe.yaml:11:38  orchestration.assets.{orders,returns}.partitions
   |  "{orders,returns}": {partitions: daily}
      orders: 2024-03-01, 2024-03-02, 2024-03-05
      returns: 2024-03-02
  why: the keys of a time window of '0 0 * * *' from 2024-03-01 in UTC are written like '20240301'
  fix: write the old definition again; or wipe their materializations in Dagster's UI, and backfill them under \
the new keys\
""")


@pytest.mark.requirement("010-FR-011", "010-FR-012", "010-FR-013", "010-FR-014", "010-FR-015", "010-SC-009")
def test_each_kind_of_change_names_the_keys_that_it_orphans(command_line: CommandLine, shop: Path) -> None:
    change(
        shop,
        ("daily: {type: time_window, start: 2024-03-01,", "daily: {type: time_window, start: 2024-03-02,"),
        ("[eu, us, asia]", "[eu, asia]"),
        ("files: {type: dynamic}", "uploads: {type: dynamic}"),
        ("partitions: files", "partitions: uploads"),
        ("region: {type: dynamic}", "country: {type: static, partition_keys: [eu, us]}"),
        ("    loose: {partitions: daily}\n", "    whole: {partitions: daily}\n"),
    )
    change(shop, ('["a", "b"]', '["b", "c"]'), file="assets.py")

    assert found(command_line) == snapshot(
        [
            (11, "orders: 2024-03-01", "the first one is '2024-03-02'"),
            (12, "stores: us", "the keys are eu, asia"),
            (
                13,
                "imports: a.csv, b.csv",
                "dynamic keys are kept under the name of their definition, and those of 'uploads' are none",
            ),
            (
                15,
                "totals: 2024-03-01|eu, 2024-03-02|us",
                "a key names the dimensions in the order of their names, country|day",
            ),
            (
                16,
                "whole",
                (
                    "Dagster counts by partition, and all those of a time window of '0 0 * * *' from 2024-03-02 in UTC "
                    "are missing"
                ),
            ),
            (None, "by_code (assets.py:27): a", "the keys are b, c"),
            (None, "loose (assets.py:21): 2024-03-04", "it was materialised by partition, and has none now"),
        ]
    )


def test_nothing_is_made_where_there_is_no_instance(
    command_line: CommandLine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, text in {"floe.yaml": FLOE_YAML, "assets.py": ASSETS, "pyproject.toml": ""}.items():
        (tmp_path / name).write_text(text)
    home = tmp_path / "home"
    home.mkdir()

    monkeypatch.chdir(tmp_path)

    without = command_line("validate", "--instance")
    monkeypatch.setenv("DAGSTER_HOME", str(home))
    empty = command_line("validate", "--instance")

    sentence = "there is no Dagster instance yet to compare with (DAGSTER_HOME, else .floe/dagster_home)"
    for finished in (without, empty):
        assert (finished.returncode, finished.stderr.splitlines()[-1]) == (0, sentence)
    assert not (tmp_path / ".floe" / "dagster_home").exists()
    assert list(home.iterdir()) == []


def test_the_instance_that_dagster_home_names_is_asked(
    command_line: CommandLine, shop: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with dg.DagsterInstance.local_temp(str(tmp_path)) as instance:
        instance.report_runless_asset_event(dg.AssetMaterialization("stores", partition="moon"))

    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path))

    assert [problem["detail"] for problem in warnings(command_line)] == ["stores: moon"]


def test_what_is_not_wholly_known_is_not_compared(command_line: CommandLine, shop: Path) -> None:
    change(shop, ("partition_keys: [eu, us, asia]", 'partition_keys: ["${REGION}"]'))

    finished = command_line("validate", "--instance", "--format", "json")

    assert json.loads(finished.stdout)["instance"] is None
    assert "the Dagster instance was not looked at" in finished.stderr
    assert "FLOE-386" not in finished.stdout


def test_the_documents_alone_are_compared_with_nothing(command_line: CommandLine, shop: Path) -> None:
    finished = command_line("validate", "--schema-only", "--instance")

    assert finished.returncode == 2
    assert "--schema-only reads the documents alone" in finished.stderr
