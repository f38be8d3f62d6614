"""Whether a `partition_selector` fits what is launched, before anything is."""

from datetime import datetime

import dagster as dg

from floe_core.errors import Location, Problem
from floe_core.suggestions import did_you_mean
from floe_dagster.partitioning.choice import ALL, LAST, LATEST, NO_PARTITION, windows_of
from floe_dagster.partitioning.missing_keys import find_missing_key
from floe_dagster.partitioning.texts import describe_partitions

_WORDS = (LATEST, ALL, NO_PARTITION)


def check_selector(
    selector: str | None,
    partitions_def: dg.PartitionsDefinition | None,
    *,
    who: str,
    what: str,
    location: Location | None = None,
) -> list[Problem]:
    """What is wrong with *selector*; keys that may come later are right.

    Args:
        selector: As the document has it; None where it says nothing.
        partitions_def: Of what is launched.
        who: Who selects, as messages say it: `schedule 'nightly'`.
        what: What is launched: `job 'load'`.
        location: Where the selector stands.
    """
    if selector is None:
        return []
    if partitions_def is None:
        return [
            Problem(
                "FLOE-356",
                f"{who} selects partitions of {what}, which has none",
                location,
                why="none of the assets that it materialises is partitioned",
                fix="delete 'partition_selector', or give the assets partitions under orchestration.assets",
            )
        ]
    if selector in _WORDS:
        return []
    if selector.startswith(LAST):
        return [] if windows_of(partitions_def) else [_no_windows(selector, partitions_def, who, what, location)]
    missing = find_missing_key(selector, partitions_def, at=None, dynamic_partitions_store=None)
    if missing is None:
        return []
    return [
        Problem(
            "FLOE-340",
            f"{who} selects partition '{selector}' of {what}, which does not exist",
            location,
            why=missing.reason,
            fix=did_you_mean(selector, _WORDS) or missing.fix,
        )
    ]


def check_end(
    selector: str, partitions_def: dg.PartitionsDefinition | None, *, who: str, location: Location, at: datetime
) -> list[Problem]:
    """A warning where *selector* means the same windows at every tick from now on: there will be no others."""
    windows = None if partitions_def is None else windows_of(partitions_def)
    if windows is None or windows.end is None or windows.end > at or not _follows_time(selector):
        return []
    return [
        Problem(
            "FLOE-387",
            f"{who} launches the same partitions at every tick",
            location,
            why=f"'{selector}' means the last time window, and the partitions have ended on {windows.end:%Y-%m-%d}",
            fix="delete the schedule, or move the 'end' of the partitions",
            severity="warning",
        )
    ]


def _follows_time(selector: str) -> bool:
    return selector == LATEST or selector.startswith(LAST)


def _no_windows(
    selector: str, partitions_def: dg.PartitionsDefinition, who: str, what: str, location: Location | None
) -> Problem:
    return Problem(
        "FLOE-356",
        f"{who} selects the partitions '{selector}' of {what}, which has no time windows",
        location,
        why=f"only windows have an order in time, and it has {describe_partitions(partitions_def)}",
        fix="write 'all' or a partition key",
    )
