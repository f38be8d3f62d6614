"""Local trace files and the trees of their spans."""

import os
from pathlib import Path

from floe_dagster.observability.ids import span_id
from floe_dagster.observability.local.files import RunFile, list_run_files
from floe_dagster.observability.local.trace_tree import TraceTree, build_tree
from floe_dagster.observability.local.traces import LocalTrace, read_trace
from written_traces import BEGIN, RUN, SECOND, WrittenTrace, shop_trace


def read(trace: WrittenTrace, folder: Path) -> LocalTrace:
    return read_trace(RunFile(trace.run_id, trace.write(folder), 0.0))


def outline(tree: TraceTree) -> list[str]:
    """Names in the order of the tree, two blanks for each level, `?` after stand-ins."""
    return [
        f"{'  ' * tree.depths[key]}{span.name}{' ?' if key in tree.open else ''}" for key, span in tree.spans.items()
    ]


def test_the_file_that_was_written_last_comes_first(tmp_path: Path) -> None:
    for name, at in (("a", 20), ("b", 30), ("c", 10)):
        (tmp_path / f"{name}.jsonl").write_text("", encoding="utf-8")
        os.utime(tmp_path / f"{name}.jsonl", (at, at))
    (tmp_path / "note.txt").write_text("", encoding="utf-8")

    assert [(file.run_id, file.written_at) for file in list_run_files(tmp_path)] == [("b", 30), ("a", 20), ("c", 10)]
    assert list_run_files(tmp_path / "missing") == ()


def test_a_span_is_read_with_all_that_it_tells(tmp_path: Path) -> None:
    trace = WrittenTrace()
    key = trace.step("load", 1, 2.5, error="ValueError: no 'rows'")
    trace.span(
        1,
        "note",
        0,
        0,
        attributes={
            "text": "ä",
            "yes": True,
            "ratio": 0.5,
            "keys": ["a", "b"],
            "none": None,
            "not a number": float("nan"),
        },
    )

    step, note = read(trace, tmp_path).spans

    assert (step.span_id, step.parent_id, step.trace_id) == (key, trace.run_key, RUN.replace("-", ""))
    assert (step.started_at, step.ended_at) == (BEGIN + SECOND, BEGIN + 2_500_000_000)
    assert (step.status, step.message) == ("error", "no 'rows'")
    assert step.attributes["dagster.retry_number"] == 0
    assert [(event.name, event.attributes["exception.type"]) for event in step.events] == [("exception", "ValueError")]
    assert (note.parent_id, note.attributes["not a number"]) == ("", "nan")
    assert {name: note.attributes[name] for name in ("text", "yes", "ratio", "keys", "none")} == {
        "text": "ä",
        "yes": True,
        "ratio": 0.5,
        "keys": ["a", "b"],
        "none": None,
    }


def test_lines_that_are_cut_off_or_something_else_are_counted(tmp_path: Path) -> None:
    trace = WrittenTrace()
    trace.run(1)
    path = trace.write(tmp_path)
    others = ["[]", "1", '{"resourceSpans": 3}', '{"resourceSpans": [{"scopeSpans": [{"spans": [{}]}]}]}', "[" * 10_000]
    path.write_bytes(b"\xff\n\n" + trace.text.encode() + "\n".join([*others, trace.text[:80]]).encode())

    found = read_trace(RunFile(RUN, path, 0.0))

    assert [span.name for span in found.spans] == ["run full_pipeline"]
    assert found.unreadable_lines == 7


def test_spans_stand_below_their_parents_in_the_order_in_which_they_began(tmp_path: Path) -> None:
    assert outline(build_tree(read(shop_trace(tests=1), tmp_path))) == [
        "run full_pipeline",
        "  step bronze_customers",
        "    asset bronze/customers",
        "  step bronze_orders",
        "    asset bronze/orders",
        "  step bronze_products",
        "    asset bronze/products",
        "  step dbt_online_shop",
        "    model stg_customers",
        "    model stg_orders",
        "    model stg_products",
        "    test not_null_stg_orders_0",
        "    model revenue_by_month",
        "      batch revenue_by_month",
        "      batch revenue_by_month",
        "      batch revenue_by_month",
        "      batch revenue_by_month",
        "    model customer_orders",
    ]


def test_a_span_that_was_written_twice_counts_once(tmp_path: Path) -> None:
    trace = WrittenTrace()
    trace.run(1)
    trace.run(2, error="RuntimeError: the process is gone")

    tree = build_tree(read(trace, tmp_path))

    assert [span.status for span in tree.spans.values()] == ["error"]


def test_of_a_run_under_way_what_has_not_ended_has_a_stand_in(tmp_path: Path) -> None:
    trace = WrittenTrace()
    trace.step("bronze", 0, 1)
    trace.below("dbt", "model stg_orders", 2, 3)
    trace.below("dbt", "test unique", 3, 4)
    trace.span(9, "batch daily", 4, 5, parent=f"{7:016x}", attributes={"dagster.step_key": "dbt"})

    tree = build_tree(read(trace, tmp_path))

    assert outline(tree) == [
        "run full_pipeline ?",
        "  step bronze",
        "  step dbt ?",
        "    model stg_orders",
        "    test unique",
        "    model daily ?",
        "      batch daily",
    ]
    step = tree.spans[f"{span_id('step', RUN, 'dbt', 0):016x}"]
    assert ((step.started_at - BEGIN) / SECOND, (step.ended_at - BEGIN) / SECOND) == (2, 5)
    assert (tree.started_at, tree.ended_at) == (BEGIN, BEGIN + 5 * SECOND)
    assert not tree.is_complete


def test_a_run_that_continues_the_trace_of_another_system_is_the_root(tmp_path: Path) -> None:
    trace = WrittenTrace()
    trace.step("load", 0, 1)
    trace.span(int(trace.run_key, 16), "run full_pipeline", 0, 1, parent="00f067aa0ba902b7")

    tree = build_tree(read(trace, tmp_path))

    assert outline(tree) == ["run full_pipeline", "  step load"]
    assert tree.is_complete


def test_spans_without_a_known_parent_and_spans_in_a_circle_stand_below_the_run(tmp_path: Path) -> None:
    trace = WrittenTrace()
    trace.run(9)
    trace.span(1, "one", 1, 2, parent=f"{2:016x}")
    trace.span(2, "two", 2, 3, parent=f"{1:016x}")
    trace.span(3, "three", 3, 4, parent=f"{4:016x}")

    assert outline(build_tree(read(trace, tmp_path))) == ["run full_pipeline", "  one", "  two", "  three"]
