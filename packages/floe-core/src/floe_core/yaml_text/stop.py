"""Where PyYAML stopped reading, and what is said about it."""

import re
from dataclasses import dataclass

_SHOWN_VALUE = 48


@dataclass(frozen=True, slots=True)
class Mistake:
    """What is wrong at a character offset of the text."""

    offset: int
    what: str
    why: str = ""
    fix: str = ""
    code: str = "FLOE-101"


@dataclass(frozen=True, slots=True)
class Stop:
    """Where the parser stopped (`at`), in which construct, and where that construct began (`start`).

    `quoted` is where the last value in quotes before that place begins and ends.
    """

    text: str
    context: str
    problem: str
    start: int
    at: int
    quoted: tuple[int, int] = (0, 0)

    @property
    def found(self) -> str:
        """The token that the parser found in place of the one it expected."""
        match = re.search(r"(?:found|got) (['\"])(.*)\1$", self.problem)
        return match[2] if match else ""

    def line_of(self, offset: int) -> int:
        """Number of the line of *offset*, from 1."""
        return len(re.findall(r"\r\n|\r|\n", self.text[:offset])) + 1

    def line_start(self, offset: int) -> int:
        """Where the line of *offset* begins."""
        return max(self.text.rfind("\n", 0, offset), self.text.rfind("\r", 0, offset)) + 1

    def rest_of_line(self, offset: int) -> str:
        """What follows *offset* in its line, without a comment."""
        return re.split(r"[\r\n]| #", self.text[offset:], maxsplit=1)[0].strip()

    def indent_of(self, offset: int) -> int:
        """How many characters stand before *offset* in its line."""
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


def quote(value: str) -> str:
    """*value* in single quotes as YAML writes it, or a general instruction's words where it is too long to show."""
    return "'" + value.replace("'", "''") + "'" if 0 < len(value) <= _SHOWN_VALUE else "'…'"


def assignment(line: str) -> str:
    """The `key: value` that *line* with a '=' in place of the ':' was meant to be, in quotes; empty where it was not.

    >>> assignment("retries = 3"), assignment("a >= 3")
    ("'retries: 3'", '')
    """
    parts = re.fullmatch(r"([A-Za-z_]\w*)\s*=(?!=)\s*(.*)", line.strip())
    if not parts:
        return ""
    meant = f"{parts[1]}: {parts[2]}".rstrip()
    return f"'{meant}'" if len(meant) <= _SHOWN_VALUE else f"'{parts[1]}: …'"
