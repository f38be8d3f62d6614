"""Where a project's modules are imported from, and that each file has one module name, whoever imports it."""

import importlib
import os
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path
from types import ModuleType

from floe_core.project import ProjectFolder

_LIBRARY_FOLDERS = frozenset({"site-packages", "dist-packages"})
_NOT_MODULES = frozenset({"__pycache__", "node_modules", "dbt_packages", "site-packages", "dist-packages"})
_MOST_MODULES_LISTED = 5_000


@dataclass(frozen=True, slots=True)
class ImportRoots:
    """The two folders of a project that are on `sys.path`, and the one module name that each of its files has.

    `root` is the parent of the topmost package that the project folder belongs to, or the project folder itself where
    that is no package. A file's name is its path below `root`, with dots.
    """

    project_dir: Path
    root: Path

    @classmethod
    def of(cls, project_dir: Path) -> "ImportRoots":
        """The roots of the project in *project_dir*; symbolic links are followed."""
        project = project_dir.resolve()
        return cls(project_dir=project, root=ProjectFolder(project).topmost_package_parent)

    @property
    def package(self) -> str:
        """The dotted name of the project folder; empty where that is no package."""
        return ".".join(self.project_dir.relative_to(self.root).parts)

    def absolute_name(self, reference: str) -> str:
        """The module that *reference* names, which may be relative to the project folder: `.assets.bronze`."""
        if not reference.startswith("."):
            return reference
        return ".".join(part for part in (self.package, reference[1:]) if part)

    def module_name(self, path: Path) -> str | None:
        """The one name of the module or package at *path*; none outside `root`, or where Python has no name for it."""
        file = path.resolve()
        if not file.is_relative_to(self.root):
            return None
        parts = file.relative_to(self.root).with_suffix("" if file.suffix == ".py" else file.suffix).parts
        parts = parts[:-1] if parts[-1:] == ("__init__",) else parts
        return ".".join(parts) if parts and all(part.isidentifier() for part in parts) else None

    def holds(self, path: str) -> bool:
        """Whether *path* is a file of the project or of its packages, and not of a library that is installed there."""
        if not _LIBRARY_FOLDERS.isdisjoint(Path(path).parts):
            return False
        real = Path(os.path.realpath(path))
        topmost = self.root / self.project_dir.relative_to(self.root).parts[0] if self.package else self.project_dir
        return real.is_relative_to(topmost) and _LIBRARY_FOLDERS.isdisjoint(real.parts)


def set_up_import_paths(project_dir: Path) -> ImportRoots:
    """Make the modules of the project importable in this process: from anywhere, and each under one name.

    A package's parent comes first on `sys.path` and the package's own folder last, so that its modules cannot stand in
    for the standard library's; a project folder that is no package comes first. Modules that another project of this
    process imported under a name that this one uses as well are forgotten.
    """
    roots = ImportRoots.of(project_dir)
    _forget_namesakes(roots)
    sys.path[:] = [entry for entry in sys.path if entry != str(roots.root)]
    sys.path.insert(0, str(roots.root))
    if str(roots.project_dir) not in sys.path:
        sys.path.append(str(roots.project_dir))
    others = [finder for finder in sys.meta_path if not _is_finder_of(finder, roots)]
    sys.meta_path[:] = [_OneNameFinder(roots, spelling=str(project_dir.absolute())), *others]
    importlib.invalidate_caches()
    return roots


def current_roots() -> ImportRoots | None:
    """The roots of the project that was set up last in this process."""
    return next((finder.roots for finder in sys.meta_path if isinstance(finder, _OneNameFinder)), None)


def list_project_modules(roots: ImportRoots) -> tuple[str, ...]:
    """The names of all modules in the project folder, for suggestions; nothing is imported."""
    names: list[str] = []
    for path in _python_files(roots.project_dir):
        name = roots.module_name(path)
        if name:
            names.append(name)
        if len(names) >= _MOST_MODULES_LISTED:
            break
    return tuple(sorted(names))


def list_modules_below(package: ModuleType) -> dict[str, Path | None]:
    """*package* and all modules below it at any depth, with their files, sorted by name; nothing is imported.

    Folders without an `__init__.py` count as packages, as they do in an import statement, but hold no code of their
    own. A `__main__` is a script, not a module.
    """
    own = getattr(package, "__file__", None)
    files: dict[str, Path | None] = {package.__name__: Path(own) if own else None}
    for folder in getattr(package, "__path__", ()):
        for path in _python_files(Path(folder)):
            parts = path.relative_to(folder).with_suffix("").parts
            parts = parts[:-1] if parts[-1] == "__init__" else parts
            if parts and all(part.isidentifier() for part in parts) and parts[-1] != "__main__":
                files[".".join((package.__name__, *parts))] = path
    return dict(sorted(files.items()))


