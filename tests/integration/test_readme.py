"""What the README and the guides show is run, so that it stays true."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import dagster as dg
import pyarrow as pa
import pytest
from dagster._core.instance.config import dagster_instance_config
from dagster._core.workspace.config_schema import process_workspace_config

from documentation import PAGES, REFERENCES, ROOT, Block, anchors_of, blocks, links_of
from floe_core.error_codes.registry import ERROR_CODES
from floe_core.yaml_source import parse_yaml
from floe_dagster.resources import CatalogResource

README = (ROOT / "README.md").read_text(encoding="utf-8")
BIN = Path(sys.executable).parent
LANGUAGES = {"bash", "yaml", "python", "dockerfile", "text", "sql"}

NOT_RUN = {
    "demo/run": "installs everything; the demo itself is run by test_demo_refactored",
    "tests/run": "runs these tests",
    "floe dev": "serves until it is ended; test_cli does that",
}


def environment(**variables: str) -> dict[str, str]:
    own = ("FLOE_", "DAGSTER_", "OTEL_", "OPENLINEAGE_")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(own)}
    return {**kept, "PATH": f"{BIN}:{os.environ['PATH']}", "SCHEDULES_ENABLED": "false", **variables}


def run(folder: Path, *command: str | Path, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command, cwd=folder, env=environment(**variables), capture_output=True, text=True, check=False, timeout=300
    )


def kind_of(block: Block) -> str:
    """Which document a block of YAML is."""
    if block.text.startswith("#") and block.text.split()[1].endswith(".yaml"):
        return block.text.split()[1].rpartition("/")[2]
    return "workflow" if "runs-on:" in block.text else "floe.yaml"


def of_kind(kind: str) -> list[Block]:
    return [block for block in blocks("yaml") if kind_of(block) == kind]


def the_block(language: str, *, holding: str) -> Block:
    [found] = [block for block in blocks(language) if holding in block.text]
    return found


# ---- what every page holds


def test_every_block_has_a_language_that_is_checked_here() -> None:
    unknown = [str(block) for block in blocks() if block.language not in LANGUAGES]

    assert unknown == []
    assert {kind_of(block) for block in blocks("yaml")} == {
        *("floe.yaml", "platform.yaml", "dagster.yaml", "workspace.yaml", "workflow")
    }


@pytest.mark.parametrize("page", [*PAGES, *REFERENCES], ids=lambda page: page.name)
def test_every_link_leads_to_a_file_and_a_heading(page: Path) -> None:
    broken = []
    for link in links_of(page):
        name, _, anchor = link.partition("#")
        target = (page.parent / name).resolve() if name else page
        if not target.exists() or (anchor and anchor not in anchors_of(target)):
            broken.append(link)

    assert broken == []


def test_every_guide_is_linked_from_the_readme() -> None:
    linked = {(ROOT / link.partition("#")[0]).resolve() for link in links_of(ROOT / "README.md")}

    assert {*PAGES[1:], *REFERENCES} <= linked


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_the_codes_and_files_named_are_there(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    scripts = re.findall(r"^((?:demo|tests|\.ci)/\w+)", text, re.MULTILINE)

    assert {*re.findall(r"FLOE-\d+", text)} <= ERROR_CODES.keys()
    assert [name for name in scripts if not os.access(ROOT / name, os.X_OK)] == []


# ---- YAML


@pytest.mark.parametrize("block", of_kind("floe.yaml"), ids=str)
def test_each_floe_yaml_shown_is_valid(block: Block, tmp_path: Path) -> None:
    (tmp_path / "floe.yaml").write_text(block.text, encoding="utf-8")

    result = run(tmp_path, "floe", "validate", "--schema-only")

    assert result.returncode == 0, result.stderr


@pytest.mark.parametrize("block", of_kind("platform.yaml"), ids=str)
def test_each_platform_yaml_shown_is_valid(block: Block, tmp_path: Path) -> None:
    file = tmp_path / block.text.split()[1]
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(block.text, encoding="utf-8")
    (tmp_path / "floe.yaml").write_text("orchestration: {}\n", encoding="utf-8")
    secrets = dict.fromkeys(re.findall(r"secret_ref: (\w+)", block.text), "x")

    result = run(tmp_path, "floe", "validate", "--strict-env", FLOE_PLATFORM_ENV=file.parent.name, **secrets)

    assert result.returncode == 0, result.stderr


@pytest.mark.parametrize("block", of_kind("dagster.yaml"), ids=str)
def test_each_dagster_yaml_shown_is_taken_by_dagster(block: Block, tmp_path: Path) -> None:
    (tmp_path / "dagster.yaml").write_text(block.text, encoding="utf-8")

    config, _ = dagster_instance_config(str(tmp_path))

    assert {"run_retries", "run_monitoring", "storage"} <= config.keys()


@pytest.mark.parametrize("block", of_kind("workspace.yaml"), ids=str)
def test_each_workspace_yaml_shown_is_taken_by_dagster(block: Block) -> None:
    document = parse_yaml(block.text, file=Path("workspace.yaml")).value
    assert isinstance(document, dict)

    assert process_workspace_config(document).success


# ---- commands


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the demo whose pipeline was run."""
    project = tmp_path_factory.mktemp("demo") / "data_engineering"
    shutil.copytree(ROOT / "demo/data_engineering", project, ignore=shutil.ignore_patterns(".floe", "__pycache__"))
    finished = run(project, "floe", "run", "full_pipeline")
    assert finished.returncode == 0, finished.stderr
    return project


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory, demo: Path) -> Path:
    """What a clone of this repository looks like to the commands of a page."""
    folder = tmp_path_factory.mktemp("clone")
    for name in (".venv", "packages", ".ci"):
        (folder / name).symlink_to(ROOT / name)
    (folder / "demo").mkdir()
    (folder / "demo" / demo.name).symlink_to(demo)
    return folder


