"""What the README shows is run, so that it stays true."""

import os
import re
import subprocess
import sys
from pathlib import Path

import dagster as dg
import pyarrow as pa
import pytest

from floe_dagster.resources import CatalogResource

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", README, re.MULTILINE | re.DOTALL)


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
    [source] = [block for block in blocks("python") if "@floe_asset" in block]
    shown: dict[str, object] = {}
    exec(compile(source, "README.md", "exec"), shown)
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


@pytest.mark.parametrize("text", blocks("yaml"))
def test_each_floe_yaml_shown_is_valid(text: str, tmp_path: Path) -> None:
    (tmp_path / "floe.yaml").write_text(text, encoding="utf-8")

    result = subprocess.run(
        [Path(sys.executable).with_name("floe"), "validate", "--schema-only", "--project", str(tmp_path)],
        capture_output=True,
        text=True,
        check=False,
    )

    assert result.returncode == 0, result.stderr


def test_the_commands_and_files_named_are_there() -> None:
    named = set(re.findall(r"\]\(([^)#:]+)\)|^((?:demo|tests|\.ci)/\w+)", README, re.MULTILINE))
    paths = [ROOT / "".join(names) for names in named]

    assert [path.name for path in paths if not path.exists()] == []
    assert {"run"} <= {path.name for path in paths}
    assert all(
        os.access(ROOT / script, os.X_OK) for script in ("demo/run", "tests/run", ".ci/run", ".ci/setup", ".ci/pin")
    )
