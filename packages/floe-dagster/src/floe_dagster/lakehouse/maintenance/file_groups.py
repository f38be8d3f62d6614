"""Which files of a table compaction puts together."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias, cast

from pyiceberg.conversions import from_bytes
from pyiceberg.manifest import DataFile, FileFormat
from pyiceberg.table import FileScanTask, Table
from pyiceberg.types import NestedField, PrimitiveType

from floe_dagster.lakehouse.maintenance.report import SkipTable
from floe_dagster.lakehouse.partition_columns import read_partition_columns

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

    Where assets replace the rows of a partition, files of different partitions stay apart, too: a file with rows of
    several would be written anew whenever one of them is. Files of an older partition spec, sorted files and files of
    other formats than Parquet stay as they are, so that nothing that was made on purpose is undone.

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
    columns = [table.schema().find_field(column) for column in sorted(read_partition_columns(table.metadata))]
    return tuple(
        group
        for of_one_spec in by_partition.values()
        for tasks in _apart(of_one_spec, columns)
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


def _apart(tasks: list[FileScanTask], columns: Sequence[NestedField]) -> list[list[FileScanTask]]:
    """*tasks* so divided that no value of a column lies between two files of a part; each part in the same order."""
    parts = [tasks]
    for column in columns:
        parts = [divided for part in parts for divided in _divide(part, column)]
    return parts


def _divide(tasks: list[FileScanTask], column: NestedField) -> Iterator[list[FileScanTask]]:
    bounds = {index: _bounds(task.file, column) for index, task in enumerate(tasks)}
    unknown = [index for index, bound in bounds.items() if bound is None]  # without a value, or not measured
    known = sorted((bound, index) for index, bound in bounds.items() if bound is not None)
    parts = [unknown] if unknown else []
    highest: object = None
    for (low, high), index in known:
        if highest is None or low > highest:
            parts.append([])
        parts[-1].append(index)
        highest = high if highest is None else max(highest, high)
    for part in parts:
        yield [tasks[index] for index in sorted(part)]


def _bounds(file: DataFile, column: NestedField) -> tuple[Any, Any] | None:
    low, high = ((bounds or {}).get(column.field_id) for bounds in (file.lower_bounds, file.upper_bounds))
    if low is None or high is None:
        return None
    kind = cast("PrimitiveType", column.field_type)  # what has bounds is no list, struct or map
    return from_bytes(kind, low), from_bytes(kind, high)


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
