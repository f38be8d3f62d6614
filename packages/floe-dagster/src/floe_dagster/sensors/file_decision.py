"""What one tick of a file watcher does: which files it looks at, which of them start, and what it remembers then."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from floe_dagster.sensors.file_comparison import Candidate, Comparison, Doubt, sketch_of
from floe_dagster.sensors.file_cursor import (
    MOST_FOLDERS,
    MOST_LISTED,
    MOST_WAITING,
    FileCursor,
    HandledVersion,
    ListedFiles,
    Order,
    Sighting,
    SketchedFiles,
)
from floe_dagster.sensors.file_listing import FoundFile
from floe_dagster.sensors.file_sketch import Entry
from floe_dagster.sensors.file_versions import FileVersion, is_read, stamp_of, touch_of

MOST_GONE = 200
"""So many files that are gone are remembered in a sketch, for the case that they come back."""
_CLOCK_STEP = 50_000_000
"""Nanoseconds, more than a step of a file system's clock: two changes within one step cannot be told apart."""
_LAST_KEY = 2**64 - 1


@dataclass(frozen=True, slots=True)
class FileLimits:
    """What one tick does at most.

    Args:
        settle: Nanoseconds without a change before a file counts.
        started: Files whose runs are requested.
        doubtful: Files that are looked at closely, as they may be versions that were handled.
        read: Bytes of files that are read; one file is always read.
        listed: Files that are remembered one by one.
    """

    settle: int
    started: int
    doubtful: int = 2000
    read: int = 256 * 2**20
    listed: int = MOST_LISTED


@dataclass(frozen=True)
class Choice:
    """The files that a tick looks at, in the order of arrival.

    Args:
        comparison: What they were chosen from.
        now: Nanoseconds since 1970.
        examined: The files.
        unread: Numbers of the paths of those whose content is not read.
        unsettled: How many files still change, or changed a moment ago.
        later: How many come at the next ticks.
        waiting: How files stand whose times lie in the future.
    """

    comparison: Comparison
    now: int
    examined: Sequence[Candidate] = ()
    unread: frozenset[int] = frozenset()
    unsettled: int = 0
    later: int = 0
    waiting: Mapping[int, Sighting] = field(default_factory=dict)


@dataclass(frozen=True)
class Decision:
    """The versions that start, in the order of arrival, and what is remembered."""

    started: Sequence[FileVersion]
    cursor: FileCursor


def choose_files(comparison: Comparison, *, now: int, limits: FileLimits) -> Choice:
    """The files that a tick looks at: those that have settled, the first that arrived first, within *limits*.

    A file has settled when the file system last changed it that long ago. This compares the clock that the file system
    takes its times from (of this machine, or of a file server) with that of this process. Where the former is ahead, so
    that a file was changed in the future, the time since it was first seen unchanged counts; where it is behind by more
    than the time to settle, a file that still grows may count, and its next version follows. What programs claim as
    modification time plays no part: it may be copied, set back or set to any day to come.
    """
    settle = max(limits.settle, _CLOCK_STEP)
    examined: list[Candidate] = []
    waiting: dict[int, Sighting] = {}
    unsettled = started = doubtful = read = 0
    for position, candidate in enumerate(comparison.candidates):
        file = candidate.file
        if file.changed > now:
            seen = _sighting(comparison.cursor.waiting.get(file.key), file, now)
            if len(waiting) < MOST_WAITING:
                waiting[file.key] = seen
            has_settled = now - seen.since >= settle
        else:
            has_settled = now - file.changed >= settle
        if not has_settled:
            unsettled += 1
            continue
        started += candidate.doubt is Doubt.NOTHING
        doubtful += candidate.doubt is not Doubt.NOTHING
        read += file.size if is_read(file) else 0
        if started > limits.started or doubtful > limits.doubtful or (read > limits.read and examined):
            rest = comparison.candidates[position:]
            seen_before = comparison.cursor.waiting
            waiting |= {each.file.key: seen_before[each.file.key] for each in rest if each.file.key in seen_before}
            return Choice(comparison, now, examined, frozenset(), unsettled, len(rest), waiting)
        examined.append(candidate)
    return Choice(comparison, now, examined, frozenset(), unsettled, 0, waiting)


def choose_all(comparison: Comparison, *, now: int, limits: FileLimits) -> Choice:
    """Every file that is there, settled or not, to be remembered and not started; contents are read within *limits*."""
    unread: set[int] = set()
    read = 0
    for candidate in comparison.candidates:
        read += candidate.file.size if is_read(candidate.file) else 0
        if read > limits.read:
            unread.add(candidate.file.key)
    return Choice(comparison, now, comparison.candidates, frozenset(unread))


