import os
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import replace
from io import StringIO

import pytest
from rich.console import Console

from floe_cli.backfill_display import open_backfill_display
from floe_cli.run_display import lines_of, open_display, print_partition_reports, print_report
from floe_dagster.running.run_news import (
    AssetResult,
    CheckResult,
    OpResult,
    RunNews,
    RunRetried,
    RunStarted,
    StepFailed,
    StepFinished,
    StepRetried,
    StepStarted,
)
from floe_dagster.running.runs import RunReport

NEWS: dict[str, tuple[RunNews, list[str]]] = {
    "run started": (RunStarted("1f3a", 10, 1), ["run 1f3a: 10 assets, 1 check"]),
    "run retried": (RunRetried("1f3a", 1, 2), ["  retry   the run, from where it failed (retry 1 of 2)"]),
    "one asset": (StepStarted("orders", ("bronze/orders",), 0), ["  start   bronze/orders"]),
    "several assets": (
        StepStarted("shop_dbt", ("a", "b", "c", "d", "e"), 7),
        ["  start   shop_dbt: 5 assets (a, b, c, d, …)"],
    ),
    "dbt": (
        StepStarted("shop_dbt", ("a", "b"), 7, is_dbt=True),
        ["  start   shop_dbt: 2 assets (a, b)", "          dbt is starting"],
    ),
    "an op": (StepStarted("sweep", (), 0), ["  start   sweep"]),
    "op finished after almost two minutes": (
        StepFinished("sweep", 119.7),
        [f"  done    {'sweep':<44} {'':14} {'2 min 0 s':>10}"],
    ),
    "op finished": (StepFinished("sweep", 61.4), [f"  done    {'sweep':<44} {'':14} {'1 min 1 s':>10}"]),
    "op that says something": (
        StepFinished("sweep", 0.5, {"rows": 3, "tables": ["a", "ä"], "note": "two\nlines", "long": "x" * 200}),
        [
            f"  done    {'sweep':<44} {'':14} {'0.50 s':>10}",
            "          rows: 3",
            '          tables: ["a", "ä"]',
            "          note: two lines",
            f"          long: {'x' * 160}…",
        ],
    ),
    "ops job started": (RunStarted("1f3a", 0, 0), ["run 1f3a"]),
    "step retried": (StepRetried("sweep", "ValueError: x"), ["  retry   sweep", "          ValueError: x"]),
    "step failed": (
        StepFailed("shop_dbt", "Binder Error\n\n  LINE 1", ("bad",)),
        ["  failed  bad", "          Binder Error", "", "            LINE 1"],
    ),
    "op finished with tables": (
        StepFinished("sweep", 0.5, {"tables": [{"table": f"t{number}", "files": number} for number in range(22)]}),
        [
            f"  done    {'sweep':<44} {'':14} {'0.50 s':>10}",
            "          tables:",
            *(f"            table t{number}, files {number}" for number in range(20)),
            "            and 2 more",
        ],
    ),
    "run failed": (StepFailed("", "no such resource"), ["  failed  the run", "          no such resource"]),
    "asset built": (
        AssetResult("bronze/orders", "materialized", 1234, 0.414),
        [f"  built   {'bronze/orders':<44} {'1,234 rows':>14} {'0.41 s':>10}"],
    ),
    "partition built": (
        AssetResult("orders", "materialized", None, 12.0, "2024-01-01"),
        [f"  built   {'orders [2024-01-01]':<44} {'':14} {'12.0 s':>10}"],
    ),
    "asset observed": (
        AssetResult("feed", "observed", None, 0.04),
        [f"  observed {'feed':<44} {'':14} {'0.04 s':>10}"],
    ),
    "check passed": (CheckResult("orders", "unique_id", "passed", "fine"), ["  passed  check orders: unique_id"]),
    "check warned": (
        CheckResult("orders", "few", "warned", "fewer than usual"),
        ["  warned  check orders: few", "          fewer than usual"],
    ),
}


