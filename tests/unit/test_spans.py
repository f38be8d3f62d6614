from dataclasses import replace
from pathlib import Path

import pytest
from inline_snapshot import snapshot

from floe_dagster.observability import ids
from floe_dagster.observability.records import CheckFact, Outcome, Record, RunStarted
from floe_dagster.observability.tracing.span_data import SpanData, SpanStatus
from floe_dagster.observability.tracing.spans import build_span
from observed_records import (
    BROKEN,
    PARENT_RUN_ID,
    RUN,
    RUN_ID,
    SECOND,
    START,
    STEP,
    TRACEPARENT,
    asset_ended,
    batch_ended,
    call_ended,
    check_ended,
    dbt_call,
    node_ended,
    run_ended,
    step_ended,
)


def span_of(record: Record) -> SpanData:
    span = build_span(record)
    assert span is not None
    return span


def test_a_beginning_makes_no_span() -> None:
    assert build_span(RunStarted(RUN, START)) is None


def test_the_trace_of_a_run_is_the_run() -> None:
    span = span_of(run_ended())

    assert f"{span.place.trace_id:032x}" == RUN_ID.replace("-", "")
    assert span.parent_id is None
    assert (span.name, span.started_at, span.ended_at) == ("run nightly", START, START + SECOND)


def test_spans_stand_below_one_another() -> None:
    run, step, asset = span_of(run_ended()), span_of(step_ended()), span_of(asset_ended())
    node, batch, call = span_of(node_ended()), span_of(batch_ended(0)), span_of(call_ended(per_node=False))

    assert step.parent_id == run.place.span_id
    assert asset.parent_id == node.parent_id == call.parent_id == step.place.span_id
    assert batch.parent_id == node.place.span_id
    assert {span.place.trace_id for span in (run, step, asset, node, batch, call)} == {run.place.trace_id}
    assert len({span.place.span_id for span in (run, step, asset, node, batch, call)}) == 6


def test_a_test_that_keeps_no_rows_names_no_schema() -> None:
    test = {"unique_id": "test.shop.t", "resource_type": "test", "name": "t", "database": "shop", "schema": "audit"}
    kept = {**test, "unique_id": "test.shop.kept", "relation_name": '"shop"."audit"."kept"', "alias": "kept"}
    call = replace(dbt_call(), manifest={"metadata": {}, "nodes": {"test.shop.t": test, "test.shop.kept": kept}})

    places = [
        span_of(node_ended(call=call, unique_id=unique_id, status="pass")).attributes.get("db.namespace")
        for unique_id in ("test.shop.t", "test.shop.kept")
    ]

    assert places == [None, "shop|audit"]


def test_each_attempt_and_each_batch_has_a_span_of_its_own() -> None:
    assert span_of(step_ended()).place != span_of(step_ended(attempt=1)).place
    assert span_of(batch_ended(0)).place != span_of(batch_ended(1)).place


@pytest.mark.parametrize(
    ("record", "status"),
    [
        (run_ended(), SpanStatus.OK),
        (run_ended(outcome=Outcome.FAILED, error=BROKEN), SpanStatus.ERROR),
        (run_ended(outcome=Outcome.CANCELLED), SpanStatus.UNSET),
        (step_ended(outcome=Outcome.FAILED, error=BROKEN), SpanStatus.ERROR),
        (step_ended(outcome=Outcome.SKIPPED), SpanStatus.UNSET),
        (asset_ended(outcome=Outcome.CANCELLED), SpanStatus.ERROR),
        (node_ended(outcome=Outcome.WARNED, status="warn"), SpanStatus.OK),
        (node_ended(outcome=Outcome.FAILED, status="fail", error=BROKEN), SpanStatus.ERROR),
        (node_ended(outcome=Outcome.SKIPPED, status="skipped"), SpanStatus.UNSET),
        (check_ended(passed=True), SpanStatus.OK),
        (check_ended(passed=False), SpanStatus.ERROR),
        (check_ended(passed=False, severity="WARN"), SpanStatus.OK),
    ],
)
def test_a_warning_is_no_error_and_what_was_skipped_is_neither(record: Record, status: SpanStatus) -> None:
    assert span_of(record).status is status


