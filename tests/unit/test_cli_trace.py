"""`floe trace` on local traces that are written by hand."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from io import StringIO
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from inline_snapshot import snapshot
from rich.console import Console

from floe_cli.main import run_command_line
from floe_cli.trace_display import print_trace
from floe_cli.trace_page import trace_page
from floe_cli.trace_report import report_trace
from floe_core.project import ProjectFolder
from floe_core.schemas.platform_spec import embedded_platform
from floe_dagster.observability.local.files import RunFile
from floe_dagster.observability.local.trace_tree import build_tree
from floe_dagster.observability.local.traces import read_trace
from floe_dagster.running.instance import prepare_dagster_home
from plugins.user_project import UserProject
from written_traces import BEGIN, RUN, SECOND, WrittenTrace, shop_trace

TRACEPARENT = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
NOW = datetime.fromtimestamp(BEGIN / SECOND + 60, UTC)


@pytest.fixture(autouse=True)
def _project(user_project: UserProject, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("OTEL_")]:
        monkeypatch.delenv(name)
    user_project.write({"floe.yaml": "name: shop"})


def drawn(
    trace: WrittenTrace, folder: Path, *, width: int = 90, encoding: str = "utf-8", show_all: bool = False
) -> str:
    class Stream(StringIO):
        encoding = ""

    stream = Stream()
    stream.encoding = encoding
    console = Console(file=stream, width=width, highlight=False)
    report = report_trace(build_tree(read_trace(RunFile(RUN, trace.write(folder), 0.0))), written_at=NOW)
    print_trace(console, report, show_all=show_all, now=NOW)
    return stream.getvalue()


def shown(capfd: pytest.CaptureFixture[str], *arguments: str, code: int = 0) -> str:
    assert run_command_line(["trace", *arguments]) == code
    captured = capfd.readouterr()
    return captured.err if code else captured.out


def page_data(page: str) -> Any:
    [text] = re.findall(r'<script type="application/json" id="data">(.*?)</script>', page, re.DOTALL)
    return json.loads(text)


def test_the_waterfall_of_a_run_that_failed(tmp_path: Path) -> None:
    assert drawn(shop_trace(failing=True, tests=4), tmp_path) == snapshot("""\
run 2f1c7f5e-7a44-4d0b-9c0b-5c9d1c3f8f10 full_pipeline failed in 12.0 s
started 2026-09-21 14:13:20 UTC: 4 steps, 3 assets, 4 models, 5 tests

                                                      0                             12.0 s
✗ run full_pipeline               12.0 s              █░░░░░░░░░█░░░░░░░░░░░░░░░░░░░░░░░░█
✓   step bronze_customers         900 ms              ░░░░
✓     asset bronze/customers      830 ms  91 rows     ░░░░
✓   step bronze_orders            3.20 s              █░░░░░░░░░█
✓     asset bronze/orders         3.13 s  16,282 rows ███████████
✓   step bronze_products          400 ms                 ░░
✓     asset bronze/products       330 ms  77 rows        ░░
✗   step dbt_online_shop           8.3 s                        ████████░░░░░░███░░░░░░███
✓     model stg_customers         300 ms                                ░
✓     model stg_orders            2.10 s  2024-01-01                    ███████
✓     model stg_products          300 ms                                ░░
✓     test not_null_stg_orders_0   40 ms                                      █
✓     test not_null_stg_orders_1   40 ms                                      █
✓     test not_null_stg_orders_2   40 ms                                      █
!     test not_null_stg_orders_3   40 ms                                      █
✗     model customer_orders       2.50 s                                        ████████
        dbt.DatabaseError: Binder Error: Referenced column "customr_id" not found i…
–     test unique_customer_orders   0 ms                                               ▏

critical path █ what the end of the run waited for
     500 ms    4%  run itself
      70 ms    1%  step bronze_orders itself
     3.13 s   26%  bronze/orders
     3.54 s   30%  step dbt_online_shop itself
     2.10 s   17%  stg_orders
     2.50 s   21%  customer_orders
     160 ms    1%  4 more tests
