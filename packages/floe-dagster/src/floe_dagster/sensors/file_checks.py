"""What is wrong with a file watcher before it ticks."""

from collections.abc import Iterator
from pathlib import Path

from floe_core.errors import Problem, YamlPath
from floe_core.schemas.sensor_definition import FileWatcherSensor, file_placeholders
from floe_core.source_map import SourceMap
from floe_core.suggestions import list_names
from floe_core.templates import Placeholder, parse_template
from floe_dagster.launching.sensor_runs import SensorRuns
from floe_dagster.partitioning.missing_keys import find_missing_key
from floe_dagster.sensors.file_listing import show_path


def watched_folder(sensor: FileWatcherSensor, project_folder: Path) -> Path:
    """The folder that *sensor* watches; it may lie anywhere on this machine."""
    return project_folder.absolute() / Path(sensor.path).expanduser()


def check_folder(
    sensor: FileWatcherSensor, folder: Path, *, who: str, source: SourceMap, at: YamlPath
) -> list[Problem]:
    """A folder that is missing may come; a file in its place is a mistake, and so is a pattern."""
    location = source.locate(*at, "path")
    if folder.is_file():
        return [
            Problem(
                "FLOE-396",
                f"{who} watches '{sensor.path}', which is a file",
                location,
                why=f"a file watcher watches a folder and the files in it; this is {show_path(str(folder))}",
                fix=f"write path: {show_path(str(Path(sensor.path).parent))} and pattern: {show_path(folder.name)}",
            )
        ]
    parts = Path(sensor.path).parts
    first = next((index for index, part in enumerate(parts) if "*" in part or "?" in part), None)
    if first is None or folder.exists():
        return []
    above, pattern = Path(*parts[:first]), Path(*parts[first:], *([] if sensor.pattern == "*" else [sensor.pattern]))
    return [
        Problem(
            "FLOE-396",
            f"{who} watches '{sensor.path}', which is a pattern",
            location,
            why="'path' is one folder, taken as it is written, and there is none of that name",
            fix=f"write path: {show_path(str(above))} and pattern: '{show_path(str(pattern))}'",
        )
    ]


def check_partition_key(
    sensor: FileWatcherSensor, runs: SensorRuns, *, who: str, source: SourceMap, at: YamlPath
) -> Iterator[Problem]:
    """Whether anything that is launched has partitions, and can have the one that `partition_key` names.

    What a job of a Python module has is not known yet.
    """
    if sensor.partition_key is None or not all(target.partitions_known for target in runs.targets):
        return
    location = source.locate(*at, "partition_key")
    partitioned = [target for target in runs.targets if target.partitions_def is not None]
    if not partitioned:
        launched = list_names(target.what for target in runs.targets)
        yield Problem(
            "FLOE-397",
            f"{who} has a partition_key, and what it launches has no partitions",
            location,
            why=f"a partition key is for a partitioned job, and {launched} materialises no partitioned asset",
            fix="delete 'partition_key', or set 'partitions' for an asset of the job",
        )
    key = _plain_text(sensor)
    for target in partitioned if key is not None else ():
        assert key is not None
        assert target.partitions_def is not None
        missing = find_missing_key(key, target.partitions_def, at=None, dynamic_partitions_store=None)
        if missing is not None:
            yield Problem(
                "FLOE-397",
                f"{who} names partition '{key}', which {target.what} cannot have",
                location,
                why=missing.reason,
                fix=missing.fix,
            )


def _plain_text(sensor: FileWatcherSensor) -> str | None:
    """The partition key where it is the same for every file; None where it depends on the file."""
    parts = parse_template(sensor.partition_key or "", file_placeholders(sensor))
    return None if any(isinstance(part, Placeholder) for part in parts) else "".join(map(str, parts))
