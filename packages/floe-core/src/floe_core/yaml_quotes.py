"""Quotes that end a value later or earlier than was meant."""

import re

from floe_core.yaml_stop import Mistake, Stop, quote

_LINE_BREAK = re.compile(r"\r\n|\r|\n")
_KEY_OR_ITEM = re.compile(r"\s*(-\s|(-\s+)?[\w\"'.*/-]+\s*:(\s|\Z))")


def find_wrong_quote(stop: Stop) -> Mistake | None:
    """The quote that is to blame for the place where the parser stopped; None where none is."""
    start, end = stop.quoted
    if start == end:
        return None
    if stop.line_of(start) != stop.line_of(end):
        return _closed_late(stop)
    return _closed_early(stop)


def _closed_late(stop: Stop) -> Mistake | None:
    """A value in quotes that goes over keys, items or closing brackets, and ends in the line that cannot be read."""
    start, end = stop.quoted
    last = stop.line_of(end)
    if last not in (stop.line_of(stop.start), stop.line_of(stop.at)):
        return None
    first, *others = _LINE_BREAK.split(stop.text[start + 1 : end - 1])
    is_swallowed = first.rstrip(", ").endswith(("]", "}")) or any(map(_KEY_OR_ITEM.match, others))
    is_followed = stop.text[end : end + 1].strip() not in ("", ",", "]", "}", ":")
    if not (is_swallowed or is_followed):
        return None
    return Mistake(
        start,
        f"the quote {stop.text[start]} that opens here is closed in line {last} only",
        fix="add the closing quote in the line where it opens",
    )


def _closed_early(stop: Stop) -> Mistake | None:
    """A quote or an apostrophe inside of a value in such quotes, behind which the rest of the value stands."""
    start, end = stop.quoted
    mark = stop.text[start]
    closing = rf"(?<=[^\s,\[{{:(]){mark}(?=\s*(?:[,\]}}\r\n]|\Z| #))"
    rest = re.compile(rf"[^{mark}\r\n]*(?:(?<=\w){mark}[^{mark}\r\n]+)*{closing}").match(stop.text, end)
    stands_apart = stop.text[end : stop.at].strip(" ") or stop.text[stop.at : stop.at + 1] in "'\",:]}"
    if rest is None or stands_apart:
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
