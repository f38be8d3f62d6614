"""Nodes of a dbt call, told from logs that dbt wrote."""

import time
from collections import Counter
from datetime import UTC, datetime
from typing import Any

import pytest

from dbt_logs import call_of, ends_by_name, events_in, golden_log, lifecycle_of
from floe_dagster.observability.dbt_log.lifecycle import NodeLifecycle
from floe_dagster.observability.dbt_log.node_results import parse_time, read_result
from floe_dagster.observability.records import BatchEnded, NodeEnded, NodeStarted, Outcome, Record

LOGS = ("a_model", "an_ephemeral", "a_test")
NODES = {
    "countries", "stg_orders", "stg_customers", "slow_report", "customer_codes", "orders_so_far", "orders_by_year",
    "orders_history", "refunds", "refunds_per_day", "refund_report", "customer_revenue", "no_order_is_negative",
    "not_null_stg_orders_id", "unique_stg_orders_id", "not_null_stg_orders_customer_id", "not_null_refunds_id",
    "relationships_customer_revenue_id__id__ref_stg_customers_",
}  # fmt: skip


@pytest.mark.requirement("010-FR-007")
@pytest.mark.parametrize("log", LOGS)
def test_every_node_that_builds_something_begins_and_ends_once(log: str) -> None:
    lifecycle, records = lifecycle_of(golden_log(log))

    started = Counter(record.unique_id for record in records if isinstance(record, NodeStarted))
    assert set(ends_by_name(records)) == NODES
    assert set(started.values()) == {1}
    assert set(started) == set(lifecycle.built)
    assert list(lifecycle.close(at=0, outcome=Outcome.FAILED)) == []


@pytest.mark.requirement("010-FR-007")
def test_a_failed_model_has_the_databases_error_and_what_stands_on_it_is_skipped() -> None:
    ends = ends_by_name(lifecycle_of(golden_log("a_model"))[1])

    error = ends["refunds"].error
    assert error is not None
    assert (ends["refunds"].outcome, error.type) == (Outcome.FAILED, "Runtime Error")
    assert error.message.endswith("Invalid Input Error: the till is broken")
    # the last one by way of an ephemeral model, where node_info says that it had started
    for name in ("refunds_per_day", "not_null_refunds_id", "refund_report"):
        skipped = ends[name]
        assert (skipped.outcome, skipped.status, skipped.error) == (Outcome.SKIPPED, "skipped", None)
        assert skipped.at == skipped.started_at


@pytest.mark.requirement("010-FR-007")
def test_a_model_below_an_ephemeral_that_does_not_compile_is_skipped() -> None:
    end = ends_by_name(lifecycle_of(golden_log("an_ephemeral"))[1])["refund_report"]

    assert (end.outcome, end.status) == (Outcome.SKIPPED, "skipped")


@pytest.mark.requirement("010-FR-007")
def test_tests_fail_warn_and_count_the_rows_that_they_found() -> None:
    ends = ends_by_name(lifecycle_of(golden_log("a_test"))[1])

    failed, warned, passed = (
        ends[name] for name in ("no_order_is_negative", "not_null_stg_orders_customer_id", "unique_stg_orders_id")
    )
    assert (failed.outcome, failed.status, failed.failures) == (Outcome.FAILED, "fail", 2)
    assert failed.error is not None
    assert failed.error.message == "Got 2 results, configured to fail if != 0"
    assert (warned.outcome, warned.status, warned.failures, warned.error) == (Outcome.WARNED, "warn", 1, None)
    assert (passed.outcome, passed.status, passed.failures) == (Outcome.SUCCEEDED, "pass", 0)


def test_rows_are_told_only_where_the_adapter_tells_them() -> None:
    ends = ends_by_name(lifecycle_of(golden_log("a_model"))[1])

    assert {name: end.rows for name, end in ends.items() if end.rows is not None} == {"countries": 2}
    assert read_result("model", {"status": "success", "adapter_response": {"rows_affected": -1}}).rows is None


