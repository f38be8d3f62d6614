"""A real dbt project, compiled once for all tests that only read it."""

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from dbt_shop import DbtShop


@pytest.fixture(scope="session")
def dbt_shop(tmp_path_factory: pytest.TempPathFactory, dbt_command: Path) -> "DbtShop":
    """The project, compiled; tests change nothing in it."""
    from dbt_shop import DbtShop  # imports Dagster, which not every test needs
    from forked_dbt import used_by_floe

    shop = DbtShop.copy_to(tmp_path_factory.mktemp("dbt") / "shop")
    with used_by_floe(dbt_command):
        shop.compile()
    return shop


@pytest.fixture
def own_dbt_shop(tmp_path: Path) -> "DbtShop":
    """A copy of the project that a test may change, not compiled yet."""
    from dbt_shop import DbtShop

    return DbtShop.copy_to(tmp_path / "shop")
