"""`FloeDefinitions`: the one line of a definitions file."""

import linecache
import os
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

import dagster as dg
from dagster._core.definitions.definitions_load_context import DefinitionsLoadContext, DefinitionsLoadType
from dagster._utils.env import using_dagster_dev

from floe_core.compiler.artifacts import CompiledArtifacts, load_artifacts, parse_artifacts
from floe_core.errors import DocumentError, FloeError, Location, Problem, render_problems, shown_path
from floe_core.project import FLOE_DIR, ProjectFolder, find_project_dir
from floe_dagster.compilation import ensure_compiled
from floe_dagster.loading import LoadedProject, load_project
from floe_dagster.observability.runs.nesting import nest_user_spans
from floe_dagster.passed_objects import PassedAsset, pass_objects
from floe_dagster.running.instance_warnings import check_own_instance
from floe_dagster.user_code.module_contents import Job, Schedule
from floe_dagster.user_code.tracebacks import leave_out_floe


class FloeDefinitions:
    """Dagster definitions made of a floe.yaml."""

    @classmethod
    def from_compiled_artifacts(
        cls,
        artifacts_path: str | Path | None = None,
        *,
        artifacts_dict: Mapping[str, object] | None = None,
        assets: Iterable[PassedAsset] | None = None,
        jobs: Iterable[Job] | None = None,
        schedules: Iterable[Schedule] | None = None,
        sensors: Iterable[dg.SensorDefinition] | None = None,
        resources: Mapping[str, object] | None = None,
        namespace: str = "floe",
    ) -> dg.Definitions:
        """Build the definitions of a project from what `floe compile` wrote.

        Stale or missing artifacts are compiled anew under `dagster dev`; everywhere else they are an error. The
        environment and platform.yaml are read now. A process that only carries out a step builds the same assets
        without what only the UI shows.

        Args:
            artifacts_path: The file that `floe compile` wrote. By default that of the project which the calling file
                is in, else of the one that the working directory is in.
            artifacts_dict: The content of such a file, in place of a file.
            assets: Assets and asset checks beside those of floe.yaml; what it says may refer to them.
            jobs: Jobs beside those of floe.yaml; its schedules and sensors may launch them.
            schedules: Schedules beside those of floe.yaml.
            sensors: Sensors beside those of floe.yaml.
            resources: Resources by key; they win over those that floe builds, so that tests can put in fakes.
            namespace: OpenLineage namespace of the project's jobs.

        Raises:
            FloeError: Everything that is wrong with the project.
        """
        frame = sys._getframe(1)  # noqa: SLF001 - who calls decides which project is meant
        caller = Path(frame.f_code.co_filename)
        given = {"assets": assets, "jobs": jobs, "schedules": schedules, "sensors": sensors, "resources": resources}
        is_step = DefinitionsLoadContext.get().load_type is DefinitionsLoadType.RECONSTRUCTION
        recorder = _recorder.get()
        try:
            passed = pass_objects(given, _line_of(caller, frame.f_lineno))
            project = _find_project(artifacts_path, caller)
            known = recorder.artifacts.get(project.path.resolve()) if recorder is not None else None
            recompile = using_dagster_dev() and not is_step
            loaded = load_project(
                project,
                known or _read_artifacts(project, artifacts_path, artifacts_dict, recompile=recompile),
                environ=os.environ,  # noqa: TID251 - definitions read the environment when they load
                passed=passed,
                namespace=namespace,
                skip_files=frozenset({caller}),
                is_step=is_step,
                only_known=known is not None,
            )
        except FloeError as error:
            error.__cause__ = None
            leave_out_floe(error)
            raise
        if is_step:
            nest_user_spans(loaded.definitions)
        if recorder is not None:
            recorder.loads.append(loaded)
        elif not is_step:
            orchestration = loaded.document.spec.orchestration
            _print_warnings((*loaded.warnings, *check_own_instance(orchestration, loaded.document.source)))
        return loaded.definitions


def _line_of(file: Path, number: int) -> Location:
    line = linecache.getline(str(file), number).rstrip()
    return Location(shown_path(file), number, source_line=line or None)


@dataclass(frozen=True)
class _Recorder:
    loads: list[LoadedProject]
    artifacts: Mapping[Path, CompiledArtifacts]


_recorder: ContextVar[_Recorder | None] = ContextVar("_recorder", default=None)


@contextmanager
def recorded_loads(
    artifacts: Mapping[Path, CompiledArtifacts] = MappingProxyType({}),
) -> Iterator[list[LoadedProject]]:
    """What `FloeDefinitions` loads within the block, for commands that import a definitions file to tell about it.

    Warnings are then for the command to show.

    Args:
        artifacts: {project folder: what is loaded in place of what was written}, and of that only what is known: an
            error in floe.yaml, or a variable that is not set, leaves out no more than what needs it.
    """
    loads: list[LoadedProject] = []
    token = _recorder.set(_Recorder(loads, artifacts))
    try:
        yield loads
    finally:
        _recorder.reset(token)


def _find_project(artifacts_path: str | Path | None, caller: Path) -> ProjectFolder:
    if artifacts_path is not None and Path(artifacts_path).absolute().parent.name == FLOE_DIR:
        return ProjectFolder(Path(artifacts_path).absolute().parent.parent)
    try:
        return ProjectFolder(find_project_dir(caller))
    except DocumentError:
        return ProjectFolder(find_project_dir(Path.cwd()))


def _read_artifacts(
    project: ProjectFolder, path: str | Path | None, content: Mapping[str, object] | None, *, recompile: bool
) -> CompiledArtifacts:
    if content is not None:
        return parse_artifacts(content)
    file = Path(path) if path is not None else project.artifacts_file
    if recompile and file.absolute() == project.artifacts_file.absolute():
        return ensure_compiled(project, environ=os.environ)  # noqa: TID251 - see above
    return load_artifacts(file)


def _print_warnings(warnings: tuple[Problem, ...]) -> None:
    if warnings:
        sys.stderr.write(f"{render_problems(warnings)}\n")
