"""The smallest record of each kind that something has ended, with what a test is about on top of it."""

from dataclasses import replace
from pathlib import Path
from typing import Any

from floe_dagster.observability.records import (
    AssetEnded,
    BatchEnded,
    CallEnded,
    CheckEnded,
    CheckFact,
    DbtCall,
    ErrorFact,
    NodeEnded,
    Outcome,
    RunEnded,
    RunScope,
    StepEnded,
    StepScope,
)

RUN_ID = "2f1c7f5e-7a44-4d0b-9c0b-5c9d1c3f8f10"
PARENT_RUN_ID = "7c1d2a0e-3b6f-4a58-8f8e-0a9b8c7d6e5f"
TRACEPARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
NOT_SAMPLED = TRACEPARENT.removesuffix("01") + "00"
SECOND = 10**9
START = 1_700_000_000 * SECOND

RUN = RunScope(RUN_ID, "nightly")
STEP = StepScope(RUN, "bronze_orders")
BROKEN = ErrorFact("ValueError", "no orders today", 'File "shop/bronze.py", line 3, in orders')
MANIFEST = {
    "metadata": {"adapter_type": "duckdb"},
    "nodes": {
        "model.shop.orders": {
            "unique_id": "model.shop.orders",
            "resource_type": "model",
            "name": "orders",
            "database": "shop",
            "schema": "main_gold",
            "alias": "orders",
            "relation_name": '"shop"."main_gold"."orders"',
            "package_name": "shop",
            "original_file_path": "models/gold/orders.sql",
            "path": "gold/orders.sql",
            "config": {"materialized": "table"},
        }
    },
}


def run_ended(*, outcome: Outcome = Outcome.SUCCEEDED, error: ErrorFact | None = None, **scope: Any) -> RunEnded:
    return RunEnded(replace(RUN, **scope), START, START + SECOND, outcome, error)


def step_ended(*, attempt: int = 0, outcome: Outcome = Outcome.SUCCEEDED, **fields: Any) -> StepEnded:
    return StepEnded(replace(STEP, attempt=attempt), START, START + SECOND, outcome, **fields)


def asset_ended(*, outcome: Outcome = Outcome.SUCCEEDED, **fields: Any) -> AssetEnded:
    return AssetEnded(STEP, ("bronze", "orders"), START, START + SECOND, outcome, **fields)


def check_ended(*, passed: bool, severity: str = "ERROR") -> CheckEnded:
    return CheckEnded(STEP, CheckFact(("bronze", "orders"), "has_rows", passed, severity), START, START + SECOND)


def dbt_call(**fields: Any) -> DbtCall:
    given = {"project_dir": Path("dbt"), "target_path": Path("target"), "command": "build --select orders", **fields}
    return DbtCall(scope=STEP, invocation_id="one", manifest=MANIFEST, **given)


def call_ended(*, per_node: bool) -> CallEnded:
    call = dbt_call(per_node=per_node)
    return CallEnded(call, START, START + SECOND, Outcome.SUCCEEDED, built=["model.shop.orders"])


def node_ended(
    *,
    call: DbtCall | None = None,
    unique_id: str = "model.shop.orders",
    outcome: Outcome = Outcome.SUCCEEDED,
    status: str = "success",
    **fields: Any,
) -> NodeEnded:
    return NodeEnded(call or dbt_call(), unique_id, START, START + SECOND, outcome, status, **fields)


def batch_ended(number: int) -> BatchEnded:
    call = dbt_call()
    return BatchEnded(call, "model.shop.orders", number, START, START + SECOND, Outcome.SUCCEEDED, "success")
