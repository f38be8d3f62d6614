"""From process start to loaded definitions: settings by pattern, beside decorators that say the same.

    python tests/benchmarks/bench_settings_load.py [--assets 1000] [--models 2000] [--rounds 5]

First Python assets, a fifth as many jobs and schedules, and 20 patterns, at three sizes; floe's modules are the
hand-written ones without what the patterns set. Then a dbt project with 20 patterns, five of which set partitions,
beside `@dbt_assets` without any. Processes end without taking down what they have loaded.
"""

import argparse
import fnmatch
import itertools
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from textwrap import dedent

from dbt_projects import cached_project, hand_written_project
from measuring import Usage, compare, measure_python, print_comparison

LOAD = "import os, sys; sys.path.insert(0, '.'); import definitions; definitions.defs; os._exit(0)"
AREAS = 10
SCHEDULED_AREAS = 8
MOST_CPU = 1.15
MOST_CPU_OF_DBT = 0.7
MOST_GROWTH = 1.25

FLOE_DEFINITIONS = "from floe_dagster import FloeDefinitions\n\ndefs = FloeDefinitions.from_compiled_artifacts()\n"


def main() -> int:
    """Print the comparisons; the exit code says whether floe kept within its limits."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--assets", type=int, default=1000)
    parser.add_argument("--models", type=int, default=2000)
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="floe-benchmark-settings-") as folder:
        passed = compare_python(Path(folder), assets=arguments.assets, rounds=arguments.rounds)
    if arguments.models:
        passed = compare_dbt(models=arguments.models, rounds=arguments.rounds) and passed
    return 0 if passed else 1


def compare_python(folder: Path, *, assets: int, rounds: int) -> bool:
    """Whether floe loads Python assets as quickly as Dagster, and in linear time."""
    passed = True
    taken: list[Usage] = []
    sizes = (assets // 10, assets * 11 // 20, assets)
    for size in sizes:
        jobs = size // 5
        print(f"\n{size} Python assets, {jobs} jobs, {jobs} schedules, 20 patterns, {rounds} rounds")
        folders = {
            "by hand": hand_written(folder / f"hand-{size}", size),
            "floe": by_floe(folder / f"floe-{size}", size),
        }
        medians = compare(
            {name: partial(measure_python, LOAD, cwd=path) for name, path in folders.items()}, rounds=rounds
        )
        taken.append(medians["floe"])
        limits = {"floe": (MOST_CPU, None)} if size == assets else {}
        passed = print_comparison(medians, base="by hand", limits=limits) and passed
    first, second = ((after.cpu - before.cpu) for before, after in itertools.pairwise(taken))
    growth = second / first
    print(f"the second half of the assets takes {growth:.2f} times the first, at most {MOST_GROWTH}")
    return passed and growth <= MOST_GROWTH


def compare_dbt(*, models: int, rounds: int) -> bool:
    """Whether floe loads a dbt project with settings more quickly than dagster-dbt does one without."""
    dbt_dir = cached_project(models)
    folders = {"@dbt_assets": hand_written_project(dbt_dir), "floe": dbt_by_floe(dbt_dir)}
    print(f"\n{models} dbt models, 20 patterns, five of which set partitions, {rounds} rounds")
    medians = compare({name: partial(measure_python, LOAD, cwd=path) for name, path in folders.items()}, rounds=rounds)
    return print_comparison(medians, base="@dbt_assets", limits={"floe": (MOST_CPU_OF_DBT, None)})


# ---- Python assets: of ten areas in turn, a module each, each asset made from the two before it in its area


def hand_written(folder: Path, assets: int) -> Path:
    """Modules whose decorators say everything, and the jobs and schedules."""
    modules = write_modules(folder, assets, decorated=True)
    jobs = "".join(
        f'    dg.define_asset_job("job_{number:04}", selection={selection!r}),\n'
        for number, selection in enumerate(selections(assets))
    )
    (folder / "definitions.py").write_text(
        f"import dagster as dg\n\nimport {', '.join(modules)}\n\n"
        f"JOBS = [\n{jobs}]\n"
        "SCHEDULES = [\n"
        '    dg.ScheduleDefinition(name=f"schedule_{number:04}", job=job, cron_schedule="0 6 * * *")\n'
        "    for number, job in enumerate(JOBS)\n]\n"
        f"defs = dg.Definitions(\n    assets=dg.load_assets_from_modules([{', '.join(modules)}]),\n"
        "    jobs=JOBS,\n    schedules=SCHEDULES,\n)\n"
    )
    return folder


def by_floe(folder: Path, assets: int) -> Path:
    """The same modules without what patterns set, and all else in floe.yaml; compiled."""
    modules = write_modules(folder, assets, decorated=False)
    patterns = "".join(f'    "{pattern}": {yaml}\n' for pattern, (yaml, _) in PYTHON_SETTINGS.items())
    jobs = "".join(
        f"    job_{number:04}: {{type: batch, selection: {floe_items(selection)}}}\n"
        for number, selection in enumerate(selections(assets))
    )
    schedules = "".join(
        f'    schedule_{number:04}: {{job: job_{number:04}, cron_schedule: "0 6 * * *"}}\n'
        for number in range(assets // 5)
    )
    (folder / "floe.yaml").write_text(
        f"orchestration:\n  asset_modules: [{', '.join(modules)}]\n"
        '  partitions:\n    daily: {type: time_window, start: "2024-01-01"}\n'
        f"  assets:\n{patterns}  jobs:\n{jobs}  schedules:\n{schedules}"
    )
    (folder / "definitions.py").write_text(FLOE_DEFINITIONS)
    return compiled(folder)


def write_modules(folder: Path, assets: int, *, decorated: bool) -> list[str]:
    """Write a module for each area; with *decorated* their decorators say what the patterns set."""
    folder.mkdir()
    for area in range(AREAS):
        lines = [
            "import datetime",
            "",
            "import dagster as dg",
            "",
            'DAILY = dg.DailyPartitionsDefinition("2024-01-01")',
            "RETRIES = dg.RetryPolicy(max_retries=3, delay=10)",
            "DAY = dg.FreshnessPolicy.time_window(fail_window=datetime.timedelta(hours=24))",
        ]
        for number in range(area, assets, AREAS):
            deps = [name_of(before) for before in (number - AREAS, number - 2 * AREAS) if before >= 0]
            arguments = {"deps": repr(deps), **(decorator_arguments(name_of(number)) if decorated else {})}
            written = ", ".join(f"{name}={value}" for name, value in arguments.items())
            lines.append(
                f"\n\n@dg.asset({written})\ndef {name_of(number)}(context: dg.AssetExecutionContext) -> None: ..."
            )
        (folder / f"area_{area:02}.py").write_text("\n".join(lines) + "\n")
    return [f"area_{area:02}" for area in range(AREAS)]


def name_of(number: int) -> str:
    """The asset of that number."""
    return f"area_{number % AREAS:02}_asset_{number:04}"


def selections(assets: int) -> Iterator[list[str] | str]:
    """What each job selects: five assets, or every tenth job the group of an area; no area with automated assets."""
    for number in range(assets // 5):
        area = number % SCHEDULED_AREAS
        first = area + number * 5 % (assets - 5 * AREAS) // AREAS * AREAS
        yield f"group:area_{area:02}" if number % 10 == 0 else [name_of(first + AREAS * other) for other in range(5)]


def floe_items(selection: list[str] | str) -> str:
    """The selection as floe.yaml has it."""
    return f'["{selection}"]' if isinstance(selection, str) else f"[{', '.join(selection)}]"


PYTHON_SETTINGS: Mapping[str, tuple[str, Mapping[str, str]]] = {
    **{
        f"area_{area:02}_*": (
            f"{{group_name: area_{area:02}, owners: [team:area_{area:02}], tags: {{area: '{area}'}}, kinds: [python]}}",
            {
                "group_name": f"'area_{area:02}'",
                "owners": f"['team:area_{area:02}']",
                "tags": f"{{'area': '{area}'}}",
                "kinds": "{'python'}",
            },
        )
        for area in range(AREAS)
    },
    **{
        f"area_{area:02}_asset_*": (
            "{partitions: daily, partition_column: day}",
            {"partitions_def": "DAILY", "metadata": "{'partition_expr': 'day'}"},
        )
        for area in range(AREAS // 2)
    },
    "area_0[89]_asset_*": ("{automation_condition: eager}", {"automation_condition": "dg.AutomationCondition.eager()"}),
    "*_asset_*[13]?": ("{retry_policy: {max_retries: 3, delay: 10}}", {"retry_policy": "RETRIES"}),
    "*_asset_*[24]?": ("{pool: warehouse}", {"pool": "'warehouse'"}),
    "*_asset_*[56]?": ("{freshness: {fail_after: 24h}}", {"freshness_policy": "DAY"}),
    "*_asset_*[78]?": ("{code_version: v1, description: Rows.}", {"code_version": "'v1'", "description": "'Rows.'"}),
}
"""Pattern → what floe.yaml sets, and the same as arguments of the decorator."""


def decorator_arguments(name: str) -> dict[str, str]:
    """What all patterns together set for an asset."""
    matching = (arguments for pattern, (_, arguments) in PYTHON_SETTINGS.items() if fnmatch.fnmatchcase(name, pattern))
    return {argument: value for arguments in matching for argument, value in arguments.items()}


# ---- dbt


def dbt_by_floe(dbt_dir: Path) -> Path:
    """The project, a job and 20 patterns over its models; compiled."""
    folder = dbt_dir.with_name(f"{dbt_dir.name}-by-floe-with-settings")
    folder.mkdir(exist_ok=True)
    (folder / "floe.yaml").write_text(
        dedent(
            f"""\
            orchestration:
              dbt:
                project_dir: {dbt_dir}
              partitions:
                daily: {{type: time_window, start: "2024-01-01"}}
                weekly: {{type: time_window, start: "2024-01-07", cron_schedule: "0 0 * * 0"}}
                monthly: {{type: time_window, start: "2024-02-01", cron_schedule: "0 0 1 * *"}}
              jobs:
                staging: {{type: batch, selection: ["group:staging"]}}
              assets:
            """
        )
        + "".join(f'    "{pattern}": {yaml}\n' for pattern, yaml in DBT_SETTINGS.items())
    )
    (folder / "definitions.py").write_text(FLOE_DEFINITIONS)
    return compiled(folder)


DBT_SETTINGS: Mapping[str, str] = {
    "staging/*": "{partitions: daily, owners: [team:staging]}",
    "intermediate/*": "{partitions: daily, owners: [team:intermediate]}",
    "marts/*": "{partitions: weekly, owners: [team:marts]}",
    "marts/m_016*": "{partitions: weekly, backfill_policy: single_run}",
    "marts/m_019*": "{partitions: monthly, backfill_policy: multi_run}",
    "m_*": "{tags: {project: large}}",
    "m_*0": "{retry_policy: {max_retries: 2}}",
    "m_*1": "{automation_condition: eager}",
    "m_*2": "{freshness: {fail_after: 24h}}",
    "m_*3": "{metadata: {sla: 24}}",
    **{f"*/m_*{digit}?": f"{{kinds: [dbt, part_{digit}]}}" for digit in range(10)},
}
"""Pattern → what it sets; 20 in all, as with the Python assets."""


def compiled(folder: Path) -> Path:
    """*folder*, its floe.yaml compiled."""
    subprocess.run([Path(sys.executable).with_name("floe"), "compile", "--project", folder], check=True)
    return folder


if __name__ == "__main__":
    sys.exit(main())