def lines_of(block: Block) -> list[str]:
    """The commands of a block, without the comments behind them."""
    return [re.sub(r"\s+#.*", "", line) for line in block.text.splitlines()]


def test_what_is_not_run_is_shown_somewhere() -> None:
    shown = {line for block in blocks("bash") for line in lines_of(block)}

    assert NOT_RUN.keys() <= shown


@pytest.fixture(scope="module")
def ended(clone: Path) -> dict[str, "subprocess.CompletedProcess[str]"]:
    """How the commands of each block ended, which were run one block after the other."""
    found = {}
    for block in blocks("bash"):
        commands = [line for line in lines_of(block) if line not in NOT_RUN]
        script = "\n".join(["set -e", *commands]).replace(" pip wheel ", " pip wheel --no-build-isolation ")
        found[str(block)] = run(clone, "bash", "-c", script)
    return found


@pytest.mark.parametrize("block", blocks("bash"), ids=str)
def test_each_command_shown_succeeds(block: Block, ended: dict[str, "subprocess.CompletedProcess[str]"]) -> None:
    assert ended[str(block)].returncode == 0, ended[str(block)].stderr


@pytest.mark.usefixtures("ended")
def test_the_wheels_that_a_page_makes_hold_all_that_floe_needs(clone: Path) -> None:
    wheels = {wheel.name.partition("-")[0]: wheel for wheel in (clone / "wheels").glob("*.whl")}

    assert wheels.keys() == {"floe_core", "floe_dagster", "floe_cli"}
    with ZipFile(wheels["floe_cli"]) as wheel:
        written = {name for name in wheel.namelist() if "/templates/" in name}
    sources = ROOT / "packages/floe-cli/src"
    assert written == {
        str(path.relative_to(sources)) for path in (sources / "floe_cli/templates").rglob("*") if path.is_file()
    }


# ---- the project of the README


