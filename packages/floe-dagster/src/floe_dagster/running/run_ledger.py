"""What a run has done so far: Dagster's events added up into assets, checks and failures."""

import re
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import dagster as dg
from dagster._core.execution.plan.objects import ErrorSource
from dagster_shared.error import SerializableErrorInfo

from floe_dagster.running.described_errors import describe_error
from floe_dagster.running.run_news import (
    AssetResult,
    CheckResult,
    CheckStatus,
    OpResult,
    RunNews,
    RunStarted,
    StepFailed,
    StepFinished,
    StepRetried,
    StepStarted,
)
from floe_dagster.user_code.metadata_values import PARTITION_ROW_COUNT, RANGE_ROW_COUNT, ROW_COUNT

_DONE = ("materialized", "observed")
_DBT_DURATION = "Execution Duration"  # the key under which dagster-dbt puts a node's seconds
_DBT_NODE = re.compile(r"\b(?:model|seed|snapshot) (\w+) \(")
_DBT_UNIT_TEST = re.compile(r"\bunit_test (\w+) \(")


@dataclass
class RunLedger:
    """Adds up the events of one run, in the order in which they are given."""

    dbt_names: Mapping[str, str] = field(default_factory=dict)  # asset that dbt builds → its name in dbt
    partition_range: str = ""  # `first..last` where the run is for several partitions
    run_id: str = ""
    planned_assets: dict[str, str] = field(default_factory=dict)  # asset → step
    planned_checks: dict[tuple[str, str], str] = field(default_factory=dict)  # (asset, check) → step
    assets: dict[str, AssetResult] = field(default_factory=dict)
    checks: dict[tuple[str, str], CheckResult] = field(default_factory=dict)
    ops: dict[str, OpResult] = field(default_factory=dict)  # by step
    failures: list[StepFailed] = field(default_factory=list)
    failed_unit_tests: set[str] = field(default_factory=set)  # of dbt, by name
    started_steps: dict[str, float] = field(default_factory=dict)
    _told: set[str] = field(default_factory=set)
    _observed: set[str] = field(default_factory=set)
    _outputs: dict[str, dict[str, object]] = field(default_factory=dict)  # step → metadata of its outputs

    def record(self, event: dg.DagsterEvent, timestamp: float) -> tuple[RunNews, ...]:
        """Take in one event that happened at *timestamp* (seconds since the epoch) and say what is new."""
        reactions: dict[dg.DagsterEventType, Callable[[dg.DagsterEvent, float], Iterator[RunNews]]] = {
            dg.DagsterEventType.ASSET_MATERIALIZATION_PLANNED: self._plan_asset,
            dg.DagsterEventType.ASSET_CHECK_EVALUATION_PLANNED: self._plan_check,
            dg.DagsterEventType.RUN_START: self._start_run,
            dg.DagsterEventType.STEP_START: self._start_step,
            dg.DagsterEventType.ASSET_MATERIALIZATION: self._materialize,
            dg.DagsterEventType.ASSET_OBSERVATION: self._observe,
            dg.DagsterEventType.ASSET_CHECK_EVALUATION: self._evaluate_check,
            dg.DagsterEventType.STEP_OUTPUT: self._note_output,
            dg.DagsterEventType.STEP_UP_FOR_RETRY: self._retry_step,
            dg.DagsterEventType.STEP_SUCCESS: self._finish_step,
            dg.DagsterEventType.STEP_FAILURE: self._fail_step,
            dg.DagsterEventType.RUN_FAILURE: self._fail_run,
        }
        react = reactions.get(event.event_type)
        return tuple(react(event, timestamp)) if react else ()

    def begin_retry(self) -> None:
        """Forget what failed: another run goes on from there, and keeps what was materialized."""
        self.started_steps.clear()
        self.failures.clear()
        self.failed_unit_tests.clear()
        self.assets = {key: result for key, result in self.assets.items() if result.status in _DONE}
        self.ops = {step: result for step, result in self.ops.items() if result.status == "done"}

    def fail_run(self, reason: str) -> StepFailed:
        """Note that the run as a whole failed, and why."""
        self.failures = [StepFailed("", reason)]
        return self.failures[0]

    def has_begun(self, step: str) -> bool:
        """Whether a step has begun, or another of its graph."""
        return any(_go_together(step, begun) for begun in self.started_steps)

    def close(self, parents: Mapping[str, Collection[str]], unit_tests: Mapping[str, Collection[str]]) -> None:
        """Settle what the run planned and never got to.

        Args:
            parents: The assets that each asset depends on.
            unit_tests: The unit tests that dbt has of an asset, by name, where some failed.
        """
        for asset in self.planned_assets:
            self.assets.setdefault(asset, AssetResult(asset, "skipped"))
        for asset, name in self.planned_checks:
            self.checks.setdefault((asset, name), CheckResult(asset, name, "skipped"))
        self.assets |= {
            key: replace(result, because=self._failures_above(key, parents, unit_tests))
            for key, result in self.assets.items()
            if result.status == "skipped"
        }

    def _failures_above(
        self, skipped: str, parents: Mapping[str, Collection[str]], unit_tests: Mapping[str, Collection[str]]
    ) -> tuple[str, ...]:
        """The nearest failures on each way up from an asset that was *skipped*."""
        found: dict[str, None] = {}
        above, seen = [skipped], {skipped}
        for key in above:  # it grows on the way
            failed = sorted(self.failed_unit_tests.intersection(unit_tests.get(key, ())))
            found |= {f"unit test {name}": None for name in failed}
            for parent in sorted(set(parents.get(key, ())) - seen):
                seen.add(parent)
                match self.assets.get(parent):
                    case AssetResult(status="skipped"):
                        above.append(parent)
                    case AssetResult(status="failed"):
                        found[parent] = None
                    case AssetResult():
                        checks = [f"check {c.label}" for c in self.checks.values() if _failed_on(c, parent)]
                        found |= dict.fromkeys(checks or self._failures_beside(parent, key))
                    case None:
                        pass  # it is not in this run
        return tuple(found)

    def _failures_beside(self, built: str, skipped: str) -> list[str]:
        """What failed in the step that *built* an asset and failed all the same, unless *skipped* is of that step."""
        step = self.planned_assets.get(built, "")
        is_of_step = self.planned_assets.get(skipped) == step
        if not step or is_of_step or not any(_go_together(failure.step, step) for failure in self.failures):
            return []
        failed = [key for key in self._assets_of(step) if self.assets[key].status == "failed"]
        of_step = (check for key, check in self.checks.items() if self.planned_checks.get(key) == step)
        return failed or [f"check {check.label}" for check in of_step if check.status == "failed"] or [f"step {step}"]

    def _plan_asset(self, event: dg.DagsterEvent, _: float) -> Iterator[RunNews]:
        self.planned_assets[_key(event.asset_materialization_planned_data.asset_key)] = _step(event)
        yield from ()

    def _plan_check(self, event: dg.DagsterEvent, _: float) -> Iterator[RunNews]:
        planned = event.asset_check_planned_data
        self.planned_checks[_key(planned.asset_key), planned.check_name] = _step(event)
        yield from ()

    def _start_run(self, _: dg.DagsterEvent, __: float) -> Iterator[RunNews]:
        yield RunStarted(self.run_id, len(self.planned_assets), len(self.planned_checks))

    def _start_step(self, event: dg.DagsterEvent, timestamp: float) -> Iterator[RunNews]:
        step = _step(event)
        self.started_steps.setdefault(step, timestamp)
        checks = sum(1 for planned in self.planned_checks.values() if planned == step)
        yield StepStarted(step, self._assets_of(step), checks, is_dbt=self._is_dbt(step))

    def _materialize(self, event: dg.DagsterEvent, timestamp: float) -> Iterator[RunNews]:
        materialization = event.step_materialization_data.materialization
        key, step = _key(materialization.asset_key), _step(event)
        seconds = _number(materialization.metadata.get(_DBT_DURATION))
        if seconds is None:
            seconds = timestamp - self._began_at(step, timestamp)
        before = self.assets.get(key)
        count = _rows(materialization.metadata, before)
        partition = self._partitions(before, materialization.partition)
        self.assets[key] = AssetResult(key, "materialized", count, seconds, partition)
        if len(self._assets_of(step)) > 1:  # an asset alone is told of when its step ends, with the time of all of it
            self._told.add(key)
            yield self.assets[key]

    def _observe(self, event: dg.DagsterEvent, _: float) -> Iterator[RunNews]:
        self._observed.add(_key(event.asset_observation_data.asset_observation.asset_key))
        yield from ()

    def _partitions(self, before: AssetResult | None, partition: str | None) -> str | None:
        """The partition of an asset, or those of the run if it is another one: they come in any order."""
        if partition is None or before is None or before.partition in (None, partition):
            return partition
        return self.partition_range or partition

    def _evaluate_check(self, event: dg.DagsterEvent, _: float) -> Iterator[RunNews]:
        evaluation = event.asset_check_evaluation_data
        status: CheckStatus = "warned" if evaluation.severity == dg.AssetCheckSeverity.WARN else "failed"
        result = CheckResult(
            asset=_key(evaluation.asset_key),
            name=evaluation.check_name,
            status="passed" if evaluation.passed else status,
            description=evaluation.description or "",
            seconds=_number(evaluation.metadata.get(_DBT_DURATION)),
        )
        self.checks[result.asset, result.name] = result
        yield result

    def _note_output(self, event: dg.DagsterEvent, _: float) -> Iterator[RunNews]:
        said = event.step_output_data.metadata
        self._outputs[_step(event)] = {
            **self._outputs.get(_step(event), {}),
            **{name: _plain_value(value) for name, value in said.items()},
        }
        yield from ()

    def _retry_step(self, event: dg.DagsterEvent, _: float) -> Iterator[RunNews]:
        yield StepRetried(_step(event), describe_error(event.step_retry_data.error))

    def _finish_step(self, event: dg.DagsterEvent, timestamp: float) -> Iterator[RunNews]:
        step, seconds = _step(event), event.step_success_data.duration_ms / 1000
        assets = self._assets_of(step)
        for key in assets:
            if key in self._observed:  # and perhaps materialized as well
                self.assets.setdefault(key, AssetResult(key, "observed"))
            result = self.assets.get(key)
            if result is not None and key not in self._told:
                whole = timestamp - self._began_at(step, timestamp) if _graph_of(step) else seconds
                self.assets[key] = replace(result, seconds=whole)
                yield self.assets[key]
        if self._is_op(step):
            metadata = self._outputs.get(step, {})
            self.ops[step] = OpResult(step, "done", seconds, metadata)
            yield StepFinished(step, seconds, metadata)

    def _fail_step(self, event: dg.DagsterEvent, _: float) -> Iterator[RunNews]:
        step, failure = _step(event), event.step_failure_data
        if failure.error_source is ErrorSource.INTERRUPT:
            missing = [key for key in self._assets_behind(step) if key not in self.assets]
            self.assets |= {key: AssetResult(key, "canceled") for key in missing}
            if self._is_op(step):
                self.ops[step] = OpResult(step, "canceled")
        else:
            if self._is_op(step):
                self.ops[step] = OpResult(step, "failed")
            yield self._fail(step, failure.error)

    def _fail_run(self, event: dg.DagsterEvent, _: float) -> Iterator[RunNews]:
        error = event.job_failure_data.error
        if error is not None and not self.failures:
            yield self._fail("", error)

    def _fail(self, step: str, error: SerializableErrorInfo | None) -> StepFailed:
        text = describe_error(error)
        failed = self._failed_assets(step, text)
        self.assets |= {key: AssetResult(key, "failed") for key in failed}
        failure = StepFailed(step, text, failed)
        self.failures.append(failure)
        return failure

    def _failed_assets(self, step: str, error: str) -> tuple[str, ...]:
        """What a step that failed was to build and did not; what dbt skipped behind a failure did not fail itself."""
        missing = tuple(key for key in self._assets_behind(step) if key not in self.assets)
        if not self._is_dbt(step):
            return missing
        named, unit_tests = set(_DBT_NODE.findall(error)), _DBT_UNIT_TEST.findall(error)
        self.failed_unit_tests.update(unit_tests)
        failed = tuple(key for key in missing if self.dbt_names.get(key) in named)
        tests = [self.checks.get(check) for check, planned in self.planned_checks.items() if planned == step]
        has_failed_test = any(test is not None and test.status == "failed" for test in tests)
        return failed or (() if has_failed_test or unit_tests else missing)

    def _is_op(self, step: str) -> bool:
        """Whether the step makes neither assets nor checks."""
        return not self._assets_of(step) and step not in self.planned_checks.values()

    def _is_dbt(self, step: str) -> bool:
        return any(asset in self.dbt_names for asset in self._assets_of(step))

    def _assets_of(self, step: str) -> tuple[str, ...]:
        return tuple(asset for asset, planned in self.planned_assets.items() if planned == step)

    def _assets_behind(self, step: str) -> tuple[str, ...]:
        """The assets of a step, or those of the graph that it is a part of: they come of none of its steps alone."""
        behind = (asset for asset, planned in self.planned_assets.items() if _go_together(step, planned))
        return self._assets_of(step) or tuple(behind)

    def _began_at(self, step: str, otherwise: float) -> float:
        """When a step began, or the first of those of its graph."""
        began = (at for begun, at in self.started_steps.items() if _go_together(step, begun))
        return min(began, default=otherwise)