""")


def test_without_unicode_and_in_a_narrow_terminal_everything_still_has_its_row(tmp_path: Path) -> None:
    assert drawn(shop_trace(tests=1), tmp_path, width=46, encoding="ascii") == snapshot("""\
run 2f1c7f5e-7a44-4d0b-9c0b-5c9d1c3f8f10 full_pipeline succeeded in 12.0 s
started 2026-09-21 14:13:20 UTC: 4 steps, 3 assets, 5 models, 1 test, 4 batches

                              0         12.0 s
+ run full_pipeline    12.0 s #===#==========#
+   bronze_customers   900 ms ==
+     bronze/customers 830 ms ==
+   bronze_orders      3.20 s #===#
+     bronze/orders    3.13 s #####
+   bronze_products    400 ms  =
+     bronze/products  330 ms  =
+   dbt_online_shop     8.3 s     ####==##==##
+     stg_customers    300 ms         =
+     stg_orders       2.10 s         ###
+     stg_products     300 ms         =
+     not_nul~orders_0  40 ms           #
+     revenue_by_month 2.20 s            ====
+       revenu~month 1 500 ms            ==
+       revenu~month 2 500 ms             ==
+       revenu~month 3 500 ms              =
+       revenu~month 4 500 ms              ==
+     customer_orders  2.50 s            ####

critical path # what the end of the run waited for
     500 ms    4%  run itself
      70 ms    1%  step bronze_orders itself
     3.13 s   26%  bronze/orders
     3.66 s   30%  step dbt_online_shop itself
     2.10 s   17%  stg_orders
     2.50 s   21%  customer_orders
      40 ms    0%  1 more test
""")


def test_what_is_not_among_the_longest_of_the_critical_path_is_told_by_its_kinds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("floe_cli.trace_display._NAMED", 2)

    assert drawn(shop_trace(failing=True, tests=4), tmp_path).splitlines()[-3:] == snapshot(
        [
            "     3.13 s   26%  bronze/orders",
            "     3.54 s   30%  step dbt_online_shop itself",
            "      5.3 s   44%  8 more: 2 models 4.60 s, 1 run 500 ms, 4 tests 160 ms, 1 step 70 ms",
        ]
    )


def test_no_line_is_wider_than_the_terminal_but_those_around_the_waterfall(tmp_path: Path) -> None:
    for width in (20, 33, 60, 100, 400):
        lines = drawn(shop_trace(failing=True, tests=4), tmp_path, width=width).split("\n\n")[1].splitlines()
        assert max(len(line) for line in lines) <= max(width, 25)


def test_many_tests_that_passed_are_one_row_unless_all_are_asked_for(tmp_path: Path) -> None:
    trace = shop_trace(tests=60)

    assert re.findall(r"\S+ tests? [\w ]+?(?=  )", drawn(trace, tmp_path)) == snapshot(
        ["3 tests passed", "12 tests passed", "44 tests passed"]
    )
    assert drawn(trace, tmp_path, show_all=True).count("not_null_stg_orders_") == 60


def test_a_run_under_way_is_said_to_be_so(tmp_path: Path) -> None:
    trace = WrittenTrace()
    trace.below("dbt", "model stg_orders", 1, 2)
    trace.requests.append({"resourceSpans": 1})

    assert drawn(trace, tmp_path, width=60).split("\n\n")[0] == snapshot("""\
