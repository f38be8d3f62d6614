"""`floe compile` for dbt: parse the project if it changed, let dagster-dbt translate it, keep what that gives.

dbt and dagster-dbt are imported only where there is something to translate.
"""

import hashlib
import importlib.metadata
import json
import os
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from filelock import FileLock

from floe_core.compiler.artifacts import dbt_project_digest
from floe_core.errors import (
    FloeError,
    LoadError,
    ManifestError,
    Problem,
    ProblemCollector,
    shown_path,
)
from floe_core.schemas.orchestration_config import DbtConfig
from floe_core.source_map import SourceMap
from floe_dagster.dbt.connection import DbtProfile
from floe_dagster.dbt.deferred import read_manifest
from floe_dagster.dbt.files import DbtFolder, copy_file, dbt_folder, replace_text
from floe_dagster.dbt.index import INDEX_FORMAT, DbtIndex, RelationNames
from floe_dagster.dbt.manifest import is_current, used_variables
from floe_dagster.dbt.parse import DbtParse
from floe_dagster.dbt.parse_vars import ParseVars
from floe_dagster.dbt.parsed_state import PARSED_STATE, Circumstances, load_parsed_state
from floe_dagster.dbt.project import DbtLocation, locate_setting
from floe_dagster.dbt.run_vars import ProjectVars
from floe_dagster.targets import load_target

if TYPE_CHECKING:
    from dagster_dbt import DagsterDbtTranslator

__all__ = ["CompiledDbt", "DbtProfile", "check_settings", "compile_dbt", "dbt_settings_digest", "load_translator"]

Progress = Callable[[str], None]

_RECORD_FILE = "compiled.json"
_OLDEST_SCHEMA = 11
_SCHEMA = re.compile(r"/manifest/v(\d+)")


@dataclass(frozen=True)
class CompiledDbt:
    """What compiling gave."""

    index: DbtIndex
    warnings: tuple[str, ...] = ()
    """dbt's own."""


def compile_dbt(
    dbt: DbtConfig,
    *,
    location: DbtLocation,
    profile: DbtProfile,
    project_dir: Path,
    floe_dir: Path,
    source: SourceMap | None = None,
    progress: Progress = lambda _: None,
) -> CompiledDbt:
    """What the dbt project holds, as `load_dbt_assets` takes it.

    Where nothing changed since the last time, neither dbt nor dagster-dbt is imported.

    Args:
        dbt: As `effective_dbt` gives it.
        location: As `locate_dbt_project` gives it.
        profile: The connection for dbt.
        project_dir: The project folder.
        floe_dir: Its `.floe`, which can be written.
        source: Where floe.yaml stands, for the errors.
        progress: Told what is being done, before anything that takes long.

    Raises:
        ManifestError: The manifest is missing, unreadable, foreign or too old and cannot be made; dbt finds an error
            in the project (told in dbt's words); packages are not installed.
        CompileError: A dbt selection is wrong or selects nothing, or two models have one key.
        TargetError: The translator cannot be loaded.
    """
    folder = dbt_folder(floe_dir, profile.target)
    compilation = _Compilation(dbt, location, profile, project_dir, folder, source, progress)
    try:
        with FileLock(folder.compiled / "compile.lock"):
            return compilation.run()
    except FloeError as error:
        told = error.problems
        error.problems = (*told, *(each for each in check_settings(dbt, profile, source=source) if each not in told))
        raise


def check_settings(dbt: DbtConfig, profile: DbtProfile | None, *, source: SourceMap | None) -> tuple[Problem, ...]:
    """What is wrong with settings that need no manifest: the folder of the user's profiles and the translator.

    Args:
        dbt: As `effective_dbt` gives it.
        profile: The connection for dbt, if it is known.
        source: Where floe.yaml stands, for the errors.
    """
    problems = ProblemCollector()
    if profile is not None:
        with problems.collecting():
            profile.check(locate_setting(source, "profiles_dir"))
    with problems.collecting():
        load_translator(dbt, source=source)
    return problems.problems


def dbt_settings_digest(dbt: DbtConfig) -> str:
    """Of everything in floe.yaml that decides which assets an index holds.

    Where it differs from the index's, the index was compiled for another floe.yaml or another environment. Vars are not
    in it: they differ between environments that share what was compiled.
    """
    settings = [dbt.select, dbt.exclude, dbt.selector, dbt.translator]
    return hashlib.sha256(json.dumps(settings, default=str).encode()).hexdigest()[:16]


