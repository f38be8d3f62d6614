"""What is in a watched folder now against what was handled: which files may be versions that nobody has seen."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import Enum

from floe_dagster.sensors.file_cursor import FileCursor, ListedFiles, Order, SketchedFiles
from floe_dagster.sensors.file_listing import FoundFile, FoundFolder
from floe_dagster.sensors.file_sketch import MOST_DIFFERENCES, Entry, FileSketch
from floe_dagster.sensors.file_versions import stamp_of, touch_of


class Doubt(Enum):
    """What else tells whether a file is another version than the one that was handled."""

    NOTHING = "its path, size and modification time are new"
    CONTENT = "its content, which was read when the last version was handled"
    RUNS = "its content, and whether the instance has a run of that version"


@dataclass(frozen=True, slots=True)
class Candidate:
    """A file that may be a version that was not handled.

    Args:
        file: As it stands.
        order: Its place in the order of arrival.
        doubt: What decides.
        content: The number of the content that was handled; 0 where it was never read, None where that is not known.
        is_known: Whether this path was handled with this size and modification time.
    """

    file: FoundFile
    order: Order
    doubt: Doubt
    content: int | None = None
    is_known: bool = False


@dataclass(frozen=True)
class Comparison:
    """What the handled files and those that are there differ in.

    Args:
        cursor: What is remembered, as it was compared.
        files: All files that are there.
        orders: The place of each in the order of arrival.
        folders: Number of each folder → when it arrived.
        candidates: In the order of arrival.
        stale: Number of a path → what the sketch holds of it that is not there any more.
        covered: Files whose entries make up the sketch anew, where the old one cannot be read.
        untold: How many files were touched at once, too many to compare their content.
    """

    cursor: FileCursor
    files: Sequence[FoundFile]
    orders: Sequence[Order]
    folders: Mapping[int, int]
    candidates: Sequence[Candidate] = ()
    stale: Mapping[int, Sequence[Entry]] = field(default_factory=dict)
    covered: Sequence[FoundFile] | None = None
    untold: int = 0


def compare_files(
    cursor: FileCursor, files: Sequence[FoundFile], folders: Sequence[FoundFolder], *, watched: str, now: int
) -> Comparison:
    """Hold *files* against what *cursor* remembers.

    Args:
        cursor: What the last tick left.
        files: Those whose partitions are there.
        folders: All folders that were looked into.
        watched: Names the folder and the pattern.
        now: Nanoseconds since 1970, before the folder was listed.
    """
    arrivals = {folder.key: cursor.folders.get(folder.key, max(folder.changed, 0)) for folder in folders}
    since_arrival = _latest_arrivals(folders, arrivals)
    orders = [(max(since_arrival[file.folder], file.changed), file.key) for file in files]
    comparison = Comparison(cursor, files, orders, arrivals)
    match cursor.handled:
        case ListedFiles():
            return _compare_listed(comparison, cursor.handled)
        case SketchedFiles():
            compared = _compare_sketched(comparison, cursor.handled)
    is_proven = cursor.watched == watched and cursor.refused <= MOST_DIFFERENCES and cursor.handled.until[0] <= now
    if compared.covered is None or is_proven:
        return compared
    # the order of arrival tells nothing: all files are held against the runs in the instance
    return _compare_listed(
        replace(comparison, cursor=replace(cursor, handled=ListedFiles(), asking=True)), ListedFiles()
    )


def _latest_arrivals(folders: Sequence[FoundFolder], arrivals: Mapping[int, int]) -> list[int]:
    """When each folder, or the last one of those that it is in, arrived."""
    latest: list[int] = []
    for folder in folders:
        above = latest[folder.parent] if folder.parent >= 0 else 0
        latest.append(max(arrivals[folder.key], above))
    return latest


def _compare_listed(comparison: Comparison, handled: ListedFiles) -> Comparison:
    asking = Doubt.RUNS if comparison.cursor.asking else Doubt.NOTHING
    versions = handled.versions
    candidates: list[Candidate] = []
    for file, order in zip(comparison.files, comparison.orders, strict=True):
        version = versions.get(file.key)
        if version is None or version.stamp != stamp_of(file):
            candidates.append(Candidate(file, order, asking))
        elif version.touch != touch_of(file):
            candidates.append(Candidate(file, order, Doubt.CONTENT, version.content, is_known=True))
    return replace(comparison, candidates=_in_order(candidates))


def _compare_sketched(comparison: Comparison, handled: SketchedFiles) -> Comparison:
    """What the sketch shows, in one of three ways.

    Files up to `until` should be in the sketch, the others not. Few exceptions are found by taking the first away from
    it. Where many files were touched and few changed (`chown -R`), they are found by taking all away. Else (many files
    are gone, say) the order of arrival stands for the sketch: up to `until` all files are handled, and for each of the
    others the instance is asked.
    """
    asking = Doubt.RUNS if comparison.cursor.asking else Doubt.NOTHING
    entries = [(file.key, stamp_of(file)) for file in comparison.files]
    is_covered = [order <= handled.until for order in comparison.orders]
    expected = [entry for entry, covered in zip(entries, is_covered, strict=True) if covered]
    others = [entry for entry, covered in zip(entries, is_covered, strict=True) if not covered]
    without_expected = handled.sketch.toggle(expected)
    exceptions = without_expected.list_entries()
    if exceptions is not None and not exceptions:
        found = zip(comparison.files, comparison.orders, is_covered, strict=True)
        new = [Candidate(file, order, asking) for file, order, covered in found if not covered]
        return replace(comparison, candidates=_in_order(new))
    changes = without_expected.toggle(others).list_entries() if exceptions is None and others else None
    if exceptions is None and changes is None:
        return _compare_by_order(comparison, is_covered)
    candidates: list[Candidate] = []
    untold = 0
    for file, order, entry, covered in zip(comparison.files, comparison.orders, entries, is_covered, strict=True):
        if exceptions is None:
            assert changes is not None
            is_held = entry not in changes
            untold += is_held and not covered
        else:
            is_held = covered != (entry in exceptions)
        if not is_held:
            candidates.append(Candidate(file, order, asking))
        elif not covered and exceptions is not None:
            candidates.append(Candidate(file, order, Doubt.RUNS, is_known=True))
    present = set(entries)
    differing = changes if exceptions is None else exceptions
    stale = _by_path(entry for entry in differing or () if entry not in present)
    return replace(comparison, candidates=_in_order(candidates), stale=stale, untold=untold)


def _compare_by_order(comparison: Comparison, is_covered: Sequence[bool]) -> Comparison:
    found = list(zip(comparison.files, comparison.orders, is_covered, strict=True))
    candidates = [Candidate(file, order, Doubt.RUNS) for file, order, covered in found if not covered]
    covered_files = [file for file, _, covered in found if covered]
    return replace(comparison, candidates=_in_order(candidates), covered=covered_files)


def _by_path(entries: Iterable[Entry]) -> dict[int, list[Entry]]:
    found: dict[int, list[Entry]] = {}
    for entry in entries:
        found.setdefault(entry[0], []).append(entry)
    return found


def _in_order(candidates: list[Candidate]) -> list[Candidate]:
    return sorted(candidates, key=lambda candidate: candidate.order)


def sketch_of(files: Iterable[FoundFile]) -> FileSketch:
    """A sketch of *files* as they stand."""
    return FileSketch().toggle((file.key, stamp_of(file)) for file in files)
