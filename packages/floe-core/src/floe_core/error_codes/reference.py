"""The reference of all codes in Markdown."""

from collections.abc import Iterator

from floe_core.error_codes.registry import ERROR_CODES

_INTRODUCTION = """\
# Error codes

Every message of floe has a code in brackets. `floe explain FLOE-203` says in the terminal what stands here, `floe
explain` lists the codes, and `floe explain --format markdown` prints this page.
"""
_CHAPTERS = {
    "1": "1xx: a document",
    "2": "2xx: what documents say about one another",
    "3": "3xx: loading definitions",
    "4": "4xx: running",
}


def error_reference(codes: tuple[str, ...] = ()) -> str:
    """What *codes* mean, with an example each; all codes, under the headings of their hundreds, if none is named."""
    if codes:
        return "\n".join(line for code in codes for line in _section(code))
    lines = [_INTRODUCTION]
    for digit, chapter in _CHAPTERS.items():
        lines += [f"## {chapter}", ""]
        lines += [line for code in ERROR_CODES if code[len("FLOE-")] == digit for line in _section(code)]
    return "\n".join(lines).rstrip("\n") + "\n"


def printable_example(text: str) -> str:
    """*text* with what a terminal would not show, or act upon, as an escape."""
    return "".join(c if c.isprintable() or c == "\n" else "→   " if c == "\t" else f"\\x{ord(c):02x}" for c in text)


def _section(code: str) -> Iterator[str]:
    entry = ERROR_CODES[code]
    yield from (f"### {code}", "", f"**{entry.title}**", "", entry.explanation, "")
    for title, text in (("Wrong", entry.wrong), ("Right", entry.right)):
        yield from (f"{title}:", "", "```text", printable_example(text), "```", "")
