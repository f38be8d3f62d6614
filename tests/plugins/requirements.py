"""Traces requirements to the tests that prove them: `pytest --requirements`."""

import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

_ID = re.compile(r"\d{3}-(FR|SC)-\d{3}")
_PROOFS = pytest.StashKey[dict[str, list[str]]]()


@dataclass(frozen=True, slots=True)
class Requirement:
    """One line of the requirements file; `pending` says what the requirement still waits for."""

    text: str
    pending: str = ""


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--requirements",
        action="store_true",
        help="Print which requirement is proven by which tests, and fail when one has none. Runs no test.",
    )
    parser.addini("requirements_file", "TOML file of all requirements, relative to the root.", default="")


def pytest_configure(config: pytest.Config) -> None:
    if config.option.requirements:
        config.option.collectonly = True
        config.option.verbose = min(config.option.verbose, -2)  # the table, not the tree of tests


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Stop collection at a marker that names what is not a requirement."""
    known = read_requirements(config)
    problems = [problem for item in items for problem in _marker_problems(item, known)]
    if problems:
        raise pytest.UsageError(*problems)


def pytest_collection_finish(session: pytest.Session) -> None:
    session.config.stash[_PROOFS] = find_proofs(session.items)


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Fail a `--requirements` run in which the file and the tests disagree."""
    proofs = session.config.stash.get(_PROOFS, None)
    if session.config.option.requirements and proofs is not None:
        session.exitstatus = int(bool(check_proofs(read_requirements(session.config), proofs)))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    proofs = config.stash.get(_PROOFS, None)
    if not config.option.requirements or proofs is None:
        return
    requirements = read_requirements(config)
    terminalreporter.section("requirements")
    for line in render_proofs(requirements, proofs):
        terminalreporter.write_line(line)
    for problem in check_proofs(requirements, proofs):
        terminalreporter.write_line(f"error: {problem}", red=True)


def read_requirements(config: pytest.Config) -> dict[str, Requirement]:
    """The requirements file as {id: requirement}.

    Raises:
        pytest.UsageError: The file is named but an entry in it is not `id = {text, pending?}`.
    """
    name = str(config.getini("requirements_file"))
    if not name:
        return {}
    path = config.rootpath / name
    entries = tomllib.loads(path.read_text(encoding="utf-8"))
    return {identifier: _parse_entry(identifier, entry, path=path) for identifier, entry in entries.items()}


def _parse_entry(identifier: str, entry: object, *, path: Path) -> Requirement:
    if not _ID.fullmatch(identifier):
        raise pytest.UsageError(f"{path.name}: '{identifier}' is not a requirement id (010-FR-001, 010-SC-001)")
    match entry:
        case {"text": str(text), **rest} if not rest:
            return Requirement(text)
        case {"text": str(text), "pending": str(pending), **rest} if not rest and pending:
            return Requirement(text, pending)
        case _:
            raise pytest.UsageError(f"{path.name}: {identifier} needs a text and, at most, what it is pending on")


def _marker_problems(item: pytest.Item, known: Mapping[str, Requirement]) -> Iterable[str]:
    for marker in item.iter_markers("requirement"):
        if marker.kwargs or not marker.args:
            yield f"{item.nodeid}: the requirement marker takes one or more ids and nothing else"
        for identifier in marker.args:
            if not isinstance(identifier, str) or not _ID.fullmatch(identifier):
                yield f"{item.nodeid}: {identifier!r} is not a requirement id (010-FR-001, 010-SC-001)"
            elif identifier not in known:
                yield f"{item.nodeid}: {identifier} is not in the requirements file"


def find_proofs(items: Iterable[pytest.Item]) -> dict[str, list[str]]:
    """Which tests name which requirement: {id: [test, …]}, a parametrised test once."""
    proofs: dict[str, list[str]] = {}
    for item in items:
        test = item.nodeid.partition("[")[0]
        for marker in item.iter_markers("requirement"):
            for identifier in marker.args:
                tests = proofs.setdefault(identifier, [])
                if test not in tests:
                    tests.append(test)
    return proofs


def check_proofs(requirements: Mapping[str, Requirement], proofs: Mapping[str, list[str]]) -> list[str]:
    """What is wrong: a requirement without a test, or one that is called pending and has a test."""
    problems = []
    for identifier, requirement in requirements.items():
        if identifier in proofs and requirement.pending:
            problems.append(f"{identifier} has a test and is still marked as pending ({requirement.pending})")
        elif identifier not in proofs and not requirement.pending:
            problems.append(f"{identifier} is proven by no test: {requirement.text}")
    return problems


def render_proofs(requirements: Mapping[str, Requirement], proofs: Mapping[str, list[str]]) -> list[str]:
    """One paragraph per requirement and a closing count."""
    lines = []
    for identifier, requirement in requirements.items():
        lines.append(f"{identifier}  {requirement.text}")
        if identifier in proofs:
            lines.extend(f"    {test}" for test in proofs[identifier])
        else:
            lines.append(f"    {'pending: ' + requirement.pending if requirement.pending else 'NOT PROVEN'}")
    proven = sum(identifier in proofs for identifier in requirements)
    pending = sum(bool(requirement.pending) and key not in proofs for key, requirement in requirements.items())
    missing = len(requirements) - proven - pending
    return [*lines, f"{len(requirements)} requirements: {proven} proven, {pending} pending, {missing} without a test"]