run 2f1c7f5e-7a44-4d0b-9c0b-5c9d1c3f8f10 full_pipeline has not ended: 1.00 s so far
started 2026-09-21 14:13:21 UTC: 1 step, 1 model
the run's own span is missing: it is under way, or its process was killed; the last span was written 0 ms ago
1 line of the file could not be read\
""")


def test_of_a_run_without_its_own_span_dagster_is_asked(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DAGSTER_HOME", "")
    monkeypatch.delenv("DAGSTER_HOME")
    trace = WrittenTrace()
    trace.step("bronze", 1, 2)
    trace.write(Path.cwd())
    assert json.loads(shown(capfd, "--format", "json"))["state"] == ""

    home = prepare_dagster_home(ProjectFolder(Path.cwd()), embedded_platform())
    with dg.DagsterInstance.from_config(str(home.path)) as instance:
        instance.add_run(dg.DagsterRun("full_pipeline", run_id=RUN, status=dg.DagsterRunStatus.STARTED))
        begun = dg.DagsterEvent("STEP_START", "full_pipeline", step_key="dbt")
        instance.report_dagster_event(begun, RUN)

    assert json.loads(shown(capfd, "--format", "json"))["state"] == (
        "Dagster has it as STARTED, with dbt begun and not ended"
    )
    assert "own span is missing: Dagster has it as STARTED, with dbt begun" in shown(capfd)


@pytest.mark.parametrize(
    ("status", "said", "symbol"),
    [(dg.DagsterRunStatus.FAILURE, "failed", "✗"), (dg.DagsterRunStatus.SUCCESS, "succeeded", "✓")],
)
def test_a_run_without_its_own_span_ended_as_dagster_has_it(
    status: dg.DagsterRunStatus,
    said: str,
    symbol: str,
    capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("DAGSTER_HOME", "")
    monkeypatch.delenv("DAGSTER_HOME")
    trace = WrittenTrace()
    trace.below("dbt", "model stg_orders", 1, 2)
    trace.write(Path.cwd())
    home = prepare_dagster_home(ProjectFolder(Path.cwd()), embedded_platform())
    with dg.DagsterInstance.from_config(str(home.path)) as instance:
        instance.add_run(dg.DagsterRun("full_pipeline", run_id=RUN, status=status))
        instance.report_dagster_event(dg.DagsterEvent("STEP_START", "full_pipeline", step_key="dbt"), RUN)

    lines = shown(capfd).splitlines()

    assert lines[0] == f"run {RUN} full_pipeline {said}; its trace is incomplete, 1.00 s of it are there"
    assert f"Dagster has it as {status.value}" in lines[2]
    assert next(line for line in lines if line[2:].startswith("run full_pipeline"))[0] == symbol
    assert not any(line.startswith("…") for line in lines)
    assert json.loads(shown(capfd, "--format", "json"))["status"] == ("ok" if said == "succeeded" else "failed")


def test_a_newer_run_without_a_span_is_not_passed_over_in_silence(capfd: pytest.CaptureFixture[str]) -> None:
    shown_file = shop_trace(tests=1).write(Path.cwd())
    newer = "7c1d2a0e-3b6f-4a58-8f8e-0a9b8c7d6e5f"
    lineage = Path.cwd() / ".floe" / "observability" / "lineage"
    lineage.mkdir(parents=True)
    for run_id, at in ((RUN, 2_000_000_000), (newer, 2_000_000_001)):
        (lineage / f"{run_id}.jsonl").write_text("{}\n")
        os.utime(lineage / f"{run_id}.jsonl", (at, at))
    os.utime(shown_file, (2_000_000_000, 2_000_000_000))

    assert run_command_line(["trace"]) == 0
    assert capfd.readouterr().err == (
        f"run {newer} is newer and has no span: it is under way, its process was killed, or it is not traced\n"
    )
    assert run_command_line(["trace", RUN]) == 0
    assert capfd.readouterr().err == ""


def test_a_run_that_dagster_knows_is_not_said_to_be_unknown(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DAGSTER_HOME", "")
    monkeypatch.delenv("DAGSTER_HOME")
    shop_trace(tests=1).write(Path.cwd())
    dead = "7c1d2a0e-3b6f-4a58-8f8e-0a9b8c7d6e5f"
    home = prepare_dagster_home(ProjectFolder(Path.cwd()), embedded_platform())
    with dg.DagsterInstance.from_config(str(home.path)) as instance:
        instance.add_run(dg.DagsterRun("full_pipeline", run_id=dead, status=dg.DagsterRunStatus.STARTED))

    assert "why: Dagster has it as STARTED; spans are written as they end, and none was" in shown(capfd, dead, code=2)


def test_what_checks_found_stands_in_their_rows(tmp_path: Path) -> None:
    trace = WrittenTrace()
    found = {
        name: {
            "dagster.asset_check_key": f"plain:{name}",
            "dagster.asset_check.passed": passed,
            "dagster.asset_check.severity": severity,
            **({"dagster.asset_check.description": "no rows"} if severity == "ERROR" else {}),
        }
        for name, passed, severity in (("good", True, "ERROR"), ("odd", False, "WARN"), ("bad", False, "ERROR"))
    }
    trace.below("plain", "asset plain", 0, 1, found=list(found.values()))
    trace.below("plain", "check plain:odd_one", 1, 2, attributes={**found["odd"], "dagster.asset_check_key": "x"})
    trace.step("plain", 0, 2)
    trace.run(2)

    lines = drawn(trace, tmp_path, width=120).splitlines()

    rows = [re.sub(r" +[█░▏]+ *", "", line) for line in lines[4:13]]
    assert rows == snapshot(
        [
            "✓ run full_pipeline       2.00 s",
            "✓   step plain            2.00 s",
            "✓     asset plain         1.00 s",
            "✓       check plain:good    0 ms",
            "!       check plain:odd     0 ms  warned",
            "✗       check plain:bad     0 ms  failed",
            "          no rows",
            "!     check plain:odd_one 1.00 s  warned",
            "",
        ]
    )


def test_an_asset_that_was_left_out_and_one_that_was_cancelled_say_so(tmp_path: Path) -> None:
    trace = WrittenTrace()
    for name, status, ends in (("made", "succeeded", 1), ("left_out", "skipped", 0), ("stopped", "cancelled", 1)):
        error = "DagsterExecutionInterruptedError: stopped" if status == "cancelled" else ""
        trace.below("all", f"asset {name}", 0, ends, error=error, attributes={"dagster.asset.status": status})
    trace.step("all", 0, 1)
    trace.run(1)

    lines = drawn(trace, tmp_path).splitlines()

    assert {line.split()[2]: line[0] for line in lines if "asset " in line and line[0] in "✓–■"} == {
        "made": "✓",
        "left_out": "–",
        "stopped": "■",
    }


def test_an_error_is_told_once_and_without_what_the_row_says_anyway(tmp_path: Path) -> None:
    trace = WrittenTrace()
    error = "Runtime Error: Runtime Error in model refunds (models/marts/refunds.sql)\n  Invalid Input Error: broken"
    trace.below("dbt", "model refunds", 0, 1, error=error)
    trace.step("dbt", 0, 2, error="DagsterDbtCliRuntimeError: dbt failed")
    trace.step("other", 0, 2, error="OSError: disk is full")
    trace.below("dbt", "batch hours", 0.5, 1, error="Runtime Error: Runtime Error\n  Parser Error: syntax error")
    trace.run(2, error="DagsterDbtCliRuntimeError: dbt failed")

    lines = drawn(trace, tmp_path).splitlines()

    assert [line.strip() for line in lines if "Error" in line] == [
        "Invalid Input Error: broken",
        "Parser Error: syntax error",
        "OSError: disk is full",
    ]


def test_control_characters_of_names_and_errors_reach_no_terminal(tmp_path: Path) -> None:
    trace = WrittenTrace(job="\x1b[31mjob")
    trace.step("a\x1b[2Jb", 0, 1, error="ValueError: \x1b]0;title\x07")
    trace.run(1)

    assert "\x1b" not in drawn(trace, tmp_path)


def test_json_has_the_spans_in_order_and_the_critical_path(capfd: pytest.CaptureFixture[str]) -> None:
    shop_trace(tests=1).write(Path.cwd())

    told = json.loads(shown(capfd, "--format", "json"))

    assert {name: told[name] for name in ("run_id", "trace_id", "job", "status", "is_complete", "seconds")} == snapshot(
        {
            "run_id": "2f1c7f5e-7a44-4d0b-9c0b-5c9d1c3f8f10",
            "trace_id": "2f1c7f5e7a444d0b9c0b5c9d1c3f8f10",
            "job": "full_pipeline",
            "status": "ok",
            "is_complete": True,
            "seconds": 12.0,
        }
    )
    assert [(part["name"], part["seconds"]) for part in told["critical_path"]] == snapshot(
        [
            ("run full_pipeline", 0.5),
            ("step bronze_orders", 0.07),
            ("asset bronze/orders", 3.13),
            ("step dbt_online_shop", 3.66),
            ("model stg_orders", 2.1),
            ("test not_null_stg_orders_0", 0.04),
            ("model customer_orders", 2.5),
        ]
    )
    assert sum(part["seconds"] for part in told["critical_path"]) == pytest.approx(told["seconds"])
    [orders] = [span for span in told["spans"] if span["name"] == "model stg_orders"]
    assert {name: orders[name] for name in ("depth", "status", "begins", "seconds", "note")} == snapshot(
        {"depth": 2, "status": "ok", "begins": 6.0, "seconds": 2.1, "note": "2024-01-01"}
    )


def test_a_run_is_named_by_the_beginning_of_its_id_or_of_its_traces(capfd: pytest.CaptureFixture[str]) -> None:
    ids = ["aaaa1111-0000-4000-8000-000000000001", "aaaa2222-0000-4000-8000-000000000002"]
    for at, run_id in enumerate(ids):
        os.utime(shop_trace(run_id).write(Path.cwd()), (1_700_000_000 + at, 1_700_000_000 + at))

    def run_of(*arguments: str) -> str:
        return str(json.loads(shown(capfd, *arguments, "--format", "json"))["run_id"])

    assert run_of() == ids[1]
    assert run_of("aaaa1") == ids[0]
    assert run_of("AAAA11110000") == ids[0]
    assert shown(capfd, "aaaa", code=2) == snapshot("""\
