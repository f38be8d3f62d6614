"""Which assets an expression selects."""

from collections.abc import Iterable
from typing import TypeAlias, assert_never
from weakref import WeakKeyDictionary

from floe_core.selection.globs import is_glob, literal_text, parse_glob
from floe_core.selection.tree import And, Expression, Labelled, Named, Not, Or, Traversal
from floe_dagster.selection.asset_index import AssetIndex, KeyPath

Keys: TypeAlias = frozenset[KeyPath]


def evaluate(expression: Expression, index: AssetIndex, *, with_external: bool = False) -> Keys:
    """The assets that *expression* selects; a name that leads to no single asset selects nothing.

    Without *with_external* only what Dagster can materialise is selected, and an asset it can observe where that is
    named. What is external still leads from one asset to another.
    """
    match expression:
        case Named():
            return _named_keys(expression, index, with_external=with_external)
        case Labelled():
            return _kept(labelled_keys(expression, index), index, with_external=with_external)
        case Traversal(operand, up, down):
            start = evaluate(operand, index, with_external=True)
            reached = index.ancestors(start, depth=up) | index.descendants(start, depth=down)
            return _kept(reached, index, with_external=with_external)
        case Not(operand):
            everything = _kept(index.nodes, index, with_external=with_external)
            return everything - evaluate(operand, index, with_external=with_external)
        case And(operands):
            return frozenset.intersection(*(evaluate(each, index, with_external=with_external) for each in operands))
        case Or(operands):
            return frozenset().union(*(evaluate(each, index, with_external=with_external) for each in operands))
        case _:
            assert_never(expression)


def is_certain(expression: Expression, index: AssetIndex) -> bool:
    """Whether *expression* would select what it selects of *index*, and maybe more, beside any further assets.

    A name is certain that is a whole key: the last part of one may be that of another asset, too.
    """
    match expression:
        case Named(text):
            return is_glob(text) or tuple(literal_text(text).split("/")) in index.nodes
        case Labelled():
            return True
        case Traversal(operand):
            return is_certain(operand, index)
        case Not():
            return False
        case And(operands) | Or(operands):
            return all(is_certain(each, index) for each in operands)
        case _:
            assert_never(expression)


def find_assets(text: str, index: AssetIndex) -> tuple[KeyPath, ...]:
    """The asset whose whole key is *text*, else every asset whose key ends in that part."""
    name = literal_text(text)
    whole = tuple(name.split("/"))
    if whole in index.nodes:
        return (whole,)
    if "/" not in name:
        return index.by_name.get(name, ())
    return tuple(key for key, node in index.nodes.items() if name in (node.label, node.name))


def labelled_keys(labelled: Labelled, index: AssetIndex) -> tuple[KeyPath, ...]:
    """Every asset with that group, kind, owner or tag, external ones too."""
    match labelled.label:
        case "group":
            return index.by_group.get(labelled.text, ())
        case "kind":
            return index.by_kind.get(labelled.text, ())
        case "owner":
            return index.by_owner.get(labelled.text, ())
        case "tag":
            if labelled.tag_value is None:
                return index.by_tag.get(labelled.text, ())
            return index.by_tag_value.get((labelled.text, labelled.tag_value), ())
        case _:
            assert_never(labelled.label)


def _named_keys(named: Named, index: AssetIndex, *, with_external: bool) -> Keys:
    if is_glob(named.text):
        return _kept(_matching_keys(named.text, index), index, with_external=with_external)
    found = find_assets(named.text, index)
    if len(found) != 1:
        return frozenset()
    return frozenset(key for key in found if with_external or index.nodes[key].executable)


_matched: WeakKeyDictionary[AssetIndex, dict[str, tuple[KeyPath, ...]]] = WeakKeyDictionary()


def _matching_keys(text: str, index: AssetIndex) -> tuple[KeyPath, ...]:
    """The keys that a glob matches, kept as long as the index: checking and translating an item ask several times."""
    known = _matched.setdefault(index, {})
    if text not in known:
        glob = parse_glob(text)
        known[text] = tuple(key for key in index.nodes if glob.matches(key))
    return known[text]


def _kept(keys: Iterable[KeyPath], index: AssetIndex, *, with_external: bool) -> Keys:
    return frozenset(key for key in keys if with_external or index.nodes[key].materializable)
