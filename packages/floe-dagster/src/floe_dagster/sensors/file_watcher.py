"""A tick of a file watcher."""

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from hashlib import blake2b
from pathlib import Path

import dagster as dg

from floe_core.schemas.sensor_definition import FileWatcherSensor
from floe_core.suggestions import list_names
from floe_dagster.garbage_collection import garbage_collection_paused
from floe_dagster.launching.sensor_runs import SensorRuns
from floe_dagster.sensors.file_comparison import Candidate, Comparison, Doubt, compare_files
from floe_dagster.sensors.file_cursor import FileCursor, parse_cursor
from floe_dagster.sensors.file_decision import Choice, Decision, FileLimits, choose_all, choose_files, decide_files
from floe_dagster.sensors.file_listing import (
    FilePattern,
    FolderUnavailableError,
    FoundFile,
    Listing,
    list_folder,
    show_path,
)
from floe_dagster.sensors.file_partitions import FilePartitions
from floe_dagster.sensors.file_runs import FileRuns
from floe_dagster.sensors.file_texts import FileTexts, RefusedFileError
from floe_dagster.sensors.file_versions import FileVersion, UnreadableError, read_version

_MOST_NAMED = 20
"""Files that a tick's log names; a skip reason names a few."""
_MOST_IN_REASON = 3


@dataclass(frozen=True)
class _QuietTick:
    """A tick that found nothing to do; where nothing has changed since, the next one is as if it had not been."""

    listing: Listing
    cursor: str
    reason: str


@dataclass(frozen=True)
class FileWatcherTicks:
    """What a file watcher does at a tick.

    Args:
        name: Of the sensor.
        sensor: As floe.yaml has it.
        folder: The watched folder, absolute.
        runs: What is launched.
    """

    name: str
    sensor: FileWatcherSensor
    folder: Path
    runs: SensorRuns
    last: list[_QuietTick] = field(default_factory=list, compare=False, repr=False)
    """The last tick of this process, where that was a quiet one."""

    @garbage_collection_paused()
    def evaluate(self, context: dg.SensorEvaluationContext) -> dg.SensorResult | dg.SkipReason:
        """One tick. Where the folder cannot be read, the cursor stays as it is."""
        now = time.time_ns()  # before the folder is read: what comes later has a later time
        try:
            listing = list_folder(self.folder, self._pattern)
        except FolderUnavailableError as error:
            return self._wait_for_folder(context, error, now)
        for last in self.last:
            if context.cursor == last.cursor and listing == last.listing:
                return dg.SensorResult(skip_reason=last.reason, cursor=last.cursor)
        self.last.clear()
        return _Tick(self, context, listing, now).run()

    def _wait_for_folder(
        self, context: dg.SensorEvaluationContext, error: FolderUnavailableError, now: int
    ) -> dg.SensorResult | dg.SkipReason:
        """Skip. Where old files are ignored, a folder that is missing has none, and what comes with it is new."""
        if self.sensor.existing != "ignore" or context.cursor or not error.is_missing:
            return dg.SkipReason(str(error))
        return dg.SensorResult(skip_reason=str(error), cursor=FileCursor(now, now, self.watched).to_text())

    @cached_property
    def texts(self) -> FileTexts:
        """What a file becomes in a run."""
        return FileTexts(self.sensor, self.folder)

    @cached_property
    def partitions(self) -> FilePartitions:
        """The partition keys of files, as far as this process looked for them."""
        return FilePartitions(self.runs)

    @cached_property
    def limits(self) -> FileLimits:
        """What a tick does at most."""
        return FileLimits(int(self.sensor.settle_seconds * 1e9), self.sensor.max_files_per_tick)

    @cached_property
    def watched(self) -> str:
        """Names the folder and the pattern in the cursor."""
        return blake2b(f"{self.sensor.path}\n{self.sensor.pattern}".encode(), digest_size=8).hexdigest()

    @cached_property
    def _pattern(self) -> FilePattern:
        return FilePattern.of(self.sensor.pattern)


