"""What an observed executor passes on: everything, as the executor within it does it."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from dagster._core.definitions.job_base import InMemoryJob
from dagster._core.errors import DagsterExecutionInterruptedError
from dagster._core.events import DagsterEvent, EngineEventData
from dagster._core.execution.api import execute_run_iterator
from dagster._core.execution.retries import RetryMode

from floe_dagster.observability.runs.executor import ObservedExecutor, observed_executor
from floe_dagster.observability.runs.nesting import nest_user_spans
from floe_dagster.observability.settings import ObservabilitySettings


class Scripted(dg.Executor):
    """Says one thing and another, and raises what it is told to."""

    retries = RetryMode.DISABLED

    def __init__(self, error: BaseException | None = None) -> None:
        self.error = error
        self.ends: list[str] = []
        self.broker = "redis://localhost"

    def execute(self, plan_context: Any, execution_plan: Any) -> Iterator[DagsterEvent]:
        del execution_plan
        try:
            yield DagsterEvent.engine_event(plan_context, "one", EngineEventData())
            if self.error is not None:
                raise self.error
            yield DagsterEvent.engine_event(plan_context, "another", EngineEventData())
        except GeneratorExit:
            self.ends.append("closed")
            raise
        finally:
            self.ends.append("ended")


@dg.op
def work() -> None:
    """Nothing."""


@dg.job
def plain() -> None:
    work()


def events_of(inner: Scripted, instance: dg.DagsterInstance, folder: Path | None = None) -> Iterator[DagsterEvent]:
    """The events of a run by *inner*, observed where there is a *folder* to write to."""
    executor = dg.ExecutorDefinition("scripted", executor_creation_fn=lambda _: inner)
    if folder is not None:
        executor = observed_executor(executor, ObservabilitySettings("shop", "floe", folder))
    job = plain.with_executor_def(executor)
    return execute_run_iterator(InMemoryJob(job), instance.create_run_for_job(job), instance)


def said(events: Iterator[DagsterEvent]) -> list[tuple[str, str]]:
    found = [(event.event_type_value, event.message or "") for event in events]
    return [(kind, message) for kind, message in found if not message.startswith("This run is observed")]


@pytest.mark.parametrize(
    "error",
    [None, ValueError("broken"), SystemExit(3), KeyboardInterrupt(), DagsterExecutionInterruptedError()],
    ids=lambda error: type(error).__name__,
)
def test_a_run_ends_as_it_would_unobserved(
    error: BaseException | None, instance: dg.DagsterInstance, tmp_path: Path
) -> None:
    without, observed = Scripted(error), Scripted(error)

    expected = said(events_of(without, instance))

    assert ("ENGINE_EVENT", "one") in expected
    assert said(events_of(observed, instance, tmp_path / "observability")) == expected
    assert observed.ends == without.ends
    assert len(list((tmp_path / "observability" / "traces").iterdir())) == 1


def test_a_run_that_nobody_reads_to_its_end_is_closed(instance: dg.DagsterInstance, tmp_path: Path) -> None:
    inner = Scripted()
    events = events_of(inner, instance, tmp_path / "observability")
    while next(events).message != "one":
        pass

    events.close()  # type: ignore[attr-defined] # a generator

    assert inner.ends == ["closed", "ended"]


def test_what_observes_may_break_and_the_run_goes_on(
    instance: dg.DagsterInstance, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("broken")

    monkeypatch.setattr("floe_dagster.observability.runs.run_records.RunRecords.take", broken)
    monkeypatch.setattr("floe_dagster.observability.observers.Observers.places", broken)

    with_trouble = said(events_of(Scripted(), instance, tmp_path))

    assert with_trouble == said(events_of(Scripted(), instance))


def test_what_a_librarys_executor_is_asked_for_is_its_own() -> None:
    inner = Scripted()
    observed = ObservedExecutor(inner, ObservabilitySettings("shop", "floe", Path("observability")))

    assert observed.broker == "redis://localhost"
    assert observed.retries is RetryMode.DISABLED
    with pytest.raises(AttributeError, match="'Scripted' object has no attribute 'backend'"):
        _ = observed.backend


def test_functions_that_are_nested_keep_their_shape_and_their_results() -> None:
    @dg.asset
    def returns() -> dg.MaterializeResult[None]:
        return dg.MaterializeResult(metadata={"rows": 1})

    @dg.asset
    async def returns_later() -> dg.MaterializeResult[None]:
        await asyncio.sleep(0)
        return dg.MaterializeResult(metadata={"rows": 2})

    @dg.multi_asset(specs=[dg.AssetSpec("yields")])
    def sides() -> Iterator[dg.MaterializeResult[None]]:
        yield dg.MaterializeResult("yields", metadata={"rows": 3})

    @dg.multi_asset(specs=[dg.AssetSpec("yields_later")])
    async def later_sides() -> AsyncIterator[dg.MaterializeResult[None]]:
        await asyncio.sleep(0)
        yield dg.MaterializeResult("yields_later", metadata={"rows": 4})

    assets = [returns, returns_later, sides, later_sides]
    nest_user_spans(dg.Definitions(assets=assets))

    result = dg.materialize(assets)

    found = (event.materialization for event in result.get_asset_materialization_events())
    assert {each.asset_key.to_user_string(): each.metadata["rows"].value for each in found} == {
        "returns": 1,
        "returns_later": 2,
        "yields": 3,
        "yields_later": 4,
    }
