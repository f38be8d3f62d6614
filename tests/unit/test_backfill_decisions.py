"""What a backfill launches, against runs that end in every way there is."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from floe_dagster.backfilling.decisions import (
    BackfillRules,
    Decision,
    Finish,
    Launch,
    RunToLaunch,
    Stop,
    Wait,
    decide,
    is_range,
    plan_ahead,
)
from floe_dagster.backfilling.progress import (
    WHOLE_JOB,
    Materialised,
    Progress,
    RunOutcome,
    SeenRun,
    judge_partitions,
)

ASSETS = frozenset({"raw", "clean"})
KEYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
POSITIONS = {key: (number,) for number, key in enumerate(KEYS)}


def run(keys: str, outcome: RunOutcome, **fields: object) -> SeenRun:
    ended = 0.0 if outcome == "in_flight" else 10.0
    return replace(SeenRun("r", outcome, frozenset(keys.split()), ended=ended), **fields)  # type: ignore[arg-type] # by name


def judge(*runs: SeenRun, keys: Sequence[str] = KEYS, retried_since: float = 0.0) -> Progress:
    return judge_partitions(keys, runs, assets=ASSETS, retried_since=retried_since)


def next_of(*runs: SeenRun, keys: Sequence[str] = KEYS, retried_since: float = 0.0, **rules: object) -> Decision:
    progress = judge(*runs, keys=keys, retried_since=retried_since)
    return decide(progress, BackfillRules(**rules), assets=ASSETS, positions=POSITIONS)  # type: ignore[arg-type] # by name


@pytest.mark.requirement("010-FR-042")
def test_the_first_batch_is_the_first_partitions_a_run_for_each() -> None:
    decision = next_of(batch_size=3)

    assert decision == Launch((RunToLaunch(("mon",)), RunToLaunch(("tue",)), RunToLaunch(("wed",))))


@pytest.mark.requirement("010-FR-042")
def test_the_next_batch_waits_for_the_last_run_of_the_one_before() -> None:
    assert next_of(run("mon tue", "succeeded"), run("wed", "in_flight"), batch_size=3) == Wait(("wed",))
    assert next_of(run("mon tue wed", "succeeded"), batch_size=2) == Launch(
        (RunToLaunch(("thu",)), RunToLaunch(("fri",)))
    )


def test_nothing_left_is_the_end() -> None:
    assert next_of(run(" ".join(KEYS), "succeeded")) == Finish()


@pytest.mark.parametrize(
    ("per_run", "expected"),
    [
        pytest.param(1, ["mon", "tue", "wed", "thu"], id="one by one"),
        pytest.param(3, ["mon tue wed", "thu"], id="three at most"),
        pytest.param(None, ["mon tue wed thu"], id="the whole batch"),
    ],
)
def test_ranges_are_as_long_as_the_assets_take(per_run: int | None, expected: list[str]) -> None:
    decision = next_of(batch_size=4, per_run=per_run)

    assert isinstance(decision, Launch)
    assert [" ".join(run.keys) for run in decision.runs] == expected


def test_a_range_has_no_gap() -> None:
    decision = next_of(run("tue", "succeeded", attempt=1), keys=("mon", "tue", "wed", "thu", "sat"), per_run=None)

    assert decision == Launch((RunToLaunch(("mon",)), RunToLaunch(("wed", "thu")), RunToLaunch(("sat",))))


def test_a_range_over_two_dimensions_is_a_rectangle() -> None:
    positions = {f"{day}|{country}": (day, country) for day in range(3) for country in range(2)}
    keys = tuple(positions)
    progress = judge_partitions(keys, (), assets=ASSETS)

    decision = decide(progress, BackfillRules(5, None), assets=ASSETS, positions=positions)

    assert decision == Launch((RunToLaunch(("0|0", "0|1", "1|0", "1|1")), RunToLaunch(("2|0",))))


def test_what_a_killed_run_materialised_is_not_run_again() -> None:
    half = run("mon tue", "lost", built=frozenset({("raw", "mon"), ("clean", "mon"), ("raw", "tue")}))

    decision = next_of(half, keys=("mon", "tue", "wed"), per_run=None)

    assert decision == Launch((RunToLaunch(("tue",), frozenset({"clean"}), attempt=2), RunToLaunch(("wed",))))


def test_assets_that_are_made_together_are_run_again_together() -> None:
    half = run("mon", "lost", built=frozenset({("raw", "mon")}))

    progress = judge_partitions(("mon",), [half], assets=ASSETS, units=[ASSETS])

    assert progress.states["mon"].lacking == ASSETS


def test_a_successful_run_is_enough_for_an_asset_that_it_skipped() -> None:
    assert judge(run("mon", "succeeded"), keys=("mon",)).having("done") == ("mon",)


def test_a_successful_run_of_a_part_is_not_enough_for_the_rest() -> None:
    part = run("mon", "succeeded", assets=frozenset({"clean"}))

    assert judge(part, keys=("mon",)).states["mon"].lacking == {"raw"}


def test_a_job_without_assets_is_done_when_a_run_succeeds() -> None:
    nothing = frozenset({WHOLE_JOB})
    failed, done = (judge_partitions(("mon",), [run("mon", o)], assets=nothing) for o in ("failed", "succeeded"))  # type: ignore[arg-type] # a RunOutcome each

    assert (failed.having("failed"), done.having("done")) == (("mon",), ("mon",))


@pytest.mark.parametrize("outcome", ["failed", "canceled"])
def test_a_failure_ends_it_after_its_batch(outcome: RunOutcome) -> None:
    assert next_of(run("mon", outcome), run("tue", "in_flight"), batch_size=2) == Wait(("tue",))
    assert next_of(run("mon", outcome), run("tue", "succeeded"), batch_size=2) == Stop(("mon",))


def test_with_continue_it_goes_on_and_tells_at_the_end() -> None:
    keys = ("mon", "tue", "wed")

    on = next_of(run("mon", "failed"), run("tue", "succeeded"), keys=keys, on_failure="continue")
    end = next_of(run("mon", "failed"), run("tue wed", "succeeded"), keys=keys, on_failure="continue")

    assert on == Launch((RunToLaunch(("wed",)),))
    assert end == Finish(("mon",))


def test_what_failed_before_the_user_asked_again_is_tried_again() -> None:
    decision = next_of(run("mon", "failed", ended=10.0), keys=("mon",), retried_since=11.0)

    assert decision == Launch((RunToLaunch(("mon",), attempt=2),))


def test_a_partition_whose_runs_keep_being_killed_fails_in_the_end() -> None:
    lost = [run("mon", "lost", attempt=attempt) for attempt in (1, 2, 3)]

    assert next_of(*lost[:2], keys=("mon",)) == Launch((RunToLaunch(("mon",), attempt=3),))
    assert next_of(*lost, keys=("mon",)) == Stop(("mon",))


def test_runs_for_partitions_that_no_longer_belong_to_it_do_not_count() -> None:
    assert judge(run("mon", "failed"), run("feb", "in_flight"), keys=("tue",)).counts == {"missing": 1}


def by_others(**keys: str) -> Materialised:
    return Materialised({asset: frozenset(keys.get(asset, "").split()) for asset in ASSETS})


def test_what_others_materialised_is_done_and_counted() -> None:
    progress = judge_partitions(
        KEYS[:4], [run("mon", "succeeded")], assets=ASSETS, materialised=by_others(raw="mon tue wed", clean="mon tue")
    )

    assert (progress.having("done"), progress.by_others) == (("mon", "tue"), 1)
    assert decide(progress, BackfillRules(per_run=None), assets=ASSETS, positions=POSITIONS) == Launch(
        (RunToLaunch(("wed",), frozenset({"clean"})), RunToLaunch(("thu",)))
    )


def test_a_range_does_not_span_what_others_materialised() -> None:
    progress = judge_partitions(KEYS[:4], (), assets=ASSETS, materialised=by_others(raw="tue", clean="tue"))

    assert decide(progress, BackfillRules(per_run=None), assets=ASSETS, positions=POSITIONS) == Launch(
        (RunToLaunch(("mon",)), RunToLaunch(("wed", "thu")))
    )


def test_what_failed_and_was_materialised_by_hand_is_done() -> None:
    runs = [run("mon", "failed", built=frozenset({("raw", "mon")})), run("tue", "failed")]

    progress = judge_partitions(("mon", "tue"), runs, assets=ASSETS, materialised=by_others(raw="mon", clean="mon"))

    assert (progress.having("done"), progress.having("failed")) == (("mon",), ("tue",))


@pytest.mark.parametrize(
    ("runs", "latest", "status"),
    [
        pytest.param([], 0.0, "done", id="no run of the backfill was for it"),
        pytest.param(["failed"], 9.0, "failed", id="a run failed at it"),
        pytest.param(["failed"], 11.0, "done", id="a run failed at it before somebody materialised it"),
    ],
)
def test_an_asset_without_partitions_follows_the_others(runs: list[RunOutcome], latest: float, status: str) -> None:
    materialised = Materialised({"raw": frozenset({"mon"})}, frozenset({"clean"}), {"clean": latest})

    progress = judge_partitions(("mon",), [run("mon", o) for o in runs], assets=ASSETS, materialised=materialised)

    assert progress.states["mon"].status == status


def test_an_asset_without_partitions_is_made_again_with_the_others() -> None:
    materialised = Materialised({"raw": frozenset()}, frozenset({"clean"}), {"clean": 11.0})

    assert judge_partitions(("mon",), (), assets=ASSETS, materialised=materialised).states["mon"].lacking == ASSETS


def test_the_plan_ahead_is_every_batch_in_order() -> None:
    progress = judge(run("mon", "succeeded"))

    batches = [
        [key for run in launch.runs for key in run.keys]
        for launch in plan_ahead(progress, BackfillRules(4, 2), assets=ASSETS, positions=POSITIONS)
    ]

    assert batches == [["tue", "wed", "thu", "fri"], ["sat", "sun"]]


@dataclass
class World:
    """A Dagster instance as far as a backfill sees it."""

    runs: dict[str, SeenRun] = field(default_factory=dict)
    materialised: Counter[tuple[str, str]] = field(default_factory=Counter)
    by_others: set[tuple[str, str]] = field(default_factory=set)
    clock: float = 1.0

    def launch(self, request: RunToLaunch) -> None:
        run_id = f"{request.keys[0]}...{request.keys[-1]}/{request.attempt}"
        if run_id not in self.runs:  # the run key: Dagster launches nothing twice by one
            self.runs[run_id] = SeenRun(
                run_id, "in_flight", frozenset(request.keys), request.assets, attempt=request.attempt
            )

    def end(self, run_id: str, outcome: RunOutcome, *, assets: int) -> None:
        """End a run after it materialised so many of what it was started for; all of it when it succeeds."""
        seen = self.runs[run_id]
        planned = [(asset, key) for key in sorted(seen.partitions) for asset in sorted(seen.assets or ASSETS)]
        built = planned if outcome == "succeeded" else planned[:assets]
        self.materialised.update(built)
        self.clock += 1
        self.runs[run_id] = replace(seen, outcome=outcome, built=frozenset(built), ended=self.clock)

    @property
    def everything(self) -> Materialised:
        there = self.by_others | set(self.materialised)
        return Materialised({asset: frozenset(key for one, key in there if one == asset) for asset in ASSETS})

    @property
    def in_flight(self) -> list[str]:
        return sorted(run_id for run_id, seen in self.runs.items() if seen.outcome == "in_flight")


class BackfillMachine(RuleBasedStateMachine):
    """Ticks, runs that end in every way, daemons that die between deciding and launching, users who ask again,
    and others who materialise partitions of its."""

    @initialize(
        size=st.integers(1, 7),
        batch_size=st.integers(1, 4),
        per_run=st.none() | st.integers(1, 3),
        on_failure=st.sampled_from(["stop", "continue"]),
    )
    def begin(self, size: int, batch_size: int, per_run: int | None, on_failure: str) -> None:
        self.keys = KEYS[:size]
        self.backfill_rules = BackfillRules(batch_size, per_run, on_failure)  # type: ignore[arg-type] # one of the two
        self.world = World()
        self.asked = 0.0
        self.interrupted: list[RunToLaunch] = []

    def progress(self) -> Progress:
        return judge_partitions(
            self.keys,
            list(self.world.runs.values()),
            assets=ASSETS,
            retried_since=self.asked,
            materialised=self.world.everything,
        )

    def decision(self) -> Decision:
        return decide(self.progress(), self.backfill_rules, assets=ASSETS, positions=POSITIONS)

    @rule(launched=st.integers(0, 4), resumed=st.booleans())
    def tick(self, launched: int, resumed: bool) -> None:
        """A tick; the daemon is killed after *launched* runs, and resumes the tick when it is back, or does not."""
        for request in self.interrupted:
            self.world.launch(request)
        self.interrupted = []
        before = self.progress()
        decision = self.decision()
        if not isinstance(decision, Launch):
            return
        keys = [key for request in decision.runs for key in request.keys]
        assert not self.world.in_flight
        assert keys == list(before.having("missing"))[: len(keys)]
        assert len(keys) == min(self.backfill_rules.batch_size, len(before.having("missing")))
        assert all(is_range(request.keys, POSITIONS) for request in decision.runs)
        launches = {(asset, key) for run in decision.runs for key in run.keys for asset in run.assets or ASSETS}
        assert not launches & (self.world.by_others | set(self.world.materialised))
        assert all(
            self.backfill_rules.per_run is None or len(r.keys) <= self.backfill_rules.per_run for r in decision.runs
        )
        for request in decision.runs[:launched]:
            self.world.launch(request)
        if resumed:
            self.interrupted = list(decision.runs)

    @precondition(lambda self: self.world.in_flight)
    @rule(
        which=st.integers(0, 9),
        outcome=st.sampled_from(["succeeded", "succeeded", "failed", "canceled", "lost"]),
        assets=st.integers(0, 6),
    )
    def end_a_run(self, which: int, outcome: RunOutcome, assets: int) -> None:
        runs = self.world.in_flight
        self.world.end(runs[which % len(runs)], outcome, assets=assets)

    @rule(day=st.integers(0, 6), assets=st.sets(st.sampled_from(sorted(ASSETS)), min_size=1))
    def materialise_outside(self, day: int, assets: set[str]) -> None:
        """Somebody materialises assets of a partition for which no run is in flight, or about to be."""
        key = self.keys[day % len(self.keys)]
        about_to_be = {one for request in self.interrupted for one in request.keys}
        if key not in self.progress().having("in_flight") and key not in about_to_be:
            self.world.by_others |= {(asset, key) for asset in assets}
            if assets == ASSETS:
                assert self.progress().states[key].status == "done"

    @rule()
    def ask_again(self) -> None:
        self.world.clock += 1
        self.asked = self.world.clock

    @invariant()
    def nothing_is_materialised_twice(self) -> None:
        if hasattr(self, "world"):
            assert all(count == 1 for count in self.world.materialised.values())

    @invariant()
    def the_bound_holds(self) -> None:
        if hasattr(self, "world"):
            assert len(self.progress().having("in_flight")) <= self.backfill_rules.batch_size

    def teardown(self) -> None:
        """In the end, asked again and with runs that succeed, everything is there, once."""
        if not hasattr(self, "world"):
            return
        for run_id in self.world.in_flight:
            self.world.end(run_id, "lost", assets=0)
        self.ask_again()
        while isinstance(decision := self.decision(), Launch):
            for request in decision.runs:
                self.world.launch(request)
            for run_id in self.world.in_flight:
                self.world.end(run_id, "succeeded", assets=0)
        assert decision == Finish()
        everything = {(asset, key) for asset in ASSETS for key in self.keys}
        assert set(self.world.materialised) | self.world.by_others == everything
        assert set(self.world.materialised.values()) <= {1}


TestBackfillMachine = BackfillMachine.TestCase
TestBackfillMachine.settings = settings(stateful_step_count=30)
