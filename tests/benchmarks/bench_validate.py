"""`floe validate` beside `dg check defs` and `dg check yaml` on an equal project, and by the length of the document.

python tests/benchmarks/bench_validate.py [--rounds 5] [--jobs 50] [--dg PATH]

`dg` is the command of the package dagster-dg-cli, in an environment of its own; where it is not found, its rows are
left out. It imports the components of every package beside it, so the environment decides what it takes: an equal
one holds floe's packages, dagster-dbt among them (5.2 s of CPU for `dg check yaml`, where Dagster and `dg` alone take
3.0 s).
"""

import argparse
import os
import shutil
import sys
import tempfile
import time
from pathlib import Path

from measuring import Usage, compare, measure_python, print_comparison

from floe_core.compiler.checks import check_documents
from floe_core.project import ProjectFolder

LENGTHS = (1_250, 2_500, 5_000, 10_000)
LINES_OF_A_JOB = 10
MOST_OF_DG = {
    "floe validate": ("dg check defs", 0.5),
    "floe validate --schema-only": ("dg check yaml", 0.1),
}
MOST_GROWTH = 1.5
"""How much longer a line may take in the longest document than in the shortest."""
FLOE = """
import os, sys
from floe_cli.main import main

sys.argv = ["floe", "validate", *{options!r}]
sys.stderr = open(os.devnull, "w")
main()
"""
DG = """
import subprocess, sys

sys.exit(subprocess.run([{dg!r}, "check", {what!r}], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode)
"""
ASSETS = """
import dagster as dg

@dg.asset
def orders() -> None: ...

@dg.asset(deps=[orders])
def revenue() -> None: ...
"""
PYPROJECT = """
[build-system]
requires = ["setuptools"]
build-backend = "setuptools.build_meta"

[project]
name = "shop"
version = "0.1.0"

[tool.dg]
directory_type = "project"

[tool.dg.project]
root_module = "shop"
code_location_name = "shop"
"""
DEFINITIONS = """
from pathlib import Path

import dagster as dg
from shop.assets import orders, revenue

jobs = [dg.define_asset_job(f"job_{{n}}", selection=["orders"], tags={{"team": "data"}}) for n in range({jobs})]
schedules = [dg.ScheduleDefinition(job=job, cron_schedule="0 6 * * *", tags={{"team": "data"}}) for job in jobs]

@dg.definitions
def defs():
    return dg.Definitions.merge(
        dg.load_from_defs_folder(path_within_project=Path(__file__).parent),
        dg.Definitions([orders, revenue], jobs=jobs, schedules=schedules),
    )
"""
COMPONENT = """\
type: dagster.PythonScriptComponent
attributes:
  execution: {{name: script_{number}, path: script.py}}
  assets: [{{key: table_{number}, owners: ["team:data"], tags: {{team: data}}}}]
"""


def floe_yaml(jobs: int) -> str:
    """A document with that many jobs and as many schedules."""
    lines = ["name: shop", "orchestration:", "  asset_modules: [shop.assets]", "  jobs:"]
    for number in range(jobs):
        lines += [f"    job_{number}:", "      type: batch", "      selection: [orders]", "      tags: {team: data}"]
    lines.append("  schedules:")
    for number in range(jobs):
        lines += [f"    nightly_{number}:", f"      job: job_{number}", '      cron_schedule: "0 6 * * *"']
        lines += ["      timezone: Europe/Berlin", "      tags: {team: data}", "      description: Every night."]
    return "\n".join(lines) + "\n"


def write(folder: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return folder


def write_floe_project(folder: Path, jobs: int) -> Path:
    return write(
        folder,
        {"floe.yaml": floe_yaml(jobs), "shop/__init__.py": "", "shop/assets.py": ASSETS, ".git/HEAD": ""},
    )


def write_dagster_project(folder: Path, jobs: int) -> Path:
    components = "---\n".join(COMPONENT.format(number=number) for number in range(jobs))
    return write(
        folder,
        {
            "pyproject.toml": PYPROJECT,
            "shop/__init__.py": "",
            "shop/assets.py": ASSETS,
            "shop/definitions.py": DEFINITIONS.format(jobs=jobs),
            "shop/defs/scripts/defs.yaml": components,
            "shop/defs/scripts/script.py": "",
        },
    )


def measure_line(lines: int, folder: Path) -> float:
    """Microseconds of CPU for each line of a document of so many."""
    project = ProjectFolder(write_floe_project(folder, lines // LINES_OF_A_JOB))
    number = len(project.floe_yaml.read_text().splitlines())
    best = float("inf")
    for _ in range(3):
        started = time.process_time()
        check_documents(project, environ={})
        best = min(best, time.process_time() - started)
    return best / number * 1e6


def compare_commands(folder: Path, *, jobs: int, rounds: int, dg: str | None) -> bool:
    """Print both tools' commands; whether floe's kept within their shares of those of `dg`."""
    floe = write_floe_project(folder / "floe", jobs)
    commands = {
        "floe validate": lambda: measure_python(FLOE.format(options=[]), cwd=floe),
        "floe validate --schema-only": lambda: measure_python(FLOE.format(options=["--schema-only"]), cwd=floe),
    }
    if dg is not None:
        plain = write_dagster_project(folder / "plain", jobs)

        def check(what: str) -> Usage:
            environ = {"PYTHONPATH": str(plain), "PATH": os.pathsep.join([str(Path(dg).parent), os.environ["PATH"]])}
            return measure_python(DG.format(dg=dg, what=what), cwd=plain, environ=environ)

        commands |= {"dg check defs": lambda: check("defs"), "dg check yaml": lambda: check("yaml")}
    else:
        print("dg is not installed: pip install dagster-dg-cli, or name it with --dg")
    print(f"{jobs} jobs and {jobs} schedules over 2 assets, {rounds} rounds")
    medians = compare(commands, rounds=rounds)
    print_comparison(medians, base="floe validate", limits={})
    shares = {
        name: medians[name].cpu / medians[other].cpu for name, (other, _) in MOST_OF_DG.items() if other in medians
    }
    for name, share in shares.items():
        other, most = MOST_OF_DG[name]
        print(f"{name} takes {share:.3f} of {other}, at most {most}{'' if share <= most else ': EXCEEDED'}")
    return all(share <= MOST_OF_DG[name][1] for name, share in shares.items())


def main() -> int:
    """Print both; the exit code says whether floe kept within its shares, and a line's time is that of any length."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--jobs", type=int, default=50)
    parser.add_argument("--dg", default=shutil.which("dg"))
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        passed = compare_commands(Path(name), jobs=arguments.jobs, rounds=arguments.rounds, dg=arguments.dg)
        print()
        taken = {lines: measure_line(lines, Path(name) / str(lines)) for lines in LENGTHS}
    for lines, each in taken.items():
        print(f"{lines:6} lines  {each:5.0f} us of CPU a line")
    growth = taken[LENGTHS[-1]] / taken[LENGTHS[0]]
    print(f"{growth:.2f} times as long, at most {MOST_GROWTH}{'' if growth <= MOST_GROWTH else ': EXCEEDED'}")
    return 0 if passed and growth <= MOST_GROWTH else 1


if __name__ == "__main__":
    sys.exit(main())
