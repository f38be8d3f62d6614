"""What an asset sensor launches for the materializations that it sees, as plain data."""

import hashlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from itertools import islice
from typing import TypeAlias

from floe_dagster.sensors.event_window import EventWindow

MOST_LAUNCHES = 100
"""How many events of a tick launch runs, each for all jobs; a partition is one."""

MOST_EVENTS = 20_000
"""How many materializations a tick reads."""

MOST_LAUNCHED = 2_000
"""How many launched partitions are remembered, where they share assets without partitions."""

Unit: TypeAlias = str | None
"""What is launched as one: a partition key, or None for everything together."""


@dataclass(frozen=True, slots=True)
class SeenEvent:
    """A materialization by its id in the event log; `asset` is None where it does not count.

    `chain` names the sensors by whose launches it came about.
    """

    id: int
    asset: str | None = None
    partition: str | None = None
    chain: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Lane:
    """The jobs of a sensor that are launched together, and what they are launched for.

    Args:
        watched: The assets.
        keyed: Those that have the partitions of the jobs: their partitions are launched each for itself.
        needs_all: Whether every watched asset must be new, or any.
        is_early: Whether the jobs do not have a partition yet: what is for it waits.
    """

    watched: frozenset[str]
    keyed: frozenset[str] = frozenset()
    needs_all: bool = False
    is_early: Callable[[str], bool] = field(default=lambda _: False, compare=False)


@dataclass(slots=True)
class Waiting:
    """What a launch is going to be for.

    Args:
        newest: Asset → the id of its last materialization; 0 where that was not kept.
        count: How many materializations there were.
        last: The highest id of them.
        chain: The shortest of their chains. With it, what came from outside reaches every sensor, and sensors that feed
            one another still end: each launch is longer than one event that it alone took.
    """

    newest: dict[str, int] = field(default_factory=dict)
    count: int = 0
    last: int = 0
    chain: tuple[str, ...] = ()

    def add(self, asset: str, event: int, chain: tuple[str, ...] = ()) -> None:
        """Count one more."""
        if not self.count or len(chain) < len(self.chain):
            self.chain = chain
        self.newest[asset] = max(event, self.newest.get(asset, 0))
        self.count += 1
        self.last = max(self.last, event)

    def kept_for(self, assets: frozenset[str]) -> "Waiting":
        """A copy without what is not among *assets*."""
        newest = {asset: last for asset, last in self.newest.items() if asset in assets}
        return Waiting(newest, self.count, self.last, self.chain)


@dataclass(frozen=True, slots=True)
class LaneState:
    """What a lane remembers between ticks; with `any`, only what is for partitions that are not there yet.

    Args:
        waiting: What was materialized since the last launch.
        shared: Asset → id of its last materialization that was for no partition of the jobs.
        launched: Partition → the highest id there was when it was last launched; only where something is shared.
    """

    waiting: Mapping[Unit, Waiting] = field(default_factory=dict)
    shared: Mapping[str, int] = field(default_factory=dict)
    launched: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Launch:
    """One launch of the jobs of a lane.

    Args:
        partition: The partition key; None where the partition selector decides.
        newest: Asset → the id of its last materialization, the last of all first.
        count: How many materializations there were.
        run_key: Names the materializations that it is for.
        chain: The sensors by whose launches it came about.
    """

    partition: Unit
    newest: Mapping[str, int]
    count: int
    run_key: str
    chain: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class AssetCursor:
    """What an asset sensor knows between ticks; lanes by name."""

    window: EventWindow
    lanes: Mapping[str, LaneState] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Decision:
    """What a tick does.

    Args:
        launches: By the name of their lane.
        cursor: What is known after it.
        is_behind: Whether it left events to the next one.
        early: The partitions that would have been launched if they were there.
    """

    launches: Mapping[str, tuple[Launch, ...]]
    cursor: AssetCursor
    is_behind: bool
    early: frozenset[str] = frozenset()


def decide_launches(
    cursor: AssetCursor,
    events: Iterable[SeenEvent],
    *,
    lanes: Mapping[str, Lane],
    at: float,
    most_events: int = MOST_EVENTS,
) -> Decision:
    """Decide what to launch.

    Args:
        cursor: What is known from the tick before.
        events: All materializations that the cursor's window has not seen, by ascending id; read no further than is
            needed.
        lanes: By name; what the cursor knows of others is forgotten.
        at: The moment of the tick, in seconds since the epoch.
        most_events: How many events are read.
    """
    gatherings = {name: _Gathering(lane, cursor.lanes.get(name, LaneState())) for name, lane in lanes.items()}
    taken: list[int] = []
    stopped_at: int | None = None
    for event in events:
        has_room = all(gathering.has_room_for(event) for gathering in gatherings.values())
        if len(taken) == most_events or not has_room:
            stopped_at = event.id
            break
        taken.append(event.id)
        for gathering in gatherings.values():
            gathering.add(event)
    position = max([*taken, cursor.window.last])
    launches = {name: gathering.launch(position) for name, gathering in gatherings.items()}
    states = {name: gathering.state for name, gathering in gatherings.items()}
    window = cursor.window.having_seen(taken, at=at, stopped_at=stopped_at)
    early = frozenset(unit for gathering in gatherings.values() for unit in gathering.early)
    return Decision(launches, AssetCursor(window, states), is_behind=stopped_at is not None, early=early)