@pytest.fixture(scope="module")
def my_shop(clone: Path, ended: dict[str, "subprocess.CompletedProcess[str]"]) -> Path:
    """What the commands of the README leave, with its floe.yaml and its definitions file."""
    assert ended
    shop = clone.parent / "my-shop"
    (shop / "floe.yaml").write_text(the_block("yaml", holding="name: my-shop").text)
    (shop / "my_shop" / "definitions.py").write_text(the_block("python", holding='(namespace="my-shop")').text)
    return shop


def test_the_whole_floe_yaml_works_in_the_project_that_init_writes(my_shop: Path) -> None:
    validated = run(my_shop, "floe", "validate", "--strict-env")
    listed = run(my_shop, "floe", "list", "--format", "json", FLOE_PLATFORM_ENV="")

    assert validated.returncode == 0, validated.stderr
    assert validated.stderr.splitlines()[-1] == "floe.yaml is valid: 3 assets, 2 jobs, 2 schedules"
    sections = json.loads(listed.stdout)
    assert [(job["name"], job["assets"]) for job in sections["jobs"]] == [("full_pipeline", 3), ("revenue", 3)]
    assert [(each["name"], each["enabled"]) for each in sections["schedules"]] == [("every_morning", False)]
    assert {asset["key"]: asset["group"] for asset in sections["assets"]}["gold/daily_revenue"] == "gold"


def test_what_is_said_to_be_in_the_floe_folder_is_there_after_a_run(my_shop: Path) -> None:
    [table] = [text for text in README.split("\n\n") if text.startswith("| file | what it says |")]
    said = {name.removeprefix(".floe/") for name in re.findall(r"`(\.floe/[^`]+)`", table)}

    there = {path.name for path in (my_shop / ".floe").iterdir()}
    assert said <= there, said - there


def test_the_message_shown_is_the_one_that_is_told(tmp_path: Path) -> None:
    text = the_block("yaml", holding="name: my-shop").text
    (tmp_path / "floe.yaml").write_text(text.replace("Europe/Berlin", "Europe/Belin"))

    told = run(tmp_path, "floe", "validate", "--schema-only")

    assert (told.returncode, told.stderr) == (1, the_block("text", holding="error[").text)


# ---- from hand-written definitions

ASSETS = """
import dagster as dg


@dg.asset(group_name="bronze")
def bronze_orders(): ...


@dg.asset(group_name="gold", deps=[bronze_orders])
def gold_revenue(): ...
"""
EXISTING = """
import dagster as dg

nightly = dg.define_asset_job("nightly", "bronze_orders")
warehouse = dg.ResourceDefinition.hardcoded_resource("warehouse")


@dg.run_failure_sensor
def alert(context): ...
"""
TELL = """
import json
import dagster as dg
from shop.definitions import defs

graph = defs.resolve_asset_graph()
jobs = [defs.resolve_job_def(name) for name in sorted(job.name for job in defs.jobs)]
told = {
    "assets": sorted(key.to_user_string() for key in graph.get_all_asset_keys()),
    "jobs": [
        (job.name, sorted(key.to_user_string() for key in job.asset_layer.selected_asset_keys), job.tags.get("team"))
        for job in jobs
    ],
    "schedules": sorted(
        (each.name, each.job_name, each.cron_schedule, each.execution_timezone, each.default_status.value)
        for each in map(defs.resolve_schedule_def, (each.name for each in defs.schedules or ()))
    ),
    "partitions": repr(graph.get(dg.AssetKey("bronze_orders")).partitions_def),
    "sensors": sorted(sensor.name for sensor in defs.sensors or ()),
    "resources": sorted(defs.resources or ()),
}
print(json.dumps(told))
"""


