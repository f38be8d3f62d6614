"""What is drawn: boxes, and arrows from what is read to what is made of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Literal, TypeAlias

Kind: TypeAlias = Literal["python", "dbt", "external"]


@dataclass(frozen=True, slots=True)
class Box:
    """An asset or a table.

    Args:
        key: What tells it from the others.
        name: What stands in it, in the first line.
        caption: What stands below that, smaller.
        kind: Who makes it; `external` is made by nobody in the project.
        group: The asset group, by whose color it is told.
        rows: Columns of a table, where arrows lead from column to column.
        details: What else is known, by name, in the order in which it is shown.
    """

    key: str
    name: str
    caption: str
    kind: Kind
    group: str
    rows: Sequence[str] = ()
    details: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Arrow:
    """From the box, or from one of its rows, that is read to the one that is made of it."""

    source: str
    target: str
    source_row: str | None = None
    target_row: str | None = None


@dataclass(frozen=True)
class Graph:
    """A picture before it has a shape; arrows join boxes that are there."""

    title: str
    noun: str
    """What its boxes are called, in the singular."""
    boxes: Sequence[Box]
    arrows: Sequence[Arrow]

    @property
    def groups(self) -> Mapping[str, int]:
        """Each group with its number, which is that of its color."""
        return MappingProxyType(
            {group: number for number, group in enumerate(sorted({box.group for box in self.boxes}))}
        )
