"""One sentence for each way in which a text can fail to be YAML, in place of the parser's own words."""

import re
from dataclasses import replace

from floe_core.yaml_text.quotes import find_wrong_quote
from floe_core.yaml_text.stop import Mistake, Stop, assignment, quote

_INDICATORS = "*&!|>%@`"
_BLOCK_STARTS = ("<block mapping start>", "<block sequence start>")


def explain_mistake(
    text: str, *, context: str, problem: str, start: int | None, at: int, quoted: tuple[int, int] = (0, 0)
) -> Mistake:
    """Say in one sentence why the parser stopped at the offset *at* of *text*.

    Args:
        text: The whole document.
        context: What PyYAML was reading.
        problem: What PyYAML calls the problem.
        start: Offset where the construct named by *context* begins.
        at: Offset where PyYAML stopped.
        quoted: Where the last value in quotes before that begins and ends.

    Source:
        The wordings of PyYAML 6.0's scanner and parser.
    """
    stop = Stop(text, context, problem, at if start is None else start, at, quoted)
    wrong_quote = find_wrong_quote(stop)
    if wrong_quote is not None:
        return wrong_quote
    for pattern, explain in _EXPLANATIONS:
        if re.search(pattern, f"{context}: {problem}"):
            return explain(stop)
    return Mistake(
        at,
        "the text is not YAML from here on",
        fix="check the quotes, brackets and indentation of this line and the one before",
    )


def _tab(stop: Stop) -> Mistake:
    where = "in the indentation" if not stop.text[stop.line_start(stop.at) : stop.at].strip() else "between two words"
    return Mistake(
        stop.at,
        f"a tab stands {where}",
        "YAML is indented and separated by spaces, since a tab has no agreed width",
        "replace the tabs by spaces",
        "FLOE-109",
    )


def _needs_quotes(stop: Stop) -> Mistake:
    offset = stop.start if stop.text[stop.start : stop.start + 1] in tuple(_INDICATORS) else stop.at
    character = stop.text[offset : offset + 1]
    return Mistake(
        offset,
        f"a value begins with '{character}' without quotes",
        f"'{character}' at the beginning of a value has a meaning of its own in YAML",
        f"put the value in quotes: {quote(_value_from(stop, offset))}",
    )


def _value_from(stop: Stop, offset: int) -> str:
    """The rest of the line; inside of brackets that began on it, what comes before the next comma or their end."""
    value, before = stop.rest_of_line(offset), stop.text[stop.line_start(offset) : offset]
    is_inside = sum(map(before.count, "[{")) > sum(map(before.count, "]}"))
    return re.split(r"[,\]}]", value, maxsplit=1)[0].rstrip() if is_inside else value


def _second_colon(stop: Stop) -> Mistake:
    first = stop.first_character(stop.at)
    before = re.search(r":\s+", stop.text[first : stop.at])
    if before:
        value = stop.rest_of_line(first + before.end())
        return Mistake(
            stop.at,
            "a second ': ' stands on one line",
            "text that contains ': ' needs quotes, and a nested mapping begins on a line of its own",
            f"put the value in quotes: {quote(value)}",
        )
    above, line = stop.line_above(first)
    if line and ":" not in line:
        return _missing_colon(replace(stop, start=above))
    if without_blank := re.fullmatch(r"([A-Za-z_]\w*):(\S+)", line.strip()):
        key, value = without_blank.groups()
        return Mistake(
            above + len(line) - len(line.lstrip()) if stop.text.startswith(line, above) else above,
            f"there is no blank behind the ':' of '{key}'",
            "a ':' ends a key where a blank or the end of the line follows; without one it is a part of the text",
            f"write '{key}: {value}'",
        )
    key = stop.text[first : stop.at].removeprefix("- ").strip()
    return Mistake(
        first,
        f"key '{key}' is indented below a line that already has a value",
        "a key holds either a value on its own line or an indented block, not both",
        f"indent '{key}' like its neighbours, or remove the value from the line above",
    )


