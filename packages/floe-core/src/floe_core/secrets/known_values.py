"""Texts without values that are known to be secrets, however they are written there, and however much was cut off."""

import json
import re
from collections.abc import Iterable, Iterator
from typing import TypeAlias
from urllib.parse import quote, quote_plus

from floe_core.secrets.yaml_lines import MASK

_CUT = re.compile(r"\.{3,}|…|\\u2026")
"""What databases and logs put in the place of what they leave out of a long line."""
_SHORTEST_WORD = 6
_SHORTEST_LINE = 16
_SHORTEST_PART = 3
_LONGEST_UNTOLD = 6

_Span: TypeAlias = tuple[int, int]


class KnownValues:
    """Finds values in texts.

    >>> KnownValues(["Correct-Horse-Battery"]).masked("LINE 1: hmac('Correct-Ho...")
    "LINE 1: hmac('***..."

    Args:
        values: The secrets.
    """

    def __init__(self, values: Iterable[str]) -> None:
        forms = {form for value in values if value for form in _forms_of(value)}
        self._forms = sorted(forms, key=lambda form: (-len(form), form))
        self._whole = _any_of(map(_bounded, self._forms))
        self._beginnings = _any_of({re.escape(form[: _shortest_part(form)]) for form in self._forms})
        self._ends = _any_of({re.escape(form[-_shortest_part(form) :]) for form in self._forms})
        self._all = "\n".join(self._forms)

    def masked(self, text: str) -> str:
        """*text* with `***` for each of the values, and for what is left of one at `...`."""
        cut = [*self._find_cut(text)] if _CUT.search(text) else []
        if not cut:
            return self._whole.sub(MASK, text)
        whole = (match.span() for match in self._whole.finditer(text))
        parts, position = [], 0
        for start, end in _joined([*cut, *whole]):
            parts += [text[position:start], MASK]
            position = end
        return "".join([*parts, text[position:]])

    def _find_cut(self, text: str) -> Iterator[_Span]:
        """What stands beside a sign that something was cut off, and is the beginning, the end or a part of a value.

        Each sign is compared with the characters between it and its neighbours, and these only: linear in the text.
        """
        longest = len(self._forms[0]) if self._forms else 0
        signs = [match.span() for match in _CUT.finditer(text)]
        ends, beginnings = [0, *(end for _, end in signs)], [*(start for start, _ in signs), len(text)]
        for index, (start, end) in enumerate(signs):
            first, last = max(ends[index], start - longest), min(beginnings[index + 1], end + longest)
            before, after = text[first:start], text[end:last]
            for form in self._forms if self._beginnings.search(before) else ():
                length = _length_of_beginning(before, form)
                if length and not _is_of_word(before[-length:], form, beside=before[:-length][-1:]):
                    yield start - length, start
            for form in self._forms if self._ends.search(after) else ():
                length = _length_of_end(after, form)
                if length and not _is_of_word(after[:length], form, beside=after[length : length + 1]):
                    yield end, end + length
            is_between = index > 0 and first == ends[index] and len(before) >= _SHORTEST_PART
            if is_between and before in self._all and any(_is_part(before, form) for form in self._forms):
                yield first, start


def _forms_of(value: str) -> Iterator[str]:
    """*value*, as it stands in JSON, in an address and in Python, and each line of it."""
    yield value
    yield json.dumps(value)[1:-1]
    yield repr(value)[1:-1]
    yield from (quote(value, safe=""), quote_plus(value))
    if "\n" in value:
        yield from (line.strip() for line in value.splitlines() if len(line.strip()) >= _SHORTEST_LINE)


def _any_of(patterns: Iterable[str]) -> re.Pattern[str]:
    return re.compile("|".join(patterns) or r"(?!)")


def _bounded(value: str) -> str:
    """A word or a number counts where no other letter or digit is beside it; what is shorter was declared a secret."""
    is_word = len(value) >= _SHORTEST_WORD and _is_word(value)
    return rf"(?<![^\W_]){re.escape(value)}(?![^\W_])" if is_word else re.escape(value)


def _length_of_beginning(before: str, form: str) -> int:
    """How many characters at the end of *before* are the beginning of *form*; none where they tell little of it."""
    shortest = _shortest_part(form)
    position = before.find(form[:shortest], max(len(before) - len(form), 0))
    while position >= 0:
        if form.startswith(before[position:]):
            return len(before) - position
        position = before.find(form[:shortest], position + 1)
    return 0


def _length_of_end(after: str, form: str) -> int:
    """The same of what *after* begins with, and *form* ends with."""
    return _length_of_beginning(after[::-1], form[::-1])


def _is_part(text: str, form: str) -> bool:
    return len(text) >= _shortest_part(form) and text in form


def _shortest_part(form: str) -> int:
    """How long a part has to be: a third, and no more than six characters."""
    return min(max(-(-len(form) // 3), _SHORTEST_PART), _LONGEST_UNTOLD)


def _is_of_word(part: str, form: str, *, beside: str) -> bool:
    """Whether *part* belongs to a longer word or number, which only happens to look like a piece of *form*."""
    is_word = (len(part) < _LONGEST_UNTOLD or _is_word(form)) and _is_word(part)
    return is_word and beside.isalnum()


def _is_word(text: str) -> bool:
    return text.isalpha() or text.isdigit()


def _joined(spans: Iterable[_Span]) -> list[_Span]:
    """*spans* in their order, each of those that overlap as one."""
    found: list[_Span] = []
    for start, end in sorted(spans):
        if found and start < found[-1][1]:
            found[-1] = found[-1][0], max(found[-1][1], end)
        else:
            found.append((start, end))
    return found