def test_times_are_those_of_dbt_in_utc_wherever_the_process_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "America/New_York")
    time.tzset()
    try:
        ends = ends_by_name(lifecycle_of(golden_log("a_model"))[1])
    finally:
        monkeypatch.undo()
        time.tzset()

    infos = {
        event["data"]["node_info"]["node_name"]: event["data"]["node_info"]
        for event in events_in(golden_log("a_model"))
        if event["info"]["name"] == "NodeFinished" and event["data"]["node_info"]["node_finished_at"]
    }
    for name in ("countries", "refunds", "stg_orders"):
        assert in_utc(ends[name].started_at) == infos[name]["node_started_at"]
        assert in_utc(ends[name].at) == infos[name]["node_finished_at"]


def test_compiling_and_executing_are_timed_by_dbt() -> None:
    seed = ends_by_name(lifecycle_of(golden_log("a_model"))[1])["refunds"]

    assert seed.thread.startswith("Thread-")
    assert seed.compile_seconds == pytest.approx(0.060554)
    assert seed.execute_seconds == pytest.approx(0.216244)


@pytest.mark.requirement("010-FR-007")
def test_a_microbatch_model_is_one_node_with_its_batches_inside_its_time() -> None:
    _, records = lifecycle_of(golden_log("a_model"))

    node = ends_by_name(records)["orders_by_year"]
    batches = [record for record in records if isinstance(record, BatchEnded)]
    assert [(batch.batch, batch.status) for batch in batches] == [(0, "success"), (1, "success")]
    assert all(node.started_at <= batch.started_at <= batch.at <= node.at for batch in batches)
    assert node.status == "success"


def test_batches_that_run_at_once_are_told_apart_by_their_beginning() -> None:
    lifecycle = NodeLifecycle(call_of(golden_log("a_model")))
    events = [
        *(node_event("NodeStart", second) for second in (0, 1, 2)),
        node_event("NodeFinished", 2, "error"),
        node_event("NodeFinished", 1, "success"),
        node_event("NodeFinished", 0, "partial success"),
    ]

    records = [record for event in events for record in lifecycle.take(event)]

    assert summary(records) == ["start", "batch 1 error", "batch 0 success", "partial success"]


def test_a_batch_and_its_model_say_what_the_database_said() -> None:
    lifecycle = NodeLifecycle(call_of(golden_log("a_model")))
    raised = node_event("GenericExceptionOnRun", 2)
    raised["data"]["exc"] = "Exception on worker thread. Runtime Error\n  Parser Error: syntax error"
    events = [
        *(node_event("NodeStart", second) for second in (0, 1, 2)),
        raised,
        node_event("NodeFinished", 2, "error", message="ERROR"),
        node_event("NodeFinished", 1, "success"),
        node_event("NodeFinished", 0, "partial success", message="PARTIAL SUCCESS (1/2)"),
    ]

    records = [record for event in events for record in lifecycle.take(event)]

    errors = [getattr(record, "error", None) for record in records]
    assert [(error.type, error.message) for error in errors if error is not None] == [
        ("Runtime Error", "Runtime Error\n  Parser Error: syntax error"),
        ("Runtime Error", "PARTIAL SUCCESS (1/2): Runtime Error\n  Parser Error: syntax error"),
    ]


@pytest.mark.requirement("010-FR-007")
def test_an_interrupted_model_has_failed() -> None:
    lifecycle, records = lifecycle_of(golden_log("interrupted"))

    end = ends_by_name(records)["slow_report"]
    assert end.error is not None
    assert "INTERRUPT Error: Interrupted!" in end.error.message
    assert list(lifecycle.close(at=end.at, outcome=Outcome.CANCELLED)) == []


@pytest.mark.requirement("010-FR-007")
@pytest.mark.parametrize("outcome", [Outcome.FAILED, Outcome.CANCELLED])
def test_what_dbt_leaves_open_ends_with_it(outcome: Outcome) -> None:
    lifecycle, records = lifecycle_of(golden_log("killed"))
    began = next(record.at for record in records if isinstance(record, NodeStarted))

    (end,) = lifecycle.close(at=began + 5, outcome=outcome)

    assert isinstance(end, NodeEnded)
    assert (end.unique_id, end.started_at, end.at) == ("model.observed.slow_report", began, began + 5)
    assert end.error is not None
    assert (end.outcome, end.error.message) == (outcome, "dbt ended before the node had finished")
    assert end.status == ("cancelled" if outcome is Outcome.CANCELLED else "error")
    assert list(lifecycle.close(at=began, outcome=outcome)) == []


