"""A tick of an asset sensor."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import dagster as dg

from floe_core.errors import Problem, SensorError
from floe_core.suggestions import list_names
from floe_dagster.launching.sensor_runs import SensorRuns, SensorTarget
from floe_dagster.partitioning.choice import is_dynamic
from floe_dagster.partitioning.missing_keys import is_early
from floe_dagster.selection.resolution import Keys
from floe_dagster.sensors.asset_cursor import read_asset_cursor, write_asset_cursor
from floe_dagster.sensors.asset_decisions import AssetCursor, Decision, Lane, Launch, SeenEvent, decide_launches
from floe_dagster.sensors.event_window import EventWindow
from floe_dagster.sensors.log_reading import begin_window, read_new
from floe_dagster.sensors.own_runs import CHAIN_TAG, RunLookup

ASSETS_TAG = "floe/materialized_assets"
IDS_TAG = "floe/materialization_ids"
COUNT_TAG = "floe/materializations"
"""How many materializations a run was launched for; the other two tags name the last of them."""

_NAMED = 10


@dataclass(frozen=True)
class AssetTicks:
    """What an asset sensor does at a tick.

    Args:
        name: Of the sensor.
        watched: The assets.
        needs_all: Whether each of them must be new, or any.
        runs: What is launched.
    """

    name: str
    watched: Keys
    needs_all: bool
    runs: SensorRuns

    def evaluate(self, context: dg.SensorEvaluationContext) -> dg.SensorResult:
        """One tick.

        Raises:
            SensorError: The cursor is not one of this sensor.
        """
        now = time.time()
        names = sorted("/".join(key) for key in self.watched)
        runs = {_lane_name(lane): lane for lane in self._lanes(context)}
        lanes = {
            name: Lane(frozenset(names), lane.keyed, self.needs_all, lane.early_keys(context, now))
            for name, lane in runs.items()
        }
        cursor = self._read_cursor(context, names, now)
        decision = decide_launches(cursor, self._read_events(context, cursor.window), lanes=lanes, at=now)
        found = [
            runs[name].runs.of_event(
                context,
                run_key=f"{name} {launch.run_key}" if len(lanes) > 1 else launch.run_key,
                partition_key=launch.partition,
                tags={**_tags_of(launch), CHAIN_TAG: ",".join(dict.fromkeys((*launch.chain, self.name)))},
            )
            for name, launches in decision.launches.items()
            for launch in launches
        ]
        missing = list(dict.fromkeys(sentence for each in found for sentence in each.missing))
        written = write_asset_cursor(decision.cursor, names)
        for sentence in missing:
            context.log.warning(sentence)
        if written.forgotten:
            context.log.warning(
                "%d partitions do not fit into the cursor, and what was materialized for them waits no more",
                written.forgotten,
            )
        requests = [request for each in found for request in each.requests]
        reason = "; ".join([*missing, *_describe_early(decision)]) or self._describe(decision, names)
        return dg.SensorResult(
            run_requests=requests, cursor=written.text, skip_reason=None if requests else dg.SkipReason(reason)
        )

    def _lanes(self, context: dg.SensorEvaluationContext) -> "list[_LaneRuns]":
        """The targets, those together that are launched for the same partitions."""
        lanes: list[_LaneRuns] = []
        for target in self.runs.targets:
            partitions_def = target.plan_at(context).partitions_def
            keyed = self._keyed(partitions_def, context)
            same = next((lane for lane in lanes if lane.keyed == keyed), None)
            if same is None:
                lanes.append(_LaneRuns(keyed, replace(self.runs, targets=(target,)), partitions_def))
            else:
                lanes[lanes.index(same)] = same.joined_by(target)
        return lanes

    def _keyed(
        self, partitions_def: dg.PartitionsDefinition | None, context: dg.SensorEvaluationContext
    ) -> frozenset[str]:
        """The watched assets that have these partitions, external ones among them."""
        if partitions_def is None:
            return frozenset()
        assert context.repository_def is not None
        graph = context.repository_def.asset_graph
        keys = [dg.AssetKey(key) for key in self.watched]
        found = {key: graph.get(key).partitions_def for key in keys if graph.has(key)}
        same = [key for key, other in found.items() if other is partitions_def or other == partitions_def]
        return frozenset(map(_name_of, same))

    def _read_cursor(self, context: dg.SensorEvaluationContext, names: Sequence[str], now: float) -> AssetCursor:
        if not context.cursor:
            fetch = _Materializations(context.instance)
            return AssetCursor(begin_window(fetch, context, at=now))
        try:
            return read_asset_cursor(context.cursor, names)
        except ValueError as error:
            raise SensorError(unreadable_cursor(self.runs.subject, str(error))) from error

    def _read_events(self, context: dg.SensorEvaluationContext, window: EventWindow) -> Iterator[SeenEvent]:
        """What the window has not seen.

        What is not watched does not count, nor what a run made that this sensor led to, alone or by way of others.
        """
        lookup = RunLookup.at_tick(context)
        for page in read_new(_Materializations(context.instance), window):
            watched = [record for record in page if self._is_watched(record)]
            lookup.read(record.run_id for record in watched)
            counted = {record.storage_id for record in watched if not lookup.is_from(record.run_id, self.name)}
            for record in page:
                if record.storage_id in counted and record.asset_key is not None:
                    partition = None if record.partition_key is None else str(record.partition_key)
                    chain = lookup.chain_to(record.run_id)
                    yield SeenEvent(record.storage_id, _name_of(record.asset_key), partition, chain)
                else:
                    yield SeenEvent(record.storage_id)

    def _is_watched(self, record: dg.EventLogRecord) -> bool:
        return record.asset_key is not None and tuple(record.asset_key.path) in self.watched

    def _describe(self, decision: Decision, names: Sequence[str]) -> str:
        """Why nothing is launched."""
        waiting = [wait for lane in decision.cursor.lanes.values() for wait in lane.waiting.values()]
        if decision.is_behind:
            return "more materializations are read at the next tick"
        if not waiting:
            return f"no new materialization of {list_names(names, limit=5)}"
        if len(waiting) > 1:
            return f"{len(waiting)} partitions wait for other watched assets"
        return f"waiting for {list_names([name for name in names if name not in waiting[0].newest], limit=5)}"


@dataclass(frozen=True)
class _LaneRuns:
    """Targets that are launched together, and the watched assets that have their partitions."""

    keyed: frozenset[str]
    runs: SensorRuns
    partitions_def: dg.PartitionsDefinition | None

    def joined_by(self, target: SensorTarget) -> "_LaneRuns":
        return replace(self, runs=replace(self.runs, targets=(*self.runs.targets, target)))

    def early_keys(self, context: dg.SensorEvaluationContext, now: float) -> Callable[[str], bool]:
        """Tells whether the targets do not have a partition yet."""
        partitions_def, at = self.partitions_def, datetime.fromtimestamp(now, UTC)
        if partitions_def is None:
            return lambda _: False
        store = context.instance if is_dynamic(partitions_def) else None
        return lambda key: is_early(key, partitions_def, at=at, dynamic_partitions_store=store)


@dataclass(frozen=True)
class _Materializations:
    """All materializations of the instance.

    Source:
        Dagster 1.13 has a public way to read those of one asset, which is a query or two for each watched one. The
        storage gives those of all assets in the order of their ids by an index, in every database.
    """

    instance: dg.DagsterInstance

    def __call__(
        self, *, after: int | None = None, before: int | None = None, limit: int, ascending: bool
    ) -> Sequence[dg.EventLogRecord]:
        kind = dg.DagsterEventType.ASSET_MATERIALIZATION
        return self.instance.event_log_storage.get_event_records(
            dg.EventRecordsFilter(kind, after_cursor=after, before_cursor=before), limit=limit, ascending=ascending
        )


def unreadable_cursor(subject: str, reason: str) -> Problem:
    """The problem of a cursor that the sensor did not write."""
    return Problem(
        "FLOE-394",
        f"{subject} has a cursor that it cannot read",
        why=reason,
        fix="empty the cursor on the sensor's page in the Dagster UI; it then goes on after its last tick",
    )


def _lane_name(lane: _LaneRuns) -> str:
    first = lane.runs.targets[0]
    return first.job_name or first.what


def _name_of(key: dg.AssetKey) -> str:
    return "/".join(key.path)


def _describe_early(decision: Decision) -> Iterator[str]:
    if decision.early:
        yield f"waiting until there is a partition {list_names(sorted(decision.early), limit=5)}"


def _tags_of(launch: Launch) -> Mapping[str, str]:
    """What the launch is for: the assets that were materialized last, the ids of the materializations, their number."""
    assets = list(launch.newest)
    more = f", and {len(assets) - _NAMED} more" if len(assets) > _NAMED else ""
    ids = [str(last) for last in launch.newest.values() if last][:_NAMED]
    return {
        ASSETS_TAG: ", ".join(assets[:_NAMED]) + more,
        COUNT_TAG: str(launch.count),
        **({IDS_TAG: ",".join(ids)} if ids else {}),
    }
