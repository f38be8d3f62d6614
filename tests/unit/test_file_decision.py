"""What a tick of a file watcher decides: pure, over lists of files that no disk has."""

import pytest

from floe_dagster.sensors.file_cursor import MOST_LISTED, FileCursor, SketchedFiles
from floe_dagster.sensors.file_decision import MOST_GONE, FileLimits
from floe_dagster.sensors.file_listing import FoundFolder
from floe_dagster.sensors.file_versions import stamp_of
from plain_folder import SECOND, START, PlainFolder, key_of


def filled(count: int, *, started: int = 1000) -> PlainFolder:
    """A folder all of whose files were handled."""
    folder = PlainFolder(limits=FileLimits(settle=5 * SECOND, started=started))
    for number in range(count):
        folder.write(f"{number}.csv")
        folder.now += 1
    assert len(folder.ticks()) == count
    return folder


SIZES = pytest.mark.parametrize("count", [3, MOST_LISTED + 500], ids=["listed", "sketched"])


@SIZES
def test_a_tick_takes_what_arrived_first_and_no_more_than_it_may(count: int) -> None:
    folder = PlainFolder(limits=FileLimits(settle=0, started=2))
    for number in range(5):
        folder.write(f"{9 - number}.csv", modified=START - number)
        folder.now += SECOND

    assert [folder.tick() for _ in range(4)] == [["9.csv", "8.csv"], ["7.csv", "6.csv"], ["5.csv"], []]


@SIZES
def test_what_was_handled_is_not_looked_at_again(count: int) -> None:
    folder = filled(count)
    before = folder.cursor

    assert folder.tick() == []
    assert folder.cursor == before
    assert folder.asked == 0


@SIZES
def test_every_change_of_size_time_or_name_starts(count: int) -> None:
    folder = filled(count)
    folder.write("0.csv", size=11)
    folder.write("1.csv", modified=START - 5)
    folder.files["renamed.csv"] = folder.files.pop("2.csv")._replace(
        path="renamed.csv", key=key_of("renamed.csv"), changed=folder.now
    )
    folder.contents["renamed.csv"] = 1
    folder.write("new.csv", modified=1)

    assert sorted(folder.ticks()) == ["0.csv", "1.csv", "new.csv", "renamed.csv"]
    assert folder.tick() == []
    assert folder.asked == 0


@SIZES
def test_content_decides_where_size_and_time_are_the_same(count: int) -> None:
    folder = filled(count)
    folder.touch(["0.csv", "1.csv"])
    folder.contents["1.csv"] = 2

    assert folder.ticks() == ["1.csv"]


def test_a_list_knows_contents_without_any_run() -> None:
    folder = filled(3)
    folder.runs.clear()
    folder.touch(folder.files)

    assert folder.ticks() == []
    assert folder.asked == 0


@SIZES
def test_a_file_that_comes_back_unchanged_starts_nothing(count: int) -> None:
    folder = filled(count)
    gone = dict(folder.files)
    contents = dict(folder.contents)
    folder.remove(list(gone)[:100])
    assert folder.ticks() == []
    folder.files, folder.contents = gone, contents
    folder.touch(list(gone)[:100])

    assert folder.ticks() == []


def test_many_new_files_at_once_are_told_from_many_handled_ones() -> None:
    folder = filled(5000)
    for number in range(3000):
        folder.write(f"new/{number}.csv".replace("/", "_"))

    assert sorted(folder.ticks()) == sorted(f"new_{number}.csv" for number in range(3000))
    assert folder.asked == 0


def test_many_old_files_that_arrive_with_their_folder_start() -> None:
    folder = filled(3000, started=200)
    folder.add_folder("batch", number=2)
    for number in range(2500):
        folder.write(f"batch/{number}.csv")
        path = f"batch/{number}.csv"
        folder.files[path] = folder.files[path]._replace(modified=START - number, changed=START - number)

    assert len(folder.tick()) == 200
    folder.write("later.csv")
    folder.add_folder("batch", number=2)  # the folder changes while its files have their turn
    assert len(folder.ticks()) == 2301
    assert folder.asked == 0
    assert len(set(folder.started)) == len(folder.started)