class _Gathering:
    """A lane during a tick."""

    def __init__(self, lane: Lane, state: LaneState) -> None:
        self._lane = lane
        self._shares = lane.needs_all and bool(lane.keyed)
        kept = {
            unit: waiting.kept_for(lane.watched if unit is None else lane.keyed)
            for unit, waiting in state.waiting.items()
        }
        self._waiting = {unit: waiting for unit, waiting in kept.items() if waiting.newest}
        self._shared = {asset: last for asset, last in state.shared.items() if asset in lane.watched}
        self._launched = dict(state.launched)
        self._ready: dict[Unit, None] = {}
        self._early: dict[str, bool] = {}
        self._find_ready(self._waiting)

    @property
    def early(self) -> list[str]:
        """The partitions that are complete and not there yet."""
        return [unit for unit, is_early in self._early.items() if is_early]

    @property
    def state(self) -> LaneState:
        oldest = min(self._shared.values(), default=0)
        launched = {unit: position for unit, position in self._launched.items() if position >= oldest}
        newest = sorted(launched, key=launched.__getitem__)[-MOST_LAUNCHED:] if self._shared else ()
        return LaneState(self._waiting, self._shared, {unit: launched[unit] for unit in newest})

    def has_room_for(self, event: SeenEvent) -> bool:
        if len(self._ready) < MOST_LAUNCHES or event.asset not in self._lane.watched:
            return True
        return not self._lane.needs_all and self._unit_of(event) in self._ready

    def add(self, event: SeenEvent) -> None:
        if event.asset not in self._lane.watched or event.asset is None:
            return
        unit = self._unit_of(event)
        if self._shares and unit is None:
            self._shared[event.asset] = max(event.id, self._shared.get(event.asset, 0))
            self._find_ready(self._waiting)
        else:
            self._waiting.setdefault(unit, Waiting()).add(event.asset, event.id, event.chain)
            self._find_ready([unit])

    def launch(self, position: int) -> tuple[Launch, ...]:
        """Take what is ready out of what waits, what came first first."""
        units = list(islice(self._ready, MOST_LAUNCHES))
        launches = tuple(self._launch_of(unit) for unit in units)
        for unit in units:
            del self._waiting[unit]
            if self._shares and unit is not None:
                self._launched[unit] = position
        return launches

    def _unit_of(self, event: SeenEvent) -> Unit:
        return event.partition if event.asset in self._lane.keyed else None

    def _find_ready(self, units: Iterable[Unit]) -> None:
        self._ready |= {unit: None for unit in units if self._is_ready(unit) and not self._is_early(unit)}

    def _is_ready(self, unit: Unit) -> bool:
        newest, watched = self._waiting[unit].newest, self._lane.watched
        if not self._lane.needs_all:
            return True
        if len(newest) + len(self._shared) < len(watched):
            return False
        return all(asset in newest or self._is_fresh(asset, unit) for asset in watched)

    def _is_early(self, unit: Unit) -> bool:
        if unit is None:
            return False
        if unit not in self._early:
            self._early[unit] = self._lane.is_early(unit)
        return self._early[unit]

    def _is_fresh(self, asset: str, unit: Unit) -> bool:
        return self._shared.get(asset, -1) > self._launched.get(unit or "", -1)

    def _launch_of(self, unit: Unit) -> Launch:
        waiting = self._waiting[unit]
        fresh = {asset: last for asset, last in self._shared.items() if self._is_fresh(asset, unit)}
        newest = dict(sorted({**fresh, **waiting.newest}.items(), key=lambda item: (-item[1], item[0])))
        count = waiting.count + len(fresh.keys() - waiting.newest)
        return Launch(unit, newest, count, _run_key(unit, waiting), waiting.chain)


def _run_key(unit: Unit, waiting: Waiting) -> str:
    """The same for the same materializations, and for no others: `1234-5f2a9c01`, with the partition."""
    names = ",".join(f"{asset}:{last}" for asset, last in sorted(waiting.newest.items()))
    digest = hashlib.sha256(f"{names};{waiting.count}".encode()).hexdigest()[:8]
    return f"{waiting.last}-{digest}" if unit is None else f"{waiting.last}-{digest} {unit}"
