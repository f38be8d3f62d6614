"""The critical path: which spans the end of a run waited for."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from floe_dagster.observability.ids import span_id
from floe_dagster.observability.local.critical_path import find_critical_path
from floe_dagster.observability.local.trace_tree import TraceTree, build_tree
from floe_dagster.observability.local.traces import LocalSpan, LocalTrace

MILLISECOND = 1_000_000
ROOT = f"{span_id('run', 'r'):016x}"


def tree_of(*spans: tuple[str, str, int, int]) -> TraceTree:
    """A tree of (name, parent's name, begin, end); times are tenths of a second, the run is called `run`."""
    scale = 100 * MILLISECOND
    made = [
        LocalSpan(
            ROOT if name == "run" else name, ROOT if parent == "run" else parent, name, begin * scale, end * scale
        )
        for name, parent, begin, end in spans
    ]
    return build_tree(LocalTrace("r", tuple(made)))


def path(*spans: tuple[str, str, int, int]) -> list[tuple[str, float, float]]:
    scale = 100 * MILLISECOND
    return [
        ("run" if part.span_id == ROOT else part.span_id, part.started_at / scale, part.ended_at / scale)
        for part in find_critical_path(tree_of(*spans))
    ]


def test_a_run_without_anything_below_it_is_its_own_path() -> None:
    assert path(("run", "", 0, 5)) == [("run", 0, 5)]


def test_an_asset_that_several_steps_compute_is_not_on_it_in_their_place() -> None:
    tree = tree_of(("run", "", 0, 5), ("one", "run", 1, 3), ("two", "run", 3, 5), ("asset", "run", 1, 5))
    of_graph = replace(tree.spans["asset"], attributes={"floe.asset.of_graph": True})

    found = find_critical_path(replace(tree, spans={**tree.spans, "asset": of_graph}))

    assert [part.span_id for part in found] == [ROOT, "one", "two"]


def test_steps_that_follow_one_another_are_all_on_it_and_the_time_between_is_the_runs() -> None:
    assert path(("run", "", 0, 10), ("a", "run", 1, 4), ("b", "run", 5, 9)) == [
        ("run", 0, 1),
        ("a", 1, 4),
        ("run", 4, 5),
        ("b", 5, 9),
        ("run", 9, 10),
    ]


def test_of_steps_side_by_side_the_one_that_ended_last_counts() -> None:
    assert path(("run", "", 0, 9), ("short", "run", 0, 4), ("long", "run", 0, 6), ("then", "run", 6, 9)) == [
        ("long", 0, 6),
        ("then", 6, 9),
    ]


def test_a_step_that_went_on_when_the_next_began_held_nothing_up() -> None:
    assert path(("run", "", 0, 9), ("first", "run", 0, 3), ("aside", "run", 0, 7), ("last", "run", 3, 9)) == [
        ("first", 0, 3),
        ("last", 3, 9),
    ]


def test_it_goes_into_a_step_down_to_batches() -> None:
    spans = [
        ("run", "", 0, 10),
        ("dbt", "run", 0, 10),
        ("model", "dbt", 2, 8),
        ("batch 1", "model", 2, 5),
        ("batch 2", "model", 5, 7),
        ("test", "dbt", 8, 9),
        ("aside", "dbt", 2, 3),
    ]

    assert path(*spans) == [
        ("dbt", 0, 2),
        ("batch 1", 2, 5),
        ("batch 2", 5, 7),
        ("model", 7, 8),
        ("test", 8, 9),
        ("dbt", 9, 10),
    ]


def test_what_is_skipped_and_what_lies_outside_of_its_parent_takes_no_time() -> None:
    spans = [("run", "", 0, 4), ("skipped", "run", 4, 4), ("before", "run", -3, -1), ("over", "run", 3, 9)]

    assert path(*spans) == [("run", 0, 3), ("over", 3, 4)]


def test_clocks_that_differ_by_less_than_a_millisecond_break_no_chain() -> None:
    late = LocalSpan("a", ROOT, "a", 0, 50 * MILLISECOND + 900_000)
    then = LocalSpan("b", ROOT, "b", 50 * MILLISECOND, 90 * MILLISECOND)
    run = LocalSpan(ROOT, "", "run", 0, 90 * MILLISECOND)

    found = find_critical_path(build_tree(LocalTrace("r", (late, then, run))))

    assert [(part.span_id, part.ended_at) for part in found] == [("a", 50 * MILLISECOND), ("b", 90 * MILLISECOND)]


def test_of_a_run_under_way_it_ends_with_what_ended_last() -> None:
    assert path(("a", "run", 1, 4), ("b", "run", 4, 6)) == [("a", 1, 4), ("b", 4, 6)]


spans_below_a_run = st.lists(st.tuples(st.integers(0, 8), st.integers(-5, 40), st.integers(0, 30)), max_size=9)


@given(spans_below_a_run)
def test_its_stretches_follow_one_another_from_the_runs_start_to_its_end(below: Sequence[tuple[int, int, int]]) -> None:
    spans = [("run", "", 0, 30)]
    spans += [
        (str(number), "run" if parent >= number else str(parent), begin, begin + length)
        for number, (parent, begin, length) in enumerate(below)
    ]

    found = path(*spans)

    assert (found[0][1], found[-1][2]) == (0, 30)
    assert all(one[2] == other[1] for one, other in pairwise(found))
    assert all(begin < end for _, begin, end in found)
    times = {name: (begin, end) for name, _, begin, end in spans}
    assert all(times[name][0] <= begin and end <= times[name][1] for name, begin, end in found)
