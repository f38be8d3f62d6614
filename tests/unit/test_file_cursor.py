"""What a file watcher remembers, as text."""

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from floe_dagster.sensors.file_cursor import (
    MOST_FOLDERS,
    MOST_LISTED,
    MOST_WAITING,
    FileCursor,
    HandledVersion,
    ListedFiles,
    Sighting,
    SketchedFiles,
    parse_cursor,
)
from floe_dagster.sensors.file_sketch import MOST_DIFFERENCES, FileSketch

LARGEST = 2**64 - 1
NUMBERS = st.integers(0, LARGEST)
ENTRIES = st.sets(st.tuples(NUMBERS, st.integers(0, 2**48 - 1)), max_size=300)
FULL = FileCursor(
    since=LARGEST,
    at=LARGEST,
    watched="f" * 16,
    handled=ListedFiles({LARGEST - n: HandledVersion(2**48 - 1, 2**32 - 1, 2**48 - 1) for n in range(MOST_LISTED)}),
    folders={LARGEST - number: LARGEST for number in range(MOST_FOLDERS)},
    waiting={LARGEST - number: Sighting(2**48 - 1, 2**32 - 1, LARGEST) for number in range(MOST_WAITING)},
    asking=True,
    refused=10**9,
)
SKETCHED = replace(FULL, handled=SketchedFiles(FileSketch().toggle([(LARGEST, 2**48 - 1)]), (LARGEST, LARGEST)))


@pytest.mark.parametrize("cursor", [FULL, SKETCHED], ids=["listed", "sketched"])
def test_the_largest_cursor_is_read_back_and_fits(cursor: FileCursor) -> None:
    text = cursor.to_text()

    assert len(text.encode()) <= 64 * 1024
    assert parse_cursor(text) == cursor


@pytest.mark.parametrize(
    "text",
    [
        None,
        "",
        "{}",
        "[]",
        "7",
        "no cursor",
        '{"format":"floe file_watcher 2"}',
        '{"format":"floe file_watcher 1"}',
        json.dumps({**json.loads(FULL.to_text()), "listed": "000"}),
        json.dumps({**json.loads(FULL.to_text()), "listed": "ü"}),
        json.dumps({**json.loads(FULL.to_text()), "folders": 3}),
        json.dumps({**json.loads(SKETCHED.to_text()), "until": [1]}),
        json.dumps({**json.loads(SKETCHED.to_text()), "sketched": "0000"}),
        FULL.to_text()[:-9],
        "[" * 100_000,
    ],
)
def test_any_other_text_is_no_cursor(text: str | None) -> None:
    assert parse_cursor(text) is None


@given(st.text())
def test_no_text_is_too_strange(text: str) -> None:
    assert parse_cursor(text) is None


@given(ENTRIES, ENTRIES)
def test_what_two_sets_differ_in_is_told_exactly(ours: set[tuple[int, int]], theirs: set[tuple[int, int]]) -> None:
    sketch = FileSketch.from_bytes(FileSketch().toggle(ours).to_bytes())

    assert sketch.toggle(theirs).list_entries() == frozenset(ours ^ theirs)


def test_differences_between_large_sets_are_told() -> None:
    common = [(number * 7919 * 2**32, number) for number in range(20_000)]
    changed = [(number, number) for number in range(MOST_DIFFERENCES)]

    assert FileSketch().toggle(common).toggle([*common, *changed]).list_entries() == frozenset(changed)


def test_too_many_differences_are_not_guessed() -> None:
    assert FileSketch().toggle((number, number) for number in range(5000)).list_entries() is None
