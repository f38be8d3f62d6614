"""The spans of dbt's nodes, of their batches, and of calls that are observed as a whole."""

import hashlib
from collections.abc import Mapping
from typing import Any

from floe_dagster.observability.records import BatchEnded, CallEnded, DbtCall, NodeEnded
from floe_dagster.observability.tracing.run_spans import (
    error_attributes,
    exception_events,
    message_of,
    skip_attributes,
    status_of,
    step_attributes,
)
from floe_dagster.observability.tracing.run_trace import batch_place, call_place, node_place, step_place
from floe_dagster.observability.tracing.span_data import AttributeValue, SpanData

_SYSTEMS = {"postgres": "postgresql", "redshift": "aws.redshift", "bigquery": "gcp.bigquery", "spark": "spark"}
"""OpenTelemetry's names of databases where they differ from those of dbt's adapters."""


def build_node_span(record: NodeEnded) -> SpanData:
    """A model, seed, snapshot or test, from when dbt began it to when dbt ended it."""
    call = record.call
    node = _find_node(call, record.unique_id)
    return SpanData(
        run_id=call.scope.run.run_id,
        place=node_place(call, record.unique_id),
        parent_id=_call_parent(call),
        name=_node_name(record.unique_id, node),
        started_at=record.started_at,
        ended_at=max(record.at, record.started_at),
        status=status_of(record.outcome),
        status_message=message_of(record.error),
        attributes={
            **_node_attributes(call, record.unique_id, node),
            "dbt.node.status": record.status,
            **_known(
                {
                    "dbt.thread": record.thread or None,
                    "dbt.rows_affected": record.rows,
                    "dbt.test.failures": record.failures,
                    "dbt.timing.compile_ms": _milliseconds(record.compile_seconds),
                    "dbt.timing.execute_ms": _milliseconds(record.execute_seconds),
                    "dbt.compiled_sql.sha256": _compiled_digest(call, node),
                }
            ),
            **{
                f"dbt.adapter_response.{name.removeprefix('_')}": value
                for name, value in record.adapter_response.items()
                if isinstance(value, str | bool | int | float)
            },
            **skip_attributes(record.because),
            **error_attributes(record.error),
        },
        events=exception_events(record.error, at=record.at),
    )


def build_batch_span(record: BatchEnded) -> SpanData:
    """One batch of a microbatch model, below the model."""
    call = record.call
    node = _find_node(call, record.unique_id)
    return SpanData(
        run_id=call.scope.run.run_id,
        place=batch_place(call, record.unique_id, record.batch),
        parent_id=node_place(call, record.unique_id).span_id,
        name=f"batch {_label(record.unique_id, node)}",
        started_at=record.started_at,
        ended_at=max(record.at, record.started_at),
        status=status_of(record.outcome),
        status_message=message_of(record.error),
        attributes={
            **_node_attributes(call, record.unique_id, node),
            "dbt.batch.number": record.batch,
            "dbt.node.status": record.status,
            **error_attributes(record.error),
        },
        events=exception_events(record.error, at=record.at),
    )


def build_call_span(record: CallEnded) -> SpanData | None:
    """A call of dbt whose nodes are not observed one by one; the others are told by their nodes."""
    call = record.call
    if call.per_node:
        return None
    return SpanData(
        run_id=call.scope.run.run_id,
        place=call_place(call),
        parent_id=step_place(call.scope).span_id,
        name=f"dbt {call.command.split(' ')[0]}",
        started_at=record.started_at,
        ended_at=max(record.at, record.started_at),
        status=status_of(record.outcome),
        status_message=message_of(record.error),
        attributes={
            **step_attributes(call.scope),
            **_known({"dbt.invocation_id": call.invocation_id or None}),
            "dbt.command": call.command,
            "dbt.node.count": len(record.built),
            **error_attributes(record.error),
        },
        events=exception_events(record.error, at=record.at),
    )


def _find_node(call: DbtCall, unique_id: str) -> Mapping[str, Any]:
    for family in ("nodes", "unit_tests"):
        node = call.manifest.get(family, {}).get(unique_id)
        if isinstance(node, Mapping):
            return node
    return {}


def _call_parent(call: DbtCall) -> int:
    return (step_place(call.scope) if call.per_node else call_place(call)).span_id


def _node_name(unique_id: str, node: Mapping[str, Any]) -> str:
    kind = str(node.get("resource_type") or unique_id.partition(".")[0])
    return f"{kind} {_label(unique_id, node)}"


def _label(unique_id: str, node: Mapping[str, Any]) -> str:
    """What dbt calls a node, and which of its versions it is."""
    name = str(node.get("name") or unique_id.split(".", 2)[-1])
    version = node.get("version")
    return name if version is None or not node.get("name") else f"{name}.v{version}"


def _node_attributes(call: DbtCall, unique_id: str, node: Mapping[str, Any]) -> dict[str, AttributeValue]:
    config = node.get("config") or {}
    adapter = str(call.manifest.get("metadata", {}).get("adapter_type") or "")
    place = (node.get("database"), node.get("schema")) if node.get("relation_name") else ()
    namespace = "|".join(str(part) for part in place if part)
    return {
        **step_attributes(call.scope),
        "dbt.node.unique_id": unique_id,
        "dbt.node.resource_type": str(node.get("resource_type") or unique_id.partition(".")[0]),
        **_known(
            {
                "dbt.invocation_id": call.invocation_id or None,
                "dbt.node.materialized": config.get("materialized"),
                "dbt.node.relation": node.get("relation_name"),
                "dagster.partition_key": call.partition,
                "db.system.name": _SYSTEMS.get(adapter, adapter) or None,
                "db.namespace": namespace or None,
                "db.collection.name": (node.get("alias") or node.get("name")) if node.get("relation_name") else None,
            }
        ),
    }


def _known(values: Mapping[str, AttributeValue | None]) -> dict[str, AttributeValue]:
    return {name: value for name, value in values.items() if value is not None}


def _milliseconds(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds * 1000, 3)


def _compiled_digest(call: DbtCall, node: Mapping[str, Any]) -> str | None:
    """The digest of what dbt gave the database: tells whether two runs did the same, and tells nothing of it."""
    package, file = node.get("package_name"), node.get("original_file_path")
    if not package or not file:
        return None
    compiled = call.target_path / "compiled" / str(package) / str(file)
    if compiled.suffix != ".sql":  # a test that is written in YAML: a folder with a file for each
        compiled /= str(node.get("path", ""))
    try:
        return hashlib.sha256(compiled.read_bytes()).hexdigest()
    except OSError:
        return None
