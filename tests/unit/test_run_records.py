"""From Dagster's events of real runs to records: ends of what never began, clocks that step back, runs that died."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain, repeat

import dagster as dg
from dagster._core.execution.api import create_execution_plan

from floe_dagster.observability.records import (
    AssetEnded,
    AssetStarted,
    CheckEnded,
    Outcome,
    Record,
    RunEnded,
    StepEnded,
    StepStarted,
)
from floe_dagster.observability.runs.executor import planned_steps
from floe_dagster.observability.runs.run_records import RunRecords
from floe_dagster.observability.scopes import run_scope

SECOND = 10**9


@dg.asset
def source() -> None:
    """Nothing."""


@dg.asset(deps=[source])
def broken() -> None:
    raise ValueError("no")


@dg.asset(deps=[broken])
def after_broken() -> None:
    """Never begins."""


@dg.asset_check(asset=after_broken)
def check_of_it() -> dg.AssetCheckResult:
    return dg.AssetCheckResult(passed=True)


@dg.asset(deps=[after_broken])
def after_all() -> None:
    """Never begins."""


@dg.multi_asset(specs=[dg.AssetSpec("made"), dg.AssetSpec("left_out", skippable=True)])
def either() -> Iterator[dg.MaterializeResult[None]]:
    yield dg.MaterializeResult("made")


@dg.op
def first() -> int:
    return 1


@dg.op
def fails(number: int) -> int:
    raise ValueError(f"no {number}")


@dg.op
def last(number: int) -> int:
    return number


@dg.graph_asset
def of_ops() -> int:
    result: int = last(first())
    return result


@dg.graph_asset
def of_broken_ops() -> int:
    result: int = last(fails(first()))
    return result


@dg.graph_multi_asset(outs={"whole": dg.AssetOut(), "half": dg.AssetOut()})
def of_both() -> dict[str, int]:
    number = first()
    return {"whole": last(number), "half": fails(number)}


@dg.asset(deps=[of_broken_ops])
def after_ops() -> None:
    """Never begins."""


@dg.asset
def writes_more(context: dg.AssetExecutionContext) -> None:
    context.log_event(dg.AssetMaterialization("of_its_own", metadata={"dagster/row_count": 9}))


@dg.op
def makes() -> Iterator[dg.AssetMaterialization | dg.Output[None]]:
    yield dg.AssetMaterialization("op_made", partition="a")
    yield dg.AssetMaterialization("op_made", partition="b", metadata={"dagster/row_count": 9})
    yield dg.Output(None)


@dg.job
def making() -> None:
    makes()


@dg.op(retry_policy=dg.RetryPolicy(max_retries=1, delay=0))
def asks_again(context: dg.OpExecutionContext) -> None:
    if context.retry_number == 0:
        raise dg.RetryRequested(seconds_to_wait=0)


@dg.job
def stubborn() -> None:
    asks_again()


@dataclass(frozen=True)
class EndedRun:
    """A run, and its events."""

    job: dg.JobDefinition
    run: dg.DagsterRun
    events: Sequence[dg.DagsterEvent]
    instance: dg.DagsterInstance

    @classmethod
    def of(
        cls, *assets: dg.AssetsDefinition | dg.AssetChecksDefinition, job: dg.JobDefinition | None = None
    ) -> "EndedRun":
        definitions = dg.Definitions(assets=assets, jobs=[job] if job else [dg.define_asset_job("nightly")])
        resolved = definitions.resolve_job_def(job.name if job else "nightly")
        instance = dg.DagsterInstance.ephemeral()
        result = resolved.execute_in_process(instance=instance, raise_on_error=False)
        return cls(resolved, result.dagster_run, result.all_events, instance)

    def records(self, *, times: Sequence[int] = (), outcome: Outcome = Outcome.FAILED) -> list[Record]:
        """What its events tell, by a clock that shows *times* and stands still then."""
        shown = chain(times, repeat(times[-1] if times else 0))
        plan = create_execution_plan(self.job)
        records = RunRecords(
            run_scope(self.run), self.job, self.instance, plan=lambda: planned_steps(plan), clock=lambda: next(shown)
        )
        found = list(records.begin())
        for event in self.events:
            found += records.take(event)
        return found + list(records.end(outcome, None))


def test_what_dagster_leaves_out_after_a_failure_was_skipped() -> None:
    records = EndedRun.of(source, broken, after_broken, check_of_it, after_all).records()

    steps = {record.scope.step_key: record for record in records if isinstance(record, StepEnded)}
    assets = {record.asset: record for record in records if isinstance(record, AssetEnded)}
    assert {key: step.outcome.value for key, step in steps.items()} == {
        "source": "succeeded",
        "broken": "failed",
        "after_broken": "skipped",
        "after_broken_check_of_it": "skipped",
        "after_all": "skipped",
    }
    assert assets[("after_all",)].outcome is assets[("after_broken",)].outcome is Outcome.SKIPPED
    assert all(step.started_at == step.at for step in steps.values() if step.outcome is Outcome.SKIPPED)
    begun = [record.scope.step_key for record in records if isinstance(record, StepStarted)]
    assert sorted(begun) == sorted(steps)
    assert isinstance(records[-1], RunEnded)


def test_what_was_not_begun_when_a_run_is_cancelled_was_not_skipped() -> None:
    records = EndedRun.of(source, broken, after_broken).records(outcome=Outcome.CANCELLED)

    assert [record.asset for record in records if isinstance(record, AssetStarted)] == [("source",), ("broken",)]


def test_nothing_ends_before_it_begins_by_a_clock_that_steps_back() -> None:
    times = [100 * SECOND, 101 * SECOND, 102 * SECOND, *(moment * SECOND for moment in range(50, 60))]

    records = EndedRun.of(source, either).records(times=times, outcome=Outcome.SUCCEEDED)

    ends = [record for record in records if isinstance(record, AssetEnded | CheckEnded | StepEnded | RunEnded)]
    assert len(ends) == 6
    assert all(record.started_at <= record.at for record in ends)
    (run,) = (record for record in ends if isinstance(record, RunEnded))
    assert max(record.at for record in ends) == run.at == 102 * SECOND


def test_an_asset_that_its_step_left_out_was_skipped() -> None:
    records = EndedRun.of(either).records(outcome=Outcome.SUCCEEDED)

    outcomes = {record.asset: record.outcome for record in records if isinstance(record, AssetEnded)}
    assert outcomes == {("made",): Outcome.SUCCEEDED, ("left_out",): Outcome.SKIPPED}


def assets_of(records: Sequence[Record]) -> dict[str, AssetEnded]:
    """Each asset's end, which it has once and after its one beginning."""
    begun = [(record.scope, record.asset) for record in records if isinstance(record, AssetStarted)]
    ended = [record for record in records if isinstance(record, AssetEnded)]
    assert [(record.scope, record.asset) for record in ended] == begun
    return {"/".join(record.asset): record for record in ended}


