"""Functions for `ops` jobs that look after tables.

    nightly_vacuum:
      type: ops
      target_function: floe_dagster.maintenance.vacuum
      args: {tables: ["bronze.*"], retention: 7d, dry_run: false}

Lengths of time are texts such as `7d` or `12h`. What an argument leaves out is as platform.yaml says under
`maintenance`, and no argument goes below what is written there. What a function did is the metadata of its run:
a table of the tables, sizes in bytes, and totals. A table that fails keeps no other from its turn; the run fails at the
end, naming it. dbt's relations are skipped, with the reason.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Annotated, Any, TypeAlias

import dagster as dg
from pydantic import AfterValidator, BeforeValidator

from floe_core.errors import CatalogError
from floe_core.names.rules import RuleError
from floe_core.names.times import parse_duration
from floe_core.schemas.platform_spec import Maintenance, check_orphan_grace
from floe_dagster.lakehouse.maintenance import limits
from floe_dagster.lakehouse.maintenance.report import (
    CompactedTable,
    ExpiredSnapshots,
    MaintenanceReport,
    RemovedOrphans,
    TableStatistics,
    UnfinishedError,
    VacuumedTable,
)
from floe_dagster.resources.catalog import CatalogResource

Row: TypeAlias = dict[str, str | int | float | bool]
Metadata: TypeAlias = dict[str, object]


def _check_length(value: object) -> object:
    parse_duration(value)
    return value


def _check_grace(value: object) -> object:
    check_orphan_grace(parse_duration(value))
    return value


def _within(limit: Callable[[int], int]) -> AfterValidator:
    """What *limit* refuses is refused when the document is read, too."""

    def check(number: int) -> int:
        try:
            limit(number)
        except CatalogError as error:
            problem = error.problems[0]
            raise RuleError(f"{problem.what}: {problem.why}", fix=problem.fix) from error
        return number

    return AfterValidator(check)


LengthOfTime: TypeAlias = Annotated[str, BeforeValidator(_check_length)]
Grace: TypeAlias = Annotated[str, BeforeValidator(_check_grace)]
Snapshots: TypeAlias = Annotated[int, _within(lambda number: limits.retain_last(number, Maintenance()))]
Mebibytes: TypeAlias = Annotated[int, _within(lambda number: limits.target_file_bytes(number, Maintenance()))]
SmallFiles: TypeAlias = Annotated[int, _within(limits.least_files)]


def vacuum(
    context: dg.OpExecutionContext,
    catalog: CatalogResource,
    *,
    tables: str | list[str] = "*",
    retention: LengthOfTime | None = None,
    retain_last: Snapshots | None = None,
    grace: Grace | None = None,
    dry_run: bool = True,
) -> Metadata:
    """Expire snapshots, then delete the files that nothing refers to any more.

    Args:
        context: Of the op.
        catalog: The tables.
        tables: Names and globs, such as `bronze.*`.
        retention: How long the state of a table can still be read after it was replaced.
        retain_last: How many snapshots of each branch stay in any case.
        grace: The age that a file must have to be deleted; an hour at least.
        dry_run: Only tell what would be done; false deletes.

    Raises:
        Failure: Tables could not be looked after, or an argument goes too far.
    """
    return _run(
        context,
        lambda: catalog.vacuum(tables, older_than=retention, retain_last=retain_last, grace=grace, dry_run=dry_run),
        dry_run=dry_run,
    )


def expire_snapshots(
    context: dg.OpExecutionContext,
    catalog: CatalogResource,
    *,
    tables: str | list[str] = "*",
    retention: LengthOfTime | None = None,
    retain_last: Snapshots | None = None,
    dry_run: bool = False,
) -> Metadata:
    """Expire snapshots; the files stay until orphans are removed.

    Args:
        context: Of the op.
        catalog: The tables.
        tables: Names and globs, such as `bronze.*`.
        retention: How long the state of a table can still be read after it was replaced.
        retain_last: How many snapshots of each branch stay in any case.
        dry_run: Only tell what would expire.

    Raises:
        Failure: Tables could not be looked after, or an argument goes too far.
    """
    return _run(
        context,
        lambda: catalog.expire_snapshots(tables, older_than=retention, retain_last=retain_last, dry_run=dry_run),
        dry_run=dry_run,
    )


def remove_orphans(
    context: dg.OpExecutionContext,
    catalog: CatalogResource,
    *,
    tables: str | list[str] = "*",
    grace: Grace | None = None,
    dry_run: bool = True,
) -> Metadata:
    """Delete the files below the locations of tables that nothing refers to.

    Args:
        context: Of the op.
        catalog: The tables.
        tables: Names and globs, such as `bronze.*`.
        grace: The age that a file must have to be deleted; an hour at least.
        dry_run: Only tell what would be deleted; false deletes.

    Raises:
        Failure: Tables could not be looked after, or an argument goes too far.
    """
    return _run(
        context,
        lambda: catalog.remove_orphans(tables, grace=grace, dry_run=dry_run),
        dry_run=dry_run,
    )


def compact(
    context: dg.OpExecutionContext,
    catalog: CatalogResource,
    *,
    tables: str | list[str] = "*",
    target_file_size_mb: Mebibytes | None = None,
    min_files: SmallFiles = 5,
    dry_run: bool = False,
) -> Metadata:
    """Rewrite small files into larger ones; rows and their content stay the same.

    Args:
        context: Of the op.
        catalog: The tables.
        tables: Names and globs, such as `bronze.*`.
        target_file_size_mb: MiB that new files have at most.
        min_files: How many small files of a partition are worth it, two at least.
        dry_run: Only tell what would be rewritten.

    Raises:
        Failure: Tables could not be looked after, or an argument goes too far.
    """
    return _run(
        context,
        lambda: catalog.compact(tables, target_file_size_mb=target_file_size_mb, min_files=min_files, dry_run=dry_run),
        dry_run=dry_run,
    )


def statistics(
    context: dg.OpExecutionContext,
    catalog: CatalogResource,
    *,
    tables: str | list[str] = "*",
) -> Metadata:
    """Measure tables: files, bytes, rows, snapshots, and what nothing refers to; changes nothing.

    Args:
        context: Of the op.
        catalog: The tables.
        tables: Names and globs, such as `bronze.*`.

    Raises:
        Failure: Tables could not be looked after, or an argument goes too far.
    """
    return _run(context, lambda: catalog.statistics(tables))


def _run(context: dg.OpExecutionContext, work: Callable[[], MaintenanceReport[object]], **flags: bool) -> Metadata:
    try:
        report = work()
    except UnfinishedError as error:
        failed = ", ".join(sorted({table.table for table in error.report.failed}))
        raise dg.Failure(
            f"these tables could not be looked after: {failed}\n{error}",
            metadata={**_describe(error.report), **flags},
        ) from None
    except CatalogError as error:
        raise dg.Failure(str(error), allow_retries=False) from None
    for skipped in report.skipped:
        context.log.info("%s was skipped: %s", skipped.table, skipped.reason)
    return {**flags, **_describe(report)}


def _describe(report: MaintenanceReport[object]) -> dict[str, dg.MetadataValue[Any]]:
    rows = [_row(outcome) for outcome in report.tables]
    skipped: list[Row] = [{"table": table.table, "reason": table.reason} for table in report.skipped]
    failed: list[Row] = [{"table": table.table, "error": table.problem.what} for table in report.failed]
    return {
        **{name: dg.MetadataValue.int(total) for name, total in _totals(rows).items()},
        **{
            name: _table(shown)
            for name, shown in {"tables": rows, "skipped": skipped, "failed": failed}.items()
            if shown or name == "tables"
        },
    }


def _totals(rows: Iterable[Row]) -> dict[str, int]:
    totals: dict[str, int] = {}
    for row in rows:
        for name, value in row.items():
            if isinstance(value, int):
                totals[name] = totals.get(name, 0) + value
    return totals


def _table(rows: Sequence[Row]) -> dg.TableMetadataValue:
    columns = {name: "int" if isinstance(value, int) else "string" for row in rows for name, value in row.items()}
    return dg.MetadataValue.table(
        [dg.TableRecord(row) for row in rows],
        dg.TableSchema(columns=[dg.TableColumn(name, kind) for name, kind in columns.items()]),
    )


def _row(outcome: object) -> Row:
    match outcome:
        case VacuumedTable(snapshots=snapshots, orphans=orphans, skipped=skipped):
            note: Row = {"note": skipped} if skipped else {}
            return {**_row(snapshots), **(_row(orphans) if orphans else {}), **note}
        case ExpiredSnapshots():
            return {
                "table": outcome.table,
                "expired_snapshots": len(outcome.expired),
                "kept_snapshots": len(outcome.kept),
            }
        case RemovedOrphans():
            return {
                "table": outcome.table,
                "removed_files": outcome.files,
                "removed_bytes": outcome.bytes,
                "kept_unreferenced_files": sum(kept.files for kept in outcome.kept),
                "kept_unreferenced_bytes": sum(kept.bytes for kept in outcome.kept),
            }
        case CompactedTable():
            return _compacted(outcome)
        case TableStatistics():
            return _measured(outcome)
        case _:
            raise TypeError(outcome)


def _compacted(table: CompactedTable) -> Row:
    row: Row = {"table": table.table, "files_before": table.files_before, "bytes_before": table.bytes_before}
    if table.files_after is not None and table.bytes_after is not None:
        row |= {"files_after": table.files_after, "bytes_after": table.bytes_after}
    return row | {"rewritten_rows": table.rows, "contended_groups": table.contended_groups}


def _measured(table: TableStatistics) -> Row:
    row: Row = {
        "table": table.table,
        "files": table.files,
        "delete_files": table.delete_files,
        "bytes": table.bytes,
        "rows": table.rows,
        "small_files": table.small_files,
        "snapshots": table.snapshots,
        "oldest_snapshot": table.oldest_snapshot_at.isoformat() if table.oldest_snapshot_at else "",
    }
    if table.unreferenced_files is not None and table.unreferenced_bytes is not None:
        row |= {"unreferenced_files": table.unreferenced_files, "unreferenced_bytes": table.unreferenced_bytes}
    return row | ({"note": table.unreferenced_unknown} if table.unreferenced_unknown else {})
