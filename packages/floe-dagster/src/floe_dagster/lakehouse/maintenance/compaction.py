"""Rewriting small files into larger ones beside writers that go on."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from pyiceberg.exceptions import CommitFailedException, ValidationException
from pyiceberg.expressions import AlwaysTrue
from pyiceberg.manifest import DataFile
from pyiceberg.table import Table
from pyiceberg.table.snapshots import Operation, Summary
from pyiceberg.table.update import AssertDefaultSpecId
from pyiceberg.table.update.snapshot import _OverwriteFiles
from pyiceberg.typedef import EMPTY_DICT

from floe_dagster.lakehouse.iceberg import IcebergTables
from floe_dagster.lakehouse.maintenance.file_groups import FileGroup, live_files, plan_files, plan_groups
from floe_dagster.lakehouse.maintenance.report import CompactedTable, SkipTable
from floe_dagster.lakehouse.maintenance.rewriting import rewrite
from floe_dagster.lakehouse.retries import Patience
from floe_dagster.lakehouse.tables import TableName

COMMIT_PROPERTIES = {"floe.operation": "compact"}
"""How the snapshots of compaction are told from those of writers."""

_ROUNDS = 3
_SECONDS_TO_COMMIT = 30.0
_TARGETS_PER_COMMIT = 8


@dataclass(frozen=True, slots=True)
class _Rewritten:
    group: FileGroup
    file: DataFile | None


@dataclass(slots=True)
class _Done:
    rewritten: list[_Rewritten] = field(default_factory=list)
    snapshots: list[int] = field(default_factory=list)


def compact_table(
    tables: IcebergTables, name: TableName, *, target_bytes: int, min_files: int, dry_run: bool
) -> CompactedTable:
    """Put small files of a table together, partition by partition.

    Appends never get in the way. Groups of which another writer replaced a file, or deleted rows, while they were
    rewritten are given up and planned anew, at most twice.

    Raises:
        SkipTable: There is nothing to do, other writers were always quicker, or the table cannot be rewritten here.
    """
    table = _find(tables, name)
    before = [task.file for task in plan_files(table)]
    if dry_run:
        groups = plan_groups(table, target_bytes=target_bytes, min_files=min_files)
        if not groups:
            raise SkipTable(_nothing_to_do(min_files))
        rows = sum(file.record_count for group in groups for file in group.files)
        return CompactedTable(str(name), len(before), _size(before), None, None, rows, (), dry_run=True)
    done, lost = _Done(), 0
    for _ in range(_ROUNDS):
        lost = _one_round(tables, name, done, target_bytes=target_bytes, min_files=min_files)
        if not lost:
            break
    if not done.snapshots:
        raise SkipTable("contended: other writers replaced the files each time" if lost else _nothing_to_do(min_files))
    added = [part.file for part in done.rewritten if part.file is not None]
    after = [task.file for task in plan_files(_find(tables, name))]  # with what others wrote and removed meanwhile
    return CompactedTable(
        table=str(name),
        files_before=len(before),
        bytes_before=_size(before),
        files_after=len(after),
        bytes_after=_size(after),
        rows=sum(file.record_count for file in added),
        snapshots=tuple(done.snapshots),
        contended_groups=lost,
    )


def _nothing_to_do(min_files: int) -> str:
    return f"nothing to do: no partition has {min_files} small files or more"


def _find(tables: IcebergTables, name: TableName) -> Table:
    table = tables.find(name)
    if table is None:
        raise SkipTable("it was dropped meanwhile")
    return table


def _size(files: Iterable[DataFile]) -> int:
    return sum(file.file_size_in_bytes for file in files)


def _one_round(tables: IcebergTables, name: TableName, done: _Done, *, target_bytes: int, min_files: int) -> int:
    """Rewrite what the table has now, and commit it in parts; how many groups were lost to others."""
    table = _find(tables, name)
    lost = 0
    for part in _parts(plan_groups(table, target_bytes=target_bytes, min_files=min_files), target_bytes):
        rewritten: list[_Rewritten] = []
        try:
            for group in part:
                try:
                    rewritten.append(_Rewritten(group, rewrite(table, group)))
                except FileNotFoundError:  # replaced and removed meanwhile, or the table is damaged
                    if group.is_alive(live_files(_find(tables, name))):
                        raise
        except BaseException:
            _delete(table, rewritten)
            raise
        committed = _commit(tables, name, table, rewritten, done)
        lost += len(part) - committed
    return lost


def _parts(groups: Sequence[FileGroup], target_bytes: int) -> Iterator[list[FileGroup]]:
    """The groups of one commit after the other, so that not all is lost when the process ends."""
    pending: list[FileGroup] = []
    for group in groups:
        pending.append(group)
        if sum(waiting.bytes for waiting in pending) >= _TARGETS_PER_COMMIT * target_bytes:
            yield pending
            pending = []
    if pending:
        yield pending


def _commit(tables: IcebergTables, name: TableName, planned_on: Table, rewritten: list[_Rewritten], done: _Done) -> int:
    """Commit those groups whose files the table still has; how many these were."""
    patience = Patience(_SECONDS_TO_COMMIT)
    while rewritten:
        with tables.turn_to_commit(name):
            table = _find(tables, name)
            alive = _alive(table, planned_on, rewritten)
            _delete(table, [part for part in rewritten if part not in alive])
            rewritten = alive
            if not rewritten:
                break
            try:
                done.snapshots.append(_commit_once(table, rewritten))
            except (CommitFailedException, ValidationException):  # surely not committed; of others that is not known
                pass
            else:
                done.rewritten += rewritten
                return len(rewritten)
        if not patience.wait():
            _delete(planned_on, rewritten)
            break
    return 0


def _alive(table: Table, planned_on: Table, rewritten: list[_Rewritten]) -> list[_Rewritten]:
    same_table = table.metadata.table_uuid == planned_on.metadata.table_uuid
    if not same_table or table.metadata.default_spec_id != planned_on.metadata.default_spec_id:
        return []
    live = live_files(table)
    return [part for part in rewritten if part.group.is_alive(live)]


def _commit_once(table: Table, rewritten: Iterable[_Rewritten]) -> int:
    transaction = table.transaction()
    spec_stays = AssertDefaultSpecId(default_spec_id=table.metadata.default_spec_id)
    transaction._stage((), (spec_stays,))  # noqa: SLF001  # pyiceberg has no other way to require it
    replacement = _Replacement(
        operation=Operation.OVERWRITE, transaction=transaction, io=table.io, snapshot_properties=COMMIT_PROPERTIES
    )
    replacement.delete_by_predicate(AlwaysTrue())  # so that manifests of every partition are looked through
    for part in rewritten:
        for file in part.group.files:
            replacement.delete_data_file(file)
        if part.file is not None:
            replacement.append_data_file(part.file)
    replacement.commit()
    transaction.commit_transaction()
    return replacement.snapshot_id


def _delete(table: Table, rewritten: Iterable[_Rewritten]) -> None:
    """Delete files that no snapshot has; one that stays is found later as an orphan."""
    for part in rewritten:
        if part.file is not None:
            with suppress(OSError):
                table.io.delete(part.file.file_path)


class _Replacement(_OverwriteFiles):
    """An overwrite that says it changes no rows; readers of changes and other writers pass it over."""

    def _summary(self, snapshot_properties: dict[str, str] = EMPTY_DICT) -> Summary:
        summary = super()._summary(snapshot_properties)  # pyiceberg counts for no operation called replace
        return Summary(operation=Operation.REPLACE, **summary.additional_properties)

    def _validate_concurrency(self) -> None:
        """Do not repeat the commit on a changed table: which files it still has is looked at anew."""
        raise ValidationException("the table was changed meanwhile")
