"""One sentence for each way in which a text can fail to be YAML, in place of the parser's own words."""

import re
from dataclasses import dataclass, replace

_INDICATORS = "*&!|>%@`"
_SHOWN_VALUE = 48
_BLOCK_STARTS = ("<block mapping start>", "<block sequence start>")


@dataclass(frozen=True, slots=True)
class Mistake:
    """What is wrong at a character offset of the text."""

    offset: int
    what: str
    why: str = ""
    fix: str = ""
    code: str = "FLOE-101"


@dataclass(frozen=True, slots=True)
class _Stop:
    """Where the parser stopped (`at`), in which construct, and where that construct began (`start`)."""

    text: str
    context: str
    problem: str
    start: int
    at: int

    @property
    def found(self) -> str:
        """The token that the parser found in place of the one it expected."""
        match = re.search(r"(?:found|got) (['\"])(.*)\1$", self.problem)
        return match[2] if match else ""

    def line_of(self, offset: int) -> int:
        return len(re.findall(r"\r\n|\r|\n", self.text[:offset])) + 1

    def line_start(self, offset: int) -> int:
        return max(self.text.rfind("\n", 0, offset), self.text.rfind("\r", 0, offset)) + 1

    def rest_of_line(self, offset: int) -> str:
        return re.split(r"[\r\n]| #", self.text[offset:], maxsplit=1)[0].strip()

    def indent_of(self, offset: int) -> int:
        return offset - self.line_start(offset)

    def indents_above(self, offset: int) -> list[int]:
        """Indentations of the blocks that are open above the line of *offset*, outermost first."""
        indents: list[int] = []
        for line in reversed(re.split(r"\r\n|\r|\n", self.text[: self.line_start(offset)])):
            content = line.lstrip(" ")
            indent = len(line) - len(content)
            if content and not content.startswith("#") and indent < min(indents, default=indent + 1):
                indents.append(indent)
        return indents[::-1]

    def line_above(self, offset: int) -> tuple[int, str]:
        """Where the text of the last line above *offset* that is not empty begins, and that text."""
        above = self.text[: self.line_start(offset)].rstrip()
        start = max(above.rfind("\n"), above.rfind("\r")) + 1
        line = above[start:]
        return start + len(line) - len(line.lstrip()), line.strip()

    def first_character(self, offset: int) -> int:
        """Offset of the first character of the line that is not a space."""
        start = self.line_start(offset)
        return start + len(self.text[start:]) - len(self.text[start:].lstrip(" "))


def explain_mistake(text: str, *, context: str, problem: str, start: int | None, at: int) -> Mistake:
    """Say in one sentence why the parser stopped at the offset *at* of *text*.

    Args:
        text: The whole document.
        context: What PyYAML was reading.
        problem: What PyYAML calls the problem.
        start: Offset where the construct named by *context* begins.
        at: Offset where PyYAML stopped.

    Source:
        The wordings of PyYAML 6.0's scanner and parser.
    """
    stop = _Stop(text, context, problem, at if start is None else start, at)
    for pattern, explain in _EXPLANATIONS:
        if re.search(pattern, f"{context}: {problem}"):
            return explain(stop)
    return Mistake(
        at,
        "the text is not YAML from here on",
        fix="check the quotes, brackets and indentation of this line and the one before",
    )


def quote(value: str) -> str:
    """*value* in single quotes as YAML writes it, or a general instruction's words where it is too long to show."""
    return "'" + value.replace("'", "''") + "'" if 0 < len(value) <= _SHOWN_VALUE else "'…'"


def _tab(stop: _Stop) -> Mistake:
    where = "in the indentation" if not stop.text[stop.line_start(stop.at) : stop.at].strip() else "between two words"
    return Mistake(
        stop.at,
        f"a tab stands {where}",
        "YAML is indented and separated by spaces, since a tab has no agreed width",
        "replace the tabs by spaces",
        "FLOE-109",
    )


def _needs_quotes(stop: _Stop) -> Mistake:
    offset = stop.start if stop.text[stop.start : stop.start + 1] in tuple(_INDICATORS) else stop.at
    character = stop.text[offset : offset + 1]
    return Mistake(
        offset,
        f"a value begins with '{character}' without quotes",
        f"'{character}' at the beginning of a value has a meaning of its own in YAML",
        f"put the value in quotes: {quote(_value_from(stop, offset))}",
    )


