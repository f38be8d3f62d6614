"""The nodes of one dbt call, from its events: when each began and how it ended."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from floe_dagster.observability.dbt_log.node_results import NodeResult, error_of, parse_time, read_result
from floe_dagster.observability.dbt_log.skip_reasons import SkipReasons
from floe_dagster.observability.records import BatchEnded, DbtCall, ErrorFact, NodeEnded, NodeStarted, Outcome, Record

_OBSERVED = frozenset({"model", "seed", "snapshot", "test", "function"})
_PRINTED_RESULTS = frozenset(
    {"LogModelResult", "LogSeedResult", "LogSnapshotResult", "LogTestResult", "LogFunctionResult", "SkippingDetails"}
)
_RAISED = "Exception on worker thread. "
_UNFINISHED = "dbt ended before the node had finished"


@dataclass(slots=True)
class _OpenNode:
    """A node that dbt has begun.

    A microbatch model begins and ends once for each batch besides, under the same unique id: `batches` has the number
    of each by the time it began at.
    """

    started_at: int
    batches: dict[int, int] = field(default_factory=dict)
    open_batches: set[int] = field(default_factory=set)
    raised: dict[int, str] = field(default_factory=dict)
    """Beginning of a batch → what it raised: dbt says of the end of a batch that it failed, and not why."""
    batch_error: ErrorFact | None = None
    """Why the first batch failed that did."""
    printed: NodeEnded | None = None
    """Its end as dbt printed it."""
    is_logged: bool = True
    """Whether the log has told that it began: then it will tell more of its end than dbt prints."""


class NodeLifecycle:
    """Makes records of the events of one call; each node begins and ends once, whatever is read twice.

    Ephemeral models, unit tests and hooks are no nodes here: they build nothing.
    """

    def __init__(self, call: DbtCall) -> None:
        self.built: list[str] = []
        """Unique ids of the nodes that have ended."""
        self._call = call
        self._open: dict[str, _OpenNode] = {}
        self._ended: set[str] = set()
        self._reasons = SkipReasons(call.manifest)

    def take(self, event: Mapping[str, Any]) -> Iterator[Record]:
        """What an event of the log tells, or one like it that is printed."""
        self._reasons.note_unit_test(event)
        info = _observed_node(event)
        started_at = parse_time(info.get("node_started_at")) if info is not None else None
        if info is None or started_at is None or info["unique_id"] in self._ended:
            return
        unique_id = str(info["unique_id"])
        name = event["info"].get("name")
        if name == "NodeStart":
            yield from self._begin(unique_id, started_at)
        elif name == "GenericExceptionOnRun" and unique_id in self._open:
            self._open[unique_id].raised[started_at] = str(event["data"].get("exc") or "").removeprefix(_RAISED)
        elif name == "NodeFinished":
            yield from self._begin_unseen(unique_id, started_at)
            result = read_result(str(info.get("resource_type")), event["data"].get("run_result") or {})
            at = self._end_time(info, event, result, started_at)
            yield from self._finish(unique_id, started_at, at, result)

    def take_printed(self, event: Mapping[str, Any]) -> Iterator[Record]:
        """What is known of a node from what dbt prints, where the log has not told that it began.

        The error of a failed node is printed when all nodes have ended; so its end waits for that.
        """
        info = _observed_node(event)
        if info is None or info["unique_id"] in self._ended:
            return
        unique_id, name = str(info["unique_id"]), event["info"].get("name")
        started_at = parse_time(info.get("node_started_at"))
        if started_at is not None and (name == "LogStartLine" or name in _PRINTED_RESULTS):
            yield from self._begin_unseen(unique_id, started_at, is_logged=False)
        node = self._open.get(unique_id)
        if node is None:
            return
        if name in _PRINTED_RESULTS:
            node.printed = self._printed_end(node, info, event)
            if not node.is_logged and node.printed.error is None:
                yield from self._end(node.printed)
        elif name == "RunResultError" and node.printed is not None:
            error = error_of(node.printed.status, str(event["data"].get("msg") or event["info"].get("msg") or ""))
            yield from self._end(replace(node.printed, error=error or node.printed.error))

    def knows(self, event: Mapping[str, Any]) -> bool:
        """Whether the node of *event*, if it is about one, has begun already."""
        info = _observed_node(event)
        return info is None or info["unique_id"] in self._open or info["unique_id"] in self._ended

    def close(self, *, at: int, outcome: Outcome) -> Iterator[Record]:
        """End what dbt has begun and not ended: it was interrupted, or killed."""
        error = ErrorFact("dbt ended", _UNFINISHED)
        status = "cancelled" if outcome is Outcome.CANCELLED else "error"
        for unique_id, node in list(self._open.items()):
            if node.printed is not None:
                yield from self._end(node.printed)
                continue
            for started_at in sorted(node.open_batches):
                number, end = node.batches[started_at], max(at, started_at)
                yield BatchEnded(self._call, unique_id, number, started_at, end, outcome, status, error)
            yield from self._end(
                NodeEnded(
                    self._call, unique_id, node.started_at, max(at, node.started_at), outcome, status, error=error
                )
            )

    def _begin(self, unique_id: str, started_at: int) -> Iterator[Record]:
        node = self._open.get(unique_id)
        if node is None:
            self._open[unique_id] = _OpenNode(started_at)
            yield NodeStarted(self._call, unique_id, started_at)
        elif started_at != node.started_at and started_at not in node.batches:
            node.batches[started_at] = len(node.batches)
            node.open_batches.add(started_at)

    def _begin_unseen(self, unique_id: str, started_at: int, *, is_logged: bool = True) -> Iterator[Record]:
        """A node whose beginning could not be read."""
        if unique_id not in self._open:
            yield from self._begin(unique_id, started_at)
            self._open[unique_id].is_logged = is_logged

    def _end_time(self, info: Mapping[str, Any], event: Mapping[str, Any], result: NodeResult, started_at: int) -> int:
        """When the node ended; one that was skipped ends when it begins."""
        if result.outcome is Outcome.SKIPPED:
            return started_at
        ended_at = parse_time(info.get("node_finished_at")) or parse_time(event["info"].get("ts"))
        return max(ended_at or started_at, started_at)

    def _finish(self, unique_id: str, started_at: int, at: int, result: NodeResult) -> Iterator[Record]:
        node = self._open[unique_id]
        if started_at in node.batches:
            if started_at in node.open_batches:
                node.open_batches.discard(started_at)
                number = node.batches[started_at]
                error = _raised_error(result, node.raised.get(started_at, ""))
                node.batch_error = node.batch_error or error
                yield BatchEnded(self._call, unique_id, number, started_at, at, result.outcome, result.status, error)
            return
        yield from self._end(
            NodeEnded(
                self._call,
                unique_id,
                node.started_at,
                at,
                result.outcome,
                result.status,
                error=_with_cause(result.error, node.batch_error),
                thread=result.thread,
                rows=result.rows,
                failures=result.failures,
                adapter_response=result.adapter_response,
                compile_seconds=result.compile_seconds,
                execute_seconds=result.execute_seconds,
            )
        )

    def _end(self, record: NodeEnded) -> Iterator[Record]:
        del self._open[record.unique_id]
        self._ended.add(record.unique_id)
        self.built.append(record.unique_id)
        self._reasons.note(record)
        is_skipped = record.outcome is Outcome.SKIPPED
        yield replace(record, because=self._reasons.of(record.unique_id)) if is_skipped else record

    def _printed_end(self, node: _OpenNode, info: Mapping[str, Any], event: Mapping[str, Any]) -> NodeEnded:
        kind, status = str(info.get("resource_type")), str(info.get("node_status") or "")
        status = "skipped" if event["info"].get("name") == "SkippingDetails" else status
        result = read_result(
            kind,
            {
                "status": status,
                "num_failures": event["data"].get("num_failures"),
                "thread": event["info"].get("thread"),
            },
        )
        return NodeEnded(
            self._call,
            str(info["unique_id"]),
            node.started_at,
            self._end_time(info, event, result, node.started_at),
            result.outcome,
            status,
            error=result.error,
            thread=result.thread,
            failures=result.failures,
        )


def _raised_error(result: NodeResult, raised: str) -> ErrorFact | None:
    """Why a batch failed: what it raised, where dbt has said so."""
    return error_of(result.status, raised) if raised and result.error is not None else result.error


def _with_cause(error: ErrorFact | None, of_batch: ErrorFact | None) -> ErrorFact | None:
    """Why a model failed, of which dbt counts the batches that did."""
    if error is None or of_batch is None:
        return error
    return ErrorFact(of_batch.type, f"{error.message}: {of_batch.message}")


def _observed_node(event: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """`node_info` of an event about a node that is observed."""
    info = event["data"].get("node_info")
    if not isinstance(info, Mapping) or not info.get("unique_id"):
        return None
    kind = str(info.get("resource_type") or str(info["unique_id"]).partition(".")[0])
    return info if kind in _OBSERVED and info.get("materialized") != "ephemeral" else None