error[FLOE-452]: 2 runs begin with 'aaaa'
      aaaa2222-0000-4000-8000-000000000002  2026-09-21 14:13:20 UTC
      aaaa1111-0000-4000-8000-000000000001  2026-09-21 14:13:20 UTC
  why: a run is named by as much of its id as tells it from the others
  fix: write more of the id
""")
    assert shown(capfd, "b", code=2) == snapshot("""\
error[FLOE-451]: there is no trace of run 'b'
      aaaa2222-0000-4000-8000-000000000002  2026-09-21 14:13:20 UTC
      aaaa1111-0000-4000-8000-000000000001  2026-09-21 14:13:20 UTC
  why: 2 runs left one
  fix: name one of them, or no run for the newest
""")


def test_a_run_that_continues_a_trace_is_named_by_the_beginning_of_that_ones_id(
    capfd: pytest.CaptureFixture[str],
) -> None:
    continued = "4bf92f3577b34da6a3ce929d0e0e4736"
    shop_trace(tests=1).write(Path.cwd())
    first = WrittenTrace("aaaa1111-0000-4000-8000-000000000001", trace=continued)
    first.run(1.0)
    first.write(Path.cwd())

    for asked in (continued, "4BF92F35", "aaaa1"):
        assert json.loads(shown(capfd, asked, "--format", "json"))["run_id"] == first.run_id

    second = WrittenTrace("aaaa2222-0000-4000-8000-000000000002", trace=continued)
    second.run(1.0)
    os.utime(second.write(Path.cwd()), (1_700_000_000, 1_700_000_000))
    assert shown(capfd, "4bf9", code=2) == snapshot("""\
