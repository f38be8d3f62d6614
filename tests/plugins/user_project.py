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
    monkeypatch.setattr(sys, "path", [*sys.path])
    monkeypatch.setattr(sys, "meta_path", [*sys.meta_path])
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    with forgotten_imports(tmp_path):
        yield UserProject(folder)


@contextmanager
def forgotten_imports(folder: Path) -> Iterator[None]:
    """What the block imports from below *folder* is not imported any more after it."""
    before = set(sys.modules)
    yield
    own = [name for name in set(sys.modules) - before if _is_below(sys.modules[name], folder)]
    for name in own:
        del sys.modules[name]


def _is_below(module: ModuleType, folder: Path) -> bool:
    spec = getattr(module, "__spec__", None)
    places = [spec.origin, *(spec.submodule_search_locations or ())] if spec else []
    return any(place and Path(place).is_relative_to(folder) for place in places)
