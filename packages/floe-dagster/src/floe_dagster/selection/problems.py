"""What is wrong with an item of a selection, said at the character that is wrong."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import assert_never

from floe_core.errors import Location, Problem, YamlPath
from floe_core.remedies import suggest_item, suggest_other_quotes
from floe_core.selection.globs import is_glob, literal_text
from floe_core.selection.parser import parse_item
from floe_core.selection.tree import And, Expression, Item, Labelled, Named, Not, Or, Traversal
from floe_core.source_map import SourceMap
from floe_core.suggestions import did_you_mean, list_names
from floe_dagster.selection.asset_index import AssetIndex, KeyPath
from floe_dagster.selection.keys import evaluate, find_assets, labelled_keys

_LIST = "run 'floe list assets' to see the assets with their groups, tags, kinds and owners"

_FEW = 8


@dataclass(frozen=True)
class SelectionPlace:
    """Whose selection it is, as messages say it (`job 'nightly'`), and where it stands in the document."""

    subject: str
    source: SourceMap
    items: YamlPath
    exclude: YamlPath = ()


@dataclass(frozen=True)
class ItemText:
    """One item as it was written, and where."""

    text: str
    path: YamlPath
    excluded: bool
    place: SelectionPlace

    def parse(self) -> Item:
        """Read the item; one that stands below `exclude` takes away."""
        item = parse_item(self.text)
        return Item(item.expression, removes=self.excluded or item.removes)

    @property
    def is_interpolated(self) -> bool:
        """Whether the document has another text, with `${…}` in it."""
        return "${" in self._written and self.text not in self._written

    @property
    def shown(self) -> str:
        """The item as the document has it, so that no value of the environment is shown."""
        return self._written if self.is_interpolated else self.text

    def locate(self, offset: int) -> Location:
        """Where the character at *offset* of the item stands, or the item if that cannot be told."""
        return self.place.source.locate_within(self.path, self.text, offset=offset)

    @property
    def _written(self) -> str:
        location = self.place.source.locate(*self.path)
        rest = (location.source_line or "")[(location.column or 1) - 1 :]
        if rest.startswith(("'", '"')):
            return rest[1:].partition(rest[0])[0]
        return rest.partition(" #")[0].strip()


def check_item(item: Item, text: ItemText, *, index: AssetIndex, with_external: bool = False) -> tuple[Problem, ...]:
    """What is wrong with the names of *item*, or with the item as a whole if each name is right.

    Without *with_external* an item that selects nothing but external assets is wrong too.
    """
    checker = _Checker(item, text, index)
    problems = [problem for leaf in _leaves(item.expression) for problem in checker.check_leaf(leaf)]
    if not item.removes:
        if not with_external:
            problems += [problem for leaf in _launched(item.expression) for problem in checker.check_launched(leaf)]
        if not problems and not evaluate(item.expression, index, with_external=with_external):
            problems.append(checker.selects_nothing())
    return tuple(problems)


@dataclass(frozen=True)
class _Checker:
    item: Item
    text: ItemText
    index: AssetIndex

    def check_leaf(self, leaf: Named | Labelled) -> Iterator[Problem]:
        match leaf:
            case Named(text) if is_glob(text):
                if not evaluate(leaf, self.index, with_external=True):
                    yield self.unmatched_glob(leaf)
            case Named(text):
                found = find_assets(text, self.index)
                if not found:
                    yield self.unknown_asset(leaf)
                if len(found) > 1:
                    yield self.ambiguous(leaf, found)
            case Labelled():
                if not labelled_keys(leaf, self.index):
                    yield self.unknown_label(leaf)
            case _:
                assert_never(leaf)

    def check_launched(self, leaf: Named) -> Iterator[Problem]:
        found = find_assets(leaf.text, self.index)
        if is_glob(leaf.text) or len(found) != 1 or self.index.nodes[found[0]].executable:
            return
        made_from_it = self.index.descendants(found) - set(found)
        leads_on = any(self.index.nodes[key].materializable for key in made_from_it)
        yield self.problem(
            "FLOE-333",
            f"{self.shown('asset', literal_text(leaf.text))}, which nothing materialises",
            leaf,
            why="it is an external asset: the definitions know of it, but no code of theirs writes it",
            fix=f"write '{leaf.text}+' for what is made from it" if leads_on else "delete it from the item",
        )

    def unknown_asset(self, leaf: Named) -> Problem:
        name = literal_text(leaf.text)
        fix = did_you_mean(name, _names(self.index))
        if name in self.index.by_group:
            fix = f"write 'group:{name}' for the assets of that group"
        fix = self.take_away(leaf) or fix
        return self.problem(
            "FLOE-331",
            f"{self.shown('asset', name)}, which does not exist",
            leaf,
            why="an asset is named by its whole key, or by the last part of it where no other key ends so",
            fix=fix or suggest_other_quotes(name) or _LIST,
        )

    def take_away(self, leaf: Named) -> str:
        """How floe says what a sign before an asset says elsewhere."""
        name = leaf.text.lstrip("-~")
        if not name or name == leaf.text:
            return ""
        location = self.text.locate(leaf.offset)
        is_only = not leaf.offset and not (location.yaml_path or "").endswith("]")
        if is_only and (as_item := suggest_item(leaf.text, location.source_line or "")):
            return as_item
        if self.text.excluded:
            return f"write '{name}': what stands below 'exclude' is taken away as it is"
        is_whole = isinstance(self.item.expression, Named | Labelled)
        return f"write '!{name}' to take it away" if is_whole else f"write 'not {name}'"

    def ambiguous(self, leaf: Named, found: tuple[KeyPath, ...]) -> Problem:
        return self.problem(
            "FLOE-332",
            f"{self.shown('asset', literal_text(leaf.text))}, which may be any of {len(found)}",
            leaf,
            why=f"the keys {list_names(self.index.nodes[key].label for key in found)} all end so",
            fix=f"write the whole key, or '**/{leaf.text}' for all of them",
        )

    def unmatched_glob(self, leaf: Named) -> Problem:
        wider = re.sub(r"\*+", "**", leaf.text)
        if evaluate(Named(wider), self.index, with_external=True):
            why, fix = "'*' stays between two slashes of a key, '**' crosses them", f"write '{wider}'"
        else:
            why = "a pattern is matched against the whole key and against the last part of it"
            fix = self.take_away(leaf) or did_you_mean(leaf.text, _names(self.index)) or _LIST
        return self.problem(
            "FLOE-331", f"{self.shown('pattern', leaf.text)}, which matches no asset", leaf, why=why, fix=fix
        )

    def unknown_label(self, leaf: Labelled) -> Problem:
        asked, known, plural = _known_labels(leaf, self.index)
        text = leaf.text if leaf.tag_value is None else f"{leaf.text}={leaf.tag_value}"
        why = f"the {plural} are {list_names(known)}" if known else f"no asset has any {leaf.label}"
        if is_glob(text):
            why = f"wildcards work in asset names, not in {leaf.label}s; {why}"
        fix = did_you_mean(asked, known)
        if leaf.tag_value is None and len(self.index.by_name.get(leaf.text, ())) == 1:
            fix = f"write '{leaf.text}' for the asset of that name"
        what = f"{self.shown(leaf.label, text)}, which no asset has"
        return self.problem(
            "FLOE-331", what, leaf, why=why, fix=fix or ("write one of these" if 0 < len(known) <= _FEW else _LIST)
        )

    def selects_nothing(self) -> Problem:
        if evaluate(self.item.expression, self.index, with_external=True):
            code, what = "FLOE-333", f"'{self.text.shown}', which nothing materialises"
            why = "all that it matches is external: the definitions know of it, but no code of theirs writes it"
        else:
            code, what = "FLOE-331", f"'{self.text.shown}', which matches no asset"
            why = "each part of it matches assets, but none is matched by all of it"
        return self.problem(code, what, None, why=why, fix="change the item or delete it")

    def shown(self, kind: str, name: str) -> str:
        return f"'{self.text.shown}'" if self.text.is_interpolated else f"{kind} '{name}'"

    def problem(self, code: str, what: str, leaf: Named | Labelled | None, *, why: str, fix: str) -> Problem:
        verb = "excludes" if self.item.removes else "selects"
        location = self.text.locate(leaf.offset if leaf else 0)
        return Problem(code, f"{self.text.place.subject} {verb} {what}", location, why=why, fix=fix)


def _leaves(expression: Expression) -> Iterator[Named | Labelled]:
    match expression:
        case Named() | Labelled():
            yield expression
        case Traversal(operand) | Not(operand):
            yield from _leaves(operand)
        case And(operands) | Or(operands):
            for operand in operands:
                yield from _leaves(operand)
        case _:
            assert_never(expression)


def _launched(expression: Expression) -> Iterator[Named]:
    """The assets that the expression names to be launched themselves, not to lead to others."""
    match expression:
        case Named():
            yield expression
        case And(operands) | Or(operands):
            for operand in operands:
                yield from _launched(operand)
        case Labelled() | Traversal() | Not():
            return
        case _:
            assert_never(expression)


def _known_labels(leaf: Labelled, index: AssetIndex) -> tuple[str, list[str], str]:
    """What was asked for, what there is of the kind, and what to call that in the plural."""
    match leaf.label:
        case "group":
            return leaf.text, sorted(index.by_group), "groups"
        case "kind":
            return leaf.text, sorted(index.by_kind), "kinds"
        case "owner":
            return leaf.text, sorted(index.by_owner), "owners"
        case "tag":
            if leaf.tag_value is None or leaf.text not in index.by_tag:
                return leaf.text, sorted(index.by_tag), "tags"
            values = sorted(value for tag, value in index.by_tag_value if tag == leaf.text)
            return leaf.tag_value, values, f"values of tag '{leaf.text}'"
        case _:
            assert_never(leaf.label)


def _names(index: AssetIndex) -> list[str]:
    return [*(node.label for node in index.nodes.values()), *index.by_name]
