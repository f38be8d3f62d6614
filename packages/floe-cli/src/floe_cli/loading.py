"""A project's definitions for commands that tell about them: compiled if stale, then loaded as Dagster would."""

from collections.abc import Callable

from floe_cli.known_names import remember_names
from floe_core.compiler.artifacts import CompiledArtifacts
from floe_core.errors import LoadError, Problem
from floe_core.project import ProjectFolder
from floe_dagster.definitions import recorded_loads
from floe_dagster.loading import LoadedProject
from floe_dagster.running.code_locations import CodeLocation, load_code_location
from floe_dagster.running.code_pointer import CodePointer, find_code_pointer

Progress = Callable[[str], None]


def load_definitions(
    project: ProjectFolder, *, progress: Progress, artifacts: CompiledArtifacts | None = None
) -> LoadedProject:
    """Load the project through its definitions file, whatever that file adds included.

    Args:
        project: Where floe.yaml is.
        progress: Called with what is being done now.
        artifacts: What is loaded, and of it only what is known. Without them it is what was written, which must be
            current and is loaded whole or not at all.

    Raises:
        FloeError: Everything that is wrong with the project.
    """
    return load_with_location(project, progress=progress, artifacts=artifacts)[0]


def load_with_location(
    project: ProjectFolder, *, progress: Progress, artifacts: CompiledArtifacts | None = None
) -> tuple[LoadedProject, CodeLocation]:
    """The same with the code location, from which jobs are run.

    Raises:
        FloeError: Everything that is wrong with the project.
    """
    progress("loading the definitions")
    pointer = find_code_pointer(project)
    with recorded_loads({} if artifacts is None else {project.path.resolve(): artifacts}) as loads:
        location = load_code_location(pointer, project_dir=project.path)
    loaded = [load for load in loads if load.project.path.resolve() == project.path.resolve()]
    if not loaded:
        raise LoadError(_other_project(pointer))
    if artifacts is None:
        remember_names(loaded[-1])
    return loaded[-1], location


def _other_project(pointer: CodePointer) -> Problem:
    return Problem(
        "FLOE-423",
        f"module '{pointer.module_name}' does not load this project",
        why=f"it is the project's code location by {pointer.source}, and calls "
        "FloeDefinitions.from_compiled_artifacts for no or for another project",
        fix="put the call into that module, or name the module that has it under [tool.dagster] in pyproject.toml",
    )
