"""A project's definitions in this process: loaded as Dagster would load them, and the jobs in them."""

import os
import sys
import traceback
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import dagster as dg
from dagster._core.definitions.reconstruct import ReconstructableRepository
from dagster._core.workspace.autodiscovery import loadable_targets_from_loaded_module

from floe_core.errors import FloeError, LoadError, Location, Problem, RunError
from floe_core.suggestions import did_you_mean, list_names
from floe_dagster.running.code_pointer import PROJECT_DIR_VARIABLE, CodePointer
from floe_dagster.user_code.import_paths import set_up_import_paths
from floe_dagster.user_code.modules import describe_user_error, import_user_module
from floe_dagster.user_code.tracebacks import is_floe, is_library


@dataclass(frozen=True, slots=True)
class CodeLocation:
    """A project's definitions, loaded here and reconstructable in the processes of a run."""

    pointer: CodePointer
    repository: ReconstructableRepository

    @property
    def definition(self) -> dg.RepositoryDefinition:
        """The loaded definitions."""
        return self.repository.get_definition()

    @property
    def job_names(self) -> list[str]:
        """Every job that has a name of its own, in alphabetical order."""
        return sorted(name for name in self.definition.job_names if not name.startswith("__"))


class UnknownJobError(RunError):
    """The command names a job that the project does not have."""


def load_code_location(pointer: CodePointer, *, project_dir: Path) -> CodeLocation:
    """Import the module that *pointer* names and take the definitions in it, as `dagster dev` would.

    Raises:
        LoadError: The module does not import, or holds no definitions. Problems that floe's own factory finds in the
            documents are passed on as they are.
    """
    os.environ[PROJECT_DIR_VARIABLE] = str(project_dir)  # noqa: TID251 - set for child processes, not read
    set_up_import_paths(project_dir)
    if str(pointer.working_directory) not in sys.path:
        sys.path.insert(0, str(pointer.working_directory))
    if pointer.is_built_in:
        sys.modules.pop(pointer.module_name, None)  # it may hold another project of this process
    with _own_problems_first():
        module = import_user_module(pointer.module_name)
    try:
        target = loadable_targets_from_loaded_module(module)[0]
    except dg.DagsterInvariantViolationError as error:
        raise LoadError(_no_definitions(pointer, str(error))) from error
    repository = ReconstructableRepository.for_module(
        pointer.module_name, target.attribute, str(pointer.working_directory)
    )
    with _dagster_errors("the definitions cannot be loaded"):
        repository.get_definition()
    return CodeLocation(pointer, repository)


def find_job(location: CodeLocation, name: str) -> dg.JobDefinition:
    """The job of that name, resolved.

    Raises:
        UnknownJobError: There is none.
        LoadError: Dagster cannot resolve the job.
    """
    names = location.job_names
    if name not in names:
        raise UnknownJobError(
            Problem(
                "FLOE-420",
                f"there is no job '{name}'",
                why=f"the jobs are {list_names(names, limit=20)}",
                fix=did_you_mean(name, names) or "name one of them; `floe list jobs` shows them",
            )
        )
    return resolved_job(location, name)


def resolved_job(location: CodeLocation, name: str, *, at: Location | None = None) -> dg.JobDefinition:
    """The job of that name, which exists; *at* is where floe.yaml has it.

    Raises:
        LoadError: Dagster cannot resolve the job.
    """
    what = "the definitions do not fit together" if name.startswith("__") else f"job '{name}' cannot be resolved"
    with _dagster_errors(what, at), warnings.catch_warnings():
        # What floe.yaml means: the smallest backfill policy of a job's assets counts.
        warnings.filterwarnings("ignore", message="Asset job .* with varying BackfillPolicies")
        return location.definition.get_job(name)


@contextmanager
def _own_problems_first() -> Iterator[None]:
    """Let problems that floe found while the user's module was importing stand for the failed import."""
    try:
        yield
    except FloeError as error:
        cause: BaseException | None = error.__cause__
        while cause is not None and not isinstance(cause, FloeError):
            cause = cause.__cause__ or cause.__context__
        if cause is not None:
            raise cause from error
        raise


@contextmanager
def _dagster_errors(what: str, at: Location | None = None) -> Iterator[None]:
    """Show what is raised while Dagster puts definitions together as a problem, unless floe itself is wrong."""
    try:
        yield
    except FloeError:
        raise
    except Exception as error:
        if not isinstance(error, dg.DagsterError) and _is_floes_own(error):
            raise
        raise LoadError(_refusal(what, at, error)) from error


def _is_floes_own(error: Exception) -> bool:
    """Whether it was raised by code of floe's that Dagster calls, and not by the user's or by a library."""
    files = [frame.filename for frame in traceback.extract_tb(error.__traceback__) if not is_library(frame.filename)]
    return files[-1] != __file__ and is_floe(files[-1])


def _refusal(what: str, at: Location | None, error: Exception) -> Problem:
    causes = list(_causes(error))
    foreign = next((cause for cause in causes if not isinstance(cause, dg.DagsterError)), None)
    reasons = [str(cause).strip() for cause in causes[: causes.index(foreign) if foreign else None]]
    if foreign is not None:
        reasons.append(describe_user_error(foreign))
    return Problem(
        "FLOE-425",
        what,
        at,
        why="Dagster refuses it for the reason above" if foreign is None else "Dagster stumbles over the error above",
        fix="mend the assets or jobs that the reason names" if foreign is None else "mend what raises it",
        detail="\n".join(dict.fromkeys(reason for reason in reasons if reason)),
    )


def _causes(error: BaseException) -> Iterator[BaseException]:
    seen: BaseException | None = error
    while seen is not None:
        yield seen
        seen = seen.__cause__


def _no_definitions(pointer: CodePointer, reason: str) -> Problem:
    return Problem(
        "FLOE-423",
        f"module '{pointer.module_name}' holds no definitions",
        why=f"it is the project's code location by {pointer.source}",
        fix="assign them at its top level: defs = FloeDefinitions.from_compiled_artifacts()",
        detail=reason,
    )
