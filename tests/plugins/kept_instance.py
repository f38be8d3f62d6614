"""A Dagster instance of a test's own whose databases are files, as users have it."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest


@pytest.fixture(scope="session")
def empty_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Dagster home whose databases hold nothing; making them takes longer than most tests."""
    home = tmp_path_factory.mktemp("empty_home")
    with dg.instance_for_test(temp_dir=str(home)) as instance:
        instance.get_runs()
        instance.get_dynamic_partitions("none")
        instance.all_instigator_state()
    return home


@pytest.fixture
def instance(empty_home: Path, tmp_path: Path) -> Iterator[dg.DagsterInstance]:
    """An instance that remembers; it is the one of DAGSTER_HOME, too."""
    home = shutil.copytree(empty_home, tmp_path / "dagster_home")
    with dg.instance_for_test(temp_dir=str(home)) as instance:
        yield instance
