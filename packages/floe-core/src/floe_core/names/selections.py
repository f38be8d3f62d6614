"""Items that select assets, and patterns over their keys."""

from typing import Annotated, TypeAlias

from floe_core.names.rules import Rule, RuleError, UnreadableTextError
from floe_core.selection.globs import GlobError, parse_glob
from floe_core.selection.parser import SelectionSyntaxError, parse_item
from floe_core.selection.tree import Item


def check_asset_glob(text: str) -> str:
    """*text*, if it is a glob over asset keys: `*`, `?`, `[abc]`, `{a,b}` and `**`."""
    if not text.strip():
        raise RuleError("a pattern is not empty", fix="write '*' for everything")
    try:
        parse_glob(text)
    except GlobError as error:
        raise RuleError(f"it is a pattern over asset keys: {error}", offset=error.offset) from error
    return text


def check_selection_item(text: str) -> str:
    """*text*, if it can be read as an item of a selection; whether there are such assets is another matter."""
    _parse_selection_item(text)
    return text


def check_excluded_item(text: str) -> str:
    """*text*, if it can be read as an item that takes away what it selects."""
    if _parse_selection_item(text).removes:
        raise _unreadable_item(
            "begins with '!'",
            why="what stands below 'exclude' is taken away as it is",
            fix="write it without the '!'",
            offset=len(text) - len(text.lstrip()),
        )
    return text


def _parse_selection_item(text: str) -> Item:
    try:
        return parse_item(text)
    except SelectionSyntaxError as error:
        raise _unreadable_item(str(error), why=error.why, fix=error.fix, offset=error.offset) from error


def _unreadable_item(message: str, *, why: str, fix: str, offset: int) -> UnreadableTextError:
    return UnreadableTextError(message, code="FLOE-330", kind="selection item", offset=offset, why=why, fix=fix)


AssetGlob: TypeAlias = Annotated[str, Rule(check_asset_glob)]
SelectionItem: TypeAlias = Annotated[str, Rule(check_selection_item)]
ExcludedItem: TypeAlias = Annotated[str, Rule(check_excluded_item)]
