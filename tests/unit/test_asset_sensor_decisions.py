"""What an asset sensor decides to launch, whatever happens in which order."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from floe_dagster.sensors.asset_cursor import read_asset_cursor, write_asset_cursor
from floe_dagster.sensors.asset_decisions import (
    MOST_LAUNCHES,
    AssetCursor,
    Decision,
    Lane,
    LaneState,
    Launch,
    SeenEvent,
    Waiting,
    decide_launches,
)
from floe_dagster.sensors.cursor_text import MOST_CHARACTERS
from floe_dagster.sensors.event_window import MOST_KEPT, SECONDS_TO_APPEAR, EventWindow

NEW = AssetCursor(EventWindow.beginning_at(0, at=0.0))


def decide(
    events: Sequence[SeenEvent], lane: Lane, cursor: AssetCursor = NEW, *, at: float = 0.0, most_events: int = 100
) -> Decision:
    unseen = [event for event in events if cursor.window.is_new(event.id)]
    return decide_launches(cursor, unseen, lanes={"load": lane}, at=at, most_events=most_events)


def launches(decision: Decision) -> list[tuple[str | None, list[str], int]]:
    return [(each.partition, sorted(each.newest), each.count) for each in decision.launches["load"]]


def test_one_launch_for_all_that_arrived_between_two_ticks() -> None:
    events = [SeenEvent(1, "a"), SeenEvent(2, "b"), SeenEvent(3), SeenEvent(4, "a")]

    decision = decide(events, Lane(frozenset("ab")))

    assert decision.launches["load"] == (Launch(None, {"a": 4, "b": 2}, 3, "4-9ae2fb48"),)
    assert launches(decide(events, Lane(frozenset("ab")), decision.cursor)) == []


def test_one_launch_for_each_partition() -> None:
    events = [SeenEvent(1, "a", "x"), SeenEvent(2, "a", "y"), SeenEvent(3, "b", "x"), SeenEvent(4, "c")]
    lane = Lane(frozenset("abc"), keyed=frozenset("ab"))

    assert launches(decide(events, lane)) == [("x", ["a", "b"], 2), ("y", ["a"], 1), (None, ["c"], 1)]


def test_all_waits_for_each_asset_since_the_last_launch() -> None:
    lane = Lane(frozenset("ab"), needs_all=True)
    first = decide([SeenEvent(1, "a"), SeenEvent(2, "a")], lane)
    second = decide([SeenEvent(3, "b")], lane, first.cursor)
    third = decide([SeenEvent(4, "b")], lane, second.cursor)
    fourth = decide([SeenEvent(5, "a")], lane, third.cursor)

    assert [launches(each) for each in (first, second, third, fourth)] == [
        [],
        [(None, ["a", "b"], 3)],
        [],
        [(None, ["a", "b"], 2)],
    ]


def test_all_waits_for_each_partition_alone() -> None:
    lane = Lane(frozenset("ab"), keyed=frozenset("ab"), needs_all=True)
    first = decide([SeenEvent(1, "a", "x"), SeenEvent(2, "b", "y")], lane)
    second = decide([SeenEvent(3, "a", "y")], lane, first.cursor)

    assert (launches(first), launches(second)) == ([], [("y", ["a", "b"], 2)])
    assert set(second.cursor.lanes["load"].waiting) == {"x"}


def test_all_with_an_asset_without_partitions_asks_for_it_anew_for_a_partition_that_was_launched() -> None:
    lane = Lane(frozenset("ab"), keyed=frozenset("a"), needs_all=True)
    first = decide([SeenEvent(1, "b"), SeenEvent(2, "a", "x"), SeenEvent(3, "a", "y")], lane)
    second = decide([SeenEvent(4, "a", "x"), SeenEvent(5, "a", "z")], lane, first.cursor)
    third = decide([SeenEvent(6, "b")], lane, second.cursor)

    assert [[name for name, _, _ in launches(each)] for each in (first, second, third)] == [["x", "y"], ["z"], ["x"]]


@pytest.mark.parametrize("needs_all", [False, True])
def test_what_is_for_a_partition_that_is_not_there_waits(*, needs_all: bool) -> None:
    there = {"x"}
    lane = Lane(frozenset("a"), frozenset("a"), needs_all=needs_all, is_early=lambda key: key not in there)
    events = [SeenEvent(number, "a", f"{number}") for number in range(1, 2 * MOST_LAUNCHES)]
    first = decide([*events, SeenEvent(1000, "a", "x")], lane, most_events=1000)
    there.add("7")
    second = decide([SeenEvent(1001, "a", "7")], lane, first.cursor)
    third = decide([], lane, second.cursor)

    assert [launches(each) for each in (first, second, third)] == [[("x", ["a"], 1)], [("7", ["a"], 2)], []]
    assert [len(each.early) for each in (first, second, third)] == [199, 198, 198]
    assert third.early == set(third.cursor.lanes["load"].waiting)


def test_what_waited_for_partitions_is_forgotten_where_the_jobs_have_none_any_more() -> None:
    lane = Lane(frozenset("a"), frozenset("a"), is_early=lambda _: True)
    waiting = decide([SeenEvent(1, "a", "x")], lane)

    assert launches(decide([], Lane(frozenset("a")), waiting.cursor)) == []


def test_all_does_not_take_an_asset_without_partitions_twice_that_came_last() -> None:
    lane = Lane(frozenset("ab"), keyed=frozenset("a"), needs_all=True)
    first = decide([SeenEvent(1, "a", "x"), SeenEvent(2, "b")], lane)
    second = decide([SeenEvent(3, "a", "x")], lane, first.cursor)

    assert [[name for name, _, _ in launches(each)] for each in (first, second)] == [["x"], []]


def test_more_partitions_than_a_tick_launches_are_launched_by_the_next_ones() -> None:
    lane = Lane(frozenset("a"), keyed=frozenset("a"))
    events = [SeenEvent(number, "a", f"{number % 150}") for number in range(1, 301)]

    first = decide(events, lane, most_events=1000)
    second = decide(events, lane, first.cursor, most_events=1000)
    third = decide(events, lane, second.cursor, most_events=1000)

    assert [len(launches(each)) for each in (first, second, third)] == [MOST_LAUNCHES, MOST_LAUNCHES, 100]
    assert sum(count for each in (first, second, third) for _, _, count in launches(each)) == 300
    assert [each.is_behind for each in (first, second, third)] == [True, True, False]


def test_what_one_asset_completes_at_once_is_launched_tick_by_tick() -> None:
    lane = Lane(frozenset("ab"), keyed=frozenset("a"), needs_all=True)
    events = [SeenEvent(number, "a", f"{number}") for number in range(1, 251)]
    waiting = decide(events, lane, most_events=1000)

    cursor = decide([SeenEvent(251, "b")], lane, waiting.cursor).cursor
    numbers = [150]
    while cursor.lanes["load"].waiting:
        cursor = decide([], lane, cursor).cursor
        numbers.append(len(cursor.lanes["load"].waiting))

    assert numbers == [150, 50, 0]


def test_an_event_that_appears_late_is_seen() -> None:
    first = decide([SeenEvent(5, "a")], Lane(frozenset("a")), at=10.0)
    second = decide([SeenEvent(4, "a"), SeenEvent(5, "a")], Lane(frozenset("a")), first.cursor, at=10 + 59.0)

    assert launches(second) == [(None, ["a"], 1)]


def test_a_late_event_that_a_tick_left_for_the_next_is_not_lost() -> None:
    lane = Lane(frozenset("a"))
    cursor = decide([SeenEvent(9, "a")], lane, at=100.0).cursor

    stopped = decide([SeenEvent(3, "a"), SeenEvent(4, "a"), SeenEvent(9, "a")], lane, cursor, at=500.0, most_events=1)
    later = decide([SeenEvent(4, "a")], lane, stopped.cursor, at=1000.0)

    assert (launches(stopped), launches(later)) == ([(None, ["a"], 1)], [(None, ["a"], 1)])


def test_a_window_keeps_a_bounded_number_of_events() -> None:
    window = NEW.window.having_seen(range(1, 3 * MOST_KEPT), at=1.0)

    assert (len(window.seen), window.last) == (MOST_KEPT, 3 * MOST_KEPT - 1)
    assert EventWindow.from_json(window.to_json()) == window


def test_an_asset_that_is_watched_no_more_is_waited_for_no_more() -> None:
    cursor = decide([SeenEvent(1, "a"), SeenEvent(2, "c")], Lane(frozenset("abc"), needs_all=True)).cursor

    assert launches(decide([], Lane(frozenset("ac"), needs_all=True), cursor)) == [(None, ["a", "c"], 2)]
    assert launches(decide([], Lane(frozenset("ab"), needs_all=True), cursor)) == []


def test_a_launch_has_the_shortest_chain_of_what_it_is_for() -> None:
    lane = Lane(frozenset("ab"), needs_all=True)
    waiting = decide([SeenEvent(1, "a", chain=("p", "q", "r")), SeenEvent(2, "a", chain=("p", "q"))], lane)
    cursor = read_asset_cursor(write_asset_cursor(waiting.cursor, ["a", "b"]).text, ["a", "b"])

    (launch,) = decide([SeenEvent(3, "b", chain=("q", "p", "r"))], lane, cursor).launches["load"]
    (from_outside,) = decide([SeenEvent(3, "b")], lane, cursor).launches["load"]

    assert (launch.chain, from_outside.chain) == (("p", "q"), ())


@given(
    watching=st.dictionaries(st.sampled_from("pqrs"), st.sets(st.sampled_from("abcd"), min_size=1), min_size=1),
    making=st.fixed_dictionaries({name: st.sets(st.sampled_from("abcd")) for name in "pqrs"}),
    outside=st.lists(st.sets(st.sampled_from("abcd")), max_size=4),
    order=st.lists(st.sampled_from("pqrs"), max_size=30),
)
def test_sensors_that_feed_one_another_always_end(
    watching: dict[str, set[str]], making: dict[str, set[str]], outside: list[set[str]], order: list[str]
) -> None:
    log: list[SeenEvent] = []
    cursors = dict.fromkeys(watching, NEW)

    def tick(sensor: str) -> int:
        own = [SeenEvent(event.id) if sensor in event.chain else event for event in log]
        decision = decide(own, Lane(frozenset(watching[sensor])), cursors[sensor])
        cursors[sensor] = decision.cursor
        for launch in decision.launches["load"]:
            for asset in sorted(making[sensor]):
                log.append(SeenEvent(len(log) + 1, asset, chain=(*launch.chain, sensor)))
        return len(decision.launches["load"])

    for assets in outside:
        log += [SeenEvent(len(log) + number, asset) for number, asset in enumerate(sorted(assets), start=1)]
        for sensor in order:
            if sensor in watching:
                tick(sensor)
    rounds = 0
    while sum(tick(sensor) for sensor in watching):
        rounds += 1
        assert rounds <= len(watching) + 1


ASSETS = [f"area_{number % 37}/layer_{number * 7919 % 101}/table_{number * 104729 % 99991}" for number in range(5000)]


@pytest.mark.parametrize(
    ("assets", "partitions", "forgets"), [(5000, 0, False), (2, 4000, False), (20, 20_000, True), (5000, 500, False)]
)
def test_the_cursor_stays_below_64_kib(assets: int, partitions: int, *, forgets: bool) -> None:
    watched = sorted(ASSETS[:assets])
    units: list[str | None] = [f"2024-{number:06d}" for number in range(partitions)]
    waiting = {
        unit: Waiting({watched[number % assets]: 1000 + 7 * number} if partitions else {}, 1, 1000 + 7 * number)
        for number, unit in enumerate(units or [None])
    }
    if not partitions:
        waiting[None].newest.update({name: 10_000 + number * 7919 for number, name in enumerate(watched[:-1])})
    window = EventWindow(0, tuple(range(10, 11 * MOST_KEPT, 11)))
    cursor = AssetCursor(window, {"load": LaneState(waiting)})

    written = write_asset_cursor(cursor, watched)

    assert len(written.text) <= MOST_CHARACTERS
    assert bool(written.forgotten) is forgets
    read = read_asset_cursor(written.text, watched)
    assert read.window == window
    kept = read.lanes["load"].waiting
    assert len(kept) == len(waiting) - written.forgotten
    assert all(kept[unit].newest.keys() == waiting[unit].newest.keys() for unit in kept)
    assert not forgets or f"2024-{partitions - 1:06d}" in kept


def test_a_long_cursor_numbers_the_assets_and_forgets_them_when_others_are_watched() -> None:
    watched = sorted(f"{number * 2654435761 % 2**32:x}{number}" for number in range(9000))
    state = LaneState({None: Waiting(dict.fromkeys(watched[:-1], 7), 8999, 7)})
    text = write_asset_cursor(AssetCursor(NEW.window, {"load": state}), watched).text

    assert read_asset_cursor(text, watched).lanes["load"] == state
    assert read_asset_cursor(text, watched[1:]).lanes == {}


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "it is no text that a sensor wrote"),
        ("12345", "it is no text that a sensor wrote"),
        ("zlib:!", "it is no text that a sensor wrote"),
        ('{"version":2}', "it is of version 2, and this floe writes version 1"),
        ('{"version":1,"window":{},"assets":[],"lanes":{}}', "no window of events"),
        ('{"version":1,"failed":[]}', "it is not the cursor of an asset sensor"),
    ],
)
def test_cursors_that_cannot_be_read(text: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        read_asset_cursor(text, [])


@dataclass
class World:
    """An event log in which events appear late, and Dagster with what it keeps of a sensor between ticks."""

    lane: Lane
    most_events: int
    now: float = 0.0
    log: list[tuple[float, SeenEvent]] = field(default_factory=list)  # with the moment from which it is seen
    cursor: str = ""
    launched: dict[str, Launch] = field(default_factory=dict)  # by run key, each once
    rounds: list[list[Launch]] = field(default_factory=list)

    @property
    def names(self) -> list[str]:
        return sorted(self.lane.watched)

    def materialize(self, asset: str | None, partition: str | None, *, delay: float = 0.0) -> None:
        event = SeenEvent(len(self.log) + 1, asset, partition if asset in self.lane.keyed else None)
        self.log.append((self.now + delay, event))

    def evaluate(self) -> tuple[list[Launch], str]:
        cursor = read_asset_cursor(self.cursor, self.names) if self.cursor else NEW
        seen = [event for moment, event in self.log if moment <= self.now and cursor.window.is_new(event.id)]
        decision = decide_launches(cursor, seen, lanes={"load": self.lane}, at=self.now, most_events=self.most_events)
        return [*decision.launches["load"]], write_asset_cursor(decision.cursor, self.names).text

    def tick(self, killed: str = "") -> None:
        """A tick that may be killed before anything is kept, or when runs are launched and the cursor is not kept."""
        self.now += 20.0
        requests, cursor = self.evaluate()
        if killed == "at once":
            return
        new = [launch for launch in requests if launch.run_key not in self.launched]
        self.launched |= {launch.run_key: launch for launch in requests}
        self.rounds.append(new)
        if killed == "without its cursor":
            again, cursor = self.evaluate()
            assert [launch.run_key for launch in again] == [launch.run_key for launch in requests]
        self.cursor = cursor

    def outside(self) -> Iterator[SeenEvent]:
        return (event for _, event in self.log if event.asset is not None)

    def waiting(self) -> dict[str | None, Waiting]:
        return dict(read_asset_cursor(self.cursor, self.names).lanes["load"].waiting)


ACTIONS = st.lists(
    st.one_of(
        st.tuples(
            st.just("materialize"),
            st.sampled_from(["a", "b", None]),  # None: by a run of the sensor, or not watched
            st.sampled_from(["x", "y"]),
            st.sampled_from([0.0, 0.0, 0.0, 15.0, 39.0]),
        ),
        st.tuples(st.just("tick"), st.sampled_from(["", "", "", "at once", "without its cursor"])),
        st.tuples(st.just("wait"), st.sampled_from([30.0, 100_000.0])),
    ),
    max_size=40,
)


def act(world: World, actions: Sequence[tuple[object, ...]]) -> None:
    """Do all of it, and then tick until everything was seen."""
    for action in actions:
        match action:
            case ("materialize", None | str() as asset, str(partition), float(delay)):
                world.materialize(asset, partition, delay=delay)
            case ("tick", str(killed)):
                world.tick(killed)
            case ("wait", float(seconds)):
                world.now += seconds
            case _:
                raise AssertionError(action)
    for _ in range(len(world.log) + 5):
        world.tick()


@pytest.mark.requirement("010-FR-031")
@settings(max_examples=settings().max_examples * 3)
@given(actions=ACTIONS, keyed=st.booleans(), needs_all=st.booleans(), most_events=st.sampled_from([2, 5, 1000]))
def test_each_outside_materialization_is_answered_once(
    actions: Sequence[tuple[object, ...]], *, keyed: bool, needs_all: bool, most_events: int
) -> None:
    watched = frozenset("ab")
    world = World(Lane(watched, watched if keyed else frozenset(), needs_all=needs_all), most_events)
    act(world, actions)

    outside = Counter(event.partition for event in world.outside())
    waiting = world.waiting()
    answered = Counter(
        {unit: sum(each.count for each in world.launched.values() if each.partition == unit) for unit in outside}
    )
    assert answered + Counter({unit: wait.count for unit, wait in waiting.items()}) == outside
    assert all(len({each.partition for each in launched}) == len(launched) for launched in world.rounds)
    assert all(each.newest.keys() == watched for each in world.launched.values() if needs_all)
    assert all(wait.newest.keys() < watched for wait in waiting.values())
    assert needs_all or not waiting


FEW_ACTIONS = st.lists(
    st.one_of(
        st.tuples(st.just("materialize"), st.sampled_from(["a", "b"]), st.sampled_from(["x", "y"]), st.just(0.0)),
        st.tuples(st.just("tick"), st.just("")),
    ),
    max_size=12,
)


@settings(max_examples=settings().max_examples * 3)
@given(actions=st.one_of(ACTIONS, FEW_ACTIONS), most_events=st.sampled_from([2, 5, 1000]))
def test_a_partition_takes_each_materialization_once_where_an_asset_has_no_partitions(
    actions: Sequence[tuple[object, ...]], most_events: int
) -> None:
    world = World(Lane(frozenset("ab"), frozenset("a"), needs_all=True), most_events)
    act(world, actions)

    taken = [(each.partition, asset, last) for each in world.launched.values() for asset, last in each.newest.items()]
    assert len(taken) == len(set(taken))
    assert all(each.newest.keys() == world.lane.watched for each in world.launched.values())
    outside = Counter(event.partition for event in world.outside() if event.asset == "a")
    answered = {
        unit: sum(each.count - 1 for each in world.launched.values() if each.partition == unit) for unit in outside
    }
    assert Counter(answered) + Counter({unit: wait.count for unit, wait in world.waiting().items()}) == outside


def test_late_means_at_most_a_minute() -> None:
    assert SECONDS_TO_APPEAR == 60.0
