"""A run that builds a dbt project of 200 models: by floe with spans and lineage in local files, and by `@dbt_assets`.

    python tests/benchmarks/bench_dbt_observability.py [--models 200] [--rounds 3]

All sides run the same dbt build (each model has one test) in one process, with nothing fetched of the database. What
observing costs the run's own thread is the difference between floe with and without it, for each node; the limits are
3 ms of CPU for each node, and 5 % of the time that the dbt step takes with `@dbt_assets`.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import duckdb
from dbt_projects import cached_project, floe_project, hand_written_project

MOST_MILLISECONDS = 3.0
MOST_OF_WALL = 1.05
OFF = {"OTEL_SDK_DISABLED": "true", "OPENLINEAGE_DISABLED": "true"}
RUN = """
import json, os, resource, sys, tempfile, time
from pathlib import Path

import dagster as dg
from dagster._core.definitions.reconstruct import ReconstructableRepository

job = ReconstructableRepository.for_file("definitions.py", "defs", os.getcwd()).get_reconstructable_job("everything")
job.get_definition()
with tempfile.TemporaryDirectory() as folder, dg.DagsterInstance.local_temp(folder) as instance:
    own = time.thread_time()
    with dg.execute_job(job, instance, run_config=json.loads(os.environ["CONFIG"])) as result:
        own = time.thread_time() - own
        assert result.success
        stats = {each.step_key: each for each in instance.get_run_step_stats(result.run_id)}
        step = max(stats.values(), key=lambda each: each.end_time - each.start_time)
dbt = resource.getrusage(resource.RUSAGE_CHILDREN)
Path(os.environ["RESULT"]).write_text(
    json.dumps({"thread": own, "step": step.end_time - step.start_time, "dbt": dbt.ru_utime + dbt.ru_stime})
)
"""


@dataclass(frozen=True)
class Taken:
    """Seconds: CPU of the run's thread, wall of the dbt step, CPU of dbt."""

    thread: float
    step: float
    dbt: float


def main() -> int:
    """Print the comparison; the exit code says whether floe kept within its limits."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--models", type=int, default=200)
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    dbt_dir = cached_project(arguments.models)
    _write_sources(dbt_dir / "large.duckdb")
    by_hand, by_floe = hand_written_project(dbt_dir), _with_own_profile(floe_project(dbt_dir), dbt_dir)
    in_process = json.dumps({"execution": {"config": {"in_process": {}}}})  # floe's jobs run so by themselves
    sides: dict[str, tuple[Path, Mapping[str, str]]] = {
        "@dbt_assets": (by_hand, {"CONFIG": in_process}),
        "floe, nothing observed": (by_floe, OFF),
        "floe": (by_floe, {}),
    }
    taken: dict[str, list[Taken]] = {name: [] for name in sides}
    for number in range(arguments.rounds + 1):
        for name, (folder, environ) in sides.items():
            run = _run(folder, environ)
            if number:  # the first round is not counted
                taken[name].append(run)
                print(f"{number}/{arguments.rounds} {name}: {run}", file=sys.stderr, flush=True)
    return 0 if _print(taken, nodes=2 * arguments.models) else 1


def _with_own_profile(folder: Path, dbt_dir: Path) -> Path:
    """The project, compiled for the same database as the other's."""
    floe_yaml = folder / "floe.yaml"
    text = floe_yaml.read_text()
    floe_yaml.write_text(text.replace("  dbt:\n", f"  dbt:\n    profiles_dir: {dbt_dir}\n", 1))
    subprocess.run([Path(sys.executable).with_name("floe"), "compile", "--project", folder], check=True)
    return folder


def _write_sources(database: Path) -> None:
    with duckdb.connect(str(database)) as connection:
        connection.execute("create schema if not exists bronze")
        for number in range(20):
            connection.execute(
                f"create or replace table bronze.raw_{number:02} as "
                "select 1::bigint as id, 2::bigint as amount, 'x' as label, now()::timestamp as created_at"
            )


def _run(folder: Path, environ: Mapping[str, str]) -> Taken:
    beside_python = os.fspath(Path(sys.executable).parent)
    path = os.pathsep.join([beside_python, os.environ.get("PATH", "")])
    with tempfile.NamedTemporaryFile() as result:
        own = {"PATH": path, "PYTHONWARNINGS": "ignore", "RESULT": result.name, "CONFIG": "{}"}
        subprocess.run(
            [sys.executable, "-c", RUN],
            cwd=folder,
            env={**os.environ, **own, **environ},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            check=True,
        )
        return Taken(**json.loads(Path(result.name).read_text()))


def _print(taken: Mapping[str, list[Taken]], *, nodes: int) -> bool:
    print(f"{'':24}{'step s':>8}{'ratio':>7}{'thread ms/node':>16}{'dbt CPU s':>11}")
    medians = {
        name: Taken(*(statistics.median(getattr(run, field) for run in runs) for field in ("thread", "step", "dbt")))
        for name, runs in taken.items()
    }
    base = medians["@dbt_assets"]
    for name, median in medians.items():
        milliseconds = median.thread * 1000 / nodes
        print(f"{name:24}{median.step:8.2f}{median.step / base.step:7.3f}{milliseconds:16.2f}{median.dbt:11.2f}")
    cost = (medians["floe"].thread - medians["floe, nothing observed"].thread) * 1000 / nodes
    ratio = medians["floe"].step / base.step
    print(f"observing costs the run's thread {cost:.2f} ms for each of {nodes} nodes (at most {MOST_MILLISECONDS:.0f})")
    print(f"the step takes {ratio:.3f} of the time with @dbt_assets (at most {MOST_OF_WALL})")
    return cost <= MOST_MILLISECONDS and ratio <= MOST_OF_WALL


if __name__ == "__main__":
    sys.exit(main())
