"""What every test stands on."""

from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing import forkserver

import dagster as dg
import pytest
from dagster._core.storage.defs_state import base as state_storage
from dagster._core.storage.defs_state.base import DefsStateStorage
from hypothesis import HealthCheck, settings

pytest_plugins = [
    "plugins.garbage_collection",
    "plugins.kept_instance",
    "plugins.dagster_databases",
    "plugins.requirements",
    "plugins.user_project",
    "plugins.command_line",
    "plugins.dbt_shop",
    "plugins.forked_dbt",
    "pytester",
]

# On a machine that is busy with something else, slow is not wrong.
settings.register_profile("floe", deadline=None, suppress_health_check=[HealthCheck.too_slow])
# For every day (.ci/run unit), and by hand: pytest --hypothesis-profile=long PATH
settings.register_profile("everyday", settings.get_profile("floe"), max_examples=25)
settings.register_profile("long", settings.get_profile("floe"), max_examples=5000)
settings.load_profile("floe")


@contextmanager
def _set_defs_state_storage(storage: DefsStateStorage[dg.DagsterInstance] | None) -> Iterator[None]:
    """Dagster's, for instances that are not closed in the order of their opening, or only by the garbage collector.

    Dagster 1.13 goes back to what was before it, whichever instance is open now, even where that is gone.
    """
    state_storage._current_storage.set(storage)
    try:
        yield
    finally:
        if state_storage._current_storage.get() is storage:
            state_storage._current_storage.set(None)


state_storage.set_defs_state_storage = _set_defs_state_storage


@pytest.fixture(autouse=True)
def _no_instance_of_another_test() -> None:
    """An instance that a test left open is in none after it."""
    state_storage._current_storage.set(None)


@pytest.fixture(autouse=True, scope="module")
def _no_forkserver_of_another_test() -> Iterator[None]:
    """Processes are forked from a server that knows the environment and the modules of its own time."""
    yield
    forkserver._forkserver._stop()  # type: ignore[attr-defined]  # what Python's own tests call