def _value_from(stop: _Stop, offset: int) -> str:
    """The rest of the line; inside of brackets that began on it, what comes before the next comma or their end."""
    value, before = stop.rest_of_line(offset), stop.text[stop.line_start(offset) : offset]
    is_inside = sum(map(before.count, "[{")) > sum(map(before.count, "]}"))
    return re.split(r"[,\]}]", value, maxsplit=1)[0].rstrip() if is_inside else value


def _second_colon(stop: _Stop) -> Mistake:
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


def _missing_colon(stop: _Stop) -> Mistake:
    word = stop.rest_of_line(stop.start)
    if word[:1] in ("'", '"'):
        return Mistake(
            stop.start,
            f"the quote {word[0]} that opens here is closed on another line",
            "a key stands on one line",
            "close the quote on this line",
        )
    return Mistake(
        stop.start,
        f"{quote(word)} has no ':' behind it",
        "every line of a mapping is 'key: value' or 'key:' with an indented block below",
        f"write {quote(word + ':')}",
    )


def _list_behind_key(stop: _Stop) -> Mistake:
    return Mistake(
        stop.at,
        "a list item '- ' stands on the line of its key",
        "a list begins on the line below its key, or is written as [a, b]",
        "move the item to a line of its own",
    )


def _flow(stop: _Stop) -> Mistake:
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


def _open_quote(stop: _Stop) -> Mistake:
    return Mistake(
        stop.start,
        f"the quote {stop.text[stop.start : stop.start + 1]} that opens here is never closed",
        fix="add the closing quote",
    )


def _indentation(stop: _Stop) -> Mistake:
    has, possible = stop.indent_of(stop.at), stop.indents_above(stop.at)
    nearest = min(possible, key=lambda indent: (abs(indent - has), -indent), default=0)
    return Mistake(
        stop.at,
        "the indentation of this line fits no block above it",
        f"the line has {has} spaces, the blocks above it begin with {' or '.join(map(str, possible))}",
        f"indent the line by {nearest} spaces",
    )


def _mixed(stop: _Stop) -> Mistake:
    inside, other = ("keys", "a list item") if stop.found == "-" else ("list items", "a key")
    return Mistake(
        stop.at,
        f"{other} stands among {inside}",
        "one block is either a list or a mapping",
        "indent the line to where it belongs",
    )


def _after_value(stop: _Stop) -> Mistake:
    if stop.found == ":":
        return Mistake(stop.at, "a key is empty", fix="write the key before the ':'")
    if stop.text.startswith(",", stop.at):
        return Mistake(
            stop.at,
            "a comma stands behind a value",
            "the lines of a mapping are not separated by anything but their ends",
            "delete the comma",
        )
    line = stop.text[stop.line_start(stop.at) : stop.at].rstrip()
    if line and line[-1] in "'\"" and line.count(line[-1]) % 2:
        opening = stop.text.rfind(line[-1], 0, stop.line_start(stop.at))
        if opening >= 0:
            return Mistake(
                opening,
                f"the quote {line[-1]} that opens here is closed in line {stop.line_of(stop.at)} only",
                fix="add the closing quote in the line where it opens",
            )
    return Mistake(
        stop.at,
        "text stands behind a value that is already complete",
        "a value ends at its closing quote, bracket or brace",
        "put the whole value in one pair of quotes, or the text on a line of its own",
    )


def _outside(stop: _Stop) -> Mistake:
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


def _escape(stop: _Stop) -> Mistake:
    backslash = stop.text.rfind("\\", 0, stop.at + 1)
    written = stop.text[backslash : backslash + 2]
    return Mistake(
        backslash,
        f"'{written}' in double quotes is no escape that YAML knows",
        "in double quotes a backslash begins an escape such as \\n or \\u00e9",
        "use single quotes, in which a backslash is a backslash",
    )


def _directive(stop: _Stop) -> Mistake:
    return Mistake(
        stop.text.find("%"),
        "a line begins with '%'",
        "in YAML such a line is a directive to the parser",
        "remove the line, or put the text in quotes",
    )


def _no_content(stop: _Stop) -> Mistake:
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
