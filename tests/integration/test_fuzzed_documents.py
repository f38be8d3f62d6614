"""Damaged documents: never a traceback, never a hang, and nothing that is valid and cannot be loaded.

`FLOE_FUZZ=100000 pytest tests/integration/test_fuzzed_documents.py` tries that many; a failure names the example, which
`FLOE_FUZZ_ONLY=NUMBER` tries alone.
"""

import json
import os
import signal
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random
from types import FrameType

import dagster as dg
import pytest

from every_kind import SHOP, SHOP_PLATFORM, SHOP_YAML
from floe_cli.checking import check_project
from floe_core.compiler.checks import CheckedDocuments, read_documents
from floe_core.compiler.known_part import known_part
from floe_core.documents import load_floe_document, load_platform_document
from floe_core.error_codes.registry import ERROR_CODES
from floe_core.errors import Problem, ProblemCollector, render_problem
from floe_core.project import ProjectFolder
from floe_core.yaml_source import parse_yaml
from mutations import as_yaml, mutate_text, mutate_value
from plugins.user_project import UserProject

TESTS = Path(__file__).parents[1]
EXAMPLES = int(os.environ.get("FLOE_FUZZ", "600"))
ONLY = os.environ.get("FLOE_FUZZ_ONLY")
CHUNKS = 8
LOADED_OF = 50
"""Of so many examples one is loaded, too."""
SECONDS = 10
ENVIRON = {"A": "1", "B": "x"}

FLOE_YAMLS = (TESTS / "golden" / "every_field_floe.yaml", TESTS / "projects" / "ecommerce" / "floe.yaml")
PLATFORM_YAML = TESTS / "golden" / "every_field_platform.yaml"


def damaged(value: object, random: Random) -> str:
    """A document with one to three things in it damaged, as text or as values."""
    times = random.choice([1, 1, 2, 3])
    if random.random() < 0.4:
        text = as_yaml(value)
        for _ in range(times):
            text = mutate_text(text, random)
        return text
    for _ in range(times):
        value = mutate_value(value, random)
    text = as_yaml(value)
    return text if random.random() < 0.9 else mutate_text(text, random)


def some_of(value: dict[str, object], random: Random, *, always: tuple[str, ...] = ()) -> dict[str, object]:
    """At most two of the sections of *value*, beside those that it always has."""
    kept = {*always, *random.sample(list(value), k=min(2, len(value)))}
    return {name: section for name, section in value.items() if name in kept}


def part_of(document: dict[str, object], random: Random) -> dict[str, object]:
    """Some sections of a document, and below `orchestration` some of its sections: the whole takes long to read."""
    orchestration = document.get("orchestration")
    if not isinstance(orchestration, dict):
        return some_of(document, random)
    part = some_of(document, random, always=("orchestration",))
    return {**part, "orchestration": some_of(orchestration, random, always=("jobs",))}


def parsed(text: str) -> dict[str, object]:
    value = parse_yaml(text, file=Path("floe.yaml")).value
    assert isinstance(value, dict)
    return value


@contextmanager
def numbered(example: int) -> Iterator[None]:
    """Name the example that fails, and fail one that takes too long, wherever it hangs."""

    def stop(signum: int, frame: FrameType | None) -> None:
        raise TimeoutError(f"it takes more than {SECONDS} s of CPU")

    old = signal.signal(signal.SIGPROF, stop)
    signal.setitimer(signal.ITIMER_PROF, SECONDS)
    try:
        yield
    except BaseException as error:
        error.add_note(f"example {example}")
        raise
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, old)


def write_documents(folder: Path, texts: dict[str, str]) -> None:
    for name, text in texts.items():
        (folder / name).write_bytes(text.encode("utf-8", "surrogatepass"))


def check_report(problems: tuple[Problem, ...], texts: dict[str, str]) -> None:
    """Each problem has a known code and a place that there is, and can be shown."""
    for problem in problems:
        assert problem.code in ERROR_CODES
        json.dumps(problem.to_json())
        render_problem(problem).encode()
        if problem.location is not None and problem.location.line is not None:
            lines = (
                texts[Path(problem.location.file).name].count("\n")
                + texts[Path(problem.location.file).name].count("\r")
                + 1
            )
            assert 1 <= problem.location.line <= lines + 1