error[FLOE-452]: 2 runs belong to traces of '4bf9'
      aaaa1111-0000-4000-8000-000000000001  2026-09-21 14:13:20 UTC
      aaaa2222-0000-4000-8000-000000000002  2026-09-21 14:13:20 UTC
  why: a trace that began elsewhere may hold several runs, and each has a file of its own
  fix: name one of the runs
""")


def test_without_traces_it_says_how_they_come_to_be(
    capfd: pytest.CaptureFixture[str], user_project: UserProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert shown(capfd, code=1) == snapshot("""\
error[FLOE-450]: there is no trace to show
  why: a run writes its trace into .floe/observability/traces, and none has so far
  fix: run a job: floe run JOB, or from Dagster's UI
""")
    assert not (Path.cwd() / ".floe").exists()

    user_project.write({"platform.yaml": "observability: {otlp_endpoint: https://otel.example.org}"})
    assert shown(capfd, RUN, code=1) == snapshot("""\
error[FLOE-450]: there is no trace to show
  why: traces are sent to https://otel.example.org and not kept here
  fix: look there: the id of the trace is 2f1c7f5e7a444d0b9c0b5c9d1c3f8f10, or that of its tag floe/traceparent
""")

    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://me:secret@localhost:4318")
    assert shown(capfd, code=1) == snapshot("""\