def test_open_batches_end_before_their_model() -> None:
    lifecycle = NodeLifecycle(call_of(golden_log("a_model")))
    events = [*(node_event("NodeStart", second) for second in (0, 1, 2)), node_event("NodeFinished", 1, "success")]
    records = [record for event in events for record in lifecycle.take(event)]

    records += lifecycle.close(at=0, outcome=Outcome.FAILED)

    assert summary(records) == ["start", "batch 0 success", "batch 1 error", "error"]


def test_a_log_that_is_read_twice_tells_nothing_new() -> None:
    lifecycle, records = lifecycle_of(golden_log("a_model"))

    again = [record for event in events_in(golden_log("a_model")) for record in lifecycle.take(event)]

    assert len(records) == 2 * len(NODES) + 2
    assert again == []


@pytest.mark.parametrize("log", ["a_model", "a_test"])
def test_without_a_log_what_dbt_prints_tells_of_all_nodes_but_those_skipped_below_an_ephemeral(log: str) -> None:
    logged = ends_by_name(lifecycle_of(golden_log(log))[1])
    lifecycle = NodeLifecycle(call_of(golden_log(log)))

    records = [
        record
        for event in events_in(golden_log(log))
        if event["info"]["level"] != "debug"
        for record in lifecycle.take_printed(event)
    ]
    records += lifecycle.close(at=0, outcome=Outcome.FAILED)

    printed = ends_by_name(records)
    unknown = {"refund_report"} if log == "a_model" else set()
    assert {name: printed[name].outcome for name in printed} == {
        name: end.outcome for name, end in logged.items() if name not in unknown
    }
    assert all(
        (end.started_at, end.failures) == (logged[name].started_at, logged[name].failures)
        for name, end in printed.items()
    )
    if log == "a_model":
        assert printed["refunds"].error is not None
        assert printed["refunds"].error.message.endswith("the till is broken")


def test_the_end_that_dbt_printed_counts_where_the_log_does_not_tell_it() -> None:
    events = events_in(golden_log("a_model"))
    lifecycle = NodeLifecycle(call_of(golden_log("a_model")))

    records = [
        record
        for event in events
        if event["info"]["name"] != "NodeFinished"
        for record in (*lifecycle.take(event), *lifecycle.take_printed(event))
    ]
    records += lifecycle.close(at=0, outcome=Outcome.FAILED)

    ends = ends_by_name(records)
    assert ends["stg_orders"].status == "success"
    assert ends["refunds"].error is not None
    assert ends["refunds"].error.message.endswith("the till is broken")


@pytest.mark.parametrize(
    ("status", "outcome"),
    [
        ("success", "succeeded"),
        ("warn", "warned"),
        ("no-op", "skipped"),
        ("partial success", "failed"),
        ("?", "failed"),
    ],
)
def test_a_status_that_nobody_knows_is_no_success(status: str, outcome: str) -> None:
    assert read_result("model", {"status": status}).outcome == outcome


def test_what_is_no_time_is_none() -> None:
    assert (parse_time(""), parse_time(None), parse_time("soon")) == (None, None, None)


def node_event(name: str, second: int, status: str = "", *, message: str = "") -> dict[str, Any]:
    info = {
        "unique_id": "model.shop.orders",
        "resource_type": "model",
        "materialized": "incremental",
        "node_started_at": f"2024-03-01T12:00:0{second}.000001",
        "node_finished_at": "2024-03-01T12:00:09.000001" if status else "",
    }
    result = {"run_result": {"status": status, "message": message}} if status else {}
    return {"info": {"name": name}, "data": {"node_info": info, **result}}


def summary(records: list[Record]) -> list[str]:
    return [
        f"batch {record.batch} {record.status}"
        if isinstance(record, BatchEnded)
        else getattr(record, "status", "start")
        for record in records
    ]


def in_utc(nanoseconds: int) -> str:
    seconds, rest = divmod(nanoseconds, 10**9)
    return datetime.fromtimestamp(seconds, UTC).replace(microsecond=rest // 1000, tzinfo=None).isoformat()
