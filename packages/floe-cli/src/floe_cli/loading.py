"""A project's definitions for commands that tell about them: compiled if stale, then loaded as Dagster would."""

from collections.abc import Callable

from floe_core.errors import LoadError, Problem
from floe_core.project import ProjectFolder
from floe_dagster.code_pointer import CodePointer, find_code_pointer
from floe_dagster.definitions import LoadedProject, recorded_loads
from floe_dagster.runs import load_code_location

Progress = Callable[[str], None]


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
