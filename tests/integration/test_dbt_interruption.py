"""A run that is interrupted while dbt runs: no dbt outlives it."""

import signal
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import dagster as dg
import pytest
from dagster_dbt import DbtCliInvocation, DbtCliResource

from dbt_processes import dbt_processes
from dbt_shop import DbtShop
from floe_core.schemas.orchestration_config import DbtConfig
from floe_dagster.resources.dbt import DbtResource

PROJECT = {
    "models/quick.sql": "select 1 as id",
    "models/endless.sql": "-- depends_on: {{ ref('quick') }}\nselect count(*) as rows from range(1000000000000)",
}
SECONDS = 8.0  # on a machine that is busy with other tests; dbt has 3 to cancel what it does


@dataclass(frozen=True)
class Endless:
    """A dbt project with a model that takes an hour."""

    shop: DbtShop
    resource: DbtResource
    assets: Sequence[dg.AssetsDefinition]

    def interrupt_when(self, condition: Callable[[], object], *more: dg.AssetsDefinition) -> tuple[str, float]:
        """Run everything and interrupt it then; the run's status, and the seconds that it took to end."""
        sent: list[float] = []

        def interrupt() -> None:
            while not condition():
                time.sleep(0.02)
            sent.append(time.monotonic())
            signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)

        thread = threading.Thread(target=interrupt)
        thread.start()
        with dg.DagsterInstance.ephemeral() as instance:
            assets = more or self.assets
            result = dg.materialize(assets, instance=instance, resources={"dbt": self.resource}, raise_on_error=False)
            thread.join()
            return result.dagster_run.status.value, time.monotonic() - sent[0]

    def has_logged(self, text: str) -> bool:
        logs = self.shop.floe_dir.glob("dbt/dev/runs/*/dbt.log")
        return any(text in log.read_text() for log in logs)


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> DbtShop:
    shop = DbtShop(tmp_path_factory.mktemp("endless") / "shop", [])
    (shop.dbt_dir / "models").mkdir(parents=True)
    (shop.dbt_dir / "dbt_project.yml").write_text("name: shop\nprofile: shop\nmodels: {+materialized: table}\n")
    for name, text in PROJECT.items():
        (shop.dbt_dir / name).write_text(text)
    return shop


@pytest.fixture
def endless(request: pytest.FixtureRequest, shop: DbtShop) -> Endless:
    config = DbtConfig(fetch=getattr(request, "param", ()))
    compiled = shop.compile(config)  # parses the first time
    loaded = shop.load(compiled.index, config)
    return Endless(shop, shop.resource(compiled.index, loaded, config), loaded.assets)


@pytest.fixture(autouse=True)
def no_logs(endless: Endless) -> None:
    for log in endless.shop.floe_dir.glob("dbt/dev/runs/*/dbt.log"):
        log.unlink()


@pytest.mark.parametrize("endless", [(), ("row_counts",)], ids=["plain", "with row counts"], indirect=True)
@pytest.mark.parametrize(
    "moment",
    [
        pytest.param(lambda _: dbt_processes(), id="when dbt starts"),
        pytest.param(lambda endless: endless.has_logged("START sql table model main.endless"), id="in a model"),
    ],
)
def test_an_interrupt_ends_dbt_and_the_run_soon(endless: Endless, moment: Callable[[Endless], object]) -> None:
    status, seconds = endless.interrupt_when(lambda: moment(endless))

    assert dbt_processes() == []
    assert (status, seconds < SECONDS) == ("FAILURE", True), seconds


def test_a_dbt_that_nobody_waits_for_ends_with_its_step(endless: Endless) -> None:
    @dg.asset
    def careless(dbt: DbtCliResource) -> None:
        dbt.cli(["build"])
        time.sleep(60)

    status, seconds = endless.interrupt_when(lambda: endless.has_logged("START sql table model main.endless"), careless)

    assert dbt_processes() == []
    assert (status, seconds < SECONDS) == ("FAILURE", True), seconds


def test_an_interrupt_in_the_moment_in_which_dbt_is_started_leaves_none_behind(
    endless: Endless, monkeypatch: pytest.MonkeyPatch
) -> None:
    start = DbtCliResource.cli

    def interrupted(resource: DbtCliResource, *args: Any, **options: Any) -> DbtCliInvocation:
        started = start(resource, *args, **options)
        signal.raise_signal(signal.SIGINT)  # dbt is there, and nobody has it yet
        return started

    monkeypatch.setattr(DbtCliResource, "cli", interrupted)
    with dg.DagsterInstance.ephemeral() as instance:
        result = dg.materialize(
            endless.assets, instance=instance, resources={"dbt": endless.resource}, raise_on_error=False
        )

    assert dbt_processes() == []
    assert not result.success