class _OneNameFinder(MetaPathFinder):
    """Answers an import of a project's file under a second name with the module it has under its own name."""

    def __init__(self, roots: ImportRoots, *, spelling: str) -> None:
        self.roots = roots
        # Every import of the process comes by here: most are told apart by their first letters.
        self._spellings = (str(roots.project_dir), spelling)

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """The spec of an alias, or None to leave the import to Python."""
        if not self._is_ours(fullname, path):
            return None
        spec = PathFinder.find_spec(fullname, path, target)
        if spec is None:
            return self._project_folder_as_package(fullname) if path is None else None
        place = _place_of(spec)
        if place is None or not self.roots.holds(place):
            return None
        name = _loaded_name(place, fullname) or self.roots.module_name(Path(place))
        if name is None or name == fullname:
            return None
        return ModuleSpec(
            fullname, _AliasLoader(name), origin=place, is_package=spec.submodule_search_locations is not None
        )

    def _is_ours(self, fullname: str, path: Sequence[str] | None) -> bool:
        project = self.roots.project_dir
        if path is not None:
            return any(entry.startswith(self._spellings) and self.roots.holds(entry) for entry in path)
        return fullname == project.name or (project / fullname).is_dir() or (project / f"{fullname}.py").is_file()

    def _project_folder_as_package(self, fullname: str) -> ModuleSpec | None:
        if fullname != self.roots.project_dir.name or self.roots.package:
            return None
        spec = ModuleSpec(fullname, None, is_package=True)
        spec.submodule_search_locations = [str(self.roots.project_dir)]
        return spec


class _AliasLoader(Loader):
    def __init__(self, name: str) -> None:
        self._name = name
        self._own_spec: ModuleSpec | None = None

    def create_module(self, spec: ModuleSpec) -> ModuleType:  # noqa: ARG002 - Python's signature
        module = importlib.import_module(self._name)
        self._own_spec = module.__spec__
        return module

    def exec_module(self, module: ModuleType) -> None:
        # Python has just given the module the alias's spec; its own is what says how it was loaded.
        module.__spec__ = self._own_spec


def _is_finder_of(finder: object, roots: ImportRoots) -> bool:
    return isinstance(finder, _OneNameFinder) and finder.roots == roots


def _forget_namesakes(roots: ImportRoots) -> None:
    others = [f.roots for f in sys.meta_path if isinstance(f, _OneNameFinder) and f.roots.root != roots.root]
    if not others:
        return
    ours = {entry.name.removesuffix(".py") for folder in {roots.root, roots.project_dir} for entry in folder.iterdir()}
    namesakes = [
        name
        for name, module in list(sys.modules.items())
        if name.partition(".")[0] in ours and _is_held(module, others)
    ]
    for name in namesakes:
        del sys.modules[name]


def _is_held(module: ModuleType, roots: list[ImportRoots]) -> bool:
    spec = getattr(module, "__spec__", None)
    place = _place_of(spec) if spec is not None else None
    return place is not None and any(root.holds(place) for root in roots)


def _loaded_name(place: str, fullname: str) -> str | None:
    """The name under which the file or namespace folder at *place* is in `sys.modules` already."""
    last = fullname.rpartition(".")[2]
    for name, module in list(sys.modules.items()):
        if name.rpartition(".")[2] != last or name == fullname:
            continue
        spec = getattr(module, "__spec__", None)
        if spec is not None and not isinstance(spec.loader, _AliasLoader) and _same_place(_place_of(spec), place):
            return name
    return None


def _place_of(spec: ModuleSpec) -> str | None:
    if spec.has_location and spec.origin:
        return spec.origin
    locations = list(spec.submodule_search_locations or ())
    return locations[0] if len(locations) == 1 else None


def _same_place(one: str | None, other: str) -> bool:
    return one is not None and os.path.realpath(one) == os.path.realpath(other)


def _python_files(folder: Path) -> Iterator[Path]:
    for parent, folders, files in os.walk(folder):
        folders[:] = sorted(name for name in folders if _may_hold_modules(Path(parent, name)))
        yield from (Path(parent, file) for file in sorted(files) if file.endswith(".py"))


def _may_hold_modules(folder: Path) -> bool:
    hidden = folder.name.startswith(".") or folder.name in _NOT_MODULES
    return not hidden and not (folder / "pyvenv.cfg").exists()
