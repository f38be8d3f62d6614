"""`floe compile`, and whether what was compiled is still what the project says."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from filelock import FileLock

from floe_core.compiler.artifacts import (
    CompiledArtifacts,
    DbtTarget,
    build_artifacts,
    dbt_project_digest,
    floe_yaml_digest,
    load_artifacts,
    write_artifacts,
)
from floe_core.compiler.checks import CheckedDocuments, check_documents
from floe_core.documents import load_floe_document
from floe_core.errors import ArtifactsError, FloeError, Location, Problem, shown_path
from floe_core.interpolation import is_unset
from floe_core.project import ProjectFolder
from floe_core.schemas.floe_spec import FloeSpec
from floe_core.schemas.orchestration_config import DbtConfig
from floe_core.yaml_source import YamlDocument
from floe_dagster.dbt.compilation import CompiledDbt, check_settings, compile_dbt, dbt_settings_digest
from floe_dagster.dbt.index import DbtIndex
from floe_dagster.dbt.project import effective_dbt, locate_dbt_project
from floe_dagster.profiles import DEFAULT_TARGET, dbt_profile, resolve_profiles
from floe_dagster.user_code.import_paths import set_up_import_paths

Progress = Callable[[str], None]


@dataclass(frozen=True)
class CompilationResult:
    """What one `floe compile` did."""

    artifacts: CompiledArtifacts
    documents: CheckedDocuments
    target: str | None
    """The dbt target that was compiled; None for a project without dbt."""
    dbt: CompiledDbt | None

    @property
    def warnings(self) -> tuple[Problem, ...]:
        """What is worth a look and stops nothing."""
        return (*self.documents.warnings, *self.dbt_warnings)

    @property
    def dbt_warnings(self) -> tuple[Problem, ...]:
        """What dbt says is worth a look."""
        said = self.dbt.warnings if self.dbt is not None else ()
        return tuple(Problem("FLOE-319", f"dbt warns: {text}", severity="warning") for text in said)


def compile_project(
    project: ProjectFolder,
    *,
    environ: Mapping[str, str],
    target: str | None = None,
    strict_env: bool = False,
    progress: Progress = lambda _: None,
) -> CompilationResult:
    """Validate the project's documents, look into its dbt project and write the artifacts.

    Targets that were compiled from the same floe.yaml and the same dbt project stay in the artifacts.

    Args:
        project: Where floe.yaml is.
        environ: Values for `${…}`; they decide what is looked at, and are not written down.
        target: dbt target; floe.yaml's by default.
        strict_env: Whether a required variable that is not set is an error.
        progress: Called with what is being done now.

    Raises:
        CompileError: Everything that is wrong with the documents, or what dbt says is wrong with its project.
    """
    documents = check_documents(project, environ=environ, strict_env=strict_env)
    dbt = effective_dbt(documents.document.spec)
    if target is not None and dbt is not None:
        dbt = dbt.model_copy(update={"target": target})
    elif target is not None:
        raise ArtifactsError(
            Problem(
                code="FLOE-224",
                what=f"there is no dbt project to compile target '{target}' of",
                location=Location(shown_path(project.floe_yaml)),
                fix="leave out --target, or name the dbt project under orchestration.dbt",
            )
        )
    if dbt is not None and any(map(is_unset, _decisive_values(documents.document.spec, dbt))):
        load_floe_document(project.floe_yaml, environ=environ, strict_env=True)  # raises: dbt needs these values now
    project.make_floe_dir()
    compiled = compile_documents(documents, dbt, project=project, progress=progress)
    artifacts = compiled.artifacts
    with FileLock(project.floe_dir / "compile.lock"):
        for other, known in _still_current(project, artifacts, but=compiled.target).items():
            artifacts = artifacts.with_dbt_target(other, known)
        write_artifacts(artifacts, project.artifacts_file)
    return replace(compiled, artifacts=artifacts)


def compile_documents(
    documents: CheckedDocuments,
    dbt: DbtConfig | None,
    *,
    project: ProjectFolder,
    progress: Progress = lambda _: None,
) -> CompilationResult:
    """The same without writing the artifacts: what they would hold of *documents* and of one target of *dbt*.

    Where the project cannot be written, the target is taken as it was compiled before, if it is still current.

    Raises:
        CompileError: What dbt says is wrong with its project.
        DocumentError: dbt has to look into it, and the project cannot be written.
    """
    document = documents.document
    artifacts = build_artifacts(
        YamlDocument(document.raw, document.source, document.text),
        digest=floe_yaml_digest(project.floe_yaml),
        project_name=project.name,
    )
    if dbt is None:
        return CompilationResult(artifacts=artifacts, documents=documents, target=None, dbt=None)
    name = target_name(dbt)
    if not project.can_be_written():
        if shipped := _current_target(dbt, project=project):
            return CompilationResult(artifacts.with_dbt_target(name, shipped), documents, target=name, dbt=None)
        project.make_floe_dir()  # raises
    set_up_import_paths(project.path)  # the translator may be one of the project's own modules
    target, compiled = _compile_target(dbt, documents, project=project, progress=progress)
    return CompilationResult(artifacts.with_dbt_target(name, target), documents, target=name, dbt=compiled)


def ensure_compiled(
    project: ProjectFolder, *, environ: Mapping[str, str], progress: Progress = lambda _: None
) -> CompiledArtifacts:
    """The artifacts of the project, compiled now if they are missing or stale.

    Raises:
        CompileError: They are, and the project cannot be compiled.
    """
    try:
        artifacts = load_artifacts(project.artifacts_file)
        check_floe_yaml_is_current(artifacts, project)
    except ArtifactsError:
        return compile_project(project, environ=environ, progress=progress).artifacts
    dbt = effective_dbt(check_documents(project, environ=environ).document.spec)
    if dbt is not None:
        try:
            find_dbt_index(artifacts, dbt, project=project)
        except ArtifactsError:
            return compile_project(project, environ=environ, progress=progress).artifacts
    return artifacts


def check_floe_yaml_is_current(artifacts: CompiledArtifacts, project: ProjectFolder) -> None:
    """Hold the artifacts against floe.yaml; where only the artifacts were shipped, they are what counts.

    Raises:
        ArtifactsError: floe.yaml says something else now.
    """
    if project.floe_yaml.is_file() and artifacts.floe_yaml_digest != floe_yaml_digest(project.floe_yaml):
        raise ArtifactsError(_stale(f"{shown_path(project.floe_yaml)} has changed since", project, "floe compile"))


def find_dbt_index(
    artifacts: CompiledArtifacts, dbt: DbtConfig, *, project: ProjectFolder, check_current: bool = True
) -> DbtIndex:
    """What was compiled for the target that *dbt* names.

    Args:
        artifacts: What was compiled.
        dbt: As `effective_dbt` gives it.
        project: The project folder.
        check_current: Whether it is held against the dbt project.

    Raises:
        ArtifactsError: That target was not compiled, the dbt project has changed since, or its manifest is gone.
    """
    name = target_name(dbt)
    command = "floe compile" if dbt.target is None else f"floe compile --target {name}"
    compiled = artifacts.dbt.get(name)
    if compiled is None:
        raise ArtifactsError(_not_compiled(name, artifacts, project, command))
    if check_current:
        location = locate_dbt_project(dbt, project_dir=project.path)
        if location.project is not None and compiled.digest != dbt_project_digest(location.project.path):
            raise ArtifactsError(_stale("the dbt project has changed since", project, command))
    try:
        index = DbtIndex.from_json(compiled.index)
    except ValueError as error:
        raise ArtifactsError(_stale(f"another version of floe compiled them ({error})", project, command)) from error
    if check_current and index.settings_digest != dbt_settings_digest(dbt):
        why = "select, exclude, selector or translator of orchestration.dbt had another value when they were compiled"
        raise ArtifactsError(_stale(why, project, command))
    manifest = project.path / index.manifest_path
    if check_current and not manifest.is_file():  # a run would find out after what comes before dbt
        raise ArtifactsError(_stale(f"{shown_path(manifest)}, which belongs to them, is not there", project, command))
    return index


def target_name(dbt: DbtConfig) -> str:
    """The name under which artifacts hold what was compiled for *dbt*."""
    return dbt.target or DEFAULT_TARGET


def _decisive_values(spec: FloeSpec, dbt: DbtConfig) -> tuple[object, ...]:
    """What dbt cannot be called without."""
    return spec.storage, spec.catalog, spec.compute, dbt.project_dir, dbt.manifest_path, dbt.profiles_dir, dbt.target


def _compile_target(
    dbt: DbtConfig, documents: CheckedDocuments, *, project: ProjectFolder, progress: Progress
) -> tuple[DbtTarget, CompiledDbt]:
    spec, platform, source = documents.document.spec, documents.platform, documents.document.source
    profiles = resolve_profiles(spec, platform.spec)
    try:
        location = locate_dbt_project(dbt, project_dir=project.path, source=source)
    except FloeError as error:
        own_profile = dbt_profile(dbt, profiles, project=project, dbt_project=None) if dbt.profiles_dir else None
        error.problems = (*error.problems, *check_settings(dbt, own_profile, source=source))
        raise
    profile = dbt_profile(dbt, profiles, project=project, dbt_project=location.project)
    if platform.source is not None and profile.names is not None:
        profile = replace(profile, place=platform.source.locate("compute", spec.compute))
    compiled = compile_dbt(
        dbt,
        location=location,
        profile=profile,
        project_dir=project.path,
        floe_dir=project.floe_dir,
        source=source,
        progress=progress,
    )
    digest = dbt_project_digest(location.project.path) if location.project is not None else ""
    return DbtTarget(digest=digest, index=compiled.index.to_json()), compiled


def _current_target(dbt: DbtConfig, *, project: ProjectFolder) -> DbtTarget | None:
    try:
        artifacts = load_artifacts(project.artifacts_file)
        find_dbt_index(artifacts, dbt, project=project)
    except ArtifactsError:
        return None
    return artifacts.dbt[target_name(dbt)]


def _still_current(project: ProjectFolder, new: CompiledArtifacts, *, but: str | None) -> dict[str, DbtTarget]:
    try:
        old = load_artifacts(project.artifacts_file)
    except ArtifactsError:
        return {}
    same = old.floe_yaml_digest == new.floe_yaml_digest
    return {name: compiled for name, compiled in old.dbt.items() if same and name != but}


def _stale(reason: str, project: ProjectFolder, command: str) -> Problem:
    return Problem(
        code="FLOE-221",
        what="the compiled artifacts are stale",
        location=Location(shown_path(project.artifacts_file)),
        why=reason,
        fix=f"run '{command}'",
    )


def _not_compiled(name: str, artifacts: CompiledArtifacts, project: ProjectFolder, command: str) -> Problem:
    compiled = ", ".join(sorted(artifacts.dbt)) or "no target"
    return Problem(
        code="FLOE-224",
        what=f"dbt target '{name}' was not compiled",
        location=Location(shown_path(project.artifacts_file)),
        why=f"the artifacts hold {compiled}",
        fix=f"run '{command}'",
    )
