"""Dynamic partition keys: what a user's function returns as keys, and what changes by it."""

from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from floe_core.names.partition_keys import check_partition_key
from floe_core.names.rules import RuleError
from floe_core.suggestions import list_names

_REFUSED_IN_DIMENSIONS = "|,[]"


@dataclass(frozen=True, slots=True)
class KeyChange:
    """Keys to add and keys to remove, in order."""

    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.added or self.removed)

    def __str__(self) -> str:
        parts = [
            f"{word} {list_names(keys)}" for word, keys in (("added", self.added), ("removed", self.removed)) if keys
        ]
        return ", ".join(parts)


def read_keys(returned: object, *, of_dimension: bool = False) -> tuple[str, ...]:
    """The partition keys that a function returned; those of a set are put in order.

    Raises:
        RuleError: They are no keys; the text says what is wrong with them.
    """
    if isinstance(returned, str) or not isinstance(returned, Iterable):
        raise RuleError(
            f"the function returns partition keys, and {returned!r:.60} is no list of them",
            fix="return a list of texts",
        )
    keys = sorted(returned, key=str) if isinstance(returned, set | frozenset) else list(returned)
    for key in keys:
        if not isinstance(key, str):
            raise RuleError(
                f"a partition key is a text, and {key!r:.60} is {type(key).__name__}", fix="return str(key)"
            )
        _check_key(key, of_dimension=of_dimension)
    twice = [key for key, count in Counter(keys).items() if count > 1]
    if twice:
        raise RuleError(f"every key is returned once, and {list_names(twice)} twice or more", fix="return it once")
    return tuple(keys)


def compare_keys(wanted: Collection[str], existing: Collection[str], *, remove_missing: bool) -> KeyChange:
    """What makes the *existing* keys those that are *wanted*.

    >>> compare_keys(["b", "c"], ["a", "b"], remove_missing=True)
    KeyChange(added=('c',), removed=('a',))
    >>> compare_keys(["b"], ["a", "b"], remove_missing=False)
    KeyChange(added=(), removed=())
    """
    known, kept = set(existing), set(wanted)
    return KeyChange(
        tuple(key for key in wanted if key not in known),
        tuple(key for key in existing if key not in kept) if remove_missing else (),
    )


def _check_key(key: str, *, of_dimension: bool) -> None:
    try:
        check_partition_key(key)
    except RuleError as error:
        raise RuleError(f"{error}: {key!r:.60}", fix="leave the key out, or change it") from error
    if of_dimension and not set(_REFUSED_IN_DIMENSIONS).isdisjoint(key):
        raise RuleError(
            f"a key of a dimension has none of '|', ',', '[' and ']': {key!r:.60}",
            fix="leave the key out, or change it",
        )
