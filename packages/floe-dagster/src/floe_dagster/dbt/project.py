"""Where the dbt project of a floe project is; nothing of dbt is imported."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from floe_core.errors import CompileError, Location, ManifestError, Problem, shown_path
from floe_core.schemas.floe_spec import FloeSpec
from floe_core.schemas.orchestration_config import DbtConfig
from floe_core.source_map import SourceMap
from floe_core.suggestions import list_names
from floe_core.yaml_source import load_foreign_yaml

PROJECT_FILE = "dbt_project.yml"

_CODE_FOLDERS = {
    "model-paths": "models",
    "seed-paths": "seeds",
    "snapshot-paths": "snapshots",
    "macro-paths": "macros",
    "test-paths": "tests",
    "analysis-paths": "analyses",
    "function-paths": "functions",
}
_SKIPPED_FOLDERS = frozenset({"target", "logs", "dbt_packages", "node_modules", "__pycache__", "site-packages"})
_SEARCH_DEPTH = 3


@dataclass(frozen=True)
class DbtProjectFolder:
    """A folder with a dbt_project.yml."""

    path: Path
    settings: Mapping[str, object] = field(repr=False)

    @property
    def name(self) -> str:
        """The project's name in dbt."""
        return str(self.settings.get("name", self.path.name))

    @property
    def profile(self) -> str | None:
        """The name of the profile it asks for; None where it leaves that to the environment."""
        profile = self.settings.get("profile")
        return str(profile) if profile and "{{" not in str(profile) else None

    @property
    def code_folders(self) -> tuple[str, ...]:
        """The folders in which dbt looks for code, relative to the project."""
        paths = (self.settings.get(key, default) for key, default in _CODE_FOLDERS.items())
        listed = (value if isinstance(value, list) else [value] for value in paths)
        return tuple(dict.fromkeys(str(folder) for folders in listed for folder in folders))

    @property
    def packages_folder(self) -> Path:
        """Where `dbt deps` installs packages."""
        return self.path / str(self.settings.get("packages-install-path") or "dbt_packages")

    @property
    def asks_for_packages(self) -> bool:
        """Whether it has packages that `dbt deps` installs."""
        return any(_lists_packages(self.path / name) for name in ("packages.yml", "dependencies.yml"))


@dataclass(frozen=True)
class DbtLocation:
    """Where the parts of a dbt project are."""

    project: DbtProjectFolder | None
    """None where there is only a manifest."""
    manifest: Path | None
    """The user's own manifest, if there is one."""
    manifest_paths: tuple[Path, ...]
    """Where a manifest was looked for."""


def effective_dbt(spec: FloeSpec) -> DbtConfig | None:
    """`orchestration.dbt` with the project and the target that `transforms` names; None for a project without dbt."""
    dbt = spec.orchestration.dbt
    transforms = [transform for transform in spec.transforms if getattr(transform, "type", None) == "dbt"]
    if dbt is None and not transforms:
        return None
    dbt = dbt or DbtConfig()
    named = [
        transform
        for transform in transforms
        if dbt.project_dir is None or Path(dbt.project_dir) == Path(transform.path)
    ]
    if not named:
        return dbt
    missing = {
        name: value
        for name, value in (("project_dir", named[0].path), ("target", named[0].target))
        if value is not None and getattr(dbt, name) is None
    }
    return dbt.model_copy(update=missing)


