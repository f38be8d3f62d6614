"""What the callers of a catalog pass in and get back: table names, the partition to replace, the snapshot written."""

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Literal, Self, TypeAlias

from floe_core.errors import CatalogError, Problem

CATALOG_NAME = "floe"
"""SQL catalogs file every table under the name the catalog was opened by, so all of floe opens it by this one."""

_NAME_PART = re.compile(r"[^\W-][\w-]*")
_AMBIGUITY_STEP = timedelta(minutes=15)


@dataclass(frozen=True, slots=True, order=True)
class TableName:
    """A table's name, such as `bronze.customers`; the namespace may have several parts."""

    namespace: tuple[str, ...]
    table: str

    @classmethod
    def parse(cls, text: str) -> Self:
        """Take *text* apart.

        Raises:
            CatalogError: There is no namespace, or a part is no name.
        """
        problem = check_table_name(text)
        if problem is not None:
            raise CatalogError(problem)
        *namespace, table = text.split(".")
        return cls(tuple(namespace), table)

    @property
    def schema(self) -> str:
        """The namespace as one text; in DuckDB, the schema."""
        return ".".join(self.namespace)

    @property
    def identifier(self) -> tuple[str, ...]:
        """The name as pyiceberg takes it."""
        return (*self.namespace, self.table)

    def __str__(self) -> str:
        return f"{self.schema}.{self.table}"


@dataclass(frozen=True, slots=True)
class PartitionWindow:
    """The rows of a time window: from `start`, which is in, to `end`, which is out.

    Columns that hold instants are compared as instants. Naive timestamps, dates and texts that begin with an ISO date
    are read in the zone of `start`; bounds without a zone are UTC to columns that have one. Columns of whole numbers,
    and of texts that are no dates, hold the partition key itself.
    """

    column: str
    start: datetime
    end: datetime
    keys: tuple[str, ...] = field(default=(), kw_only=True)
    """How the partitions in the window are written, such as `202401`."""

    @property
    def is_whole_days(self) -> bool:
        """Whether both bounds are midnights."""
        return all(bound.time() == datetime.min.time() for bound in (self.start, self.end))

    @property
    def instants(self) -> tuple[datetime, datetime]:
        """The bounds in UTC."""
        return _as_utc(self.start), _as_utc(self.end)

    @property
    def wall_clock(self) -> tuple[datetime, datetime]:
        """The bounds as a clock in the window's zone shows them."""
        return _last_reading(self.start), _last_reading(self.end)

    def __str__(self) -> str:
        return f"from {show_time(self.start)} to before {show_time(self.end)}"


@dataclass(frozen=True, slots=True)
class PartitionKeys:
    """The rows whose column has one of the keys; keys are given as text, whatever the column's type is."""

    column: str
    keys: tuple[str, ...]

    def __str__(self) -> str:
        return f"equal to {' or '.join(repr(key) for key in self.keys)}"


PartitionColumn: TypeAlias = PartitionWindow | PartitionKeys


@dataclass(frozen=True, slots=True)
class PartitionDimensions:
    """The rows that lie in every one of several partitions, each told by a column of its own."""

    parts: tuple[PartitionColumn, ...]


Partition: TypeAlias = PartitionColumn | PartitionDimensions
WriteMode: TypeAlias = Literal["overwrite", "append"]


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A committed write: `rows` were written in it, `location` is the table's folder, the time is UTC.

    `added_columns` are new in the table; `missing_columns` are the table's, had no data in this write, and are null in
    its rows.
    """

    snapshot_id: int
    table: str
    location: str
    rows: int
    committed_at: datetime
    added_columns: tuple[str, ...] = ()
    missing_columns: tuple[str, ...] = ()


def parts_of(partition: Partition) -> tuple[PartitionColumn, ...]:
    """What each column of *partition* tells."""
    return partition.parts if isinstance(partition, PartitionDimensions) else (partition,)


def check_table_name(text: str, *, needs_namespace: bool = True) -> Problem | None:
    """What is wrong with *text* as a table's name, if anything."""
    parts = text.split(".")
    if not all(_NAME_PART.fullmatch(part) for part in parts):
        why = "each part of a name has letters, digits, '_' and '-', and does not start with '-'"
    elif len(parts) == 1 and needs_namespace:
        why = "a table is named by namespace and table"
    else:
        return None
    return Problem("FLOE-402", f"'{text}' is no table name", why=why, fix=_name_like(text))


def fold_name(name: str) -> str:
    """*name* as names are held against each other: dbt and most engines take those that differ in case for one."""
    return name.replace('"', "").replace("`", "").lower()


def show_time(time: datetime) -> str:
    """*time* for a message, as a date where nothing is lost by that."""
    return time.isoformat(" ").removesuffix(" 00:00:00")


def _name_like(text: str) -> str:
    """The name that *text* was meant to be: `bronze.orders` for `bronze/orders`."""
    parts = text.split(".") if "." in text else re.split(r"[\s/\\:]+", text)
    words = [word for part in parts if (word := re.sub(r"[^\w-]+", "_", part).strip("_-"))]
    if not words or len(words) < len(parts):
        return "name the table like 'bronze.orders'"
    return f"write '{'.'.join(words if len(words) > 1 else ['bronze', *words])}'"


def _as_utc(bound: datetime) -> datetime:
    return bound.replace(tzinfo=UTC) if bound.tzinfo is None else bound.astimezone(UTC)


def _last_reading(bound: datetime) -> datetime:
    """The wall clock at *bound*, where an hour that the clock shows twice belongs to its second turn.

    A naive timestamp in such an hour could be either; taking one of them puts each into exactly one window. So do
    those who compare it with the bounds as they are shown: the first turn is then from two o'clock to two o'clock.
    """
    naive = bound.replace(tzinfo=None, fold=0)
    if bound.fold or bound.tzinfo is None or not _is_shown_twice(bound):
        return naive
    shown = naive - (naive - datetime.min) % _AMBIGUITY_STEP
    while _is_shown_twice((shown - _AMBIGUITY_STEP).replace(tzinfo=bound.tzinfo)):
        shown -= _AMBIGUITY_STEP
    return shown


def _is_shown_twice(time: datetime) -> bool:
    return time.replace(fold=0).utcoffset() != time.replace(fold=1).utcoffset()
