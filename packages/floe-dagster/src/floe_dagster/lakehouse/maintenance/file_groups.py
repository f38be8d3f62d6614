"""Which files of a table compaction puts together."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TypeAlias

from pyiceberg.manifest import DataFile, FileFormat
from pyiceberg.table import FileScanTask, Table

from floe_dagster.lakehouse.maintenance.report import SkipTable

_SMALL = 0.75
_NOT_SORTED = (None, 0)

LiveFiles: TypeAlias = dict[str, frozenset[str]]
"""Path of a data file → paths of the delete files that take rows from it."""


@dataclass(frozen=True, slots=True)
class FileGroup:
    """Small files of one partition that become one file."""

    tasks: tuple[FileScanTask, ...]

    @property
    def files(self) -> tuple[DataFile, ...]:
        """The files, in the order in which the table is read."""
        return tuple(task.file for task in self.tasks)

    @property
    def bytes(self) -> int:
        """Their size together."""
        return sum(file.file_size_in_bytes for file in self.files)

    def is_alive(self, live: LiveFiles) -> bool:
        """Whether the table still has these files, and with the same rows."""
        return all(live.get(task.file.file_path) == _deletes(task) for task in self.tasks)


def is_small(file: DataFile, target_bytes: int) -> bool:
    """Whether *file* is so much smaller than *target_bytes* that compaction takes it up."""
    return file.file_size_in_bytes < _SMALL * target_bytes


def plan_groups(table: Table, *, target_bytes: int, min_files: int) -> tuple[FileGroup, ...]:
    """The groups of small files that are worth it: of one partition, together no larger than *target_bytes*.

    Files of an older partition spec, sorted files and files of other formats than Parquet stay as they are, so that
    nothing that was made on purpose is undone.

    Raises:
        SkipTable: The table has what cannot be rewritten here without changing it.
    """
    if table.metadata.format_version > 2:  # Iceberg's
        raise SkipTable(f"format version {table.metadata.format_version} counts rows, and rewriting would count anew")
    by_partition: dict[object, list[FileScanTask]] = {}
    for task in plan_files(table):
        file = task.file
        if (
            is_small(file, target_bytes)
            and file.spec_id == table.metadata.default_spec_id
            and file.sort_order_id in _NOT_SORTED
            and file.file_format == FileFormat.PARQUET
        ):
            by_partition.setdefault(file.partition, []).append(task)
    return tuple(
        group
        for tasks in by_partition.values()
        if len(tasks) >= min_files
        for group in _pack(tasks, target_bytes)
        if len(group.tasks) > 1
    )


def live_files(table: Table) -> LiveFiles:
    """The data files of the current snapshot."""
    return {task.file.file_path: _deletes(task) for task in plan_files(table)}


def plan_files(table: Table) -> Iterable[FileScanTask]:
    """The data files of the current snapshot, in the order in which they are read.

    Raises:
        SkipTable: Rows are deleted by their values, which pyiceberg cannot apply.
    """
    try:
        return list(table.scan().plan_files())
    except ValueError as error:
        if "equality deletes" not in str(error):
            raise
        raise SkipTable("it has equality deletes, which pyiceberg cannot read") from error


def _deletes(task: FileScanTask) -> frozenset[str]:
    return frozenset(file.file_path for file in task.delete_files)


def _pack(tasks: Iterable[FileScanTask], target_bytes: int) -> Iterator[FileGroup]:
    pending: list[FileScanTask] = []
    size = 0
    for task in tasks:
        if pending and size + task.file.file_size_in_bytes > target_bytes:
            yield FileGroup(tuple(pending))
            pending, size = [], 0
        pending.append(task)
        size += task.file.file_size_in_bytes
    if pending:
        yield FileGroup(tuple(pending))