def test_an_error_is_an_exception_at_the_end_of_its_span() -> None:
    span = span_of(step_ended(outcome=Outcome.FAILED, error=BROKEN))

    assert span.status_message == "no orders today"
    assert span.attributes["error.type"] == "ValueError"
    (event,) = span.events
    assert (event.name, event.at) == ("exception", START + SECOND)
    assert event.attributes == {
        "exception.type": "ValueError",
        "exception.message": "no orders today",
        "exception.stacktrace": 'File "shop/bronze.py", line 3, in orders',
    }


def test_a_run_says_what_it_is() -> None:
    span = span_of(run_ended(partition="2024-03-01", backfill_id="march"))

    assert span.attributes == snapshot(
        {
            "dagster.run_id": "2f1c7f5e-7a44-4d0b-9c0b-5c9d1c3f8f10",
            "dagster.job_name": "nightly",
            "dagster.backfill_id": "march",
            "dagster.partition_key": "2024-03-01",
            "cicd.pipeline.name": "nightly",
            "cicd.pipeline.run.id": "2f1c7f5e-7a44-4d0b-9c0b-5c9d1c3f8f10",
            "cicd.pipeline.result": "success",
        }
    )


def test_a_step_says_what_it_computes() -> None:
    span = span_of(step_ended(attempt=1, assets=[("bronze", "orders")], checks=[(("bronze", "orders"), "has_rows")]))

    assert span.attributes == snapshot(
        {
            "dagster.run_id": "2f1c7f5e-7a44-4d0b-9c0b-5c9d1c3f8f10",
            "dagster.job_name": "nightly",
            "dagster.step_key": "bronze_orders",
            "dagster.retry_number": 1,
            "dagster.asset_keys": ("bronze/orders",),
            "dagster.asset_check_keys": ("bronze/orders:has_rows",),
            "cicd.pipeline.task.name": "bronze_orders",
            "cicd.pipeline.task.run.id": "df1bd72041258ad0",
            "cicd.pipeline.task.run.result": "success",
        }
    )


@pytest.mark.parametrize(
    ("outcome", "status", "seconds"),
    [(Outcome.SUCCEEDED, "succeeded", 1), (Outcome.SKIPPED, "skipped", 0), (Outcome.CANCELLED, "cancelled", 1)],
)
def test_an_asset_says_how_it_ended(outcome: Outcome, status: str, seconds: int) -> None:
    span = span_of(asset_ended(outcome=outcome))

    assert span.attributes["dagster.asset.status"] == status
    assert span.ended_at - span.started_at == seconds * SECOND


def test_an_asset_says_what_its_checks_found() -> None:
    check = CheckFact(("bronze", "orders"), "has_rows", passed=False, severity="WARN", description="none")

    span = span_of(asset_ended(partition="eu", rows=3, checks=[check]))

    assert span.name == "asset bronze/orders"
    assert span.attributes["dagster.partition_key"] == "eu"
    assert span.attributes["dagster.row_count"] == 3
    assert [(event.name, event.attributes) for event in span.events] == snapshot(
        [
            (
                "dagster.asset_check",
                {
                    "dagster.asset_check_key": "bronze/orders:has_rows",
                    "dagster.asset_check.passed": False,
                    "dagster.asset_check.severity": "WARN",
                    "dagster.asset_check.description": "none",
                },
            )
        ]
    )


