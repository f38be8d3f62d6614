"""How far maintenance may go: what a call asks for, held against what platform.yaml says.

A value under `maintenance` in platform.yaml is the default, and no call may go below it. Where platform.yaml says
nothing, a call may ask for less than the default.
"""

from datetime import timedelta

from floe_core.errors import CatalogError, Problem
from floe_core.names.rules import RuleError
from floe_core.names.times import format_duration, parse_duration
from floe_core.schemas.platform_spec import SHORTEST_ORPHAN_GRACE, Maintenance

_WHY_GRACE = "files of a write under way look like orphans, and the table needs them"
_WHY_RETENTION = "readers lose what they are reading when the snapshot they began with expires under them"
_MIB = 1024**2


def orphan_grace(asked: object | None, rules: Maintenance) -> timedelta:
    """The age that a file must have to be removed.

    Raises:
        CatalogError: *asked* is no length of time, or less than an hour or than platform.yaml says.
    """
    said = rules.orphan_grace if "orphan_grace" in rules.model_fields_set else None
    if asked is None:
        return rules.orphan_grace
    if said is not None and said > SHORTEST_ORPHAN_GRACE:
        return _length(asked, "grace", floor=said, why=_said("orphan_grace", format_duration(said)))
    return _length(asked, "grace", floor=SHORTEST_ORPHAN_GRACE, why=_WHY_GRACE)


def snapshot_retention(asked: object | None, rules: Maintenance) -> timedelta:
    """How long the state of a table can be read after it was replaced.

    Raises:
        CatalogError: *asked* is no length of time, or less than platform.yaml says.
    """
    said = rules.snapshot_retention if "snapshot_retention" in rules.model_fields_set else None
    if asked is None:
        return rules.snapshot_retention
    if said is not None:
        return _length(asked, "retention", floor=said, why=_said("snapshot_retention", format_duration(said)))
    return _length(asked, "retention", floor=timedelta(), why=_WHY_RETENTION)


def retain_last(asked: int | None, rules: Maintenance) -> int:
    """How many snapshots of each branch stay in any case.

    Raises:
        CatalogError: *asked* is less than one, or than platform.yaml says.
    """
    floor = rules.retain_last if "retain_last" in rules.model_fields_set else 1
    if asked is None:
        return rules.retain_last
    if asked < floor:
        raise CatalogError(
            Problem(
                code="FLOE-441",
                what=f"retain_last is {asked}, and {floor} is the least",
                why=_said("retain_last", str(floor)) if floor > 1 else "a table without a snapshot has no rows",
                fix=f"write {floor} or more",
            )
        )
    return asked


def target_file_bytes(asked_mb: int | None, rules: Maintenance) -> int:
    """The size that compaction aims at.

    Raises:
        CatalogError: *asked_mb* is less than one.
    """
    if asked_mb is not None and asked_mb < 1:
        raise CatalogError(
            Problem(
                code="FLOE-441",
                what=f"the target size of files is {asked_mb} MiB, and 1 is the least",
                why="compaction writes files of about this size",
                fix="write 1 or more",
            )
        )
    return (rules.target_file_size_mb if asked_mb is None else asked_mb) * _MIB


def least_files(asked: int) -> int:
    """How many small files of a partition are worth rewriting.

    Raises:
        CatalogError: *asked* is less than two.
    """
    if asked < 2:  # one file and another
        raise CatalogError(
            Problem(
                code="FLOE-441",
                what=f"min_files is {asked}, and 2 is the least",
                why="one file cannot be put together with another",
                fix="write 2 or more",
            )
        )
    return asked


def check_grace(grace: timedelta) -> None:
    """The last word before files are deleted: under an hour, none is, whoever asks.

    Raises:
        CatalogError: *grace* is less than an hour.
    """
    if grace < SHORTEST_ORPHAN_GRACE:
        raise CatalogError(_too_short("grace", grace, SHORTEST_ORPHAN_GRACE, _WHY_GRACE))


def _length(asked: object, noun: str, *, floor: timedelta, why: str) -> timedelta:
    try:
        length = parse_duration(asked)
    except RuleError as error:
        raise CatalogError(
            Problem("FLOE-441", f"'{asked}' is no {noun}", why=f"{error}; {why}", fix=f"write it like '{_like(floor)}'")
        ) from error
    if length < floor or length <= timedelta():
        raise CatalogError(_too_short(noun, length, floor, why))
    return length


def _too_short(noun: str, length: timedelta, floor: timedelta, why: str) -> Problem:
    shown = format_duration(length) if length >= timedelta() else f"{length.total_seconds():g}s"
    return Problem(
        code="FLOE-441",
        what=f"a {noun} of {shown} is too short",
        why=why,
        fix=f"write '{_like(floor)}' or more",
    )


def _like(floor: timedelta) -> str:
    return format_duration(floor or timedelta(days=7))


def _said(name: str, value: str) -> str:
    return f"platform.yaml says `maintenance: {{{name}: {value}}}`, and no call goes below it"