def definitions_of(folder: Path, *, floe_yaml: str, definitions: str) -> dict[str, Any]:
    """What a project with these two files has."""
    package = folder / "shop"
    package.mkdir()
    for name, text in {"__init__": "", "assets": ASSETS, "existing": EXISTING, "definitions": definitions}.items():
        (package / f"{name}.py").write_text(text)
    (folder / "floe.yaml").write_text(floe_yaml)
    compiled = run(folder, "floe", "compile")
    assert compiled.returncode == 0, compiled.stderr
    told = run(folder, sys.executable, "-c", TELL)
    assert told.returncode == 0, told.stderr
    found = json.loads(told.stdout)
    assert isinstance(found, dict)
    return found


def test_the_floe_yaml_beside_the_definitions_in_python_says_the_same(tmp_path: Path) -> None:
    one_call = the_block("python", holding='(namespace="my-shop")').text
    for name in ("python", "floe"):
        (tmp_path / name).mkdir()

    python = definitions_of(
        tmp_path / "python",
        floe_yaml="orchestration: {}",
        definitions=the_block("python", holding="dg.Definitions(").text,
    )
    declared = definitions_of(
        tmp_path / "floe",
        floe_yaml=the_block("yaml", holding='asset_modules: ["shop.assets"]').text,
        definitions=one_call,
    )

    for what in ("assets", "jobs", "partitions", "sensors"):
        assert (what, declared[what]) == (what, python[what])
    assert declared["schedules"] == [
        ["every_day", "orders", "0 0 * * *", "Europe/Berlin", "STOPPED"],
        ["weekly", "gold", "0 3 * * 1", "Europe/Berlin", "STOPPED"],
    ]
    assert python["schedules"] == declared["schedules"]


def test_what_exists_is_merged_with_what_floe_yaml_declares(tmp_path: Path) -> None:
    merged = definitions_of(
        tmp_path,
        floe_yaml='orchestration: {asset_modules: [shop.assets], jobs: {gold: {type: batch, selection: "group:gold"}}}',
        definitions=the_block("python", holding="from shop.existing import").text,
    )

    assert [name for name, *_ in merged["jobs"]] == ["gold", "nightly"]
    assert merged["sensors"] == ["alert"]
    assert {"warehouse", "catalog"} <= {*merged["resources"]}


# ---- assets


@pytest.fixture
def catalog(tmp_path: Path) -> CatalogResource:
    catalog = CatalogResource.embedded(tmp_path)
    catalog.write_table(
        "external.customers",
        pa.table({"customer_id": ["A", "B", None], "email": ["a@example.org", "no address", "c@example.org"]}),
    )
    catalog.write_table("bronze.orders", pa.table({"customer_id": ["A", "A"], "order_id": [1, 2]}))
    return catalog


def test_the_assets_shown_run(catalog: CatalogResource) -> None:
    block = the_block("python", holding="@floe_asset(")
    shown: dict[str, object] = {}
    exec(compile(block.text, block.page, "exec"), shown)
    assets = [value for value in shown.values() if isinstance(value, dg.AssetsDefinition)]

    result = dg.materialize(assets, resources={"catalog": catalog})

    customers, _ = (event.materialization for event in result.get_asset_materialization_events())
    assert result.success
    assert customers.metadata["rows"].value == 1
    assert Path(str(customers.metadata["table_location"].value).removeprefix("file://")).is_dir()
    assert catalog.read_table("gold.orders_per_customer").to_pylist() == [{"customer_id": "A", "order_id_count": 2}]


def test_the_expressions_said_not_to_exist_do_not(catalog: CatalogResource) -> None:
    raw = catalog.read_table("external.customers")
    snapshot = catalog.write_table("external.customers", raw)

    for missing in ("customer_id", "is_not_null"):
        assert not hasattr(raw, missing)
    assert not hasattr(raw.group_by("customer_id"), "num_rows")
    assert not hasattr(snapshot, "metadata")


def test_every_block_of_python_is_run_by_a_test_here() -> None:
    run_here = ['(namespace="my-shop")', "from shop.existing import", "dg.Definitions(", "@floe_asset("]

    assert [sum(text in block.text for text in run_here) for block in blocks("python")] == [1] * len(run_here)
