"""From process start to loaded definitions: the demo by floe, and the same written by hand with `@dbt_assets`.

    python tests/benchmarks/bench_demo_load.py [--rounds 7]

The hand-written side has the same four Python assets (as plain Dagster assets), the same dbt project, jobs and
schedules.
"""

import argparse
import os
import shutil
import sys
import tempfile
from pathlib import Path

from measuring import Usage, compare, measure_python, print_comparison

from floe_core.project import ProjectFolder
from floe_dagster.compilation import compile_project

DEMO = Path(__file__).parents[2] / "demo" / "data_engineering"
LOAD_FLOE = "import orchestration.definitions as d; d.defs"
LOAD_BY_HAND = "import by_hand; by_hand.defs"
BY_HAND = """
from pathlib import Path

import dagster as dg
from dagster_dbt import DbtCliResource, DbtProject, dbt_assets

PROJECT = DbtProject(Path(__file__).parent / "dbt_project", profiles_dir={profiles!r})


def bronze_asset(name):
    @dg.asset(name=f"bronze_{{name}}", group_name="bronze", kinds={{"python"}})
    def build(context: dg.AssetExecutionContext) -> None:
        context.log.info(name)

    return build


bronze = [bronze_asset(name) for name in ("customers", "orders", "products", "order_items")]


@dbt_assets(manifest=Path({manifest!r}))
def dbt_models(context: dg.AssetExecutionContext, dbt: DbtCliResource):
    yield from dbt.cli(["build"], context=context).stream()


bronze_refresh = dg.define_asset_job("bronze_refresh", dg.AssetSelection.groups("bronze"))
full_pipeline = dg.define_asset_job("full_pipeline", dg.AssetSelection.all())
product_revenue = dg.define_asset_job("product_revenue", 'key:"gold/revenue_by_product"')
defs = dg.Definitions(
    assets=[*bronze, dbt_models],
    jobs=[bronze_refresh, full_pipeline, product_revenue],
    schedules=[
        dg.ScheduleDefinition(
            name="nightly_pipeline", job=full_pipeline, cron_schedule="0 2 * * *", execution_timezone="Europe/Berlin"
        )
    ],
    resources={{"dbt": DbtCliResource(project_dir=PROJECT, profiles_dir={profiles!r})}},
)
"""


def main() -> int:
    """Print the comparison; the exit code says whether floe kept within its limits."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=7)
    rounds = parser.parse_args().rounds
    with tempfile.TemporaryDirectory() as folder:
        demo = Path(folder) / "data_engineering"
        shutil.copytree(DEMO, demo, ignore=shutil.ignore_patterns(".floe", "__pycache__"))
        compile_project(ProjectFolder(demo), environ=os.environ)
        compiled = next((demo / ".floe" / "dbt").glob("*/manifest.json"))
        names = {"manifest": str(compiled), "profiles": str(demo / ".floe" / "dbt")}
        (demo / "by_hand.py").write_text(BY_HAND.format(**names))
        medians = compare(
            {"by hand": lambda: _load(demo, LOAD_BY_HAND), "floe": lambda: _load(demo, LOAD_FLOE)}, rounds=rounds
        )
    print(f"the demo, loaded definitions, {rounds} rounds")
    return 0 if print_comparison(medians, base="by hand", limits={"floe": (1.0, None)}) else 1


def _load(folder: Path, script: str) -> Usage:
    return measure_python(f"import sys; sys.path.insert(0, '.'); {script}", cwd=folder)


if __name__ == "__main__":
    sys.exit(main())
