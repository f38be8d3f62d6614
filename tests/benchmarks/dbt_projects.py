"""Large dbt projects for benchmarks: generated once, parsed once by the real dbt, kept in the temporary folder."""

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from textwrap import dedent

_LAYERS = ("staging", "intermediate", "marts")


def cached_project(models: int) -> Path:
    """A parsed project with *models* models: its folder holds `dbt_project.yml` and `target/manifest.json`.

    What is cached is named by the digest of this file, so that a changed generator generates again.
    """
    digest = hashlib.sha256(Path(__file__).read_bytes()).hexdigest()[:12]
    folder = Path(tempfile.gettempdir()) / f"floe-benchmark-dbt-{models}-{digest}"
    if not (folder / "target" / "manifest.json").is_file():
        unfinished = folder.with_name(f"{folder.name}.{os.getpid()}")
        shutil.rmtree(unfinished, ignore_errors=True)
        generate_project(unfinished, models=models)
        parse_project(unfinished)
        shutil.rmtree(folder, ignore_errors=True)
        unfinished.rename(folder)
        parse_project(folder)  # dbt's partial parse names the folder: this one is quick and puts it right
    return folder


def generate_project(folder: Path, *, models: int) -> None:
    """Write a dbt project: views with two refs each, one test each, every column documented, 20 sources."""
    folder.mkdir(parents=True)
    (folder / "dbt_project.yml").write_text(
        "name: large\nversion: '1.0'\nprofile: large\nmodel-paths: [models]\n"
        "models:\n  large:\n    +materialized: view\n"
        + "".join(f"    {layer}:\n      +schema: {layer}\n" for layer in _LAYERS)
    )
    (folder / "profiles.yml").write_text(
        "large:\n  target: dev\n  outputs:\n    dev: {type: duckdb, path: large.duckdb, threads: 2}\n"
    )
    sources = "".join(f"      - name: raw_{number:02}\n" for number in range(20))
    (folder / "models").mkdir()
    (folder / "models" / "sources.yml").write_text(
        f"version: 2\nsources:\n  - name: bronze\n    schema: bronze\n    tables:\n{sources}"
    )
    for number in range(models):
        _write_model(folder, number, models=models)


def parse_project(folder: Path) -> None:
    """Run `dbt parse` in *folder*; artifacts go where dbt puts them, below `target`."""
    dbt = Path(sys.executable).with_name("dbt")
    environment = {**os.environ, "DBT_SEND_ANONYMOUS_USAGE_STATS": "false"}
    subprocess.run([dbt, "parse", "--quiet"], cwd=folder, env=environment, check=True)


def _write_model(folder: Path, number: int, *, models: int) -> None:
    layer = _LAYERS[min(2, number * 3 // models)]
    name = f"m_{number:05}"
    directory = folder / "models" / layer / f"area_{number % 10}"
    directory.mkdir(parents=True, exist_ok=True)
    if number < 20:
        tables = [f"{{{{ source('bronze', 'raw_{number:02}') }}}}"]
    else:
        tables = [f"{{{{ ref('m_{parent:05}') }}}}" for parent in {number // 2, number - 1 - number % 7}]
    body = "\nunion all\n".join(f"select id, amount, label, created_at from {table}" for table in tables)
    filler = "\n".join(f"-- rule {line}: amounts are kept in cents, labels are trimmed" for line in range(6))
    (directory / f"{name}.sql").write_text(f"{filler}\nwith rows_in as (\n{body}\n)\nselect * from rows_in\n")
    columns = "".join(
        f"      - name: {column}\n        description: The {column} of {name}.\n        data_type: {kind}\n"
        for column, kind in (("amount", "bigint"), ("label", "varchar"), ("created_at", "timestamp"))
    )
    (directory / f"{name}.yml").write_text(
        f"version: 2\nmodels:\n  - name: {name}\n    description: Model number {number} of the {layer} layer.\n"
        f"    columns:\n      - name: id\n        description: The id of {name}.\n        data_type: bigint\n"
        f"        data_tests: [not_null]\n{columns}"
    )


def hand_written_project(dbt_dir: Path) -> Path:
    """A folder with `definitions.py`: the project by `@dbt_assets`, as its documentation writes it, and two jobs."""
    folder = dbt_dir.with_name(f"{dbt_dir.name}-by-hand")
    folder.mkdir(exist_ok=True)
    (folder / "definitions.py").write_text(
        dedent(
            f"""\
            from pathlib import Path

            import dagster as dg
            from dagster_dbt import DbtCliResource, dbt_assets

            DBT_DIR = Path({str(dbt_dir)!r})


            @dbt_assets(manifest=DBT_DIR / "target" / "manifest.json")
            def large(context: dg.AssetExecutionContext, dbt: DbtCliResource):
                yield from dbt.cli(["build"], context=context).stream()


            @dg.asset
            def report() -> None: ...


            defs = dg.Definitions(
                assets=[large, report],
                jobs=[
                    dg.define_asset_job("everything", selection="*"),
                    dg.define_asset_job("reports", selection="key:report"),
                ],
                resources={{"dbt": DbtCliResource(project_dir=DBT_DIR)}},
            )
            """
        )
    )
    return folder


def floe_project(dbt_dir: Path) -> Path:
    """A folder with `definitions.py`: the same by floe, compiled."""
    folder = dbt_dir.with_name(f"{dbt_dir.name}-by-floe")
    folder.mkdir(exist_ok=True)
    (folder / "floe.yaml").write_text(
        dedent(
            f"""\
            name: large
            orchestration:
              asset_modules: [reports]
              dbt:
                project_dir: {dbt_dir}
              jobs:
                everything: {{type: batch, selection: ["*"]}}
                reports: {{type: batch, selection: [report]}}
            """
        )
    )
    (folder / "reports.py").write_text("import dagster as dg\n\n\n@dg.asset\ndef report() -> None: ...\n")
    (folder / "definitions.py").write_text(
        "from floe_dagster import FloeDefinitions\n\ndefs = FloeDefinitions.from_compiled_artifacts()\n"
    )
    subprocess.run([Path(sys.executable).with_name("floe"), "compile", "--project", folder], check=True)
    return folder
