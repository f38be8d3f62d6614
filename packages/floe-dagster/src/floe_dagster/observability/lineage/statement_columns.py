"""The columns of a statement: what each select makes of the columns of what it reads."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import zip_longest

from sqlglot import exp
from sqlglot.errors import SqlglotError

from floe_dagster.observability.lineage.columns import (
    UNKNOWN,
    Column,
    Columns,
    FindTable,
    Rest,
    Sources,
    merge_sources,
)
from floe_dagster.observability.lineage.identifiers import Identifiers
from floe_dagster.observability.lineage.parsing import UnreadableError, parse_select
from floe_dagster.observability.lineage.scope import Scope
from floe_dagster.observability.lineage.unions import by_name, by_position, with_unknown_sources

Known = Mapping[str, Columns]
"""Common table expressions, by their names."""

_MOST_ROUNDS = 8
_WITH_METHODS = frozenset({"duckdb"})
"""Databases in which `name.upper()` is a function of a column."""
_MOST_SOURCES = 100_000  # in all columns of all selects: some tenths of a second
_OF_A_SELECT = 20  # sources: what takes as long

UNREADABLE = (SqlglotError, RecursionError, ValueError, TypeError, AttributeError, LookupError)
"""What reading a statement may raise: there is SQL that the parser takes for something else than it is."""


def read_columns(query: str, *, find_table: FindTable, dialect: str) -> Columns:
    """The columns of what *query* selects.

    Args:
        query: The statement.
        find_table: Finds the tables that it reads.
        dialect: sqlglot's word for the database, or another.
    """
    return _Reader(find_table, Identifiers(dialect)).query(parse_select(query, dialect=dialect), {}, None)


@dataclass
class _Effort:
    """What reading a statement may take: nested recursion would double it with each level."""

    left: int = _MOST_SOURCES

    def spend(self, sources: int) -> None:
        self.left -= sources
        if self.left < 0:
            raise UnreadableError


@dataclass(frozen=True)
class _Reader:
    find_table: FindTable
    names: Identifiers
    effort: _Effort = field(default_factory=_Effort)

    def query(self, query: exp.Expr, known: Known, outer: Scope | None) -> Columns:
        """The columns of a select, of several that are put together, or of one in brackets."""
        if query.args.get("pivots"):
            return UNKNOWN
        known = self._with(query, known, outer)
        match query:
            case exp.Select():
                return self._select(query, known, outer)
            case exp.SetOperation():
                return self._set_operation(query, known, outer)
            case exp.Subquery() if isinstance(query.this, exp.Query):
                return self.query(query.this, known, outer)
            case exp.Subquery() if isinstance(query.this, exp.Values):
                return _of_values(query.this)
            case exp.Values():
                return _of_values(query)
            case _:
                return UNKNOWN

    def _with(self, query: exp.Expr, known: Known, outer: Scope | None) -> Known:
        clause = query.args.get("with_")
        if clause is None:
            return known
        found = dict(known)
        for table in clause.expressions:
            alias = table.args["alias"]
            key = self._key(alias.this)
            if clause.args.get("recursive") and self._reads(table.this, key):
                found[key] = self._recursive(table, found, outer)
            else:
                found[key] = self._renamed(self.query(table.this, found, outer), alias)
        return found

    def _recursive(self, table: exp.Expr, known: Known, outer: Scope | None) -> Columns:
        """What it begins with has the columns; its own rows add to where they come from."""
        alias = table.args["alias"]
        columns = self._renamed(self._beginning(table.this, known, outer), alias)
        for _ in range(_MOST_ROUNDS):
            before = columns
            columns = self._renamed(self.query(table.this, {**known, self._key(alias.this): before}, outer), alias)
            if columns == before:
                return columns
        return with_unknown_sources(columns)

    def _beginning(self, query: exp.Expr, known: Known, outer: Scope | None) -> Columns:
        while isinstance(query, exp.SetOperation) or (isinstance(query, exp.Subquery) and not query.args.get("pivots")):
            known = self._with(query, known, outer)
            query = query.this
        return self.query(query, known, outer)

    def _reads(self, query: exp.Expr, key: str) -> bool:
        return any(not table.db and self._key(table.this) == key for table in query.find_all(exp.Table))

    def _set_operation(self, query: exp.SetOperation, known: Known, outer: Scope | None) -> Columns:
        chain = [query]  # of a thousand, in a row: they are no reason to recurse
        while isinstance(first := chain[-1].this, exp.SetOperation) and not first.args.get("with_"):
            chain.append(first)
        columns = self.query(first, known, outer)
        for operation in reversed(chain):
            if isinstance(operation, exp.Except):
                continue
            if operation.args.get("side") or operation.args.get("kind"):
                return UNKNOWN
            other = self.query(operation.expression, known, outer)
            is_by_name = bool(operation.args.get("by_name"))
            columns = by_name(columns, other, key=self.names.key) if is_by_name else by_position(columns, other)
        return columns

    def _select(self, select: exp.Select, known: Known, outer: Scope | None) -> Columns:
        if select.args.get("kind") or select.args.get("exclude"):
            return UNKNOWN
        windows = {self._key(window.this): window for window in select.args.get("windows") or ()}
        scope = Scope(self.names, known, outer, windows=windows)
        from_ = select.args.get("from_")
        if from_ is not None:
            self._add(from_.this, scope)
        for join in select.args.get("joins") or ():
            self._join(join, scope)
        for lateral in select.args.get("laterals") or ():
            self._add(lateral, scope)
        made = [(column, _is_star(item)) for item in select.expressions for column in self._projection(item, scope)]
        columns = self._told_apart(made)
        self.effort.spend(
            _OF_A_SELECT + sum(1 + len(column.sources or ()) for column in columns if isinstance(column, Column))
        )
        return columns

    def _told_apart(self, made: Sequence[tuple[Column | Rest, bool]]) -> Columns:
        """Columns of a select, of which those that may have the name of one before them have lost it.

        Args:
            made: Each with whether it comes of a star. What a select names itself, beside the star of a table whose
                columns are not known, is taken for a column that the table does not have.
        """
        found: list[Column | Rest] = []
        rests: list[Rest] = []
        taken: set[str] = set()
        for column, is_of_star in made:
            if isinstance(column, Rest):
                rests.append(column)
            elif column.name is not None:
                key = self.names.key(column.name)
                is_second = key in taken or (is_of_star and any(key not in rest.without for rest in rests))
                taken.add(key)
                column = replace(column, name=None) if is_second else column  # noqa: PLW2901 - the same, but for its name
            found.append(column)
        return tuple(
            replace(column, without=column.without | taken) if isinstance(column, Rest) else column for column in found
        )

    def _projection(self, item: exp.Expr, scope: Scope) -> Iterator[Column | Rest]:
        if isinstance(item, exp.Star):
            yield from self._star(item, scope.everything(), scope)
        elif _is_star(item):
            relation = scope.relations.get(self._key(item.args.get("table")), UNKNOWN)
            yield from self._star(item.this, UNKNOWN if item.args.get("db") else relation, scope)
        elif isinstance(item, exp.Aliases) or _may_be_several(item.unalias()):
            yield Rest()
        elif isinstance(item, exp.Column):
            yield self._column(item.parts, scope)
        else:
            sources = self._sources(item.unalias(), scope)
            name = self._name(item.args.get("alias")) if isinstance(item, exp.Alias) else None
            if name:
                key = self.names.key(name)
                scope.aliases[key] = sources if scope.aliases.get(key, sources) == sources else None
            yield Column(name, sources)

    def _star(self, star: exp.Star, columns: Columns, scope: Scope) -> Iterator[Column | Rest]:
        if star.args.get("ilike"):
            yield Rest()
            return
        changes: dict[str, exp.Expr | None] = {
            self._key(_last(column)): None for column in star.args.get("except_") or ()
        }
        changes.update({self._key(item.args.get("alias")): item for item in star.args.get("replace") or ()})
        changes.update({self._key(_last(item.this)): item for item in star.args.get("rename") or ()})
        names = frozenset(changes)
        made = frozenset(self._key(item.args.get("alias")) for item in changes.values() if item is not None)
        for column in columns:
            if isinstance(column, Rest):
                yield replace(column, without=column.without | names | made)
            elif column.name is None or self.names.key(column.name) not in names:
                yield column
            else:
                yield from self._changed(changes.pop(self.names.key(column.name), None), scope)
        for item in changes.values():  # of those that are not known
            yield from self._changed(item, scope)

    def _changed(self, item: exp.Expr | None, scope: Scope) -> Iterator[Column]:
        """What stands in the place of a column of `*`: nothing, or what replaces it or is its new name."""
        if item is not None:
            yield Column(self._name(item.args.get("alias")), self._sources(item.this, scope))

    def _sources(self, expression: exp.Expr, scope: Scope) -> Sources:
        return merge_sources(
            *(self._sources_of(node, scope) for node in expression.walk(bfs=False, prune=_is_read_apart))
        )

    def _sources_of(self, node: exp.Expr, scope: Scope) -> Sources:
        """What *node* alone adds to the sources of the expression that it stands in."""
        match node:
            case exp.Column() if not isinstance(node.this, exp.Star):
                return self._column(node.parts, scope).sources
            case exp.Star() | exp.Column():  # of a function: `count(*)` counts rows, others may take all columns
                return () if isinstance(node.parent, exp.Count) else None
            case exp.Query():
                inner = self.query(node, scope.known, scope)
                return merge_sources(*(column.sources if isinstance(column, Column) else None for column in inner))
            case exp.Comprehension():
                return self._comprehended(node, scope)
            case exp.Lambda():
                return self._sources(node.this, self._bound(node.expressions, scope))
            case exp.Dot() if not isinstance(node.parent, exp.Dot):
                return self._method(node, scope)
            case exp.Window() if node.args.get("alias") is not None:
                window = scope.windows.get(self._key(node.args["alias"]))
                return self._sources(window, scope) if window is not None else None
            case _:
                return ()

    def _comprehended(self, node: exp.Comprehension, scope: Scope) -> Sources:
        """Of `[x + a for x, position in list if x > b]`: what the list, `a` and `b` come from."""
        bound = self._bound([part for part in (node.expression, node.args.get("position")) if part], scope)
        parts = [part for part in (node.this, node.args.get("condition")) if part]
        given = self._sources(node.args["iterator"], scope)
        return merge_sources(given, *(self._sources(part, bound) for part in parts))

    def _bound(self, variables: Sequence[exp.Expr], scope: Scope) -> Scope:
        """The scope of what is done with each item of a list."""
        names = [name for variable in variables for name in variable.find_all(exp.Identifier)]
        return Scope(self.names, scope.known, scope, aliases={self._key(name): () for name in names})

    def _method(self, node: exp.Dot, scope: Scope) -> Sources:
        """What stands before the first call of `a.b.upper().trim()`, unless it is the schema of a function."""
        first = node
        while isinstance(first.this, exp.Dot):
            first = first.this
        if not isinstance(first.this, exp.Identifier) or self.names.dialect not in _WITH_METHODS:
            return ()
        parts = [first.this]
        step: exp.Expr | None = first
        while isinstance(step, exp.Dot) and isinstance(step.expression, exp.Identifier) and step is not node:
            parts.append(step.expression)
            step = step.parent
        is_column = scope.is_known(self._name(parts[0]))
        return self._column(parts, scope).sources if is_column else () if is_column is False else None

    def _column(self, parts: Sequence[exp.Expr], scope: Scope) -> Column:
        """The column of that name; one of a structured column is called by its own name."""
        *qualifiers, last = parts
        if not qualifiers:
            return scope.bare(self._name(last))
        relation = scope.find(self._key(qualifiers[-1]))
        if relation is not None:
            return scope.of(relation, self._name(last))
        relation = scope.find(self._key(qualifiers[0])) if len(qualifiers) > 1 else None
        first = scope.of(relation, self._name(qualifiers[1])) if relation is not None else None
        structured = first or scope.bare(self._name(qualifiers[0]))
        return Column(self._name(last), structured.sources)

    def _add(self, node: exp.Expr, scope: Scope, *, join: exp.Join | None = None) -> None:
        """Read from *node* in the scope, together with what is joined to it within its brackets."""
        alias = node.args.get("alias")
        if isinstance(node, exp.Subquery) and isinstance(node.this, exp.Table) and alias is None:
            self._add(node.this, scope, join=join)
        else:
            using = self._using(join) if join is not None else ()
            how = f"{join.side} {join.kind} {join.method}".upper() if join is not None else ""
            key = self._key(alias.this if alias is not None else node.this if isinstance(node, exp.Table) else None)
            scope.join(key, self._renamed(self._relation(node, scope), alias), using=using, how=how)
        for inner in node.args.get("joins") or ():
            self._join(inner, scope)

    def _join(self, join: exp.Join, scope: Scope) -> None:
        self._add(join.this, scope, join=join)

    def _using(self, join: exp.Join) -> tuple[str, ...]:
        return tuple(self._name(_last(column)) for column in join.args.get("using") or ())

    def _relation(self, node: exp.Expr, scope: Scope) -> Columns:
        if node.args.get("pivots"):
            return UNKNOWN
        match node:
            case exp.Table() if isinstance(node.this, exp.Identifier):
                names = tuple(self._name(part) for part in node.parts)
                table = scope.known.get(self.names.key(names[0])) if len(names) == 1 else None
                return table if table is not None else self.find_table(names) or UNKNOWN
            case exp.Subquery():
                return self.query(node, scope.known, scope.outer)
            case exp.Lateral() if isinstance(node.this, exp.Subquery):
                return self.query(node.this, scope.known, scope)
            case exp.Values():
                return _of_values(node)
            case exp.Table() if isinstance(node.this, exp.GenerateSeries):
                return self._given(node.this, node, scope)
            case exp.Lateral() | exp.Unnest():
                return self._given(node, node, scope)
            case _:
                return UNKNOWN

    def _given(self, function: exp.Expr, node: exp.Expr, scope: Scope) -> Columns:
        """Each column of a function's rows comes of what it is given."""
        given = self._sources(function, scope)
        columns = (node.args.get("alias") or exp.TableAlias()).args.get("columns") or ()
        return tuple(Column(None, given) for _ in columns) or UNKNOWN

    def _renamed(self, columns: Columns, alias: exp.Expr | None) -> Columns:
        given = alias.args.get("columns") if alias is not None else None
        if not given:
            return columns
        renamed: list[Column] = []
        for name, column in zip_longest(map(self._name, given), columns[: len(given)]):
            if not isinstance(column, Column):
                return (*(Column(self._name(rest)) for rest in given), Rest())
            renamed.append(replace(column, name=name))
        return (*renamed, *columns[len(renamed) :])

    def _key(self, identifier: exp.Expr | None) -> str:
        return self.names.key(self._name(identifier))

    def _name(self, identifier: exp.Expr | None) -> str:
        if identifier is None:
            return ""
        return self.names.name(identifier.name, is_quoted=bool(identifier.args.get("quoted")))


def _of_values(values: exp.Expr) -> Columns:
    first = values.expressions[0] if values.expressions else None
    sources: Sources = None if values.find(exp.Column, exp.Query) is not None else ()
    return tuple(Column(None, sources) for _ in first.expressions) if isinstance(first, exp.Tuple) else UNKNOWN


def _is_star(item: exp.Expr) -> bool:
    return isinstance(item.this if isinstance(item, exp.Column) else item, exp.Star)


def _may_be_several(item: exp.Expr) -> bool:
    """Whether a projection may make several columns, such as `COLUMNS('x.*')`, or those of a struct."""
    if isinstance(item, exp.UDTF | exp.Explode | exp.Inline):
        return True
    return any(
        isinstance(node, exp.Columns) or (isinstance(node, exp.Star) and not isinstance(node.parent, exp.Func))
        for node in item.walk(prune=lambda node: isinstance(node, exp.Query))
    )


def _is_read_apart(node: exp.Expr) -> bool:
    return isinstance(node, exp.Column | exp.Query | exp.Exists | exp.Comprehension | exp.Lambda)


def _last(column: exp.Expr) -> exp.Expr:
    return column.this if isinstance(column, exp.Column) else column
