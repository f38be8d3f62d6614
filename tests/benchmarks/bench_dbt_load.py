"""From process start to loaded definitions: a dbt project of 2,000 models by floe, and by `@dbt_assets` by hand.

    python tests/benchmarks/bench_dbt_load.py [--models 2000] [--rounds 5]

Both sides have the same two jobs and the resource `dbt`. The hand-written side uses dagster-dbt's defaults, which leave
out the references to code that floe's assets have. "and all that the UI shows" goes on to the snapshot that a code
server sends to the UI.
"""

import argparse
import sys
from functools import partial

from dbt_projects import cached_project, floe_project, hand_written_project
from measuring import compare, measure_python, print_comparison

LOAD = "import sys; sys.path.insert(0, '.'); import definitions; definitions.defs"
SNAPSHOT = f"""{LOAD}
from dagster._core.remote_representation.external_data import RepositorySnap
RepositorySnap.from_def(definitions.defs.get_repository_def())
"""


def main() -> int:
    """Print the comparison; the exit code says whether floe kept within its limits."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--models", type=int, default=2000)
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    dbt_dir = cached_project(arguments.models)
    folders = {"@dbt_assets": hand_written_project(dbt_dir), "floe": floe_project(dbt_dir)}
    passed = True
    for title, script in (("loaded definitions", LOAD), ("and all that the UI shows", SNAPSHOT)):
        print(f"\n{arguments.models} models, {title}, {arguments.rounds} rounds")
        medians = compare(
            {name: partial(measure_python, script, cwd=folder) for name, folder in folders.items()},
            rounds=arguments.rounds,
        )
        limits = {"floe": (0.6, 0.7)} if script == LOAD else {}
        passed = print_comparison(medians, base="@dbt_assets", limits=limits) and passed
    return 0 if passed else 1


if __name__ == "__main__":
    sys.exit(main())
