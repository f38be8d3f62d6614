"""Where dbt code reads a var: while the project is parsed, or only when a model runs.

What dbt makes of a model when it parses the project is its config, its dependencies and its name. A var that only ends
up in the text of the query changes none of them. Whether it does is told from the code as it is written, by rules that
take every doubtful case for a use while parsing. Imports dbt.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from dbt_common.clients.jinja import parse
from dbt_common.exceptions import DbtBaseException
from jinja2 import nodes

Names: TypeAlias = frozenset[str]

ANY_VAR = "*"
"""Stands for a var whose name the code computes."""

_NOTHING: Names = frozenset()
_MACRO_PREFIX = "dbt_macro__"
_VAR = re.compile(r"\bvar\b")
_LITERAL = re.compile(r"""\bvar(?:\.has_var)?\s*\(\s*(?:'(\w+)'|"(\w+)")""")
_COMPUTED = re.compile(r"""\bvar(?:\.has_var)?\s*\(\s*(?!['"])""")
_SNAPSHOT_TAG = re.compile(r"\{%-?\s*(?:end)?snapshot\b.*?%\}", re.DOTALL)
_TEST_NAME = re.compile(r"\{%-?\s*(?:test\s+|macro\s+test_)(\w+)")
_VALUES = frozenset({"tojson", "fromjson", "toyaml", "fromyaml", "local_md5", "set", "zip", "range", "return"})
_HARMLESS_CALLS = _VALUES | {"var", "is_incremental", "this", "log", "print", "dbt", "modules", "loop"}
_IMPLICIT = re.compile(r"(?:.+__)?(?:generate_(?:schema|alias|database)_name|ref|source)")


@dataclass(frozen=True)
class Uses:
    """The vars that a piece of code reads."""

    all: Names = _NOTHING
    while_parsing: Names = _NOTHING
    """Those whose value may change what dbt makes of it when it parses the project."""

    def __or__(self, other: "Uses") -> "Uses":
        return Uses(self.all | other.all, self.while_parsing | other.while_parsing)


@dataclass(frozen=True)
class MacroUses:
    """What macros read, with all that they call."""

    by_name: Mapping[str, Uses] = field(default_factory=dict)

    @property
    def everywhere(self) -> Names:
        """The vars read by macros that dbt calls for every model: those that make names of schemas and tables."""
        found = (uses.all for name, uses in self.by_name.items() if _IMPLICIT.fullmatch(name))
        return frozenset().union(*found)

    def of_tests(self, code: str) -> Uses:
        """What the generic tests that *code* defines read: YAML files call them."""
        found = Uses()
        for name in _TEST_NAME.findall(code):
            found |= self.by_name.get(f"test_{name}", Uses())
        return found

    @classmethod
    def of(cls, codes: Iterable[str]) -> "MacroUses":
        """Read the macros in *codes*, each the text of a file or of one macro."""
        bodies: dict[str, list[nodes.Macro]] = {}
        for code in codes:
            template = _parse(code)
            for macro in template.find_all(nodes.Macro) if template is not None else ():
                bodies.setdefault(macro.name.removeprefix(_MACRO_PREFIX), []).append(macro)
        known: dict[str, Uses] = {}
        while True:
            found = {name: _of_macros(macros, cls(known)) for name, macros in bodies.items()}
            found = {name: uses for name, uses in found.items() if uses.all}
            if found == known:
                return cls(known)
            known = found


def uses_of_code(code: str, macros: MacroUses) -> Uses:
    """What a model, test or snapshot reads, with the macros that it calls."""
    if not _VAR.search(code) and not any(name in code for name in macros.by_name):
        return Uses()
    written = names_in(code)
    template = _parse(_SNAPSHOT_TAG.sub("", code))
    if template is None:
        return Uses(written, written)
    reader = _Reader(macros)
    return reader.read(template.body) | Uses(written)


def names_in(code: str) -> Names:
    """The vars that are named anywhere in *code*, in texts too, which dbt may render later."""
    named = {one or other for one, other in _LITERAL.findall(code)}
    return frozenset(named | ({ANY_VAR} if _COMPUTED.search(code) else set()))


def _of_macros(macros: Iterable[nodes.Macro], known: MacroUses) -> Uses:
    found = Uses()
    for macro in macros:
        found |= _Reader(known).read(macro.body)
    return found


def _parse(code: str) -> nodes.Template | None:
    try:
        template: nodes.Template = parse(code)
    except DbtBaseException:
        return None
    return template


class _Reader:
    """Reads one body from its beginning to its end."""

    def __init__(self, macros: MacroUses) -> None:
        self._macros = macros
        self._set: dict[str, Names] = {}
        """Name that the code has set → the vars that are in its value."""

    def read(self, body: Iterable[nodes.Node]) -> Uses:
        found = Uses()
        for node in body:
            found |= self._statement(node)
        return found

    def _statement(self, node: nodes.Node) -> Uses:
        match node:
            case nodes.Output():
                return self._all_of(node.nodes)
            case nodes.If():
                return self._branches(self._expression(node.test), [node.body, *([e] for e in node.elif_), node.else_])
            case nodes.For():
                uses = self._expression(node.iter)
                self._remember(node.target, uses.all)
                return self._branches(uses, [node.body, node.else_])
            case nodes.Assign():
                uses = self._expression(node.node)
                self._remember(node.target, uses.all)
                return uses
            case nodes.AssignBlock():
                uses = self.read(node.body)
                self._remember(node.target, uses.all)
                return uses
            case nodes.ExprStmt():
                return self._expression(node.node)
            case nodes.Macro() | nodes.CallBlock() | nodes.FilterBlock() | nodes.Scope() | nodes.With():
                uses = self._all_of(node.iter_child_nodes())
                return Uses(uses.all, uses.all)
            case _:
                return self._all_of(node.iter_child_nodes())

    def _branches(self, test: Uses, bodies: Iterable[Sequence[nodes.Node]]) -> Uses:
        """What a var decides about is a use while parsing where it is more than text."""
        found = test
        for body in bodies:
            found |= self.read(body)
            if any(self._does_something(node) for node in body):
                found |= Uses(test.all, test.all)
        return found

    def _does_something(self, node: nodes.Node) -> bool:
        calls = [node] if isinstance(node, nodes.Call) else []
        return any(not self._is_harmless(call) for call in [*calls, *node.find_all(nodes.Call)])

    def _expression(self, node: nodes.Node) -> Uses:
        if isinstance(node, nodes.Name):
            return Uses(self._set.get(node.name, _NOTHING))
        if not isinstance(node, nodes.Call):
            return self._all_of(node.iter_child_nodes())
        named = _var_of(node)
        if named is not None:
            return Uses(named) | self._all_of(node.args[1:])
        uses = self._all_of(node.iter_child_nodes())
        called = self._uses_of_macro(node)
        passed_on = _NOTHING if self._is_harmless(node) else uses.all
        return uses | called | Uses(while_parsing=passed_on)

    def _all_of(self, found: Iterable[nodes.Node]) -> Uses:
        uses = Uses()
        for node in found:
            uses |= self._expression(node) if isinstance(node, nodes.Expr) else self._statement(node)
        return uses

    def _uses_of_macro(self, call: nodes.Call) -> Uses:
        match call.node:
            case nodes.Name(name=name) | nodes.Getattr(attr=name):
                return self._macros.by_name.get(name, Uses())
            case nodes.Call(node=nodes.Getattr(attr="dispatch"), args=[nodes.Const(value=str(name)), *_]):
                found = Uses()
                for other, uses in self._macros.by_name.items():
                    if other.endswith(f"__{name}"):
                        found |= uses
                return found
            case _:
                return Uses()

    def _is_harmless(self, call: nodes.Call) -> bool:
        """Whether a call only makes a value of its arguments: a function of Jinja or dbt, a method of a value."""
        target = call.node
        while isinstance(target, nodes.Getattr | nodes.Getitem):
            target = target.node
        if isinstance(target, nodes.Name):
            return target.name in _HARMLESS_CALLS or target.name in self._set
        return isinstance(target, nodes.Const) or (isinstance(target, nodes.Call) and self._is_harmless(target))

    def _remember(self, target: nodes.Node, names: Names) -> None:
        for name in [target, *target.find_all(nodes.Name)]:
            if isinstance(name, nodes.Name):
                self._set[name.name] = names | self._set.get(name.name, _NOTHING)


def _var_of(call: nodes.Call) -> Names | None:
    """The var that *call* reads; None if it is another call."""
    match call.node:
        case nodes.Name(name="var") | nodes.Getattr(node=nodes.Name(name="var")):
            match call.args:
                case [nodes.Const(value=str(name)), *_]:
                    return frozenset({name})
                case _:
                    return frozenset({ANY_VAR})
        case _:
            return None
