"""A project's definitions for commands that tell about them: compiled if stale, then loaded as Dagster would."""

from collections.abc import Callable, Mapping

from floe_core.compiler.checks import CheckedDocuments, check_documents
from floe_core.errors import LoadError, Problem, ProblemCollector
from floe_core.project import ProjectFolder
from floe_dagster.compilation import CompilationResult, compile_project
from floe_dagster.definitions import recorded_loads
from floe_dagster.loaders.asset_loader import load_assets
from floe_dagster.loading import LoadedProject
from floe_dagster.running.code_locations import load_code_location
from floe_dagster.running.code_pointer import CodePointer, find_code_pointer

Progress = Callable[[str], None]


def check_project(
    project: ProjectFolder,
    *,
    environ: Mapping[str, str],
    strict_env: bool,
    problems: ProblemCollector,
    progress: Progress,
) -> LoadedProject | CheckedDocuments:
    """Compile and load the project to find everything that is wrong with it.

    Args:
        project: Where floe.yaml is.
        environ: Values for `${…}`.
        strict_env: Whether a required variable that is not set is an error.
        problems: Where problems are noted that do not keep others from being found.
        progress: Called with what is being done now.

    Returns:
        The loaded project, or its documents alone where it could not be loaded: what is missing for that is noted, an
        error of dbt or a variable that is not set.

    Raises:
        FloeError: Problems that nothing more can be said after.
    """
    documents = check_documents(project, environ=environ, strict_env=strict_env)
    problems.extend(documents.warnings)
    compiled: CompilationResult | None = None
    with problems.collecting():
        compiled = compile_project(project, environ=environ, strict_env=strict_env, progress=progress)
        problems.extend(compiled.warnings)
    if compiled is not None and not documents.document.unset:
        loaded = load_definitions(project, progress=progress)
        problems.extend(loaded.warnings)
        return loaded
    progress("importing the asset modules")
    document = documents.document
    with problems.collecting():
        load_assets(document.spec.orchestration.asset_modules, project=project, source=document.source)
    return documents


def load_definitions(project: ProjectFolder, *, progress: Progress) -> LoadedProject:
    """Load the project through its definitions file, whatever that file adds included.

    Artifacts must be current.

    Raises:
        FloeError: Everything that is wrong with the project.
    """
    progress("loading the definitions")
    pointer = find_code_pointer(project)
    with recorded_loads() as loads:
        load_code_location(pointer, project_dir=project.path)
    loaded = [load for load in loads if load.project.path.resolve() == project.path.resolve()]
    if not loaded:
        raise LoadError(_other_project(pointer))
    return loaded[-1]


def _other_project(pointer: CodePointer) -> Problem:
    return Problem(
        "FLOE-423",
        f"module '{pointer.module_name}' does not load this project",
        why=f"it is the project's code location by {pointer.source}, and calls "
        "FloeDefinitions.from_compiled_artifacts for no or for another project",
        fix="put the call into that module, or name the module that has it under [tool.dagster] in pyproject.toml",
    )