def test_many_files_that_go_leave_the_others_alone() -> None:
    folder = filled(5000)
    folder.runs.clear()  # as if retention had deleted them all
    folder.remove([f"{number}.csv" for number in range(4000)])
    folder.write("new.csv")

    assert folder.ticks() == ["new.csv"]
    assert folder.asked <= 2


def test_many_files_that_are_touched_at_once_start_nothing() -> None:
    folder = filled(5000)
    folder.runs.clear()
    folder.touch(folder.files)
    folder.write("new.csv")

    assert folder.ticks() == ["new.csv"]
    assert folder.asked == 0


def test_many_files_that_are_rewritten_start_once_more() -> None:
    folder = filled(3000)
    rewritten = [f"{number}.csv" for number in range(2000)]
    for path in rewritten:
        folder.write(path, content=2)

    assert sorted(folder.ticks()) == sorted(rewritten)


def test_a_folder_that_is_replaced_whole_is_held_against_the_runs() -> None:
    folder = filled(3000)
    folder.folders = {"": FoundFolder(77, folder.now, -1)}
    folder.touch(folder.files)
    folder.remove([f"{number}.csv" for number in range(1000)])
    for number in range(50):
        folder.write(f"new{number}.csv")

    assert len(folder.ticks()) == 50


def test_another_pattern_finds_old_files() -> None:
    folder = filled(3000)
    for number in range(3000):
        path = f"{number}.txt"
        folder.write(path)
        folder.files[path] = folder.files[path]._replace(changed=START + number)

    while folder.tick(watched="other"):
        pass

    assert sorted(folder.started) == sorted(folder.files)


def test_a_lost_cursor_starts_nothing_again() -> None:
    folder = filled(3000)
    folder.cursor = None
    folder.write("new.csv")
    cursor = FileCursor(folder.now, folder.now, "w", folders={1: 0}, asking=True)
    folder.cursor = cursor

    found: list[str] = []
    for _ in range(5):
        found += folder.tick()

    assert found == ["new.csv"]
    assert folder.cursor is not None
    assert not folder.cursor.asking


def test_files_that_are_gone_are_forgotten_in_the_end() -> None:
    folder = filled(MOST_LISTED + 500)
    for turn in range(20):
        paths = [f"{turn}_{number}.csv" for number in range(100)]
        for path in paths:
            folder.write(path)
        assert len(folder.ticks()) == 100
        folder.remove(paths)
    folder.tick()

    assert isinstance(folder.cursor, FileCursor)
    assert isinstance(folder.cursor.handled, SketchedFiles)
    rest = folder.cursor.handled.sketch.toggle((file.key, stamp_of(file)) for file in folder.files.values())
    left = rest.list_entries()
    assert left is not None
    assert len(left) <= MOST_GONE + 100
    assert folder.asked == 0


def test_a_file_that_grows_waits_until_it_rests() -> None:
    folder = PlainFolder()
    folder.write("a.csv")
    folder.tick()
    folder.write("b.csv", size=1)
    for size in range(2, 6):
        folder.now += 56 * SECOND
        folder.write("b.csv", size=size)
        folder.now -= 56 * SECOND
        assert folder.tick() == []

    assert folder.tick() == ["b.csv"]


@SIZES
def test_a_change_in_the_future_settles_after_it_was_seen_unchanged(count: int) -> None:
    folder = filled(count)
    folder.write("future.csv")
    folder.files["future.csv"] = folder.files["future.csv"]._replace(changed=folder.now + 10**18)

    assert folder.tick() == []
    assert folder.tick() == ["future.csv"]
    assert folder.tick() == []


def test_more_files_from_the_future_than_are_remembered_all_start() -> None:
    folder = PlainFolder(limits=FileLimits(settle=SECOND, started=50))
    for number in range(450):
        folder.write(f"{number}.csv")
    for path, file in folder.files.items():
        folder.files[path] = file._replace(changed=START + 10**18)

    for _ in range(40):
        folder.tick()

    assert sorted(folder.started) == sorted(folder.files)


def test_a_large_folder_is_started_in_turns() -> None:
    folder = PlainFolder(limits=FileLimits(settle=SECOND, started=2500))
    for number in range(12_000):
        folder.write(f"{number}.csv")

    assert len(folder.ticks()) == 12_000
    assert len(set(folder.started)) == 12_000
    assert folder.asked == 0
