"""`orchestration.asset_modules`: Python modules → everything in them that Dagster can load."""

import ast
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

from floe_core.compiler.known_part import is_partly_unset
from floe_core.errors import AssetModuleError, Location, Problem, ProblemCollector
from floe_core.project import ProjectFolder
from floe_core.schemas.orchestration_config import AssetModule
from floe_core.source_map import SourceMap
from floe_dagster.user_code.import_paths import (
    ImportRoots,
    list_modules_below,
    list_project_modules,
    set_up_import_paths,
)
from floe_dagster.user_code.loaded_modules import LoadedModules, ModuleContents, ModuleSettings
from floe_dagster.user_code.module_contents import find_definitions
from floe_dagster.user_code.modules import import_user_module

_FACTORY = "from_compiled_artifacts"


def load_assets(
    modules: Sequence[AssetModule],
    *,
    project: ProjectFolder,
    source: SourceMap,
    skip_files: frozenset[Path] = frozenset(),
) -> LoadedModules:
    """Import the modules that the entries name and collect what they define.

    A module that several entries match belongs to the one that names it, else to the first. An object that several
    modules hold belongs to the module that defines it, and is loaded once. The entry's `group_name` goes to assets
    that name no group, its `key_prefix` before every key of its assets, wherever that key is referred to.

    Args:
        modules: The entries of `asset_modules`.
        project: The folder that relative entries start from.
        source: Where the entries stand in floe.yaml.
        skip_files: Modules that call the factory: the pattern `package.*` passes over them. Modules whose code calls
            `from_compiled_artifacts` are passed over in any case.

    Raises:
        AssetModuleError: An entry leads to no module, a module cannot be imported or defines nothing, or a key or name
            is defined twice; everything that is wrong with any entry.
    """
    problems = ProblemCollector()
    loaded = load_what_imports(modules, project=project, source=source, skip_files=skip_files, problems=problems)
    problems.raise_if_any(AssetModuleError)
    return loaded


def load_what_imports(
    modules: Sequence[AssetModule],
    *,
    project: ProjectFolder,
    source: SourceMap,
    skip_files: frozenset[Path],
    problems: ProblemCollector,
) -> LoadedModules:
    """What `load_assets` gives, of the modules that have nothing wrong; all else is noted in *problems*.

    Entries that are not known are passed over: what is wrong with them has been told.
    """
    roots = set_up_import_paths(project.path)
    skipped = frozenset(path.resolve() for path in skip_files)
    known = ((number, entry) for number, entry in enumerate(modules) if not is_partly_unset(entry))
    entries = [_Entry(entry, number, source, roots, skipped) for number, entry in known]
    imported: dict[str, tuple[_Entry, ModuleType]] = {}
    for entry in sorted(entries, key=lambda entry: entry.is_pattern):
        for module in entry.load(problems):
            imported.setdefault(module.__name__, (entry, module))
    contents = ModuleContents()
    for entry, module in sorted(imported.values(), key=lambda pair: (pair[0].number, pair[1].__name__)):
        contents.add(module, _settings(entry.definition, entry.location), problems)
    return contents.build(problems)


@dataclass(frozen=True, slots=True)
class _Entry:
    """One entry of `asset_modules` and what finding its modules takes."""

    definition: AssetModule
    number: int
    source: SourceMap
    roots: ImportRoots
    skipped: frozenset[Path]

    @property
    def location(self) -> Location:
        path = ("orchestration", "asset_modules", self.number)
        return self.source.locate(*path, *(["module"] if (*path, "module") in self.source else []))

    @property
    def is_pattern(self) -> bool:
        return self.definition.module.endswith(".*")

    @property
    def name(self) -> str:
        """The module, or for a pattern the package, by its absolute name."""
        return self.roots.absolute_name(self.definition.module.removesuffix(".*"))

    def load(self, problems: ProblemCollector) -> list[ModuleType]:
        """The modules of the entry, imported; what is wrong with any of them goes to *problems*."""
        found_before = len(problems.problems)
        modules: list[ModuleType] = []
        with problems.collecting():
            if not self.is_pattern:
                self._check_is_no_factory()
            first = import_user_module(self.name, location=self.location, error_class=AssetModuleError)
            modules = self._load_below(first, problems) if self.is_pattern else [first]
        if len(problems.problems) == found_before and not any(True for m in modules for _ in find_definitions(m)):
            problems.add(self._holds_nothing(modules))
        return modules

    def _load_below(self, package: ModuleType, problems: ProblemCollector) -> list[ModuleType]:
        if not hasattr(package, "__path__"):
            raise AssetModuleError(
                Problem(
                    code="FLOE-306",
                    what=f"'{package.__name__}' is a module, so there are no modules below it",
                    location=self.location,
                    why="'package.*' means every module below a package",
                    fix=f"write '{self.definition.module.removesuffix('.*')}'",
                )
            )
        modules = []
        for name, file in list_modules_below(package).items():
            if file is None or self._is_factory(file):
                continue
            with problems.collecting():
                modules.append(import_user_module(name, location=self.location, error_class=AssetModuleError))
        return modules

    def _check_is_no_factory(self) -> None:
        path = self.roots.root.joinpath(*self.name.split("."))
        if any(file.is_file() and self._is_factory(file) for file in (path.with_suffix(".py"), path / "__init__.py")):
            raise AssetModuleError(
                Problem(
                    code="FLOE-306",
                    what=f"module '{self.name}' builds the definitions, so it cannot be one of their asset modules",
                    location=self.location,
                    why="importing it calls FloeDefinitions.from_compiled_artifacts() again",
                    fix="name the modules with the assets, or 'package.*', which passes over this one",
                )
            )

    def _is_factory(self, file: Path) -> bool:
        return file.resolve() in self.skipped or _calls_factory(file)

    def _holds_nothing(self, modules: list[ModuleType]) -> Problem:
        names = [name for name in list_project_modules(self.roots) if name.startswith(f"{self.name}.")]
        if self.is_pattern:
            number = len(modules)
            what = f"no module below '{self.name}' defines anything for Dagster"
            why = f"it has {number} module{'s' if number != 1 else ''}"
            return Problem(code="FLOE-305", what=what, location=self.location, why=why)
        fix = f"write '{self.definition.module}.*' for the modules below it" if names else ""
        return Problem(
            code="FLOE-305",
            what=f"module '{self.name}' defines nothing for Dagster",
            location=self.location,
            why="it has no asset, asset check, job, schedule, sensor or Definitions object at its top level",
            fix=fix,
        )


def _settings(entry: AssetModule, location: Location) -> ModuleSettings:
    prefix = tuple(part for text in entry.key_prefix for part in text.split("/") if part)
    return ModuleSettings(location=location, group_name=entry.group_name, key_prefix=prefix)


def _calls_factory(file: Path) -> bool:
    """Whether the code in *file*, not its comments or docstrings, calls `from_compiled_artifacts`."""
    try:
        text = file.read_bytes()
        if _FACTORY.encode() not in text:
            return False
        calls = [node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Call)]
    except (OSError, SyntaxError, ValueError):
        return False  # importing the file tells what is wrong with it
    return any(isinstance(call.func, ast.Attribute) and call.func.attr == _FACTORY for call in calls)
