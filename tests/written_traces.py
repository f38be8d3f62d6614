"""Local trace files as runs write them, made by hand: the smallest valid thing plus what a test is about."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import TypeAlias

from floe_dagster.observability.ids import span_id, trace_id

Attributes: TypeAlias = Mapping[str, object]
NOTHING: Attributes = MappingProxyType({})
RUN = "2f1c7f5e-7a44-4d0b-9c0b-5c9d1c3f8f10"
BEGIN = 1_790_000_000_000_000_000
SECOND = 1_000_000_000


@dataclass
class WrittenTrace:
    """The spans of one run; times are seconds since it began."""

    run_id: str = RUN
    job: str = "full_pipeline"
    requests: list[dict[str, object]] = field(default_factory=list)
    trace: str = ""
    """The trace that it continues; its own where there is none."""

    def run(self, seconds: float, *, error: str = "", attributes: Attributes = NOTHING) -> str:
        """The span of the run itself."""
        key = span_id("run", self.run_id)
        return self.span(key, f"run {self.job}", 0, seconds, error=error, attributes=attributes)

    def step(self, step: str, begins: float, ends: float, *, attempt: int = 0, error: str = "") -> str:
        """The span of an attempt at a step."""
        key = span_id("step", self.run_id, step, attempt)
        attributes = {"dagster.step_key": step, "dagster.retry_number": attempt}
        return self.span(key, f"step {step}", begins, ends, self.run_key, error=error, attributes=attributes)

    def below(
        self,
        step: str,
        name: str,
        begins: float,
        ends: float,
        *,
        error: str = "",
        attributes: Attributes = NOTHING,
        found: Sequence[Attributes] = (),
    ) -> str:
        """The span of an asset or a node of dbt, in the first attempt at *step*."""
        key, parent = span_id("node", self.run_id, step, name), f"{span_id('step', self.run_id, step, 0):016x}"
        known = {"dagster.step_key": step, "dagster.retry_number": 0, **attributes}
        return self.span(key, name, begins, ends, parent, error=error, attributes=known, found=found)

    def span(
        self,
        key: int,
        name: str,
        begins: float,
        ends: float,
        parent: str = "",
        *,
        error: str = "",
        attributes: Attributes = NOTHING,
        found: Sequence[Attributes] = (),
    ) -> str:
        """Any span, with what checks found in it; gives its id."""
        kind, _, message = error.partition(": ")
        raised = {"exception.type": kind, "exception.message": message, "exception.stacktrace": f"Traceback …\n{error}"}
        checks: list[tuple[str, Attributes]] = [("dagster.asset_check", check) for check in found]
        events = [*checks, *([("exception", raised)] if error else [])]
        known = {"dagster.run_id": self.run_id, "dagster.job_name": self.job, **attributes}
        span: dict[str, object] = {
            "traceId": self.trace or f"{trace_id(self.run_id):032x}",
            "spanId": f"{key:016x}",
            **({"parentSpanId": parent} if parent else {}),
            "name": name,
            "kind": 1,
            "startTimeUnixNano": _time(begins),
            "endTimeUnixNano": _time(ends),
            "attributes": _attributes(known),
            "status": {"code": 2, "message": message} if error else {"code": 1},
            "events": [
                {"name": event, "timeUnixNano": _time(ends), "attributes": _attributes(told)} for event, told in events
            ],
        }
        resource = {"attributes": _attributes({"service.name": "shop"})}
        self.requests.append(
            {"resourceSpans": [{"resource": resource, "scopeSpans": [{"scope": {"name": "floe"}, "spans": [span]}]}]}
        )
        return f"{key:016x}"

    @property
    def run_key(self) -> str:
        """Id of the run's span."""
        return f"{span_id('run', self.run_id):016x}"

    @property
    def text(self) -> str:
        """What stands in the file."""
        return "".join(json.dumps(request, separators=(",", ":")) + "\n" for request in self.requests)

    def write(self, project: Path) -> Path:
        """Put the file where a run of *project* would."""
        path = project / ".floe" / "observability" / "traces" / f"{self.run_id}.jsonl"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(self.text, encoding="utf-8")
        return path


def shop_trace(run_id: str = RUN, *, failing: bool = False, tests: int = 12) -> WrittenTrace:
    """A run of three Python assets, then dbt: models on two threads, and tests."""
    trace = WrittenTrace(run_id)
    assets = (("customers", 0.2, 1.1, 91), ("orders", 0.2, 3.4, 16_282), ("products", 1.1, 1.5, 77))
    for name, begins, ends, rows in assets:
        written = {"dagster.row_count": rows}
        trace.below(f"bronze_{name}", f"asset bronze/{name}", begins + 0.05, ends - 0.02, attributes=written)
        trace.step(f"bronze_{name}", begins, ends)
    _add_dbt_nodes(trace, failing=failing, tests=tests)
    error = "dagster_dbt.errors.DagsterDbtCliRuntimeError: dbt failed" if failing else ""
    trace.step("dbt_online_shop", 3.5, 11.8, error=error)
    trace.run(12.0, error=error)
    return trace


def _add_dbt_nodes(trace: WrittenTrace, *, failing: bool, tests: int) -> None:
    error = (
        'dbt.DatabaseError: Binder Error: Referenced column "customr_id" not found in FROM clause!\n'
        'Candidate bindings: "customer_id"\n\nLINE 4:   customr_id'
    )
    _add_node(trace, "model stg_customers", 6.0, 6.3)
    _add_node(trace, "model stg_orders", 6.0, 8.1, attributes={"dagster.partition_key": "2024-01-01"})
    _add_node(trace, "model stg_products", 6.3, 6.6)
    for number in range(tests):
        begins, status = 8.1 + number * 0.04, "warn" if number == 3 else "pass"
        _add_node(trace, f"test not_null_stg_orders_{number}", begins, begins + 0.04, status)
    if failing:
        _add_node(trace, "model customer_orders", 8.7, 11.2, "error", error)
        _add_node(trace, "test unique_customer_orders", 11.2, 11.2, "skipped")
        return
    _add_node(trace, "model customer_orders", 8.7, 11.2)
    model = _add_node(trace, "model revenue_by_month", 8.7, 10.9)
    for number in range(4):
        begins = 8.8 + number * 0.5
        key = span_id("batch", trace.run_id, number)
        attributes = {"dbt.batch.number": number}
        trace.span(key, "batch revenue_by_month", begins, begins + 0.5, model, attributes=attributes)


def _add_node(
    trace: WrittenTrace,
    name: str,
    begins: float,
    ends: float,
    status: str = "success",
    error: str = "",
    *,
    attributes: Attributes = NOTHING,
) -> str:
    kind, _, label = name.partition(" ")
    known = {"dbt.node.unique_id": f"{kind}.online_shop.{label}", "dbt.node.status": status, **attributes}
    return trace.below("dbt_online_shop", name, begins, ends, error=error, attributes=known)


def _time(seconds: float) -> str:
    return str(BEGIN + round(seconds * SECOND))


def _attributes(values: Mapping[str, object]) -> list[dict[str, object]]:
    return [{"key": key, "value": _value(value)} for key, value in values.items()]


def _value(value: object) -> dict[str, object]:
    match value:
        case bool():
            return {"boolValue": value}
        case int():
            return {"intValue": str(value)}
        case float():
            return {"doubleValue": value}
        case str():
            return {"stringValue": value}
        case Iterable():
            return {"arrayValue": {"values": [_value(item) for item in value]}}
        case _:
            return {}
