"""The closest known name to one that is not known."""

import re
from collections.abc import Iterable
from difflib import SequenceMatcher

_CUTOFF = 0.66
_TIE = 0.1
_LISTED = 8


def closest_names(name: str, known: Iterable[str], *, limit: int = 3) -> tuple[str, ...]:
    """The known names that *name* may have been meant to be, best first; none where nothing is close.

    Names count as close when they differ in case or separators, when one is the beginning, the end or the plural of the
    other, and when few letters are missing, added or swapped. Names much less close than the best are left out.
    """
    candidates = dict.fromkeys(other for other in known if other and other != name)
    scored = sorted(((_likeness(name, other), other) for other in candidates), key=lambda pair: (-pair[0], pair[1]))
    least = max(_CUTOFF, scored[0][0] - _TIE) if scored else _CUTOFF
    return tuple(other for score, other in scored[:limit] if score >= least)


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """`did you mean 'x'?` with the closest known names, best first, or an empty string.

    >>> did_you_mean("bronze_laod", ["bronze_load", "gold_pipeline"])
    "did you mean 'bronze_load'?"
    """
    quoted = [f"'{close}'" for close in closest_names(name, known)]
    if not quoted:
        return ""
    *others, last = quoted
    return f"did you mean {', '.join(others)} or {last}?" if others else f"did you mean {last}?"


def list_names(names: Iterable[str], *, limit: int = _LISTED) -> str:
    """Names for a sentence, in the given order and cut to a length that can be read.

    >>> list_names(["b", "a"]), list_names([]), list_names(["a", "b", "c"], limit=2)
    ('b, a', 'none', 'a, b and 1 more')
    """
    listed = list(dict.fromkeys(names))
    if not listed:
        return "none"
    rest = len(listed) - limit
    return ", ".join(listed) if rest <= 0 else f"{', '.join(listed[:limit])} and {rest} more"


def _likeness(name: str, other: str) -> float:
    mine, theirs = _plain(name), _plain(other)
    if mine == theirs:
        return 1.0
    if not mine or not theirs:
        return 0.0
    if _singular(mine) == _singular(theirs):
        return 0.95
    shorter, longer = sorted((mine, theirs), key=len)
    if len(shorter) == 1:
        return 0.0
    ratio = max(SequenceMatcher(None, mine, theirs).ratio(), SequenceMatcher(None, theirs, mine).ratio())
    if len(shorter) >= 4 and (longer.startswith(shorter) or longer.endswith(shorter)):
        ratio = max(ratio, 0.7 + 0.2 * len(shorter) / len(longer))
    if sorted(mine) == sorted(theirs) and len(mine) > 2:
        ratio = max(ratio, 0.8)
    return ratio


def _plain(name: str) -> str:
    return re.sub(r"[\W_]+", "", name).lower()


def _singular(name: str) -> str:
    return name.removesuffix("s")
