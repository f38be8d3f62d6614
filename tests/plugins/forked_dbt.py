"""dbt without the seconds in which it is imported, for tests that are about what it does."""

from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def dbt_command(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """dbt as a command of the tests' own."""
    from forked_dbt import open_dbt_server

    with open_dbt_server(tmp_path_factory.mktemp("dbt")) as command:
        yield command


@pytest.fixture(scope="module")
def forked_dbt(dbt_command: Path) -> Iterator[None]:
    """What floe calls in this process is that command."""
    from forked_dbt import used_by_floe

    with used_by_floe(dbt_command):
        yield
