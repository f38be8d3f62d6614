"""Expiring snapshots: which ones may go, and the commit that lets them go."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise

from pyiceberg.exceptions import CommitFailedException
from pyiceberg.table import Table, Transaction
from pyiceberg.table.metadata import TableMetadata
from pyiceberg.table.refs import SnapshotRef, SnapshotRefType
from pyiceberg.table.snapshots import Snapshot
from pyiceberg.table.update import AssertRefSnapshotId, AssertTableUUID, UpdatesAndRequirements
from pyiceberg.table.update.snapshot import ExpireSnapshots
from pyiceberg.utils.properties import property_as_bool, property_as_int

from floe_core.names.times import format_duration
from floe_dagster.lakehouse.iceberg import IcebergTables
from floe_dagster.lakehouse.maintenance.report import ExpiredSnapshots, KeptSnapshot, SkipTable
from floe_dagster.lakehouse.retries import Patience, lost_races
from floe_dagster.lakehouse.tables import TableName

_SECONDS_TO_COMMIT = 30.0
_GARBAGE_COLLECTION = "gc.enabled"
_LEAST_SNAPSHOTS = "history.expire.min-snapshots-to-keep"


def expire_snapshots(
    tables: IcebergTables, name: TableName, *, retention: timedelta, retain_last: int, dry_run: bool
) -> ExpiredSnapshots:
    """Let the snapshots of a table go that have not been its state for *retention*.

    Kept are the current snapshot, every one that a branch or tag names, the last *retain_last* of each branch, and
    every one that was the state of a branch within *retention*, however long ago it was committed. Times are those
    that writers gave their commits, held against the clock of this machine.

    Raises:
        SkipTable: The table keeps its files by itself, was dropped, or other writers were always quicker.
    """
    patience = Patience(_SECONDS_TO_COMMIT)
    while True:
        with tables.turn_to_commit(name):
            table = find_table(tables, name)
            plan = plan_expiry(table.metadata, now=datetime.now(UTC), retention=retention, retain_last=retain_last)
            if plan.expired and not dry_run:
                try:
                    _Expiry(table, plan.expired, checked_here=tables.checks_commits_here).commit()
                except lost_races() as error:
                    lost: Exception | None = error
                else:
                    lost = None
            else:
                lost = None
        if lost is None:
            return ExpiredSnapshots(str(name), plan.expired, plan.kept, dry_run)
        if not patience.wait():
            raise SkipTable(f"contended: other writers were quicker {patience.attempts} times") from lost


def find_table(tables: IcebergTables, name: TableName) -> Table:
    """The table as it is now.

    Raises:
        SkipTable: It was dropped meanwhile, or says itself that nothing of it may be deleted.
    """
    table = tables.find(name)
    if table is None:
        raise SkipTable("it was dropped meanwhile")
    if not property_as_bool(table.metadata.properties, _GARBAGE_COLLECTION, True):  # pyiceberg's own
        raise SkipTable(f"its property {_GARBAGE_COLLECTION} is false, which keeps its snapshots and files for others")
    return table


@dataclass(frozen=True, slots=True)
class ExpiryPlan:
    """The snapshots that may go, and those that stay."""

    expired: tuple[int, ...]
    kept: tuple[KeptSnapshot, ...]


def plan_expiry(metadata: TableMetadata, *, now: datetime, retention: timedelta, retain_last: int) -> ExpiryPlan:
    """Tell apart what may go and what stays, oldest first."""
    by_id = {snapshot.snapshot_id: snapshot for snapshot in metadata.snapshots}
    least = max(retain_last, property_as_int(metadata.properties, _LEAST_SNAPSHOTS, 1) or 1)
    reasons = _named(metadata)
    left_at = _left_at(metadata, by_id)
    for branch, ref in _branches(metadata):
        count = max(least, ref.min_snapshots_to_keep or 0)
        age = max(retention, timedelta(milliseconds=ref.max_snapshot_age_ms or 0))
        for index, snapshot in enumerate(_ancestry(ref.snapshot_id, by_id)):
            if index < count:
                reasons.setdefault(snapshot.snapshot_id, f"one of the last {count} of branch '{branch}'")
            if age > retention and left_at[snapshot.snapshot_id] >= _millis(now - age):
                reasons.setdefault(snapshot.snapshot_id, f"branch '{branch}' keeps its last {format_duration(age)}")
    since = _millis(now - retention)
    for snapshot_id, left in left_at.items():
        if left >= since:
            reasons.setdefault(snapshot_id, f"the table's state within the last {format_duration(retention)}")
    ordered = sorted(metadata.snapshots, key=lambda snapshot: snapshot.timestamp_ms)
    return ExpiryPlan(
        expired=tuple(snapshot.snapshot_id for snapshot in ordered if snapshot.snapshot_id not in reasons),
        kept=tuple(
            KeptSnapshot(
                snapshot.snapshot_id,
                datetime.fromtimestamp(snapshot.timestamp_ms / 1000, UTC),
                reasons[snapshot.snapshot_id],
            )
            for snapshot in ordered
            if snapshot.snapshot_id in reasons
        ),
    )


def _named(metadata: TableMetadata) -> dict[int, str]:
    """Snapshots that something names → what names them."""
    named: dict[int, str] = {}
    if metadata.current_snapshot_id is not None:
        named[metadata.current_snapshot_id] = "the current snapshot"
    for name, ref in metadata.refs.items():
        kind = "tag" if ref.snapshot_ref_type == SnapshotRefType.TAG else "branch"
        named.setdefault(ref.snapshot_id, f"{kind} '{name}'")
    return named


def _left_at(metadata: TableMetadata, by_id: Mapping[int, Snapshot]) -> dict[int, int]:
    """When each snapshot stopped being the state of the table or of a branch, in milliseconds.

    Of one that never was, such as a write staged for review, it is when it was committed.
    """
    left = {snapshot_id: snapshot.timestamp_ms for snapshot_id, snapshot in by_id.items()}
    for entry, following in pairwise(metadata.snapshot_log):
        if entry.snapshot_id in left:
            left[entry.snapshot_id] = max(left[entry.snapshot_id], following.timestamp_ms)
    for _, ref in _branches(metadata):
        for child, parent in pairwise(_ancestry(ref.snapshot_id, by_id)):
            left[parent.snapshot_id] = max(left[parent.snapshot_id], child.timestamp_ms)
    return left


def _branches(metadata: TableMetadata) -> Iterator[tuple[str, SnapshotRef]]:
    for name, ref in metadata.refs.items():
        if ref.snapshot_ref_type == SnapshotRefType.BRANCH:
            yield name, ref


def _ancestry(snapshot_id: int | None, by_id: Mapping[int, Snapshot]) -> Iterator[Snapshot]:
    while snapshot_id is not None and snapshot_id in by_id:
        yield by_id[snapshot_id]
        snapshot_id = by_id[snapshot_id].parent_snapshot_id


def _millis(time: datetime) -> int:
    return int(time.timestamp() * 1000)


class _Expiry(ExpireSnapshots):
    """pyiceberg's expiry, which fails rather than takes away a snapshot that was named since it was planned.

    A table whose main branch was set back to an expired snapshot would lose its rows, a new tag would be dropped.
    """

    def __init__(self, table: Table, snapshot_ids: tuple[int, ...], *, checked_here: bool) -> None:
        super().__init__(Transaction(table, autocommit=True))
        self._snapshot_ids_to_expire = set(snapshot_ids)
        self._checked_here = checked_here

    def _commit(self) -> UpdatesAndRequirements:
        updates, requirements = super()._commit()
        metadata = self._transaction.table_metadata
        if self._checked_here:
            not_named = _NotNamed(uuid=metadata.table_uuid, snapshot_ids=sorted(self._snapshot_ids_to_expire))
            return updates, (*requirements, not_named)
        unmoved = (AssertRefSnapshotId(ref=name, snapshot_id=ref.snapshot_id) for name, ref in metadata.refs.items())
        return updates, (*requirements, *unmoved)


class _NotNamed(AssertTableUUID):
    """Besides, no branch or tag leads to one of the snapshots; a catalog's server has no word for that."""

    snapshot_ids: list[int]

    def validate(self, base_metadata: TableMetadata | None) -> None:  # type: ignore[override]  # the name is pyiceberg's
        """Raise what other lost commits raise."""
        super().validate(base_metadata)
        wanted = set(self.snapshot_ids)
        known = {snapshot.snapshot_id for snapshot in base_metadata.snapshots} if base_metadata else set()
        refs = base_metadata.refs.values() if base_metadata else ()
        if not wanted <= known or any(ref.snapshot_id in wanted for ref in refs):
            raise CommitFailedException("a snapshot was expired or named by another process")
