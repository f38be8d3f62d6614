"""A tick of a custom sensor: the user's function says what to launch."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import dagster as dg
from dagster._core.definitions.run_request import DagsterRunReaction

from floe_core.errors import Problem, SensorError
from floe_dagster.launching.sensor_runs import SensorRuns
from floe_dagster.user_code.arguments import FunctionArguments
from floe_dagster.user_code.returned_items import items_of

_Outcome = dg.SensorResult | dg.SkipReason | dg.RunRequest | DagsterRunReaction


@dataclass(frozen=True)
class CustomTicks:
    """What a custom sensor does at a tick.

    Args:
        function: The user's function.
        args: Its arguments, as the document has them.
        runs: What it may launch.
    """

    function: FunctionArguments
    args: Mapping[str, object]
    runs: SensorRuns

    def evaluate(self, context: dg.SensorEvaluationContext) -> Iterator[_Outcome]:
        """One tick, in whatever form the function gives it; nothing comes out of a tick that fails.

        Raises:
            SensorError: The function returns what no sensor may, or asks for runs that cannot be launched. Its own
                errors are passed on; the next tick calls it again.
        """
        yield from self._completed(list(self._call(context)), context)

    def _call(self, context: dg.SensorEvaluationContext) -> Iterator[_Outcome]:
        bound = self.function.bind(self.args)
        resources = context.resources.original_resource_dict
        for item in items_of(self.function.call(bound, context=context, resources=resources)):
            yield from self._read(item)

    def _read(self, item: object) -> Iterator[_Outcome]:
        match item:
            case None:
                pass
            case dg.RunRequest() | dg.SkipReason() | dg.SensorResult() | DagsterRunReaction():
                yield item
            case list() | tuple():
                for inner in item:
                    yield from self._read(inner)
            case _:
                raise SensorError(
                    Problem(
                        "FLOE-357",
                        f"{self.runs.subject} gets '{type(item).__name__}' from {self.function.reference}",
                        self.function.source.location,
                        why="the function returns or yields run requests, a skip reason, a sensor result or None",
                        fix="return dg.RunRequest(run_config=…) for a run",
                    )
                )

    def _completed(self, outcomes: list[_Outcome], context: dg.SensorEvaluationContext) -> Iterator[_Outcome]:
        missing: list[str] = []
        is_empty = True
        for outcome in outcomes:
            if isinstance(outcome, dg.RunRequest):
                found = self.runs.of_request(outcome, context)
                missing += found.missing
                yield from found.requests
                is_empty = is_empty and not found.requests
            elif isinstance(outcome, dg.SensorResult):
                is_empty = False
                yield self._completed_result(outcome, context)
            else:
                is_empty = False
                yield outcome
        reasons = list(dict.fromkeys(missing))
        if not is_empty:
            for reason in reasons:
                context.log.warning(reason)
        elif reasons or not outcomes:
            yield dg.SkipReason("; ".join(reasons) or f"{self.function.reference} asks for no run")

    def _completed_result(self, result: dg.SensorResult, context: dg.SensorEvaluationContext) -> dg.SensorResult:
        changes = result.dynamic_partitions_requests or ()
        found = [self.runs.of_request(request, context, changes=changes) for request in result.run_requests or ()]
        requests = [request for each in found for request in each.requests]
        missing = list(dict.fromkeys(sentence for each in found for sentence in each.missing))
        if requests:
            for sentence in missing:
                context.log.warning(sentence)
        reason = None if requests else result.skip_reason or (dg.SkipReason("; ".join(missing)) if missing else None)
        return result._replace(run_requests=requests, skip_reason=reason)
