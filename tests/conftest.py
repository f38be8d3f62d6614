"""What every test stands on."""

import pytest
from dagster._core.storage.defs_state.base import _current_storage
from hypothesis import HealthCheck, settings

pytest_plugins = ["plugins.requirements", "plugins.user_project", "plugins.dbt_shop", "pytester"]

# On a machine that is busy with something else, slow is not wrong.
settings.register_profile("floe", deadline=None, suppress_health_check=[HealthCheck.too_slow])
# By hand: pytest --hypothesis-profile=long PATH
settings.register_profile("long", settings.get_profile("floe"), max_examples=5000)
settings.load_profile("floe")


@pytest.fixture(autouse=True)
def _no_instance_of_another_test() -> None:
    """Dagster 1.13 goes on with the state storage of an instance that is gone, where two were not closed in turn."""
    _current_storage.set(None)
