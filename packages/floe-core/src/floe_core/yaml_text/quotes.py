"""Quotes that end a value later or earlier than was meant."""

import re

from floe_core.yaml_text.stop import Mistake, Stop, quote

_LINE_BREAK = re.compile(r"\r\n|\r|\n")
_KEY_OR_ITEM = re.compile(r"\s*(-\s|(-\s+)?[\w\"'.*/-]+\s*:(\s|\Z))")
_SWALLOWED = re.compile(r"[,:\[{]\s*\Z|[\]},]\s*[\w-]+:\s")


def find_wrong_quote(stop: Stop) -> Mistake | None:
    """The quote that is to blame for the place where the parser stopped; None where none is."""
    start, end = stop.quoted
    if start == end:
        return None
    doubled = _doubled(stop)
    if doubled is not None:
        return doubled
    if stop.line_of(start) != stop.line_of(end):
        return _closed_late(stop)
    return _closed_by_the_next(stop) or _closed_early(stop)


def _doubled(stop: Stop) -> Mistake | None:
    """Two quotes side by side where one begins or ends the value."""
    start, end = stop.quoted
    mark = stop.text[start]
    if end - start == len("''") and _is_glued(stop):
        second = start + 1
    elif mark == stop.text[end : end + 1]:
        second = end
    elif stop.text[start - 1 : start] == mark and stop.line_of(end) in (
        stop.line_of(stop.start),
        stop.line_of(stop.at),
    ):
        second = start
    else:
        return None
    return Mistake(
        second,
        f"a second {mark} stands beside the one that {'opens' if second == start + 1 else 'closes'} the value",
        "one quote opens a value and one closes it",
        f"delete one {mark}",
    )


def _closed_late(stop: Stop) -> Mistake | None:
    """A value in quotes that goes over keys, items or closing brackets, and ends in the line that cannot be read."""
    start, end = stop.quoted
    last = stop.line_of(end)
    if last not in (stop.line_of(stop.start), stop.line_of(stop.at)):
        return None
    first, *others = _LINE_BREAK.split(stop.text[start + 1 : end - 1])
    is_swallowed = first.rstrip(", ").endswith(("]", "}")) or any(map(_KEY_OR_ITEM.match, others))
    if not (is_swallowed or stop.text[end : end + 1].strip() not in ("", ",", "]", "}", ":")):
        return None
    return Mistake(
        start,
        f"the quote {stop.text[start]} that opens here is closed in line {last} only",
        fix="add the closing quote in the line where it opens",
    )


def _closed_by_the_next(stop: Stop) -> Mistake | None:
    """A value in quotes that goes on to the quote which opens the next value of the line."""
    start, end = stop.quoted
    if not (_SWALLOWED.search(stop.text, start + 1, end - 1) and (_is_glued(stop) or _stops_behind(stop))):
        return None
    return Mistake(
        start,
        f"the quote {stop.text[start]} that opens here is closed by the one of a later value",
        fix="add the closing quote where the first value ends",
    )


def _closed_early(stop: Stop) -> Mistake | None:
    """A quote or an apostrophe inside of a value in such quotes, behind which the rest of the value stands."""
    start, end = stop.quoted
    mark = stop.text[start]
    closing = rf"(?<=[^\s,\[{{:(]){mark}(?=\s*(?:[,\]}}\r\n]|\Z| #))"
    rest = re.compile(rf"[^{mark}\r\n]*(?:(?<=\w){mark}[^{mark}\r\n]+)*{closing}").match(stop.text, end)
    if rest is None or not _stops_behind(stop):
        return None
    value = stop.text[start + 1 : end - 1] + mark + rest[0][:-1]
    if mark == "'":
        return Mistake(
            end - 1,
            "the ' inside of the text ends it",
            "between single quotes an apostrophe is written twice",
            f"write {quote(value)}, or put the text in double quotes",
        )
    return Mistake(
        end - 1,
        'the " inside of the text ends it',
        "between double quotes a double quote is written with a backslash before it",
        f"put the text in single quotes: {quote(value)}",
    )


def _is_glued(stop: Stop) -> bool:
    """Whether text stands right behind the value in quotes, which can never be read."""
    return stop.text[stop.quoted[1] : stop.quoted[1] + 1].strip() not in ("", ",", "]", "}", ":")


def _stops_behind(stop: Stop) -> bool:
    """Whether the parser stopped at text that follows the value in quotes."""
    between = stop.text[stop.quoted[1] : stop.at].strip(" ")
    return not between and stop.text[stop.at : stop.at + 1] not in ("", "'", '"', ",", ":", "]", "}")
