"""Which assets `floe graph --select` means."""

from collections.abc import Sequence

from floe_core.selection.parser import SelectionSyntaxError, parse_item
from floe_core.source_map import Child, Position, SourceMap
from floe_dagster.selection.asset_index import AssetIndex
from floe_dagster.selection.resolution import Keys, SelectionPlace, resolve_selection

_OPTION = "--select"


def select_assets(items: Sequence[str], index: AssetIndex) -> Keys:
    """The assets that *items* mean together, external ones included; all assets without items.

    Raises:
        SelectionSyntaxError: An item cannot be read.
        SelectionError: An item names nothing, or nothing is left in the end.
    """
    if not items:
        return frozenset(index.nodes)
    for item in items:
        try:
            parse_item(item)
        except SelectionSyntaxError as error:
            raise SelectionSyntaxError(f"'{item}' {error}", offset=error.offset, fix=error.fix) from error
    children: dict[str | int, Child] = {
        number: Child(number + 1, 1, Position(number + 1, 1)) for number in range(len(items))
    }
    source = SourceMap(_OPTION, tuple(items), Position(1, 1, children))
    return resolve_selection(items, index=index, place=SelectionPlace(_OPTION, source, ()), with_external=True)