@pytest.mark.parametrize(("news", "lines"), NEWS.values(), ids=NEWS)
def test_each_thing_that_happens_is_a_line(news: RunNews, lines: list[str]) -> None:
    shown = StringIO()

    with open_display(shown, live=False) as display:
        display.show(news)

    assert shown.getvalue().splitlines() == lines


def test_a_terminal_gets_the_same_lines_above_its_bar() -> None:
    shown = StringIO()

    with open_display(shown, live=True) as display:
        for news, _ in NEWS.values():
            display.show(news)

    for news, _ in NEWS.values():
        if not isinstance(news, StepStarted):
            assert all(line.strip() in shown.getvalue() for line in lines_of(news))


@pytest.mark.parametrize("open_it", [open_display, open_backfill_display], ids=["run", "backfill"])
def test_what_others_print_meanwhile_stays_out_of_the_terminal(
    open_it: Callable[..., AbstractContextManager[object]], capsys: pytest.CaptureFixture[str]
) -> None:
    terminal, its_end = os.openpty()
    with os.fdopen(terminal, "rb", buffering=0) as screen, os.fdopen(its_end, "w") as stream:
        with open_it(stream, live=True):
            print("told by Dagster", file=sys.stderr)
        shown = screen.read(100_000)

    assert b"\x1b" in shown  # there was a bar
    assert b"told by Dagster" not in shown
    assert capsys.readouterr().err == "told by Dagster\n"


def test_a_terminal_shows_that_dbt_is_starting_until_the_first_asset_is_built() -> None:
    def description_after(*news: RunNews) -> str:
        with open_display(StringIO(), live=True) as display:
            for item in news:
                display.show(item)
            [task] = display._progress.tasks  # type: ignore[attr-defined] # what the bar says
            return str(task.description)

    dbt = StepStarted("shop_dbt", ("a", "b"), 7, is_dbt=True)
    built = AssetResult("a", "materialized")

    assert description_after(dbt, StepStarted("orders", ("orders",), 0)) == "dbt is starting, orders"
    assert description_after(dbt, built) == "shop_dbt: 2 assets (a, b)"
    assert description_after(dbt, CheckResult("b", "unique_id", "passed")) == "shop_dbt: 2 assets (a, b)"
    assert description_after(dbt, built, StepFailed("shop_dbt", "x")) == "running"
    assert description_after(dbt, built, RunRetried("1f3a", 1, 2), dbt) == "dbt is starting"


REPORT = RunReport(
    run_id="1f3a",
    job="full_pipeline",
    status="failure",
    seconds=83.0,
    assets=(
        AssetResult("bronze_orders", "materialized", 830, 1.25),
        AssetResult("stg_orders", "failed"),
        AssetResult("revenue", "skipped", because=("stg_orders",)),
        AssetResult("costs", "skipped", because=("check stg_costs: unique_id", "a", "b", "c", "d")),
        AssetResult("rates", "skipped"),
    ),
    checks=(
        CheckResult("bronze_orders", "few", "warned", "fewer than usual"),
        CheckResult("stg_orders", "unique_id", "skipped"),
    ),
    failures=(StepFailed("shop_dbt", "Binder Error", ("stg_orders",)),),
    groups={"bronze_orders": "bronze", "stg_orders": "silver", "revenue": "gold"},
)


def printed(report: RunReport, *, ui_is_up: bool) -> str:
    shown = StringIO()
    url = "http://127.0.0.1:3000/runs/1f3a"
    print_report(Console(file=shown, width=240), report, url=url, ui_is_up=ui_is_up, log=".floe/logs/run.log")
    return "\n".join(line.rstrip() for line in shown.getvalue().splitlines())