error[FLOE-450]: there is no trace to show
  why: traces are sent to http://localhost:4318 and not kept here
  fix: look there: the id of a run's trace is the run's id without hyphens, or that of its tag floe/traceparent
""")

    monkeypatch.setenv("OTEL_SDK_DISABLED", "true")
    assert shown(capfd, code=1) == snapshot("""\
error[FLOE-450]: there is no trace to show
  why: OTEL_SDK_DISABLED or OTEL_TRACES_EXPORTER switches traces off
  fix: unset it, then run a job
""")


def test_traces_that_go_elsewhere_now_are_not_passed_over_in_silence(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    shop_trace(tests=1).write(Path.cwd())
    for variable, value, endpoint in (
        ("OTEL_TRACES_EXPORTER", "otlp", "http://localhost:4318"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://me:secret@otel:4318", "http://otel:4318"),
    ):
        monkeypatch.setenv(variable, value)
        assert run_command_line(["trace"]) == 0
        said = f"traces go to {endpoint} now; the newest that was kept here is shown\n"
        assert capfd.readouterr().err == said
    assert run_command_line(["trace", RUN]) == 0
    assert capfd.readouterr().err == ""
    other = "7c1d2a0e-3b6f-4a58-8f8e-0a9b8c7d6e5f"
    where = "traces go to http://otel:4318 now, the id of the trace is 7c1d2a0e3b6f4a588f8e0a9b8c7d6e5f"
    unless = ", or that of its tag floe/traceparent"
    assert f"why: 1 run left one; {where}{unless}\n" in shown(capfd, other, code=2)
    monkeypatch.setenv("DAGSTER_HOME", "")
    monkeypatch.delenv("DAGSTER_HOME")
    home = prepare_dagster_home(ProjectFolder(Path.cwd()), embedded_platform())
    with dg.DagsterInstance.from_config(str(home.path)) as instance:
        instance.add_run(dg.DagsterRun("full_pipeline", run_id=other, status=dg.DagsterRunStatus.SUCCESS))
        continued = dg.DagsterRun("full_pipeline", run_id="c" + other[1:], tags={"floe/traceparent": TRACEPARENT})
        instance.add_run(continued)
    assert f"why: Dagster has it as SUCCESS; {where}\n" in shown(capfd, other, code=2)
    assert f"now, the id of the trace is {TRACEPARENT.split('-')[1]}\n" in shown(capfd, continued.run_id, code=2)


def test_a_file_without_a_span_is_no_trace(capfd: pytest.CaptureFixture[str]) -> None:
    path = WrittenTrace().write(Path.cwd())
    empty = shown(capfd, code=1)
    path.write_text("{\n", encoding="utf-8")

    assert (empty, shown(capfd, code=1)) == snapshot(
        (
            """\
error[FLOE-450]: the trace of run '2f1c7f5e-7a44-4d0b-9c0b-5c9d1c3f8f10' holds no span
  --> .floe/observability/traces/2f1c7f5e-7a44-4d0b-9c0b-5c9d1c3f8f10.jsonl
  why: spans are written as they end, and none has so far
""",
            """\
error[FLOE-450]: the trace of run '2f1c7f5e-7a44-4d0b-9c0b-5c9d1c3f8f10' holds no span
  --> .floe/observability/traces/2f1c7f5e-7a44-4d0b-9c0b-5c9d1c3f8f10.jsonl
  why: none of its 1 lines can be read