def decide_files(
    choice: Choice,
    versions: Mapping[int, FileVersion],
    *,
    known: Collection[str],
    limits: FileLimits,
    watched: str,
    refused: int = 0,
    ignores_old: bool = False,
    starts: bool = True,
) -> Decision:
    """Which of the chosen files start, and what the cursor is then.

    Args:
        choice: What was looked at.
        versions: Number of the path of each chosen file → its version; those that changed meanwhile are not there.
        known: The ids of versions that the instance has runs of.
        limits: What a tick does at most.
        watched: Names the folder and the pattern.
        refused: How many files were left out because of their partition.
        ignores_old: Whether files that were there when the sensor first looked never start.
        starts: False to remember all chosen files without starting any.
    """
    since = choice.comparison.cursor.since
    started: list[FileVersion] = []
    handled: list[tuple[Candidate, int]] = []
    passed_over: set[int] = set()
    for candidate in choice.examined:
        version = versions.get(candidate.file.key)
        if version is None:
            if candidate.file.key in choice.unread:
                handled.append((candidate, 0))
            else:
                passed_over.add(candidate.file.key)
            continue
        is_old = ignores_old and _was_there(candidate, since)
        if starts and not (_is_same(candidate, version, known) or is_old):
            if len(started) >= limits.started:
                continue
            started.append(version)
        handled.append((candidate, _short(version.content)))
    remembered = _remember(choice, handled, passed_over=passed_over, most_listed=limits.listed)
    return Decision(started, replace(remembered, watched=watched, refused=refused))


def _sighting(seen: Sighting | None, file: FoundFile, now: int) -> Sighting:
    stamp, touch = stamp_of(file), touch_of(file)
    is_unchanged = seen is not None and (seen.stamp, seen.touch) == (stamp, touch)
    return Sighting(stamp, touch, min(seen.since, now) if is_unchanged and seen else now)


def _is_same(candidate: Candidate, version: FileVersion, known: Collection[str]) -> bool:
    """Whether the version was handled before."""
    has_same_content = candidate.doubt is Doubt.CONTENT and candidate.content in (0, _short(version.content))
    return has_same_content or version.id in known


def _was_there(candidate: Candidate, since: int) -> bool:
    """Whether a file that the instance has no run of can be one that was there when the sensor first looked."""
    file = candidate.file
    latest = file.modified if candidate.is_known else max(file.modified, *candidate.order[:1])
    return candidate.doubt is Doubt.RUNS and latest <= since


def _short(content: int) -> int:
    return content & 2**48 - 1 or 1


def _remember(
    choice: Choice,
    handled: Sequence[tuple[Candidate, int]],
    *,
    passed_over: Collection[int],
    most_listed: int,
) -> FileCursor:
    comparison = choice.comparison
    cursor = comparison.cursor
    done = {candidate.file.key for candidate, _ in handled}
    left = [candidate for candidate in comparison.candidates if candidate.file.key not in done]
    remembered: ListedFiles | SketchedFiles
    match cursor.handled:
        case ListedFiles(versions):
            remembered = _list_files(comparison, versions, handled, most=most_listed)
        case SketchedFiles():
            remembered = _sketch_files(comparison, cursor.handled, handled)
    if isinstance(remembered, SketchedFiles):
        # what could not be read must not hold up the others: the sketch shows that it is not handled
        pins = [candidate.order for candidate in left if candidate.file.key not in passed_over]
        until = _arrived_until(comparison, pins, remembered.until, now=choice.now)
        remembered = replace(remembered, until=until)
    waiting = {key: seen for key, seen in choice.waiting.items() if key not in done}
    found = replace(
        cursor,
        handled=remembered,
        folders=dict(list(comparison.folders.items())[:MOST_FOLDERS]),
        waiting=waiting,
        asking=bool(left) and (cursor.asking or comparison.covered is not None),
    )
    return found if found == cursor else replace(found, at=choice.now)


def _list_files(
    comparison: Comparison,
    versions: Mapping[int, HandledVersion],
    handled: Sequence[tuple[Candidate, int]],
    *,
    most: int,
) -> ListedFiles | SketchedFiles:
    listed = dict(versions)
    for candidate, content in handled:
        file = candidate.file
        listed[file.key] = HandledVersion(stamp_of(file), touch_of(file), content)
    if len(listed) > most:
        present = {file.key for file in comparison.files}
        listed = {key: version for key, version in listed.items() if key in present}
    if len(listed) <= most:
        return ListedFiles(listed)
    entries = ((key, version.stamp) for key, version in listed.items())
    return SketchedFiles(sketch_of(()).toggle(entries), (0, 0))


def _sketch_files(
    comparison: Comparison, sketched: SketchedFiles, handled: Sequence[tuple[Candidate, int]]
) -> SketchedFiles:
    sketch = sketched.sketch if comparison.covered is None else sketch_of(comparison.covered)
    changes: list[Entry] = []
    done = {candidate.file.key for candidate, _ in handled}
    for candidate, _ in handled:
        if not candidate.is_known:
            changes.append((candidate.file.key, stamp_of(candidate.file)))
    present = {file.key for file in comparison.files}
    forgets_gone = sum(key not in present for key in comparison.stale) > MOST_GONE
    for key, entries in comparison.stale.items():
        if key in done or (forgets_gone and key not in present):
            changes.extend(entries)
    return replace(sketched, sketch=sketch.toggle(changes) if changes else sketch)


def _arrived_until(comparison: Comparison, pins: Iterable[Order], until: Order, *, now: int) -> Order:
    """How far all files are handled.

    Not beyond the last file that is there, nor into what a clock may still show: a file that arrives later has a later
    place.
    """
    first = min((order for order in pins if order > until), default=None)
    limit = (now - _CLOCK_STEP, _LAST_KEY)
    reached = (order for order in comparison.orders if until < order <= limit and (first is None or order < first))
    return max(reached, default=until)