def locate_dbt_project(dbt: DbtConfig, *, project_dir: Path, source: SourceMap | None = None) -> DbtLocation:
    """Find the dbt project and its manifest.

    Args:
        dbt: As `effective_dbt` gives it.
        project_dir: The project folder, to which relative paths refer.
        source: Where floe.yaml says it, for the errors.

    Raises:
        CompileError: The folder that is named holds no dbt project, or several could be meant, or none is there.
        ManifestError: There is neither a project nor a manifest.
    """
    named = Path(dbt.project_dir).expanduser() if dbt.project_dir else None
    if named is not None:
        folder = (project_dir / named).resolve()
        if not (folder / PROJECT_FILE).is_file():
            raise CompileError(_no_project_in(folder, project_dir, locate_setting(source, "project_dir")))
        return _located(dbt, folder, project_dir=project_dir)
    manifest = project_dir / Path(dbt.manifest_path).expanduser()
    for ancestor in manifest.parents:
        if (ancestor / PROJECT_FILE).is_file():
            return _located(dbt, ancestor.resolve(), project_dir=project_dir)
        if ancestor == project_dir:
            break
    found = _find_projects(project_dir)
    if len(found) > 1:
        raise CompileError(_several_projects(found, project_dir, locate_setting(source, "project_dir")))
    if not found and not manifest.is_file():
        raise ManifestError(_nothing_there(manifest, project_dir, locate_setting(source, "manifest_path")))
    return _located(dbt, found[0] if found else None, project_dir=project_dir)


def load_dbt_project(folder: Path) -> DbtProjectFolder:
    """The dbt project in *folder*. What is wrong with its dbt_project.yml is for dbt to say."""
    settings = load_foreign_yaml(folder / PROJECT_FILE)
    return DbtProjectFolder(folder, settings if isinstance(settings, dict) else {})


def _located(dbt: DbtConfig, folder: Path | None, *, project_dir: Path) -> DbtLocation:
    relative = Path(dbt.manifest_path).expanduser()
    tried = tuple(dict.fromkeys(base / relative for base in (project_dir, folder) if base is not None))
    return DbtLocation(
        project=load_dbt_project(folder) if folder is not None else None,
        manifest=next((path for path in tried if path.is_file()), None),
        manifest_paths=tried,
    )


def locate_setting(source: SourceMap | None, *path: str) -> Location | None:
    """Where floe.yaml says something about dbt; None where floe.yaml is not at hand."""
    return source.locate("orchestration", "dbt", *path) if source is not None else None


def _find_projects(project_dir: Path) -> list[Path]:
    """Folders with a dbt_project.yml, the project folder first, no deeper than three folders below it."""
    found = []
    for folder, subfolders, files in os.walk(project_dir):
        here = Path(folder)
        if PROJECT_FILE in files:
            found.append(here.resolve())
            subfolders.clear()
        depth = len(here.relative_to(project_dir).parts)
        subfolders[:] = sorted(
            name
            for name in subfolders
            if depth < _SEARCH_DEPTH and not name.startswith(".") and name not in _SKIPPED_FOLDERS
        )
    return found


def _lists_packages(file: Path) -> bool:
    content = load_foreign_yaml(file)
    return isinstance(content, dict) and bool(content.get("packages"))


def _no_project_in(folder: Path, project_dir: Path, location: Location | None) -> Problem:
    others = [path.relative_to(project_dir.resolve()) for path in _find_projects(project_dir)]
    return Problem(
        code="FLOE-323",
        what=f"there is no dbt project in {shown_path(folder)}",
        location=location,
        why=f"a dbt project is a folder that holds {PROJECT_FILE}",
        fix=f"name one of these folders: {list_names(map(str, others))}"
        if others
        else "run `dbt init`, which makes one",
    )


def _several_projects(found: list[Path], project_dir: Path, location: Location | None) -> Problem:
    names = [str(path.relative_to(project_dir.resolve())) for path in found]
    return Problem(
        code="FLOE-323",
        what="it is not clear which dbt project is meant",
        location=location,
        why=f"these folders hold a {PROJECT_FILE}: {list_names(names)}",
        fix=f"name one as orchestration.dbt.project_dir, such as `project_dir: {names[0]}`",
    )


def _nothing_there(manifest: Path, project_dir: Path, location: Location | None) -> Problem:
    return Problem(
        code="FLOE-320",
        what=f"there is no dbt manifest at {shown_path(manifest)}, and no dbt project to make one from",
        location=location,
        why=f"there is no {PROJECT_FILE} in {shown_path(project_dir)} or the folders below",
        fix="name the folder of dbt_project.yml as project_dir, or run `dbt parse` and name its manifest as "
        "manifest_path",
    )
