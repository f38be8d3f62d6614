"""The pages that people write: their blocks of code and their links."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
GUIDES = sorted((ROOT / "packages/floe-dagster/docs").glob("*.md"))
REFERENCES = sorted((ROOT / "packages/floe-core/docs").glob("*.md"))
PAGES = [ROOT / "README.md", *GUIDES]

_BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"\]\(([^)\s]+)\)")


@dataclass(frozen=True)
class Block:
    """What stands between two fences."""

    page: str
    line: int
    language: str
    text: str

    def __str__(self) -> str:
        return f"{self.page}:{self.line}"


def blocks(*languages: str) -> list[Block]:
    """Every block of all pages, or those of *languages*."""
    found = [block for page in PAGES for block in _blocks_in(page)]
    return [block for block in found if block.language in languages or not languages]


def links_of(page: Path) -> list[str]:
    """Where the links and pictures of *page* lead within the repository."""
    return [link for link in _LINK.findall(page.read_text(encoding="utf-8")) if "://" not in link]


def anchors_of(page: Path) -> list[str]:
    """The anchors that GitHub makes of the headings of *page*."""
    titles = re.findall(r"^##* (.*)$", _BLOCK.sub("", page.read_text(encoding="utf-8")), re.MULTILINE)
    return [re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles]


def _blocks_in(page: Path) -> Iterator[Block]:
    text = page.read_text(encoding="utf-8")
    for found in _BLOCK.finditer(text):
        yield Block(page.name, text.count("\n", 0, found.start()) + 1, found[1], found[2])
