"""The cursor of an asset sensor as text, short enough whatever is watched and waits."""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

from floe_dagster.sensors.asset_decisions import AssetCursor, LaneState, Waiting
from floe_dagster.sensors.cursor_text import MOST_CHARACTERS, read_cursor, write_cursor
from floe_dagster.sensors.event_window import EventWindow

VERSION = 1

_KEPT_WHERE_TOO_LONG = 0.8


class WrittenCursor(NamedTuple):
    """A cursor as text, and how many partitions could not be kept in it: those that have waited longest."""

    text: str
    forgotten: int = 0


def write_asset_cursor(cursor: AssetCursor, watched: Sequence[str]) -> WrittenCursor:
    """The text of *cursor*, at most `MOST_CHARACTERS` long.

    It names the assets that wait. Where that would be too long it numbers them in *watched*, so that what waits is
    forgotten when other assets are watched; then it leaves out the ids of their materializations, of which only tags
    tell; and in the end the partitions that have waited longest.

    Args:
        cursor: What is written.
        watched: All watched assets, in alphabetical order.
    """
    for write in (_with_names, _with_numbers, _without_ids):
        text = write(cursor, watched)
        if len(text) <= MOST_CHARACTERS:
            return WrittenCursor(text)
    forgotten = 0
    while len(text) > MOST_CHARACTERS and (left := _without_oldest(cursor)) != cursor:
        forgotten += _waiting_units(cursor) - _waiting_units(left)
        cursor = left
        text = _without_ids(cursor, watched)
    return WrittenCursor(text, forgotten)


def read_asset_cursor(text: str, watched: Sequence[str]) -> AssetCursor:
    """The cursor whose text `write_asset_cursor` gave.

    Raises:
        ValueError: It is something else, or of another version.
    """
    match read_cursor(text, version=VERSION):
        case {"window": dict(window), "assets": list(names), "lanes": dict(lanes)}:
            numbered = [str(name) for name in names]
        case {"window": dict(window), "numbered": str(fingerprint), "lanes": dict(lanes)}:
            numbered = list(watched)
            if fingerprint != _fingerprint(watched):
                lanes = {}
        case _:
            raise ValueError("it is not the cursor of an asset sensor")
    try:
        states = {str(name): _read_lane(lane, numbered) for name, lane in lanes.items()}
    except (KeyError, IndexError, TypeError) as error:
        raise ValueError("it is not the cursor of an asset sensor") from error
    return AssetCursor(EventWindow.from_json(window), states)


def _with_names(cursor: AssetCursor, _: Sequence[str]) -> str:
    names = sorted({name for lane in cursor.lanes.values() for name in _names_in(lane)})
    return _write(cursor, {"assets": names}, names, keep_id=int)


def _with_numbers(cursor: AssetCursor, watched: Sequence[str]) -> str:
    return _write(cursor, {"numbered": _fingerprint(watched)}, watched, keep_id=int)


def _without_ids(cursor: AssetCursor, watched: Sequence[str]) -> str:
    return _write(cursor, {"numbered": _fingerprint(watched)}, watched, keep_id=lambda _: 0)


def _write(
    cursor: AssetCursor, assets: Mapping[str, object], names: Sequence[str], *, keep_id: Callable[[int], int]
) -> str:
    numbers = {name: number for number, name in enumerate(names)}
    lanes = {name: _lane_to_json(lane, numbers, keep_id) for name, lane in cursor.lanes.items()}
    return write_cursor({"version": VERSION, "window": cursor.window.to_json(), **assets, "lanes": lanes})


def _lane_to_json(lane: LaneState, numbers: Mapping[str, int], keep_id: Callable[[int], int]) -> dict[str, object]:
    waiting = [
        [
            *(unit, waiting.count, waiting.last),
            [[numbers[name], keep_id(last)] for name, last in waiting.newest.items()],
            *waiting.chain,
        ]
        for unit, waiting in lane.waiting.items()
    ]
    shared = [[numbers[name], last] for name, last in lane.shared.items()]
    return {"waiting": waiting, "shared": shared, "launched": dict(lane.launched)}


def _read_lane(lane: Mapping[str, object], names: Sequence[str]) -> LaneState:
    match lane:
        case {"waiting": list(waiting), "shared": list(shared), "launched": dict(launched)}:
            return LaneState(
                {
                    unit: Waiting(
                        {names[number]: int(last) for number, last in newest},
                        *(int(count), int(last)),
                        tuple(map(str, chain)),
                    )
                    for unit, count, last, newest, *chain in waiting
                },
                {names[number]: int(last) for number, last in shared},
                {str(unit): int(position) for unit, position in launched.items()},
            )
        case _:
            raise ValueError("it is not the cursor of an asset sensor")


def _names_in(lane: LaneState) -> set[str]:
    return {*lane.shared, *(name for waiting in lane.waiting.values() for name in waiting.newest)}


def _waiting_units(cursor: AssetCursor) -> int:
    return sum(len(lane.waiting) for lane in cursor.lanes.values())


def _without_oldest(cursor: AssetCursor) -> AssetCursor:
    """Without a part of what waits; the one thing that is not for a partition stays."""
    return replace(cursor, lanes={name: _lane_without_oldest(lane) for name, lane in cursor.lanes.items()})


def _lane_without_oldest(lane: LaneState) -> LaneState:
    partitions = [unit for unit in lane.waiting if unit is not None]
    partitions.sort(key=lambda unit: lane.waiting[unit].last, reverse=True)
    kept = {None, *partitions[: int(len(partitions) * _KEPT_WHERE_TOO_LONG)]}
    return replace(lane, waiting={unit: waiting for unit, waiting in lane.waiting.items() if unit in kept})


def _fingerprint(watched: Sequence[str]) -> str:
    return hashlib.sha256("\n".join(watched).encode()).hexdigest()[:12]
