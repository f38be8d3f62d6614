"""What a file watcher remembers from one tick to the next, as text of at most 64 KiB for any number of files."""

import json
from base64 import b85decode, b85encode
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple, TypeAlias

from floe_dagster.sensors.file_sketch import FileSketch

MOST_LISTED = 1000
"""So many files are listed one by one; more are a sketch."""
MOST_FOLDERS = 500
MOST_WAITING = 200
_FORMAT = "floe file_watcher 1"

Order: TypeAlias = tuple[int, int]
"""A place in the order in which files arrive: an instant in nanoseconds since 1970, and the number of the path."""


class HandledVersion(NamedTuple):
    """A version that needs nothing more: numbers for size and modification time, for inode and change, for content.

    The number for the content is 0 where it was never read.
    """

    stamp: int
    touch: int
    content: int


class Sighting(NamedTuple):
    """Numbers for how a file stood when it was first seen so, and when that was, in nanoseconds since 1970."""

    stamp: int
    touch: int
    since: int


@dataclass(frozen=True)
class ListedFiles:
    """Every handled file by the number of its path. Files that are gone stay while there is room."""

    versions: Mapping[int, HandledVersion] = field(default_factory=dict)


@dataclass(frozen=True)
class SketchedFiles:
    """A sketch of the handled files, each as the number of its path and its stamp.

    Args:
        sketch: Of all of them.
        until: Up to here in the order of arrival every file is handled, but for what the sketch shows to be otherwise.
    """

    sketch: FileSketch
    until: Order


@dataclass(frozen=True)
class FileCursor:
    """What a file watcher remembers.

    Args:
        since: When the sensor first looked, in nanoseconds since 1970.
        at: When this was written.
        watched: Names the folder and the pattern.
        handled: The versions that need nothing more.
        folders: Number of a folder → when it arrived, in nanoseconds; 0 for those that were there at first. Files that
            come with their folder keep their times.
        waiting: Number of a path → how it stood, for files whose times lie in the future.
        asking: Whether the instance is asked if a version was started before, as this cursor may have missed it.
        refused: How many files were left out because of their partition.
    """

    since: int
    at: int
    watched: str
    handled: ListedFiles | SketchedFiles = field(default_factory=ListedFiles)
    folders: Mapping[int, int] = field(default_factory=dict)
    waiting: Mapping[int, Sighting] = field(default_factory=dict)
    asking: bool = False
    refused: int = 0

    def to_text(self) -> str:
        """The same text for the same cursor."""
        match self.handled:
            case ListedFiles(versions):
                handled = {"listed": _pack((8, 6, 4, 6), ((key, *versions[key]) for key in sorted(versions)))}
            case SketchedFiles(sketch, until):
                handled = {"sketched": b85encode(sketch.to_bytes()).decode(), "until": list(until)}  # type: ignore[dict-item]  # JSON
        return json.dumps(
            {
                "format": _FORMAT,
                "since": self.since,
                "at": self.at,
                "watched": self.watched,
                "asking": self.asking,
                "refused": self.refused,
                "folders": _pack((8, 8), sorted(self.folders.items())),
                "waiting": _pack((8, 6, 4, 8), ((key, *self.waiting[key]) for key in sorted(self.waiting))),
                **handled,
            },
            separators=(",", ":"),
        )


def parse_cursor(text: str | None) -> FileCursor | None:
    """The cursor that is written in *text*; None where it is not one of this format."""
    try:
        found = json.loads(text or "")
        if found["format"] != _FORMAT:
            return None
        handled: ListedFiles | SketchedFiles
        if "listed" in found:
            handled = ListedFiles(
                {key: HandledVersion(*numbers) for key, *numbers in _unpack((8, 6, 4, 6), found["listed"])}
            )
        else:
            instant, key = found["until"]
            handled = SketchedFiles(FileSketch.from_bytes(b85decode(found["sketched"])), (int(instant), int(key)))
        return FileCursor(
            since=int(found["since"]),
            at=int(found["at"]),
            watched=str(found["watched"]),
            handled=handled,
            folders={key: arrival for key, arrival in _unpack((8, 8), found["folders"])},  # noqa: C416 - rows are lists
            waiting={key: Sighting(*numbers) for key, *numbers in _unpack((8, 6, 4, 8), found["waiting"])},
            asking=bool(found["asking"]),
            refused=int(found["refused"]),
        )
    except (ValueError, TypeError, KeyError, RecursionError):  # any text may stand there
        return None


def _pack(widths: tuple[int, ...], rows: Iterable[Iterable[int]]) -> str:
    numbers = (zip(widths, row, strict=True) for row in rows)
    return b85encode(b"".join(number.to_bytes(width, "big") for row in numbers for width, number in row)).decode()


def _unpack(widths: tuple[int, ...], text: str) -> Iterator[list[int]]:
    data = b85decode(text)
    if len(data) % sum(widths):
        raise ValueError("a row is not complete")
    position = 0
    while position < len(data):
        row: list[int] = []
        for width in widths:
            row.append(int.from_bytes(data[position : position + width], "big"))
            position += width
        yield row