@dataclass
class _Tick:
    watcher: FileWatcherTicks
    context: dg.SensorEvaluationContext
    listing: Listing
    now: int
    refused: dict[str, list[str]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    def run(self) -> dg.SensorResult:
        cursor = self._read_cursor()
        self.notes.extend(self.listing.problems)
        is_first = cursor is None
        cursor = cursor or self._first_cursor()
        if is_first and self.watcher.sensor.existing == "ignore":
            return self._ignore_all(cursor)
        files = self._launchable_files()
        comparison = self._compare(cursor, files)
        if comparison.untold:
            self.context.log.warning(
                "%d files were touched since the last tick, too many to compare their content; files of the same size "
                "and modification time count as unchanged",
                comparison.untold,
            )
        choice = choose_files(comparison, now=self.now, limits=self.watcher.limits)
        if choice.examined and self.watcher.sensor.partition_key is None:
            reason = self.watcher.partitions.judge(self.context, None).reason
            if reason:  # of no file, so that none is passed over
                return dg.SensorResult(skip_reason=reason)
        versions = self._read(choice.examined)
        together = self.watcher.sensor.batch == "all"
        result = self._start_together(choice, versions) if together else self._start_each(choice, versions)
        if not (comparison.candidates or self.refused or self.notes):
            self.watcher.last.append(_QuietTick(self.listing, str(result.cursor), self._describe(choice)))
        return result

    def _read_cursor(self) -> FileCursor | None:
        cursor = parse_cursor(self.context.cursor)
        if cursor is None and self.context.cursor:
            self.context.log.warning("the cursor is none of this version of floe; the sensor begins anew")
        return cursor

    def _first_cursor(self) -> FileCursor:
        """What is remembered at first. Runs that there are nevertheless are told by the instance."""
        folders = {folder.key: 0 for folder in self.listing.folders}
        asking = self._runs.has_any()
        return FileCursor(self.now, self.now, self.watcher.watched, folders=folders, asking=asking)

    def _ignore_all(self, cursor: FileCursor) -> dg.SensorResult:
        limits = self.watcher.limits
        choice = choose_all(self._compare(cursor, self.listing.files), now=self.now, limits=limits)
        versions = self._read([each for each in choice.examined if each.file.key not in choice.unread])
        decided = decide_files(choice, versions, known=(), limits=limits, watched=self.watcher.watched, starts=False)
        return self._result((), decided, f"{_count(len(self.listing.files))} that are there already start nothing")

    def _launchable_files(self) -> Sequence[FoundFile]:
        """The files whose partitions are there; the others are told in the log and in the skip reason."""
        texts, partitions = self.watcher.texts, self.watcher.partitions
        if texts.sensor.partition_key is None and texts.sensor.partition_pattern is None:
            return self.listing.files
        found: list[FoundFile] = []
        reasons: dict[str | None, str] = {}  # each key is looked for once
        for file in self.listing.files:
            try:
                key = texts.partition_key(file.path)
            except RefusedFileError as error:
                self._refuse(file, str(error))
                continue
            if key not in reasons:
                reasons[key] = partitions.judge(self.context, key).reason if key is not None else ""
            if reasons[key]:
                self._refuse(file, reasons[key])
            else:
                found.append(file)
        return found

    def _refuse(self, file: FoundFile, reason: str) -> None:
        self.refused.setdefault(reason, []).append(file.path)

    def _compare(self, cursor: FileCursor, files: Sequence[FoundFile]) -> Comparison:
        return compare_files(cursor, files, self.listing.folders, watched=self.watcher.watched, now=self.now)

    def _read(self, candidates: Iterable[Candidate]) -> dict[int, FileVersion]:
        versions: dict[int, FileVersion] = {}
        for candidate in candidates:
            try:
                version = read_version(self.watcher.folder, candidate.file)
            except UnreadableError as error:
                self.notes.append(str(error))
                continue
            if version is not None:
                versions[candidate.file.key] = version
        return versions

    @cached_property
    def _runs(self) -> FileRuns:
        watcher = self.watcher
        return FileRuns(watcher.name, watcher.runs, watcher.texts, watcher.partitions, self.context)

    def _start_each(self, choice: Choice, versions: dict[int, FileVersion]) -> dg.SensorResult:
        for key, version in list(versions.items()):
            missing = self._runs.of_file(version).missing
            if missing:
                self._refuse(version.file, "; ".join(missing))
                del versions[key]
        known = self._runs.find_started(self._doubtful(choice, versions))
        decided = self._decide(choice, versions, known)
        requests = [request for version in decided.started for request in self._runs.of_file(version).requests]
        return self._result(requests, decided, self._describe(choice))

    def _start_together(self, choice: Choice, versions: dict[int, FileVersion]) -> dg.SensorResult:
        if not versions:
            return self._result((), self._decide(choice, versions, frozenset()), self._describe(choice))
        asks = bool(self._doubtful(choice, versions))
        # a daemon may have been killed after the last tick's runs were launched, and the files may be others by now
        batches = self._runs.find_batches(since=None if asks else choice.comparison.cursor.at)
        known = frozenset().union(*batches)
        decided = self._decide(choice, versions, known)
        by_id = {version.id: version for version in versions.values()}
        again = [sorted(batch) for batch in batches if batch and batch <= by_id.keys()]
        groups = [*([by_id[each] for each in batch] for batch in sorted(again)), list(decided.started)]
        found = [self._runs.of_files(group) for group in groups if group]
        missing = dict.fromkeys(sentence for each in found for sentence in each.missing)
        if missing:
            for version in decided.started:
                self._refuse(version.file, "; ".join(missing))
            decided = self._decide(choice, {}, known)
        requests = [] if missing else [request for each in found for request in each.requests]
        return self._result(requests, decided, self._describe(choice))

    def _doubtful(self, choice: Choice, versions: Mapping[int, FileVersion]) -> list[FileVersion]:
        return [
            versions[each.file.key]
            for each in choice.examined
            if each.doubt is Doubt.RUNS and each.file.key in versions
        ]

    def _decide(self, choice: Choice, versions: Mapping[int, FileVersion], known: frozenset[str]) -> Decision:
        return decide_files(
            choice,
            versions,
            known=known,
            limits=self.watcher.limits,
            watched=self.watcher.watched,
            refused=sum(map(len, self.refused.values())),
            ignores_old=self.watcher.sensor.existing == "ignore",
        )

    def _result(self, requests: Sequence[dg.RunRequest], decided: Decision, reason: str) -> dg.SensorResult:
        for why, paths in self.refused.items():
            self.context.log.warning("%s: %s", _name_files(paths, most=_MOST_NAMED), why)
        for note in self.notes[:_MOST_NAMED]:
            self.context.log.warning(note)
        return dg.SensorResult(
            run_requests=list(requests),
            cursor=decided.cursor.to_text(),
            skip_reason=None if requests else dg.SkipReason(reason),
            dynamic_partitions_requests=list(self._added_partitions(requests)),
        )

    def _added_partitions(self, requests: Iterable[dg.RunRequest]) -> Iterator[dg.AddDynamicPartitionsRequest]:
        if self.watcher.sensor.partition_key is None:
            return
        keys = dict.fromkeys(request.partition_key for request in requests if request.partition_key)
        added: dict[str, list[str]] = {}
        for key in keys:
            for name, new_key in self.watcher.partitions.judge(self.context, key).added:
                if new_key not in added.setdefault(name, []):
                    added[name].append(new_key)
        for name, new_keys in added.items():
            yield dg.DynamicPartitionsDefinition(name=name).build_add_request(new_keys)

    def _describe(self, choice: Choice) -> str:
        """Why nothing is launched."""
        sentences = [f"no new file among {_count(len(self.listing.files))} in '{show_path(self.watcher.sensor.path)}'"]
        if choice.unsettled:
            sentences.append(f"{_count(choice.unsettled)} changed a moment ago")
        if choice.later:
            sentences.append(f"{_count(choice.later)} come at the next ticks")
        reasons = list(self.refused.items())
        sentences += [f"{_name_files(paths, most=_MOST_IN_REASON)}: {why}" for why, paths in reasons[:_MOST_IN_REASON]]
        if len(reasons) > _MOST_IN_REASON:
            left = sum(len(paths) for _, paths in reasons[_MOST_IN_REASON:])
            sentences.append(f"{_count(left)} more are left out for other reasons")
        sentences += self.notes[:_MOST_IN_REASON]
        return "; ".join(sentences)


def _count(number: int) -> str:
    return "1 file" if number == 1 else f"{number} files"


def _name_files(paths: Sequence[str], *, most: int) -> str:
    return list_names([f"'{show_path(path)}'" for path in paths], limit=most)
