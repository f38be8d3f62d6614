"""Which assets a sensor watches; those that are external may be watched, too."""

from collections.abc import Iterator, Sequence

from floe_core.errors import Problem, ProblemCollector, SelectionError
from floe_core.selection.tree import Named
from floe_core.suggestions import list_names
from floe_dagster.launching.sensor_runs import SensorTarget
from floe_dagster.selection.asset_index import AssetIndex, AssetNode
from floe_dagster.selection.keys import Keys, evaluate
from floe_dagster.selection.problems import check_item
from floe_dagster.selection.resolution import SelectionPlace, check_items_alone, item_texts

_NAMES_NOTHING = frozenset({"FLOE-331", "FLOE-332"})


def resolve_watched(items: Sequence[str], *, index: AssetIndex, place: SelectionPlace) -> Keys:
    """The assets that *items* mean; never none.

    Raises:
        SelectionError: An item names nothing or more than one asset, or nothing is left in the end. All problems at
            once.
    """
    index = _with_mentioned(index)
    collector = ProblemCollector()
    watched: list[Keys] = []
    taken_away: list[Keys] = []
    for text in item_texts(items, (), place):
        item = text.parse()
        found = check_item(item, text, index=index)
        collector.extend(problem for problem in found if problem.code in _NAMES_NOTHING)
        (taken_away if item.removes else watched).append(evaluate(item.expression, index, with_external=True))
    collector.raise_if_any(SelectionError)
    united = frozenset().union(*watched) if watched else evaluate(Named("*"), index, with_external=True)
    left = united.difference(*taken_away)
    if not left:
        raise SelectionError(
            Problem(
                "FLOE-334",
                f"{place.subject} watches no asset",
                place.source.locate(*place.items),
                why="what its items take away is all that they select" if united else "there is no asset",
                fix="name at least one asset",
            )
        )
    return left


def check_watched_alone(value: object, *, index: AssetIndex, place: SelectionPlace) -> Iterator[Problem]:
    """What is wrong with each item of *value*, as the document has it, where the sensor cannot be made."""
    found = check_items_alone(value, index=_with_mentioned(index), place=place)
    yield from (problem for problem in found if problem.code in _NAMES_NOTHING)


def _with_mentioned(index: AssetIndex) -> AssetIndex:
    """The assets, and those that are known only because others depend on them: Dagster draws them, too."""
    mentioned = {dep for node in index.nodes.values() for dep in node.deps} - index.nodes.keys()
    if not mentioned:
        return index
    external = (AssetNode(key, executable=False, materializable=False) for key in sorted(mentioned))
    return AssetIndex([*index.nodes.values(), *external])


def check_launched_assets(watched: Keys, target: SensorTarget, *, place: SelectionPlace) -> Iterator[Problem]:
    """A warning where *target* materialises what is watched."""
    both = sorted("/".join(key) for key in watched & (target.keys or frozenset()))
    if both:
        yield Problem(
            "FLOE-391",
            f"{place.subject} watches {list_names(both)}, which {target.what} materialises, too",
            place.source.locate(*place.items),
            why="what runs of the sensor materialise does not count, so it launches once for what others materialise",
            fix="leave it so if that is meant, or let the job have only what depends on the watched assets",
            severity="warning",
        )
