"""`floe validate --schema-only` on the Complete Example: CPU seconds of the whole process, beside the imports it needs.

python tests/benchmarks/bench_schema_only.py [--rounds 9]
"""

import argparse
import sys
from pathlib import Path

from measuring import compare, measure_python, print_comparison

COMPLETE_EXAMPLE = Path(__file__).parents[1] / "projects" / "ecommerce"
IMPORTS = "import click, pydantic.main, yaml"
VALIDATE = """
import os, sys
from floe_cli.main import main

sys.argv = ["floe", "validate", "--schema-only"]
sys.stderr = open(os.devnull, "w")
main()
"""
MOST_CPU_SECONDS = 0.5


def main() -> int:
    """Print the comparison; the exit code says whether the command kept within its limit."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=9)
    rounds = parser.parse_args().rounds
    medians = compare(
        {
            "imports": lambda: measure_python(IMPORTS, cwd=COMPLETE_EXAMPLE),
            "floe": lambda: measure_python(VALIDATE, cwd=COMPLETE_EXAMPLE),
        },
        rounds=rounds,
    )
    print(f"validate --schema-only on the Complete Example, {rounds} rounds")
    print_comparison(medians, base="imports", limits={})
    taken = medians["floe"].cpu
    print(f"{taken:.2f} s of CPU, at most {MOST_CPU_SECONDS:.2f} s{'' if taken <= MOST_CPU_SECONDS else ': EXCEEDED'}")
    return 0 if taken <= MOST_CPU_SECONDS else 1


if __name__ == "__main__":
    sys.exit(main())