def load_translator(dbt: DbtConfig, *, source: SourceMap | None = None) -> "type[DagsterDbtTranslator] | None":
    """The user's translator class, if there is one. Imports dagster-dbt then.

    Raises:
        TargetError: It cannot be imported.
        LoadError: It is no subclass of DagsterDbtTranslator.
    """
    if dbt.translator is None:
        return None
    from dagster_dbt import DagsterDbtTranslator  # noqa: PLC0415 - imports dbt

    location = locate_setting(source, "translator")
    found = load_target(dbt.translator, location=location)
    if isinstance(found, type) and issubclass(found, DagsterDbtTranslator):
        return found
    raise LoadError(
        Problem(
            code="FLOE-313",
            what=f"'{dbt.translator}' is not a dbt translator",
            location=location,
            why="a translator is a subclass of dagster_dbt.DagsterDbtTranslator",
            fix=f"derive it: `class {dbt.translator.rpartition('.')[2]}(DagsterDbtTranslator): …`",
        )
    )


@dataclass(frozen=True)
class _Compilation:
    dbt: DbtConfig
    location: DbtLocation
    profile: DbtProfile
    project_dir: Path
    folder: DbtFolder
    source: SourceMap | None
    progress: Progress

    def run(self) -> CompiledDbt:
        record = _Record.load(self.folder)
        parse_key = self._parse_key()
        warnings: tuple[str, ...] = ()
        if not (record.is_of(parse_key) and self.folder.manifest.is_file()):
            warnings = self._obtain_manifest()
            record = _Record(parse_key, environment=self._environment())
        index_key = hashlib.sha256(f"{parse_key} {dbt_settings_digest(self.dbt)} {INDEX_FORMAT}".encode()).hexdigest()
        if self.dbt.translator is None and record.index_key == index_key and record.index is not None:
            return CompiledDbt(DbtIndex.from_json(record.index), warnings)
        index = self._translate()
        replace(record, index_key=index_key, index=index.to_json()).write(self.folder)
        return CompiledDbt(index, warnings)

    @property
    def _vars(self) -> Mapping[str, object]:
        """The vars to parse with: those that each run fills in have no value yet."""
        return ProjectVars.of(self.dbt.vars).fixed

    def _parse_key(self) -> str:
        """Of everything that decides what parsing gives, but for environment variables that the project reads."""
        project = self.location.project
        profile = self.profile.file.read_text(encoding="utf-8") if self.profile.file.is_file() else ""
        texts = (
            importlib.metadata.version("dbt-core"),
            json.dumps([self.profile.target, self.profile.profile, self._vars], default=str, sort_keys=True),
            profile,
        )
        if project is not None:
            return dbt_project_digest(project.path, extra=texts)
        content = self.location.manifest.read_bytes() if self.location.manifest is not None else b""
        return hashlib.sha256(content).hexdigest()

    def _obtain_manifest(self) -> tuple[str, ...]:
        """Put the user's manifest into the folder if it is current, else have dbt make one."""
        project, manifest_file = self.location.project, self.location.manifest
        manifest = self._read_users_manifest()
        if manifest is not None and project is not None:
            self._check_belongs(manifest)
        if manifest_file is not None and manifest is not None and (project is None or self._is_current(manifest)):
            self._check_schema(manifest)
            copy_file(manifest_file, self.folder.manifest)
            copy_file(manifest_file.with_name(PARSED_STATE), self.folder.partial_parse)
            self._note_circumstances(by_user=True)
            return ()
        if project is None:
            raise AssertionError("a location has a project or a manifest")
        self.profile.check(locate_setting(self.source, "profiles_dir"))
        self.progress(f"parsing the dbt project {project.name}")
        parse = DbtParse(project, self.profile, self.dbt.vars, locate_setting(self.source, "project_dir"))
        warnings = parse.run(self.folder)
        self._note_circumstances(by_user=False)
        return warnings

    def _note_circumstances(self, *, by_user: bool) -> None:
        """Note what the project was parsed with; which profiles.yml it was is not known where the user did it."""
        if self.location.project is None:
            return
        circumstances = Circumstances.of(
            project_dir=self.location.project.path,
            profiles_file=self.profile.file,
            names=self.profile.names,
            cli_vars=self._vars,
        )
        replace(circumstances, profile="" if by_user else circumstances.profile).write(self.folder.partial_parse)
        state = load_parsed_state(self.folder.partial_parse)
        if state:
            ParseVars.of_project(state).write(self.folder.partial_parse)

    def _read_users_manifest(self) -> Mapping[str, Any] | None:
        if self.location.manifest is None:
            return None
        location = locate_setting(self.source, "manifest_path")
        return read_manifest(self.location.manifest, command=self._command(), location=location)

    def _is_current(self, manifest: Mapping[str, Any]) -> bool:
        project, manifest_file = self.location.project, self.location.manifest
        if project is None or manifest_file is None:
            return False
        state = load_parsed_state(manifest_file.with_name(PARSED_STATE))
        return is_current(manifest, state, project=project, profile=self.profile, cli_vars=self._vars)

    def _environment(self) -> dict[str, str]:
        state = load_parsed_state(self.folder.partial_parse)
        return _digest_environment(used_variables(self.location.project, self.profile, state))

    def _check_belongs(self, manifest: Mapping[str, Any]) -> None:
        project, manifest_file = self.location.project, self.location.manifest
        named = manifest["metadata"].get("project_name")
        if project is None or manifest_file is None or named == project.name:
            return
        raise ManifestError(
            Problem(
                code="FLOE-326",
                what=f"the dbt manifest {shown_path(manifest_file)} is of another project, {named}",
                location=locate_setting(self.source, "manifest_path"),
                why=f"{shown_path(project.path)} holds the project {project.name}",
                fix=f"correct manifest_path, or run `{self._command()}` and name the manifest that it writes",
            )
        )

    def _check_schema(self, manifest: Mapping[str, Any]) -> None:
        written = str(manifest["metadata"].get("dbt_schema_version", ""))
        found = _SCHEMA.search(written)
        if found is not None and int(found[1]) >= _OLDEST_SCHEMA:
            return
        raise ManifestError(
            Problem(
                code="FLOE-321",
                what=f"the dbt manifest {shown_path(self.location.manifest or Path())} is too old",
                location=locate_setting(self.source, "manifest_path"),
                why=f"its format is {written or 'not named'}, and the oldest understood is v{_OLDEST_SCHEMA} (dbt 1.7)",
                fix=f"run `{self._command()}` with a newer dbt",
            )
        )

    def _command(self) -> str:
        """What makes the manifest that the user named."""
        project = self.location.project
        return f"dbt parse --project-dir {shown_path(project.path)}" if project is not None else "dbt parse"

    def _translate(self) -> DbtIndex:
        from floe_dagster.dbt.translation import IndexWriter, check_selection, translate  # noqa: PLC0415 - imports dbt

        project = self.location.project
        project_dir = project.path if project is not None else None
        manifest = read_manifest(self.folder.manifest)
        try:
            user_class = load_translator(self.dbt, source=self.source)
        except FloeError as error:
            wrong = check_selection(manifest, self.dbt, project_dir=project_dir, source=self.source)
            error.problems = (*error.problems, *wrong)
            raise
        self.progress(f"translating {len(manifest['nodes']):,} dbt nodes")
        translation = translate(
            manifest,
            self.dbt,
            project_dir=project_dir,
            user_class=user_class,
            source=self.source,
        )
        written = IndexWriter(translation, self.profile.names)
        metadata = manifest["metadata"]
        return DbtIndex(
            settings_digest=dbt_settings_digest(self.dbt),
            project_dir=self._relative(project.path) if project is not None else None,
            manifest_path=self._relative(self.folder.manifest),
            manifest_digest=hashlib.sha256(self.folder.manifest.read_bytes()).hexdigest()[:16],
            target=self.profile.target,
            project_name=str(metadata.get("project_name") or ""),
            project_id=metadata.get("project_id"),
            dbt_version=str(metadata.get("dbt_version") or ""),
            own_names=RelationNames("", "", str(metadata["adapter_type"])) if self.profile.names is None else None,
            nodes=written.nodes,
            sources=written.sources,
            checks=written.checks,
            tests=written.tests,
            details=written.details_json(),
        )

    def _relative(self, path: Path) -> str:
        """*path* from the project folder on, if it is below."""
        root = self.project_dir.resolve()
        resolved = path.resolve()
        return resolved.relative_to(root).as_posix() if resolved.is_relative_to(root) else str(resolved)


@dataclass(frozen=True)
class _Record:
    """What the folder holds, and from what it was made."""

    parse_key: str = ""
    environment: Mapping[str, str] = field(default_factory=dict)
    """Environment variable that the project reads → digest of its value."""
    index_key: str = ""
    index: object = None

    @classmethod
    def load(cls, folder: DbtFolder) -> "_Record":
        try:
            return cls(**json.loads((folder.compiled / _RECORD_FILE).read_bytes()))
        except (OSError, ValueError, TypeError):
            return cls()  # nothing was compiled yet, or by another floe

    def write(self, folder: DbtFolder) -> None:
        replace_text(folder.compiled / _RECORD_FILE, json.dumps(vars(self)))

    def is_of(self, parse_key: str) -> bool:
        return self.parse_key == parse_key and self.environment == _digest_environment(self.environment)


def _digest_environment(names: Iterable[str]) -> dict[str, str]:
    values = {name: os.environ.get(name) for name in names}  # noqa: TID251 - dbt reads them
    return {name: hashlib.sha256(repr(value).encode()).hexdigest()[:16] for name, value in values.items()}
