"""What maintenance did, table by table; all sizes in bytes, all times in UTC."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Generic, TypeVar

from floe_core.errors import CatalogError, Problem


@dataclass(frozen=True, slots=True)
class KeptSnapshot:
    """A snapshot that stays, and why."""

    snapshot_id: int
    committed_at: datetime
    reason: str


@dataclass(frozen=True, slots=True)
class ExpiredSnapshots:
    """The snapshots of one table. Expiring changes metadata only: files go when orphans are removed."""

    table: str
    expired: tuple[int, ...]
    kept: tuple[KeptSnapshot, ...]
    dry_run: bool = False


@dataclass(frozen=True, slots=True)
class KeptFiles:
    """Files that nothing in the table refers to and that stay all the same, by the reason."""

    reason: str
    files: int
    bytes: int


@dataclass(frozen=True, slots=True)
class RemovedOrphans:
    """The files of one table that nothing refers to: those removed (with `dry_run`, those that would be).

    `examples` are the paths of the first of them. Files without a reference that stay are counted in `kept`.
    """

    table: str
    location: str
    files: int
    bytes: int
    examples: tuple[str, ...]
    kept: tuple[KeptFiles, ...]
    dry_run: bool


@dataclass(frozen=True, slots=True)
class VacuumedTable:
    """What a vacuum did to one table; `orphans` is None where files were not looked at, for the reason `skipped`."""

    table: str
    snapshots: ExpiredSnapshots
    orphans: RemovedOrphans | None
    skipped: str = ""


@dataclass(frozen=True, slots=True)
class CompactedTable:
    """The rewriting of one table's small files into larger ones; rows and their content are the same before and after.

    `contended_groups` are groups of files that other writers replaced meanwhile; they were left to them. `rows` were
    rewritten. With `dry_run`, `files_after` and `bytes_after` are None, since nothing was written.
    """

    table: str
    files_before: int
    bytes_before: int
    files_after: int | None
    bytes_after: int | None
    rows: int
    snapshots: tuple[int, ...]
    contended_groups: int = 0
    dry_run: bool = False


@dataclass(frozen=True, slots=True)
class TableStatistics:
    """The size of one table as it is now.

    `files`, `bytes` and `rows` are of the current snapshot, `rows` without those that delete files remove by position.
    `small_files` are shorter than compaction leaves alone. `unreferenced_bytes` are of files below the table's location
    that no snapshot refers to, those of writes under way included; None where they cannot be told, for the reason
    `unreferenced_unknown`.
    """

    table: str
    location: str
    files: int
    delete_files: int
    bytes: int
    rows: int
    small_files: int
    snapshots: int
    oldest_snapshot_at: datetime | None
    unreferenced_files: int | None
    unreferenced_bytes: int | None
    unreferenced_unknown: str = ""


@dataclass(frozen=True, slots=True)
class SkippedTable:
    """A table that was left as it is, and why."""

    table: str
    reason: str


@dataclass(frozen=True, slots=True)
class FailedTable:
    """A table that could not be looked after."""

    table: str
    problem: Problem


Outcome_co = TypeVar("Outcome_co", covariant=True)


@dataclass(frozen=True, slots=True)
class MaintenanceReport(Generic[Outcome_co]):
    """What was done to each table that was meant, in the order of their names."""

    tables: tuple[Outcome_co, ...]
    skipped: tuple[SkippedTable, ...] = ()
    failed: tuple[FailedTable, ...] = ()

    def of(self, table: str) -> Outcome_co:
        """What was done to *table*.

        Raises:
            KeyError: The table was skipped, or is not among those that were meant.
        """
        for outcome in self.tables:
            if getattr(outcome, "table", None) == table:
                return outcome
        raise KeyError(table)


class UnfinishedError(CatalogError):
    """Some tables could not be looked after; `report` says what was done to the others."""

    def __init__(self, *problems: Problem, report: MaintenanceReport[object]) -> None:
        super().__init__(*problems)
        self.report = report


class SkipTable(Exception):  # noqa: N818  # no error: the table stays as it is
    """The table at hand is left as it is; the text says why."""


def look_after(
    names: tuple[str, ...],
    work: Callable[[str], Outcome_co],
    *,
    others: tuple[SkippedTable, ...] = (),
    hide_secrets: Callable[[str], str] = str,
) -> MaintenanceReport[Outcome_co]:
    """Do *work* on one table after the other; one that fails keeps no other from its turn.

    Args:
        names: The tables.
        work: What is done to a table, by its name.
        others: What is skipped anyway.
        hide_secrets: Takes them out of what a client says in its errors.

    Raises:
        UnfinishedError: Tables failed; raised when all have had their turn.
    """
    outcomes: list[Outcome_co] = []
    skipped = list(others)
    failed: list[FailedTable] = []
    cause: Exception | None = None
    for name in names:
        try:
            outcomes.append(work(name))
        except SkipTable as skip:
            skipped.append(SkippedTable(name, str(skip)))
        except CatalogError as error:
            failed += [FailedTable(name, problem) for problem in error.problems]
        except Exception as error:  # noqa: BLE001 - the border of one table: catalogs and stores raise errors of their own
            failed.append(FailedTable(name, _failure(name, hide_secrets(str(error)), type(error))))
            cause = cause or error
    report = MaintenanceReport(tuple(outcomes), tuple(skipped), tuple(failed))
    if failed:
        raise UnfinishedError(*(table.problem for table in failed), report=report) from cause
    return report


def _failure(name: str, text: str, kind: type[Exception]) -> Problem:
    first_line = text.strip().split("\n")[0]
    return Problem(
        code="FLOE-442",
        what=f"'{name}' could not be looked after",
        why="reading or committing failed; nothing in use was deleted, and the other tables had their turn",
        fix="mend what the detail says, and run it again: it goes on where it stopped",
        detail=f"{kind.__name__}: {first_line}" if first_line else kind.__name__,
    )