def test_the_report_of_a_failed_run() -> None:
    assert printed(REPORT, ui_is_up=False) == (
        "\n"
        " asset           group    status                                                        rows     time\n"
        " ────────────────────────────────────────────────────────────────────────────────────────────────────\n"
        " bronze_orders   bronze   built                                                          830   1.25 s\n"
        " stg_orders      silver   failed\n"
        " revenue         gold     skipped: stg_orders failed\n"
        " costs                    skipped: check stg_costs: unique_id, a, b and 2 more failed\n"
        " rates                    skipped\n"
        "\n"
        "2 checks: 1 warned, 1 skipped\n"
        "  warned: bronze_orders: few\n"
        "full_pipeline failed in 1 min 23 s, 1 of 5 assets built\n"
        "what it printed: .floe/logs/run.log\n"
        "in Dagster's UI: floe dev, then http://127.0.0.1:3000/runs/1f3a"
    )


@pytest.mark.parametrize(
    ("assets", "counted"),
    [
        ((AssetResult("feed", "observed", None, 0.1),), "1 asset observed"),
        ((AssetResult("feed", "observed"), AssetResult("a", "materialized")), "1 of 1 asset built, 1 asset observed"),
        ((AssetResult("a", "skipped"),), "0 of 1 asset built"),
    ],
)
def test_what_was_observed_is_counted_apart(assets: tuple[AssetResult, ...], counted: str) -> None:
    report = RunReport("1f3a", "look", "success", 0.5, assets, (), (), {})

    assert f"look succeeded in 0.50 s, {counted}\n" in printed(report, ui_is_up=True)


def test_a_ui_that_is_up_is_named_by_its_address_alone() -> None:
    assert printed(REPORT, ui_is_up=True).endswith("\nin Dagster's UI: http://127.0.0.1:3000/runs/1f3a")


def test_the_report_of_an_ops_job_shows_its_ops() -> None:
    ops = (OpResult("sweep", "done", 0.25, {"rows": 3}), OpResult("sweep_2", "failed"))
    report = RunReport("1f3a", "vacuum", "failure", 0.5, (), (), (), {}, ops)

    assert printed(report, ui_is_up=True) == (
        "\n"
        " op        status     time\n"
        " ─────────────────────────\n"
        " sweep     done     0.25 s\n"
        " sweep_2   failed\n"
        "\n"
        "vacuum failed in 0.50 s\nwhat it printed: .floe/logs/run.log\n"
        "in Dagster's UI: http://127.0.0.1:3000/runs/1f3a"
    )


def test_runs_for_partitions_are_told_apart_while_they_run() -> None:
    lines, bar = StringIO(), StringIO()

    with open_display(lines, live=False) as display:
        display.begin("2024-01-03", 3, 31)
    with open_display(bar, live=True) as display:
        display.show(StepStarted("late", ("late",), 0))
        display.begin("2024-01-03", 3, 31)
        display.show(StepStarted("orders", ("orders",), 0))
        [task] = display._progress.tasks  # type: ignore[attr-defined] # what the bar says

    assert lines.getvalue() == "2024-01-03 (3 of 31)\n"
    assert "2024-01-03 (3 of 31)" in bar.getvalue()
    assert task.description == "3/31 2024-01-03: orders"


def test_the_report_of_runs_for_partitions() -> None:
    shown = StringIO()
    good = RunReport("1a", "load", "success", 2.5, (AssetResult("orders", "materialized", partition="a"),), (), (), {})
    bad = replace(REPORT, run_id="2b", job="load")
    url = "http://127.0.0.1:3000/runs"

    print_partition_reports(
        Console(file=shown, width=240),
        {"a": good, "b": bad, "c": None},
        urls={"1a": f"{url}/1a", "2b": f"{url}/2b"},
        ui_is_up=True,
        log=".floe/logs/run.log",
    )

    assert "\n".join(line.rstrip() for line in shown.getvalue().splitlines()) == (
        "\n"
        " partition   status        assets         time\n"
        " ─────────────────────────────────────────────\n"
        " a           succeeded     1 of 1       2.50 s\n"
        " b           failed        1 of 5   1 min 23 s\n"
        " c           not started\n"
        "\n"
        "  b failed: stg_orders\n"
        "          Binder Error\n"
        "load: 1 of 3 runs succeeded in 1 min 26 s\n"
        "what they printed: .floe/logs/run.log\n"
        "the last one in Dagster's UI: http://127.0.0.1:3000/runs/2b"
    )
