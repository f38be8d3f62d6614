"""Which tables a call means: names and globs over the names of the catalog's tables."""

from collections.abc import Callable, Collection, Sequence

from floe_core.errors import CatalogError, Problem
from floe_core.selection.globs import GlobError, is_glob, parse_glob
from floe_core.suggestions import did_you_mean, list_names

_ALL = frozenset({"*", "**"})


def select_tables(
    patterns: str | Sequence[str],
    known: Collection[str],
    relations: Callable[[], Collection[str]],
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The tables that *patterns* mean, and dbt's relations among what they mean; both sorted.

    Args:
        patterns: `bronze.orders`, `bronze.*`, `{bronze,raw}.*`; `*` and `?` stay within one part of a name, `**` does
            not. A pattern is matched against the whole name and against its last part, so `*` is every table.
        known: The names of the catalog's tables.
        relations: Tells the names of dbt's relations. Asked only for patterns that mean no table, since it may wait.

    Raises:
        CatalogError: Patterns cannot be read or match nothing; all of them at once. That there is no table at all yet
            is fine where every table is meant.
    """
    problems: list[Problem] = []
    tables: set[str] = set()
    of_dbt: set[str] = set()
    for pattern in [patterns] if isinstance(patterns, str) else patterns:
        try:
            found = _matching(pattern, known)
            below = () if found or pattern in _ALL else _matching(pattern, relations())
        except GlobError as error:
            problems.append(
                Problem("FLOE-440", f"the pattern '{pattern}' cannot be read", why=str(error), fix="see 'bronze.*'")
            )
            continue
        if not found and not below and not (pattern in _ALL and not known):
            problems.append(_no_match(pattern, [*known, *relations()]))
        tables.update(found)
        of_dbt.update(below)
    if problems:
        raise CatalogError(*problems)
    return tuple(sorted(tables)), tuple(sorted(of_dbt))


def _matching(pattern: str, names: Collection[str]) -> tuple[str, ...]:
    glob = parse_glob(pattern.replace(".", "/"))
    return tuple(name for name in names if glob.matches(name.split(".")))


def _no_match(pattern: str, known: Sequence[str]) -> Problem:
    return Problem(
        code="FLOE-440",
        what=f"'{pattern}' matches no table",
        why=f"there are {list_names(sorted(known))}" if known else "nothing has been written yet",
        fix=_suggest(pattern, known),
    )


def _suggest(pattern: str, known: Sequence[str]) -> str:
    if not is_glob(pattern):
        return did_you_mean(pattern, known)
    namespace, _, rest = pattern.rpartition(".")
    others = sorted({name.rpartition(".")[0] for name in known})
    meant = did_you_mean(pattern, [f"{other}.{rest}" for other in others]) if namespace else ""
    return meant or ("write a name of these, or '*' for all" if known else "")
