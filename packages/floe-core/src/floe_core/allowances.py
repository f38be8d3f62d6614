"""Comments that let pass what only looks like a secret or a place: `# floe: allow FLOE-211 - reason`."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from floe_core.errors import Location, Problem
from floe_core.source_map import SourceMap
from floe_core.yaml_text.values import Comment

_UNREADABLE = "FLOE-212"
_UNUSED = "FLOE-213"
_BEGINNING = re.compile(r"#\s*floe\s*:\s*allow\b", re.IGNORECASE)
_ALLOWANCE = re.compile(r"#\s*floe\s*:\s*allow\s+(FLOE-\d{3})\b[\s:–—-]*(.*?)\s*", re.IGNORECASE)
_SHORTEST_REASON = 3


@dataclass(frozen=True, slots=True)
class _Allowance:
    """What a comment allows, and the line that it speaks of: its own, or the next one below comments."""

    code: str
    line: int
    comment: Comment


def apply_allowances(
    problems: list[Problem], comments: Iterable[Comment], source: SourceMap, *, codes: Mapping[str, str]
) -> list[Problem]:
    """The problems that no comment allows, and what is wrong with comments that would allow one.

    Args:
        problems: Those that a comment may allow.
        comments: Of the whole document.
        source: Where the document stands.
        codes: Those of *problems*, and what each is for: `{"FLOE-210": "a place"}`.
    """
    comments = tuple(comments)
    written = [comment for comment in comments if _BEGINNING.match(comment.text)]
    if not written:
        return problems
    allowances, mistakes = _read(written, source, {comment.line for comment in comments if comment.is_alone}, codes)
    used = {(allowance.code, allowance.line) for allowance in allowances} & {_place(problem) for problem in problems}
    unused = [allowance for allowance in allowances if (allowance.code, allowance.line) not in used]
    return [
        *(problem for problem in problems if _place(problem) not in used),
        *mistakes,
        *(_unused(allowance, source) for allowance in unused),
    ]


def _read(
    written: list[Comment], source: SourceMap, comment_lines: set[int], codes: Mapping[str, str]
) -> tuple[list[_Allowance], list[Problem]]:
    allowances: list[_Allowance] = []
    mistakes: list[Problem] = []
    for comment in written:
        read = _ALLOWANCE.fullmatch(comment.text)
        code, reason = (read[1].upper(), read[2]) if read else ("", "")
        if code not in codes:
            mistakes.append(_unreadable(comment, "names no code that can be allowed", source, codes))
        elif len(re.findall(r"\w", reason)) < _SHORTEST_REASON:
            mistakes.append(_unreadable(comment, "gives no reason", source, codes))
        else:
            allowances.append(_Allowance(code, _line_meant(comment, comment_lines), comment))
    return allowances, mistakes


def _line_meant(comment: Comment, comment_lines: set[int]) -> int:
    line = comment.line
    while comment.is_alone and line in comment_lines:
        line += 1
    return line


def _place(problem: Problem) -> tuple[str, int | None]:
    return problem.code, problem.location.line if problem.location else None


def _unreadable(comment: Comment, mistake: str, source: SourceMap, codes: Mapping[str, str]) -> Problem:
    (first, meaning), *others = codes.items()
    rest = "".join(f", {code} for {what}" for code, what in others)
    return Problem(
        _UNREADABLE,
        f"a comment that allows something {mistake}",
        _location(comment, source),
        why="whoever reads the line later has to know why it is no secret and no place",
        fix=f"write '# floe: allow {first} - REASON' for {meaning}{rest}",
    )


def _unused(allowance: _Allowance, source: SourceMap) -> Problem:
    return Problem(
        _UNUSED,
        f"a comment allows {allowance.code}, which line {allowance.line} does not have",
        _location(allowance.comment, source),
        why="it would hide such a mistake that is made there later",
        fix="delete the comment, or move it to the line that it is about",
        severity="warning",
    )


def _location(comment: Comment, source: SourceMap) -> Location:
    return Location(
        source.file, comment.line, comment.column, source_line=source.lines[comment.line - 1] or comment.text
    )
