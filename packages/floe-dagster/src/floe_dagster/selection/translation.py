"""Expressions in Dagster's own terms."""

from collections.abc import Iterable, Sequence
from functools import reduce
from operator import and_, or_
from typing import assert_never

import dagster as dg

from floe_core.selection.tree import And, Expression, Labelled, Named, Not, Or, Traversal
from floe_dagster.selection.asset_index import AssetIndex, KeyPath
from floe_dagster.selection.keys import evaluate

_MOST_TAG_VALUES = 20


def translate_union(
    expressions: Sequence[Expression], index: AssetIndex, *, with_external: bool = False
) -> dg.AssetSelection:
    """What any of *expressions* selects, groups and keys together in one selection each.

    Dagster's selections differ in whether they give external assets. Where that would show, keys stand in their place.
    """
    keys: dict[KeyPath, None] = {}
    groups: dict[str, None] = {}
    others: list[dg.AssetSelection] = []
    for expression in expressions:
        match expression:
            case Named("*" | "**"):
                others.append(_translate(expression, index, with_external=with_external))
            case Named():
                keys |= dict.fromkeys(sorted(evaluate(expression, index, with_external=with_external)))
            case Labelled("group", text) if not _gives_external(expression, index, with_external=with_external):
                groups[text] = None
            case _:
                others.append(_translate(expression, index, with_external=with_external))
    if groups:
        others.insert(0, dg.AssetSelection.groups(*groups))
    if keys or not others:
        others.append(_keys_selection(keys))
    return reduce(or_, others)


def _translate(expression: Expression, index: AssetIndex, *, with_external: bool) -> dg.AssetSelection:
    if _gives_external(expression, index, with_external=with_external):
        return _keys_selection(sorted(evaluate(expression, index, with_external=True)))
    match expression:
        case Named("*" | "**"):
            return dg.AssetSelection.all()
        case Labelled():
            return _translate_label(expression, index)
        case Traversal():
            return _translate_traversal(expression, index)
        case Not(operand):
            return dg.AssetSelection.all() - translate_union([operand], index)
        case And(operands):
            return _translate_intersection(operands, index)
        case Named() | Or():
            return translate_union(expression.operands if isinstance(expression, Or) else [expression], index)
        case _:
            assert_never(expression)


def _translate_label(labelled: Labelled, index: AssetIndex) -> dg.AssetSelection:
    match labelled.label:
        case "group":
            return dg.AssetSelection.groups(labelled.text)
        case "kind":
            return dg.AssetSelection.kind(labelled.text)
        case "owner":
            return _without_external(dg.AssetSelection.owner(labelled.text), labelled, index)
        case "tag":
            return _translate_tag(labelled, index)
        case _:
            assert_never(labelled.label)


def _translate_tag(labelled: Labelled, index: AssetIndex) -> dg.AssetSelection:
    if labelled.tag_value is not None:
        return dg.AssetSelection.tag(labelled.text, labelled.tag_value)
    keys = sorted(evaluate(labelled, index))
    values = dict.fromkeys(index.nodes[key].tags[labelled.text] for key in keys)
    if not 0 < len(values) <= _MOST_TAG_VALUES:
        return _keys_selection(keys)
    return reduce(or_, (dg.AssetSelection.tag(labelled.text, value) for value in values))


def _translate_traversal(traversal: Traversal, index: AssetIndex) -> dg.AssetSelection:
    start = translate_union([traversal.operand], index, with_external=True)
    ways: list[dg.AssetSelection] = []
    if traversal.up != 0:
        ways.append(start.upstream(traversal.up))
    if traversal.down != 0 or traversal.up == 0:
        ways.append(start.downstream(traversal.down))
    return _without_external(reduce(or_, ways), traversal, index)


def _translate_intersection(operands: Sequence[Expression], index: AssetIndex) -> dg.AssetSelection:
    """Operands with `not` become a difference, as Dagster writes it."""
    wanted = [translate_union([operand], index) for operand in operands if not isinstance(operand, Not)]
    unwanted = [operand.operand for operand in operands if isinstance(operand, Not)]
    selection = reduce(and_, wanted) if wanted else dg.AssetSelection.all()
    return selection - translate_union(unwanted, index) if unwanted else selection


def _keys_selection(keys: Iterable[KeyPath]) -> dg.AssetSelection:
    return dg.AssetSelection.assets(*(dg.AssetKey(key) for key in keys))


def _without_external(selection: dg.AssetSelection, expression: Expression, index: AssetIndex) -> dg.AssetSelection:
    return selection & dg.AssetSelection.all() if _gives_external(expression, index, with_external=True) else selection


def _gives_external(expression: Expression, index: AssetIndex, *, with_external: bool) -> bool:
    if not with_external:
        return False
    return any(not index.nodes[key].materializable for key in evaluate(expression, index, with_external=True))
