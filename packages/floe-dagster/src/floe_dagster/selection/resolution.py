"""Lists of selection items, resolved against the assets there are and translated to Dagster's selections."""

from collections.abc import Iterator, Sequence

import dagster as dg

from floe_core.errors import Problem, ProblemCollector, SelectionError
from floe_core.interpolation import is_unset
from floe_core.selection.parser import parse_item
from floe_core.selection.tree import Named
from floe_core.suggestions import list_names
from floe_dagster.selection.asset_index import AssetIndex
from floe_dagster.selection.keys import Keys, evaluate, is_certain
from floe_dagster.selection.problems import ItemText, SelectionPlace, check_item
from floe_dagster.selection.translation import translate_union

__all__ = ["Keys", "SelectionPlace", "check_items_alone", "item_texts", "resolve_selection", "translate_selection"]

_EVERYTHING = Named("*")


def resolve_selection(
    items: Sequence[str],
    *,
    exclude: Sequence[str] = (),
    index: AssetIndex,
    place: SelectionPlace,
    with_external: bool = False,
) -> Keys:
    """The assets that a selection means; never none.

    Items are united, then those that begin with `!` and those of *exclude* are taken away; a list of nothing but `!`
    items takes away from everything. What takes away must match something, but nothing of what is selected, and it may
    take away all that one of the other items selects.

    Args:
        items: Items that can be read, as the models of floe.yaml hold them.
        exclude: The same, none of them with a `!`.
        index: All assets.
        place: Whose selection it is.
        with_external: Whether assets that nothing here materialises are selected too: for a picture, not for a run.

    Raises:
        SelectionError: An item names nothing or more than one asset, or selects nothing that can be launched; or
            nothing is left in the end. All problems at once.
    """
    collector = ProblemCollector()
    selected: list[Keys] = []
    taken_away: list[Keys] = []
    has_assets = any(with_external or node.executable for node in index.nodes.values())
    for text in item_texts(items, exclude, place):
        item = text.parse()
        if has_assets:
            collector.extend(check_item(item, text, index=index, with_external=with_external))
        (taken_away if item.removes else selected).append(evaluate(item.expression, index, with_external=with_external))
    collector.raise_if_any(SelectionError)
    united = frozenset().union(*selected) if selected else evaluate(_EVERYTHING, index, with_external=with_external)
    left = united.difference(*taken_away)
    if not left:
        raise SelectionError(_nothing_left(united, index, place, has_exclude=bool(exclude)))
    return left


def check_items_alone(value: object, *, index: AssetIndex, place: SelectionPlace) -> Iterator[Problem]:
    """What is wrong with each item of a selection of which not all is known, or whose owner cannot be made.

    Args:
        value: As a document has it: an item or a list of them, where an `Unset` stands in for what is not known.
        index: All assets.
        place: Whose selection it is; where it has the same path for both, what it selects is taken away.
    """
    if not any(node.executable for node in index.nodes.values()):
        return
    for number, text in enumerate(value if isinstance(value, list) else [value]):
        if isinstance(text, str) and not is_unset(text):
            path = (*place.items, number) if isinstance(value, list) else place.items
            item = ItemText(text, path, place.items == place.exclude, place)
            yield from check_item(item.parse(), item, index=index)


def translate_selection(items: Sequence[str], *, exclude: Sequence[str] = (), index: AssetIndex) -> dg.AssetSelection:
    """The same selection in Dagster's own terms, for items that `resolve_selection` accepted.

    Groups, tags, kinds, owners, traversals and operators stay what they are; globs become the keys that they match.
    """
    parsed = [parse_item(text) for text in items]
    selected = [item.expression for item in parsed if not item.removes] or [_EVERYTHING]
    taken_away = [item.expression for item in parsed if item.removes]
    taken_away += [parse_item(text).expression for text in exclude]
    united = translate_union(selected, index)
    return united - translate_union(taken_away, index) if taken_away else united


def selects_for_certain(items: Sequence[str], index: AssetIndex) -> bool:
    """Whether *items* would select what they select of *index*, and maybe more, beside any further assets."""
    parsed = [parse_item(text) for text in items]
    return all(not item.removes and is_certain(item.expression, index) for item in parsed)


def item_texts(items: Sequence[str], exclude: Sequence[str], place: SelectionPlace) -> Iterator[ItemText]:
    """Each item as it was written, and where."""
    for texts, path in ((items, place.items), (exclude, place.exclude)):
        for number, text in enumerate(texts):
            item_path = (*path, number)  # a list of one may stand there as a plain text
            yield ItemText(text, item_path if item_path in place.source else path, texts is exclude, place)


def _nothing_left(united: Keys, index: AssetIndex, place: SelectionPlace, *, has_exclude: bool) -> Problem:
    if not united:
        return Problem(
            "FLOE-334",
            f"{place.subject} selects nothing, since there is no asset that can be materialised",
            place.source.locate(*place.items),
            fix="name modules with assets under orchestration.asset_modules, or a dbt project under orchestration.dbt",
        )
    return Problem(
        "FLOE-334",
        f"{place.subject} excludes everything that it selects",
        place.source.locate(*(place.exclude if has_exclude else place.items)),
        why=f"its items select {list_names(index.nodes[key].label for key in sorted(united))}",
        fix="exclude less, or select more",
    )