def _missing_colon(stop: Stop) -> Mistake:
    word = stop.rest_of_line(stop.start)
    if word[:1] in ("'", '"'):
        return Mistake(
            stop.start,
            f"the quote {word[0]} that opens here is closed on another line",
            "a key stands on one line",
            "close the quote on this line",
        )
    assigned = assignment(word)
    if assigned:
        return Mistake(
            stop.start + word.index("="),
            "a '=' stands between a key and its value",
            "every line of a mapping is 'key: value' or 'key:' with an indented block below",
            f"write {assigned}",
        )
    return Mistake(
        stop.start,
        f"{quote(word)} has no ':' behind it",
        "every line of a mapping is 'key: value' or 'key:' with an indented block below",
        f"write {quote(word + ':')}",
    )


def _list_behind_key(stop: Stop) -> Mistake:
    return Mistake(
        stop.at,
        "a list item '- ' stands on the line of its key",
        "a list begins on the line below its key, or is written as [a, b]",
        "move the item to a line of its own",
    )


def _flow(stop: Stop) -> Mistake:
    kind, opening, closing = (
        ("list", "[", "]") if "sequence" in stop.context else ("mapping", "{", "}")
    )  # fmt: skip
    if stop.text[stop.at - 1 : stop.at + 1] == "${":
        return Mistake(
            stop.at - 1,
            f"a '${{…}}' stands without quotes inside {opening} {closing}",
            "inside brackets and braces a '{' begins a mapping",
            'put the value in double quotes: "${…}"',
        )
    hidden = _hidden_in_comment(stop, stop.start, closing)
    if hidden is not None:
        return hidden
    if stop.found == "<stream end>":
        return Mistake(
            stop.start,
            f"the {kind} that '{opening}' opens here is never closed",
            fix=f"add the missing '{closing}'",
        )
    if stop.line_of(stop.start) != stop.line_of(stop.at):
        return Mistake(
            stop.start,
            f"the {kind} that '{opening}' opens here is not closed",
            f"line {stop.line_of(stop.at)} goes on where ',' or '{closing}' should stand",
            f"add the missing '{closing}', or the ',' between two items",
        )
    return Mistake(
        stop.at,
        f"',' or '{closing}' is missing in the {kind} that '{opening}' opens",
        f"the items of a {kind} in {opening} {closing} are separated by ','",
        f"add the ',' or the '{closing}', or put text that holds such characters in quotes",
    )


def _hidden_in_comment(stop: Stop, start: int, closing: str) -> Mistake | None:
    """Whether a *closing* bracket that is missing stands behind a ' #' in the line of *start*."""
    opening = {"]": "[", "}": "{"}[closing]
    end = start + len(re.split(r"[\r\n]", stop.text[start:], maxsplit=1)[0])
    begin = max(start, stop.quoted[1]) if stop.quoted[1] <= end else start
    mark = re.compile(r"(?<=\s)#").search(stop.text, begin, end)
    comment = stop.text[mark.start() : end] if mark else ""
    if (
        mark is None
        or stop.text.count('"', begin, mark.start()) % 2
        or comment.count(closing) <= comment.count(opening)
    ):
        return None
    return Mistake(
        mark.start(),
        f"a '#' behind a blank begins a comment, which hides the '{closing}' of this line",
        "what stands behind ' #' is no part of a value",
        "put text that holds ' #' in quotes, or write the comment behind the last bracket",
    )


def _open_quote(stop: Stop) -> Mistake:
    return Mistake(
        stop.start,
        f"the quote {stop.text[stop.start : stop.start + 1]} that opens here is never closed",
        fix="add the closing quote",
    )


def _indentation(stop: Stop) -> Mistake:
    has, possible = stop.indent_of(stop.at), stop.indents_above(stop.at)
    nearest = min(possible, key=lambda indent: (abs(indent - has), -indent), default=0)
    return Mistake(
        stop.at,
        "the indentation of this line fits no block above it",
        f"the line has {has} spaces, the blocks above it begin with {' or '.join(map(str, possible))}",
        f"indent the line by {nearest} spaces",
    )