def examples_of(chunk: int, number: int) -> range:
    return range(int(ONLY), int(ONLY) + 1) if ONLY else range(chunk, number, CHUNKS)


@pytest.mark.timeout(3600)
@pytest.mark.parametrize("chunk", range(1 if ONLY else CHUNKS))
def test_damaged_documents_are_told_or_valid(chunk: int, tmp_path: Path) -> None:
    project = ProjectFolder(tmp_path)
    (tmp_path / ".git").mkdir()
    floe_yamls, platform_yaml = [parsed(file.read_text()) for file in FLOE_YAMLS], parsed(PLATFORM_YAML.read_text())
    for example in examples_of(chunk, EXAMPLES):
        random = Random(example)
        texts = {"floe.yaml": "orchestration: {}\n", "platform.yaml": "{}\n"}
        if random.random() < 0.6:
            texts["floe.yaml"] = damaged(part_of(random.choice(floe_yamls), random), random)
        else:
            texts["platform.yaml"] = damaged(part_of(platform_yaml, random), random)
        write_documents(tmp_path, texts)
        with numbered(example):
            check_documents(project, texts)


def check_documents(project: ProjectFolder, texts: dict[str, str]) -> None:
    problems, documents = ProblemCollector(), None
    with problems.collecting():
        documents = read_documents(project, environ=ENVIRON)
        problems.extend((*documents.errors, *documents.warnings))
    check_report(problems.problems, texts)
    if documents is None:
        assert problems.errors
        return
    known_part(documents.document)
    if is_whole(documents):
        load_floe_document(project.floe_yaml, environ=ENVIRON, strict_env=True)
        load_platform_document(project.path, environ=ENVIRON)


def is_whole(documents: CheckedDocuments) -> bool:
    return not (documents.errors or documents.document.unset or documents.platform.unset)


@pytest.mark.timeout(3600)
@pytest.mark.parametrize("chunk", range(1 if ONLY else CHUNKS))
def test_damaged_projects_are_told_or_loaded(
    chunk: int, user_project: UserProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    for variable in ("FLOE_PLATFORM_ENV", "FLOE_PLATFORM_FILE", "DAGSTER_HOME"):
        monkeypatch.delenv(variable, raising=False)
    user_project.write({**SHOP, ".git/HEAD": ""})
    project = ProjectFolder(user_project.path)
    for example in examples_of(chunk, EXAMPLES // LOADED_OF):
        random = Random(-1 - example)
        texts = {"floe.yaml": SHOP_YAML, "platform.yaml": SHOP_PLATFORM}
        file = random.choice(["floe.yaml"] * 9 + ["platform.yaml"])
        texts[file] = as_yaml(mutate_value(parsed(texts[file]), random))
        write_documents(user_project.path, texts)
        with numbered(example):
            check_whole(project, texts)


def check_whole(project: ProjectFolder, texts: dict[str, str]) -> None:
    problems = ProblemCollector()
    with problems.collecting():
        checked = check_project(project, environ=ENVIRON, strict_env=False, problems=problems, progress=lambda _: None)
    check_report(problems.problems, texts)
    assert "FLOE-308" not in {problem.code for problem in problems.problems}  # no mistake keeps others from being seen
    if problems.errors or checked.loaded is None:
        assert problems.errors or checked.unset
        return
    with warnings.catch_warnings():
        # What floe.yaml means: the smallest backfill policy of a job's assets counts.
        warnings.filterwarnings("ignore", message="Asset job .* with varying BackfillPolicies")
        dg.Definitions.validate_loadable(checked.loaded.definitions)
    sys.modules.pop("floe_definitions", None)


def test_what_is_damaged_is_valid_as_it_is(user_project: UserProject) -> None:
    user_project.write({**SHOP, ".git/HEAD": "", "floe.yaml": SHOP_YAML, "platform.yaml": SHOP_PLATFORM})
    problems = ProblemCollector()

    with problems.collecting():
        check_project(
            ProjectFolder(user_project.path), environ={}, strict_env=True, problems=problems, progress=lambda _: None
        )

    assert [problem.what for problem in problems.errors] == []
