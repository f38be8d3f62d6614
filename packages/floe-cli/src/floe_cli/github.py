"""Problems as GitHub's workflow commands, which a job's log turns into annotations of the changed files."""

from floe_core.errors import Problem

_IN_MESSAGES = {"%": "%25", "\r": "%0D", "\n": "%0A"}
_IN_PROPERTIES = {**_IN_MESSAGES, ":": "%3A", ",": "%2C"}


def workflow_command(problem: Problem) -> str:
    """*problem* as one line.

    Source:
        https://docs.github.com/actions/reference/workflow-commands-for-github-actions, and for the escapes
        https://github.com/actions/toolkit/blob/main/packages/core/src/command.ts

    >>> workflow_command(Problem("FLOE-230", "100 % wrong", why="it is", fix="a: b, c"))
    '::error title=FLOE-230::100 %25 wrong%0Awhy: it is%0Afix: a: b, c'
    """
    location = problem.location
    properties: dict[str, object] = {}
    if location is not None:
        properties = {"file": location.file, "line": location.line, "col": location.column}
    properties["title"] = problem.code
    shown = ",".join(
        f"{name}={_escape(str(value), _IN_PROPERTIES)}" for name, value in properties.items() if value is not None
    )
    lines = [problem.what, problem.detail, problem.why and f"why: {problem.why}", problem.fix and f"fix: {problem.fix}"]
    return f"::{problem.severity} {shown}::{_escape(chr(10).join(filter(None, lines)), _IN_MESSAGES)}"


def _escape(text: str, escapes: dict[str, str]) -> str:
    return "".join(escapes.get(character, character) for character in text)