""",
        )
    )


def test_a_reader_that_goes_away_is_no_error_of_the_command(tmp_path: Path) -> None:
    shop_trace(failing=True, tests=4).write(tmp_path)
    (tmp_path / "floe.yaml").write_text("name: shop")
    program = "from floe_cli.main import main; main()"
    command = [sys.executable, "-c", program, "trace", "--project", str(tmp_path)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.close()

    shown = process.stderr.read()
    process.stderr.close()

    assert (process.wait(), shown) == (141, "")


def test_the_page_begins_with_what_went_wrong_first(capfd: pytest.CaptureFixture[str]) -> None:
    trace = WrittenTrace()
    trace.step("late", 0, 3, error="OSError: disk is full")
    first = trace.step("soon", 0, 1, error="ValueError: no orders")
    trace.step("last", 2, 4, error="OSError: disk is full")
    trace.run(4, error="OSError: failed: step 'soon'")
    trace.write(Path.cwd())

    assert page_data(shown(capfd, "--html", "-"))["first_failure"] == first


def test_what_was_skipped_says_why_once_for_a_reason(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    trace = WrittenTrace()
    skipped = {"cicd.pipeline.task.run.result": "skip", "dbt.node.status": "skipped"}
    reasons = (("one", ["orders"]), ("two", ["orders"]), ("three", ["orders", "test not_null_id"]))
    for begins, (name, because) in enumerate(reasons):
        trace.below("dbt", f"model {name}", begins, begins, attributes={**skipped, "floe.skipped_because": because})
    trace.step("dbt", 0, 2)
    trace.run(2)

    lines = [line.strip() for line in drawn(trace, tmp_path).splitlines()]
    trace.write(Path.cwd())
    told = json.loads(shown(capfd, "--format", "json"))

    assert [line for line in lines if "skipped" in line] == [
        "skipped: orders failed",
        "skipped: orders, test not_null_id failed",
    ]
    assert {span["label"]: span["because"] for span in told["spans"] if span["because"]} == {
        "one": ["orders"],
        "two": ["orders"],
        "three": ["orders", "test not_null_id"],
    }


def test_the_page_goes_into_a_file_or_to_stdout(capfd: pytest.CaptureFixture[str]) -> None:
    shop_trace().write(Path.cwd())

    text = shown(capfd, "--html", "-")
    Path("pictures").mkdir()
    assert run_command_line(["trace", "--html", "pictures/run.html"]) == 0

    assert capfd.readouterr().err == f"pictures/run.html: the trace of run {RUN}\n"
    assert Path("pictures/run.html").read_text(encoding="utf-8") == text.removesuffix("\n")
    assert page_data(text)["run_id"] == RUN
    assert run_command_line(["trace", "--html", "absent/run.html"]) == 2
    assert "--html cannot write absent/run.html: there is no folder absent" in capfd.readouterr().err
    assert run_command_line(["trace", "--html", "run.html", "--format", "json"]) == 2
    assert "give one of them" in capfd.readouterr().err
    assert not Path("run.html").exists()


HOSTILE: Sequence[str] = (
    "<script>alert(1)</script>",
    "</script><img src=x onerror=alert(1)>",
    "<!--",
    "\u2028",
    "\ud800",
)


@pytest.mark.parametrize("text", HOSTILE, ids=["script", "end of script", "comment", "line separator", "surrogate"])
def test_nothing_in_a_trace_becomes_a_part_of_the_page(text: str, tmp_path: Path) -> None:
    def page_of(name: str) -> str:
        trace = WrittenTrace(job=name)
        trace.span(1, name, 0, 1, error=f"ValueError: {name}")
        trace.run(1, attributes={name: name})
        read = read_trace(RunFile(RUN, trace.write(tmp_path), 0.0))
        return trace_page(report_trace(build_tree(read), written_at=NOW))

    page, plain = page_of(text), page_of("plain")

    page.encode()
    assert re.findall(r"<[!/\w]+", page) == re.findall(r"<[!/\w]+", plain)
    assert page_data(page)["spans"][0]["attributes"][text] == text
    assert not re.search(r"""(?:src|href)=["'](?!data:)|url\(|https?://|@import""", plain)