def _mixed(stop: Stop) -> Mistake:
    inside, other = ("keys", "a list item") if stop.found == "-" else ("list items", "a key")
    return Mistake(
        stop.at,
        f"{other} stands among {inside}",
        "one block is either a list or a mapping",
        "indent the line to where it belongs",
    )


def _after_value(stop: Stop) -> Mistake:
    if stop.found == ":":
        return Mistake(stop.at, "a key is empty", fix="write the key before the ':'")
    if stop.text.startswith(",", stop.at):
        return Mistake(
            stop.at,
            "a comma stands behind a value",
            "the lines of a mapping are not separated by anything but their ends",
            "delete the comma",
        )
    if stop.found in ("]", "}"):
        return Mistake(
            stop.at,
            f"a '{stop.found}' closes nothing",
            "every bracket before it is closed already",
            f"delete the '{stop.found}'",
        )
    return Mistake(
        stop.at,
        "text stands behind a value that is already complete",
        "a value ends at its closing quote, bracket or brace",
        "put the whole value in one pair of quotes, or the text on a line of its own",
    )


def _outside(stop: Stop) -> Mistake:
    if stop.found in _BLOCK_STARTS:
        return Mistake(
            stop.at,
            "this line is indented less than the first line of the document",
            "all top-level keys begin in the same column",
            "begin all top-level keys in column 1",
        )
    return Mistake(
        stop.at,
        "text stands behind the end of the document",
        "the document is complete before this place",
        "remove it, or indent it to where it belongs",
    )


def _escape(stop: Stop) -> Mistake:
    backslash = stop.text.rfind("\\", 0, stop.at + 1)
    written = stop.text[backslash : backslash + 2]
    return Mistake(
        backslash,
        f"'{written}' in double quotes is no escape that YAML knows",
        "in double quotes a backslash begins an escape such as \\n or \\u00e9",
        "use single quotes, in which a backslash is a backslash",
    )


def _directive(stop: Stop) -> Mistake:
    return Mistake(
        stop.text.find("%"),
        "a line begins with '%'",
        "in YAML such a line is a directive to the parser",
        "remove the line, or put the text in quotes",
    )


def _no_content(stop: Stop) -> Mistake:
    if stop.found == "<stream end>":
        above, _ = stop.line_above(stop.at)
        hidden = _hidden_in_comment(stop, above, "]") or _hidden_in_comment(stop, above, "}")
        return hidden or Mistake(
            above, "the document ends inside of brackets or braces", fix="add the missing ']' or '}'"
        )
    found = stop.found if not stop.found.startswith("<") else stop.rest_of_line(stop.at)
    return Mistake(
        stop.at,
        f"{quote(found)} stands where a value should be",
        f"'{found[:1]}' has a meaning of its own in YAML" if found else "",
        "write the value before it, or put text that holds such characters in quotes",
    )


_EXPLANATIONS = (
    (r"found character '\\t'", _tab),
    (r"that cannot start any token", _needs_quotes),
    (r"mapping values are not allowed", _second_colon),
    (r"could not find expected ':'", _missing_colon),
    (r"sequence entries are not allowed", _list_behind_key),
    (r"mapping keys are not allowed", _needs_quotes),
    (r"parsing a flow (sequence|mapping): expected ','", _flow),
    (r"found unexpected (end of stream|document separator)", _open_quote),
    (r"expected <block end>, but found '<block (mapping|sequence) start>'", _indentation),
    (r"expected <block end>, but found '[-?]'", _mixed),
    (r"expected <block end>", _after_value),
    (r"expected '<document start>', but found '<stream end>'", _directive),
    (r"expected '<document start>'", _outside),
    (r"scanning an (alias|anchor)", _needs_quotes),
    (r"(scanning|parsing) a tag|undefined tag handle", _needs_quotes),
    (r"scanning a block scalar", _needs_quotes),
    (r"double-quoted scalar", _escape),
    (r"directive|incompatible YAML document|duplicate tag handle", _directive),
    (r"expected the node content", _no_content),
)
