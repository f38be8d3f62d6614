"""A project folder of a user's, written by the test, whose imports leave no trace in the test process."""

import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from textwrap import dedent
from types import ModuleType

import pytest


class UserProject:
    """The folder that holds floe.yaml."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def write(self, files: Mapping[str, str]) -> None:
        """Write files below the folder, their common indentation taken away."""
        for name, text in files.items():
            path = self.path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(dedent(text).lstrip("\n"), encoding="utf-8")


@pytest.fixture
def user_project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[UserProject]:
    """An empty folder, which is the working directory too; what is imported from it is forgotten afterwards."""
    folder = tmp_path / "work"
    folder.mkdir()
    monkeypatch.chdir(folder)
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    with forgotten_imports(tmp_path):
        yield UserProject(folder)


@pytest.fixture(autouse=True, scope="module")
def _no_import_of_another_module(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """The tests of a file find no project of another file's."""
    with forgotten_imports(tmp_path_factory.getbasetemp()):
        yield


@contextmanager
def forgotten_imports(folder: Path) -> Iterator[None]:
    """What the block imports from below *folder* is not imported any more after it, nor looked for there."""
    modules, path, finders = {**sys.modules}, [*sys.path], [*sys.meta_path]
    try:
        yield
    finally:
        new = {name: module for name, module in sys.modules.items() if module is not modules.get(name)}
        for name in [name for name, module in new.items() if _is_below(module, folder)]:
            del sys.modules[name]
        sys.path[:] = path
        # What libraries have added stays: importlib_metadata takes the place of Python's own finder.
        sys.meta_path[:] = [each for each in sys.meta_path if each in finders or not hasattr(each, "roots")]


def _is_below(module: ModuleType, folder: Path) -> bool:
    spec = getattr(module, "__spec__", None)
    places = [spec.origin, *(spec.submodule_search_locations or ())] if spec else []
    return any(place and Path(place).is_relative_to(folder) for place in places)
