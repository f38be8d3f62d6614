"""Documents that are wrong, each with what is told of it: tests/golden/bad_inputs.

`python tests/bad_inputs.py` writes what is told now; read the difference before it is committed.
"""

import re
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from floe_core.compiler.checks import read_documents
from floe_core.errors import FloeError, Problem, sort_problems
from floe_core.project import ProjectFolder

FOLDER = Path(__file__).parent / "golden" / "bad_inputs"
ENVIRON = {"WORD": "word", "KEY": "k", "PG": "p"}

_TITLE = re.compile(r"^=== (.*)\n", re.MULTILINE)
_PLATFORM = "\n--- platform.yaml\n"
_EXPECTED = "\n--- expected\n"


@dataclass(frozen=True)
class BadInput:
    """A floe.yaml, with a platform.yaml where that is what is wrong, and what is told: place, code and fix a line."""

    section: str
    title: str
    floe_yaml: str
    platform_yaml: str | None
    expected: str

    def __str__(self) -> str:
        return f"{self.section}: {self.title}"

    @property
    def text(self) -> str:
        """The case as its file has it."""
        platform = "" if self.platform_yaml is None else f"{_PLATFORM}{self.platform_yaml}"
        return f"=== {self.title}\n{self.floe_yaml}{platform}{_EXPECTED}{self.expected}\n"


def read_bad_inputs(section: str) -> Iterator[BadInput]:
    """The cases of one file."""
    text = (FOLDER / f"{section}.txt").read_text(encoding="utf-8")
    _, *parts = _TITLE.split(text)
    for title, body in zip(parts[::2], parts[1::2], strict=True):
        documents, _, expected = f"\n{body}".partition(_EXPECTED)
        floe_yaml, _, platform_yaml = documents.partition(_PLATFORM)
        yield BadInput(section, title, floe_yaml[1:], platform_yaml or None, expected.rstrip("\n"))


def sections() -> list[str]:
    """The names of the files."""
    return sorted(file.stem for file in FOLDER.glob("*.txt"))


def problems_of(case: BadInput, folder: Path) -> tuple[Problem, ...]:
    """What is told of the documents of *case*, which are written into *folder*."""
    (folder / ".git").mkdir()
    (folder / "floe.yaml").write_text(f"{case.floe_yaml}\n", encoding="utf-8")
    if case.platform_yaml is not None:
        (folder / "platform.yaml").write_text(f"{case.platform_yaml}\n", encoding="utf-8")
    try:
        documents = read_documents(ProjectFolder(folder), environ=ENVIRON)
    except FloeError as error:
        return error.problems
    return sort_problems((*documents.errors, *documents.warnings))


def describe(problem: Problem) -> str:
    """The parts of *problem* that a case holds."""
    location = problem.location
    place = f"{Path(location.file).name}:{location.line}:{location.column}" if location else "-"
    warning = " (warning)" if problem.severity == "warning" else ""
    return f"{place} {problem.code}{warning} {problem.what}\n  why: {problem.why}\n  fix: {problem.fix}"


def told_of(case: BadInput, folder: Path) -> str:
    """What is told of *case*, as its file holds it."""
    told = "\n".join(map(describe, problems_of(case, folder)))
    return re.sub(r"(?m) +$", "", told.replace(f"{folder}/", ""))


def _write() -> None:
    for section in sections():
        cases: list[BadInput] = []
        for case in read_bad_inputs(section):
            with tempfile.TemporaryDirectory() as folder:
                cases.append(replace(case, expected=told_of(case, Path(folder))))
        (FOLDER / f"{section}.txt").write_text("\n".join(case.text for case in cases), encoding="utf-8")


if __name__ == "__main__":
    _write()