def test_an_asset_of_several_ops_lasts_from_the_first_of_them_to_the_last() -> None:
    times = [moment * SECOND for moment in range(100)]

    records = EndedRun.of(of_ops).records(times=times, outcome=Outcome.SUCCEEDED)

    steps = {record.scope.step_key: record for record in records if isinstance(record, StepEnded)}
    (asset,) = assets_of(records).values()
    (started,) = (record for record in records if isinstance(record, AssetStarted))
    assert (asset.outcome, asset.of_graph, asset.scope.step_key) == (Outcome.SUCCEEDED, True, "of_ops.last")
    assert asset.started_at == started.at == steps["of_ops.first"].started_at
    assert steps["of_ops.last"].started_at < asset.at <= steps["of_ops.last"].at


def test_an_asset_of_several_ops_fails_with_any_of_them() -> None:
    records = EndedRun.of(of_broken_ops, after_ops).records(times=[moment * SECOND for moment in range(100)])

    assets = assets_of(records)
    steps = {record.scope.step_key: record for record in records if isinstance(record, StepEnded)}
    broken = assets["of_broken_ops"]
    assert broken.error is not None
    assert (broken.outcome, broken.error.message) == (Outcome.FAILED, "no 1")
    assert (broken.started_at, broken.at) == (
        steps["of_broken_ops.first"].started_at,
        steps["of_broken_ops.fails"].at - SECOND,
    )
    assert (assets["after_ops"].outcome, assets["after_ops"].because) == (Outcome.SKIPPED, ("of_broken_ops",))
    assert steps["of_broken_ops.last"].outcome is Outcome.SKIPPED


def test_of_the_assets_of_a_graph_those_fail_whose_ops_do() -> None:
    outcomes = {name: asset.outcome.value for name, asset in assets_of(EndedRun.of(of_both).records()).items()}

    assert outcomes == {"whole": "succeeded", "half": "failed"}


def test_an_asset_whose_last_op_has_not_begun_when_the_run_is_cancelled_is_cancelled_with_it() -> None:
    ended = EndedRun.of(of_ops)
    until = next(number for number, event in enumerate(ended.events) if event.step_key == "of_ops.last")

    records = replace(ended, events=ended.events[:until]).records(outcome=Outcome.CANCELLED)

    assert [(asset.outcome, asset.of_graph) for asset in assets_of(records).values()] == [(Outcome.CANCELLED, True)]


def test_what_is_skipped_says_what_has_failed() -> None:
    records = EndedRun.of(source, broken, after_broken, check_of_it, after_all).records()

    because = {record.scope.step_key: record.because for record in records if isinstance(record, StepEnded)}
    assert because == {
        "source": (),
        "broken": (),
        "after_broken": ("broken",),
        "after_broken_check_of_it": ("broken",),
        "after_all": ("broken",),
    }


def test_what_a_step_materialises_beside_its_own_assets_is_an_asset_of_it() -> None:
    beside = assets_of(EndedRun.of(writes_more).records(outcome=Outcome.SUCCEEDED))
    assert {name: (asset.outcome.value, asset.rows) for name, asset in beside.items()} == {
        "writes_more": ("succeeded", None),
        "of_its_own": ("succeeded", 9),
    }

    (made,) = assets_of(EndedRun.of(job=making).records(outcome=Outcome.SUCCEEDED)).values()
    assert (made.asset, made.scope.step_key, made.rows) == (("op_made",), "makes", 9)


def test_a_retry_that_says_nothing_was_requested() -> None:
    records = EndedRun.of(job=stubborn).records(outcome=Outcome.SUCCEEDED)

    errors = [record.error for record in records if isinstance(record, StepEnded)]
    assert [(error.type, error.message) if error else None for error in errors] == [
        ("RetryRequested", "a retry was requested"),
        None,
    ]
