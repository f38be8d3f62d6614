"""The examples in docstrings, run."""

import doctest
import importlib
from pathlib import Path

import pytest

PACKAGES = Path(__file__).parents[2] / "packages"
MODULES = [
    ".".join(file.relative_to(file.parents[len(file.relative_to(PACKAGES).parts) - 3]).with_suffix("").parts)
    for file in sorted(PACKAGES.glob("*/src/**/*.py"))
    if ">>> " in file.read_text(encoding="utf-8")
]


@pytest.mark.parametrize("name", MODULES)
def test_the_examples_of_a_module_are_true(name: str) -> None:
    results = doctest.testmod(importlib.import_module(name))

    assert results.attempted
    assert not results.failed


def test_there_are_examples() -> None:
    assert MODULES