def _graph_of(step: str) -> str:
    """The graph whose ops the steps `graph.op` are; empty of a step that is none of these."""
    whole, dot, _ = step.partition(".")
    return whole if dot else ""


def _go_together(step: str, other: str) -> bool:
    """Whether they are one step, or two of one graph."""
    return step == other or _graph_of(step) == _graph_of(other) != ""


def _failed_on(check: CheckResult, asset: str) -> bool:
    return check.asset == asset and check.status == "failed"


def _key(key: dg.AssetKey) -> str:
    return key.to_user_string()


def _step(event: dg.DagsterEvent) -> str:
    return event.step_key or ""


def _plain_value(metadata: dg.MetadataValue[Any]) -> object:
    if isinstance(metadata, dg.TableMetadataValue):
        columns = [column.name for column in metadata.schema.columns]
        return [{name: record.data[name] for name in columns if name in record.data} for record in metadata.records]
    value = metadata.value
    return value if value is None or isinstance(value, str | int | float | list | dict) else str(value)


def _number(value: object) -> float | None:
    number = getattr(value, "value", None)
    return number if isinstance(number, int | float) else None


def _rows(metadata: Mapping[str, dg.MetadataValue], before: AssetResult | None) -> int | None:
    """The rows of a table, or of the partitions of it that a run has materialised so far."""
    of_range = _number(metadata.get(RANGE_ROW_COUNT))
    if of_range is not None:  # every partition of the range says it
        return int(of_range)
    of_partition = _number(metadata.get(PARTITION_ROW_COUNT))
    if of_partition is not None:
        is_next_partition = before is not None and before.partition is not None
        return int(of_partition) + ((before.rows or 0) if before is not None and is_next_partition else 0)
    of_table = _number(metadata.get(ROW_COUNT))
    return None if of_table is None else int(of_table)
