"""What a step's process pays to reload the definitions: a dbt project of 2,000 models by floe, and by `@dbt_assets`.

    python tests/benchmarks/bench_step_reload.py [--models 2000] [--rounds 5]

The process does what a child of Dagster's multiprocess executor does before its step begins: it reloads the
definitions and plans the run of the job with the one Python asset. "all metadata" is what a code server loads; a step's
process leaves out what only the UI shows.
"""

import argparse
import sys
from functools import partial

from dbt_projects import cached_project, floe_project, hand_written_project
from measuring import compare, measure_python, print_comparison

RELOAD = """
from dagster._core.definitions.definitions_load_context import DefinitionsLoadContext, DefinitionsLoadType
from dagster._core.definitions.reconstruct import ReconstructableRepository
from dagster._core.execution.api import create_execution_plan

if {is_step}:
    DefinitionsLoadContext.set(DefinitionsLoadContext(DefinitionsLoadType.RECONSTRUCTION))
repository = ReconstructableRepository.for_file("definitions.py", "defs", ".")
create_execution_plan(repository.get_reconstructable_job("reports"))
"""


def main() -> int:
    """Print the comparison; the exit code says whether floe kept within its limits."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--models", type=int, default=2000)
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    dbt_dir = cached_project(arguments.models)
    by_hand, by_floe = hand_written_project(dbt_dir), floe_project(dbt_dir)
    step, server = RELOAD.format(is_step=True), RELOAD.format(is_step=False)
    print(f"\n{arguments.models} models, definitions reloaded for a step, {arguments.rounds} rounds")
    medians = compare(
        {
            "@dbt_assets": partial(measure_python, step, cwd=by_hand),
            "floe, all metadata": partial(measure_python, server, cwd=by_floe),
            "floe, a step without dbt": partial(measure_python, step, cwd=by_floe),
        },
        rounds=arguments.rounds,
    )
    limits = {"floe, all metadata": (0.8, None), "floe, a step without dbt": (0.7, None)}
    return 0 if print_comparison(medians, base="@dbt_assets", limits=limits) else 1


if __name__ == "__main__":
    sys.exit(main())