@pytest.mark.requirement("010-FR-007")
def test_a_node_says_what_dbt_says(tmp_path: Path) -> None:
    compiled = tmp_path / "compiled" / "shop" / "models" / "gold" / "orders.sql"
    compiled.parent.mkdir(parents=True)
    compiled.write_text("select 1")

    span = span_of(
        node_ended(
            call=dbt_call(target_path=tmp_path),
            thread="Thread-2",
            rows=4,
            adapter_response={"_message": "OK", "code": "INSERT", "nested": {}},
            compile_seconds=0.012,
            execute_seconds=0.5,
        )
    )

    assert span.name == "model orders"
    assert span.attributes == snapshot(
        {
            "dagster.run_id": "2f1c7f5e-7a44-4d0b-9c0b-5c9d1c3f8f10",
            "dagster.job_name": "nightly",
            "dagster.step_key": "bronze_orders",
            "dagster.retry_number": 0,
            "dbt.node.unique_id": "model.shop.orders",
            "dbt.node.resource_type": "model",
            "dbt.invocation_id": "one",
            "dbt.node.materialized": "table",
            "dbt.node.relation": '"shop"."main_gold"."orders"',
            "db.system.name": "duckdb",
            "db.namespace": "shop|main_gold",
            "db.collection.name": "orders",
            "dbt.node.status": "success",
            "dbt.thread": "Thread-2",
            "dbt.rows_affected": 4,
            "dbt.timing.compile_ms": 12.0,
            "dbt.timing.execute_ms": 500.0,
            "dbt.compiled_sql.sha256": "822ae07d4783158bc1912bb623e5107cc9002d519e1143a9c200ed6ee18b6d0f",
            "dbt.adapter_response.message": "OK",
            "dbt.adapter_response.code": "INSERT",
        }
    )


def test_versions_of_a_model_are_told_apart() -> None:
    nodes = {f"model.shop.orders.v{version}": {"name": "orders", "version": version} for version in (1, 2)}
    call = replace(dbt_call(), manifest={"nodes": nodes})

    assert [span_of(node_ended(call=call, unique_id=node)).name for node in nodes] == [
        "model orders.v1",
        "model orders.v2",
    ]
    batch = replace(batch_ended(0), call=call, unique_id="model.shop.orders.v2")
    assert span_of(batch).name == "batch orders.v2"


def test_a_node_that_the_manifest_does_not_know_still_has_a_span() -> None:
    span = span_of(node_ended(unique_id="test.shop.not_null_orders_id.1a2b"))

    assert span.name == "test not_null_orders_id.1a2b"
    assert span.attributes["dbt.node.resource_type"] == "test"


@pytest.mark.requirement("010-FR-009")
def test_a_call_has_a_span_where_its_nodes_have_none() -> None:
    assert build_span(call_ended(per_node=True)) is None
    span = span_of(call_ended(per_node=False))
    assert span.name == "dbt build"
    assert span.attributes["dbt.node.count"] == 1


def test_a_run_that_repeats_another_refers_to_it() -> None:
    span = span_of(run_ended(parent_run_id=PARENT_RUN_ID, backfill_id="march"))

    repeated, backfill = span.links
    parent = span_of(run_ended(run_id=PARENT_RUN_ID))
    assert repeated == parent.place
    assert backfill.span_id == ids.span_id("backfill", "march")
    assert span.place.trace_id != parent.place.trace_id


def test_a_run_continues_the_trace_that_it_was_launched_from() -> None:
    run = span_of(run_ended(traceparent=TRACEPARENT))
    step = span_of(replace(step_ended(), scope=replace(STEP, run=replace(RUN, traceparent=TRACEPARENT))))

    assert f"{run.place.trace_id:032x}" == "0af7651916cd43dd8448eb211c80319c"
    assert f"{run.parent_id:016x}" == "b7ad6b7169203331"
    assert step.place.trace_id == run.place.trace_id
    assert step.parent_id == run.place.span_id


@pytest.mark.parametrize(
    "text",
    [
        "",
        "00",
        "ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        "00-00000000000000000000000000000000-b7ad6b7169203331-01",
        "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01",
        "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331",
        "{{ traceparent }}",
    ],
)
def test_a_tag_that_is_no_trace_context_begins_a_trace_of_its_own(text: str) -> None:
    assert span_of(run_ended(traceparent=text)).place == span_of(run_ended()).place
