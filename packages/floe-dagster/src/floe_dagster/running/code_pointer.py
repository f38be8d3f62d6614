"""Which Python module holds a project's Dagster definitions; found without importing anything."""

import os
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from floe_core.errors import LoadError, Location, Problem, shown_path
from floe_core.project import ProjectFolder, folder_and_parents, holds_floe_yaml

BUILT_IN_MODULE = "floe_dagster.code_location"
"""Definitions made of floe.yaml alone, for a project without a definitions file."""

PROJECT_DIR_VARIABLE = "FLOE_PROJECT_DIR"
"""Environment variable that tells the built-in module which project it is for."""

_FACTORY_CALL = "from_compiled_artifacts"
_DEFINITIONS_FILE = "definitions.py"
_SKIPPED_FOLDERS = frozenset({"node_modules", "__pycache__", "target", "dbt_packages", "site-packages"})


@dataclass(frozen=True, slots=True)
class CodePointer:
    """A module to import, and the folder it is imported from.

    What pyproject.toml names, plain `dagster dev` finds by itself.
    """

    module_name: str
    working_directory: Path
    source: str  # what named it, for messages
    in_pyproject: bool = False

    @property
    def is_built_in(self) -> bool:
        """Whether the project has no definitions module of its own."""
        return self.module_name == BUILT_IN_MODULE


def find_code_pointer(project: ProjectFolder) -> CodePointer:
    """Find the module that `dagster dev` would load for the project.

    That is what the `[tool.dagster]` block of pyproject.toml names, in the project folder or above it as far as the
    repository's root; else the definitions.py in the project that calls the factory; else floe's built-in module.

    Raises:
        LoadError: pyproject.toml cannot be parsed, or several definitions.py could be meant.
    """
    for folder in _folders_up_to_repository(project):
        pointer = _pointer_in_pyproject(folder / "pyproject.toml", project_dir=project.path)
        if pointer is not None:
            return pointer
    return _pointer_to_file(project.path) or CodePointer(BUILT_IN_MODULE, project.path, "floe's own")


def _folders_up_to_repository(project: ProjectFolder) -> Iterator[Path]:
    root = project.repository_root or project.path
    return (folder for folder in folder_and_parents(project.path) if folder.is_relative_to(root))


def _pointer_in_pyproject(pyproject: Path, *, project_dir: Path) -> CodePointer | None:
    module_name = _module_in_pyproject(pyproject)
    if module_name is None:
        return None
    folder = pyproject.parent
    file = _file_of_module(module_name, folder)
    belongs_elsewhere = file is None or _nearest_project(file) not in (None, project_dir)
    if folder != project_dir and belongs_elsewhere:
        return None
    return CodePointer(module_name, folder, f"[tool.dagster] in {shown_path(pyproject)}", in_pyproject=True)


def _module_in_pyproject(pyproject: Path) -> str | None:
    try:
        tools = tomllib.loads(pyproject.read_text(encoding="utf-8")).get("tool", {})
    except FileNotFoundError:
        return None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise LoadError(
            Problem(
                "FLOE-421",
                f"{shown_path(pyproject)} cannot be parsed: {error}",
                Location(shown_path(pyproject)),
                why="its [tool.dagster] block names the module that holds the definitions",
                fix="mend the TOML",
            )
        ) from error
    block = tools.get("dagster", {})
    modules = [entry.get("name") for entry in block.get("modules", ()) if isinstance(entry, dict)]
    name = block.get("module_name") or next(iter(modules), None)
    return name if isinstance(name, str) else None


def _file_of_module(module_name: str, folder: Path) -> Path | None:
    path = folder.joinpath(*module_name.split("."))
    candidates = (path.with_name(f"{path.name}.py"), path / "__init__.py")
    return next((candidate for candidate in candidates if candidate.is_file()), None)


def _nearest_project(file: Path) -> Path | None:
    return next(filter(holds_floe_yaml, file.parents), None)


def _pointer_to_file(project_dir: Path) -> CodePointer | None:
    files = sorted(_definitions_files(project_dir), key=lambda file: (len(file.parts), file))
    nearest = [file for file in files if len(file.parts) == len(files[0].parts)]
    if len(nearest) > 1:
        shown = " and ".join(shown_path(file) for file in nearest)
        raise LoadError(
            Problem(
                "FLOE-422",
                f"both {shown} build definitions",
                why="a code location has one module that holds its definitions",
                fix='name it in pyproject.toml: [tool.dagster] module_name = "package.definitions"',
            )
        )
    if not nearest:
        return None
    module_name, root = _dotted_name(nearest[0])
    return CodePointer(module_name, root, shown_path(nearest[0]))


def _definitions_files(project_dir: Path) -> Iterator[Path]:
    for folder, folders, files in os.walk(project_dir):
        path = Path(folder)
        folders[:] = [name for name in folders if not _is_foreign(path / name)]
        if _DEFINITIONS_FILE in files and _FACTORY_CALL in (path / _DEFINITIONS_FILE).read_text(
            encoding="utf-8", errors="replace"
        ):
            yield path / _DEFINITIONS_FILE


def _is_foreign(folder: Path) -> bool:
    return (
        folder.name.startswith(".")
        or folder.name in _SKIPPED_FOLDERS
        or (folder / "pyvenv.cfg").is_file()
        or holds_floe_yaml(folder)
    )


def _dotted_name(file: Path) -> tuple[str, Path]:
    parts = [file.stem]
    folder = file.parent
    while (folder / "__init__.py").is_file():
        parts.insert(0, folder.name)
        folder = folder.parent
    return ".".join(parts), folder
