"""The runs that a file watcher requests for versions of files, and those that it requested before."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import blake2b

import dagster as dg

from floe_dagster.launching.sensor_runs import FoundRuns, SensorRuns
from floe_dagster.sensors.file_partitions import FilePartitions
from floe_dagster.sensors.file_texts import FileTexts, spread_items, spread_tag
from floe_dagster.sensors.file_versions import FileVersion
from floe_dagster.sensors.own_runs import SENSOR_TAG, location_of

VERSIONS_TAG = "floe/file_versions"
"""The versions that a run for several files is for."""
_RUN_KEY_TAG = "dagster/run_key"
_AT_ONCE = 200
_MARGIN = 3600 * 10**9
"""Nanoseconds by which the clocks of this process and of the instance may differ."""


@dataclass(frozen=True)
class FileRuns:
    """What is requested for versions of files, within one tick.

    Args:
        name: Of the sensor.
        runs: What it launches.
        texts: What a file becomes in a run.
        partitions: Its partition keys.
        context: Of the tick.
    """

    name: str
    runs: SensorRuns
    texts: FileTexts
    partitions: FilePartitions
    context: dg.SensorEvaluationContext
    _made: dict[str, FoundRuns] = field(default_factory=dict)

    def of_file(self, version: FileVersion) -> FoundRuns:
        """The runs for one file; the same run keys for the same version."""
        if version.id not in self._made:
            paths = (version.file.path,)
            self._made[version.id] = self._request(f"file {version.id}", paths, {})
        return self._made[version.id]

    def of_files(self, versions: Sequence[FileVersion]) -> FoundRuns:
        """The runs for several files; the same run keys for the same versions."""
        ids = sorted(version.id for version in versions)
        digest = blake2b(" ".join(ids).encode(), digest_size=12).hexdigest()
        paths = [version.file.path for version in versions]
        return self._request(f"files {digest}", paths, spread_tag(VERSIONS_TAG, ids))

    def find_started(self, versions: Sequence[FileVersion]) -> frozenset[str]:
        """The ids of those versions all of whose runs the instance has."""
        keys = {
            version.id: {request.run_key for request in self.of_file(version).requests if request.run_key}
            for version in versions
        }
        wanted = sorted(set().union(*keys.values()))
        have: set[str] = set()
        for start in range(0, len(wanted), _AT_ONCE):
            tags = {_RUN_KEY_TAG: wanted[start : start + _AT_ONCE]}
            have |= {run.tags[_RUN_KEY_TAG] for run in self._own(dg.RunsFilter(tags=tags))}
        return frozenset(version_id for version_id, needed in keys.items() if needed and needed <= have)

    def find_batches(self, *, since: int | None) -> frozenset[frozenset[str]]:
        """For each run for several files, the ids of their versions.

        Args:
            since: Nanoseconds since 1970, before which no run is looked for; None for all runs there are.
        """
        after = None if since is None else datetime.fromtimestamp(max(since - _MARGIN, 0) / 1e9, UTC)
        runs = self._own(dg.RunsFilter(tags={SENSOR_TAG: self.name}, created_after=after))
        return frozenset(frozenset(spread_items(VERSIONS_TAG, run.tags)) for run in runs)

    def has_any(self) -> bool:
        """Whether the instance has any run of the sensor."""
        return bool(self.context.instance.get_runs(dg.RunsFilter(tags={SENSOR_TAG: self.name}), limit=1))

    def _request(self, run_key: str, paths: Sequence[str], versions: Mapping[str, str]) -> FoundRuns:
        key = self.texts.partition_key(paths[0])
        added = self.partitions.judge(self.context, key).added if key is not None else ()
        return self.runs.of_event(
            self.context,
            run_key=run_key,
            partition_key=key,
            new_keys=frozenset({key} if added and key is not None else ()),
            tags={**self.texts.tags_of(paths), **versions},
            config=self.texts.config_of(paths),
        )

    def _own(self, filters: dg.RunsFilter) -> Iterator[dg.DagsterRun]:
        """The runs of this sensor, but for those created and never launched: Dagster takes them up again."""
        origin = self.context.code_location_origin
        location = origin.location_name if origin else None
        for run in self.context.instance.get_runs(filters):
            is_here = location is None or location_of(run) in (None, location)
            if run.tags.get(SENSOR_TAG) == self.name and is_here and run.status != dg.DagsterRunStatus.NOT_STARTED:
                yield run
