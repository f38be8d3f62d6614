"""What a select reads from, and which column a name in it stands for."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from sqlglot import exp

from floe_dagster.observability.lineage.columns import UNKNOWN, Column, Columns, Rest, Sources, merge_sources
from floe_dagster.observability.lineage.identifiers import Identifiers

_NUMBERED = re.compile(r"(?:[_:]\d+)+$")
_LEFT_FIRST = frozenset({"duckdb"})
"""Databases whose `*` leaves the columns of USING where the left side has them; others put them before all."""
_NAMED_BY_TEXT = frozenset({"duckdb", "snowflake", "spark", "databricks", "mysql", "sqlite"})
"""Databases that call an expression without a name by its text: `max(x)`, and not `max`."""
_OF_ROWS: Mapping[str, frozenset[str]] = {
    "duckdb": frozenset({"rowid"}),
    "postgres": frozenset({"ctid", "tableoid", "xmin", "xmax", "cmin", "cmax"}),
    "oracle": frozenset({"ROWID", "ROWNUM", "LEVEL"}),
}
"""What can be read of any table beside its columns."""


@dataclass
class Scope:
    """The relations of one select, in their order, by the names under which their columns are read.

    Args:
        names: How the database takes names.
        known: The common table expressions that can be read.
        outer: Of a select within an expression, that of the select around it.
        aliases: What the select has named so far, which in some databases it can read again; what a lambda binds.
        windows: Those that the select has named.
    """

    names: Identifiers
    known: Mapping[str, Columns]
    outer: "Scope | None" = None
    relations: dict[str, Columns] = field(default_factory=dict)
    aliases: dict[str, Sources] = field(default_factory=dict)
    windows: Mapping[str, exp.Expr] = field(default_factory=dict)
    _merged: dict[str, Column] = field(default_factory=dict)
    """The columns of USING, which are one of both sides."""
    _coalesced: set[str] = field(default_factory=set)
    """Those of full joins: an expression of both sides, called as it is written."""
    _hidden: dict[str, set[str]] = field(default_factory=dict)
    """Relation → its columns that stand among those."""
    _is_vague: bool = False
    _indexes: dict[int, dict[str, list[Column]]] = field(default_factory=dict)
    _indexed: list[Columns] = field(default_factory=list)
    """What those are of, so that their ids stay theirs."""

    def join(self, key: str, columns: Columns, *, using: Sequence[str], how: str) -> None:
        """Read from another relation; *how* are SQL's words for the join."""
        if "SEMI" in how or "ANTI" in how:
            return
        if "NATURAL" in how:
            using = self._common(columns)
        merged = [(name, self.bare(name), self.of(columns, name)) for name in using]
        if not key or key in self.relations:
            if key:
                self.relations[key] = UNKNOWN
            key = f"{key} {len(self.relations)}"
        self.relations[key] = columns
        for name, left, right in merged:
            folded = self.names.key(name)
            self._merged[folded] = _one_of(left, right, how=how)
            if "FULL" in how:
                self._coalesced.add(folded)
            for relation in self.relations:
                self._hidden.setdefault(relation, set()).add(folded)

    def find(self, key: str) -> Columns | None:
        """The relation of that name, here or in a select around this one."""
        found = self.relations.get(key)
        return found if found is not None or self.outer is None else self.outer.find(key)

    def of(self, relation: Columns, name: str) -> Column:
        """The column of *relation* that is called *name*."""
        known = self._known(relation, name)
        rests = self._rests(relation, name)
        if known:
            return known[0] if len(known) == 1 else Column(known[0].name)
        may_be_another = self._may_be_nameless(relation, name) or self._is_of_rows(name)
        if len(rests) == 1 and rests[0].table is not None and not may_be_another:
            return Column(name, ((rests[0].table, name),))
        return Column(name)

    def bare(self, name: str) -> Column:
        """The column that *name* stands for without a relation; without sources where that is not certain."""
        key = self.names.key(name)
        if key in self._merged:
            merged = self._merged[key]
            return replace(merged, name=name) if key in self._coalesced else merged
        known = [relation for relation in self.relations.values() if self._known(relation, name)]
        possible = [relation for relation in self.relations.values() if self._may_have(relation, name)]
        if known:
            is_certain = len(known) == 1 and not (self._is_vague and set(map(id, possible)) - {id(known[0])})
            return self.of(known[0], name) if is_certain else Column(name)
        if possible:
            found = self.of(possible[0], name)
            is_alone = len(self.relations) == 1 and key not in self.relations  # the name of a table may be its rows
            others = self.aliases.get(key, found.sources)
            is_certain = is_alone and others == found.sources and not self._may_be_outside(name)
            return found if is_certain else Column(name)
        if key in self.aliases:
            return Column(name, self.aliases[key])
        return replace(self.outer.bare(name), name=name) if self.outer is not None else Column(name)

    def is_known(self, name: str) -> bool | None:
        """Whether there is a column or a relation of that name; None where that is not known."""
        key = self.names.key(name)
        if key in self._merged or key in self.aliases or key in self.relations:
            return True
        if any(self._known(relation, name) for relation in self.relations.values()):
            return True
        if any(self._may_have(relation, name) for relation in self.relations.values()):
            return None
        return self.outer.is_known(name) if self.outer is not None else False

    def everything(self) -> Columns:
        """The columns of `*`."""
        if self._is_vague:
            return UNKNOWN
        left_first = self.names.dialect in _LEFT_FIRST
        found: list[Column | Rest] = [] if left_first else list(self._merged.values())
        placed = set() if left_first else set(self._merged)
        for relation, columns in self.relations.items():
            hidden = self._hidden.get(relation, set())
            for column in columns:
                key = self.names.key(column.name) if isinstance(column, Column) and column.name else ""
                if isinstance(column, Rest):
                    found.append(replace(column, without=column.without | hidden))
                elif key not in hidden:
                    found.append(column)
                elif key not in placed:
                    placed.add(key)
                    found.append(self._merged[key])
        return (*(column for key, column in self._merged.items() if key not in placed), *found)

    def _common(self, columns: Columns) -> tuple[str, ...]:
        """The names that both sides of a natural join have."""
        sides = [*self.relations.values(), columns]
        if any(not isinstance(column, Column) or column.name is None for side in sides for column in side):
            self._is_vague = True
            return ()
        own = [column.name for column in columns if isinstance(column, Column) and column.name]
        return tuple(name for name in own if any(self._known(side, name) for side in sides[:-1]))

    def _known(self, relation: Columns, name: str) -> list[Column]:
        index = self._indexes.get(id(relation))
        if index is None:
            index = self._indexes[id(relation)] = {}
            self._indexed.append(relation)
            for column in relation:
                if isinstance(column, Column) and column.name is not None:
                    index.setdefault(self.names.key(column.name), []).append(column)
        return index.get(self.names.key(name), [])

    def _may_have(self, relation: Columns, name: str) -> bool:
        """Whether *relation* may have a column of that name beside those that are known."""
        return bool(self._rests(relation, name)) or self._may_be_nameless(relation, name)

    def _may_be_nameless(self, relation: Columns, name: str) -> bool:
        """Whether *name* may be what the database calls an expression, or the second of two columns: `id_1`."""
        first, is_numbered = _NUMBERED.subn("", name)
        if not any(isinstance(column, Column) and column.name is None for column in relation):
            return bool(is_numbered) and bool(self._known(relation, first))
        return bool(is_numbered) or self.names.dialect not in _NAMED_BY_TEXT or not name.isidentifier()

    def _is_of_rows(self, name: str) -> bool:
        return self.names.key(name) in _OF_ROWS.get(self.names.dialect, ())

    def _rests(self, relation: Columns, name: str) -> list[Rest]:
        key = self.names.key(name)
        return [column for column in relation if isinstance(column, Rest) and key not in column.without]

    def _may_be_outside(self, name: str) -> bool:
        outer = self.outer
        if outer is None:
            return False
        relations = outer.relations.values()
        has = any(self._known(relation, name) or self._may_have(relation, name) for relation in relations)
        return has or self.names.key(name) in outer.aliases or outer._may_be_outside(name)  # noqa: SLF001 - of its own kind


def _one_of(left: Column, right: Column, *, how: str) -> Column:
    """The column that USING makes of two."""
    if "RIGHT" in how:
        return replace(left, sources=right.sources)
    if "FULL" in how:
        return replace(left, sources=merge_sources(left.sources, right.sources))
    return left
